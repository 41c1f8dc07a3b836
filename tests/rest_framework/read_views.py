"""Views that are read in all the ways that DRF knows."""

from django.db.models import Count, F
from django.urls import include, path
from rest_framework import generics, mixins, permissions, serializers, viewsets
from rest_framework.decorators import action, api_view
from rest_framework.exceptions import PermissionDenied
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter
from rest_framework.views import APIView
from rest_framework_nested.routers import NestedSimpleRouter

from etag_versioning.decorators import versioned_condition
from etag_versioning.rest_framework.decorators import versioned_read
from etag_versioning.rest_framework.mixins import (
    VersionedAPIViewMixin,
    VersionedListMixin,
    VersionedRetrieveMixin,
    VersionedViewSetMixin,
)
from etag_versioning.rest_framework.viewsets import VersionedModelViewSet
from tests.rest_framework.views import OwnedByBoss, PersonSerializer, PersonViewSet
from tests.testapp.models import Hidden, Person, Team

# What the handlers that tests count have answered.
handled = []


class TeamSerializer(serializers.ModelSerializer):
    people = serializers.IntegerField(read_only=True, default=None)

    class Meta:
        model = Team
        fields = ("id", "name", "people")


class AnnotatedViewSet(VersionedModelViewSet):
    queryset = Team.objects.annotate(people=Count("person")).order_by("id")
    serializer_class = TeamSerializer


class AnnotatingFilterViewSet(VersionedModelViewSet):
    """The annotation comes with a filter, and not with the queryset."""

    queryset = Team.objects.order_by("id")
    serializer_class = TeamSerializer

    def filter_queryset(self, queryset):
        return queryset.annotate(people=Count("person"))


class AnnotatedObjectViewSet(AnnotatedViewSet):
    """The object is loaded, and given something to show, by a way of the view's own."""

    def get_object(self):
        team = Team.objects.get(pk=self.kwargs["pk"])
        team.people = team.person_set.count()
        return team


class AliasViewSet(VersionedModelViewSet):
    queryset = Team.objects.alias(people=Count("person")).filter(people__gte=0).order_by("id")
    serializer_class = TeamSerializer


class LateViewSet(PersonViewSet):
    """Refuses, once it has seen the answer."""

    def retrieve(self, request, *args, **kwargs):
        response = super().retrieve(request, *args, **kwargs)
        handled.append(response.data["name"])
        if response.data["name"] == "secret":
            raise PermissionDenied
        response["Expires"] = "0"
        response.set_cookie("seen", "1")
        return response

    def list(self, request, *args, **kwargs):
        response = super().list(request, *args, **kwargs)
        if any(item["name"] == "secret" for item in response.data):
            raise PermissionDenied
        return response


class RefusingMixin(mixins.RetrieveModelMixin, mixins.ListModelMixin):
    """As LateViewSet, from behind."""

    def retrieve(self, request, *args, **kwargs):
        if self.get_object().name == "secret":
            raise PermissionDenied
        return super().retrieve(request, *args, **kwargs)

    def list(self, request, *args, **kwargs):
        if Person.objects.filter(name="secret").exists():
            raise PermissionDenied
        return super().list(request, *args, **kwargs)


class BehindViewSet(VersionedViewSetMixin, RefusingMixin, viewsets.ModelViewSet):
    queryset = Person.objects.order_by("id")
    serializer_class = PersonSerializer


class FarBehindViewSet(
    VersionedRetrieveMixin, VersionedListMixin, RefusingMixin, viewsets.ModelViewSet
):
    """In Python's order, the one above comes before the package's methods; this after."""

    queryset = Person.objects.order_by("id")
    serializer_class = PersonSerializer


class AroundView(VersionedRetrieveMixin, generics.RetrieveAPIView):
    """As LateViewSet, in the handler of the method."""

    queryset = Person.objects.all()
    serializer_class = PersonSerializer

    def get(self, request, *args, **kwargs):
        response = self.retrieve(request, *args, **kwargs)
        if response.data["name"] == "secret":
            raise PermissionDenied
        return response


class InsideView(VersionedRetrieveMixin, generics.RetrieveAPIView):
    """As LateViewSet, below the handler of the method."""

    queryset = Person.objects.all()
    serializer_class = PersonSerializer

    def retrieve(self, request, *args, **kwargs):
        response = super().retrieve(request, *args, **kwargs)
        if response.data["name"] == "secret":
            raise PermissionDenied
        return response


class AnsweringViewSet(PersonViewSet):
    """Reads with other methods than GET."""

    def update(self, request, *args, **kwargs):
        super().update(request, *args, **kwargs)
        return self.retrieve(request, *args, **kwargs)


class EnvelopeViewSet(PersonViewSet):
    def finalize_response(self, request, response, *args, **kwargs):
        response.data = {"data": response.data}
        return super().finalize_response(request, response, *args, **kwargs)


class CheckingViewSet(PersonViewSet):
    def check_object_permissions(self, request, obj):
        if obj.name == "secret":
            raise PermissionDenied


class LoadingViewSet(PersonViewSet):
    def get_object(self):
        person = super().get_object()
        if person.name == "secret":
            raise PermissionDenied
        return person


class OwnTagViewSet(PersonViewSet):
    def retrieve(self, request, *args, **kwargs):
        response = super().retrieve(request, *args, **kwargs)
        response["ETag"] = '"own"'
        return response


class GenericView(VersionedRetrieveMixin, generics.RetrieveAPIView):
    """By a field and an argument of its own."""

    queryset = Hidden.objects.all()
    lookup_field = "uuid"
    lookup_url_kwarg = "which"

    class serializer_class(serializers.ModelSerializer):
        class Meta:
            model = Hidden
            fields = ("uuid", "name")


class SlugViewSet(PersonViewSet):
    lookup_field = "name"


class SpanningViewSet(PersonViewSet):
    lookup_field = "team__name"


class MineViewSet(PersonViewSet):
    """Each user sees what is named after them."""

    def get_queryset(self):
        return super().get_queryset().filter(name=self.request.META.get("HTTP_X_USER", ""))


class MembersViewSet(PersonViewSet):
    def get_queryset(self):
        return super().get_queryset().filter(team=self.kwargs["team_pk"])


class ActionViewSet(PersonViewSet):
    @action(detail=True, methods=["get", "post"])
    @versioned_read
    def summary(self, request, pk=None):
        person = self.get_object()
        handled.append(person.name)
        return Response({"summary": person.name})

    @versioned_read
    @action(detail=True, url_path="other")
    def below(self, request, pk=None):
        return Response({"other": self.get_object().name})

    @action(detail=True)
    def plain(self, request, pk=None):
        return Response({"plain": self.get_object().name})

    @action(detail=True, permission_classes=[OwnedByBoss])
    @versioned_read
    def owned(self, request, pk=None):
        return Response({"owned": self.get_object().name})

    @versioned_read
    def retrieve(self, request, *args, **kwargs):
        handled.append("retrieve")
        return super().retrieve(request, *args, **kwargs)


class NamingView(VersionedAPIViewMixin, APIView):
    """Shows a row without loading it."""

    def get_versioned_queryset(self):
        return Person.objects.filter(pk=self.kwargs["pk"])

    @versioned_read
    def get(self, request, pk):
        handled.append(pk)
        return Response({"days": Person.objects.values_list("days", flat=True).get(pk=pk)})


class OwnLoadingView(NamingView):
    def get_object(self):
        person = super().get_object()
        if person.name != "boss's":
            raise PermissionDenied
        return person


class OwnedNamingView(NamingView):
    permission_classes = [OwnedByBoss]


class NamingViewSet(VersionedAPIViewMixin, viewsets.ViewSet):
    def get_versioned_queryset(self):
        return Person.objects.filter(pk=self.kwargs["pk"])

    @versioned_read
    def retrieve(self, request, pk=None):
        return Response({"name": self.get_object().name})


class NamelessView(VersionedAPIViewMixin, APIView):
    @versioned_read
    def get(self, request, pk):
        return Response({})


class Refused(permissions.BasePermission):
    def has_permission(self, request, view):
        return request.META.get("HTTP_X_USER") == "boss"


@api_view(["GET", "HEAD", "PUT"])
@versioned_condition(Person, lookup_url_kwarg="pk")
def function(request, pk):
    person = Person.objects.get(pk=pk)
    if request.method == "PUT":
        person.name = request.data["name"]
        person.save()
    return Response({"name": person.name})


@api_view(["GET", "HEAD", "PUT"])
@versioned_condition(Person, lookup_url_kwarg="pk")
def guarded_function(request, pk):
    return function.__wrapped__(request, pk)


guarded_function.cls.permission_classes = [Refused]


class LineRenderer(BaseRenderer):
    media_type = "text/x-line"
    format = "line"

    def render(self, data, accepted_media_type=None, renderer_context=None):
        return repr(data).encode()


class VendorRenderer(JSONRenderer):
    """Has the format of another."""

    media_type = "application/vnd.people+json"

    def render(self, data, accepted_media_type=None, renderer_context=None):
        return b"{}"


class RenderedViewSet(PersonViewSet):
    renderer_classes = [JSONRenderer, LineRenderer, VendorRenderer]


class DaysViewSet(PersonViewSet):
    queryset = Person.objects.annotate(doubled=F("days") * 2).order_by("id")


router = SimpleRouter()
for prefix, viewset in {
    "people": PersonViewSet,
    "annotated": AnnotatedViewSet,
    "annotating-filter": AnnotatingFilterViewSet,
    "annotated-object": AnnotatedObjectViewSet,
    "alias": AliasViewSet,
    "late": LateViewSet,
    "behind": BehindViewSet,
    "far-behind": FarBehindViewSet,
    "answering": AnsweringViewSet,
    "envelope": EnvelopeViewSet,
    "checking": CheckingViewSet,
    "loading": LoadingViewSet,
    "own-tag": OwnTagViewSet,
    "slug": SlugViewSet,
    "spanning": SpanningViewSet,
    "mine": MineViewSet,
    "actions": ActionViewSet,
    "rendered": RenderedViewSet,
    "days": DaysViewSet,
    "naming-set": NamingViewSet,
}.items():
    router.register(prefix, viewset, basename=prefix)
router.register("teams", AnnotatedViewSet, basename="teams")
members = NestedSimpleRouter(router, "teams", lookup="team")
members.register("members", MembersViewSet, basename="members")

urlpatterns = [
    path("", include(router.urls)),
    path("", include(members.urls)),
    path("search/", PersonViewSet.as_view({"post": "list"})),
    path("around/<int:pk>/", AroundView.as_view()),
    path("inside/<int:pk>/", InsideView.as_view()),
    path("generic/<uuid:which>/", GenericView.as_view()),
    path("naming/<pk>/", NamingView.as_view()),
    path("owned-naming/<pk>/", OwnedNamingView.as_view()),
    path("own-loading/<pk>/", OwnLoadingView.as_view()),
    path("nameless/<pk>/", NamelessView.as_view()),
    path("function/<int:pk>/", function),
    path("guarded-function/<int:pk>/", guarded_function),
]
