"""django-simple-history: each write leaves a history row, with the state that its row got."""

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import IntegrityError, models, transaction
from django.urls import include, path
from rest_framework.routers import SimpleRouter
from rest_framework.serializers import ModelSerializer
from rest_framework.test import APIClient
from simple_history.admin import SimpleHistoryAdmin
from simple_history.models import HistoricalRecords
from simple_history.utils import bulk_create_with_history, bulk_update_with_history

from etag_versioning.exceptions import StaleWriteError
from etag_versioning.models import VersionedModel
from etag_versioning.rest_framework.viewsets import VersionedModelViewSet

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


class Poll(VersionedModel):
    question = models.CharField(max_length=50)
    history = HistoricalRecords()


class Note(VersionedModel):
    """Its old rows can be written back, since they take the state of the row as it is."""

    text = models.CharField(max_length=50)
    history = HistoricalRecords(excluded_fields=["version", "updated_at"])


class Place(VersionedModel):
    name = models.CharField(max_length=50)


class Restaurant(Place):
    stars = models.IntegerField(default=0)
    history = HistoricalRecords()


class Choice(VersionedModel):
    touches = ("poll",)

    poll = models.ForeignKey(Poll, models.CASCADE)
    history = HistoricalRecords()


admin.site.register([Poll, Note], SimpleHistoryAdmin)


class PollSerializer(ModelSerializer):
    class Meta:
        model = Poll
        fields = ("id", "question")


class PollViewSet(VersionedModelViewSet):
    queryset = Poll.objects.all()
    serializer_class = PollSerializer


router = SimpleRouter()
router.register("polls", PollViewSet)
urlpatterns = [path("", include(router.urls))]


def state(row):
    return row.version, row.updated_at


def test_the_history_of_a_new_row_has_its_state():
    poll = Poll.objects.create(question="one")
    assert state(poll.history.get()) == state(Poll.objects.get())


def test_the_history_of_a_save_has_the_version_and_timestamp_of_the_row():
    poll = Poll.objects.create(question="one")
    poll.question = "two"
    poll.save()
    assert state(poll.history.first()) == state(Poll.objects.get())
    assert poll.history.first().question == "two"
    assert [row.version for row in poll.history.all()] == [2, 1]


def test_the_history_of_a_save_of_one_field_has_the_state_of_the_row():
    poll = Poll.objects.create(question="one")
    poll.question = "two"
    poll.save(update_fields=["question"])
    assert state(poll.history.first()) == state(Poll.objects.get())


def test_the_history_of_a_child_has_the_state_of_its_parents_row():
    restaurant = Restaurant.objects.create(name="one")
    restaurant.stars = 3
    restaurant.save()
    assert state(restaurant.history.first()) == state(Restaurant.objects.get())


def test_a_stale_save_leaves_no_history():
    poll = Poll.objects.create(question="one")
    Poll.objects.update(question="two")
    poll.question = "three"
    with pytest.raises(StaleWriteError):
        poll.save()
    assert poll.history.count() == 1


def test_the_history_of_a_deletion_has_the_last_state_of_the_row():
    poll = Poll.objects.create(question="one")
    before, key = state(poll), poll.pk
    poll.delete()
    last = Poll.history.filter(id=key).first()
    assert last.history_type == "-"
    assert state(last) == before


def test_a_stale_delete_leaves_no_history():
    poll = Poll.objects.create(question="one")
    Poll.objects.update(question="two")
    with pytest.raises(StaleWriteError):
        poll.delete()
    assert poll.history.count() == 1


def test_bulk_update_with_history_bumps_once_and_keeps_the_states_of_the_rows():
    polls = [Poll.objects.create(question="one"), Poll.objects.create(question="two")]
    for poll in polls:
        poll.question = "new"
    bulk_update_with_history(polls, Poll, ["question"])
    rows = list(Poll.objects.order_by("pk"))
    assert [row.version for row in rows] == [2, 2]
    assert [state(row.history.first()) for row in rows] == [state(row) for row in rows]


def test_bulk_create_with_history_keeps_the_states_of_the_rows():
    bulk_create_with_history([Poll(question="one"), Poll(question="two")], Poll)
    rows = list(Poll.objects.order_by("pk"))
    assert [state(row.history.get()) for row in rows] == [state(row) for row in rows]


def test_a_touch_bumps_a_row_and_leaves_no_history_like_every_update_of_a_queryset():
    poll = Poll.objects.create(question="one")
    Choice.objects.create(poll=poll)
    assert Poll.objects.get().version == 2
    assert poll.history.count() == 1


def test_the_row_as_it_was_is_written_back_on_top_of_the_current_row():
    poll = Poll.objects.create(question="one")
    poll.question = "two"
    poll.save()
    old = poll.history.last()
    poll.question = old.question
    poll.save()
    assert (Poll.objects.get().question, Poll.objects.get().version) == ("one", 3)


def test_an_old_instance_with_its_old_state_is_stale():
    poll = Poll.objects.create(question="one")
    for question in ("two", "three"):
        poll.question = question
        poll.save()
    with pytest.raises(StaleWriteError):
        poll.history.all()[1].instance.save()
    assert Poll.objects.get().question == "three"


def test_the_first_instance_is_refused_with_what_to_do():
    poll = Poll.objects.create(question="one")
    poll.save()
    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        poll.history.last().instance.save()
    assert "Poll.objects.get(pk=" in refused.value.__notes__[0]


def test_an_old_instance_is_written_as_a_new_state_where_its_history_leaves_the_state_out():
    note = Note.objects.create(text="one")
    note.text = "two"
    note.save()
    before = Note.objects.get()
    note.history.last().instance.save()
    found = Note.objects.get()
    assert (found.text, found.version) == ("one", 3)
    assert found.updated_at > before.updated_at


def test_as_of_reads_old_states():
    poll = Poll.objects.create(question="one")
    moment = poll.history.first().history_date
    poll.question = "two"
    poll.save()
    (old,) = Poll.history.as_of(moment)
    assert (old.question, old.version) == ("one", 1)


@pytest.mark.urls("tests.neighbours.urls")
def test_revert_in_the_admin_writes_old_values_where_the_history_leaves_the_state_out(client):
    client.force_login(User.objects.create_superuser("ada"))
    note = Note.objects.create(text="one")
    note.text = "two"
    note.save()
    old = note.history.last()
    address = f"/admin/test_simple_history/note/{note.pk}/history/{old.history_id}/"
    assert client.get(address).status_code == 200
    assert client.post(address, {"text": "one"}).status_code == 302
    found = Note.objects.get()
    assert (found.text, found.version) == ("one", 3)
    assert [row.text for row in found.history.all()] == ["one", "two", "one"]


@pytest.mark.urls("tests.neighbours.urls")
def test_revert_in_the_admin_is_409_where_the_history_has_old_states(client):
    client.force_login(User.objects.create_superuser("ada"))
    poll = Poll.objects.create(question="one")
    poll.question = "two"
    poll.save()
    old = poll.history.last()
    address = f"/admin/test_simple_history/poll/{poll.pk}/history/{old.history_id}/"
    assert client.post(address, {"question": "one"}).status_code == 409
    assert Poll.objects.get().question == "two"


@pytest.mark.urls("tests.neighbours.urls")
def test_a_change_in_the_admin_leaves_a_history_row_with_the_state_of_its_row(client):
    client.force_login(User.objects.create_superuser("ada"))
    poll = Poll.objects.create(question="one")
    client.post(f"/admin/test_simple_history/poll/{poll.pk}/change/", {"question": "two"})
    found = Poll.objects.get()
    assert (found.question, state(found)) == ("two", state(found.history.first()))


def test_a_guarded_patch_leaves_one_history_row_with_the_state_of_the_tag():
    poll = Poll.objects.create(question="one")
    client = APIClient()
    tag = client.get(f"/polls/{poll.pk}/")["ETag"]
    first = client.patch(f"/polls/{poll.pk}/", {"question": "two"}, headers={"if-match": tag})
    second = client.patch(f"/polls/{poll.pk}/", {"question": "three"}, headers={"if-match": tag})
    assert (first.status_code, second.status_code) == (200, 412)
    assert [row.version for row in poll.history.all()] == [2, 1]
    assert state(poll.history.first()) == state(Poll.objects.get())
