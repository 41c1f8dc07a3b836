"""The models of a newspaper. What an article shows touches it, unless a view says otherwise."""

from django.contrib.auth.models import User
from django.contrib.contenttypes.fields import GenericForeignKey, GenericRelation
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.test.utils import isolate_apps
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from etag_versioning.models import TouchingMixin, VersionedModel, VersionedQuerySet

# No table is needed: nothing is read.
with isolate_apps("tests.checks.honest_project") as registry:

    class Country(TouchingMixin):
        touches = ("authors__articles",)

        name = models.CharField(max_length=50)

        class Meta:
            app_label = "honest_project"

    class Author(VersionedModel):
        touches = ("articles", "edited_articles")
        unversioned_fields = ("last_seen",)

        name = models.CharField(max_length=50)
        country = models.ForeignKey(Country, models.CASCADE, related_name="authors")
        last_seen = models.DateTimeField(null=True)

        class Meta:
            app_label = "honest_project"

        def __str__(self):
            return f"{self.name} ({self.country.name})"

    class Section(VersionedModel):
        touches = ("articles",)

        name = models.CharField(max_length=50)
        parent = models.ForeignKey("self", models.CASCADE, null=True, related_name="children")

        class Meta:
            app_label = "honest_project"

        def __str__(self):
            return self.name

    class Keyword(TouchingMixin):
        touches = ("articles",)

        name = models.CharField(max_length=50)

        class Meta:
            app_label = "honest_project"

    class Reaction(TouchingMixin):
        touches = ("content_object",)

        emoji = models.CharField(max_length=5)
        content_type = models.ForeignKey(ContentType, models.CASCADE, related_name="+")
        object_id = models.PositiveBigIntegerField()
        content_object = GenericForeignKey()

        class Meta:
            app_label = "honest_project"

    class ArticleQuerySet(VersionedQuerySet):
        def published(self):
            return self.filter(status="published")

    class Article(VersionedModel):
        unversioned_fields = ("reads",)

        title = models.CharField(max_length=50)
        body = models.TextField()
        facts = models.JSONField(default=dict)
        pdf = models.FileField(upload_to="pdf")
        status = models.CharField(
            max_length=10, choices=[("draft", _("Draft")), ("published", _("Published"))]
        )
        published = models.DateTimeField(null=True)
        reads = models.PositiveIntegerField(default=0)
        section = models.ForeignKey(Section, models.CASCADE, related_name="articles")
        author = models.ForeignKey(Author, models.CASCADE, related_name="articles")
        editor = models.ForeignKey(
            Author, models.SET_NULL, null=True, related_name="edited_articles"
        )
        owner = models.ForeignKey(User, models.CASCADE, related_name="+")
        keywords = models.ManyToManyField(Keyword, related_name="articles")
        reactions = GenericRelation(Reaction)

        objects = ArticleQuerySet.as_manager()

        class Meta:
            app_label = "honest_project"

        def __str__(self):
            return self.title

        @property
        def teaser(self):
            return self.body[:100]

        @property
        def byline(self):
            names = [person.name for person in (self.author, self.editor) if person]
            return " and ".join(names)

        @cached_property
        def number_of_words(self):
            return len(self.body.split())

        def newest_comment(self):
            return max(self.comments.all(), key=lambda comment: comment.pk, default=None)

        def get_absolute_url(self):
            return f"/articles/{self.pk}/"

    class Comment(TouchingMixin):
        touches = ("article",)

        article = models.ForeignKey(Article, models.CASCADE, related_name="comments")
        text = models.CharField(max_length=50)

        class Meta:
            app_label = "honest_project"

    class Photo(TouchingMixin):
        touches = ("article",)

        article = models.ForeignKey(Article, models.CASCADE, related_name="photos")
        caption = models.CharField(max_length=50)

        class Meta:
            app_label = "honest_project"

    class Credit(TouchingMixin):
        touches = ("photo__article",)

        photo = models.OneToOneField(Photo, models.CASCADE, related_name="credit")
        name = models.CharField(max_length=50)

        class Meta:
            app_label = "honest_project"

    class Interview(Article):
        guest = models.CharField(max_length=50)

        class Meta:
            app_label = "honest_project"

    class Issue(VersionedModel):
        number = models.IntegerField()
        articles = models.ManyToManyField(
            Article, through="honest_project.Placement", related_name="issues"
        )

        class Meta:
            app_label = "honest_project"

    class Placement(TouchingMixin):
        touches = ("issue",)

        issue = models.ForeignKey(Issue, models.CASCADE, related_name="placements")
        article = models.ForeignKey(Article, models.CASCADE, related_name="placements")
        page = models.IntegerField()

        class Meta:
            app_label = "honest_project"

    class Rate(models.Model):
        """A configuration; nothing refers to it."""

        percent = models.IntegerField()

        class Meta:
            app_label = "honest_project"

    class Banner(VersionedModel):
        text = models.CharField(max_length=50)

        class Meta:
            app_label = "honest_project"
