"""Decorated plain views, through Django's own handler."""

from datetime import timedelta
from functools import partial

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import models
from django.db.models import ProtectedError
from django.http import HttpResponse
from django.test import RequestFactory
from django.utils import timezone
from django.utils.http import http_date

from etag_versioning.decorators import etag_func, versioned_condition
from tests import views
from tests.testapp.models import Badge, Hidden, Note, Person, Plain, Seat, Team

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.views")]


@pytest.fixture
def person():
    person = Person.objects.create(name="a")
    # Long enough ago for its date to be shown.
    Person.objects.update(updated_at=timezone.now() - timedelta(minutes=1), version=1)
    person.refresh_from_db()
    return person


@pytest.fixture
def url(person):
    return f"/people/{person.pk}/"


def content():
    return Person.objects.values_list("days", "version", "updated_at").get()


class TestReading:
    def test_shows_tag_date_and_cache_control(self, client, url, person):
        answer = client.get(url)
        assert answer.status_code == 200
        assert answer["ETag"].startswith(f'"person-{person.pk}-v1.')
        assert "~" not in answer["ETag"]
        assert answer["Cache-Control"] == "private, no-cache"
        assert answer["Last-Modified"] == http_date(int(person.updated_at.timestamp()) + 1)

    @pytest.mark.parametrize("method", ["get", "head"])
    def test_304_is_one_narrow_query(self, client, url, person, method, django_assert_num_queries):
        full = client.get(url)
        with django_assert_num_queries(1) as queries:
            answer = getattr(client, method)(url, headers={"If-None-Match": full["ETag"]})
        assert answer.status_code == 304
        assert answer.content == b""
        for header in ("ETag", "Last-Modified", "Cache-Control"):
            assert answer[header] == full[header]
        assert "Content-Length" not in answer
        assert '"name"' not in queries[0]["sql"].replace("`", '"')

    def test_304_runs_neither_view_nor_joins(self, client, person):
        tag = client.get(f"/people/{person.pk}/")["ETag"]
        url = f"/never/{person.pk}/"
        assert client.get(url, headers={"If-None-Match": tag}).status_code == 304
        with pytest.raises(AssertionError):
            client.get(url)

    def test_304_by_date(self, client, url):
        date = client.get(url)["Last-Modified"]
        assert client.get(url, headers={"If-Modified-Since": date}).status_code == 304
        assert (
            client.get(
                url, headers={"If-Modified-Since": date, "If-None-Match": '"other"'}
            ).status_code
            == 200
        )

    def test_a_date_is_not_shown_while_its_second_lasts(self, client, url, person, monkeypatch):
        monkeypatch.setattr("time.time", person.updated_at.timestamp)
        answer = client.get(url)
        assert "Last-Modified" not in answer
        not_modified = client.get(url, headers={"If-None-Match": answer["ETag"]})
        assert not_modified.status_code == 304
        assert "Last-Modified" not in not_modified
        monkeypatch.setattr("time.time", lambda: person.updated_at.timestamp() + 1)
        assert "Last-Modified" in client.get(url)

    def test_a_weakened_tag_gets_a_weak_304(self, client, url):
        tag = client.get(url)["ETag"]
        answer = client.get(url, headers={"If-None-Match": f"W/{tag}"})
        assert (answer.status_code, answer["ETag"]) == (304, f"W/{tag}")
        answer = client.get(url, headers={"If-None-Match": tag[:-1] + '-gzip"'})
        assert answer.status_code == 304

    def test_200_after_a_write(self, client, url, person):
        tag = client.get(url)["ETag"]
        person.save()
        answer = client.get(url, headers={"If-None-Match": tag})
        assert answer.status_code == 200
        assert answer["ETag"] != tag

    def test_a_row_made_again_under_its_key_has_another_tag(self, client, url, person):
        tag, key = client.get(url)["ETag"], person.pk
        person.delete()
        Person.objects.create(pk=key, name="a")
        assert client.get(url, headers={"If-None-Match": tag}).status_code == 200

    def test_errors_carry_no_validators(self, client, person):
        client.raise_request_exception = False
        answer = client.get(f"/error/{person.pk}/")
        assert answer.status_code == 500
        assert "ETag" not in answer
        assert "Last-Modified" not in answer

    @pytest.mark.parametrize(
        ("kind", "header"), [("cached", "public, max-age=5"), ("uncached", None)]
    )
    def test_cache_control_of_the_views_own(self, client, person, kind, header):
        url = f"/{kind}/{person.pk}/"
        full = client.get(url)
        again = client.get(url, headers={"If-None-Match": full["ETag"]})
        assert again.status_code == 304
        assert full.get("Cache-Control") == again.get("Cache-Control") == header

    def test_tags_hide_the_key_where_the_address_does(self, client):
        hidden = Hidden.objects.create(name="a")
        tag = client.get(f"/hidden/{hidden.uuid}/")["ETag"]
        assert tag.startswith(f'"secret-{hidden.uuid}-v1.')

    @pytest.mark.parametrize("key", ["0", "99999999999999999999999", "abc", "1%00", "%ff", "1.5"])
    @pytest.mark.parametrize("method", ["get", "put", "delete"])
    def test_an_absent_row_is_404_before_the_view(self, client, key, method):
        answer = getattr(client, method)(f"/never/{key}/", headers={"If-Match": "*"})
        assert answer.status_code == 404

    @pytest.mark.parametrize("name", ["a%00", "%00", "b", "%ff%fe", "%F0%9F%98%80"])
    def test_a_text_that_no_row_has_is_404(self, client, person, name):
        assert client.get("/named/a/").status_code == 200
        assert client.get(f"/named/{name}/").status_code == 404


class TestWriting:
    @pytest.mark.parametrize(
        "how",
        ["save", "update", "update many", "roll back", "none", "delete and make again"],
    )
    def test_answers_with_the_tag_of_the_next_read(self, client, url, how):
        tag = client.get(url)["ETag"]
        answer = client.put(url, headers={"If-Match": tag, "X-Write": how})
        assert answer.status_code == 200
        assert answer["ETag"] == client.get(url)["ETag"]
        assert (answer["ETag"] == tag) is (how in ("roll back", "none"))

    def test_that_is_a_dry_run_shows_no_tag(self, client, person):
        for kind in ("people", "optional"):
            headers = {"If-Match": "*"} if kind == "people" else {}
            headers["X-Write"] = "set rollback"
            answer = client.put(f"/{kind}/{person.pk}/", headers=headers)
            assert answer.status_code == 200
            assert "ETag" not in answer
        assert Person.objects.get().version == 1

    def test_that_deletes_may_write_other_rows_too(self, client, person):
        for kind in ("people", "optional"):
            row = Person.objects.create(name="c")
            headers = {"If-Match": "*", "X-Write": "delete and write another"}
            answer = client.delete(f"/{kind}/{row.pk}/", headers=headers)
            assert answer.status_code == 204
        assert content()[0] == 5

    @pytest.mark.parametrize("kind", ["people", "optional"])
    def test_that_is_lost_in_the_middle_writes_nothing(self, client, person, kind):
        Team.objects.create(name="a")
        headers = {"If-Match": "*"} if kind == "people" else {}
        headers["X-Write"] = "write and be stale"
        answer = client.put(f"/{kind}/{person.pk}/", headers=headers)
        assert answer.status_code == 409
        assert content()[0] == 0
        assert Team.objects.get().name == "a"

    @pytest.mark.parametrize("how", ["save", "update", "update many", "delete", "delete many"])
    def test_with_a_stale_tag_is_412_with_the_current_one(self, client, url, person, how):
        tag = client.get(url)["ETag"]
        person.save()
        before = content()
        answer = client.put(url, headers={"If-Match": tag, "X-Write": how})
        assert answer.status_code == 412
        assert answer["ETag"] == client.get(url)["ETag"] == answer.json()["current_etag"]
        assert answer.json()["error"] == "PRECONDITION_FAILED"
        assert answer["Cache-Control"] == "no-store"
        assert "no-cache" in answer.json()["message"]
        assert content() == before

    @pytest.mark.parametrize("method", ["put", "patch", "delete", "post"])
    def test_without_if_match_is_428(self, client, url, method):
        before = content()
        answer = getattr(client, method)(url)
        assert answer.status_code == 428
        assert answer["Cache-Control"] == "no-store"
        assert answer.json()["error"] == "PRECONDITION_REQUIRED"
        assert "If-Match" in answer.json()["message"]
        assert "ETag" not in answer
        assert content() == before

    @pytest.mark.parametrize(
        "value", ["", "undefined", "person-1-v1", '"a" "b"', '"a", junk', "\x00", '"' * 100_001]
    )
    def test_with_a_malformed_if_match_is_412(self, client, url, value):
        before = content()
        answer = client.put(url, headers={"If-Match": value})
        assert answer.status_code == 412
        assert '"tag"' in answer.json()["message"]
        assert content() == before

    def test_deletes_the_state_that_was_named(self, client, url):
        tag = client.get(url)["ETag"]
        answer = client.delete(url, headers={"If-Match": tag, "X-Write": "delete"})
        assert answer.status_code == 204
        assert "ETag" not in answer
        assert not Person.objects.exists()

    def test_costs_the_narrow_select_the_claim_and_the_views_own(
        self, client, url, django_assert_num_queries
    ):
        def statements(queries):
            words = [query["sql"].split()[0] for query in queries]
            return [word for word in words if word not in ("SAVEPOINT", "RELEASE")]

        tag = client.get(url)["ETag"]
        with django_assert_num_queries(7) as queries:
            tag = client.put(url, headers={"If-Match": tag})["ETag"]
        # The view's own: load, save, load to show.
        assert statements(queries) == ["SELECT", "UPDATE", "SELECT", "UPDATE", "SELECT"]
        with django_assert_num_queries(6) as queries:
            tag = client.put(url, headers={"If-Match": tag, "X-Write": "update"})["ETag"]
        assert statements(queries) == ["SELECT", "UPDATE", "UPDATE", "SELECT"]
        with django_assert_num_queries(1):
            assert client.put(url, headers={"If-Match": '"stale"'}).status_code == 412

    def test_that_fails_rolls_back(self, client, url):
        tag, before = client.get(url)["ETag"], content()
        answer = client.put(url, headers={"If-Match": tag, "X-Write": "raise"})
        assert answer.status_code == 404
        assert content() == before

    def test_that_the_view_refuses_carries_no_tag(self, client, url):
        tag = client.get(url)["ETag"]
        answer = client.put(url, headers={"If-Match": tag, "X-Write": "refuse"})
        assert answer.status_code == 400
        assert "ETag" not in answer

    def test_of_another_stale_row_is_409(self, client, url):
        Team.objects.create(name="a")
        answer = client.put(url, headers={"If-Match": "*", "X-Write": "team"})
        assert answer.status_code == 409
        assert set(answer.json()) == {"error", "message", "reason"}
        assert Team.objects.get().name == "a"

    def test_with_any_tag(self, client, person, url):
        answer = client.put(url, headers={"If-Match": "*"})
        assert answer.status_code == 200
        assert answer["ETag"] == client.get(url)["ETag"]
        assert client.put(f"/strict/{person.pk}/", headers={"If-Match": "*"}).status_code == 412

    def test_with_a_date_alone(self, client, person, url):
        date = {"If-Unmodified-Since": client.get(url)["Last-Modified"]}
        assert client.put(url, headers=date).status_code == 428
        assert client.put(f"/dated/{person.pk}/", headers=date).status_code == 200
        assert client.put(f"/dated/{person.pk}/", headers=date).status_code == 412

    def test_where_if_match_is_optional(self, client, person):
        url = f"/optional/{person.pk}/"
        answer = client.put(url)
        assert answer.status_code == 200
        assert answer["ETag"] == client.get(url)["ETag"]
        assert client.put(url, headers={"If-Match": '"stale"'}).status_code == 412

    def test_may_keep_the_tag_to_itself(self, client, person):
        answer = client.put(f"/silent/{person.pk}/", headers={"If-Match": '"stale"'})
        assert answer.status_code == 412
        assert "ETag" not in answer
        assert "current_etag" not in answer.json()

    def test_the_tag_of_a_put_can_be_left_out(self, client, url, settings):
        settings.ETAG_VERSIONING = {"ETAG_ON_PUT": False}
        tag = client.get(url)["ETag"]
        assert "ETag" not in client.put(url, headers={"If-Match": tag})
        tag = client.get(url)["ETag"]
        assert "ETag" in client.patch(url, headers={"If-Match": tag})

    def test_strong_comparison(self, client, url, settings):
        settings.ETAG_VERSIONING = {"IF_MATCH": "strong"}
        tag = client.get(url)["ETag"]
        answer = client.put(url, headers={"If-Match": f"W/{tag}"})
        assert answer.status_code == 412
        assert "weakened" in answer.json()["message"]
        assert client.put(url, headers={"If-Match": tag}).status_code == 200

    def test_by_a_proxys_form_of_the_tag(self, client, url):
        for weakened in (lambda tag: f"W/{tag}", lambda tag: f'{tag[:-1]}-gzip"'):
            tag = weakened(client.get(url)["ETag"])
            assert client.put(url, headers={"If-Match": tag}).status_code == 200

    @pytest.mark.parametrize("writes", [True, False])
    def test_a_deletion_that_is_refused_leaves_the_row_guarded(self, rf, writes):
        team = Team.objects.create(name="a")
        Badge.objects.create(team=team)

        @versioned_condition(Team)
        def rename(request, pk):
            team = Team.objects.get(pk=pk)
            with pytest.raises(ProtectedError):
                team.delete()
            if writes:
                Team.objects.update(name="b")
            return HttpResponse()

        tag = etag_func(Team)(rf.get("/"), pk=team.pk)
        answer = rename(rf.put("/", headers={"If-Match": tag}), pk=team.pk)
        assert answer.status_code == 200
        assert answer["ETag"] == etag_func(Team)(rf.get("/"), pk=team.pk)
        assert (answer["ETag"] != tag) is writes


class TestLostRaces:
    """The other writer comes between the check and the write, on the same connection."""

    @pytest.fixture(autouse=True)
    def another_writer(self):
        yield
        views.before_write.clear()

    @pytest.mark.parametrize("how", ["save", "update"])
    def test_a_view_that_loads_late_cannot_write_over_another(self, client, person, how):
        """Optional, and a stale instance: 409, since the client named no state."""
        stale = Person.objects.get()
        views.before_write.append(lambda: Person.objects.update(days=50))
        views.before_write.append(stale.save)
        answer = client.put(f"/optional/{person.pk}/", headers={"X-Write": how})
        assert answer.status_code == 409
        assert answer.json()["error"] == "CONFLICT"


class TestAccess:
    def test_a_source_decides_who_may_know(self, client, person):
        url = f"/scoped/{person.pk}/"
        assert client.get(url, headers={"If-None-Match": "*"}).status_code == 404
        assert client.put(url, headers={"If-Match": '"x"'}).status_code == 404
        answer = client.get(url, headers={"X-User": "boss"})
        assert answer.status_code == 200
        headers = {"X-User": "boss", "If-Match": answer["ETag"]}
        assert client.put(url, headers=headers).status_code == 200

    def test_methods_come_first(self, client, person):
        answer = client.delete(f"/methods/{person.pk}/")
        assert answer.status_code == 405
        assert answer["Allow"] == "GET, HEAD, PUT"
        assert client.put(f"/methods/{person.pk}/").status_code == 428

    def test_options_of_an_absent_row_is_404_as_get_is(self, client):
        assert client.options("/never/1/", headers={"If-Match": '"x"'}).status_code == 404


class TestOwnFunctions:
    def test_replace_djangos_condition(self, client, person):
        url = f"/own/{person.pk}/"
        answer = client.get(url)
        assert answer["ETag"] == '"name-a"'
        assert client.get(url, headers={"If-None-Match": '"name-a"'}).status_code == 304
        assert client.put(url).status_code == 200
        assert client.put(url, headers={"If-Match": '"name-b"'}).status_code == 412
        assert client.put(url, headers={"If-Match": 'W/"name-a"'}).status_code == 412
        assert client.put(url, headers={"If-Match": '"name-a"'}).status_code == 200

    def test_stand_in_for_the_rows_tag(self, client, person):
        url = f"/own-row/{person.pk}/"
        assert client.get(url)["ETag"] == '"name-a"'
        assert client.put(url).status_code == 428
        answer = client.put(url, headers={"If-Match": '"name-a"'})
        assert answer.status_code == 200
        assert "ETag" not in answer


class TestFactories:
    def test_share_one_query(self, client, person, django_assert_num_queries):
        url = f"/django/{person.pk}/"
        full = client.get(url)
        assert full["ETag"] == client.get(f"/people/{person.pk}/")["ETag"]
        with django_assert_num_queries(1):
            answer = client.get(url, headers={"If-None-Match": full["ETag"]})
        assert answer.status_code == 304
        assert answer["Last-Modified"] == full["Last-Modified"]

    def test_read_again_for_the_same_use(self, rf, person):
        request, read = rf.get("/"), etag_func(Person)
        first = read(request, pk=person.pk)
        person.save()
        assert read(request, pk=person.pk) != first

    def test_have_no_tag_for_an_absent_row(self, rf):
        assert etag_func(Person)(rf.get("/"), pk=5) is None

    def test_take_models_managers_querysets_and_callables(self, rf, person):
        request, pk = rf.get("/"), person.pk
        sources = (
            (Person, {}),
            (Person.objects, {}),
            (Person.objects.filter(name="a").order_by("name"), {}),
            (lambda request, pk: Person.objects.filter(pk=pk), {}),
            (lambda request, pk: Person, {"lookup_field": "pk"}),
        )
        expected = etag_func(Person)(request, pk=pk)
        for source, options in sources:
            assert etag_func(source, **options)(request, pk=pk) == expected

    def test_name_another_key(self, rf):
        hidden = Hidden.objects.create(name="a")
        tag = etag_func(Hidden, tag_key="name")(rf.get("/"), pk=hidden.pk)
        assert tag.startswith('"secret-a-v1.')

    def test_composite_keys(self, rf):
        Seat.objects.create(row="a-b", number=3)
        source = lambda request, row, number: Seat.objects.filter(pk=(row, number))  # noqa: E731
        tag = etag_func(source)(rf.get("/"), row="a-b", number=3)
        assert tag.startswith('"seat-a%2Db-3-v1.')


class TestMistakes:
    def test_a_model_without_version(self, rf):
        for model in (Plain, Note):
            with pytest.raises(ImproperlyConfigured, match=r"\(VersionedModel\)"):
                etag_func(model)(rf.get("/"), pk=1)

    def test_no_source(self):
        with pytest.raises(ImproperlyConfigured, match="@versioned_condition"):
            versioned_condition()

    def test_a_source_that_is_none(self):
        async def coroutine(request):
            return Person.objects.all()

        for source in ("Person", coroutine):
            with pytest.raises(ImproperlyConfigured, match="no source of rows"):
                versioned_condition(source)

    def test_a_source_that_returns_none(self, rf):
        with pytest.raises(ImproperlyConfigured, match="must return a queryset"):
            etag_func(lambda request: "x")(rf.get("/"))

    def test_a_url_without_the_argument(self, rf):
        with pytest.raises(ImproperlyConfigured, match="lookup_url_kwarg"):
            etag_func(Person)(rf.get("/"), user_id=1)

    def test_a_source_of_several_rows(self, rf):
        Person.objects.create(name="a")
        Person.objects.create(name="b")
        with pytest.raises(Person.MultipleObjectsReturned):
            etag_func(lambda request: Person.objects.all())(rf.get("/"))

    def test_a_word_that_is_none(self):
        with pytest.raises(ImproperlyConfigured, match="if_match"):
            versioned_condition(Person, if_match="maybe")


def test_a_join_that_repeats_the_row_is_one_row():
    team = Team.objects.create(name="a")
    for name in "ab":
        Person.objects.create(name=name, team=team)
    source = lambda request: Team.objects.filter(person__name__in="ab")  # noqa: E731
    assert etag_func(source)(RequestFactory().get("/")).startswith(f'"team-{team.pk}-v1')


def test_naive_datetimes_are_in_the_default_time_zone(settings):
    settings.USE_TZ = False
    person = Person.objects.create(name="a")
    assert timezone.is_naive(person.updated_at)
    Person.objects.update(
        updated_at=person.updated_at - timedelta(minutes=1), days=models.F("days")
    )
    person.refresh_from_db()
    person.save()


class Replica:
    """A router that reads from one database and writes to the other."""

    def db_for_read(self, model, **hints):
        return "other"

    def db_for_write(self, model, **hints):
        return "default"


@pytest.mark.django_db(databases=["default", "other"])
class TestDatabases:
    @pytest.fixture
    def ahead(self, person):
        """The same row in the other database, in another state."""
        row = Person.objects.using("other").create(pk=person.pk, name="b")
        row.save()
        return row

    def test_a_source_names_its_own(self, client, person, ahead):
        for _ in range(2):
            etag = client.get(f"/elsewhere/{person.pk}/")["ETag"]
            assert etag.startswith(f'"person-{person.pk}-v{ahead.version}.')

    def test_reads_go_to_a_replica_and_writes_compare_where_they_go(
        self, client, url, person, ahead, settings
    ):
        there = client.get(url)["ETag"]
        settings.DATABASE_ROUTERS = [Replica()]
        behind = client.get(url)["ETag"]
        assert behind.startswith(f'"person-{person.pk}-v{ahead.version}.')
        assert client.get(url, headers={"If-None-Match": behind}).status_code == 304
        assert client.get(url, headers={"If-None-Match": there}).status_code == 200
        post = partial(client.post, url, {"days": 1}, content_type="application/json")
        assert post(headers={"If-Match": behind}).status_code == 412
        headers = {"If-Match": there, "X-Write": "update"}
        assert post(headers=headers).status_code == 200
