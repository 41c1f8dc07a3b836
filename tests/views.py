"""Plain and async views of one person, under all the options that the tests need."""

import asyncio
import json

from asgiref.sync import sync_to_async
from django.db import transaction
from django.http import Http404, HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.http import condition, require_safe

from etag_versioning.decorators import etag_func, last_modified_func, versioned_condition
from tests.testapp.models import Hidden, Person, Team

# What the next call of a view does after it has been evaluated and before it writes …
before_write = []
# … and what happens to it between the reading of its row and the lock.
before_lock = []
# Work that a view leaves to a task, and when that may go on.
tasks = []
proceed = asyncio.Event()


def show(person):
    return JsonResponse({"name": person.name, "days": person.days, "version": person.version})


def edit(request, pk):
    """Writes in the way that the request's ``X-Write`` names."""
    for step in before_write:
        step()
    how = request.headers.get("X-Write", "save")
    data = json.loads(request.body or "{}")
    if how == "save":
        person = Person.objects.get(pk=pk)
        person.days = data.get("days", person.days + 1)
        person.save()
    elif how == "update":
        Person.objects.filter(pk=pk).update(days=data.get("days", 1))
    elif how == "update many":
        Person.objects.filter(pk__gte=0).update(days=data.get("days", 1))
    elif how == "delete":
        Person.objects.get(pk=pk).delete()
        return HttpResponse(status=204)
    elif how == "delete many":
        Person.objects.filter(pk=pk).delete()
        return HttpResponse(status=204)
    elif how == "roll back":
        person = Person.objects.get(pk=pk)
        try:
            with transaction.atomic():
                person.save()
                raise Http404
        except Http404:
            pass
    elif how == "team":
        team = Team.objects.first()
        Team.objects.update(name="moved")
        team.save()
    elif how == "delete and make again":
        Person.objects.get(pk=pk).delete()
        Person.objects.create(pk=pk, name="again")
    elif how == "delete and write another":
        Person.objects.get(pk=pk).delete()
        Person.objects.update(days=5)
        return HttpResponse(status=204)
    elif how == "set rollback":
        Person.objects.get(pk=pk).save()
        transaction.set_rollback(True)
        return HttpResponse()
    elif how == "write and be stale":
        Person.objects.filter(pk=pk).update(days=99)
        team = Team.objects.get()
        Team.objects.update(name="moved")
        team.save()
    elif how == "raise":
        Person.objects.filter(pk=pk).update(days=99)
        raise Http404
    elif how == "refuse":
        return HttpResponse(status=400)
    return show(Person.objects.get(pk=pk))


def view(request, pk):
    if request.method in ("GET", "HEAD"):
        return show(Person.objects.get(pk=pk))
    return edit(request, pk)


@transaction.atomic
def fail(pk):
    Person.objects.filter(pk=pk).update(days=99)
    raise Failure


@transaction.atomic
def save_and_roll_back(pk):
    Person.objects.get(pk=pk).save()
    transaction.set_rollback(True)


async def save_later(pk):
    await proceed.wait()
    await (await Person.objects.aget(pk=pk)).asave()


class Failure(Exception):
    pass


async def async_view(request, pk):
    if request.method in ("GET", "HEAD"):
        return show(await Person.objects.aget(pk=pk))
    if request.method == "OPTIONS":
        return HttpResponse()
    for step in before_write:
        await sync_to_async(step)()
    how = request.headers.get("X-Write", "save")
    if how == "save":
        person = await Person.objects.aget(pk=pk)
        person.days += 1
        await person.asave()
    elif how == "update":
        await Person.objects.filter(pk=pk).aupdate(days=1)
    elif how == "delete and write another":
        await (await Person.objects.aget(pk=pk)).adelete()
        await Person.objects.aupdate(days=5)
        return HttpResponse(status=204)
    elif how == "roll back":
        await sync_to_async(save_and_roll_back)(pk)
    elif how == "leave to a task":
        tasks.append(asyncio.ensure_future(save_later(pk)))
    elif how == "fail":
        await sync_to_async(fail)(pk)
    elif how == "delete":
        await (await Person.objects.aget(pk=pk)).adelete()
        return HttpResponse(status=204)
    return show(await Person.objects.aget(pk=pk))


def scoped(request, pk):
    if request.headers.get("X-User") != "boss":
        raise Http404
    return Person.objects.filter(pk=pk)


def never(request, **kwargs):
    raise AssertionError("the view must not run")


def error(request, pk):
    return HttpResponse(status=500)


def overtaken(request, pk):
    for step in before_lock:
        step()


async def coroutine_etag(request, pk):
    person = await Person.objects.filter(pk=pk).afirst()
    return person and f"name-{person.name}"


def plain_etag(request, pk):
    person = Person.objects.filter(pk=pk).first()
    return person and f"name-{person.name}"


@versioned_condition(Person)
def guarded(request, pk):
    return view(request, pk)


def logged(request, pk):
    Team.objects.create(name="log")
    return guarded(request, pk=pk)


def elsewhere(request, pk):
    """Its row is on the database "other", its log on "default"."""
    if request.method != "GET":
        Team.objects.create(name="log")
        team = Team.objects.using("other").get()
        Team.objects.using("other").update(name="moved")
        team.save()
    return HttpResponse()


urlpatterns = [
    path("elsewhere/<int:pk>/", versioned_condition(Person.objects.using("other"))(elsewhere)),
    path("logged/<int:pk>/", logged),
    path("unguarded/<int:pk>/", view),
    path("people/<int:pk>/", versioned_condition(Person)(view)),
    path(
        "async/<int:pk>/", transaction.non_atomic_requests(versioned_condition(Person)(async_view))
    ),
    path("optional/<int:pk>/", versioned_condition(Person, if_match="optional")(view)),
    path("report/<int:pk>/", versioned_condition(Person, if_match="report")(view)),
    path(
        "async-optional/<int:pk>/",
        transaction.non_atomic_requests(
            versioned_condition(Person, if_match="optional")(async_view)
        ),
    ),
    path("dated/<int:pk>/", versioned_condition(Person, allow_unmodified_since=True)(view)),
    path("strict/<int:pk>/", versioned_condition(Person, allow_wildcard=False)(view)),
    path("silent/<int:pk>/", versioned_condition(Person, expose_tag=False)(view)),
    path("methods/<int:pk>/", versioned_condition(Person, methods=["GET", "put"])(view)),
    path("never/<int:pk>/", versioned_condition(Person)(never)),
    path("never/<str:pk>/", versioned_condition(Person)(never)),
    path("error/<int:pk>/", versioned_condition(Person)(error)),
    path("scoped/<int:pk>/", versioned_condition(scoped)(view)),
    path(
        "cached/<int:pk>/",
        versioned_condition(Person, cache_control={"public": True, "max_age": 5})(view),
    ),
    path("uncached/<int:pk>/", versioned_condition(Person, cache_control={})(view)),
    path(
        "hidden/<uuid:key>/",
        versioned_condition(Hidden, lookup_field="uuid", lookup_url_kwarg="key")(
            lambda request, key: HttpResponse("shown")
        ),
    ),
    path("overtaken/<int:pk>/", versioned_condition(Person, last_modified_func=overtaken)(view)),
    path(
        "named/<str:name>/",
        versioned_condition(Person, lookup_field="name")(lambda request, name: HttpResponse()),
    ),
    path("own/<int:pk>/", versioned_condition(etag_func=plain_etag)(view)),
    path("own-row/<int:pk>/", versioned_condition(Person, etag_func=plain_etag)(view)),
    path(
        "async-methods/<int:pk>/",
        versioned_condition(Person, methods=["GET", "PUT", "OPTIONS"])(async_view),
    ),
    path("async-own/<int:pk>/", versioned_condition(etag_func=coroutine_etag)(async_view)),
    path(
        "django/<int:pk>/",
        require_safe(condition(etag_func(Person), last_modified_func(Person))(view)),
    ),
    path("django-etag/<int:pk>/", condition(etag_func(Person))(view)),
]
