"""The newspaper's API, by Django REST framework."""

from django.contrib.auth.models import User
from django.db.models import Count, F, Max, Prefetch
from django.utils import timezone
from rest_framework import generics, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.pagination import CursorPagination
from rest_framework.response import Response
from rest_framework.views import APIView

from etag_versioning import etag_extra
from etag_versioning.rest_framework.decorators import versioned_read
from etag_versioning.rest_framework.fields import ETagField
from etag_versioning.rest_framework.mixins import (
    VersionedAPIViewMixin,
    VersionedDestroyMixin,
    VersionedListMixin,
    VersionedRetrieveMixin,
    VersionedUpdateMixin,
    VersionedViewSetMixin,
)
from etag_versioning.rest_framework.viewsets import VersionedModelViewSet

from .models import (
    Article,
    Author,
    Banner,
    Comment,
    Credit,
    Interview,
    Issue,
    Photo,
    Placement,
    Rate,
    Section,
)


class CountrySerializer(serializers.Serializer):
    name = serializers.CharField()


class AuthorSerializer(serializers.ModelSerializer):
    country = CountrySerializer()

    class Meta:
        model = Author
        fields = ("id", "name", "country")


class CreditSerializer(serializers.ModelSerializer):
    class Meta:
        model = Credit
        fields = ("name",)


class PhotoSerializer(serializers.ModelSerializer):
    credit = CreditSerializer()

    class Meta:
        model = Photo
        fields = ("caption", "credit")


class CommentSerializer(serializers.ModelSerializer):
    class Meta:
        model = Comment
        fields = ("id", "article", "text")


class PlainArticleSerializer(serializers.ModelSerializer):
    class Meta:
        model = Article
        fields = ("id", "title", "body", "facts", "pdf", "status", "published")


class ArticleSerializer(PlainArticleSerializer):
    author = AuthorSerializer()
    editor_name = serializers.CharField(source="editor.name", default=None)
    photos = PhotoSerializer(many=True)
    section = serializers.StringRelatedField()
    keywords = serializers.SlugRelatedField("name", many=True, read_only=True)
    emojis = serializers.SlugRelatedField("emoji", source="reactions", many=True, read_only=True)
    comments = serializers.SerializerMethodField()
    newest_comment = CommentSerializer()
    etag = ETagField()

    class Meta:
        model = Article
        fields = (
            *("id", "title", "teaser", "byline", "number_of_words", "get_absolute_url"),
            *("author", "editor_name", "photos", "section", "keywords", "emojis"),
            *("comments", "newest_comment", "etag"),
        )

    def get_comments(self, article):
        return [self.shorten(comment.text) for comment in article.comments.order_by("-pk")[:3]]

    @staticmethod
    def shorten(text):
        return text[:20]


class ArticleViewSet(VersionedModelViewSet):
    queryset = Article.objects.select_related("author__country").prefetch_related("photos__credit")
    serializer_class = ArticleSerializer


class MixedInViewSet(VersionedViewSetMixin, viewsets.ModelViewSet):
    queryset = Article.objects.all()
    serializer_class = ArticleSerializer


class KeysSerializer(serializers.ModelSerializer):
    author_id = serializers.IntegerField()
    section_key = serializers.IntegerField(source="section.pk")
    keywords = serializers.PrimaryKeyRelatedField(many=True, read_only=True)
    owner_name = serializers.CharField(source="owner.username", write_only=True)

    class Meta:
        model = Article
        fields = ("author", "editor", "owner", "author_id", "section_key", "keywords", "owner_name")


class KeysViewSet(VersionedModelViewSet):
    queryset = Article.objects.all()
    serializer_class = KeysSerializer


class LinkedSerializer(serializers.HyperlinkedModelSerializer):
    class Meta:
        model = Article
        fields = ("url", "title", "author", "section")


class LinkedViewSet(VersionedModelViewSet):
    queryset = Article.objects.all()
    serializer_class = LinkedSerializer


class DeepSerializer(serializers.ModelSerializer):
    class Meta:
        model = Article
        fields = ("title", "section")
        depth = 1


class DeepViewSet(VersionedModelViewSet):
    queryset = Article.objects.all()
    serializer_class = DeepSerializer


class CountedSerializer(PlainArticleSerializer):
    issue_count = serializers.IntegerField()
    newest_issue = serializers.IntegerField()
    shown_reads = serializers.IntegerField()
    owner_name = serializers.CharField()

    class Meta(PlainArticleSerializer.Meta):
        fields = ("title", "issue_count", "newest_issue", "shown_reads", "owner_name")


class CountedViewSet(VersionedModelViewSet):
    queryset = Article.objects.annotate(
        issue_count=Count("issues"),
        newest_issue=Max("issues__number"),
        shown_reads=F("reads"),
        owner_name=F("owner__username"),
    )
    serializer_class = CountedSerializer


class PrefetchedSerializer(PlainArticleSerializer):
    visible_comments = CommentSerializer(many=True)

    class Meta(PlainArticleSerializer.Meta):
        fields = ("title", "visible_comments")


class PrefetchedViewSet(VersionedModelViewSet):
    queryset = Article.objects.prefetch_related(
        Prefetch("comments", Comment.objects.exclude(text=""), to_attr="visible_comments")
    )
    serializer_class = PrefetchedSerializer


class OwnerSerializer(PlainArticleSerializer):
    owner_name = serializers.CharField(source="owner.username")

    class Meta(PlainArticleSerializer.Meta):
        fields = ("title", "owner_name")


class OwnerViewSet(VersionedModelViewSet):
    """Shows rows of a model that the project cannot let touch anything."""

    queryset = Article.objects.all()
    serializer_class = OwnerSerializer
    etag_extra = (User.objects.all(),)


class BannerSerializer(PlainArticleSerializer):
    banner = serializers.SerializerMethodField()

    class Meta(PlainArticleSerializer.Meta):
        fields = ("title", "banner")

    def get_banner(self, article):
        banner = Banner.objects.filter(text__contains=article.title).first()
        return banner and banner.text


class BannerViewSet(VersionedModelViewSet):
    queryset = Article.objects.all()
    serializer_class = BannerSerializer
    etag_extra = (Banner.objects.all(),)


def price(article):
    rate = Rate.objects.get()
    return len(article.body) * rate.percent


class PricedSerializer(PlainArticleSerializer):
    price = serializers.SerializerMethodField()

    class Meta(PlainArticleSerializer.Meta):
        fields = ("title", "price")

    def get_price(self, article):
        return price(article)


class PricedViewSet(VersionedModelViewSet):
    queryset = Article.objects.all()
    serializer_class = PricedSerializer

    def get_etag_extra(self):
        return [*super().get_etag_extra(), *Rate.objects.values_list("pk", "percent")]


class MineSerializer(PlainArticleSerializer):
    is_mine = serializers.SerializerMethodField()

    class Meta(PlainArticleSerializer.Meta):
        fields = ("title", "is_mine")

    def get_is_mine(self, article):
        return article.owner_id == self.context["request"].user.pk


class MineViewSet(VersionedModelViewSet):
    queryset = Article.objects.all()
    serializer_class = MineSerializer

    def get_etag_extra(self):
        return etag_extra.user(self.request)


class StatusSerializer(PlainArticleSerializer):
    status = serializers.CharField(source="get_status_display")

    class Meta(PlainArticleSerializer.Meta):
        fields = ("title", "status")


class StatusViewSet(VersionedModelViewSet):
    queryset = Article.objects.all()
    serializer_class = StatusSerializer

    def get_etag_extra(self):
        return etag_extra.language(self.request)


class AgeSerializer(PlainArticleSerializer):
    days = serializers.SerializerMethodField()
    day = serializers.SerializerMethodField()

    class Meta(PlainArticleSerializer.Meta):
        fields = ("title", "days", "day")

    def get_days(self, article):
        return (timezone.now() - article.published).days

    def get_day(self, article):
        return timezone.localtime(article.published).date()


class AgeViewSet(VersionedModelViewSet):
    queryset = Article.objects.all()
    serializer_class = AgeSerializer

    def get_etag_extra(self):
        return [timezone.localdate()]


class OwnCodeViewSet(VersionedModelViewSet):
    """Its tags are digests of what it returns."""

    queryset = Article.objects.all()
    serializer_class = BannerSerializer
    late_reads = ("retrieve", "list")

    def retrieve(self, request, pk):
        article = self.get_object()
        return Response(
            {"user": str(request.user), "rates": Rate.objects.count(), "id": article.pk}
        )

    def list(self, request):
        return Response([Banner.objects.first().text, timezone.now()])


class ActionsViewSet(VersionedModelViewSet):
    queryset = Article.objects.all()
    serializer_class = PlainArticleSerializer

    @action(detail=True)
    def issues(self, request, pk):
        return Response(list(self.get_object().issues.values_list("number")))

    @action(detail=True)
    @versioned_read
    def summary(self, request, pk):
        article = self.get_object()
        serializer = self.get_serializer(article)
        return Response({**serializer.data, "byline": article.byline})

    @action(detail=True, methods=["post"])
    def place(self, request, pk):
        Placement.objects.create(article=self.get_object(), issue=Issue.objects.first(), page=1)
        return Response()


class ChosenViewSet(VersionedModelViewSet):
    queryset = Article.objects.all()
    serializer_class = PlainArticleSerializer

    def get_queryset(self):
        return super().get_queryset().filter(owner=self.request.user)

    def get_serializer_class(self):
        if self.action in ("create", "update"):
            return OwnerSerializer
        return super().get_serializer_class()


class RepresentedSerializer(PlainArticleSerializer):
    def to_representation(self, instance):
        data = super().to_representation(instance)
        data["url"] = self.context["request"].build_absolute_uri(instance.get_absolute_url())
        if self.context.get("with_author"):
            data["author"] = AuthorSerializer(instance.author, context=self.context).data
        return data


class RepresentedViewSet(VersionedModelViewSet):
    queryset = Article.objects.published()
    serializer_class = RepresentedSerializer


class UnboundSerializer(serializers.Serializer):
    title = serializers.CharField(max_length=50)
    words = serializers.ListField(child=serializers.CharField(), source="body.split")
    author = serializers.CharField(source="author.name")


class UnboundViewSet(VersionedModelViewSet):
    queryset = Article.objects.all()
    serializer_class = UnboundSerializer


class Pages(CursorPagination):
    ordering = "-pk"


class ArticleList(VersionedListMixin, generics.ListAPIView):
    queryset = Article.objects.all()
    serializer_class = ArticleSerializer
    pagination_class = Pages


class ArticleDetail(
    VersionedRetrieveMixin,
    VersionedUpdateMixin,
    VersionedDestroyMixin,
    generics.RetrieveUpdateDestroyAPIView,
):
    queryset = Article.objects.all()
    serializer_class = ArticleSerializer


class InterviewSerializer(serializers.ModelSerializer):
    author = AuthorSerializer()
    comments = CommentSerializer(many=True)

    class Meta:
        model = Interview
        fields = ("title", "guest", "author", "comments")


class InterviewViewSet(VersionedModelViewSet):
    queryset = Interview.objects.all()
    serializer_class = InterviewSerializer


class PlacementSerializer(serializers.ModelSerializer):
    class Meta:
        model = Placement
        fields = ("page", "article")


class IssueSerializer(serializers.ModelSerializer):
    placements = PlacementSerializer(many=True)

    class Meta:
        model = Issue
        fields = ("number", "placements", "articles")


class IssueViewSet(VersionedModelViewSet):
    queryset = Issue.objects.all()
    serializer_class = IssueSerializer


class SectionSerializer(serializers.ModelSerializer):
    class Meta:
        model = Section
        fields = ("name", "parent")


class SectionViewSet(VersionedModelViewSet):
    queryset = Section.objects.all()
    serializer_class = SectionSerializer


class Byline(VersionedAPIViewMixin, APIView):
    def get_versioned_queryset(self):
        return Article.objects.filter(pk=self.kwargs["pk"])

    @versioned_read
    def get(self, request, pk):
        return Response({"byline": Article.objects.get(pk=pk).byline})


class RateSerializer(serializers.ModelSerializer):
    class Meta:
        model = Rate
        fields = ("percent",)


class RateViewSet(viewsets.ModelViewSet):
    """Has no tags."""

    queryset = Rate.objects.all()
    serializer_class = RateSerializer


class CommentViewSet(viewsets.ReadOnlyModelViewSet):
    queryset = Comment.objects.all()
    serializer_class = CommentSerializer


class AuthorViewSet(VersionedModelViewSet):
    queryset = Author.objects.annotate(seen=F("last_seen"))
    serializer_class = type(
        "SeenSerializer",
        (serializers.ModelSerializer,),
        {
            "seen": serializers.DateTimeField(),
            "Meta": type("Meta", (), {"model": Author, "fields": ("name", "seen")}),
        },
    )


class LazyViewSet(VersionedModelViewSet):
    """Nothing of it is known before a request."""

    def get_queryset(self):
        return self.request.tenant.articles.all()

    def get_serializer_class(self):
        return self.request.tenant.serializer_class
