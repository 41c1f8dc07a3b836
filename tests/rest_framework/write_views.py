"""Viewsets that write in ways of their own."""

from django.db import IntegrityError, connection, transaction
from django.db.models import Count, F
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.urls import include, path
from rest_framework import generics, permissions, serializers
from rest_framework.decorators import action
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter

from etag_versioning.rest_framework.bulk import VersionedBulkUpdateMixin
from etag_versioning.rest_framework.fields import ETagField
from etag_versioning.rest_framework.mixins import VersionedDestroyMixin
from etag_versioning.rest_framework.viewsets import VersionedModelViewSet
from tests.rest_framework.views import PersonSerializer, PersonViewSet, before_write
from tests.testapp.models import Chapter, Login, Person, Profile, Restaurant, Team
from tests.triggerapp.models import Author


class DaysSerializer(serializers.Serializer):
    days = serializers.IntegerField(min_value=0)


class NotLocked(permissions.BasePermission):
    def has_object_permission(self, request, view, obj):
        return obj.name != "locked"


class ActionViewSet(PersonViewSet):
    permission_classes = [NotLocked]

    @action(detail=True, methods=["post"], serializer_class=DaysSerializer)
    def work(self, request, pk=None):
        person = self.get_object()
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        for step in before_write:
            step()
        Team.objects.create(name="written first")
        person.days += serializer.validated_data["days"]
        person.save()
        return Response({"days": person.days})

    @work.mapping.delete
    def rest(self, request, pk=None):
        self.get_object().delete()
        return Response(status=204)

    @action(detail=True, methods=["post"])
    def forgotten(self, request, pk=None):
        """Neither loads its object nor knows of versions."""
        Person.objects.filter(pk=pk).update(days=F("days") + 1)
        return Response({})

    @action(detail=True, methods=["post"], if_match="optional")
    def loose(self, request, pk=None):
        person = self.get_object()
        person.days += 1
        person.save()
        return Response({})

    @action(detail=True, methods=["post"], if_match="optional")
    def apart(self, request, pk=None):
        return Response({})

    @action(detail=True, methods=["post"], if_match="report")
    def watched(self, request, pk=None):
        self.get_object().save()
        return Response({})

    @action(detail=True, methods=["post"])
    def shown(self, request, pk=None):
        self.get_object().save()
        return self.retrieve(request, pk=pk)

    @action(detail=True, methods=["post"])
    def patched(self, request, pk=None):
        return self.partial_update(request, pk=pk)

    @action(detail=True, methods=["post"])
    def cloned(self, request, pk=None):
        return self.create(request)

    @action(detail=True, methods=["post"])
    def twice(self, request, pk=None):
        first = self.get_object()
        first.save()
        second = self.get_object()
        assert first is not second
        second.save()
        return Response({"version": second.version})

    @action(detail=False, methods=["post"])
    def everybody(self, request):
        Person.objects.update(days=F("days") + 1)
        return Response({})


class DecidingViewSet(PersonViewSet):
    """By action, as for permissions."""

    def get_if_match(self):
        return "optional" if self.action == "destroy" else super().get_if_match()


class RewrittenViewSet(PersonViewSet):
    """Has handlers of its own, which call none of DRF's."""

    def update(self, request, pk=None, partial=False):
        Person.objects.filter(pk=pk).update(days=request.data["days"])
        return Response(PersonSerializer(Person.objects.get(pk=pk)).data)

    def destroy(self, request, pk=None):
        Person.objects.filter(pk=pk).delete()
        return Response(status=204)


class OtherSerializer(PersonSerializer):
    class Meta:
        model = Person
        fields = ("name",)


class TwoSerializersViewSet(PersonViewSet):
    def get_serializer_class(self):
        return PersonSerializer if self.action in ("retrieve", "list") else OtherSerializer


class ByMethodViewSet(PersonViewSet):
    def get_serializer_class(self):
        return PersonSerializer if self.request.method == "GET" else OtherSerializer


class TellingViewSet(PersonViewSet):
    conflict_includes_current = True


class MayNotRead(permissions.BasePermission):
    def has_object_permission(self, request, view, obj):
        return request.method not in permissions.SAFE_METHODS


class WriteOnlyViewSet(TellingViewSet):
    permission_classes = [MayNotRead]


class LockedTellingViewSet(TellingViewSet):
    permission_classes = [NotLocked]


class ScopedReadingViewSet(TellingViewSet):
    """Everybody may write to each row, as into a box; who may GET it, the queryset says."""

    def get_queryset(self):
        rows = super().get_queryset()
        return rows.exclude(name="a") if self.request.method in ("GET", "HEAD") else rows


class OwnQuerySetViewSet(TellingViewSet):
    """One that is made again each time, and is the same for each method."""

    def get_queryset(self):
        return Person.objects.select_related("team").filter(days__gte=0)


class CountedSerializer(serializers.ModelSerializer):
    people = serializers.IntegerField()

    class Meta:
        model = Team
        fields = ("id", "name", "people")


class CountedViewSet(VersionedModelViewSet):
    """Queryset and serializer by action, as DRF's documentation has it."""

    queryset = Team.objects.all()
    conflict_includes_current = True

    def get_queryset(self):
        rows = super().get_queryset()
        return rows.annotate(people=Count("person")) if self.action == "retrieve" else rows

    def get_serializer_class(self):
        return CountedSerializer if self.action == "retrieve" else TeamSerializer


class LoginViewSet(VersionedModelViewSet):
    queryset = Login.objects.all()

    class serializer_class(serializers.ModelSerializer):
        class Meta:
            model = Login
            fields = ("name", "data")


class TaggedSerializer(PersonSerializer):
    etag = ETagField()

    class Meta:
        model = Person
        fields = ("id", "name", "days", "etag")


class TaggedViewSet(PersonViewSet):
    serializer_class = TaggedSerializer


class OvertakenPermission(permissions.BasePermission):
    """Asked between the first load of a row and its lock."""

    def has_object_permission(self, request, view, obj):
        if request.method == "PATCH" and before_write:
            before_write.pop()()
        return True


class OvertakenViewSet(PersonViewSet):
    """Counts on from what it has loaded."""

    permission_classes = [OvertakenPermission]

    def perform_update(self, serializer):
        person = serializer.instance
        Person.objects.filter(pk=person.pk).update(days=person.days + 1)


class BulkViewSet(VersionedBulkUpdateMixin, TaggedViewSet):
    bulk_limit = 5


class BulkHookViewSet(BulkViewSet):
    def perform_update(self, serializer):
        values = serializer.validated_data
        Person.objects.filter(pk=serializer.instance.pk).update(**values)
        for name, value in values.items():
            setattr(serializer.instance, name, value)


class BulkTellingViewSet(BulkViewSet):
    conflict_includes_current = True


class BulkOptionalViewSet(BulkViewSet):
    if_match = "optional"


class BulkReportViewSet(BulkViewSet):
    if_match = "report"


class BulkScopedViewSet(BulkViewSet):
    queryset = Person.objects.exclude(name="b")


class BulkLockedViewSet(BulkViewSet):
    permission_classes = [NotLocked]


class BulkWriteOnlyViewSet(BulkTellingViewSet):
    permission_classes = [MayNotRead]


class BulkByActionViewSet(BulkViewSet):
    """As DRF's documentation chooses permissions."""

    closed = ""

    def get_permissions(self):
        return [Nobody()] if self.action == self.closed else super().get_permissions()


class BulkLoginViewSet(VersionedBulkUpdateMixin, VersionedModelViewSet):
    queryset = Login.objects.all()

    class serializer_class(serializers.ModelSerializer):
        etag = ETagField()

        class Meta:
            model = Login
            fields = ("id", "name", "etag")


class BulkFailingHookViewSet(BulkViewSet):
    def perform_update(self, serializer):
        serializer.save()
        Login.objects.create(name="taken")


class BulkRaisingHookViewSet(BulkViewSet):
    def perform_update(self, serializer):
        serializer.save()
        raise IntegrityError("own check")


class BulkNamedLoginViewSet(BulkLoginViewSet):
    lookup_field = "name"


class BulkHookedLoginViewSet(BulkLoginViewSet):
    def perform_update(self, serializer):
        serializer.save()


class BulkRestaurantViewSet(VersionedBulkUpdateMixin, VersionedModelViewSet):
    queryset = Restaurant.objects.order_by("pk")

    class serializer_class(serializers.ModelSerializer):
        etag = ETagField()

        class Meta:
            model = Restaurant
            fields = ("id", "name", "stars", "etag")


class BulkChapterViewSet(VersionedBulkUpdateMixin, VersionedModelViewSet):
    queryset = Chapter.objects.order_by("pk")

    class serializer_class(serializers.ModelSerializer):
        etag = ETagField()

        class Meta:
            model = Chapter
            fields = ("id", "pages", "sheets", "etag")


class Nobody(permissions.BasePermission):
    def has_permission(self, request, view):
        return False


class MayNotPost(permissions.BasePermission):
    def has_permission(self, request, view):
        return request.method != "POST"


class NotSeen(permissions.BasePermission):
    def has_object_permission(self, request, view, obj):
        raise Http404


class LoginSerializer(serializers.ModelSerializer):
    etag = ETagField()

    class Meta:
        model = Login
        fields = ("id", "name", "data", "etag")

    def validate_data(self, value):
        if value == "refuse":
            raise serializers.ValidationError("Refused.")
        for step in before_write:
            step()
        return value


class CreatingViewSet(VersionedModelViewSet):
    """By a name that clients choose."""

    allow_create = True
    queryset = Login.objects.all()
    serializer_class = LoginSerializer
    lookup_field = "name"


class OptionalCreatingViewSet(CreatingViewSet):
    if_match = "optional"


class NotPostingViewSet(CreatingViewSet):
    permission_classes = [MayNotPost]


class NotSeenViewSet(CreatingViewSet):
    permission_classes = [NotSeen]


class UnreadCreatingViewSet(CreatingViewSet):
    permission_classes = [MayNotRead]


class ScopedCreatingViewSet(CreatingViewSet):
    queryset = Login.objects.exclude(name="hidden")

    class serializer_class(serializers.ModelSerializer):
        class Meta:
            model = Login
            fields = ("data",)


class OwnObjectViewSet(CreatingViewSet):
    """Hides rows in ``get_object()``."""

    lookup_field = "pk"
    conflict_includes_current = True

    def get_object(self):
        return get_object_or_404(Login, pk=self.kwargs["pk"], team=None)


class ScopedLoginViewSet(CreatingViewSet):
    """Its serializer finds duplicates in the whole table, and a GET its own rows."""

    conflict_includes_current = True

    def get_queryset(self):
        rows = super().get_queryset()
        return rows.filter(team=None) if self.action in ("retrieve", "list") else rows


class ByKeyViewSet(PersonViewSet):
    allow_create = True


class UpsertingSerializer(LoginSerializer):
    class Meta(LoginSerializer.Meta):
        extra_kwargs = {"name": {"validators": []}}  # As DRF says for upserts.

    def create(self, validated_data):
        name = validated_data.pop("name")
        return Login.objects.update_or_create(name=name, defaults=validated_data)[0]


class UpsertingViewSet(CreatingViewSet):
    queryset = Login.objects.exclude(data="hidden")
    serializer_class = UpsertingSerializer


class OptionalUpsertingViewSet(UpsertingViewSet):
    if_match = "optional"


class QueryUpsertingSerializer(UpsertingSerializer):
    def create(self, validated_data):
        name, data = validated_data["name"], validated_data["data"]
        if not Login.objects.filter(name=name).update(data=data):
            Login.objects.create(name=name, data=data)
        return Login.objects.get(name=name)


class QueryUpsertingViewSet(UpsertingViewSet):
    serializer_class = QueryUpsertingSerializer


class OwnKeySerializer(serializers.ModelSerializer):
    """What makes its row unique is not in the content."""

    class Meta:
        model = Login
        fields = ("id", "data")

    def create(self, validated_data):
        Login.objects.filter(name="beside").update(data="counted")
        return Login.objects.update_or_create(name="mine", defaults=validated_data)[0]


class OwnKeyViewSet(VersionedModelViewSet):
    queryset = Login.objects.all()
    serializer_class = OwnKeySerializer


class OwnCreateViewSet(VersionedModelViewSet):
    """Has a ``create()`` of its own, which calls none of DRF's."""

    queryset = Login.objects.all()
    serializer_class = LoginSerializer
    lookup_field = "name"

    def create(self, request):
        name, data = request.data.get("name", "mine"), request.data["data"]
        Team.objects.create(name="written first")
        login, created = Login.objects.update_or_create(name=name, defaults={"data": data})
        return Response({"id": login.pk}, status=201 if created else 200)


class ExtendedCreateViewSet(CreatingViewSet):
    def create(self, request):
        response = super().create(request)
        response.data["more"] = True
        return response


class RestaurantViewSet(VersionedModelViewSet):
    """Its key is its parent's."""

    allow_create = True
    queryset = Restaurant.objects.all()

    class serializer_class(serializers.ModelSerializer):
        class Meta:
            model = Restaurant
            fields = ("id", "name", "stars")


class ProfileSerializer(serializers.ModelSerializer):
    class Meta:
        model = Profile
        fields = ("text",)


class ProfileViewSet(VersionedModelViewSet):
    """Its key is another's."""

    allow_create = True
    queryset = Profile.objects.all()
    serializer_class = ProfileSerializer


class NamedProfileSerializer(ProfileSerializer):
    class Meta:
        model = Profile
        fields = ("team", "text")
        extra_kwargs = {"team": {"validators": []}}


class NamedProfileViewSet(ProfileViewSet):
    serializer_class = NamedProfileSerializer


class ByActionPostingViewSet(CreatingViewSet):
    def get_permissions(self):
        return [MayNotPost()] if self.action == "create" else []


class LockingViewSet(PersonViewSet):
    """Locks its rows, as handlers in a transaction may."""

    def get_queryset(self):
        rows = super().get_queryset()
        if self.request.method == "GET":
            return rows
        # PostgreSQL locks no rows that a join may lack, and MariaDB knows no OF.
        return rows.select_related(None).select_for_update()

    @transaction.atomic
    def update(self, request, *args, **kwargs):
        return super().update(request, *args, **kwargs)

    @action(detail=True, methods=["post"])
    @transaction.atomic
    def work(self, request, pk=None):
        person = self.get_object()
        person.days += 1
        person.save()
        return Response({})


class TaggedOptionalViewSet(RewrittenViewSet):
    """Its own handlers load nothing."""

    if_match = "optional"
    serializer_class = TaggedSerializer

    @action(detail=True, methods=["post"])
    def work(self, request, pk=None):
        Person.objects.filter(pk=pk).update(days=request.data["days"])
        return Response({})


class TwiceViewSet(PersonViewSet):
    """Writes the new row again, past the instance."""

    def perform_create(self, serializer):
        serializer.save()
        Person.objects.filter(pk=serializer.instance.pk).update(days=5)


class ReportingViewSet(PersonViewSet):
    if_match = "report"


class TeamSerializer(serializers.ModelSerializer):
    class Meta:
        model = Team
        fields = ("name",)


class NestedSerializer(PersonSerializer):
    team = TeamSerializer()

    class Meta:
        model = Person
        fields = ("id", "name", "days", "team")

    def update(self, instance, validated_data):
        team = validated_data.pop("team", {})
        for name, value in team.items():
            setattr(instance.team, name, value)
        instance.team.save()
        for step in before_write:
            step()
        return super().update(instance, validated_data)


class NestedViewSet(PersonViewSet):
    serializer_class = NestedSerializer


class ChapterViewSet(VersionedModelViewSet):
    """Many-to-many, and a column that the database computes."""

    queryset = Chapter.objects.all()

    class serializer_class(serializers.ModelSerializer):
        class Meta:
            model = Chapter
            fields = ("id", "team", "pages", "sheets", "tagged")


class UploadSerializer(PersonSerializer):
    file = serializers.FileField(write_only=True)

    class Meta:
        model = Person
        fields = ("id", "name", "file")

    def update(self, instance, validated_data):
        validated_data["name"] = validated_data.pop("file").read().decode()
        return super().update(instance, validated_data)


class UploadViewSet(PersonViewSet):
    serializer_class = UploadSerializer


class ExtraViewSet(PersonViewSet):
    def perform_update(self, serializer):
        serializer.save(days=9)


def rename(person):
    """A service function, which knows nothing of requests."""
    Person.objects.filter(pk=person.pk).update(name="renamed")


class ServiceViewSet(PersonViewSet):
    def perform_update(self, serializer):
        serializer.save()
        rename(serializer.instance)


class RawViewSet(PersonViewSet):
    """Writes past the ORM, and moves the version as a trigger would."""

    def perform_update(self, serializer):
        serializer.save()
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE testapp_person SET days = 8, version = version + 1 WHERE id = %s",
                [serializer.instance.pk],
            )


class TriggeredViewSet(VersionedModelViewSet):
    """Its hooks write past the ORM, and a trigger moves the version."""

    queryset = Author.objects.all()

    class serializer_class(serializers.ModelSerializer):
        class Meta:
            model = Author
            fields = ("id", "name", "weight", "doubled", "biography")

    def perform_update(self, serializer):
        serializer.save()
        with connection.cursor() as cursor:
            table = connection.ops.quote_name("the order")
            key = serializer.instance.pk
            cursor.execute(f"UPDATE {table} SET weight = weight + 1 WHERE id = %s", [key])

    perform_create = perform_update


class SeeingSerializer(PersonSerializer):
    def validate(self, data):
        if self.instance.days > data["days"]:
            raise serializers.ValidationError("Only more.")
        return data


class SeeingViewSet(PersonViewSet):
    serializer_class = SeeingSerializer


router = SimpleRouter()
for prefix, viewset in {
    "people": PersonViewSet,
    "actions": ActionViewSet,
    "deciding": DecidingViewSet,
    "rewritten": RewrittenViewSet,
    "two-serializers": TwoSerializersViewSet,
    "locked-telling": LockedTellingViewSet,
    "scoped-reading": ScopedReadingViewSet,
    "own-object": OwnObjectViewSet,
    "scoped-logins": ScopedLoginViewSet,
    "own-query-set": OwnQuerySetViewSet,
    "counted": CountedViewSet,
    "by-method": ByMethodViewSet,
    "telling": TellingViewSet,
    "write-only": WriteOnlyViewSet,
    "logins": LoginViewSet,
    "tagged": TaggedViewSet,
    "creating": CreatingViewSet,
    "creating-optional": OptionalCreatingViewSet,
    "not-posting": NotPostingViewSet,
    "not-seen": NotSeenViewSet,
    "creating-unread": UnreadCreatingViewSet,
    "creating-scoped": ScopedCreatingViewSet,
    "by-key": ByKeyViewSet,
    "upserting": UpsertingViewSet,
    "upserting-optional": OptionalUpsertingViewSet,
    "query-upserting": QueryUpsertingViewSet,
    "own-key": OwnKeyViewSet,
    "own-create": OwnCreateViewSet,
    "extended-create": ExtendedCreateViewSet,
    "restaurants": RestaurantViewSet,
    "profiles": ProfileViewSet,
    "named-profiles": NamedProfileViewSet,
    "by-action-posting": ByActionPostingViewSet,
    "locking": LockingViewSet,
    "tagged-optional": TaggedOptionalViewSet,
    "twice": TwiceViewSet,
    "reporting": ReportingViewSet,
    "nested": NestedViewSet,
    "chapters": ChapterViewSet,
    "uploads": UploadViewSet,
    "extra": ExtraViewSet,
    "service": ServiceViewSet,
    "raw": RawViewSet,
    "triggered": TriggeredViewSet,
    "seeing": SeeingViewSet,
    "overtaken": OvertakenViewSet,
    "bulk": BulkViewSet,
    "bulk-hook": BulkHookViewSet,
    "bulk-telling": BulkTellingViewSet,
    "bulk-optional": BulkOptionalViewSet,
    "bulk-report": BulkReportViewSet,
    "bulk-scoped": BulkScopedViewSet,
    "bulk-locked": BulkLockedViewSet,
    "bulk-write-only": BulkWriteOnlyViewSet,
    "bulk-no-update": type("NoUpdate", (BulkByActionViewSet,), {"closed": "update"}),
    "bulk-no-partial_update": type("NoPatch", (BulkByActionViewSet,), {"closed": "partial_update"}),
    "bulk-logins": BulkLoginViewSet,
    "bulk-failing-hook": BulkFailingHookViewSet,
    "bulk-raising-hook": BulkRaisingHookViewSet,
    "bulk-named-logins": BulkNamedLoginViewSet,
    "bulk-hooked-logins": BulkHookedLoginViewSet,
    "bulk-restaurants": BulkRestaurantViewSet,
    "bulk-chapters": BulkChapterViewSet,
}.items():
    router.register(prefix, viewset, basename=prefix)


class RemovalView(VersionedDestroyMixin, generics.DestroyAPIView):
    """It shows nothing, and has no serializer."""

    queryset = Person.objects.all()


urlpatterns = [
    path("", include(router.urls)),
    path("removal/<int:pk>/", RemovalView.as_view()),
    path("bare/<int:pk>/", ActionViewSet.as_view({"post": "forgotten"})),
]
