"""Tags as a project makes them: secret keys, revision, query string, terms."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import RequestFactory
from django.utils.translation import gettext_lazy, override

from etag_versioning.http.etags import EntityTag, digest
from etag_versioning.http.preconditions import (
    ConditionalHeaders,
    Outcome,
    Policy,
    Validators,
    evaluate,
)
from etag_versioning.http.representation import (
    PLAIN,
    UNSEALED,
    Representation,
    make_validators,
    request_representation,
)
from etag_versioning.orm.state_columns import State
from etag_versioning.sources.base import Page
from etag_versioning.sources.combined import Combination
from etag_versioning.sources.extra_terms import extended_representation
from etag_versioning.sources.files import FileEntry
from etag_versioning.sources.rows import Row, list_validators, page_validators
from tests.testapp.models import Person

STATE = "user-7-v3.k2m9x1q0"
DIGEST = "[0-9a-f]{24}"
JSON = Representation("json.8c1f0a2b")
MINE = JSON.with_terms("own", ["user", 7])


@pytest.fixture
def opaque(settings):
    settings.ETAG_VERSIONING = {"OPAQUE_TAGS": True}


def tag(representation=PLAIN, state=STATE):
    return str(make_validators(state, representation).etag)


def own(*etag_extra, path="/"):
    return tag(request_representation(RequestFactory().get(path), etag_extra))


def test_nothing_to_tell_apart_is_no_representation_part():
    assert make_validators(STATE, PLAIN, 5) == Validators(EntityTag(STATE), STATE, 5)
    assert own() == f'"{STATE}"'


def test_terms_are_one_keyed_digest_behind_what_can_be_read(settings):
    assert re.fullmatch(rf'"{re.escape(STATE)}~json\.8c1f0a2b\.{DIGEST}"', tag(MINE))
    before = tag(MINE)
    settings.SECRET_KEY = "another"
    assert tag(MINE) != before
    assert make_validators(STATE, MINE).state == STATE


@pytest.mark.parametrize(
    "variants",
    [
        [(), (None,), ("",), ("None",), (0,), (False,)],
        [("a", "b"), ("ab",), (("a", "b"),), ("b", "a")],
        [(1,), ("1",), (Decimal(1),), (1.0,)],
        [(date(2026, 1, 1),), (datetime(2026, 1, 1, tzinfo=UTC),), ("2026-01-01",)],
        [(UUID(int=1),), (b"a",), ("a",)],
    ],
)
def test_different_terms_have_different_tags(variants):
    assert len({own(*variant) for variant in variants}) == len(variants)


@pytest.mark.parametrize(
    "term", [Person(pk=1), {1, 2}, {"a": 1}, object(), [Person(pk=1)], (Person.objects.none(),)]
)
def test_a_term_whose_text_does_not_tell_all_is_a_mistake(term):
    with pytest.raises(ImproperlyConfigured, match=r"request\.user\.pk"):
        own(term)


def test_a_lazy_text_is_a_term_in_its_language():
    lazy = gettext_lazy("If-None-Match matches the resource that is there.")
    with override("de"):
        german = own(lazy)
    assert german != own(lazy) == own(str(lazy))


def test_terms_may_be_a_function_of_what_the_view_is_called_with():
    request = RequestFactory().get("/")

    def etag_extra(request, *args, **kwargs):
        return [request.method, *args, kwargs["pk"]]

    shown = extended_representation(request, etag_extra, ("a",), {"pk": 5})
    assert shown == request_representation(request, ["GET", "a", 5])


def test_the_query_string_is_a_term():
    """RFC 9110 §8.8.1: ?fields= is another representation. The state is the same."""
    tags = {own(path=path) for path in ("/", "/?", "/?fields=id", "/?fields=id,name")}
    assert len(tags) == 3
    assert {found.strip('"').partition("~")[0] for found in tags} == {STATE}


def test_the_revision_is_a_term_without_being_told(settings):
    seen = {own()}
    for revision in ("4f2c", "5a1b", lambda: "6b2c"):
        settings.ETAG_VERSIONING = {"REVISION": revision}
        seen.add(own())
        assert "4f2c" not in own()
    assert len(seen) == 4


@pytest.mark.usefixtures("opaque")
class TestOpaqueTags:
    def test_hide_keys_and_versions(self):
        assert re.fullmatch(f'"{DIGEST}"', tag())
        assert re.fullmatch(f'"{DIGEST}~{DIGEST}"', tag(JSON))
        page = page_validators("user", [])
        assert re.fullmatch(DIGEST, page.etag.opaque)

    def test_have_one_state_for_all_representations(self):
        shown = [make_validators(STATE, each) for each in (PLAIN, JSON, MINE)]
        assert len({each.state for each in shown}) == 1
        assert len({each.etag for each in shown}) == 3
        assert {each.etag.opaque.partition("~")[0] for each in shown} == {shown[0].state}

    def test_do_not_show_which_rows_share_a_representation(self):
        parts = {tag(JSON, state).partition("~")[2] for state in ("user-7-v3", "user-8-v3")}
        assert len(parts) == 2

    def test_cannot_be_made_without_the_key(self, settings):
        before = tag(JSON)
        settings.SECRET_KEY = "another"
        after = tag(JSON)
        assert set(before.strip('"').split("~")).isdisjoint(after.strip('"').split("~"))

    @pytest.mark.parametrize(
        ("header", "outcome"),
        [
            ({"if_match": "{}"}, Outcome.PROCEED),
            ({"if_match": "W/{}"}, Outcome.PROCEED),
            ({"if_match": '"user-7-v3.k2m9x1q0"'}, Outcome.PRECONDITION_FAILED),
            ({"if_match": '"000000000000000000000000"'}, Outcome.PRECONDITION_FAILED),
        ],
    )
    def test_guard_writes(self, header, outcome):
        current = make_validators(STATE, JSON)
        headers = {name: value.format(current.etag) for name, value in header.items()}
        assert evaluate("PUT", ConditionalHeaders(**headers), current).outcome is outcome


class TestKeyRotation:
    """A client holds the tag that it got before the secret key was replaced."""

    @pytest.fixture(params=[{"OPAQUE_TAGS": True}, {}], ids=["opaque", "plain"])
    def tags(self, request, settings):
        settings.ETAG_VERSIONING = request.param
        old = tag(MINE), tag(PLAIN)
        settings.SECRET_KEY, former = "new", settings.SECRET_KEY
        settings.SECRET_KEY_FALLBACKS = ["between", former]
        return old

    @pytest.mark.parametrize("strong", [False, True])
    def test_it_still_guards_a_write(self, tags, strong):
        current = make_validators(STATE, MINE)
        assert str(current.etag) not in tags
        for old in tags:
            for form in [old] if strong else [old, f"W/{old}", f'{old[:-1]}-gzip"']:
                headers = ConditionalHeaders(if_match=form)
                decision = evaluate("PUT", headers, current, Policy(True, strong=strong))
                assert decision.outcome is Outcome.PROCEED

    def test_it_is_still_answered_304_under_its_own_name(self, tags):
        """RFC 9111 §4.3.4: a cache freshens the copy that has the tag of the 304."""
        current = make_validators(STATE, MINE)
        for form in (tags[0], f"W/{tags[0]}"):
            decision = evaluate("GET", ConditionalHeaders(if_none_match=form), current)
            assert (decision.outcome, str(decision.etag)) == (Outcome.NOT_MODIFIED, form)
        both = f"{tags[0]}, {current.etag}"
        decision = evaluate("GET", ConditionalHeaders(if_none_match=both), current)
        assert decision.etag == current.etag

    def test_a_stale_one_stays_stale(self, tags):
        current = make_validators("user-7-v4.k2m9x1q1", MINE)
        for old in tags:
            decision = evaluate("PUT", ConditionalHeaders(if_match=old), current)
            assert decision.outcome is Outcome.PRECONDITION_FAILED
            decision = evaluate("GET", ConditionalHeaders(if_none_match=old), current)
            assert decision.outcome is Outcome.PROCEED

    def test_it_ends_with_the_key(self, tags, settings):
        settings.SECRET_KEY_FALLBACKS = []
        current = make_validators(STATE, MINE)
        decision = evaluate("GET", ConditionalHeaders(if_none_match=tags[0]), current)
        assert decision.outcome is Outcome.PROCEED


def test_the_representation_of_a_request_is_that_of_a_view_without_terms(settings):
    settings.ETAG_VERSIONING = {"REVISION": "a"}
    request = RequestFactory().get("/?b=c")
    assert request_representation(request) == extended_representation(request, ())


class TestHiddenState:
    """What decides a state and may not be shown: nobody can find it out by trying."""

    def page(self, salary):
        row = Row(Person, "default", 1, 1, State(3, None), (salary,))
        return page_validators("person", [row])

    def test_a_page_has_another_tag_where_an_annotation_differs(self):
        assert self.page(1000).etag != self.page(1001).etag
        assert self.page(1000) == self.page(1000)

    @pytest.mark.parametrize("terms", [["rows", 1, 3, None, 1000], [1000], ["rows", 1000]])
    def test_the_tag_is_no_digest_that_an_outsider_can_compute(self, terms, settings):
        opaque = self.page(1000).etag.opaque
        assert digest(terms) not in opaque
        settings.SECRET_KEY = "an outsider's"
        assert self.page(1000).etag.opaque != opaque

    def test_it_has_96_bits(self):
        assert re.fullmatch(r"person\.page-[0-9a-f]{24}", self.page(1000).etag.opaque)

    def test_a_list_by_an_aggregate_too(self, settings):
        cheap = list_validators("person", [2, 1000])
        assert digest([2, 1000]) not in cheap.etag.opaque
        settings.SECRET_KEY = "an outsider's"
        assert list_validators("person", [2, 1000]).etag != cheap.etag

    def test_a_file_s_name_too(self, settings):
        entry = FileEntry("/srv/salaries/anna.txt", 5, 1_700_000_000_000_000_000)
        opaque = entry.validators().etag.opaque
        assert digest([entry.name]) not in opaque
        settings.SECRET_KEY = "an outsider's"
        assert entry.validators().etag.opaque != opaque
        assert entry._replace(name="b").validators().etag != entry.validators().etag

    def test_tags_of_a_retired_key_are_good(self, settings):
        old, settings.SECRET_KEY = settings.SECRET_KEY, "new"
        settings.SECRET_KEY_FALLBACKS = [old]
        current = self.page(1000)
        settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = old, []
        held = self.page(1000).etag
        headers = ConditionalHeaders(if_none_match=str(held))
        assert evaluate("GET", headers, current).outcome is Outcome.NOT_MODIFIED
        assert evaluate("GET", headers, self.page(1)).outcome is Outcome.PROCEED

    def test_other_sources_of_one_answer_too(self, settings):
        """Within another tag, a page has no key of its own, and the whole has one."""
        row = Row(Person, "default", 2, 2, State(1, None))
        shown = Combination(row, (Page("person", (row._replace(annotations=(1000,)),)),))
        found = shown.validators()
        inner = Page("person", (row._replace(annotations=(1000,)),)).validators(UNSEALED)
        assert inner.former == ()
        assert inner.etag.opaque not in found.etag.opaque
        settings.SECRET_KEY = "an outsider's"
        assert shown.validators().etag != found.etag
        assert shown.validators().state == found.state
