"""What is committed is told as success, and what is rolled back is not."""

from contextlib import suppress

import pytest
from django.db import IntegrityError, transaction
from django.http import Http404, HttpResponse, JsonResponse
from django.urls import include, path
from rest_framework import generics
from rest_framework.decorators import action
from rest_framework.permissions import BasePermission
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter
from rest_framework.test import APIClient
from rest_framework.views import APIView

from etag_versioning.exceptions import StaleWriteError
from etag_versioning.rest_framework.bulk import VersionedBulkUpdateMixin
from etag_versioning.rest_framework.mixins import VersionedAPIViewMixin, VersionedViewSetMixin
from etag_versioning.rest_framework.viewsets import VersionedModelViewSet
from tests.rest_framework.views import PersonSerializer
from tests.rest_framework.write_views import TaggedSerializer
from tests.testapp.models import Login, Person

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.urls("tests.rest_framework.test_after_commit"),
]


class PersonViewSet(VersionedModelViewSet):
    queryset = Person.objects.all()
    serializer_class = PersonSerializer


class SwallowingViewSet(PersonViewSet):
    def perform_update(self, serializer):
        serializer.save()
        with suppress(IntegrityError):
            Login.objects.create(name="taken")

    perform_create = perform_update

    @action(detail=True, methods=["post"])
    def work(self, request, pk=None):
        serializer = self.get_serializer(self.get_object(), data={"name": "b"}, partial=True)
        serializer.is_valid(raise_exception=True)
        self.perform_update(serializer)
        return Response({})

    @action(detail=True, methods=["post"])
    def durable(self, request, pk=None):
        with transaction.atomic(durable=True):
            return Response({})


class BulkSwallowingViewSet(VersionedBulkUpdateMixin, SwallowingViewSet):
    serializer_class = TaggedSerializer


class BulkCreateSwallowingViewSet(SwallowingViewSet):
    """Django raises this error from a block without a savepoint, which two batches have."""

    def perform_update(self, serializer):
        serializer.save()
        with suppress(IntegrityError):
            Login.objects.bulk_create([Login(name="free"), Login(name="taken")], batch_size=1)

    perform_create = perform_update


class DryRunViewSet(SwallowingViewSet):
    def perform_update(self, serializer):
        serializer.save()
        transaction.set_rollback(True)

    perform_create = perform_update


class BulkDryRunViewSet(VersionedBulkUpdateMixin, DryRunViewSet):
    serializer_class = TaggedSerializer


class SavepointViewSet(SwallowingViewSet):
    """Does what the error says."""

    def perform_update(self, serializer):
        serializer.save()
        with suppress(IntegrityError), transaction.atomic():
            Login.objects.create(name="taken")

    perform_create = perform_update


class DurableViewSet(VersionedBulkUpdateMixin, PersonViewSet):
    serializer_class = TaggedSerializer

    def perform_update(self, serializer):
        with transaction.atomic(durable=True):
            serializer.save()

    perform_create = perform_update

    def perform_destroy(self, instance):
        with transaction.atomic(durable=True):
            instance.delete()


class CallbackViewSet(VersionedBulkUpdateMixin, PersonViewSet):
    serializer_class = TaggedSerializer

    def perform_update(self, serializer):
        serializer.save()

        def fail():
            raise StaleWriteError(Person, serializer.instance.pk, "default")

        transaction.on_commit(fail)

    perform_create = perform_update

    @action(detail=True, methods=["post"])
    def work(self, request, pk=None):
        serializer = self.get_serializer(self.get_object(), data={"name": "b"}, partial=True)
        serializer.is_valid(raise_exception=True)
        self.perform_update(serializer)
        return Response({})


class PlainAnswerViewSet(PersonViewSet):
    answer = JsonResponse

    def update(self, request, *args, **kwargs):
        person = self.get_object()
        person.name = "b"
        person.save()
        return self.answer({}) if self.answer is JsonResponse else self.answer("done")


class TermsViewSet(PersonViewSet):
    def get_etag_extra(self):
        if self.request.method == "PATCH" and Person.objects.filter(name="b").exists():
            raise ValueError("no terms")
        return []


class RefusingViewSet(PersonViewSet):
    conflict_includes_current = True

    def retrieve(self, request, *args, **kwargs):
        if self.get_object().name == "secret":
            return Response(status=404)
        return Response({"shown": True})


class BulkRefusingViewSet(VersionedBulkUpdateMixin, PersonViewSet):
    serializer_class = TaggedSerializer

    def retrieve(self, request, *args, **kwargs):
        if self.get_object().name == "secret":
            return Response(status=404)
        return super().retrieve(request, *args, **kwargs)


class BulkOwnObjectViewSet(VersionedBulkUpdateMixin, PersonViewSet):
    serializer_class = TaggedSerializer

    def get_object(self):
        person = super().get_object()
        if person.name == "secret":
            raise Http404
        return person


class HidesSecrets(BasePermission):
    def has_object_permission(self, request, view, obj):
        if obj.name == "secret":
            raise Http404
        return True


class HidingViewSet(PersonViewSet):
    allow_create = True
    permission_classes = [HidesSecrets]


class OwnMethodsView(VersionedAPIViewMixin, APIView):
    def get_versioned_queryset(self):
        return Person.objects.filter(pk=self.kwargs["pk"])

    def put(self, request, pk):
        person = self.get_object()
        person.name = "b"
        person.save()
        return Response({})

    post = patch = put

    def delete(self, request, pk):
        self.get_object().delete()
        return Response(status=204)


class OwnMethodsGenericView(VersionedViewSetMixin, generics.GenericAPIView):
    queryset = Person.objects.all()
    serializer_class = PersonSerializer
    put = post = patch = OwnMethodsView.put
    delete = OwnMethodsView.delete


class ListCreateView(VersionedViewSetMixin, generics.ListCreateAPIView):
    queryset = Person.objects.all()
    serializer_class = PersonSerializer


router = SimpleRouter()
router.register("swallowing", SwallowingViewSet, "swallowing")
router.register("bulk-swallowing", BulkSwallowingViewSet, "bulk-swallowing")
router.register("bulk-create-swallowing", BulkCreateSwallowingViewSet, "bulk-create-swallowing")
router.register("dry", DryRunViewSet, "dry")
router.register("bulk-dry", BulkDryRunViewSet, "bulk-dry")
router.register("savepoint", SavepointViewSet, "savepoint")
router.register("durable", DurableViewSet, "durable")
router.register("callback", CallbackViewSet, "callback")
router.register("plain", PlainAnswerViewSet, "plain")
router.register(
    "text", type("TextViewSet", (PlainAnswerViewSet,), {"answer": HttpResponse}), "text"
)
router.register("terms", TermsViewSet, "terms")
router.register("bulk-refusing", BulkRefusingViewSet, "bulk-refusing")
router.register("bulk-own-object", BulkOwnObjectViewSet, "bulk-own-object")
router.register("hiding", HidingViewSet, "hiding")
router.register("refusing", RefusingViewSet, "refusing")
urlpatterns = [
    path("", include(router.urls)),
    path("own/<int:pk>/", OwnMethodsView.as_view()),
    path("own-generic/<int:pk>/", OwnMethodsGenericView.as_view()),
    path("list-create/", ListCreateView.as_view()),
]


@pytest.fixture
def client():
    return APIClient(raise_request_exception=False)


@pytest.fixture
def person():
    return Person.objects.create(name="a")


def write(client, kind, person, way):
    """A write of the name "b", in one of the ways that a viewset has."""
    url = f"/{kind}/{person.pk}/"
    tag = client.get(url)["ETag"]
    headers, content = {"If-Match": tag}, {"name": "b", "days": 1}
    if way == "bulk":
        items = [{"id": person.pk, "etag": tag, **content}]
        return client.patch(f"/{kind}/", items, format="json")
    if way == "action":
        return client.post(url + "work/", content, headers=headers)
    if way == "create":
        return client.post(f"/{kind}/", content)
    return getattr(client, way)(url, content, headers=headers)


@pytest.mark.parametrize(
    ("kind", "way"),
    [
        ("swallowing", "put"),
        ("swallowing", "patch"),
        ("swallowing", "action"),
        ("swallowing", "create"),
        ("bulk-swallowing", "bulk"),
        ("bulk-create-swallowing", "put"),
        ("bulk-create-swallowing", "action"),
        ("bulk-create-swallowing", "create"),
    ],
)
def test_a_swallowed_integrity_error_is_no_success(client, person, kind, way):
    Login.objects.create(name="taken")
    assert write(client, kind, person, way).status_code == 500
    assert list(Person.objects.values_list("name", flat=True)) == ["a"]


@pytest.mark.parametrize(
    ("kind", "way"),
    [("dry", "put"), ("dry", "patch"), ("dry", "action"), ("dry", "create"), ("bulk-dry", "bulk")],
)
def test_a_dry_run_answers_as_the_view_does_and_writes_nothing(client, person, kind, way):
    answer = write(client, kind, person, way)
    assert answer.status_code == (201 if way == "create" else 200)
    assert "ETag" not in answer
    assert "Location" not in answer
    assert Person.objects.values_list("name", "version").get() == ("a", 1)


@pytest.mark.parametrize("way", ["put", "patch", "action", "create"])
def test_an_integrity_error_in_a_savepoint_may_be_swallowed(client, person, way):
    Login.objects.create(name="taken")
    assert write(client, "savepoint", person, way).status_code in (200, 201)
    assert Person.objects.filter(name="b").exists()


@pytest.mark.parametrize("way", ["put", "patch", "delete", "create", "bulk"])
def test_a_durable_block_in_a_hook_names_the_mended_code(person, way):
    with pytest.raises(RuntimeError, match=r"Write: with transaction\.atomic\(\)"):
        write(APIClient(), "durable", person, way)
    assert Person.objects.get().name == "a"


@pytest.mark.parametrize("way", ["put", "patch", "action", "create", "bulk"])
def test_an_error_in_a_commit_callback_leaves_what_was_written(client, person, way):
    answer = write(client, "callback", person, way)
    assert answer.status_code == 500
    assert Person.objects.filter(name="b").exists()


def test_a_durable_block_in_a_guarded_handler_names_the_mended_code(person):
    url = f"/swallowing/{person.pk}/"
    tag = APIClient().get(url)["ETag"]
    with pytest.raises(RuntimeError, match="A guarded handler runs in a transaction"):
        APIClient().post(url + "durable/", headers={"If-Match": tag})


@pytest.mark.parametrize("kind", ["plain", "text"])
def test_an_own_update_may_return_any_response(client, person, kind):
    url = f"/{kind}/{person.pk}/"
    tag = client.get(url)["ETag"]
    answer = client.put(url, {"name": "b"}, headers={"If-Match": tag})
    assert answer.status_code == 200
    assert "Content-Location" not in answer
    again = client.put(url, {"name": "b"}, headers={"If-Match": answer["ETag"]})
    assert again.status_code == 200


def test_a_tag_that_cannot_be_made_after_the_write_is_left_out(client, person):
    url = f"/terms/{person.pk}/"
    tag = client.get(url)["ETag"]
    answer = client.patch(url, {"name": "b"}, headers={"If-Match": tag})
    assert answer.status_code == 200
    assert "ETag" not in answer


def test_a_412_shows_what_the_views_own_retrieve_returns(client, person):
    answer = client.patch(f"/refusing/{person.pk}/", {}, headers={"If-Match": '"stale"'})
    assert answer.status_code == 412
    assert answer.json()["current"] == {"shown": True}


def test_a_412_shows_nothing_that_the_views_own_retrieve_refuses(client):
    person = Person.objects.create(name="secret")
    answer = client.patch(f"/refusing/{person.pk}/", {}, headers={"If-Match": '"stale"'})
    assert answer.status_code == 412
    assert "ETag" not in answer
    assert not {"current", "current_etag"} & answer.json().keys()


@pytest.mark.parametrize("kind", ["own", "own-generic"])
@pytest.mark.parametrize("method", ["put", "patch", "post", "delete"])
def test_an_own_method_without_if_match_is_428(client, person, kind, method):
    url = f"/{kind}/{person.pk}/"
    assert getattr(client, method)(url).status_code == 428
    answer = getattr(client, method)(url, headers={"If-Match": '"stale"'})
    assert answer.status_code == 412
    answer = getattr(client, method)(url, headers={"If-Match": answer["ETag"]})
    assert answer.status_code in (200, 204)


def test_the_mixins_compose_with_list_create_api_view(client, person):
    assert client.get("/list-create/").status_code == 200
    assert client.post("/list-create/", {"name": "b", "days": 1}).status_code == 201


@pytest.mark.parametrize("kind", ["bulk-refusing", "bulk-own-object"])
def test_a_row_that_get_says_is_absent_is_404_in_bulk(client, kind):
    secret = Person.objects.create(name="secret")
    items = [{"id": secret.pk, "etag": "*", "name": "overwritten"}]
    answer = client.patch(f"/{kind}/", items, format="json")
    assert answer.status_code == 404
    secret.refresh_from_db()
    assert secret.name == "secret"


@pytest.mark.parametrize("kind", ["bulk-refusing", "bulk-own-object"])
def test_a_row_that_get_shows_is_written_in_bulk(client, person, kind):
    tag = client.get(f"/{kind}/{person.pk}/").json()["etag"]
    items = [{"id": person.pk, "etag": tag, "name": "b"}]
    assert client.patch(f"/{kind}/", items, format="json").status_code == 200


@pytest.mark.parametrize(
    "headers", [{}, {"If-Match": '"x"'}, {"If-Match": "*"}], ids=["none", "a tag", "any"]
)
def test_a_row_that_a_permission_hides_is_not_told_from_an_absent_one(client, headers):
    secret = Person.objects.create(name="secret")
    answers = [
        client.put(f"/hiding/{pk}/", {"name": "b", "days": 1}, headers=headers)
        for pk in (secret.pk, secret.pk + 1)
    ]
    assert answers[0].status_code == answers[1].status_code
    assert answers[0].json() == answers[1].json()


def test_create_only_of_a_row_that_a_permission_hides_is_404_as_if_the_queryset_hid_it(client):
    secret = Person.objects.create(name="secret")
    answer = client.put(
        f"/hiding/{secret.pk}/", {"name": "b", "days": 1}, headers={"If-None-Match": "*"}
    )
    assert answer.status_code == 404
    secret.refresh_from_db()
    assert secret.name == "secret"
