"""What views write in ways of their own: in one transaction, and with the tag of the next GET."""

from contextlib import nullcontext

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.db.models.signals import post_save
from rest_framework.test import APIClient

from tests.rest_framework import views
from tests.testapp.models import Chapter, Person, Renamed, Team

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.rest_framework.write_views")]


@pytest.fixture
def client():
    return APIClient()


@pytest.fixture
def person():
    return Person.objects.create(name="a", team=Team.objects.create(name="t"))


def patch(url, data, tag=None, format="json"):
    tag = APIClient().get(url)["ETag"] if tag is None else tag
    return APIClient().patch(url, data, format=format, headers={"If-Match": tag})


def assert_answers_as_the_next_get(answer, url):
    assert answer.status_code == 200, answer.content
    assert answer["ETag"] == APIClient().get(url)["ETag"]


def test_nested_rows_are_written_with_it_or_not_at_all(client, person):
    url = f"/nested/{person.pk}/"
    tag = client.get(url)["ETag"]
    data = {"name": "b", "team": {"name": "u"}}
    assert_answers_as_the_next_get(patch(url, data, tag), url)
    assert Team.objects.get().name == "u"
    assert patch(url, {"team": {"name": "v"}}, tag).status_code == 412
    assert Team.objects.get().name == "u"


def test_many_to_many_and_a_generated_column(client):
    chapter = Chapter.objects.create(team=Team.objects.create(name="t"))
    tagged = [Renamed.objects.create(name=name).pk for name in "ab"]
    url = f"/chapters/{chapter.pk}/"
    tag = client.get(url)["ETag"]
    answer = patch(url, {"pages": 3, "tagged": tagged}, tag)
    assert_answers_as_the_next_get(answer, url)
    assert set(answer.json()["tagged"]) == set(tagged)
    # Relations alone are a new state too: the row is saved with them.
    assert_answers_as_the_next_get(patch(url, {"tagged": tagged[:1]}, answer["ETag"]), url)
    assert client.get(url, headers={"If-None-Match": answer["ETag"]}).status_code == 200
    assert patch(url, {"tagged": tagged}, tag).status_code == 412
    assert chapter.tagged.count() == 1


def test_a_view_without_a_serializer(client, person):
    url = f"/removal/{person.pk}/"
    assert client.delete(url).status_code == 428
    tag = client.delete(url, headers={"If-Match": '"x"'})["ETag"]
    assert client.delete(url, headers={"If-Match": tag}).status_code == 204


def test_a_file_is_stored_with_a_current_tag_alone(client, person):
    url = f"/uploads/{person.pk}/"
    tag = client.get(url)["ETag"]
    for status in (200, 412):
        file = SimpleUploadedFile("name.txt", b"from a file")
        answer = patch(url, {"file": file}, tag, format="multipart")
        assert answer.status_code == status
        assert answer["ETag"] == client.get(url)["ETag"]
    assert Person.objects.get().name == "from a file"


@pytest.mark.parametrize(
    ("kind", "expected"), [("extra", ("b", 9)), ("service", ("renamed", 1)), ("raw", ("b", 8))]
)
def test_hooks_of_the_views_own(client, person, kind, expected):
    url = f"/{kind}/{person.pk}/"
    tag = client.get(url)["ETag"]
    assert_answers_as_the_next_get(patch(url, {"name": "b", "days": 1}, tag), url)
    assert Person.objects.values_list("name", "days").get() == expected
    assert patch(url, {"name": "c"}, tag).status_code == 412


@pytest.mark.parametrize("first_try", [False, True])
def test_a_queryset_update_in_a_signal_is_part_of_the_guarded_write(client, person, first_try):
    """After another, where there is a first try, whose savepoint is rolled back."""

    def save_again(sender, instance, **kwargs):
        with transaction.atomic() if first_try else nullcontext():
            Person.objects.filter(pk=instance.pk).update(days=5)
            transaction.set_rollback(first_try)
        Person.objects.filter(pk=instance.pk).update(days=6)

    url = f"/people/{person.pk}/"
    tag = client.get(url)["ETag"]
    post_save.connect(save_again, Person)
    try:
        assert_answers_as_the_next_get(patch(url, {"name": "b"}, tag), url)
        answer = client.post("/people/", {"name": "c"})
        assert answer["ETag"] == client.get(answer["Location"])["ETag"]
    finally:
        post_save.disconnect(save_again, Person)
    assert set(Person.objects.values_list("days", flat=True)) == {6}


def test_validation_sees_the_current_row(client, person):
    url = f"/seeing/{person.pk}/"
    Person.objects.update(days=5)
    assert patch(url, {"days": 4}).status_code == 400
    assert patch(url, {"days": 6}).status_code == 200


def test_a_trigger_and_columns_that_the_database_fills(client):
    answer = client.post("/triggered/", {"name": "a", "weight": 1}, format="json")
    assert answer.status_code == 201
    url = answer["Location"]
    assert answer["ETag"] == client.get(url)["ETag"]
    tag = answer["ETag"]
    assert_answers_as_the_next_get(patch(url, {"weight": 5}, tag), url)
    assert client.get(url).json()["doubled"] == 12
    assert patch(url, {"weight": 5}, tag).status_code == 412


def test_a_default_of_the_database(client):
    """A row that another program inserted has its state from the columns' defaults."""
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO testapp_person (name, days) VALUES ('a', 1)")
    url = f"/people/{Person.objects.get().pk}/"
    headers = {"If-Match": client.get(url)["ETag"]}
    answer = client.put(url, {"name": "b", "days": 1}, format="json", headers=headers)
    assert_answers_as_the_next_get(answer, url)
    assert patch(url, {"name": "c"}, headers["If-Match"]).status_code == 412


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("atomic_requests", [False, True])
def test_a_lost_write_takes_what_was_written_before_it(race, person, atomic_requests):
    if connection.vendor == "sqlite":
        pytest.skip("the other writer waits until this request has ended")
    connection.settings_dict["ATOMIC_REQUESTS"] = atomic_requests
    url = f"/nested/{person.pk}/"
    tag = APIClient().get(url)["ETag"]
    views.before_write.append(lambda: race(lambda: Person.objects.update(days=50)))
    try:
        answer = patch(url, {"days": 1, "team": {"name": "lost"}}, tag)
    finally:
        views.before_write.clear()
        connection.settings_dict["ATOMIC_REQUESTS"] = False
    assert answer.status_code == 412
    assert Team.objects.get().name == "t"
    assert Person.objects.get().days == 50


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("isolation", ["repeatable", "strictest"], indirect=True)
@pytest.mark.usefixtures("isolation")
def test_in_any_state_no_old_version_of_a_row_is_counted_on_from(race, person):
    if connection.vendor == "sqlite":
        pytest.skip("the other writer waits until this request has ended")
    connection.settings_dict["ATOMIC_REQUESTS"] = True
    views.before_write.append(lambda: race(lambda: Person.objects.update(days=50)))
    try:
        answer = patch(f"/overtaken/{person.pk}/", {}, "*")
    finally:
        views.before_write.clear()
        connection.settings_dict["ATOMIC_REQUESTS"] = False
    assert (answer.status_code, Person.objects.get().days) in [(200, 51), (503, 50)]
