"""The hints of the checks of models, followed to the letter: the message is gone."""

from django.db import models

from etag_versioning.fields import UpdatedAtField, VersionField
from etag_versioning.models import TouchingMixin, UpdatedAtMixin, VersionedModel, VersionMixin


def test_e002_of_two_versions_in_one_table(found):
    class Page(VersionedModel):
        row_version = VersionField()

        class Meta:
            app_label = "testapp"

    (message,) = found()
    assert message.hint == "version = None, in the body of Page; or delete the other one."

    class Mended(VersionedModel):
        version = None
        row_version = VersionField()

        class Meta:
            app_label = "testapp"

    assert found() == [message]


def test_e002_of_a_state_in_two_tables(found):
    class Page(VersionMixin):
        class Meta:
            app_label = "testapp"

    class News(Page, UpdatedAtMixin):
        class Meta:
            app_label = "testapp"

    (message,) = found()
    assert message.hint == (
        "class Page(VersionedModel), and models.Model or its child in the place of the other "
        "mixins."
    )

    class MendedPage(VersionedModel):
        class Meta:
            app_label = "testapp"

    class MendedNews(MendedPage):
        class Meta:
            app_label = "testapp"

    assert found() == [message]


def test_e003_of_a_misspelt_relation(found):
    class Page(VersionedModel):
        touches = ("parnet__parent",)

        parent = models.ForeignKey("self", models.CASCADE)

        class Meta:
            app_label = "testapp"

    (message,) = found()
    assert message.hint.startswith('touches = ("parent",);')

    class Mended(VersionedModel):
        touches = ("parent",)

        parent = models.ForeignKey("self", models.CASCADE)

        class Meta:
            app_label = "testapp"

    assert found() == [message]


def test_e004_of_a_misspelt_field(found):
    class Page(VersionedModel):
        unversioned_fields = ("veiws",)

        title = models.CharField(max_length=50)
        views = models.IntegerField(default=0)

        class Meta:
            app_label = "testapp"

    (message,) = found()
    assert message.hint == 'unversioned_fields = ("views",); what it can name: title, views.'

    class Mended(VersionedModel):
        unversioned_fields = ("views",)

        title = models.CharField(max_length=50)
        views = models.IntegerField(default=0)

        class Meta:
            app_label = "testapp"

    assert found() == [message]


def test_e004_of_a_misspelt_tag_key(found):
    class Page(VersionedModel):
        tag_key = "slgu"

        slug = models.SlugField(unique=True)

        class Meta:
            app_label = "testapp"

    (message,) = found()
    assert message.hint.startswith('tag_key = "slug";')

    class Mended(VersionedModel):
        tag_key = "slug"

        slug = models.SlugField(unique=True)

        class Meta:
            app_label = "testapp"

    assert found() == [message]


def test_e005_of_a_field_in_the_place_of_an_option(found):
    class Page(VersionedModel):
        touches = models.IntegerField(default=0)

        class Meta:
            app_label = "testapp"

    (message,) = found()
    assert message.hint.endswith("label = …(db_column='touches')")

    class Mended(VersionedModel):
        label = models.IntegerField(default=0, db_column="touches")

        class Meta:
            app_label = "testapp"

    assert found() == [message]


def test_e006_of_touches_on_a_plain_model(found):
    class Page(VersionedModel):
        class Meta:
            app_label = "testapp"

    class Note(models.Model):
        touches = ("page",)

        page = models.ForeignKey(Page, models.CASCADE)

        class Meta:
            app_label = "testapp"

    (message,) = found()
    assert message.hint.startswith("class Note(TouchingMixin)")

    class Mended(TouchingMixin):
        touches = ("page",)

        page = models.ForeignKey(Page, models.CASCADE)

        class Meta:
            app_label = "testapp"

    assert found() == [message]


def test_e008_of_a_version_with_null(found):
    class Page(VersionedModel):
        updated_at = UpdatedAtField(null=True)

        class Meta:
            app_label = "testapp"

    (message,) = found()
    assert message.hint.startswith("updated_at = UpdatedAtField(),")

    class Mended(VersionedModel):
        updated_at = UpdatedAtField()

        class Meta:
            app_label = "testapp"

    assert found() == [message]


def test_w006_of_a_through_model_that_touches_nothing(found):
    class Tag(models.Model):
        class Meta:
            app_label = "testapp"

    class Page(VersionedModel):
        tags = models.ManyToManyField(Tag, through="Tagging")

        class Meta:
            app_label = "testapp"

    class Tagging(models.Model):
        page = models.ForeignKey(Page, models.CASCADE)
        tag = models.ForeignKey(Tag, models.CASCADE)

        class Meta:
            app_label = "testapp"

    (message,) = found()
    assert message.hint == (
        'class Tagging(TouchingMixin): touches = ("page",); or, where nothing shows the links, '
        'unversioned_fields = ("tags",) in Page.'
    )

    class Mended(VersionedModel):
        tags = models.ManyToManyField(Tag, through="MendedTagging")

        class Meta:
            app_label = "testapp"

    class MendedTagging(TouchingMixin):
        touches = ("page",)

        page = models.ForeignKey(Mended, models.CASCADE)
        tag = models.ForeignKey(Tag, models.CASCADE)

        class Meta:
            app_label = "testapp"

    class MendedWithoutLinks(VersionedModel):
        unversioned_fields = ("tags",)

        tags = models.ManyToManyField(Tag, through="PlainTagging")

        class Meta:
            app_label = "testapp"

    class PlainTagging(models.Model):
        page = models.ForeignKey(MendedWithoutLinks, models.CASCADE)
        tag = models.ForeignKey(Tag, models.CASCADE)

        class Meta:
            app_label = "testapp"

    assert found() == [message]
