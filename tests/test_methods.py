"""Which methods reach a plain view, and what it may do there."""

import json

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.http import Http404, HttpResponse
from django.middleware.common import CommonMiddleware
from django.test import RequestFactory
from django.utils.decorators import method_decorator
from django.views import View

from etag_versioning.decorators import versioned_condition
from tests.testapp.models import Person

pytestmark = pytest.mark.django_db(transaction=True)


def mine(request, pk):
    return Person.objects.filter(pk=pk, name="mine")


@versioned_condition(mine)
def shows_or_writes(request, pk):
    person = Person.objects.get(pk=pk)
    if request.method != "GET":
        person.days += 1
        person.save()
    return HttpResponse(person.name)


@versioned_condition(Person)
async def async_writes(request, pk):
    await Person.objects.filter(pk=pk).aupdate(days=1)
    return HttpResponse()


def ask(view, method, pk, **headers):
    return view(RequestFactory().generic(method, "/", headers=headers), pk=pk)


class TestMethodsWithoutPreconditions:
    @pytest.mark.parametrize("method", ["OPTIONS", "TRACE", "CONNECT"])
    @pytest.mark.parametrize("pk", [0, 10**30])
    def test_are_404_for_a_row_that_get_does_not_show(self, method, pk):
        hidden = Person.objects.create(name="hidden")
        for key in (pk, hidden.pk):
            with pytest.raises(Http404):
                ask(shows_or_writes, method, key)

    @pytest.mark.parametrize("method", ["OPTIONS", "TRACE", "CONNECT"])
    @pytest.mark.parametrize("headers", [{}, {"If-Match": "*"}])
    def test_write_no_row(self, method, headers):
        person = Person.objects.create(name="mine")
        answer = ask(shows_or_writes, method, person.pk, **headers)
        assert answer.status_code == 405
        assert method not in answer["Allow"]
        assert Person.objects.get().version == 1

    @pytest.mark.usefixtures("close_connections")
    async def test_write_no_row_in_a_coroutine(self, async_rf):
        person = await Person.objects.acreate(name="mine")
        answer = await async_writes(async_rf.options("/"), pk=person.pk)
        assert answer.status_code == 405
        assert (await Person.objects.aget()).version == 1

    @pytest.mark.parametrize("value", ['"stale"', "junk"])
    def test_ignore_the_preconditions(self, value):
        view = versioned_condition(Person)(lambda request, pk: HttpResponse("shown"))
        person = Person.objects.create(name="mine")
        assert ask(view, "OPTIONS", person.pk, **{"If-Match": value}).status_code == 200


@pytest.mark.parametrize("method", ["LOCK", "FOO", "QUERY"])
def test_an_unknown_method_writes_and_needs_a_tag(method):
    person = Person.objects.create(name="mine")
    assert ask(shows_or_writes, method, person.pk).status_code == 428
    assert Person.objects.get().version == 1
    assert ask(shows_or_writes, method, person.pk, **{"If-Match": "*"}).status_code == 200


def test_get_in_a_list_of_methods_implies_head():
    view = versioned_condition(Person, methods=["GET", "PUT"])(lambda request, pk: HttpResponse())
    person = Person.objects.create(name="a")
    assert ask(view, "HEAD", person.pk).status_code == 200
    assert ask(view, "DELETE", person.pk)["Allow"] == "GET, HEAD, PUT"


def test_a_204_has_no_content_length():
    view = versioned_condition(Person)(lambda request, pk: HttpResponse(status=204))
    person = Person.objects.create(name="a")
    request = RequestFactory().delete("/", headers={"If-Match": "*"})
    answer = CommonMiddleware(lambda request: view(request, pk=person.pk))(request)
    assert answer.status_code == 204
    assert "Content-Length" not in answer


@pytest.mark.parametrize(
    ("value", "reason"),
    [("junk", "malformed"), ('"team-1-v1.a"', "other_resource"), ('"person-{}-v9.a"', "stale")],
)
def test_a_412_says_why_in_a_field_of_its_own(value, reason):
    person = Person.objects.create(name="mine")
    answer = ask(shows_or_writes, "PUT", person.pk, **{"If-Match": value.format(person.pk)})
    body = json.loads(answer.content)
    assert (answer.status_code, body["error"]) == (412, "PRECONDITION_FAILED")
    assert body["reason"] == reason


def test_a_durable_block_is_told_what_to_write():
    @versioned_condition(Person)
    def view(request, pk):
        with transaction.atomic(durable=True):
            return HttpResponse()

    person = Person.objects.create(name="a")
    with pytest.raises(RuntimeError) as error:
        ask(view, "PUT", person.pk, **{"If-Match": "*"})
    assert "with transaction.atomic()" in error.value.__notes__[0]


class TestTheDecoratorInTheWrongPlace:
    def test_bare(self):
        view = versioned_condition(lambda request, pk: HttpResponse())
        with pytest.raises(ImproperlyConfigured, match="lookup_url_kwarg"):
            ask(view, "GET", 1)

    def test_bare_on_a_class(self):
        with pytest.raises(ImproperlyConfigured, match="method_decorator"):
            versioned_condition(type("PersonView", (View,), {}))

    def test_on_a_class(self):
        with pytest.raises(ImproperlyConfigured, match='name="dispatch"'):
            versioned_condition(Person)(type("PersonView", (View,), {}))

    def test_on_a_method(self):
        with pytest.raises(ImproperlyConfigured, match="method_decorator"):

            class PersonView(View):
                @versioned_condition(Person)
                def get(self, request, pk):
                    return HttpResponse()

    def test_on_a_method_by_method_decorator_is_right(self):
        class PersonView(View):
            @method_decorator(versioned_condition(Person))
            def get(self, request, pk):
                return HttpResponse("shown")

        person = Person.objects.create(name="a")
        assert ask(PersonView.as_view(), "GET", person.pk).status_code == 200
