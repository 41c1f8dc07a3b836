"""The simulation of a CDN, by traces of a few reads."""

from collections import defaultdict

import pytest

from benchmarks.cdn import BODY, HEADERS, POLICIES, Policy, simulate

NO_STORE, PRIVATE, NO_CACHE = POLICIES[:3]
MAX_AGE = Policy("max-age=10", 10, 10)
WHILE_REVALIDATE = Policy("s-maxage=2, stale-while-revalidate=10", 0, 2, 10)


def run(policy, reads, writes=()):
    """
    Simulate reads of one row.

    Args:
        reads: (time, client).
        writes: the times of the row's writes.
    """
    trace = [(now, client, "row") for now, client in reads]
    return simulate(policy, trace, defaultdict(list, row=list(writes)))


def test_without_caches_each_read_is_a_whole_answer_of_the_origin():
    outcome = run(NO_STORE, [(1, "a"), (2, "a")])
    assert (outcome.requests, outcome.sent) == (2, 2 * (BODY + HEADERS))


@pytest.mark.parametrize(("client", "sent"), [("a", HEADERS), ("b", HEADERS + BODY)])
def test_a_private_answer_is_304_for_the_client_that_has_it_alone(client, sent):
    outcome = run(PRIVATE, [(1, "a"), (2, client)])
    assert (outcome.requests, outcome.sent - HEADERS - BODY) == (2, sent)


def test_a_public_no_cache_answer_is_304_for_the_cdn():
    outcome = run(NO_CACHE, [(1, "a"), (2, "b")])
    assert (outcome.requests, outcome.sent) == (2, BODY + 2 * HEADERS)


def test_no_cache_is_never_stale():
    assert run(NO_CACHE, [(1, "a"), (2, "a")], writes=[1.5]).stale == []


def test_a_fresh_answer_does_not_reach_the_origin_and_may_be_stale():
    outcome = run(MAX_AGE, [(1, "a"), (5, "b"), (5, "a")], writes=[3])
    assert (outcome.requests, outcome.stale) == (1, [2, 2])
    assert outcome.hit_share == pytest.approx(2 / 3)


def test_a_browser_counts_the_age_that_an_answer_had_in_the_cdn():
    outcome = run(MAX_AGE, [(0, "a"), (9, "b"), (11, "b")], writes=[1])
    assert (outcome.requests, outcome.stale) == (2, [8])


def test_stale_while_revalidate_sends_the_old_answer_once_and_asks_the_origin():
    outcome = run(WHILE_REVALIDATE, [(0, "a"), (5, "a"), (6, "a")], writes=[1])
    assert (outcome.requests, outcome.stale) == (2, [4])


def test_after_stale_while_revalidate_the_client_waits_for_the_origin():
    outcome = run(WHILE_REVALIDATE, [(0, "a"), (20, "a")], writes=[1])
    assert (outcome.requests, outcome.stale) == (2, [])
