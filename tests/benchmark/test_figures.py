"""The arithmetic, without any server."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from etag_versioning.benchmark.errors import printable
from etag_versioning.benchmark.figures import Exchange, Series, break_even, mixed, saved, summarise

costs = st.floats(min_value=0.001, max_value=1000)
shares = st.floats(min_value=0, max_value=1)


@given(costs, costs, costs)
def test_at_break_even_a_mixture_costs_what_plain_requests_cost(full, hit, miss):
    share = break_even(full, hit, miss)
    if share is None:
        assert hit >= full
    elif share == 0:
        assert miss <= full
    else:
        assert 0 < share < 1
        assert mixed(hit, miss, share) == pytest.approx(full)


@given(st.lists(costs, min_size=3, max_size=3, unique=True).map(sorted), shares)
def test_more_hits_than_break_even_save_and_fewer_do_not(costs, share):
    hit, full, miss = costs
    even, cost = break_even(full, hit, miss), mixed(hit, miss, share)
    # Costs that differ by more than the rounding of their sum.
    assume(abs(full - cost) > 1e-9 * (full + hit + miss))
    assert (saved(full, cost) > 0) == (share > even)


@given(costs, costs)
def test_a_mixture_of_one_kind_is_that_kind(hit, miss):
    assert mixed(hit, miss, 1) == hit
    assert mixed(hit, miss, 0) == miss


def test_savings_may_be_losses():
    assert saved(10, 15) == -0.5
    assert saved(0, 0) == 0


def test_a_summary_is_about_the_answers_that_were_asked_for():
    hits = [Exchange(304, 0.001, 200, 1, 0.0002)] * 3
    series = Series([*hits, Exchange(200, 9.0, 5000, 4, 1.0)], seconds=2.0)
    figures = summarise("hit", series)
    assert figures.statuses == {200: 1, 304: 3}
    assert figures.share == 0.75
    assert (figures.p50, figures.p99, figures.size) == (0.001, 0.001, 200)
    assert (figures.statements, figures.sql_seconds) == (1, 0.0002)
    assert figures.per_second == 2.0


def test_a_summary_of_one_and_of_none():
    one = summarise("full", Series([Exchange(200, 0.5, 10)], seconds=0.5))
    assert (one.p50, one.p95, one.p99, one.per_second, one.statements) == (0.5, 0.5, 0.5, 2, None)
    assert summarise("stale", Series([Exchange(428, 0.5, 10)], seconds=0.5)) is None


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [("full", 200, 304), ("hit", 304, 200), ("miss", 200, 304), ("write", 204, 412),
     ("stale", 412, 200)],
)  # fmt: skip
def test_which_answer_each_kind_asks_for(kind, good, bad):
    series = Series([Exchange(good, 1.0, 1), Exchange(bad, 2.0, 1)], seconds=3.0)
    assert summarise(kind, series).share == 0.5
    assert summarise(kind, series).p99 == 1.0


def test_control_characters_of_a_server_are_escaped():
    assert printable("a\x07\r\x9bb é") == r"a\x07\r\x9bb é"
    assert printable("x" * 300) == "x" * 200 + "…"
