"""Viewsets that are made of coroutines."""

import asyncio
import uuid

import pytest
from asgiref.sync import sync_to_async
from django.db import connection, transaction
from django.test import AsyncClient
from django.test.utils import CaptureQueriesContext
from django.urls import include, path
from rest_framework import permissions, serializers
from rest_framework.decorators import action
from rest_framework.filters import SearchFilter
from rest_framework.pagination import PageNumberPagination
from rest_framework.response import Response

pytest.importorskip("adrf", reason="adrf is not installed")

from adrf import generics
from adrf.routers import SimpleRouter
from adrf.serializers import ModelSerializer
from adrf.viewsets import ModelViewSet

from etag_versioning.rest_framework.adrf import (
    AsyncVersionedRetrieveMixin,
    AsyncVersionedUpdateMixin,
    AsyncVersionedViewSetMixin,
)
from etag_versioning.rest_framework.fields import ETagField
from etag_versioning.rest_framework.mixins import VersionedViewSetMixin
from etag_versioning.rest_framework.versioning import Versioning
from tests.testapp.models import Book, Hidden, Leaf, Person

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.urls(__name__),
    pytest.mark.usefixtures("close_connections"),
]


class PersonSerializer(ModelSerializer):
    class Meta:
        model = Person
        fields = ("id", "name", "days")


class Pages(PageNumberPagination):
    page_size = 2


class PersonViewSet(AsyncVersionedViewSetMixin, ModelViewSet):
    queryset = Person.objects.order_by("id")
    serializer_class = PersonSerializer
    pagination_class = Pages
    filter_backends = (SearchFilter,)
    search_fields = ("name",)

    @action(detail=True, methods=["post"])
    async def work(self, request, pk=None):
        person = await self.aget_object()
        person.days += request.data["days"]
        await person.asave()
        return Response({"days": person.days})

    @action(detail=True, methods=["post"])
    async def forgotten(self, request, pk=None):
        await Person.objects.filter(pk=pk).aupdate(days=request.data["days"])
        return Response({})

    @action(detail=True, methods=["post"])
    async def undone(self, request, pk=None):
        await sync_to_async(self.write_and_roll_back)(await self.aget_object())
        return Response({})

    def write_and_roll_back(self, person):
        with transaction.atomic():
            person.save()
            transaction.set_rollback(True)

    @action(detail=True, methods=["post"], if_match="optional")
    async def remind(self, request, pk=None):
        return Response({})


class PassingViewSet(PersonViewSet):
    async def aretrieve(self, request, *args, **kwargs):
        """A method that is there for its documentation."""
        return await super().aretrieve(request, *args, **kwargs)

    async def alist(self, request):
        return await super().alist(request)


class SyncMixinsViewSet(VersionedViewSetMixin, ModelViewSet):
    queryset = Person.objects.order_by("id")
    serializer_class = PersonSerializer

    @action(detail=True)
    async def team(self, request, pk=None):
        return Response({"people": await Person.objects.acount()})


class OwnReadsViewSet(PersonViewSet):
    async def aretrieve(self, request, *args, **kwargs):
        person = await self.aget_object()
        return Response({"name": person.name, "people": await Person.objects.acount()})

    async def alist(self, request, *args, **kwargs):
        return Response({"people": await Person.objects.acount()})

    @action(detail=True)
    async def team(self, request, pk=None):
        person = await self.aget_object()
        return Response({"people": await Person.objects.acount(), "of": person.name})


class NotForBob(permissions.BasePermission):
    def has_object_permission(self, request, view, obj):
        return obj.name != "bob"


class AsyncNotForBob(permissions.BasePermission):
    async def has_object_permission(self, request, view, obj):
        return obj.name != "bob"


class PermittedViewSet(PersonViewSet):
    permission_classes = (NotForBob,)


class AsyncPermittedViewSet(PersonViewSet):
    permission_classes = (AsyncNotForBob,)


class OwnHooksViewSet(PersonViewSet):
    """Everything is somebody else's, and counted."""

    conflict_includes_current = True

    async def perform_aupdate(self, serializer):
        await serializer.asave(days=99)

    async def perform_adestroy(self, instance):
        instance.name = "deleted"
        await instance.asave()


class ListViewSet(PersonViewSet):
    pagination_class = None


class TotalPages(PageNumberPagination):
    page_size = 2

    def get_paginated_response(self, data):
        headers = {"X-Total-Count": str(self.page.paginator.count)}
        return Response({"last": data[-1]["id"], "results": data}, headers=headers)


class AsyncTotalPages(TotalPages):
    async def get_paginated_response(self, data):
        return super().get_paginated_response(data)


class TotalViewSet(PersonViewSet):
    pagination_class = TotalPages


class AsyncTotalViewSet(PersonViewSet):
    pagination_class = AsyncTotalPages


class WrittenViewSet(PersonViewSet):
    lookup_field = "updated_at"
    lookup_value_regex = "[^/]+"


class HiddenSerializer(ModelSerializer):
    class Meta:
        model = Hidden
        fields = ("uuid", "name")


class HiddenViewSet(AsyncVersionedViewSetMixin, ModelViewSet):
    queryset = Hidden.objects.order_by("id")
    serializer_class = HiddenSerializer
    lookup_field = "uuid"


class OnePerson(
    AsyncVersionedRetrieveMixin, AsyncVersionedUpdateMixin, generics.RetrieveUpdateAPIView
):
    queryset = Person.objects.order_by("id")
    serializer_class = PersonSerializer


class OtherSerializer(PersonSerializer):
    shown = serializers.CharField(default="more", read_only=True)

    class Meta(PersonSerializer.Meta):
        fields = (*PersonSerializer.Meta.fields, "shown")


class ByActionViewSet(PersonViewSet):
    """A GET of one row shows more than the answer to a write."""

    def get_serializer_class(self):
        return OtherSerializer if self.action == "aretrieve" else PersonSerializer


class BookSerializer(ModelSerializer):
    """Writes a leaf too, which moves the book that shows it."""

    etag = ETagField()

    class Meta:
        model = Book
        fields = ("id", "name", "etag")

    async def acreate(self, validated_data):
        return await self.add_leaf(await Book.objects.acreate(**validated_data))

    async def aupdate(self, instance, validated_data):
        return await self.add_leaf(await super().aupdate(instance, validated_data))

    async def add_leaf(self, book):
        await Leaf.objects.acreate(name=book.name, book=book)
        return book


class BookViewSet(AsyncVersionedViewSetMixin, ModelViewSet):
    queryset = Book.objects.order_by("id")
    serializer_class = BookSerializer


class NobodyElse:
    """A filter that is a coroutine."""

    async def filter_queryset(self, request, queryset, view):
        return queryset.exclude(name="bob")


class FilteredViewSet(PersonViewSet):
    filter_backends = (NobodyElse,)


class UpsertingSerializer(HiddenSerializer):
    class Meta(HiddenSerializer.Meta):
        extra_kwargs = {"uuid": {"validators": []}}

    async def acreate(self, validated_data):
        uuid = validated_data.pop("uuid")
        hidden, _ = await Hidden.objects.aupdate_or_create(uuid=uuid, defaults=validated_data)
        return hidden


class UpsertingViewSet(HiddenViewSet):
    serializer_class = UpsertingSerializer


class OwnCreateViewSet(HiddenViewSet):
    async def acreate(self, request):
        defaults = {"name": request.data["name"]}
        await Hidden.objects.aupdate_or_create(uuid=request.data["uuid"], defaults=defaults)
        return Response({}, status=201)


class GatheringViewSet(PersonViewSet):
    """Loads its row in tasks of their own."""

    async def gathered(self, request, pk=None):
        first, second = await asyncio.gather(self.aget_object(), self.aget_object())
        assert first == second
        first.days = request.data["days"]
        await first.asave()
        return Response({})

    @action(detail=True, methods=["post"])
    async def gather(self, request, pk=None):
        return await self.gathered(request)

    @action(detail=True, methods=["post"], if_match="optional")
    async def optional(self, request, pk=None):
        return await self.gathered(request)

    async def aupdate(self, request, *args, **kwargs):
        return await self.gathered(request)


router = SimpleRouter()
router.register("people", PersonViewSet, basename="people")
router.register("gathering", GatheringViewSet, basename="gathering")
router.register("books", BookViewSet, basename="books")
router.register("permitted", PermittedViewSet, basename="permitted")
router.register("apermitted", AsyncPermittedViewSet, basename="apermitted")
router.register("own", OwnHooksViewSet, basename="own")
router.register("lists", ListViewSet, basename="lists")
router.register("total", TotalViewSet, basename="total")
router.register("async-total", AsyncTotalViewSet, basename="async-total")
router.register("written", WrittenViewSet, basename="written")
router.register("hidden", HiddenViewSet, basename="hidden")
router.register("upserting", UpsertingViewSet, basename="upserting")
router.register("own-create", OwnCreateViewSet, basename="own-create")
router.register("filtered", FilteredViewSet, basename="filtered")
router.register("passing", PassingViewSet, basename="passing")
router.register("sync-mixins", SyncMixinsViewSet, basename="sync-mixins")
router.register("own-reads", OwnReadsViewSet, basename="own-reads")
router.register("by-action", ByActionViewSet, basename="by-action")
urlpatterns = [path("one/<int:pk>/", OnePerson.as_view()), path("", include(router.urls))]


@pytest.fixture
def client():
    return AsyncClient()


@pytest.fixture
async def person():
    return await Person.objects.acreate(name="a")


def url_of(person, name="people"):
    return f"/{name}/{person.pk}/"


async def send(method, url, tag=None, data=None, **headers):
    if tag is not None:
        headers["If-Match"] = tag
    call = getattr(AsyncClient(), method)
    if data is None and method == "delete":
        return await call(url, headers=headers)
    return await call(url, data or {}, content_type="application/json", headers=headers)


class statements:
    """The statements that a request makes, in the thread of its queries."""

    async def __aenter__(self):
        self.context = CaptureQueriesContext(connection)
        await sync_to_async(self.context.__enter__)()
        return self

    async def __aexit__(self, *args):
        self.seen = await sync_to_async(self.leave)(*args)

    def leave(self, *args):
        self.context.__exit__(*args)
        return [query["sql"] for query in self.context.captured_queries]


@pytest.mark.parametrize("name", ["people", "one"])
class TestRetrieve:
    async def test_200_and_304(self, client, person, name):
        url = url_of(person, name)
        full = await client.get(url)
        assert full.status_code == 200
        assert full["Cache-Control"] == "private, no-cache"
        async with statements() as captured:
            again = await client.get(url, headers={"If-None-Match": full["ETag"]})
        assert again.status_code == 304
        assert again["ETag"] == full["ETag"]
        assert again.content == b""
        (statement,) = captured.seen
        assert "name" not in statement.partition("FROM")[0]

    async def test_another_tag_is_200(self, client, person, name):
        full = await client.get(url_of(person, name), headers={"If-None-Match": '"x"'})
        assert full.status_code == 200

    async def test_absent_is_404(self, client, person, name):
        for pk in (person.pk + 1, 2**70):
            answer = await client.get(f"/{name}/{pk}/", headers={"If-None-Match": "*"})
            assert answer.status_code == 404
            assert "ETag" not in answer

    async def test_writes_need_the_tag(self, client, person, name):
        url = url_of(person, name)
        assert (await send("put", url, data={"name": "b"})).status_code == 428
        stale = await send("put", url, '"stale"', {"name": "b"})
        assert stale.status_code == 412
        tag = (await client.get(url))["ETag"]
        assert stale.json()["current_etag"] == stale["ETag"] == tag
        written = await send("put", url, tag, {"name": "b"})
        assert written.status_code == 200
        assert written["Content-Location"] == url
        assert written["ETag"] == (await client.get(url))["ETag"] != tag
        assert (await send("patch", url, tag, {"name": "c"})).status_code == 412
        assert (await send("patch", url, written["ETag"], {"name": "c"})).status_code == 200


@pytest.mark.parametrize("name", ["permitted", "apermitted"])
async def test_object_permissions_come_first(client, name):
    bob = await Person.objects.acreate(name="bob")
    tag = (await client.get(url_of(bob)))["ETag"]
    for headers in ({}, {"If-None-Match": tag}, {"If-None-Match": "*"}):
        answer = await client.get(url_of(bob, name), headers=headers)
        assert answer.status_code == 403
        assert "ETag" not in answer
    for given in (None, '"x"', tag):
        assert (await send("delete", url_of(bob, name), given)).status_code == 403
    anna = await Person.objects.acreate(name="anna")
    tag = (await client.get(url_of(anna, name)))["ETag"]
    again = await client.get(url_of(anna, name), headers={"If-None-Match": tag})
    assert again.status_code == 304


@pytest.mark.parametrize("method", ["get", "put", "delete"])
async def test_a_key_that_python_or_the_database_refuses_is_404(client, method):
    url = "/written/9999-12-31T23:59:59.999999-14:00/"
    answer = await getattr(client, method)(url, headers={"If-None-Match": '"x"'})
    assert answer.status_code == 404


class TestList:
    @pytest.mark.parametrize(("name", "count"), [("people", 2), ("lists", 1)])
    async def test_304_without_the_rows(self, client, person, name, count):
        url = f"/{name}/"
        full = await client.get(url)
        assert full.status_code == 200
        async with statements() as captured:
            again = await client.get(url, headers={"If-None-Match": full["ETag"]})
        assert again.status_code == 304
        assert again["ETag"] == full["ETag"]
        # A list without pages streams its keys, which PostgreSQL does in a transaction.
        assert len([each for each in captured.seen if each not in ("BEGIN", "COMMIT")]) == count

    async def test_it_changes_with_each_row_of_the_page(self, client):
        people = [await Person.objects.acreate(name=name) for name in "abc"]
        tags = [(await client.get("/people/?search="))["ETag"]]
        people[0].days = 1
        await people[0].asave()
        tags.append((await client.get("/people/?search="))["ETag"])
        await people[1].adelete()
        tags.append((await client.get("/people/?search="))["ETag"])
        assert len(set(tags)) == 3

    @pytest.mark.parametrize("name", ["total", "async-total"])
    async def test_what_an_own_paginator_puts_into_headers_is_in_the_tag(self, client, name):
        for each in "ab":
            await Person.objects.acreate(name=each)
        full = await client.get(f"/{name}/")
        assert full["X-Total-Count"] == "2"
        conditions = {"If-None-Match": full["ETag"]}
        again = await client.get(f"/{name}/", headers=conditions)
        assert again.status_code == 304
        await Person.objects.acreate(name="c")  # On page 2.
        again = await client.get(f"/{name}/", headers=conditions)
        assert again.status_code == 200
        assert again["X-Total-Count"] == "3"

    async def test_filters_shape_the_page(self, client):
        for name in ("anna", "bob"):
            await Person.objects.acreate(name=name)
        url = "/people/?search=anna"
        tag = (await client.get(url))["ETag"]
        await Person.objects.filter(name="bob").aupdate(days=5)
        again = await client.get(url, headers={"If-None-Match": tag})
        assert again.status_code == 304


class TestCreate:
    async def test_tag_and_location(self, client):
        created = await send("post", "/people/", data={"name": "new"})
        assert created.status_code == 201
        location = created["Location"]
        assert (await client.get(location))["ETag"] == created["ETag"]

    async def test_only_new(self, client):
        hidden = await Hidden.objects.acreate(name="h")
        there = {"uuid": str(hidden.uuid), "name": "other"}
        answer = await send("post", "/hidden/", data=there, **{"If-None-Match": "*"})
        assert answer.status_code == 412
        assert answer["ETag"] == (await client.get(f"/hidden/{hidden.uuid}/"))["ETag"]
        assert (await send("post", "/hidden/", data=there)).status_code == 400
        assert await Hidden.objects.acount() == 1

    @pytest.mark.parametrize("name", ["upserting", "own-create"])
    async def test_only_new_where_the_code_writes_what_it_finds(self, name):
        hidden = await Hidden.objects.acreate(name="precious")
        there = {"uuid": str(hidden.uuid), "name": "other"}
        answer = await send("post", f"/{name}/", data=there, **{"If-None-Match": "*"})
        assert answer.status_code == 412
        await hidden.arefresh_from_db()
        assert hidden.name == "precious"
        new = {"uuid": str(uuid.uuid4()), "name": "new"}
        answer = await send("post", f"/{name}/", data=new, **{"If-None-Match": "*"})
        assert answer.status_code == 201
        assert (await send("post", f"/{name}/", data=there)).status_code == 201
        if name == "own-create":
            assert (await send("post", f"/{name}/", '"x"', there)).status_code == 412


class TestDestroy:
    async def test_the_state_that_if_match_names(self, client, person):
        url = url_of(person)
        assert (await send("delete", url)).status_code == 428
        assert (await send("delete", url, '"x"')).status_code == 412
        tag = (await client.get(url))["ETag"]
        assert (await send("delete", url, tag)).status_code == 204
        assert (await send("delete", url, tag)).status_code == 404


async def test_the_answer_shows_what_other_writes_of_the_request_touched(client):
    created = await send("post", "/books/", data={"name": "a"})
    url = created["Location"]
    assert created.status_code == 201
    shown = await client.get(url)
    assert (created["ETag"], created.json()) == (shown["ETag"], shown.json())
    written = await send("patch", url, created["ETag"], {"name": "b"})
    assert written.status_code == 200
    shown = await client.get(url)
    assert (written["ETag"], written.json()) == (shown["ETag"], shown.json())


class TestActions:
    @pytest.mark.parametrize("name", ["work", "forgotten"])
    async def test_are_guarded(self, client, person, name):
        url = url_of(person)
        tag = (await client.get(url))["ETag"]
        assert (await send("post", f"{url}{name}/", data={"days": 3})).status_code == 428
        assert (await send("post", f"{url}{name}/", '"x"', {"days": 3})).status_code == 412
        done = await send("post", f"{url}{name}/", tag, {"days": 3})
        assert done.status_code == 200
        await person.arefresh_from_db()
        assert person.days == 3
        assert (await send("post", f"{url}{name}/", tag, {"days": 3})).status_code == 412
        # Good for the next write, and no reason for a 304.
        shown = (await client.get(url))["ETag"]
        assert done["ETag"].strip('"') == shown.strip('"').partition("~")[0]

    async def test_tell_no_tag_of_what_was_rolled_back(self, client, person):
        url = url_of(person)
        tag = (await client.get(url))["ETag"]
        answer = await send("post", f"{url}undone/", tag)
        assert answer.status_code == 200
        assert "ETag" not in answer
        assert (await client.get(url))["ETag"] == tag

    @pytest.mark.parametrize(
        ("method", "address"), [("post", "gather/"), ("post", "optional/"), ("put", "")]
    )
    async def test_may_load_their_row_in_tasks_of_their_own(self, client, person, method, address):
        url = url_of(person, "gathering")
        tag = (await client.get(url))["ETag"]
        assert (await send(method, url + address, tag, {"days": 3})).status_code == 200
        await person.arefresh_from_db()
        assert person.days == 3
        assert (await send(method, url + address, tag, {"days": 4})).status_code == 412
        await person.arefresh_from_db()
        assert person.days == 3

    async def test_may_load_their_row_in_tasks_without_a_tag(self, person):
        url = url_of(person, "gathering")
        assert (await send("post", url + "optional/", data={"days": 3})).status_code == 200
        await person.arefresh_from_db()
        assert person.days == 3

    async def test_say_otherwise(self, person):
        assert (await send("post", url_of(person) + "remind/")).status_code == 200


class TestHooksOfAProjectsOwn:
    async def test_perform_aupdate(self, client, person):
        url = url_of(person, "own")
        tag = (await client.get(url))["ETag"]
        written = await send("put", url, tag, {"name": "b"})
        assert written.json()["days"] == 99
        assert written["ETag"] == (await client.get(url))["ETag"]
        stale = await send("put", url, tag, {"name": "c"})
        assert stale.status_code == 412
        assert stale.json()["current"]["name"] == "b"

    async def test_perform_adestroy(self, client, person):
        url = url_of(person, "own")
        tag = (await client.get(url))["ETag"]
        assert (await send("delete", url, tag)).status_code == 204
        await person.arefresh_from_db()
        assert person.name == "deleted"

    async def test_serializers_by_action(self, client, person):
        url = url_of(person, "by-action")
        tag = (await client.get(url))["ETag"]
        assert (await send("put", url, '"x"', {"name": "b"}))["ETag"] == tag
        written = await send("put", url, tag, {"name": "b"})
        shown = (await client.get(url))["ETag"]
        # Of the state alone: the answer shows less than a GET.
        assert written["ETag"].strip('"') == shown.strip('"').partition("~")[0]
        assert "Content-Location" not in written


async def test_filters_may_be_coroutines(client):
    for name, code in (("anna", 304), ("bob", 404)):
        person = await Person.objects.acreate(name=name)
        tag = (await client.get(url_of(person)))["ETag"]
        url = url_of(person, "filtered")
        if code == 304:
            tag = (await client.get(url))["ETag"]
        answer = await client.get(url, headers={"If-None-Match": tag})
        assert answer.status_code == code
    tag = (await client.get("/filtered/"))["ETag"]
    assert (await client.get("/filtered/", headers={"If-None-Match": tag})).status_code == 304


async def test_options_says_which_methods_need_the_tag(client, person):
    answer = await client.options(url_of(person))
    required = {name: ["If-Match"] for name in ("PUT", "PATCH", "DELETE")}
    assert answer.json()["required_headers"] == required


class TestRace:
    """Another writer is first, after the precondition was evaluated."""

    @pytest.fixture
    def overtaken(self, monkeypatch):
        evaluate = Versioning.evaluate

        def evaluated_too_early(versioning, current, **kwargs):
            decision = evaluate(versioning, current, **kwargs)
            if not seen:
                seen.append(True)
                Person.objects.update(days=77)
            return decision

        seen = []
        monkeypatch.setattr(Versioning, "evaluate", evaluated_too_early)

    @pytest.mark.usefixtures("overtaken")
    @pytest.mark.parametrize(
        ("method", "end", "data"),
        [
            ("put", "", {"name": "b"}),
            ("patch", "", {"name": "b"}),
            ("delete", "", None),
            ("post", "work/", {"days": 1}),
            ("post", "forgotten/", {"days": 1}),
        ],
    )
    async def test_is_412_with_the_winners_tag(
        self, client, monkeypatch, person, method, end, data
    ):
        url = url_of(person)
        tag = (await client.get(url_of(person, "one")))["ETag"]
        state = tag.strip('"').partition("~")[0]
        lost = await send(method, url + end, f'"{state}"', data)
        assert lost.status_code == 412
        await person.arefresh_from_db()
        assert (person.name, person.days) == ("a", 77)
        assert lost["ETag"] == (await client.get(url))["ETag"]


async def test_concurrent_coroutines_with_one_tag_one_gets_200(client, person):
    url = url_of(person)
    tag = (await client.get(url))["ETag"]
    answers = await asyncio.gather(
        *(send("put", url, tag, {"name": f"n{number}"}) for number in range(5))
    )
    codes = sorted(answer.status_code for answer in answers)
    assert codes == [200, 412, 412, 412, 412]
    await person.arefresh_from_db()
    assert [f"n{n}" for n, a in enumerate(answers) if a.status_code == 200] == [person.name]


@pytest.mark.parametrize("url", ["/passing/{}/", "/passing/"])
async def test_a_304_of_a_coroutine_that_only_awaits_super_needs_no_rows(client, person, url):
    url = url.format(person.pk)
    tag = (await client.get(url))["ETag"]
    async with statements() as captured:
        answer = await client.get(url, headers={"If-None-Match": tag})
    assert answer.status_code == 304
    assert not any("days" in sql for sql in captured.seen)
    await person.asave()
    assert (await client.get(url, headers={"If-None-Match": tag})).status_code == 200


@pytest.mark.parametrize("url", ["/own-reads/{}/", "/own-reads/", "/own-reads/{}/team/"])
async def test_a_304_of_an_own_coroutine_stands_for_what_it_returned(client, person, url):
    url = url.format(person.pk)
    tag = (await client.get(url))["ETag"]
    assert (await client.get(url, headers={"If-None-Match": tag})).status_code == 304
    await Person.objects.acreate(name="b")
    answer = await client.get(url, headers={"If-None-Match": tag})
    assert answer.status_code == 200
    assert answer.json()["people"] == 2


async def test_the_tag_of_an_own_coroutine_guards_a_write(client, person):
    url = f"/own-reads/{person.pk}/"
    headers = {"If-Match": (await client.get(url))["ETag"]}
    await person.asave()
    assert (await client.delete(url, headers=headers)).status_code == 412
    headers = {"If-Match": (await client.get(url))["ETag"]}
    assert (await client.delete(url, headers=headers)).status_code == 204


async def test_a_coroutine_beside_the_mixins_for_methods_has_no_tag(client, person):
    answer = await client.get(f"/sync-mixins/{person.pk}/team/", headers={"If-None-Match": "*"})
    assert answer.status_code == 200
    assert "ETag" not in answer
