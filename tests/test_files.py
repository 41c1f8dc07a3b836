"""The tags of files, on disk and in storages."""

import os
import time

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, InMemoryStorage, Storage
from django.db.models import FileField
from django.db.models.fields.files import FieldFile
from django.http import FileResponse, HttpResponse
from django.test import Client
from django.urls import path
from django.utils.http import http_date
from django.views.decorators.http import condition

from etag_versioning.decorators import file_etag_func, file_last_modified_func, versioned_condition

LONG_AGO = 1_700_000_000_123_456_789

folder = None  # Set by the fixture: a function names it.


def in_folder(request, name):
    return folder


def serve(request, name):
    return FileResponse((folder / name).open("rb"))


urlpatterns = [
    path("versioned/<path:name>", versioned_condition(file_etag_func(in_folder, "name"))(serve)),
    path(
        "django/<path:name>",
        condition(file_etag_func(in_folder, "name"), file_last_modified_func(in_folder, "name"))(
            serve
        ),
    ),
]

# The end of an answer looks at connections, of which other tests leave some open.
pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


@pytest.fixture(autouse=True)
def file(tmp_path, monkeypatch):
    """One file, in a folder beside which lies another."""
    monkeypatch.setattr(f"{__name__}.folder", tmp_path / "public")
    folder.mkdir()
    (tmp_path / "secret.txt").write_text("secret")
    (folder / "inner").mkdir()
    file = folder / "a.txt"
    file.write_text("content")
    os.utime(file, ns=(LONG_AGO, LONG_AGO))
    return file


def ask(method, url, **headers):
    """An answer whose content has been read, into ``body``, and whose file is closed."""
    answer = getattr(Client(), method)(url, headers=headers)
    answer.body = answer.getvalue()
    answer.close()
    return answer


def get(url, **headers):
    return ask("get", url, **headers)


@pytest.fixture(params=["versioned", "django"])
def url(request):
    return f"/{request.param}/a.txt"


def test_a_file_is_read_and_revalidated(url):
    full = get(url)
    assert (full.status_code, full.body) == (200, b"content")
    assert full["Last-Modified"] == http_date(LONG_AGO // 10**9 + 1)
    for headers in (
        {"If-None-Match": full["ETag"]},
        {"If-Modified-Since": full["Last-Modified"]},
    ):
        again = get(url, **headers)
        assert (again.status_code, again.body) == (304, b"")
        assert again["ETag"] == full["ETag"]
        assert again["Last-Modified"] == full["Last-Modified"]


def test_head_is_get_without_content(url):
    full, head = get(url), ask("head", url)
    for header in ("ETag", "Last-Modified", "Content-Length", "Content-Type"):
        assert head[header] == full[header]
    assert ask("head", url, **{"If-None-Match": full["ETag"]}).status_code == 304


def test_a_304_opens_no_file(url, monkeypatch):
    tag = get(url)["ETag"]

    def never(*args, **kwargs):
        raise AssertionError("the file must not be opened")

    monkeypatch.setattr("io.open", never)
    monkeypatch.setattr("builtins.open", never)
    assert get(url, **{"If-None-Match": tag}).status_code == 304
    with pytest.raises(AssertionError):
        get(url)


def test_one_look_at_the_entry_serves_tag_and_date(url, file, monkeypatch):
    tag = get(url)["ETag"]
    looks, stat = [], os.stat

    def counted(path, **options):
        looks.append(path)
        return stat(path, **options)

    with monkeypatch.context() as patched:
        patched.setattr(os, "stat", counted)
        assert get(url, **{"If-None-Match": tag}).status_code == 304
    assert looks == [str(file)]


def test_a_touch_in_the_same_second_changes_the_tag(url, file):
    tag = get(url)["ETag"]
    os.utime(file, ns=(LONG_AGO, LONG_AGO + 1))
    answer = get(url, **{"If-None-Match": tag})
    assert answer.status_code == 200
    assert answer["ETag"] != tag


def test_another_size_at_the_same_time_changes_the_tag(url, file):
    tag = get(url)["ETag"]
    file.write_text("longer content")
    os.utime(file, ns=(LONG_AGO, LONG_AGO))
    assert get(url)["ETag"] != tag


def test_files_of_one_size_and_time_have_their_own_tags(file):
    other = folder / "b.txt"
    other.write_text("another")
    os.utime(other, ns=(LONG_AGO, LONG_AGO))
    first, second = (get(f"/versioned/{name}.txt") for name in "ab")
    assert first["Content-Length"] == second["Content-Length"]
    assert first["ETag"] != second["ETag"]


@pytest.mark.parametrize(
    ("ago", "shown"),
    [(0.2, True), (0.002, False)],
    ids=["later than the clock's tick", "in it"],
)
def test_a_file_has_no_tag_as_long_as_its_time_can_stay_the_same(
    url, file, monkeypatch, ago, shown
):
    monkeypatch.setattr(time, "time_ns", lambda: LONG_AGO + int(ago * 10**9))
    answer = get(url)
    assert answer.status_code == 200
    assert ("ETag" in answer) is shown


@pytest.mark.parametrize(("ago", "shown"), [(0.9, False), (1.1, True)])
def test_a_clock_of_whole_seconds_ticks_once_in_a_second(url, file, monkeypatch, ago, shown):
    second = LONG_AGO // 10**9 * 10**9
    os.utime(file, ns=(second, second))
    monkeypatch.setattr(time, "time_ns", lambda: second + int(ago * 10**9))
    assert ("ETag" in get(url)) is shown


OUTSIDE = [
    "../secret.txt",
    "%2e%2e/secret.txt",
    "inner/../../secret.txt",
    "/etc/passwd",
    "..%2fsecret.txt",
]
MISSING = ["b.txt", "inner", "a.txt/b", "a%00", "%00", "x" * 5000, "%ff%fe", ".", "inner/.."]


@pytest.mark.parametrize("name", OUTSIDE + MISSING)
@pytest.mark.parametrize("method", ["get", "head", "put"])
@pytest.mark.parametrize("headers", [{}, {"If-None-Match": "*"}, {"If-Match": '"x"'}])
def test_a_name_that_is_no_file_in_the_folder_is_404_before_the_view(name, method, headers):
    answer = ask(method, f"/versioned/{name}", **headers)
    assert answer.status_code == 404
    assert "ETag" not in answer
    assert b"secret" not in answer.body


@pytest.mark.parametrize(
    "name", ["../secret.txt", "b.txt", "inner", "a\0", "x" * 5000, "/etc/passwd"]
)
def test_the_functions_return_none_for_it(rf, name):
    request = rf.get("/")
    assert file_etag_func(folder, "name")(request, name=name) is None
    assert file_last_modified_func(folder, "name")(request, name=name) is None


class Remote(Storage):
    """As on another host: no path, and each question is one round trip."""

    def __init__(self):
        self.inner = InMemoryStorage()
        self.asked = []

    def size(self, name):
        self.asked.append("size")
        return self.inner.size(name)

    def get_modified_time(self, name):
        self.asked.append("time")
        return self.inner.get_modified_time(name)

    def open(self, name, mode="rb"):
        raise AssertionError("the content must not be read")


class TestStorages:
    def test_on_disk_are_as_paths_are(self, rf, file):
        storage = FileSystemStorage(folder)
        by_storage = file_etag_func(storage, "name")(rf.get("/"), name="a.txt")
        assert by_storage == file_etag_func(folder, "name")(rf.get("/"), name="a.txt")
        assert file_etag_func(storage, "name")(rf.get("/"), name="../secret.txt") is None

    @pytest.mark.parametrize("use_tz", [True, False])
    def test_elsewhere_are_asked_for_size_and_time_alone(self, rf, settings, use_tz):
        settings.USE_TZ = use_tz
        storage = Remote()
        storage.inner.save("a.txt", ContentFile("content"))
        view = versioned_condition(file_etag_func(storage, "name"))(
            lambda request, name: HttpResponse()
        )
        time.sleep(0.02)
        full = view(rf.get("/"), name="a.txt")
        again = view(rf.get("/", headers={"If-None-Match": full["ETag"]}), name="a.txt")
        assert again.status_code == 304
        assert storage.asked == ["size", "time"] * 2
        moment = storage.inner.get_modified_time("a.txt").timestamp()
        tag = full["ETag"]
        assert int(tag.rpartition(".")[2].partition("-")[0], 16) == round(moment * 10**6) * 1000
        storage.inner.delete("a.txt")
        storage.inner.save("a.txt", ContentFile("changed"))
        time.sleep(0.02)
        assert view(rf.get("/"), name="a.txt")["ETag"] != tag

    @pytest.mark.parametrize("name", ["b.txt", "../a.txt", ""])
    def test_have_no_tag_for_what_is_not_there(self, rf, name):
        assert file_etag_func(Remote(), "name")(rf.get("/"), name=name) is None

    def test_values_of_file_fields(self, rf):
        storage = FileSystemStorage(folder)
        field = FileField(storage=storage)
        of = lambda name: FieldFile(None, field, name)  # noqa: E731
        tag = file_etag_func(lambda request, name: of(name))
        assert tag(rf.get("/"), name="a.txt") == file_etag_func(storage, "name")(
            rf.get("/"), name="a.txt"
        )
        assert tag(rf.get("/"), name=None) is None
        assert tag(rf.get("/"), name="b.txt") is None


def test_the_place_of_a_file_is_a_path_a_string_or_a_callable(rf, file):
    for place in (file, str(file), lambda request: file):
        assert file_etag_func(place)(rf.get("/")).startswith('"file-')
    assert file_etag_func(lambda request: None)(rf.get("/")) is None


def test_a_broken_disk_is_no_missing_file(rf):
    """What a function raises that names the file is its own."""

    def broken(request):
        raise OSError("disk")

    with pytest.raises(OSError, match="disk"):
        file_etag_func(broken)(rf.get("/"))


@pytest.mark.parametrize("place", [FileSystemStorage(), None, 5])
def test_a_place_that_names_no_file(place):
    with pytest.raises(ImproperlyConfigured, match=r"lookup_url_kwarg=\"name\""):
        file_etag_func(place)
