"""The example project's addresses, through Django's own handler."""

import json

import pytest
from django.core.management import call_command

from example_project.catalogue.models import Product
from example_project.directory.models import Office, PhoneNumber, Team, User

pytestmark = [pytest.mark.django_db, pytest.mark.urls("example_project.urls")]

USERS = ["/users/7/", "/async/users/7/", "/api/users/7/"]


@pytest.fixture(scope="module", autouse=True)
def sample_data(django_db_setup, django_db_blocker):
    """Loaded once: each test's own writes are rolled back."""
    with django_db_blocker.unblock():
        call_command("load_sample_data", verbosity=0)
        yield
        for model in (PhoneNumber, User, Team, Office, Product):
            model.objects.all().delete()


def put(client, url, body, **headers):
    content = body if isinstance(body, str | bytes) else json.dumps(body)
    return client.put(url, content, content_type="application/json", headers=headers)


def test_sample_data_are_the_same_each_time():
    def loaded():
        return [
            list(model.objects.values_list(*columns))
            for model, columns in (
                (User, ("id", "username", "biography", "leave_days", "team_id", "office__name")),
                (Product, ("id", "name", "price")),
                (PhoneNumber, ("user_id", "kind", "number")),
            )
        ]

    first = loaded()
    call_command("load_sample_data", "--reset", verbosity=0)
    assert loaded() == first
    counts = [model.objects.count() for model in (User, Product, Team, Office)]
    assert counts == [200, 1000, 6, 3]
    assert User.objects.create(**user_fields("new")).pk > 200


def user_fields(name):
    fields = User.objects.values().get(pk=7)
    for field in ("id", "version", "updated_at"):
        del fields[field]
    return fields | {"username": name, "employee_number": name}


@pytest.mark.parametrize(
    ("url", "cache_control"),
    [
        ("/users/7/", "private, no-cache"),
        ("/async/users/7/", "private, no-cache"),
        ("/django/users/7/", None),
        ("/api/users/7/", "private, no-cache"),
        ("/api/users/", "private, no-cache"),
        ("/api/products/7/", "public, no-cache"),
        ("/api/products/", "public, no-cache"),
        ("/files/handbook.txt", "private, no-cache"),
        ("/", "private, no-cache"),
        ("/about/", "public, max-age=300"),
        ("/stats/", None),
    ],
)
def test_each_address_is_read_and_revalidated(client, url, cache_control):
    full = client.get(url)
    full.getvalue()  # Which closes a file.
    assert full.status_code == 200
    assert full.get("Cache-Control") == cache_control
    again = client.get(url, headers={"If-None-Match": full["ETag"]})
    assert again.status_code == 304
    assert again.content == b""
    assert again["ETag"] == full["ETag"]
    assert again.get("Cache-Control") == cache_control


@pytest.mark.parametrize("url", ["/users/7/", "/api/users/7/"])
def test_304_touches_neither_joins_nor_serializer(client, url, django_assert_num_queries):
    tag = client.get(url)["ETag"]
    with django_assert_num_queries(1) as queries:
        assert client.get(url, headers={"If-None-Match": tag}).status_code == 304
    for table in ("team", "office", "phonenumber"):
        assert table not in queries[0]["sql"]
    assert "biography" not in queries[0]["sql"]


@pytest.mark.parametrize("url", ["/users/7/", "/api/users/7/"])
def test_a_representation_that_was_read_can_be_put_back(client, url):
    read = client.get(url)
    body = read.json() | {"leave_days": 25, "team_id": 2}
    written = put(client, url, body, **{"If-Match": read["ETag"]})
    assert written.status_code == 200
    assert written["Content-Location"] == url
    assert written["ETag"] == client.get(url)["ETag"] != read["ETag"]
    assert written.json()["leave_days"] == User.objects.get(pk=7).leave_days == 25
    assert written.json()["team"]["id"] == 2
    stale = put(client, url, body, **{"If-Match": read["ETag"]})
    assert stale.status_code == 412
    assert stale["ETag"] == stale.json()["current_etag"] == written["ETag"]
    assert put(client, url, body).status_code == 428


@pytest.mark.parametrize("url", ["/users/7/", "/api/users/7/"])
def test_patch_and_delete_are_guarded(client, url):
    tag = client.get(url)["ETag"]
    answer = client.patch(
        url, {"desk": "Z1"}, content_type="application/json", headers={"If-Match": tag}
    )
    assert answer.status_code == 200
    assert User.objects.get(pk=7).desk == "Z1"
    assert client.delete(url, headers={"If-Match": tag}).status_code == 412
    assert client.delete(url, headers={"If-Match": answer["ETag"]}).status_code == 204
    assert client.get(url).status_code == 404


DEEP = "[" * 10_000
BAD_BODIES = [
    "",
    "{",
    "[]",
    "null",
    '"x"',
    DEEP,
    b"\xff\xfe",
    '{"leave_days": -1}',
    '{"leave_days": 99999999999999999999}',
    '{"leave_days": {"a": 1}}',
    '{"team_id": 9999}',
    '{"username": "a\\u0000b"}',
    '{"hired_on": "never"}',
    '{"is_active": []}',
    "NaN",
    '{"leave_days": Infinity}',
    '{"team_id": 1e400}',
    '{"hired_on": true}',
    '{"hired_on": 20}',
    '{"desk": "\\ud800"}',
    '{"desk": "x", "desk": ["y"]}',
]


@pytest.mark.parametrize("body", BAD_BODIES)
@pytest.mark.parametrize("url", ["/users/7/", "/api/users/7/"])
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_bad_content_is_400_and_writes_nothing(client, url, body, method):
    if url.startswith("/api/") and method == "PATCH" and not body:
        pytest.skip("DRF takes it for no fields")
    before = User.objects.values().get(pk=7)
    answer = client.generic(
        method,
        url,
        body,
        content_type="application/json",
        headers={"If-Match": client.get(url)["ETag"]},
    )
    assert answer.status_code == 400
    assert User.objects.values().get(pk=7) == before


@pytest.mark.parametrize("url", USERS)
def test_other_methods_are_405(client, url):
    answer = client.post(url, {}, content_type="application/json")
    assert answer.status_code == 405
    assert "PUT" in answer["Allow"]
    assert client.options(url).status_code in (200, 204)


@pytest.mark.parametrize("url", ["/", "/files/handbook.txt", "/about/"])
@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_an_address_without_a_row_is_read_only(client, url, method):
    answer = getattr(client, method)(url, headers={"If-Match": "*"})
    assert answer.status_code == 405
    assert set(answer["Allow"].split(", ")) - {"OPTIONS"} == {"GET", "HEAD"}


@pytest.mark.parametrize("name", ["../settings.py", "%2e%2e/urls.py", "/etc/passwd", "x", "."])
def test_files_are_those_of_the_folder(client, name):
    assert client.get(f"/files/{name}").status_code == 404


@pytest.mark.parametrize("url", ["/users/{}/", "/async/users/{}/", "/api/users/{}/"])
@pytest.mark.parametrize("key", ["0", "201", "99999999999999999999", "x"])
def test_unknown_users_are_404(client, url, key):
    address = url.format(key)
    for method in (client.get, client.put, client.delete):
        assert method(address, headers={"If-Match": "*"}).status_code == 404


def test_a_created_user_is_where_the_answer_says(client):
    fields = {name.removesuffix("_id"): value for name, value in user_fields("new").items()}
    fields |= {"team_id": fields.pop("team"), "office_id": fields.pop("office")}
    answer = client.post("/api/users/", fields, content_type="application/json")
    assert answer.status_code == 201
    read = client.get(answer["Location"])
    assert read["ETag"] == answer["ETag"]
    assert read.json() == answer.json()


def test_stats_are_hashed_by_django(client):
    tag = client.get("/stats/")["ETag"]
    User.objects.filter(pk=7).delete()
    assert client.get("/stats/", headers={"If-None-Match": tag}).status_code == 200
