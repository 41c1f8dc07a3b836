"""``versioned_condition(fingerprint=True)``: a plain view's tags follow its code."""

from datetime import UTC, datetime

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpResponse
from django.test import RequestFactory
from django.utils.decorators import method_decorator
from django.utils.http import http_date
from django.views.generic import TemplateView, View

from etag_versioning.code.fingerprint import forget
from etag_versioning.code.views import fingerprint_of_view, view_fingerprint
from etag_versioning.decorators import etag_func, versioned_condition
from tests.testapp.models import Person

pytestmark = pytest.mark.django_db

GREETING = "Hello"


def greeted(name):
    return f"{GREETING} {name}"


@versioned_condition(Person, fingerprint=True)
def page(request, pk):
    return HttpResponse(greeted(Person.objects.get(pk=pk).name))


@versioned_condition(Person)
def page_without(request, pk):
    return HttpResponse(greeted(Person.objects.get(pk=pk).name))


@versioned_condition(Person, fingerprint=True)
async def coroutine(request, pk):
    return HttpResponse(greeted("you"))


@method_decorator(versioned_condition(Person, fingerprint=True), name="dispatch")
class Page(View):
    greeting = "Hello"

    def get(self, request, pk):
        return HttpResponse(self.greeting)

    def put(self, request, pk):
        Person.objects.get(pk=pk).save()
        return HttpResponse(status=204)


@pytest.fixture
def person():
    person = Person.objects.create(name="Ada")
    # A date is shown once no other write can happen in its second.
    Person.objects.filter(pk=person.pk).unversioned().update(updated_at="2026-01-01T00:00:00Z")
    return person


@pytest.fixture
def deploy(monkeypatch):
    """Another greeting, as after a deployment: in a process that has read no code yet."""

    def run():
        monkeypatch.setitem(globals(), "GREETING", "Welcome")
        forget()

    yield run
    monkeypatch.undo()
    forget()


def get(view, person, **headers):
    return view(RequestFactory().get("/", headers=headers), pk=person.pk)


def test_the_tag_has_a_representation_part(person):
    assert "~" in get(page, person)["ETag"]
    assert "~" not in get(page_without, person)["ETag"]


def test_a_conditional_get_is_304_while_the_code_is_the_same(person):
    tag = get(page, person)["ETag"]
    assert get(page, person, if_none_match=tag).status_code == 304


def test_a_deployment_that_changes_what_the_view_names_is_200(person, deploy):
    tag = get(page, person)["ETag"]
    deploy()
    response = get(page, person, if_none_match=tag)
    assert (response.status_code, response.content) == (200, b"Welcome Ada")
    assert response["ETag"] != tag


def test_without_the_option_the_same_deployment_is_304(person, deploy):
    tag = get(page_without, person)["ETag"]
    deploy()
    assert get(page_without, person, if_none_match=tag).status_code == 304


def test_no_date_is_sent(person):
    assert "Last-Modified" in get(page_without, person)
    assert "Last-Modified" not in get(page, person)


def test_if_modified_since_is_ignored(person):
    future = http_date(4_000_000_000)
    assert get(page_without, person, if_modified_since=future).status_code == 304
    assert get(page, person, if_modified_since=future).status_code == 200


def test_the_tag_of_before_a_deployment_guards_a_write_after_it(person, monkeypatch):
    view = Page.as_view()
    tag = get(view, person)["ETag"]
    monkeypatch.setattr(Page, "greeting", "Welcome")
    forget()
    request = RequestFactory().put("/", headers={"If-Match": tag})
    assert view(request, pk=person.pk).status_code == 204


@pytest.mark.django_db(transaction=True)
async def test_a_coroutine_has_a_fingerprint_in_its_tags(close_connections):
    assert view_fingerprint(coroutine.__wrapped__) != view_fingerprint(page.__wrapped__)
    person = await Person.objects.acreate(name="Ada")
    response = await coroutine(RequestFactory().get("/"), pk=person.pk)
    assert "~" in response["ETag"]


def test_a_class_has_one_fingerprint_for_all_its_instances(person):
    view = Page.as_view()
    assert get(view, person)["ETag"] == get(view, person)["ETag"]


def test_arguments_of_as_view_are_part_of_the_fingerprint(person):
    first, second = Page.as_view(greeting="Hello"), Page.as_view(greeting="Good day")
    assert get(first, person)["ETag"] != get(second, person)["ETag"]
    assert fingerprint_of_view(first) != fingerprint_of_view(second)


def test_the_fingerprint_of_the_routed_view_is_that_of_its_requests():
    view = Page.as_view(greeting="Good day")
    instance = Page(greeting="Good day")
    instance.setup(RequestFactory().get("/"), pk=1)
    assert view_fingerprint(view) == view_fingerprint(instance.dispatch)


def test_the_template_that_as_view_names_is_part_of_the_fingerprint():
    first = TemplateView.as_view(template_name="etag_versioning/conflict.html")
    parts = fingerprint_of_view(first).parts
    assert "template etag_versioning/conflict.html" in parts


def test_the_option_beside_a_function_that_makes_the_tag_is_refused():
    with pytest.raises(ImproperlyConfigured, match="Leave one of the two out"):
        versioned_condition(etag_func=etag_func(Person), fingerprint=True)


def test_a_date_of_a_function_is_not_sent_either(person):
    @versioned_condition(
        Person, last_modified_func=lambda *args, **kwargs: datetime(2020, 1, 1, tzinfo=UTC),
        fingerprint=True,
    )  # fmt: skip
    def view(request, pk):
        return HttpResponse("shown")

    assert "Last-Modified" not in get(view, person)
