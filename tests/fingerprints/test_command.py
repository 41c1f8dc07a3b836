"""``manage.py etag_fingerprints``."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.http import HttpResponse
from django.urls import path
from django.views.generic import TemplateView

from etag_versioning.code.fingerprint import forget
from etag_versioning.decorators import revision_etag_func, versioned_condition
from tests.testapp.models import Person

GREETING = "Hello"


@versioned_condition(Person, fingerprint=True)
def page(request, pk):
    return HttpResponse(GREETING)


@versioned_condition(Person)
def note(request, pk):
    return HttpResponse(open("note.txt").read())


about = versioned_condition(revision_etag_func("1"))(TemplateView.as_view(template_name="a.html"))

urlpatterns = [
    path("page/<int:pk>/", page),
    path("again/<int:pk>/", page),
    path("note/<int:pk>/", note),
    path("about/", about),
]

pytestmark = pytest.mark.urls(__name__)


def run(*arguments):
    """What the command writes, and the error that it ends with."""
    output, error = StringIO(), None
    try:
        call_command("etag_fingerprints", *arguments, stdout=output)
    except CommandError as raised:
        error = raised
    return output.getvalue(), error


def test_each_view_is_listed_once_with_its_fingerprint():
    output, error = run()
    assert error is None
    names = [line.split()[1] for line in output.splitlines() if not line.startswith(" ")]
    own = f"{__name__}."
    assert names == ["django.views.generic.base.TemplateView", f"{own}note", f"{own}page"]


def test_what_cannot_be_seen_is_listed_below_its_view():
    lines = run()[0].splitlines()
    place = next(number for number, line in enumerate(lines) if f"{__name__}.note" in line)
    assert lines[place].endswith("(not in its tags: fingerprint=True is missing)")
    assert lines[place + 1] == f"    cannot be seen: {__name__}.note: open() reads a file"


def test_the_output_is_the_same_each_time():
    first = run("--json")
    forget()
    assert run("--json") == first


def test_json_has_what_write_stores(tmp_path):
    run("--write", str(tmp_path / "stored.json"))
    assert (tmp_path / "stored.json").read_text("utf-8") == run("--json")[0]
    assert json.loads(run("--json")[0])["views"][f"{__name__}.page"]["in_tags"] is True


def test_unchanged_fingerprints_pass(tmp_path):
    stored = str(tmp_path / "stored.json")
    run("--write", stored)
    output, error = run("--check", stored)
    assert error is None
    assert output == f"No fingerprint has changed since {stored} was written.\n"


def test_a_changed_constant_is_named_and_ends_with_1(tmp_path, monkeypatch):
    stored = str(tmp_path / "stored.json")
    run("--write", stored)
    monkeypatch.setitem(globals(), "GREETING", "Welcome")
    forget()
    output, error = run("--check", stored)
    forget()
    assert error.returncode == 1
    assert output == f"{__name__}.page\n    changed  {__name__}.GREETING\n"


def test_a_changed_setting_is_named(tmp_path, settings):
    stored = str(tmp_path / "stored.json")
    run("--write", stored)
    settings.TIME_ZONE = "Asia/Tokyo"
    output, error = run("--check", stored)
    assert error.returncode == 1
    assert f"{__name__}.page\n    changed  settings.TIME_ZONE\n" in output


def test_a_new_part_and_one_that_is_gone_are_named(tmp_path):
    stored = tmp_path / "stored.json"
    run("--write", str(stored))
    content = json.loads(stored.read_text("utf-8"))
    entry = content["views"][f"{__name__}.page"]
    entry["fingerprint"] = "another"
    entry["parts"]["shop.helper"] = entry["parts"].pop(f"{__name__}.GREETING")
    stored.write_text(json.dumps(content), "utf-8")
    output, _ = run("--check", str(stored))
    assert output.splitlines() == [
        f"{__name__}.page",
        "    gone     shop.helper",
        f"    new      {__name__}.GREETING",
    ]


def test_a_view_that_is_new_or_gone_is_named(tmp_path):
    stored = tmp_path / "stored.json"
    run("--write", str(stored))
    content = json.loads(stored.read_text("utf-8"))
    content["views"]["shop.page"] = content["views"].pop(f"{__name__}.page")
    stored.write_text(json.dumps(content), "utf-8")
    output, error = run("--check", str(stored))
    assert error.returncode == 1
    assert output.splitlines() == ["shop.page", "    gone", f"{__name__}.page", "    new"]


def test_another_python_is_told_in_place_of_each_function(tmp_path):
    stored = tmp_path / "stored.json"
    run("--write", str(stored))
    content = json.loads(stored.read_text("utf-8"))
    content["everywhere"]["Python"] = "cpython 3.9.0"
    for entry in content["views"].values():
        entry["fingerprint"] = "another"
    stored.write_text(json.dumps(content), "utf-8")
    output, error = run("--check", str(stored))
    assert error.returncode == 1
    assert "changed" not in output
    assert output.splitlines()[-1].startswith("These were written by cpython 3.9.0, and this is ")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"views": []}', '{"views": {}}'])
def test_a_file_of_something_else_ends_with_2(tmp_path, text):
    stored = tmp_path / "stored.json"
    stored.write_text(text)
    _, error = run("--check", str(stored))
    assert error.returncode == 2
    assert "etag_fingerprints --write" in str(error)


def test_a_file_that_is_missing_ends_with_2(tmp_path):
    _, error = run("--check", str(tmp_path / "missing.json"))
    assert error.returncode == 2
