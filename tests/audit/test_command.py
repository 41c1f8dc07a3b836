"""``manage.py etag_audit``."""

import json
from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.http import HttpResponse
from django.urls import path

from etag_versioning.decorators import versioned_condition
from tests.audit.models import Recipe


@versioned_condition(Recipe)
def lying_page(request, pk):
    return HttpResponse(Recipe.objects.get(pk=pk).kitchen.name)


@versioned_condition(Recipe)
def honest_page(request, pk):
    return HttpResponse(Recipe.objects.get(pk=pk).title)


@versioned_condition(Recipe)
def greeting(request, pk):
    return HttpResponse(f"Hello {request.user}")


urlpatterns = [
    path("lying/<int:pk>/", lying_page),
    path("honest/<int:pk>/", honest_page),
    path("greeting/<int:pk>/", greeting),
]

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


@pytest.fixture(autouse=True)
def debug(settings):
    settings.DEBUG = True
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
    settings.MIDDLEWARE = [
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ]


def audit(*arguments):
    """What the command writes, and the error that it ends with."""
    output, error = StringIO(), None
    try:
        call_command("etag_audit", *arguments, stdout=output)
    except CommandError as raised:
        error = raised
    return output.getvalue(), error


def test_an_honest_address(recipe):
    output, error = audit(f"/honest/{recipe.pk}/")
    assert error is None
    assert output == (
        f"/honest/{recipe.pk}/\n"
        "  model         tag follows  304 reads it  remarks\n"
        "  audit.Recipe  yes          yes           follows what is not shown: a deleted row, "
        "based_on, kitchen, owner\n"
        "\n"
        "The tag followed each change of the answer.\n"
    )


def test_an_address_whose_tag_lies(recipe):
    output, error = audit(f"/honest/{recipe.pk}/", f"/lying/{recipe.pk}/")
    assert (str(error), error.returncode) == (f"These tags lie: /lying/{recipe.pk}/", 1)
    assert "  audit.Kitchen  NO           no            ignores name\n" in output
    assert "304 although audit.Kitchen changed (name): line 1 of the answer differs.\n" in output
    assert 'In audit.Kitchen:\n    touches = ("recipes",)\n' in output


def test_for_programs(recipe):
    output, error = audit(f"/lying/{recipe.pk}/", "--json")
    (report,) = json.loads(output)
    assert error.returncode == 1
    assert report["honest"] is False
    (kitchen,) = [model for model in report["models"] if model["model"] == "audit.Kitchen"]
    assert kitchen["tag_follows"] == "NO"
    assert kitchen["lies"] == ["name"]
    assert report["mends"] == [
        {"where": "audit.Kitchen", "code": 'touches = ("recipes",)', "hint": ""}
    ]


def test_with_a_user(recipe):
    output, error = audit(f"/greeting/{recipe.pk}/", "--user", "olga")
    assert error.returncode == 1
    assert "user olga sees something else than the client as it is" in output
    assert User.objects.get().last_login is None


def test_a_user_who_is_not_there():
    _, error = audit("/honest/1/", "--user", "nobody")
    assert (str(error), error.returncode) == ("There is no user nobody.", 2)


def test_an_address_that_is_not_there():
    _, error = audit("/honest/0/")
    assert error.returncode == 2
    assert "was answered 404" in str(error)


def test_a_database_in_use_needs_force(recipe, settings):
    settings.DEBUG = False
    output, error = audit(f"/honest/{recipe.pk}/")
    assert (output, error.returncode) == ("", 2)
    assert "add --force" in str(error)
    assert audit(f"/honest/{recipe.pk}/", "--force")[1] is None


@pytest.mark.parametrize("hosts", [[".example.org"], ["::1", "localhost"]])
def test_a_host_that_the_project_answers_to(recipe, settings, hosts):
    settings.ALLOWED_HOSTS = hosts
    assert audit(f"/honest/{recipe.pk}/")[1] is None


def test_the_number_of_rows(recipe):
    output, _ = audit(f"/lying/{recipe.pk}/", "--rows", "1", "--json")
    assert max(model["rows"] for model in json.loads(output)[0]["models"]) == 1
