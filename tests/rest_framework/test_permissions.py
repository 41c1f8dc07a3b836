"""
Who may not, learns nothing: whatever DRF refuses without preconditions is refused
with them, in the same way, and tells no tag (RFC 9110 §13.2.1).
"""

from itertools import product

import pytest
from django.contrib.auth.models import AnonymousUser, Permission, User
from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from rest_framework import permissions
from rest_framework.test import APIRequestFactory, force_authenticate
from rest_framework.viewsets import ModelViewSet

from etag_versioning.rest_framework.mixins import VersionedViewSetMixin
from tests.rest_framework.views import PersonSerializer
from tests.testapp.models import Person

pytestmark = pytest.mark.django_db


class OwnRow(permissions.BasePermission):
    """Looks at the object, and at nothing else."""

    def has_object_permission(self, request, view, obj):
        return obj.name == request.user.username


class Duck(permissions.BasePermission):
    """Its look is the instance's own."""

    def __init__(self):
        self.has_object_permission = lambda request, view, obj: obj.name == "nobody"


PERMISSIONS = {
    "AllowAny": permissions.AllowAny,
    "IsAuthenticated": permissions.IsAuthenticated,
    "IsAdminUser": permissions.IsAdminUser,
    "IsAuthenticatedOrReadOnly": permissions.IsAuthenticatedOrReadOnly,
    "DjangoModelPermissions": permissions.DjangoModelPermissions,
    "DjangoModelPermissionsOrAnonReadOnly": permissions.DjangoModelPermissionsOrAnonReadOnly,
    "DjangoObjectPermissions": permissions.DjangoObjectPermissions,
    "OwnRow": OwnRow,
    "Duck": Duck,
    "both": permissions.IsAuthenticated & OwnRow,
    "either": permissions.IsAdminUser | OwnRow,
    "neither": ~(permissions.IsAdminUser | OwnRow),
    "not": ~OwnRow,
    "not one of DRF's": ~permissions.IsAdminUser,
    "nested": permissions.IsAuthenticated & (permissions.IsAdminUser | ~OwnRow),
}
METHODS = {
    "get": "retrieve",
    "head": "retrieve",
    "put": "update",
    "patch": "partial_update",
    "delete": "destroy",
}
LIST_METHODS = {"get": "list", "head": "list", "post": "create"}
TAG = object()  # Stands for the row's true tag.
CONDITIONS = [
    {name: value for name, value in pair if value is not None}
    for pair in product(
        [("If-Match", value) for value in (None, TAG, "*", '"x"', "junk")],
        [("If-None-Match", value) for value in (None, TAG, "*", '"x"')],
    )
] + [
    {"If-Modified-Since": "Sun, 06 Nov 2094 08:49:37 GMT"},
    {"If-Unmodified-Since": "Sun, 06 Nov 2094 08:49:37 GMT"},
    {"If-Unmodified-Since": "Sun, 06 Nov 1994 08:49:37 GMT"},
]


class PlainViewSet(ModelViewSet):
    queryset = Person.objects.order_by("id")
    serializer_class = PersonSerializer


class VersionedViewSet(VersionedViewSetMixin, PlainViewSet):
    pass


@pytest.fixture
def person():
    return Person.objects.create(name="owner")


def permission_to_view(model):
    return Permission.objects.get_or_create(
        codename=f"view_{model._meta.model_name}",
        content_type=ContentType.objects.get_for_model(model),
    )[0]


@pytest.fixture
def users():
    reader = User.objects.create(username="reader")
    reader.user_permissions.add(permission_to_view(Person))
    return [
        AnonymousUser(),
        User.objects.create(username="somebody"),
        User.objects.create(username="owner"),
        reader,
        User.objects.create(username="chief", is_staff=True, is_superuser=True),
    ]


def answer(viewset, permission, actions, method, user, pk, headers):
    """What a viewset answers; what it writes is taken back."""
    request = getattr(APIRequestFactory(), method)(
        "/", {"name": "owner", "days": 1}, format="json", headers=headers
    )
    if user.is_authenticated:
        force_authenticate(request, user)
    view = viewset.as_view(actions, permission_classes=[permission])
    with transaction.atomic():
        found = view(request, pk=pk) if pk else view(request)
        transaction.set_rollback(True)
    return found


def walk(permission, actions, users, pk):
    """Hold every refusal against the same request with preconditions; how many there were."""
    everyone = permissions.AllowAny
    tag = answer(VersionedViewSet, everyone, actions, "get", users[-1], pk, {})["ETag"]
    refused = 0
    for method, user in product(actions, users):
        plain = answer(PlainViewSet, permission, actions, method, user, pk, {})
        if plain.status_code not in (401, 403, 404):
            continue
        refused += 1
        for conditions in CONDITIONS:
            headers = {key: tag if value is TAG else value for key, value in conditions.items()}
            found = answer(VersionedViewSet, permission, actions, method, user, pk, headers)
            assert found.status_code == plain.status_code
            assert found.data == plain.data
            assert not {"ETag", "Last-Modified"} & set(found.headers)
    return refused


@pytest.mark.parametrize("name", PERMISSIONS)
def test_a_refused_request_to_a_row_has_no_tag_and_writes_nothing(person, users, name):
    refused = walk(PERMISSIONS[name], METHODS, users, person.pk)
    assert (refused > 0) is (name != "AllowAny")
    assert Person.objects.get().version == person.version


@pytest.mark.parametrize("name", PERMISSIONS)
def test_a_refused_request_to_a_list_has_no_tag(person, users, name):
    # What looks at objects alone refuses no list.
    free = ("AllowAny", "OwnRow", "Duck", "either")
    assert (walk(PERMISSIONS[name], LIST_METHODS, users, None) > 0) is (name not in free)


@pytest.mark.parametrize(
    ("name", "loads"), [("IsAuthenticated", False), ("both", True), ("either", True)]
)
def test_an_object_is_loaded_for_those_alone_that_look_at_it(person, users, name, loads):
    (owner,) = [user for user in users if user.username == "owner"]
    headers = {"If-None-Match": "*"}
    with CaptureQueriesContext(connection) as queries:
        found = answer(
            VersionedViewSet, PERMISSIONS[name], METHODS, "get", owner, person.pk, headers
        )
    assert found.status_code == 304
    (select,) = [query["sql"] for query in queries if query["sql"].startswith("SELECT")]
    assert ('"name"' in select.replace("`", '"')) is loads
