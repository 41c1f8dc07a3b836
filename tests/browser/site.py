"""
What the browser visits: people to edit after a login, by the browsable API, in the admin and by
generic views; and a journal of its requests.
"""

from dataclasses import dataclass
from pathlib import Path

from django.contrib import admin
from django.urls import include, path
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticatedOrReadOnly
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter

from etag_versioning.contrib.admin import VersionedAdmin
from etag_versioning.generic import VersionedDeleteView, VersionedUpdateView
from tests.rest_framework.views import PersonViewSet
from tests.testapp.models import Person, Team

# No script may stand in a page itself. DRF's own pages have a style in them.
POLICY = "default-src 'self'; style-src 'self' 'unsafe-inline'"

SETTINGS = {
    "ROOT_URLCONF": "tests.browser.site",
    "SESSION_ENGINE": "django.contrib.sessions.backends.signed_cookies",
    "MIDDLEWARE": [
        "tests.browser.site.Journal",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
    ],
    "TEMPLATES": [
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "DIRS": [Path(__file__).parent / "templates"],
            "OPTIONS": {
                "context_processors": [
                    "django.template.context_processors.request",
                    "django.contrib.auth.context_processors.auth",
                    "django.contrib.messages.context_processors.messages",
                ]
            },
        }
    ],
}


@dataclass(frozen=True)
class Exchange:
    method: str
    path: str
    status: int
    if_match: str | None
    if_none_match: str | None


# What has reached the site.
journal = []


def writes():
    """The writes that have reached the site, the login aside."""
    safe = ("GET", "HEAD", "OPTIONS")
    return [one for one in journal if one.method not in safe and one.path.startswith("/people/")]


class Journal:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        response["Content-Security-Policy"] = POLICY
        asked = [request.headers.get(name) for name in ("If-Match", "If-None-Match")]
        journal.append(Exchange(request.method, request.path, response.status_code, *asked))
        return response


class EditedViewSet(PersonViewSet):
    permission_classes = [IsAuthenticatedOrReadOnly]

    @action(detail=True, methods=["post"])
    def rename(self, request, pk=None):
        person = self.get_object()
        person.name = request.data["name"]
        person.save()
        return Response({"renamed": person.name})


class PersonAdmin(VersionedAdmin):
    list_display = ["id", "name", "days"]
    list_editable = ["name", "days"]


class PersonInline(admin.TabularInline):
    model = Person
    extra = 0


class TeamAdmin(VersionedAdmin):
    inlines = [PersonInline]


admin_site = admin.AdminSite()
admin_site.register(Person, PersonAdmin)
admin_site.register(Team, TeamAdmin)


class PersonUpdate(VersionedUpdateView):
    model = Person
    fields = ["name", "days"]
    template_name = "person_form.html"
    success_url = "/edit/{id}/"


class PersonDelete(VersionedDeleteView):
    model = Person
    template_name = "person_confirm_delete.html"
    success_url = "/people/"


router = SimpleRouter()
router.register("people", EditedViewSet)

urlpatterns = [
    *router.urls,
    path("accounts/", include("rest_framework.urls")),
    path("admin/", admin_site.urls),
    path("edit/<int:pk>/", PersonUpdate.as_view()),
    path("delete/<int:pk>/", PersonDelete.as_view()),
]
