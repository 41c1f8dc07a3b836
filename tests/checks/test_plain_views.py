"""What the code of views under ``versioned_condition`` reads, and what stands around them."""

import sys
from types import ModuleType

import pytest
from django.contrib.auth.decorators import login_required, permission_required, user_passes_test
from django.contrib.auth.mixins import LoginRequiredMixin, PermissionRequiredMixin
from django.core import checks
from django.db import models
from django.forms import model_to_dict
from django.http import Http404, HttpResponse, HttpResponseForbidden, JsonResponse
from django.shortcuts import get_object_or_404
from django.test import override_settings
from django.test.utils import isolate_apps
from django.urls import path
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import cache_control, never_cache
from django.views.generic import DeleteView, DetailView, UpdateView

from etag_versioning import etag_extra
from etag_versioning.checks import check_views
from etag_versioning.decorators import revision_etag_func, versioned_condition
from etag_versioning.generic import VersionedDeleteView, VersionedUpdateView
from etag_versioning.models import TouchingMixin, VersionedModel
from tests.testapp.models import Person, Plain

with isolate_apps("tests.testapp"):

    class Team(models.Model):
        name = models.CharField(max_length=50)

        class Meta:
            app_label = "testapp"

    class Player(VersionedModel):
        name = models.CharField(max_length=50)
        team = models.ForeignKey(Team, models.CASCADE, related_name="players")

        class Meta:
            app_label = "testapp"

    class Goal(TouchingMixin):
        touches = ("player",)

        player = models.ForeignKey(Player, models.CASCADE, related_name="goals")
        minute = models.IntegerField()

        class Meta:
            app_label = "testapp"


def show(request, **kwargs):
    return HttpResponse()


def found(view, route="<int:pk>/"):
    """What the check says of a URLconf with this view."""
    module = ModuleType("urls_of_one_test")
    module.urlpatterns = [path(route, view)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, module.__name__, module)
        with override_settings(ROOT_URLCONF=module.__name__):
            return check_views()


def ids(messages):
    return [message.id.removeprefix("etag_versioning.") for message in messages]


# W208: rows of other models.


def test_a_local_function_that_calls_itself_hides_no_other_row():
    @versioned_condition(Player)
    def view(request, pk):
        def factorial(number):
            return number * factorial(number - 1) if number else 1

        return HttpResponse([Player.objects.get(pk=pk).team.name, factorial(3)])

    assert ids(found(view)) == ["W208"]


def test_a_model_that_the_code_names_and_no_source_does_is_a_warning():
    @versioned_condition(Player)
    def view(request, pk):
        return JsonResponse({"teams": list(Team.objects.values("name"))})

    (message,) = found(view)
    assert (message.id, message.level) == ("etag_versioning.W208", checks.WARNING)
    assert "shows testapp.Team (its code), whose writes do not change the tag" in message.msg
    assert "versioned_condition(…, etag_extra=[Team.objects.all()])" in message.hint


def test_a_relation_of_the_row_is_a_warning_with_touches_as_hint():
    @versioned_condition(Player)
    def view(request, pk):
        player = get_object_or_404(Player.objects.select_related("team"), pk=pk)
        return JsonResponse({"name": player.name, "team": player.team.name})

    (message,) = found(view)
    assert message.id == "etag_versioning.W208"
    assert 'class Team(TouchingMixin): touches = ("players",)' in message.hint


def as_dict(player):
    return {"name": player.name, "team": model_to_dict(player.team)}


def test_what_a_helper_of_the_view_reads_is_a_warning():
    @versioned_condition(Player)
    async def view(request, pk):
        return JsonResponse(as_dict(await Player.objects.aget(pk=pk)))

    assert ids(found(view)) == ["W208"]


def test_the_code_of_a_class_is_read():
    class PlayerView(DetailView):
        model = Player

        def get_context_data(self, **kwargs):
            return super().get_context_data(team=self.object.team.name, **kwargs)

    assert ids(found(versioned_condition(Player)(PlayerView.as_view()))) == ["W208"]


def test_the_code_under_other_decorators_is_read():
    @login_required
    @versioned_condition(Player)
    @cache_control(private=True)
    def view(request, pk):
        return JsonResponse({"teams": Team.objects.count()})

    assert ids(found(view)) == ["W208"]


def test_rows_that_touch_the_row_are_no_warning():
    @versioned_condition(Player)
    def view(request, pk):
        player = Player.objects.get(pk=pk)
        return JsonResponse({"goals": [goal.minute for goal in player.goals.all()]})

    assert found(view) == []


def test_further_sources_and_etag_extra_are_no_warning():
    def view(request, pk):
        return JsonResponse({"teams": Team.objects.count(), "people": Person.objects.count()})

    assert found(versioned_condition(Player, Person.objects.all(), etag_extra=[Team])(view)) == []

    def extra(request, pk):
        return [Team.objects.filter(players=pk), Person.objects.count()]

    assert found(versioned_condition(Player, etag_extra=extra)(view)) == []
    assert ids(found(versioned_condition(Player, etag_extra=[Team])(view))) == ["W208"]


def test_what_only_a_write_reads_is_no_warning():
    @versioned_condition(Player)
    def view(request, pk):
        player = Player.objects.get(pk=pk)
        if request.method == "DELETE":
            return HttpResponse(Team.objects.count())
        if request.method in ("PUT", "PATCH"):
            player.team = Team.objects.get(name=request.body)
            player.save()
        elif request.method != "GET":
            raise Http404(Team.objects.first().name)
        return JsonResponse({"name": player.name})

    assert found(view) == []


def test_a_row_that_a_read_writes_is_no_warning():
    @versioned_condition(Player)
    def view(request, pk):
        Plain.objects.create(name="read")
        return JsonResponse({"name": Player.objects.get(pk=pk).name})

    assert found(view) == []


def test_a_view_whose_tag_is_of_no_row_is_no_warning():
    @versioned_condition(revision_etag_func("1"))
    def view(request):
        return HttpResponse(Team.objects.count())

    assert found(view, "") == []


# W213 and W214.


def test_a_view_that_asks_for_the_user_is_a_warning():
    def view(request, pk):
        return HttpResponse(request.user.username)

    (message,) = found(versioned_condition(Player)(view))
    assert message.id == "etag_versioning.W213"
    assert message.hint.startswith("versioned_condition(…, etag_extra=[etag_extra.user])")
    assert found(versioned_condition(Player, etag_extra=[etag_extra.user])(view)) == []
    assert found(versioned_condition(Player, etag_extra=etag_extra.user)(view)) == []


def test_a_view_whose_source_finds_the_rows_of_the_user_is_no_warning():
    def rows(request, pk):
        return Player.objects.filter(name=request.user.username)

    def view(request, pk):
        return HttpResponse(Player.objects.get(name=request.user.username).name)

    assert found(versioned_condition(rows, lookup_field="pk")(view)) == []


def test_a_view_that_asks_the_clock_is_a_warning():
    @versioned_condition(Player)
    def view(request, pk):
        return HttpResponse(timezone.now().isoformat())

    assert ids(found(view)) == ["W214"]


# E205: who may read is decided after the 304.


@pytest.mark.parametrize(
    "decorator", [login_required, permission_required("a.b"), user_passes_test(lambda user: True)]
)
def test_versioned_condition_above_a_decorator_that_decides_access_is_an_error(decorator):
    (message,) = found(versioned_condition(Person)(decorator(show)))
    assert (message.id, message.level) == ("etag_versioning.E205", checks.ERROR)
    assert message.hint.endswith("above @versioned_condition(Person).")
    assert found(decorator(versioned_condition(Person)(show))) == []


def test_other_decorators_in_between_hide_nothing():
    view = cache_control(private=True)(login_required(show))
    assert ids(found(never_cache(versioned_condition(Person)(view)))) == ["E205", "W211"]


@pytest.mark.parametrize("mixin", [LoginRequiredMixin, PermissionRequiredMixin])
def test_versioned_condition_above_a_mixin_that_decides_access_is_an_error(mixin):
    class Around(mixin, View):
        permission_required = "a.b"

        def get(self, request, pk):
            return HttpResponse()

    @method_decorator(versioned_condition(Person), name="dispatch")
    class Inside(Around):
        pass

    for view in (versioned_condition(Person)(Around.as_view()), Inside.as_view()):
        (message,) = found(view)
        assert message.id == "etag_versioning.E205"
        assert "[login_required, versioned_condition(Person)]" in message.hint


def test_a_mixin_above_a_decorated_class_is_no_error():
    @method_decorator(versioned_condition(Person), name="dispatch")
    class Below(View):
        def get(self, request, pk):
            return HttpResponse()

    class Above(LoginRequiredMixin, Below):
        pass

    assert found(Above.as_view()) == []


def test_the_order_in_one_method_decorator_counts():
    class Base(View):
        def get(self, request, pk):
            return HttpResponse()

    ours = versioned_condition(Person)
    wrong = method_decorator([ours, login_required], name="dispatch")(type("A", (Base,), {}))
    right = method_decorator([login_required, ours], name="dispatch")(type("B", (Base,), {}))
    assert ids(found(wrong.as_view())) == ["E205"]
    assert found(right.as_view()) == []


def test_an_async_view_below_login_required_is_checked():
    @versioned_condition(Person)
    @login_required
    async def view(request, pk):
        return HttpResponse()

    assert ids(found(view)) == ["E205"]


def test_a_source_that_asks_for_the_user_is_no_error():
    def own(request, pk):
        return Person.objects.filter(name=request.user.username)

    view = versioned_condition(own, lookup_field="pk")(login_required(show))
    assert found(view) == []


# W210: views that write without preconditions.


@pytest.mark.parametrize(
    ("base", "ours"), [(UpdateView, VersionedUpdateView), (DeleteView, VersionedDeleteView)]
)
def test_a_generic_view_that_writes_a_versioned_model_is_a_warning(base, ours):
    class Writing(base):
        model = Person
        fields = ("name",)

    (message,) = found(Writing.as_view())
    assert (message.id, message.level) == ("etag_versioning.W210", checks.WARNING)
    assert "Writing writes testapp.Person without preconditions" in message.msg
    assert f"class Writing({ours.__name__})" in message.hint
    assert "versioned_condition(Person)(Writing.as_view())" in message.hint
    guarding = type("Guarding", (ours,), {"model": Person, "fields": ("name",)})
    assert found(guarding.as_view()) == []
    assert found(versioned_condition(Person)(Writing.as_view())) == []
    assert found(login_required(versioned_condition(Person)(Writing.as_view()))) == []


def test_a_generic_view_whose_model_the_urlconf_names_is_a_warning():
    view = UpdateView.as_view(queryset=Person.objects.all(), fields=["name"])
    assert ids(found(view)) == ["W210"]


def test_a_generic_view_of_a_model_without_version_is_no_warning():
    assert found(UpdateView.as_view(model=Plain, fields=["name"])) == []


def test_a_generic_view_that_only_reads_is_no_warning():
    assert found(DetailView.as_view(model=Person)) == []


# W211.


@pytest.mark.parametrize("decorator", [never_cache, cache_control(no_store=True)])
def test_a_view_whose_answers_nobody_may_store_is_a_warning(decorator):
    above = decorator(versioned_condition(Person)(show))
    below = versioned_condition(Person)(decorator(show))
    for view in (above, below):
        (message,) = found(view)
        assert message.id == "etag_versioning.W211"
        assert 'cache_control={"no_store": True}' in message.hint


def test_the_view_s_own_no_store_is_no_warning():
    assert found(versioned_condition(Person, cache_control={"no_store": True})(show)) == []


# Strange projects.


def test_a_view_whose_source_cannot_be_read_is_no_error():
    code = compile("def view(request, pk): return HttpResponse(Team.objects.count())", "?", "exec")
    names = {"Team": Team, "HttpResponse": HttpResponse}
    exec(code, names)
    assert found(versioned_condition(Player)(names["view"])) == []


def test_a_view_that_is_no_function_is_no_error():
    class Callable:
        __name__ = __qualname__ = "callable"

        def __call__(self, request, pk):
            return HttpResponseForbidden()

    assert found(versioned_condition(Player)(Callable())) == []
