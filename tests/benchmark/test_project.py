"""``manage.py etag_benchmark``, of this project's own addresses and of a live server's."""

import json
import subprocess
import sys
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.http import HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.http import conditional_page

from etag_versioning.decorators import versioned_condition
from tests.testapp.models import Person

for name in ("httpx", "rich"):
    pytest.importorskip(name, reason="the extra bench is not installed")

pytestmark = pytest.mark.urls(__name__)


@versioned_condition(Person, lookup_url_kwarg="pk")
def person_detail(request, pk):
    person = Person.objects.get(pk=pk)
    if request.method == "PUT":
        person.name = json.loads(request.body)["name"]
        person.save()
    list(Person.objects.all())
    return JsonResponse({"name": person.name, "note": "long " * 200})


@conditional_page
def secret(request):
    if request.headers.get("Authorization") != "Bearer abc":
        return HttpResponse(status=401)
    return HttpResponse("for you")


urlpatterns = [path("people/<int:pk>/", person_detail), path("secret/", secret)]


@pytest.fixture
def ada(transactional_db, monkeypatch):
    """A row, and a connection that is kept: opening one takes a statement on MariaDB."""
    connection.close()
    monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", None)
    yield Person.objects.create(name="Ada")
    connection.close()


@pytest.fixture
def server(settings, request):
    """The live server, which wants to know where static files are."""
    settings.STATIC_URL = "/static/"
    return request.getfixturevalue("live_server")


def measured(*arguments):
    out = StringIO()
    call_command("etag_benchmark", "--json", "--iterations", "10", *arguments, stdout=out)
    return json.loads(out.getvalue())


def test_statements_of_own_addresses(ada):
    address = f"/people/{ada.pk}/"
    (target,) = measured(address, "--write")["targets"]
    requests = target["requests"]
    assert target["url"] == f"http://testserver{address}"
    assert {kind: figures["statuses"] for kind, figures in requests.items()} == {
        "full": {"200": 10},
        "hit": {"304": 10},
        "miss": {"200": 10},
        "write": {"200": 10},
        "stale": {"412": 10},
    }
    assert requests["hit"]["statements"] == 1
    assert requests["full"]["statements"] > 1
    assert requests["write"]["statements"] > requests["stale"]["statements"] > 0
    for figures in requests.values():
        assert 0 < figures["sql_ms"] < figures["p99_ms"]
    ada.refresh_from_db()
    # One before the run, those of the warm-up, and those that were measured.
    assert (ada.name, ada.version) == ("Ada", 1 + 1 + 10 + 10)


def test_the_handler_s_time_is_without_the_client_s(ada, monkeypatch):
    import time

    import httpx

    send = httpx.Client.send

    def slowly(*arguments, **options):
        time.sleep(0.05)
        return send(*arguments, **options)

    monkeypatch.setattr(httpx.Client, "send", slowly)
    (target,) = measured(f"/people/{ada.pk}/", "--iterations", "2")["targets"]
    assert target["requests"]["hit"]["p50_ms"] < 50
    # Of two durations the median is the mean, and one client makes its inverse in a second.
    hit = target["requests"]["hit"]
    assert hit["per_second"] * hit["p50_ms"] == pytest.approx(1000)


def test_a_live_server_and_the_handler_in_one_run(ada, server):
    address = f"/people/{ada.pk}/"
    wire, handler = measured(server.url + address, "--compare", address)["targets"]
    assert wire["url"] == server.url + address
    assert wire["requests"]["hit"]["statuses"] == {"304": 10}
    assert wire["requests"]["hit"]["statements"] is None
    assert handler["requests"]["hit"]["statements"] == 1
    # Servers add headers of their own.
    assert wire["requests"]["hit"]["bytes"] > handler["requests"]["hit"]["bytes"]
    assert wire["etag"] == handler["etag"]


def test_writers_that_meet_at_a_live_server(ada, server):
    arguments = ["--write", "--concurrency", "4", "--iterations", "20"]
    (target,) = measured(f"{server.url}/people/{ada.pk}/", *arguments)["targets"]
    writes = target["requests"]["write"]["statuses"]
    ada.refresh_from_db()
    assert sum(writes.values()) == 20
    assert set(writes) <= {"200", "412", "503"}
    assert writes["200"] > 0


def test_the_command_prints_its_figures(ada):
    out = StringIO()
    call_command("etag_benchmark", f"/people/{ada.pk}/", "--iterations", "5", stdout=out)
    text = out.getvalue()
    for part in ("full", "304: 5", "SQL ms", "saved by each hit", "saved where 80% are hits"):
        assert part in text
    assert max(map(len, text.splitlines())) <= 100
    # No title is broken into two lines.
    assert any("per second" in line and "SQL ms" in line for line in text.splitlines())


@pytest.mark.parametrize(
    ("allowed", "host"),
    [([".example.com"], "example.com"), (["*"], "localhost"), (["::1", "127.0.0.1"], "127.0.0.1")],
)
def test_credentials_and_hosts(settings, allowed, host):
    settings.ALLOWED_HOSTS = allowed
    with pytest.raises(CommandError, match="401"):
        measured("/secret/")
    (target,) = measured("/secret/", "--header", "Authorization: Bearer abc")["targets"]
    assert target["requests"]["full"]["statements"] == 0
    assert target["url"] == f"http://{host}/secret/"


def test_a_project_that_redirects_to_https(settings):
    settings.MIDDLEWARE = ["django.middleware.security.SecurityMiddleware"]
    settings.SECURE_SSL_REDIRECT = True
    (target,) = measured("/secret/", "--header", "Authorization: Bearer abc")["targets"]
    assert target["url"] == "https://testserver/secret/"


def test_debug_is_said_of_own_addresses_alone(settings, capsys):
    arguments = ("/secret/", "--header", "Authorization: Bearer abc")
    measured(*arguments)
    assert capsys.readouterr().err == ""
    settings.DEBUG = True
    measured(*arguments)
    assert "DEBUG is on" in capsys.readouterr().err
    with pytest.raises(CommandError):
        measured("ftp://x/")
    assert capsys.readouterr().err == ""


def test_several_clients_need_a_server():
    with pytest.raises(CommandError, match=r"address: http://127\.0\.0\.1:8000/secret/"):
        measured("/secret/", "--concurrency", "2")


@pytest.mark.parametrize("missing", ["httpx", "rich", "matplotlib"])
def test_a_missing_package_is_named_with_its_extra(missing, tmp_path):
    """Each of its packages is named where it is absent, with what installs it."""
    (tmp_path / f"{missing}.py").write_text(
        f"raise ModuleNotFoundError('No module', name={missing!r})"
    )
    done = subprocess.run(
        [sys.executable, "-m", "etag_versioning.benchmark", "http://x/", "--plot", "x.svg"],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(tmp_path)},
    )
    assert done.returncode == 1
    message = f"The benchmark needs {missing}: pip install 'django-etag-versioning[bench]'\n"
    assert done.stderr.endswith(message)
    assert "Traceback" not in done.stderr


def test_other_missing_modules_are_not_hidden(monkeypatch):
    monkeypatch.setitem(sys.modules, "etag_versioning.benchmark.measure", None)
    monkeypatch.delitem(sys.modules, "etag_versioning.benchmark.run", raising=False)
    with pytest.raises(ModuleNotFoundError):
        call_command("etag_benchmark", "/secret/")


def test_it_costs_nothing_to_those_who_do_not_use_it():
    code = (
        "import django, sys; django.setup(); "
        "from django.core.management import load_command_class; "
        "load_command_class('etag_versioning', 'etag_benchmark'); "
        "assert not {'httpx', 'rich', 'matplotlib'} & set(sys.modules)"
    )
    subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        env={"DJANGO_SETTINGS_MODULE": "tests.settings", "PYTHONPATH": "."},
    )
