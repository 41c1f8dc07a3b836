"""``touch()`` bumps rows without another write: what ``touches`` cannot follow, a project says."""

import pytest
from asgiref.sync import async_to_sync
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import connection, models, transaction
from django.http import HttpResponse
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext

from etag_versioning.decorators import versioned_condition
from etag_versioning.exceptions import StaleWriteError, VersionNotLoaded
from etag_versioning.models import TouchingMixin, UpdatedAtMixin, VersionedModel, VersionMixin

pytestmark = pytest.mark.django_db


class Record(VersionedModel):
    name = models.CharField(max_length=50)

    class Meta:
        app_label = "testapp"


class Song(VersionedModel):
    touches = ("record",)
    skip_unchanged = True

    record = models.ForeignKey(Record, models.CASCADE, related_name="songs")
    name = models.CharField(max_length=50)

    class Meta:
        app_label = "testapp"


class Single(Song):
    class Meta:
        app_label = "testapp"


class Lyrics(TouchingMixin):
    touches = ("song",)

    song = models.ForeignKey(Song, models.CASCADE)

    class Meta:
        app_label = "testapp"


class Playlist(VersionMixin):
    class Meta:
        app_label = "testapp"


class Concert(UpdatedAtMixin):
    class Meta:
        app_label = "testapp"


class Reaction(models.Model):
    """Shows up in rows of any model: each of its writes says so itself."""

    # Its table is made before that of the content types.
    content_type = models.ForeignKey(ContentType, models.CASCADE, db_constraint=False)
    object_id = models.IntegerField()
    content_object = GenericForeignKey()

    class Meta:
        app_label = "testapp"

    def save(self, **kwargs):
        with transaction.atomic():
            super().save(**kwargs)
            self.content_object.touch()


@pytest.fixture
def record():
    return Record.objects.create(name="Blue")


@pytest.fixture
def song(record):
    song = Song.objects.create(name="Carey", record=record)
    record.refresh_from_db()
    return song


def state(row):
    stored = type(row).objects.get(pk=row.pk)
    return stored.version, stored.updated_at


# Of an instance.


def test_touch_bumps_the_row_and_keeps_the_instance_current(record):
    before = record.updated_at
    record.touch()
    assert (record.version, record.updated_at) == state(record)
    assert record.version == 2
    assert record.updated_at > before
    record.save()


def test_touch_writes_no_other_column(record):
    record.name = "Hejira"
    record.touch()
    assert Record.objects.get().name == "Blue"
    assert record.name == "Hejira"


def test_touch_takes_one_statement(record):
    with CaptureQueriesContext(connection) as queries, transaction.atomic():
        record.touch()
    statements = [query["sql"] for query in queries if "testapp_record" in query["sql"]]
    assert len(statements) == 1
    assert statements[0].startswith("UPDATE")


def test_a_stale_instance_is_refused_and_bumps_nothing(record):
    Record.objects.update(name="Hejira")
    with pytest.raises(StaleWriteError) as error:
        record.touch()
    assert error.value.instance is record
    assert (record.version, state(record)[0]) == (1, 2)


def test_an_instance_of_a_row_that_is_gone_is_refused(record):
    Record.objects.all().delete()
    with pytest.raises(StaleWriteError):
        record.touch()


def test_an_instance_that_is_not_saved_cannot_be_touched():
    with pytest.raises(VersionNotLoaded, match=r"cannot be touched"):
        Record(name="Blue").touch()


def test_an_instance_without_its_version_cannot_be_touched(record):
    with pytest.raises(VersionNotLoaded):
        Record.objects.only("name").get().touch()


def test_touch_touches_what_shows_the_row_and_keeps_it_current(song, record):
    song.record = record
    song.touch()
    assert (record.version, record.updated_at) == state(record)
    assert (song.version, record.version) == (2, 3)
    record.save()


def test_a_stale_touch_touches_nothing(song, record):
    Song.objects.filter(pk=song.pk).update(name="A Case of You")
    before = state(record)
    with pytest.raises(StaleWriteError):
        song.touch()
    assert state(record) == before


def test_touch_of_a_child_bumps_the_state_in_its_parents_table(record):
    single = Single.objects.create(name="Carey", record=record)
    single.touch()
    assert (single.version, single.updated_at) == state(single)
    single.save()


def test_touch_bumps_a_row_also_where_saves_that_change_nothing_are_skipped(song):
    song.touch()
    assert state(song)[0] == 2


def test_touch_of_a_row_without_a_version_touches_what_shows_it(song):
    Lyrics.objects.create(song_id=song.pk).touch()
    assert state(song)[0] == 3


def test_touch_of_a_version_alone_and_of_a_timestamp_alone():
    playlist, concert = Playlist.objects.create(), Concert.objects.create()
    before = concert.updated_at
    playlist.touch()
    concert.touch()
    assert Playlist.objects.get().version == playlist.version == 2
    assert Concert.objects.get().updated_at == concert.updated_at > before


def test_atouch_of_an_instance(record):
    async_to_sync(record.atouch)()
    assert state(record)[0] == record.version == 2


def test_a_generic_foreign_key_is_touched_by_its_own_save(record):
    Reaction.objects.create(content_object=record)
    assert (record.version, record.updated_at) == state(record)
    assert record.version == 2


class Review(VersionedModel):
    stale_writes = "report"

    class Meta:
        app_label = "testapp"


class Ballot(VersionedModel):
    stale_writes = "merge"

    class Meta:
        app_label = "testapp"


def test_a_stale_touch_is_reported_where_stale_writes_are(caplog):
    review = Review.objects.create()
    Review.objects.update(version=7)
    review.touch()
    assert Review.objects.get().version == 8
    assert f"testapp.Review {review.pk} was changed" in caplog.text


def test_a_stale_touch_overwrites_nothing_and_is_merged_where_stale_writes_are():
    ballot = Ballot.objects.create()
    Ballot.objects.touch()
    ballot.touch()
    assert Ballot.objects.get().version == 3


@pytest.mark.parametrize("model", [Review, Ballot])
def test_a_stale_touch_leaves_the_instance_stale(model):
    """Its other fields show the older state, and a save() of them must not pass for a new one."""
    row = model.objects.create()
    model.objects.touch()
    before = (row.version, row.updated_at)
    row.touch()
    assert (row.version, row.updated_at) == before


def test_a_touch_of_a_row_that_is_gone_is_refused_in_every_mode():
    review = Review.objects.create()
    Review.objects.all().delete()
    with pytest.raises(StaleWriteError):
        review.touch()


# Of a queryset.


def test_touch_of_a_queryset_bumps_its_rows_and_returns_their_number(record):
    other = Record.objects.create(name="Hejira")
    assert Record.objects.filter(name="Blue").touch() == 1
    assert (state(record)[0], state(other)[0]) == (2, 1)
    assert Record.objects.touch() == 2
    assert (state(record)[0], state(other)[0]) == (3, 2)


def test_touch_of_a_queryset_touches_what_shows_its_rows(song, record):
    before = state(record)[0]
    assert Song.objects.touch() == 1
    assert (state(song)[0], state(record)[0]) == (2, before + 1)


def test_touch_by_a_related_manager_keeps_its_instance_current(song, record):
    assert record.songs.touch() == 1
    assert (record.version, record.updated_at) == state(record)


def test_touch_of_rows_without_a_version_counts_them_and_touches_what_shows_them(song):
    Lyrics.objects.create(song_id=song.pk)
    assert Lyrics.objects.touch() == 1
    assert state(song)[0] == 3


def test_touch_of_rows_of_a_child(record):
    single = Single.objects.create(name="Carey", record=record)
    assert Single.objects.touch() == 1
    assert state(single)[0] == 2


def test_touch_bumps_where_updates_bump_nothing(record):
    assert Record.objects.unversioned().touch() == 1
    assert state(record)[0] == 2


def test_touch_of_rows_in_an_expected_state(record):
    assert Record.objects.expect(version=1).touch() == 1
    with pytest.raises(StaleWriteError):
        Record.objects.expect(version=1).touch()
    assert state(record)[0] == 2


@pytest.mark.parametrize("write", ["update", "touch", "delete"])
def test_a_queryset_reads_its_rows_again_after_a_write(song, write):
    songs = Song.objects.filter(pk=song.pk)
    assert [each.version for each in songs] == [song.version]
    if write == "update":
        songs.update(name="new")
    elif write == "touch":
        songs.touch()
    else:
        songs.expect(version=song.version).delete()
        songs = songs.all()
    assert [each.version for each in songs] == ([] if write == "delete" else [song.version + 1])


def test_touch_of_a_slice_is_refused_as_its_update_is(record):
    with pytest.raises(TypeError, match="slice"):
        Record.objects.all()[:1].touch()


def test_atouch_of_a_queryset(record):
    assert async_to_sync(Record.objects.filter(pk=record.pk).atouch)() == 1
    assert state(record)[0] == 2


# In a guarded view.


@pytest.mark.parametrize("touch", [lambda row: row.touch(), lambda row: Record.objects.touch()])
def test_the_tag_of_a_guarded_answer_is_that_of_the_touched_row(record, touch):
    @versioned_condition(Record)
    def view(request, pk):
        if request.method == "PUT":
            touch(Record.objects.get(pk=pk))
        return HttpResponse()

    tag = view(RequestFactory().get("/"), pk=record.pk)["ETag"]
    put = view(RequestFactory().put("/", headers={"if-match": tag}), pk=record.pk)
    get = view(RequestFactory().get("/"), pk=record.pk)
    assert put.status_code == 200
    assert put["ETag"] == get["ETag"] != tag


@pytest.mark.parametrize("write", [lambda row: row.touch(), lambda row: row.save()])
def test_an_instance_that_the_guard_does_not_admit_cannot_be_touched_or_saved(record, write):
    early = Record.objects.get()
    Record.objects.update(name="Hejira")

    @versioned_condition(Record)
    def view(request, pk):
        if request.method == "PUT":
            write(early)
        return HttpResponse()

    tag = view(RequestFactory().get("/"), pk=record.pk)["ETag"]
    response = view(RequestFactory().put("/", headers={"if-match": tag}), pk=record.pk)
    assert response.status_code == 503
    assert state(record)[0] == 2
