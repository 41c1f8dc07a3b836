"""
One conversation, the same through every kind of view: RFC 9110 §13, request by request.
"""

import importlib.util
import json
from datetime import timedelta
from typing import NamedTuple

import pytest
from asgiref.sync import sync_to_async
from django.db import transaction
from django.forms import ModelForm, model_to_dict
from django.http import HttpResponse, JsonResponse
from django.test import Client
from django.urls import path
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.http import http_date
from django.views import View

from etag_versioning.decorators import versioned_condition
from tests.testapp.models import Person

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls(__name__)]

HAS_DRF = importlib.util.find_spec("rest_framework") is not None


class PersonForm(ModelForm):
    class Meta:
        model = Person
        fields = ("name", "days")


class PersonView(View):
    def get(self, request, pk):
        return JsonResponse(model_to_dict(Person.objects.get(pk=pk), PersonForm._meta.fields))

    def put(self, request, pk):
        person = Person.objects.filter(pk=pk).first()
        data = json.loads(request.body)
        if request.method == "PATCH":
            data = model_to_dict(person, PersonForm._meta.fields) | data
        form = PersonForm(data, instance=person or Person(pk=pk))
        if not form.is_valid():
            return JsonResponse(form.errors, status=400)
        answer = JsonResponse(form.data, status=200 if person else 201)
        form.save()
        if person:
            answer["Content-Location"] = request.path
        return answer

    patch = put

    def delete(self, request, pk):
        Person.objects.get(pk=pk).delete()
        return HttpResponse(status=204)


class AsyncPersonView(View):
    async def get(self, request, pk):
        return await sync_to_async(PersonView().get)(request, pk)

    async def put(self, request, pk):
        return await sync_to_async(PersonView().put)(request, pk)

    async def delete(self, request, pk):
        return await sync_to_async(PersonView().delete)(request, pk)

    async def options(self, request, pk):
        return PersonView().options(request)

    patch = put


METHODS = ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"]


def person_view(request, pk):
    return PersonView.as_view()(request, pk=pk)


async def async_person_view(request, pk):
    return await AsyncPersonView.as_view()(request, pk=pk)


def views(**options):
    """One view of each kind."""
    versioned = versioned_condition(Person, **options)
    of_functions = versioned_condition(Person, methods=METHODS, **options)
    on_dispatch = method_decorator(versioned, name="dispatch")
    return {
        "plain": of_functions(person_view),
        "async": of_functions(async_person_view),
        "class": versioned(PersonView.as_view()),
        "async-class": versioned(AsyncPersonView.as_view()),
        "dispatch": on_dispatch(type("Dispatched", (PersonView,), {})).as_view(),
        "async-dispatch": on_dispatch(type("Dispatched", (AsyncPersonView,), {})).as_view(),
    }


PLAIN = views()
CREATING = views(allow_create=True)
urlpatterns = [
    path(f"{name}/<int:pk>/", transaction.non_atomic_requests(view))
    for name, view in (
        *PLAIN.items(),
        *((f"creating-{name}", view) for name, view in CREATING.items()),
    )
]
KINDS = [*PLAIN, pytest.param("drf", marks=pytest.mark.skipif(not HAS_DRF, reason="needs DRF"))]

if HAS_DRF:
    from rest_framework.serializers import ModelSerializer

    from etag_versioning.rest_framework.viewsets import VersionedModelViewSet

    class PersonSerializer(ModelSerializer):
        class Meta:
            model = Person
            fields = PersonForm._meta.fields

    class PersonViewSet(VersionedModelViewSet):
        queryset = Person.objects.all()
        serializer_class = PersonSerializer
        last_modified = True

    actions = {
        "get": "retrieve",
        "put": "update",
        "patch": "partial_update",
        "delete": "destroy",
    }
    urlpatterns.append(path("drf/<int:pk>/", PersonViewSet.as_view(actions)))


class Turn(NamedTuple):
    """
    A request, and what the answer to it has to be.

    In headers, ``{1}`` is the tag of the first state of the row, without quotes,
    ``{date}`` its Last-Modified. ``state`` numbers the state whose tag the answer has.
    """

    method: str
    headers: dict
    status: int
    state: int | None = None
    form: str = '"{}"'


NONE_MATCH, MATCH = "If-None-Match", "If-Match"
MODIFIED, UNMODIFIED = "If-Modified-Since", "If-Unmodified-Since"
LONG_AGO = "Sat, 01 Jan 2000 00:00:00 GMT"

CONVERSATION = [
    # Reading, and reading again.
    Turn("GET", {}, 200, 1),
    Turn("HEAD", {}, 200, 1),
    Turn("GET", {NONE_MATCH: '"{1}"'}, 304, 1),
    Turn("HEAD", {NONE_MATCH: '"{1}"'}, 304, 1),
    Turn("GET", {NONE_MATCH: 'W/"{1}"'}, 304, 1, 'W/"{}"'),
    Turn("GET", {NONE_MATCH: '"other", ,"{1}"'}, 304, 1),
    Turn("GET", {NONE_MATCH: "*"}, 304, 1),
    Turn("GET", {NONE_MATCH: '"other"'}, 200, 1),
    Turn("GET", {NONE_MATCH: "{1}"}, 200, 1),
    Turn("GET", {NONE_MATCH: 'w/"{1}"'}, 200, 1),
    Turn("GET", {MODIFIED: "{date}"}, 304, 1),
    Turn("GET", {MODIFIED: LONG_AGO}, 200, 1),
    Turn("GET", {MODIFIED: "yesterday"}, 200, 1),
    Turn("GET", {MODIFIED: "{date}", NONE_MATCH: '"other"'}, 200, 1),
    Turn("GET", {MODIFIED: "{date}", NONE_MATCH: "junk"}, 200, 1),
    Turn("GET", {MATCH: '"{1}"'}, 200, 1),
    Turn("GET", {MATCH: '"{1}"', NONE_MATCH: '"{1}"'}, 304, 1),
    Turn("GET", {MATCH: '"other"'}, 412, 1),
    Turn("GET", {UNMODIFIED: "{date}"}, 200, 1),
    Turn("GET", {UNMODIFIED: LONG_AGO}, 412, 1),
    # What comes before preconditions.
    Turn("OPTIONS", {MATCH: '"other"'}, 200),
    Turn("POST", {}, 405),
    Turn("POST", {MATCH: '"other"'}, 405),
    # Writing without knowing what is there.
    Turn("PUT", {}, 428),
    Turn("PATCH", {}, 428),
    Turn("DELETE", {}, 428),
    Turn("PUT", {NONE_MATCH: '"other"'}, 428),
    Turn("PUT", {NONE_MATCH: "junk"}, 428),
    Turn("PUT", {UNMODIFIED: "{date}"}, 428),
    Turn("PUT", {MATCH: ""}, 412, 1),
    Turn("PUT", {MATCH: "undefined"}, 412, 1),
    Turn("PUT", {MATCH: "{1}"}, 412, 1),
    Turn("PUT", {MATCH: '"{1}" "{1}"'}, 412, 1),
    Turn("PUT", {MATCH: '"{1}", junk'}, 412, 1),
    Turn("PUT", {MATCH: '"other"'}, 412, 1),
    Turn("PUT", {NONE_MATCH: "*"}, 412, 1),
    Turn("PUT", {MATCH: '"{1}"', NONE_MATCH: '"{1}"'}, 412, 1),
    Turn("DELETE", {MATCH: '"other"'}, 412, 1),
    # Writing what was read, in every form of its tag.
    Turn("PUT", {MATCH: '"{1}"'}, 200, 2),
    Turn("PUT", {MATCH: '"{1}"'}, 412, 2),
    Turn("GET", {NONE_MATCH: '"{1}"'}, 200, 2),
    Turn("PUT", {MATCH: 'W/"{2}"'}, 200, 3),
    Turn("PUT", {MATCH: '"{3}-gzip"'}, 200, 4),
    Turn("PATCH", {MATCH: '"other", "{4}"'}, 200, 5),
    Turn("PUT", {MATCH: '"{5}"', NONE_MATCH: '"{1}"'}, 200, 6),
    Turn("PUT", {MATCH: "*"}, 200, 7),
    Turn("GET", {NONE_MATCH: '"{7}"'}, 304, 7),
    # Deleting.
    Turn("DELETE", {MATCH: '"{1}"'}, 412, 7),
    Turn("DELETE", {MATCH: '"{7}"'}, 204),
    Turn("GET", {}, 404),
    Turn("GET", {NONE_MATCH: "*"}, 404),
    Turn("PUT", {}, 404),
    Turn("PUT", {MATCH: "*"}, 404),
    Turn("DELETE", {MATCH: '"{7}"'}, 404),
]

CREATION = [
    Turn("GET", {NONE_MATCH: "*"}, 404),
    Turn("PUT", {}, 428),
    Turn("PUT", {MATCH: "*"}, 412),
    Turn("PUT", {MATCH: '"other"', NONE_MATCH: "*"}, 412),
    Turn("PUT", {NONE_MATCH: '"other"'}, 428),
    Turn("PATCH", {NONE_MATCH: "*"}, 404),
    Turn("DELETE", {NONE_MATCH: "*"}, 404),
    Turn("PUT", {NONE_MATCH: "*"}, 201, 1),
    Turn("PUT", {NONE_MATCH: "*"}, 412, 1),
    Turn("PUT", {}, 428),
    Turn("PUT", {MATCH: '"{1}"'}, 200, 2),
    Turn("DELETE", {MATCH: '"{2}"'}, 204),
    Turn("PUT", {MATCH: '"{2}"'}, 412),
    Turn("PUT", {NONE_MATCH: "*"}, 201, 3),
    Turn("GET", {NONE_MATCH: '"{1}"'}, 200, 3),
]

CODES = {412: "PRECONDITION_FAILED", 428: "PRECONDITION_REQUIRED"}


def converse(url, turns, date=None):
    """Take all turns; each answer has to be as it is written down, in all that it says."""
    tags = {}
    for number, turn in enumerate(turns):
        known = {"date": date, **{str(state): tag[1:-1] for state, tag in tags.items()}}
        headers = {name: fill(value, known) for name, value in turn.headers.items()}
        content = {} if turn.method in ("GET", "HEAD") else {"name": "b", "days": number}
        answer = Client().generic(
            turn.method, url, json.dumps(content), "application/json", headers=headers
        )
        assert answer.status_code == turn.status, turn
        etag = answer.get("ETag")
        if turn.state is None:
            assert etag is None, turn
        else:
            tag = tags.setdefault(turn.state, etag)
            assert list(tags.values()).count(tag) == 1, turn
            assert etag == turn.form.format(tag[1:-1]), turn
        check_headers(turn, answer, url, date)


def fill(value, known):
    for name, text in known.items():
        value = value.replace(f"{{{name}}}", text or "")
    return value


def check_headers(turn, answer, url, date):
    reads, errs = turn.method in ("GET", "HEAD"), turn.status in CODES
    done = turn.status in (200, 201, 304)
    expected = "no-store" if errs else "private, no-cache" if reads and done else None
    # Django makes the answer to a 404 or 405 outside of a decorated view; DRF inside of its own.
    answered_elsewhere = {"no-store"} if turn.status in (404, 405) else set()
    assert answer.get("Cache-Control") in {expected} | answered_elsewhere, turn
    if reads and done and turn.state == 1:
        assert answer.get("Last-Modified") == date, turn
    located = turn.status == 200 and turn.method in ("PUT", "PATCH")
    assert answer.get("Content-Location") == (url if located else None), turn
    if turn.status == 405:
        assert set(answer["Allow"].split(", ")) == set(METHODS), turn
    if turn.status in (204, 304) or turn.method == "HEAD":
        assert answer.content == b"", turn
    if turn.status == 304:
        assert "Content-Length" not in answer, turn
    if errs:
        body = answer.json()
        assert body["error"] == CODES[turn.status], turn
        assert body.get("current_etag") == answer.get("ETag"), turn
        assert body["message"], turn


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_is_read_written_and_deleted(kind):
    person = Person.objects.create(name="a")
    moment = timezone.now() - timedelta(minutes=1)
    Person.objects.update(updated_at=moment, version=1)
    converse(f"/{kind}/{person.pk}/", CONVERSATION, http_date(int(moment.timestamp()) + 1))
    assert not Person.objects.exists()


@pytest.mark.parametrize("kind", CREATING)
def test_a_row_is_created_and_created_again(kind):
    converse(f"/creating-{kind}/7/", CREATION)
    assert Person.objects.get().pk == 7
