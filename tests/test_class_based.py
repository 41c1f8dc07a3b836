"""Django's class-based views, plain and async, decorated as a whole or on ``dispatch``."""

import pytest
from asgiref.sync import sync_to_async
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import path
from django.utils.decorators import method_decorator
from django.views import View
from django.views.generic import DeleteView, DetailView, UpdateView

from etag_versioning.decorators import versioned_condition
from tests.testapp.models import Person
from tests.views import show

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls(__name__)]

versioned = versioned_condition(Person)


class PersonView(View):
    def get(self, request, pk):
        return show(Person.objects.get(pk=pk))

    def put(self, request, pk):
        person = Person.objects.get(pk=pk)
        person.days += 1
        person.save()
        return show(person)

    def delete(self, request, pk):
        Person.objects.get(pk=pk).delete()
        return HttpResponse(status=204)


class AsyncPersonView(View):
    async def get(self, request, pk):
        return show(await Person.objects.aget(pk=pk))

    async def put(self, request, pk):
        return await sync_to_async(PersonView().put)(request, pk)

    async def delete(self, request, pk):
        await (await Person.objects.aget(pk=pk)).adelete()
        return HttpResponse(status=204)


@method_decorator(versioned, name="dispatch")
class OnDispatch(PersonView):
    pass


@method_decorator([transaction.non_atomic_requests, versioned], name="dispatch")
class AsyncOnDispatch(AsyncPersonView):
    pass


class InDispatch(PersonView):
    @method_decorator(versioned)
    def dispatch(self, request, *args, **kwargs):
        return super().dispatch(request, *args, **kwargs)


class Shown(DetailView):
    model = Person

    def render_to_response(self, context):
        return show(self.object)


class Updated(UpdateView):
    model = Person
    fields = ("name",)
    success_url = "/"

    def form_valid(self, form):
        return show(form.save())


class Deleted(DeleteView):
    model = Person
    success_url = "/gone/"


VIEWS = {
    "as-view": versioned(PersonView.as_view()),
    "async-as-view": transaction.non_atomic_requests(versioned(AsyncPersonView.as_view())),
    "on-dispatch": OnDispatch.as_view(),
    "async-on-dispatch": AsyncOnDispatch.as_view(),
    "in-dispatch": InDispatch.as_view(),
}
urlpatterns = [
    *(path(f"{name}/<int:pk>/", view) for name, view in VIEWS.items()),
    path("detail/<int:pk>/", versioned(Shown.as_view())),
    path("update/<int:pk>/", versioned(Updated.as_view())),
    path("delete/<int:pk>/", versioned(Deleted.as_view())),
    path(
        "named/<int:pk>/",
        versioned_condition(Person, methods=["GET"])(PersonView.as_view()),
    ),
    path(
        "restricted/<int:pk>/", versioned(PersonView.as_view(http_method_names=["get", "options"]))
    ),
]


@pytest.fixture
def person():
    return Person.objects.create(name="a")


@pytest.fixture(params=VIEWS)
def url(request, person):
    return f"/{request.param}/{person.pk}/"


def test_read_revalidate_write_lose_and_delete(url):
    client = Client()
    tag = client.get(url)["ETag"]
    for method in (client.get, client.head):
        answer = method(url, headers={"If-None-Match": tag})
        assert (answer.status_code, answer.content, answer["ETag"]) == (304, b"", tag)
    assert client.put(url).status_code == 428
    written = client.put(url, headers={"If-Match": tag})
    assert written.status_code == 200
    assert written["ETag"] == client.get(url)["ETag"] != tag
    stale = client.put(url, headers={"If-Match": tag})
    assert (stale.status_code, stale["ETag"]) == (412, written["ETag"])
    assert client.delete(url, headers={"If-Match": written["ETag"]}).status_code == 204
    assert client.get(url).status_code == 404


def test_a_304_runs_no_method_of_the_class(url, monkeypatch):
    tag = Client().get(url)["ETag"]

    def never(self, request, pk):
        raise AssertionError("the view must not run")

    async def async_never(self, request, pk):
        never(self, request, pk)

    monkeypatch.setattr(PersonView, "get", never)
    monkeypatch.setattr(AsyncPersonView, "get", async_never)
    assert Client().get(url, headers={"If-None-Match": tag}).status_code == 304
    with pytest.raises(AssertionError):
        Client().get(url)


@pytest.mark.parametrize("method", ["post", "patch", "trace"])
@pytest.mark.parametrize("headers", [{}, {"If-Match": '"stale"'}, {"If-Match": "*"}])
def test_methods_that_the_class_has_not_are_405_before_preconditions(url, method, headers):
    answer = getattr(Client(), method)(url, headers=headers)
    assert answer.status_code == 405
    assert {"GET", "HEAD", "PUT", "DELETE"} <= set(answer["Allow"].split(", "))
    assert "ETag" not in answer


def test_options_are_the_classs_own(url):
    answer = Client().options(url, headers={"If-Match": '"stale"'})
    assert answer.status_code == 200
    assert "PUT" in answer["Allow"]


def test_arguments_of_the_view_come_first(person):
    answer = Client().put(f"/named/{person.pk}/")
    assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD")


def test_methods_that_as_view_takes_away_are_405(person):
    answer = Client().put(f"/restricted/{person.pk}/")
    assert answer.status_code == 405
    assert "PUT" not in answer["Allow"]


def test_djangos_generic_views(person):
    client = Client()
    tag = client.get(f"/detail/{person.pk}/")["ETag"]
    answer = client.get(f"/detail/{person.pk}/", headers={"If-None-Match": tag})
    assert answer.status_code == 304
    assert client.post(f"/update/{person.pk}/", {"name": "b"}).status_code == 428
    headers = {"If-Match": tag}
    written = client.post(f"/update/{person.pk}/", {"name": "b"}, headers=headers)
    assert (written.status_code, written.json()["name"]) == (200, "b")
    assert client.post(f"/delete/{person.pk}/", headers=headers).status_code == 412
    headers = {"If-Match": written["ETag"]}
    assert client.post(f"/delete/{person.pk}/", headers=headers).status_code == 302
    assert not Person.objects.exists()


@pytest.mark.parametrize("kind", VIEWS)
def test_concurrent_writers_with_one_tag_one_gets_200(race, person, kind):
    url = f"/{kind}/{person.pk}/"
    headers = {"If-Match": Client().get(url)["ETag"]}
    answers = race(*[lambda: Client().put(url, headers=headers)] * 8)
    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 7
    assert Person.objects.get().days == 1
