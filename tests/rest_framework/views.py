"""Viewsets of people, under all the options that the tests need."""

from django.db import connection
from django.db.models import F, QuerySet
from django.urls import include, path
from rest_framework import pagination, permissions, serializers
from rest_framework.exceptions import NotAuthenticated
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter
from rest_framework.viewsets import ModelViewSet

from etag_versioning.rest_framework.mixins import VersionedRetrieveMixin, VersionedViewSetMixin
from etag_versioning.rest_framework.viewsets import VersionedModelViewSet
from tests.testapp.models import Hidden, Person, Team

# What the next write does after it has been evaluated and validated.
before_write = []


class PersonSerializer(serializers.ModelSerializer):
    team_name = serializers.CharField(source="team.name", read_only=True, default=None)

    class Meta:
        model = Person
        fields = ("id", "name", "days", "version", "team", "team_name")

    def validate_days(self, value):
        for step in before_write:
            step()
        if value < 0:
            raise serializers.ValidationError("Not less than none.")
        return value


class PersonViewSet(VersionedModelViewSet):
    queryset = Person.objects.select_related("team").order_by("id")
    serializer_class = PersonSerializer


class PagedViewSet(PersonViewSet):
    class pagination_class(pagination.PageNumberPagination):
        page_size = 2


class LimitedViewSet(PersonViewSet):
    class pagination_class(pagination.LimitOffsetPagination):
        default_limit = 2


class CursorViewSet(PersonViewSet):
    class pagination_class(pagination.CursorPagination):
        page_size = 2
        ordering = "name"


class OwnPaginator(pagination.PageNumberPagination):
    page_size = 2

    def paginate_queryset(self, queryset, request, view=None):
        page = super().paginate_queryset(queryset, request, view)
        self.names = [person.name for person in page]
        return page

    def get_paginated_response(self, data):
        return Response({"names": self.names, "results": data})


class OwnPaginatorViewSet(PersonViewSet):
    pagination_class = OwnPaginator


class SharedPrefetchViewSet(PersonViewSet):
    queryset = Team.objects.prefetch_related("person_set").distinct().order_by("id")

    class serializer_class(serializers.ModelSerializer):
        class Meta:
            model = Team
            fields = ("id", "name")


class OptionalViewSet(PersonViewSet):
    if_match = "optional"
    cache_control = {"public": True, "max_age": 5}


class OwnHooksViewSet(PersonViewSet):
    def perform_update(self, serializer):
        serializer.save(name="set by the view")

    def perform_create(self, serializer):
        serializer.save(name="set by the view")


class UpdatingViewSet(PersonViewSet):
    """Writes past the instance."""

    def perform_update(self, serializer):
        Person.objects.filter(pk=serializer.instance.pk).update(days=77)

    def perform_destroy(self, instance):
        Person.objects.filter(pk=instance.pk).delete()


class RelativesViewSet(PersonViewSet):
    """Writes another row than the one that the request names."""

    def perform_update(self, serializer):
        Team.objects.update(name="moved")


class RelativesSerializer(PersonSerializer):
    def update(self, instance, validated_data):
        Team.objects.update(name="moved")
        return instance


class RelativesBySerializerViewSet(PersonViewSet):
    serializer_class = RelativesSerializer


class PastOrmViewSet(PersonViewSet):
    def perform_update(self, serializer):
        rows = QuerySet(Person).filter(pk=serializer.instance.pk)
        rows.update(days=serializer.validated_data["days"])


class CascadeViewSet(PersonViewSet):
    """Deletes the row by what it hangs on."""

    def perform_destroy(self, instance):
        instance.team.delete()


class UpsertViewSet(PersonViewSet):
    """Moves the version where the guard does not see it."""

    def perform_update(self, serializer):
        row = Person(pk=serializer.instance.pk, name="upserted")
        unique = {} if connection.vendor == "mysql" else {"unique_fields": ["id"]}
        Person.objects.bulk_create([row], update_conflicts=True, update_fields=["name"], **unique)


class SiblingsViewSet(PersonViewSet):
    """Renumbers the others when one is deleted."""

    def perform_destroy(self, instance):
        instance.delete()
        Person.objects.update(days=F("days") + 1)


class QuerySetSiblingsViewSet(PersonViewSet):
    def perform_destroy(self, instance):
        Person.objects.filter(pk=instance.pk).delete()
        Person.objects.update(days=F("days") + 1)


class MeViewSet(PersonViewSet):
    """One address for everybody's own row."""

    def get_object(self):
        return self.get_queryset().get()


class OwnUpdateViewSet(PersonViewSet):
    def update(self, request, *args, **kwargs):
        response = super().update(request, *args, **kwargs)
        response.data["extra"] = 1
        return response


class NarrowedViewSet(PersonViewSet):
    queryset = Person.objects.only("name")


class NamedViewSet(PersonViewSet):
    lookup_field = "name"


class ListedViewSet(PersonViewSet):
    def get_queryset(self):
        return list(super().get_queryset())


class UnitedViewSet(PersonViewSet):
    def get_queryset(self):
        return Person.objects.filter(name="a").union(Person.objects.exclude(name="a"))


class OwnEnvelope(pagination.PageNumberPagination):
    page_size = 2

    def get_paginated_response(self, data):
        return Response({"keys": [person.pk for person in self.page], "results": data})


class OwnEnvelopeViewSet(PersonViewSet):
    pagination_class = OwnEnvelope


class OwnObjectViewSet(PersonViewSet):
    def get_object(self):
        return Person.objects.get(pk=self.kwargs["pk"])


class OwnedByBoss(permissions.BasePermission):
    def has_object_permission(self, request, view, obj):
        return obj.name == "boss's"


class Refuse(permissions.BasePermission):
    def has_permission(self, request, view):
        return False


class Unknown(permissions.BasePermission):
    def has_permission(self, request, view):
        raise NotAuthenticated


class OwnedViewSet(PersonViewSet):
    permission_classes = [permissions.AllowAny & OwnedByBoss]


class ComposedViewSet(PersonViewSet):
    permission_classes = [permissions.AllowAny | Refuse]


class RefusedViewSet(PersonViewSet):
    permission_classes = [Refuse]


class UnknownViewSet(PersonViewSet):
    permission_classes = [Unknown]


class FilteredViewSet(PersonViewSet):
    def filter_queryset(self, queryset):
        return queryset.filter(name=self.request.query_params.get("name", "a"))


class HiddenSerializer(serializers.ModelSerializer):
    class Meta:
        model = Hidden
        fields = ("uuid", "name")


class HiddenViewSet(VersionedViewSetMixin, ModelViewSet):
    queryset = Hidden.objects.all()
    serializer_class = HiddenSerializer
    lookup_field = "uuid"


class ReadOnlyViewSet(VersionedRetrieveMixin, ModelViewSet):
    """One mixin alone."""

    queryset = Person.objects.all()
    serializer_class = PersonSerializer


router = SimpleRouter()
for prefix, viewset in {
    "people": PersonViewSet,
    "paged": PagedViewSet,
    "limited": LimitedViewSet,
    "cursor": CursorViewSet,
    "own-paginator": OwnPaginatorViewSet,
    "teams": SharedPrefetchViewSet,
    "optional": OptionalViewSet,
    "own-hooks": OwnHooksViewSet,
    "updating": UpdatingViewSet,
    "relatives": RelativesViewSet,
    "relatives-by-serializer": RelativesBySerializerViewSet,
    "past-orm": PastOrmViewSet,
    "cascade": CascadeViewSet,
    "upsert": UpsertViewSet,
    "siblings": SiblingsViewSet,
    "query-set-siblings": QuerySetSiblingsViewSet,
    "own-update": OwnUpdateViewSet,
    "narrowed": NarrowedViewSet,
    "named": NamedViewSet,
    "listed": ListedViewSet,
    "united": UnitedViewSet,
    "own-envelope": OwnEnvelopeViewSet,
    "own-object": OwnObjectViewSet,
    "owned": OwnedViewSet,
    "composed": ComposedViewSet,
    "refused": RefusedViewSet,
    "unknown": UnknownViewSet,
    "filtered": FilteredViewSet,
    "hidden": HiddenViewSet,
    "read-only": ReadOnlyViewSet,
}.items():
    router.register(prefix, viewset, basename=prefix)

urlpatterns = [
    path("", include(router.urls)),
    path("me/", MeViewSet.as_view({"get": "retrieve", "patch": "partial_update"})),
]
