"""W205 and W206: deployments that change no tag. ``check --deploy`` runs them."""

import pytest
from django.contrib.auth.mixins import LoginRequiredMixin
from django.core import checks
from django.core.management import call_command
from django.http import FileResponse, HttpResponse
from django.urls import path
from django.utils.decorators import method_decorator
from django.views.generic import DetailView

from etag_versioning.checks import check_revision
from etag_versioning.decorators import (
    file_etag_func,
    revision_etag_func,
    versioned_condition,
)
from tests.testapp.models import Person


@versioned_condition(Person, fingerprint=True)
def visible(request, pk):
    return HttpResponse(Person.objects.get(pk=pk).name)


@versioned_condition(Person, fingerprint=True)
def invisible(request, pk):
    return HttpResponse(open("note.txt").read())


@versioned_condition(Person)
def without(request, pk):
    return HttpResponse(open("note.txt").read())


@versioned_condition(file_etag_func("/srv/files", "name"))
def download(request, name):
    return FileResponse(open(name, "rb"))


@versioned_condition(Person, revision_etag_func("1"))
def revised(request, pk):
    return HttpResponse("shown")


class Routes:
    """A URLconf."""

    def __init__(self, *views):
        self.urlpatterns = [path(f"{view.__name__}/<int:pk>/", view) for view in views]


@pytest.fixture
def found(settings):
    """A function that returns what the check says of a project with these views."""

    def run(*views, **options):
        settings.ETAG_VERSIONING = options
        settings.ROOT_URLCONF = Routes(*views)
        return check_revision()

    return run


def test_views_whose_code_is_in_their_tags_are_clean(found):
    assert found(visible) == []


def test_code_that_cannot_be_seen_is_a_warning(found):
    (message,) = found(visible, invisible)
    assert (message.id, message.level) == ("etag_versioning.W205", checks.WARNING)
    assert f"{__name__}.invisible: open() reads a file" in message.msg
    assert '"REVISION": revision_from_files(BASE_DIR)' in message.hint


def test_a_plain_view_without_a_fingerprint_is_a_warning(found):
    (message,) = found(visible, without)
    assert message.id == "etag_versioning.W206"
    assert message.msg.endswith(f"old content: {__name__}.without.")
    assert "versioned_condition(..., fingerprint=True)" in message.hint


def test_a_class_whose_base_is_decorated_below_a_mixin_is_a_warning_too(found):
    @method_decorator(versioned_condition(Person), name="dispatch")
    class Below(DetailView):
        model = Person

    class Above(LoginRequiredMixin, Below):
        pass

    (message,) = found(visible, Above.as_view())
    assert message.id == "etag_versioning.W206"
    assert "Above" in message.msg


def test_a_long_list_is_cut(found):
    def view(number):
        @versioned_condition(Person)
        def page(request, pk):
            return HttpResponse("shown")

        page.__qualname__ = page.__name__ = f"page{number}"
        return page

    (message,) = found(*map(view, range(8)))
    assert message.msg.endswith("; and 3 more.")


@pytest.mark.parametrize("view", [download, revised])
def test_a_tag_of_a_file_or_of_a_revision_is_clean(found, view):
    assert found(view) == []


def test_a_revision_makes_all_clean(found):
    assert found(invisible, without, REVISION="2026-01-01") == []


def test_only_a_deployment_is_checked(settings, capsys):
    settings.ROOT_URLCONF = Routes(without)
    call_command("check", "--tag", "etag_versioning")
    assert "W206" not in capsys.readouterr().err
    call_command("check", "--tag", "etag_versioning", "--deploy")
    assert "W206" in capsys.readouterr().err
