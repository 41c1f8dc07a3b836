"""
DRF as it was: for clients that send no precondition, the mixins add headers alone.

One table of requests is sent to each viewset twice, without the mixin and with it.
"""

import json

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.management.color import no_style
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import include, path
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework import filters, generics, permissions, throttling, viewsets
from rest_framework.decorators import action
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser
from rest_framework.renderers import BrowsableAPIRenderer, JSONRenderer
from rest_framework.response import Response
from rest_framework.routers import DefaultRouter
from rest_framework.test import APIClient
from rest_framework.versioning import AcceptHeaderVersioning
from rest_framework_nested.routers import NestedSimpleRouter

from etag_versioning.rest_framework.mixins import VersionedViewSetMixin
from tests.rest_framework.list_views import Cursors, DoubledSerializer, Pages, Slices
from tests.rest_framework.list_views import PersonViewSet as FilteredViewSet
from tests.rest_framework.read_views import TeamSerializer
from tests.rest_framework.views import HiddenSerializer, OwnedByBoss, PersonSerializer
from tests.testapp.models import Hidden, Person, Team

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


class Optional(VersionedViewSetMixin):
    """Writes as before are without If-Match."""

    if_match = "optional"


class People(viewsets.ModelViewSet):
    queryset = Person.objects.select_related("team").order_by("id")
    serializer_class = PersonSerializer


class Filtered(People):
    queryset = FilteredViewSet.queryset
    serializer_class = DoubledSerializer
    filter_backends = [filters.SearchFilter, filters.OrderingFilter, DjangoFilterBackend]
    search_fields = ["name", "team__name"]
    ordering_fields = ["name", "days"]
    filterset_fields = ["days"]


class Paged(Filtered):
    pagination_class = Pages


class Sliced(Filtered):
    pagination_class = Slices


class Cut(People):
    pagination_class = Cursors


class Owned(People):
    permission_classes = [permissions.IsAuthenticated & OwnedByBoss]


class Modelled(People):
    permission_classes = [permissions.DjangoModelPermissionsOrAnonReadOnly]


class Once(throttling.SimpleRateThrottle):
    rate = "1/day"

    def get_cache_key(self, request, view):
        return f"{view.basename}-{request.method}-{request.path}"


class Throttled(People):
    throttle_classes = [Once]


class Acting(People):
    @action(detail=True, methods=["get", "delete"])
    def card(self, request, pk=None):
        return Response({"card": self.get_object().name})

    @action(detail=False)
    def names(self, request):
        return Response([person.name for person in self.filter_queryset(self.get_queryset())])

    def perform_create(self, serializer):
        serializer.save(name="from the hook")

    def perform_update(self, serializer):
        serializer.save(days=3)


class Narrow(People):
    parser_classes = [JSONParser]
    renderer_classes = [JSONRenderer]


class Wide(People):
    parser_classes = [JSONParser, FormParser, MultiPartParser]
    renderer_classes = [JSONRenderer, BrowsableAPIRenderer]
    versioning_class = AcceptHeaderVersioning


class Named(People):
    lookup_field = "name"
    lookup_value_regex = "[^/]+"


class Teams(viewsets.ModelViewSet):
    queryset = Team.objects.prefetch_related("person_set").order_by("id")
    serializer_class = TeamSerializer


class Members(People):
    def get_queryset(self):
        return super().get_queryset().filter(team=self.kwargs["team_pk"])


class Secret(viewsets.ModelViewSet):
    queryset = Hidden.objects.all()
    serializer_class = HiddenSerializer
    lookup_field = "uuid"


class Reading(viewsets.ReadOnlyModelViewSet):
    queryset = Person.objects.order_by("id")
    serializer_class = PersonSerializer


class ReadingView(generics.RetrieveUpdateDestroyAPIView):
    queryset = Person.objects.all()
    serializer_class = PersonSerializer


def versioned(view):
    return type(view.__name__, (Optional, view), {"__module__": __name__})


VIEWSETS = {
    "people": People,
    "filtered": Filtered,
    "paged": Paged,
    "sliced": Sliced,
    "cut": Cut,
    "owned": Owned,
    "modelled": Modelled,
    "throttled": Throttled,
    "acting": Acting,
    "narrow": Narrow,
    "wide": Wide,
    "named": Named,
    "teams": Teams,
    "secret": Secret,
}


def routes(twin):
    router = DefaultRouter()
    for prefix, viewset in VIEWSETS.items():
        router.register(prefix, twin(viewset), basename=prefix)
    members = NestedSimpleRouter(router, "teams", lookup="team")
    members.register("members", twin(Members), basename="members")
    return [
        path("", include(router.urls)),
        path("", include(members.urls)),
        path("reading/<int:pk>/", twin(ReadingView).as_view()),
    ]


urlpatterns = [
    path("plain/", include((routes(lambda view: view), "plain"))),
    path("mixed/", include((routes(versioned), "mixed"))),
]

JSON = {"format": "json"}
ROW = {"name": "new", "days": 4}
REQUESTS = [
    *(
        (method, address, *rest)
        for prefix in ("people", "filtered", "paged", "sliced", "cut", "modelled", "acting")
        for method, address, *rest in (
            ("get", f"{prefix}/"),
            ("get", f"{prefix}/1/"),
            ("head", f"{prefix}/"),
            ("head", f"{prefix}/1/"),
            ("options", f"{prefix}/1/"),
            ("get", f"{prefix}/9/"),
            ("get", f"{prefix}/x/"),
            ("post", f"{prefix}/", ROW, JSON),
            ("post", f"{prefix}/", {"days": "x"}, JSON),
            ("put", f"{prefix}/1/", ROW, JSON),
            ("put", f"{prefix}/1/", {}, JSON),
            ("put", f"{prefix}/9/", ROW, JSON),
            ("patch", f"{prefix}/1/", {"days": 9}, JSON),
            ("patch", f"{prefix}/1/", {"days": -1}, JSON),
            ("delete", f"{prefix}/1/"),
            ("delete", f"{prefix}/9/"),
            ("delete", f"{prefix}/"),
            ("trace", f"{prefix}/1/"),
        )
    ),
    ("get", ""),
    ("get", "people.json"),
    ("get", "people/1.json"),
    ("get", "people/1.xml"),
    ("get", "filtered/?search=b&ordering=-days"),
    ("get", "filtered/?days=1"),
    ("get", "filtered/?days=x"),
    ("get", "paged/?page=2&size=1"),
    ("get", "paged/?page=99"),
    ("get", "paged/?page=last&search=a"),
    ("get", "sliced/?limit=1&offset=1"),
    ("get", "cut/?cursor=cD0w"),
    ("get", "cut/?cursor=x"),
    ("get", "owned/"),
    ("get", "owned/1/"),
    ("get", "owned/2/"),
    ("patch", "owned/1/", {"days": 9}, JSON),
    ("patch", "owned/2/", {"days": 9}, JSON),
    ("delete", "owned/2/"),
    ("get", "acting/1/card/"),
    ("get", "acting/9/card/"),
    ("delete", "acting/1/card/"),
    ("post", "acting/1/card/"),
    ("get", "acting/names/"),
    ("post", "narrow/", ROW, {"format": "multipart"}),
    ("put", "narrow/1/", ROW, {"format": "multipart"}),
    ("get", "narrow/", None, {"headers": {"Accept": "text/html"}}),
    ("get", "narrow/1/", None, {"headers": {"Accept": "application/json; indent=4"}}),
    ("put", "wide/1/", ROW, {"format": "multipart"}),
    ("get", "wide/1/", None, {"headers": {"Accept": "text/html"}}),
    ("get", "wide/1/", None, {"headers": {"Accept": "application/json; version=2"}}),
    ("get", "wide/1/?format=api"),
    ("get", "wide/1/?format=none"),
    ("get", "named/b/"),
    ("patch", "named/b/", {"name": "renamed"}, JSON),
    ("get", "named/z/"),
    ("get", "teams/"),
    ("patch", "teams/1/", {"name": "renamed"}, JSON),
    ("get", "teams/1/members/"),
    ("get", "teams/1/members/1/"),
    ("get", "teams/2/members/1/"),
    ("post", "teams/1/members/", ROW, JSON),
    ("delete", "teams/1/members/1/"),
    ("get", "secret/"),
    ("post", "secret/", {"uuid": "00000000-0000-4000-8000-000000000001", "name": "x"}, JSON),
    ("get", "secret/x/"),
    ("get", "reading/1/"),
    ("head", "reading/1/"),
    ("put", "reading/1/", ROW, JSON),
    ("patch", "reading/1/", {"days": 2}, JSON),
    ("delete", "reading/1/"),
    ("post", "reading/1/", ROW, JSON),
]

# What the mixins may add.
ADDED = {"ETag", "Last-Modified", "Cache-Control", "Content-Location", "Location", "Vary"}


@pytest.fixture(params=["anonymous", "staff"])
def client(request):
    client = APIClient(raise_request_exception=False)
    if request.param == "staff":
        client.force_authenticate(User.objects.create_superuser("staff"))
    cache.clear()
    return client


@pytest.fixture
def _rows():
    for key, name in enumerate("tu", start=1):
        Team.objects.create(pk=key, name=name)
    for key, name in enumerate(["a", "b", "boss's"], start=1):
        Person.objects.create(pk=key, name=name, days=key, team_id=1)
    # Keys that were given leave PostgreSQL's sequences behind.
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), [Team, Person]):
            cursor.execute(statement)


def send(client, twin, method, address, data=None, options=None):
    """The answer; what was written is read, and taken back."""
    with transaction.atomic():
        with CaptureQueriesContext(connection) as queries:
            answer = getattr(client, method)(f"/{twin}/{address}", data, **(options or {}))
        content = answer.content.decode().replace(f"/{twin}/", "/")
        rows = list(Person.objects.values_list("name", "days", "version", "team").order_by("id"))
        transaction.set_rollback(True)
    return answer, content, rows, len(queries)


def without_keys(content):
    """The body without the keys of new rows, which a sequence never gives twice."""
    try:
        data = json.loads(content)
    except ValueError:
        return content
    if isinstance(data, dict):
        data.pop("id", None)
    return data


@pytest.mark.usefixtures("_rows")
@pytest.mark.parametrize("request_", REQUESTS, ids=lambda row: f"{row[0]} {row[1]}")
def test_only_headers_are_added(client, request_):
    method = request_[0]
    plain, body, rows, statements = send(client, "plain", *request_)
    found, found_body, found_rows, found_statements = send(client, "mixed", *request_)
    assert found.status_code == plain.status_code
    assert found_rows == rows
    if method in ("get", "head"):
        assert found_statements == statements
    html = "text/html" in plain.get("Content-Type", "")
    if method == "post":
        assert without_keys(found_body) == without_keys(body)
    elif not html:  # DRF's pages show the headers, too.
        assert found_body == body
    # A 204 has none from the mixins (RFC 9110 §8.6), whatever CommonMiddleware wants.
    no_length = html or method == "post" or found.status_code == 204
    varying = {"Content-Length"} if no_length else set()
    changed = {
        name
        for name in {*plain.headers, *found.headers} - varying
        if plain.get(name) != found.get(name)
    }
    assert changed <= ADDED
    assert not changed & set(plain.headers) - {"Location"}


@pytest.mark.usefixtures("_rows")
@pytest.mark.parametrize("method", ["get", "patch"])
@pytest.mark.parametrize("conditions", [{}, {"If-None-Match": "*"}, {"If-Match": "*"}])
def test_throttles_count_as_before(method, conditions):
    cache.clear()
    client = APIClient()
    for twin, status in (("plain", {200}), ("mixed", {200, 304, 412})):
        url = f"/{twin}/throttled/1/"
        answers = [getattr(client, method)(url, {"days": 9}, headers=conditions) for _ in range(2)]
        assert answers[0].status_code in status
        assert answers[1].status_code == 429
        assert "ETag" not in answers[1]
