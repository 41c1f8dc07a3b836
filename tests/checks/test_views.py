"""Plain views under ``versioned_condition``, found by the URLconf."""

import sys
from functools import partial, wraps
from types import ModuleType

import pytest
from django.core import checks
from django.http import HttpResponse
from django.test import override_settings
from django.urls import include, path, re_path
from django.utils.decorators import method_decorator
from django.views import View

from etag_versioning.checks import check_views
from etag_versioning.decorators import file_etag_func, versioned_condition
from tests.testapp.models import Person, Plain, Team


def show(request, **kwargs):
    return HttpResponse()


def found(*routes):
    """What the check says of a URLconf of these routes."""
    module = ModuleType("urls_of_one_test")
    module.urlpatterns = list(routes)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, module.__name__, module)
        with override_settings(ROOT_URLCONF=module.__name__):
            return check_views()


def ids(messages):
    return [message.id for message in messages]


def test_a_view_of_a_model_without_version_is_an_error():
    (message,) = found(path("<int:pk>/", versioned_condition(Plain)(show)))
    assert (message.id, message.level) == ("etag_versioning.E202", checks.ERROR)
    assert "shows testapp.Plain, which has no version" in message.msg
    assert "class Plain(VersionedModel)" in message.hint


@pytest.mark.parametrize("source", [Plain.objects, Plain.objects.filter(pk__gt=0)])
def test_a_view_of_rows_without_version_is_an_error(source):
    assert ids(found(path("<int:pk>/", versioned_condition(source)(show)))) == [
        "etag_versioning.E202"
    ]


def test_a_second_source_without_version_is_an_error():
    view = versioned_condition(Person, Plain.objects.all())(show)
    assert ids(found(path("<int:pk>/", view))) == ["etag_versioning.E202"]


def test_a_wrong_lookup_url_kwarg_is_an_error():
    (message,) = found(path("people/<int:user_id>/", versioned_condition(Person)(show)))
    assert message.id == "etag_versioning.E203"
    assert 'the URL keyword argument "pk"' in message.msg
    assert '"people/<int:user_id>/" does not have it. It has: "user_id".' in message.msg
    assert message.hint == 'lookup_url_kwarg="user_id"'


def test_a_callable_source_with_a_wrong_lookup_url_kwarg_is_an_error():
    def people(request, **kwargs):
        return Person.objects.all()

    view = versioned_condition(people, lookup_url_kwarg="id")(show)
    assert ids(found(path("<int:pk>/", view))) == ["etag_versioning.E203"]


def test_a_file_source_with_a_wrong_lookup_url_kwarg_is_an_error(tmp_path):
    view = versioned_condition(file_etag_func(tmp_path, lookup_url_kwarg="name"))(show)
    assert ids(found(path("<path:file>", view))) == ["etag_versioning.E203"]
    assert ids(found(path("<path:name>", view))) == []


def test_a_wrong_lookup_field_is_an_error():
    view = versioned_condition(Person, lookup_field="nmae", lookup_url_kwarg="name")(show)
    (message,) = found(path("<name>/", view))
    assert message.id == "etag_versioning.E204"
    assert 'has lookup_field = "nmae", but testapp.Person has no such field' in message.msg
    assert "name, days, team" in message.hint


def test_a_wrong_tag_key_is_an_error():
    view = versioned_condition(Person, tag_key="uuid")(show)
    assert ids(found(path("<int:pk>/", view))) == ["etag_versioning.E204"]


@pytest.mark.parametrize("field", ["name", "team__name", "name__iexact", "pk"])
def test_a_lookup_of_the_model_s_own_is_no_error(field):
    view = versioned_condition(Person, lookup_field=field, lookup_url_kwarg="key")(show)
    assert found(path("<key>/", view)) == []


def test_a_source_that_selects_its_row_itself_needs_no_keyword_argument():
    view = versioned_condition(lambda request: Person.objects.all())(show)
    assert found(path("me/", view)) == []


def test_keyword_arguments_of_including_routes_and_of_kwargs_count():
    view = versioned_condition(Person, lookup_url_kwarg="user_id")(show)
    rest = ([path("edit/", view)], "app")
    assert found(path("<int:user_id>/", include(rest))) == []
    assert found(path("", include(rest), {"user_id": 1})) == []
    assert found(path("me/", view, {"user_id": 1})) == []
    assert found(path("me/", partial(view, user_id=1))) == []
    assert found(re_path(r"^(?P<user_id>\d+)/$", view)) == []
    assert ids(found(re_path(r"^(\d+)/$", view))) == ["etag_versioning.E203"]


def test_a_decorated_class_is_checked_in_either_form():
    @method_decorator(versioned_condition(Person), name="dispatch")
    class Inside(View):
        def get(self, request, **kwargs):
            return HttpResponse()

    class Around(View):
        def get(self, request, **kwargs):
            return HttpResponse()

    around = versioned_condition(Person)(Around.as_view())
    assert ids(found(path("<int:id>/", Inside.as_view()))) == ["etag_versioning.E203"]
    assert ids(found(path("<int:id>/", around))) == ["etag_versioning.E203"]
    assert found(path("<int:pk>/", Inside.as_view()), path("a/<int:pk>/", around)) == []


def test_a_decorator_above_ours_hides_nothing():
    view = versioned_condition(Person)(show)

    @wraps(view)
    def above(request, **kwargs):
        return view(request, **kwargs)

    assert ids(found(path("<int:id>/", above))) == ["etag_versioning.E203"]


def test_an_async_view_is_checked():
    @versioned_condition(Team)
    async def view(request, **kwargs):
        return HttpResponse()

    assert ids(found(path("<int:id>/", view))) == ["etag_versioning.E203"]


def test_one_mistake_under_two_routes_is_told_once():
    view = versioned_condition(Plain)(show)
    assert len(found(path("<int:pk>/", view), path("a/<int:pk>/", view))) == 1


@pytest.mark.parametrize("name", ["no_such_urlconf", "tests.checks", None, ""])
def test_a_urlconf_that_cannot_be_imported_is_left_to_django_s_own_check(name):
    with override_settings(ROOT_URLCONF=name):
        assert check_views() == []


def test_the_check_of_views_is_registered():
    module = ModuleType("urls_of_one_test")
    module.urlpatterns = [path("<int:id>/", versioned_condition(Person)(show))]
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, module.__name__, module)
        with override_settings(ROOT_URLCONF=module.__name__):
            assert "etag_versioning.E203" in ids(checks.run_checks(tags=["etag_versioning"]))
