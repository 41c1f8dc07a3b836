"""``manage.py etag_doctor``, for projects with and without Django REST framework."""

import json
from io import StringIO

import pytest
from django.contrib.auth.mixins import LoginRequiredMixin
from django.core import checks
from django.core.cache import caches
from django.core.checks.registry import registry
from django.core.management import CommandError, call_command
from django.db import Error, connections
from django.http import HttpResponse
from django.urls import path
from django.utils.decorators import method_decorator
from django.views.generic import DetailView

from etag_versioning.conf import settings as package_settings
from etag_versioning.decorators import versioned_condition
from etag_versioning.runtime_audit.findings import Findings
from tests.testapp.models import Person


@versioned_condition(Person)
def card(request, pk):
    return HttpResponse("card")


@versioned_condition(Person, if_match="optional", methods=["GET", "PUT"])
def page(request, pk):
    return HttpResponse("page")


@versioned_condition(lambda request, pk: Person.objects.filter(pk=pk))
def chosen(request, pk):
    return HttpResponse("chosen")


@method_decorator(versioned_condition(Person), name="dispatch")
class CardBase(DetailView):
    model = Person


class MembersCard(LoginRequiredMixin, CardBase):
    """The mixin's dispatch() comes first."""


def plain(request):
    return HttpResponse("plain")


urlpatterns = [
    path("cards/<int:pk>/", card),
    path("pages/<int:pk>/", page),
    path("chosen/<int:pk>/", chosen),
    path("members/<int:pk>/", MembersCard.as_view()),
    path("plain/", plain),
]

pytestmark = [pytest.mark.django_db(databases="__all__"), pytest.mark.urls(__name__)]


def examine(*arguments):
    """What the command writes, and the code that it ends with."""
    output, code = StringIO(), 0
    try:
        call_command("etag_doctor", *arguments, stdout=output)
    except CommandError as error:
        code = error.returncode
    return output.getvalue(), code


def report():
    return json.loads(examine("--json")[0])


def view(name):
    return next(each for each in report()["views"] if each["view"] == f"{__name__}.{name}")


def model(label):
    return next(each for each in report()["models"] if each["model"] == label)


def test_a_versioned_model_has_its_columns():
    found = model("testapp.Person")
    assert (found["version"], found["timestamp"]) == ("version", "updated_at")
    assert found["state_in"] == "testapp.Person"


def test_a_child_has_its_state_in_the_parents_table():
    assert model("testapp.Restaurant")["state_in"] == "testapp.Place"


def test_a_model_that_only_touches_has_no_state_and_its_touches():
    found = model("testapp.Cover")
    assert (found["version"], found["touches"]) == (None, ["book"])


def test_a_model_names_its_unversioned_fields():
    assert model("testapp.Place")["unversioned_fields"] == ["visits"]


def test_a_model_has_the_status_of_its_trigger_in_each_database():
    assert model("testapp.Person")["triggers"]["default"] == "none"


def test_a_decorated_view_names_model_reads_and_writes():
    assert view("card") == {
        "view": f"{__name__}.card",
        "route": "cards/<int:pk>/",
        "by": "versioned_condition",
        "model": "testapp.Person",
        "reads": "before the view",
        "writes": dict.fromkeys(["POST", "PUT", "PATCH", "DELETE"], "required"),
    }


def test_a_decorated_view_has_its_own_methods_and_if_match():
    assert view("page")["writes"] == {"PUT": "optional"}


def test_a_class_whose_base_is_decorated_below_a_mixin_is_there():
    found = view("MembersCard")
    assert (found["by"], found["model"]) == ("versioned_condition", "testapp.Person")


def test_a_view_whose_rows_are_chosen_for_each_request_has_no_model():
    assert view("chosen")["model"] is None


def test_other_routes_are_counted():
    assert report()["other_routes"] == 1


def test_the_json_has_these_fields():
    assert set(report()) == {
        "format",
        "healthy",
        "problems",
        "versions",
        "settings",
        "middleware",
        "caches",
        "databases",
        "models",
        "views",
        "other_routes",
        "messages",
        "audit",
    }
    assert report()["format"] == 1


def test_settings_say_where_they_come_from(settings):
    settings.ETAG_VERSIONING = {"IF_MATCH": "strong"}
    found = {each["name"]: each for each in report()["settings"]}
    assert found["IF_MATCH"] == {"name": "IF_MATCH", "value": "strong", "from": "ETAG_VERSIONING"}
    assert found["ETAG_ON_PUT"] == {"name": "ETAG_ON_PUT", "value": True, "from": "default"}


@pytest.mark.parametrize(
    ("revision", "shown"), [("", "not set"), ("3f2a1b", "set"), (plain, f"{__name__}.plain")]
)
def test_the_revision_is_set_or_not(settings, revision, shown):
    settings.ETAG_VERSIONING = {"REVISION": revision}
    (found,) = [each for each in report()["settings"] if each["name"] == "REVISION"]
    assert found["value"] == shown


def test_a_setting_that_is_wrong_is_told_and_the_report_goes_on(settings):
    settings.ETAG_VERSIONING = {"STALE_WRITES": "shrug", "AUDIT": {"rate": 1}}
    output, code = examine()
    assert code == 1
    assert "E001: ETAG_VERSIONING[\"STALE_WRITES\"] is 'shrug'" in output
    assert "testapp.Person" in output


def test_the_middleware_for_validators_is_listed_in_its_order(settings):
    settings.MIDDLEWARE = [
        "django.middleware.http.ConditionalGetMiddleware",
        "django.middleware.common.CommonMiddleware",
        "etag_versioning.middleware.StaleWriteMiddleware",
    ]
    assert report()["middleware"] == [
        "django.middleware.http.ConditionalGetMiddleware",
        "etag_versioning.middleware.StaleWriteMiddleware",
    ]


def test_no_secret_is_in_the_report(settings):
    settings.SECRET_KEY = "swordfish"
    settings.CACHES = {
        **settings.CACHES,
        "redis": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "redis://user:swordfish@host",
        },
    }
    assert "swordfish" not in examine("--json")[0] + examine()[0]
    assert report()["caches"]["redis"] == "django.core.cache.backends.redis.RedisCache"


def test_what_a_check_says_stands_with_its_object_and_its_code(settings):
    settings.MIDDLEWARE = [
        "django.middleware.common.CommonMiddleware",
        "django.middleware.http.ConditionalGetMiddleware",
    ]
    (found,) = [each for each in report()["messages"] if each["id"] == "etag_versioning.W101"]
    assert (found["level"], found["about"]) == ("warning", "project")
    assert found["hint"].startswith("MIDDLEWARE = [")
    output, code = examine()
    assert code == 1
    assert "    W101: " in output
    assert "        MIDDLEWARE = [" in output


def test_the_checks_of_a_deployment_are_run(monkeypatch):
    def check_deployment(app_configs, **kwargs):
        return [checks.Info("told at a deployment", id="etag_versioning.I999")]

    check_deployment.tags = ["etag_versioning"]
    monkeypatch.setattr(registry, "deployment_checks", {check_deployment})
    found = report()
    assert "etag_versioning.I999" in {each["id"] for each in found["messages"]}
    assert found["problems"] == []


def test_a_silenced_check_says_nothing(settings):
    settings.MIDDLEWARE = [
        "django.middleware.common.CommonMiddleware",
        "django.middleware.http.ConditionalGetMiddleware",
    ]
    settings.SILENCED_SYSTEM_CHECKS = ["etag_versioning.W101"]
    assert "etag_versioning.W101" not in {each["id"] for each in report()["messages"]}


def test_a_database_that_does_not_answer_is_told_and_the_report_goes_on(monkeypatch):
    def fail():
        raise Error("password authentication failed for user olga")

    monkeypatch.setattr(connections["other"], "ensure_connection", fail)
    found = report()
    assert found["databases"]["other"]["error"] == "Error"
    assert found["databases"]["default"]["error"] is None
    assert 'The database "other" does not answer: Error.' in found["problems"]
    assert "olga" not in examine()[0]


class TestAudit:
    @pytest.fixture(autouse=True)
    def audit(self, settings, tmp_path):
        backend = "django.core.cache.backends.filebased.FileBasedCache"
        settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": str(tmp_path)}}
        settings.ETAG_VERSIONING = {"AUDIT": {"sample_rate": 0.5}}

    def test_what_it_counted_is_shown(self):
        findings = Findings(package_settings.audit)
        findings.count_comparison()
        findings.count_comparison()
        findings.note_difference("shop.views.item", "items/<int:pk>/", ["price"])
        found = report()["audit"]
        assert (found["on"], found["compared"], found["differences"]) == (True, 2, 1)
        assert found["last"][0]["parts"] == ["price"]
        output, code = examine()
        assert code == 1
        assert "  in 30 days: 2 compared, 1 different" in output
        assert "shop.views.item (items/<int:pk>/): price" in output

    def test_without_a_difference_there_is_no_problem(self):
        Findings(package_settings.audit).count_comparison()
        assert report()["problems"] == []

    def test_a_cache_that_each_process_has_of_its_own_is_a_problem(self, settings):
        backend = "django.core.cache.backends.locmem.LocMemCache"
        settings.CACHES = {"default": {"BACKEND": backend}}
        found = report()
        assert found["audit"]["shared"] is False
        assert found["problems"] == [
            'The audit needs a cache that all processes share, and "default" is LocMemCache.'
        ]

    def test_a_cache_that_does_not_answer_is_a_problem(self, monkeypatch):
        def fail(*args, **kwargs):
            raise ConnectionError("redis://user:password@host")

        monkeypatch.setattr(type(caches["default"]), "get_many", fail)
        found = report()
        assert found["audit"]["error"] == "ConnectionError"
        assert found["problems"] == [
            'The cache "default" of the audit does not answer: ConnectionError.'
        ]

    def test_off_it_shows_how_it_is_switched_on(self, settings):
        settings.ETAG_VERSIONING = {}
        assert report()["audit"] == {"on": False}
        assert '"AUDIT": {"sample_rate": 0.01}' in examine()[0]


def test_a_trigger_that_is_gone_is_a_problem(monkeypatch):
    monkeypatch.setattr(
        "etag_versioning.doctor.report.triggers_of", lambda alias: {Person: "missing"}
    )
    assert 'The trigger of testapp.Person is missing in "default".' in report()["problems"]
    assert "testapp.Person: state: version, updated_at; trigger: missing" in examine()[0]


def test_the_text_fits_into_100_columns():
    lines = examine()[0].splitlines()
    assert [line for line in lines if len(line) > 100 and not line.startswith("        ")] == []
