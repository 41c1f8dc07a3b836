"""
One user, three ways: a plain view, an async view, and Django's own ``condition``;
and what has no row: the start page, files, a page of the project's own text, numbers.
"""

import os
from pathlib import Path

from asgiref.sync import sync_to_async
from django.db import transaction
from django.db.models import Count
from django.forms import model_to_dict
from django.http import FileResponse, Http404, HttpResponse, JsonResponse
from django.shortcuts import aget_object_or_404, get_object_or_404, render
from django.views.decorators.http import condition, conditional_page, require_safe
from django.views.generic import TemplateView

from etag_versioning import __version__
from etag_versioning.decorators import (
    etag_func,
    file_etag_func,
    last_modified_func,
    revision_etag_func,
    versioned_condition,
)

from .forms import BadRequest, UserForm
from .management.commands.create_demo_logins import LOGINS, PASSWORD
from .models import Office, Team, User

# The folder of /files/.
FILES = Path(os.environ.get("FILES", Path(__file__).parents[1] / "files"))

# What the two editors of the start page edit.
EDITED_FIELDS = ("first_name", "last_name", "job_title", "desk", "leave_days", "biography")

METHODS = ("GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS")

users = User.objects.select_related("team", "office").prefetch_related("phone_numbers")


def user_as_dict(user):
    """What the client sees of a user; the names are the model fields'."""
    return {
        "id": user.pk,
        "version": user.version,
        "updated_at": user.updated_at,
        **model_to_dict(user, UserForm._meta.fields),
        "team_id": user.team_id,
        "office_id": user.office_id,
        "team": model_to_dict(user.team, ["id", "name", "purpose"]),
        "office": model_to_dict(user.office, ["id", "name", "city", "country"]),
        "phone_numbers": [
            {"kind": phone.kind, "number": phone.number} for phone in user.phone_numbers.all()
        ],
    }


def written(request, user):
    """The answer to a write: what the client would now get from the same address."""
    return JsonResponse(user_as_dict(user), headers={"Content-Location": request.path})


def allow(methods):
    return HttpResponse(status=204, headers={"Allow": ", ".join(methods)})


@versioned_condition(User, lookup_url_kwarg="user_id", methods=METHODS)
def user_detail(request, user_id):
    if request.method == "OPTIONS":
        return allow(METHODS)
    user = get_object_or_404(users, pk=user_id)
    if request.method == "DELETE":
        user.delete()
        return HttpResponse(status=204)
    if request.method in ("PUT", "PATCH"):
        try:
            form = UserForm.from_request(request, user)
        except BadRequest as error:
            return JsonResponse(error.errors, status=400)
        if not form.is_valid():
            return JsonResponse(form.errors, status=400)
        return written(request, form.save())
    return JsonResponse(user_as_dict(user))


# An async view cannot run inside of a transaction, whatever ATOMIC_REQUESTS says.
@transaction.non_atomic_requests
@versioned_condition(User, lookup_url_kwarg="user_id", methods=METHODS)
async def async_user_detail(request, user_id):
    if request.method == "OPTIONS":
        return allow(METHODS)
    user = await aget_object_or_404(users, pk=user_id)
    if request.method == "DELETE":
        await user.adelete()
        return HttpResponse(status=204)
    if request.method in ("PUT", "PATCH"):
        try:
            form = UserForm.from_request(request, user)
        except BadRequest as error:
            return JsonResponse(error.errors, status=400)
        if not await sync_to_async(form.is_valid)():
            return JsonResponse(form.errors, status=400)
        await form.instance.asave()
        return written(request, form.instance)
    return JsonResponse(user_as_dict(user))


@require_safe
@condition(
    etag_func(User, lookup_url_kwarg="user_id"),
    last_modified_func(User, lookup_url_kwarg="user_id"),
)
def django_user_detail(request, user_id):
    return JsonResponse(user_as_dict(get_object_or_404(users, pk=user_id)))


def edited_user():
    """The key of the user that the start page edits: the README's, or the first there is."""
    keys = User.objects.values_list("pk", flat=True)
    return keys.filter(pk=7).first() or keys.first()


# The page shows a key and text. Its editors load the row's fields by their own requests.
@versioned_condition(
    revision_etag_func(__version__),
    etag_extra=lambda request: [str(edited_user())],
    fingerprint=True,
    methods=("GET", "HEAD"),
)
def two_editors(request):
    fields = [(name, User._meta.get_field(name).verbose_name) for name in EDITED_FIELDS]
    context = {
        "editors": ("Ada", "Grace"),
        "fields": fields,
        "user_id": edited_user(),
        "logins": LOGINS,
        "password": PASSWORD,
    }
    response = render(request, "directory/two_editors.html", context)
    # Scripts and styles are files of this server, and nothing else may run.
    response["Content-Security-Policy"] = "default-src 'self'"
    return response


@versioned_condition(file_etag_func(FILES, lookup_url_kwarg="name"), methods=("GET", "HEAD"))
def download(request, name):
    try:
        return FileResponse((FILES / name).open("rb"))
    except FileNotFoundError:
        raise Http404 from None  # Deleted since its tag was made.


about = versioned_condition(
    revision_etag_func(__version__), cache_control={"public": True, "max_age": 300}
)(TemplateView.as_view(template_name="directory/about.html"))


@require_safe
@conditional_page
def stats(request):
    """No version stands for these numbers: Django hashes the rendered page."""
    return JsonResponse(
        {
            "users": User.objects.count(),
            "active_users": User.objects.filter(is_active=True).count(),
            "teams": list(Team.objects.order_by("name").values("name", size=Count("users"))),
            "offices": list(Office.objects.order_by("name").values("name", size=Count("users"))),
        }
    )
