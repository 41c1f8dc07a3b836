"""Lists in all the ways that DRF filters, orders and cuts them."""

from django.db.models import Count, F
from django.urls import include, path
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework import filters, pagination, serializers
from rest_framework.routers import SimpleRouter

from etag_versioning.rest_framework.list_validators import (
    count_and_max_updated_at,
    max_version_and_count,
)
from etag_versioning.rest_framework.viewsets import VersionedModelViewSet
from tests.rest_framework.views import PersonSerializer
from tests.testapp.models import Counter, Person, Team


class Pages(pagination.PageNumberPagination):
    page_size = 2
    page_size_query_param = "size"


class Slices(pagination.LimitOffsetPagination):
    default_limit = 2


class Cursors(pagination.CursorPagination):
    page_size = 2
    ordering = ("days", "id")


class TiedCursors(pagination.CursorPagination):
    """Orders by what several rows have in common."""

    page_size = 2
    ordering = "days"


class AnnotatedCursors(pagination.CursorPagination):
    page_size = 2
    ordering = ("-doubled", "id")


class DoubledSerializer(PersonSerializer):
    doubled = serializers.IntegerField(read_only=True)

    class Meta(PersonSerializer.Meta):
        fields = (*PersonSerializer.Meta.fields, "doubled")


class PersonViewSet(VersionedModelViewSet):
    queryset = Person.objects.annotate(doubled=F("days") * 2).order_by("id")
    serializer_class = DoubledSerializer
    filter_backends = [filters.SearchFilter, filters.OrderingFilter, DjangoFilterBackend]
    search_fields = ["name", "team__name"]
    ordering_fields = ["name", "days", "doubled", "team__name"]
    filterset_fields = ["days", "team__name"]


class TeamViewSet(VersionedModelViewSet):
    """A join repeats its rows, which it counts too."""

    queryset = Team.objects.annotate(people=Count("person"))
    pagination_class = Pages

    class serializer_class(serializers.ModelSerializer):
        people = serializers.IntegerField(read_only=True)

        class Meta:
            model = Team
            fields = ("id", "name", "people")

    def get_queryset(self):
        return super().get_queryset().filter(person__days__gte=0).distinct().order_by("id")


class DistinctViewSet(TeamViewSet):
    queryset = Team.objects.all()


class MineViewSet(PersonViewSet):
    def get_queryset(self):
        return super().get_queryset().filter(name=self.request.META.get("HTTP_X_USER", ""))


class ValuesViewSet(PersonViewSet):
    """Its rows are dictionaries."""

    queryset = Person.objects.values("name").order_by("name")
    filter_backends = []

    class serializer_class(serializers.Serializer):
        name = serializers.CharField()


def with_pages(base, name, **attributes):
    return type(name, (base,), {"__module__": __name__, **attributes})


class CounterViewSet(VersionedModelViewSet):
    queryset = Counter.objects.all()
    list_validator = count_and_max_updated_at

    class serializer_class(serializers.ModelSerializer):
        class Meta:
            model = Counter
            fields = ("id", "value")


router = SimpleRouter()
for prefix, viewset in {
    "people": PersonViewSet,
    "pages": with_pages(PersonViewSet, "PageViewSet", pagination_class=Pages),
    "slices": with_pages(PersonViewSet, "SliceViewSet", pagination_class=Slices),
    "cursors": with_pages(PersonViewSet, "CursorViewSet", pagination_class=Cursors),
    "tied": with_pages(PersonViewSet, "TiedViewSet", pagination_class=TiedCursors),
    "doubled": with_pages(PersonViewSet, "DoubledViewSet", pagination_class=AnnotatedCursors),
    "teams": TeamViewSet,
    "distinct": DistinctViewSet,
    "mine": MineViewSet,
    "values": ValuesViewSet,
    "versions": with_pages(PersonViewSet, "VersionsViewSet", list_validator=max_version_and_count),
    "timestamps": with_pages(
        PersonViewSet, "TimestampsViewSet", list_validator=count_and_max_updated_at
    ),
    "counters": CounterViewSet,
}.items():
    router.register(prefix, viewset, basename=prefix)

urlpatterns = [path("", include(router.urls))]
