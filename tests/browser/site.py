"""What the browser visits: people to edit after a login, and a journal of its requests."""

from dataclasses import dataclass

from django.urls import include, path
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticatedOrReadOnly
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter

from tests.rest_framework.views import PersonViewSet

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


router = SimpleRouter()
router.register("people", EditedViewSet)

urlpatterns = [*router.urls, path("accounts/", include("rest_framework.urls"))]
