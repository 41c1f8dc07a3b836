"""The algorithm of RFC 9110 §13.2.2: a table of cases, and every combination of headers."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from etag_versioning.http.etags import EntityTag, build_state
from etag_versioning.http.preconditions import (
    ConditionalHeaders,
    Decision,
    Outcome,
    Policy,
    Reason,
    Validators,
    evaluate,
    names_any,
    reconsider,
)
from etag_versioning.sources.rows import page_validators

PROCEED = Outcome.PROCEED
NOT_MODIFIED = Outcome.NOT_MODIFIED
FAILED = Outcome.PRECONDITION_FAILED
REQUIRED = Outcome.PRECONDITION_REQUIRED

READS = ("GET", "HEAD")
WRITES = ("PUT", "PATCH", "DELETE", "POST")
UNCONDITIONAL = ("OPTIONS", "TRACE", "CONNECT")

STATE = "user-7-v3.k2m9x1q0"
TAG = f"{STATE}~json.8c1f0a2b"
MOMENT = 784111777
BEFORE = "Sun, 06 Nov 1994 08:49:36 GMT"
EQUAL = "Sun, 06 Nov 1994 08:49:37 GMT"
AFTER = "Sun, 06 Nov 1994 08:49:38 GMT"

OURS = Validators(EntityTag(TAG), STATE, MOMENT)
UNDATED = Validators(EntityTag(TAG), STATE)
FOREIGN = Validators(EntityTag("abc"), None, MOMENT)
FOREIGN_WEAK = Validators(EntityTag("abc", weak=True), None, MOMENT)
DATE_ONLY = Validators(None, None, MOMENT)
ABSENT = None

NEEDS = Policy(if_match_required=True)
NEEDS_DATE = Policy(if_match_required=True, allow_unmodified_since=True)
NO_WILDCARD = Policy(allow_wildcard=False)
STRONG = Policy(strong=True)


def headers(**given):
    """``im``, ``ius``, ``inm`` and ``ims`` stand for the four fields."""
    names = {
        "im": "if_match",
        "ius": "if_unmodified_since",
        "inm": "if_none_match",
        "ims": "if_modified_since",
    }
    return ConditionalHeaders(**{names[short]: value for short, value in given.items()})


def decide(method, current, policy=None, **given):
    decision = evaluate(method, headers(**given), current, policy or Policy())
    return decision.outcome, decision.reason


@pytest.mark.parametrize("method", [*READS, *WRITES, *UNCONDITIONAL])
@pytest.mark.parametrize("current", [OURS, UNDATED, FOREIGN, DATE_ONLY, ABSENT])
def test_without_headers_the_request_goes_on(method, current):
    assert evaluate(method, headers(), current) == Decision(PROCEED, Reason.NONE, None)


@pytest.mark.parametrize("method", UNCONDITIONAL)
@pytest.mark.parametrize("current", [OURS, ABSENT])
@pytest.mark.parametrize(
    "given_headers",
    [{"im": '"stale"'}, {"im": "junk"}, {"inm": "*"}, {"inm": f'"{TAG}"'}, {"ius": BEFORE}, {}],
)
def test_methods_that_know_no_preconditions(method, current, given_headers):
    """RFC 9110 §13.2.1."""
    assert decide(method, current, NEEDS, **given_headers) == (PROCEED, Reason.NONE)


@pytest.mark.parametrize("method", WRITES)
@pytest.mark.parametrize("current", [OURS, UNDATED, FOREIGN, ABSENT])
@pytest.mark.parametrize(
    ("given_headers", "reason"),
    [
        ({}, Reason.REQUIRED),
        ({"ims": AFTER}, Reason.REQUIRED),
        ({"ius": "junk"}, Reason.REQUIRED),
        ({"inm": "junk"}, Reason.REQUIRED),
        ({"inm": ""}, Reason.REQUIRED),
        ({"inm": '"other"'}, Reason.REQUIRED),
        ({"ius": BEFORE}, Reason.DATE_NOT_ENOUGH),
        ({"ius": AFTER}, Reason.DATE_NOT_ENOUGH),
        ({"ius": AFTER, "inm": '"other"'}, Reason.DATE_NOT_ENOUGH),
    ],
)
def test_a_write_that_needs_if_match_is_told_so(method, current, given_headers, reason):
    assert decide(method, current, NEEDS, **given_headers) == (REQUIRED, reason)


@pytest.mark.parametrize("method", READS)
@pytest.mark.parametrize("policy", [NEEDS, NEEDS_DATE])
def test_a_read_needs_no_if_match(method, policy):
    assert decide(method, OURS, policy) == (PROCEED, Reason.NONE)
    assert decide(method, OURS, policy, ius=AFTER) == (PROCEED, Reason.NONE)
    assert decide(method, OURS, policy, ius=BEFORE) == (FAILED, Reason.MODIFIED_SINCE)


MALFORMED = [
    "",
    " ",
    ",",
    "undefined",
    "null",
    "user-7-v3.k2m9x1q0",
    f"'{TAG}'",
    f'"{TAG}',
    f'"{TAG}" "b"',
    f'"{TAG}", junk',
    f'*, "{TAG}"',
    f'w/"{TAG}"',
    f'"{TAG}"\x00',
]


@pytest.mark.parametrize("value", MALFORMED)
@pytest.mark.parametrize("current", [OURS, FOREIGN, ABSENT])
@pytest.mark.parametrize("policy", [Policy(), NEEDS, NEEDS_DATE, STRONG, NO_WILDCARD])
@pytest.mark.parametrize("method", ["PUT", "GET"])
def test_a_malformed_if_match_is_false_never_absent(value, current, policy, method):
    """Nor does it bring If-Unmodified-Since back (RFC 9110 §13.1.4)."""
    assert decide(method, current, policy, im=value) == (FAILED, Reason.MALFORMED)
    assert decide(method, current, policy, im=value, ius=AFTER) == (FAILED, Reason.MALFORMED)


@pytest.mark.parametrize("value", [*MALFORMED, '"other"'])
def test_an_if_none_match_that_matches_nothing_keeps_the_date_ignored(value):
    for method in READS:
        assert decide(method, OURS, inm=value, ims=AFTER) == (PROCEED, Reason.NONE)
    for method in WRITES:
        assert decide(method, OURS, inm=value) == (PROCEED, Reason.NONE)
        assert decide(method, OURS, NEEDS, inm=value) == (REQUIRED, Reason.REQUIRED)


# If-Match against a row of ours, by state (the default) and by the RFC's letter.
IF_MATCH = [
    (f'"{TAG}"', None, None),
    (f'"{STATE}"', None, None),
    (f'"a", "{TAG}", "b"', None, None),
    (f'W/"a", "{STATE}"', None, None),
    ("*", None, None),
    (f'W/"{TAG}"', None, Reason.WEAKENED),
    (f'W/"{STATE}"', None, Reason.WEAKENED),
    (f'"a", W/"{TAG}"', None, Reason.WEAKENED),
    (f'"{STATE}~html.00000000"', None, Reason.WEAKENED),
    (f'"{STATE}~"', None, Reason.WEAKENED),
    *[
        (f'"{opaque}{suffix}"', None, Reason.WEAKENED)
        for opaque in (TAG, STATE)
        for suffix in ("-gzip", "--gzip", "-br", "-zstd", "-deflate", ";gzip", ";br", "-gzip;br")
    ],
    (f'W/"{TAG}-gzip"', None, Reason.WEAKENED),
    ('"user-7-v30.k2m9x1q0"', Reason.STALE, Reason.STALE),
    ('"user-7-v3"', Reason.STALE, Reason.STALE),
    ('"user-7-v3.k2m9x1q"', Reason.STALE, Reason.STALE),
    ('"user-7-v3.k2m9x1q00"', Reason.STALE, Reason.STALE),
    ('"user-7-v3.k2m9x1q1~json.8c1f0a2b"', Reason.STALE, Reason.STALE),
    ('"user-70-v3.k2m9x1q0"', Reason.OTHER_RESOURCE, Reason.OTHER_RESOURCE),
    ('"USER-7-V3.K2M9X1Q0"', Reason.OTHER_RESOURCE, Reason.OTHER_RESOURCE),
    (f'"{STATE}-gzip-gzip"', None, Reason.WEAKENED),
    (f'"~{STATE}"', Reason.OTHER_RESOURCE, Reason.OTHER_RESOURCE),
    ('""', Reason.OTHER_RESOURCE, Reason.OTHER_RESOURCE),
    ('"-gzip"', Reason.OTHER_RESOURCE, Reason.OTHER_RESOURCE),
    ('"a", W/"b"', Reason.OTHER_RESOURCE, Reason.OTHER_RESOURCE),
]


@pytest.mark.parametrize(("value", "by_state", "by_letter"), IF_MATCH)
@pytest.mark.parametrize("method", ["PUT", "GET"])
def test_if_match_is_compared_by_state_or_to_the_letter(value, by_state, by_letter, method):
    for policy, objection in ((NEEDS, by_state), (Policy(True, strong=True), by_letter)):
        expected = (PROCEED, Reason.NONE) if objection is None else (FAILED, objection)
        assert decide(method, OURS, policy, im=value) == expected
        assert decide(method, UNDATED, policy, im=value) == expected
        # If-Unmodified-Since counts for nothing beside it.
        assert decide(method, OURS, policy, im=value, ius=BEFORE) == expected
        assert decide(method, OURS, policy, im=value, ius=AFTER) == expected


@pytest.mark.parametrize("current", [FOREIGN, FOREIGN_WEAK])
@pytest.mark.parametrize("policy", [Policy(), NEEDS, STRONG])
@pytest.mark.parametrize(
    ("value", "strong_row", "weak_row"),
    [
        ('"abc"', None, Reason.WEAKENED),
        ('W/"abc"', Reason.WEAKENED, Reason.WEAKENED),
        ('"abc-gzip"', Reason.STALE, Reason.STALE),
        ('"abc~json"', Reason.STALE, Reason.STALE),
        ('"ab"', Reason.STALE, Reason.STALE),
        ('"None"', Reason.STALE, Reason.STALE),
        ('"x", "abc"', None, Reason.WEAKENED),
        ("*", None, None),
    ],
)
def test_a_tag_that_somebody_else_made_is_compared_to_the_letter(
    current, policy, value, strong_row, weak_row
):
    """RFC 9110 §8.8.3.2, the strong comparison, whatever the setting."""
    objection = strong_row if current is FOREIGN else weak_row
    expected = (PROCEED, Reason.NONE) if objection is None else (FAILED, objection)
    assert decide("PUT", current, policy, im=value) == expected


def test_a_row_without_a_tag_matches_the_asterisk_alone():
    """The asterisk asks for the row, not for its tag (RFC 9110 §13.1.1, §13.1.2)."""
    assert decide("PUT", DATE_ONLY, im="*") == (PROCEED, Reason.NONE)
    assert decide("PUT", DATE_ONLY, im='"a"') == (FAILED, Reason.STALE)
    assert decide("PUT", DATE_ONLY, inm="*") == (FAILED, Reason.EXISTS)
    assert decide("GET", DATE_ONLY, inm='"a"') == (PROCEED, Reason.NONE)
    # As a client in Python writes that it has none.
    assert decide("GET", DATE_ONLY, inm="None") == (PROCEED, Reason.NONE)
    assert evaluate("GET", headers(inm="*"), DATE_ONLY) == Decision(
        NOT_MODIFIED, Reason.MATCH, None
    )


@pytest.mark.parametrize("method", WRITES)
def test_a_view_may_forbid_the_asterisk_on_writes(method):
    assert decide(method, OURS, NO_WILDCARD, im="*") == (FAILED, Reason.WILDCARD_FORBIDDEN)
    assert decide(method, ABSENT, NO_WILDCARD, im="*") == (FAILED, Reason.ABSENT)
    assert decide(method, OURS, NO_WILDCARD, im=f'"{TAG}"') == (PROCEED, Reason.NONE)
    assert decide(method, OURS, NO_WILDCARD, im='"*"') == (FAILED, Reason.OTHER_RESOURCE)


def test_reads_may_always_use_the_asterisk():
    assert decide("GET", OURS, NO_WILDCARD, im="*") == (PROCEED, Reason.NONE)


@pytest.mark.parametrize("value", ["*", f'"{TAG}"', f'"{STATE}"', 'W/"a"', '"", ""'])
@pytest.mark.parametrize("method", [*READS, *WRITES])
def test_if_match_on_an_absent_row_is_false(value, method):
    assert decide(method, ABSENT, im=value) == (FAILED, Reason.ABSENT)
    assert decide(method, ABSENT, im=value, inm="*") == (FAILED, Reason.ABSENT)


@pytest.mark.parametrize(
    ("current", "date", "expected"),
    [
        (OURS, BEFORE, (FAILED, Reason.MODIFIED_SINCE)),
        (OURS, EQUAL, (PROCEED, Reason.NONE)),
        (OURS, AFTER, (PROCEED, Reason.NONE)),
        (FOREIGN, BEFORE, (FAILED, Reason.MODIFIED_SINCE)),
        (UNDATED, BEFORE, (PROCEED, Reason.NONE)),
        (ABSENT, BEFORE, (PROCEED, Reason.NONE)),
        (OURS, "junk", (PROCEED, Reason.NONE)),
        (OURS, f"{BEFORE}, {BEFORE}", (PROCEED, Reason.NONE)),
        (OURS, "", (PROCEED, Reason.NONE)),
    ],
)
@pytest.mark.parametrize("method", [*READS, *WRITES])
def test_if_unmodified_since_where_nothing_is_required(current, date, expected, method):
    assert decide(method, current, ius=date) == expected


@pytest.mark.parametrize(
    ("current", "date", "expected"),
    [
        (OURS, BEFORE, (FAILED, Reason.MODIFIED_SINCE)),
        (OURS, EQUAL, (PROCEED, Reason.NONE)),
        (OURS, AFTER, (PROCEED, Reason.NONE)),
        (OURS, "junk", (REQUIRED, Reason.REQUIRED)),
        (UNDATED, AFTER, (REQUIRED, Reason.DATE_NOT_ENOUGH)),
        (ABSENT, AFTER, (REQUIRED, Reason.DATE_NOT_ENOUGH)),
    ],
)
@pytest.mark.parametrize("method", WRITES)
def test_a_view_may_accept_if_unmodified_since_in_place_of_if_match(
    current, date, expected, method
):
    assert decide(method, current, NEEDS_DATE, ius=date) == expected


@pytest.mark.parametrize("policy", [Policy(), NEEDS, STRONG])
@pytest.mark.parametrize("method", WRITES)
def test_if_none_match_on_a_write(policy, method):
    for value in ("*", f'"{TAG}"', f'W/"{TAG}"', f'"a", "{TAG}-gzip"'):
        assert decide(method, OURS, policy, inm=value) == (FAILED, Reason.EXISTS)
    assert decide(method, ABSENT, policy, inm="*") == (PROCEED, Reason.NONE)


def test_only_the_asterisk_makes_a_creation_conditional():
    assert decide("PUT", ABSENT, NEEDS, inm='"a"') == (REQUIRED, Reason.REQUIRED)
    assert decide("PUT", ABSENT, NEEDS, inm="*, *") == (REQUIRED, Reason.REQUIRED)
    assert decide("PUT", ABSENT, inm='"a"') == (PROCEED, Reason.NONE)


@pytest.mark.parametrize(
    ("value", "carried"),
    [
        (f'"{TAG}"', f'"{TAG}"'),
        (f'W/"{TAG}"', f'W/"{TAG}"'),
        ("*", f'"{TAG}"'),
        (f'"a", W/"b", "{TAG}"', f'"{TAG}"'),
        (f'"a", W/"{TAG}"', f'W/"{TAG}"'),
        (f'W/"{TAG}", "{TAG}"', f'"{TAG}"'),
        (f'"{TAG}-gzip"', f'"{TAG}-gzip"'),
        (f'W/"{TAG}-gzip"', f'W/"{TAG}-gzip"'),
        (f'"{TAG};gzip"', f'"{TAG};gzip"'),
        (f'"{TAG}-gzip", "{TAG}"', f'"{TAG}"'),
        (f'"b-gzip", "{TAG}-gzip", W/"{TAG}"', f'"{TAG}-gzip"'),
        (f'"{STATE}"', None),
        (f'"{STATE}~html.00000000"', None),
        ('"user-7-v30.k2m9x1q0~json.8c1f0a2b"', None),
        ('"user-7-v3.k2m9x1q0~json.8c1f0a2"', None),
        ('""', None),
        ("junk", None),
    ],
)
@pytest.mark.parametrize("method", READS)
def test_if_none_match_on_a_read_compares_the_whole_tag(value, carried, method):
    """The 304 carries the form that the client has, so that its cache finds its copy."""
    for policy in (Policy(), STRONG, NEEDS, NO_WILDCARD):
        decision = evaluate(method, headers(inm=value), OURS, policy)
        if carried is None:
            assert decision == Decision(PROCEED, Reason.NONE, None)
        else:
            assert (decision.outcome, decision.reason) == (NOT_MODIFIED, Reason.MATCH)
            assert str(decision.etag) == carried
    assert decide(method, ABSENT, inm=value) == (PROCEED, Reason.NONE)


@pytest.mark.parametrize(
    ("current", "value", "carried"),
    [
        (FOREIGN, '"abc"', '"abc"'),
        (FOREIGN, 'W/"abc"', 'W/"abc"'),
        (FOREIGN, '"abc-gzip"', None),
        (FOREIGN_WEAK, '"abc"', 'W/"abc"'),
        (FOREIGN_WEAK, 'W/"abc"', 'W/"abc"'),
        (FOREIGN_WEAK, "*", 'W/"abc"'),
    ],
)
def test_if_none_match_against_a_tag_that_somebody_else_made(current, value, carried):
    decision = evaluate("GET", headers(inm=value), current)
    assert (None if decision.etag is None else str(decision.etag)) == carried
    assert decision.outcome is (NOT_MODIFIED if carried else PROCEED)


@pytest.mark.parametrize(
    ("current", "date", "outcome"),
    [
        (OURS, BEFORE, PROCEED),
        (OURS, EQUAL, NOT_MODIFIED),
        (OURS, AFTER, NOT_MODIFIED),
        (FOREIGN, EQUAL, NOT_MODIFIED),
        (DATE_ONLY, EQUAL, NOT_MODIFIED),
        (UNDATED, AFTER, PROCEED),
        (ABSENT, AFTER, PROCEED),
        (OURS, "junk", PROCEED),
        (OURS, f"{AFTER}, {AFTER}", PROCEED),
    ],
)
def test_if_modified_since_is_answered_304_by_the_date_alone(current, date, outcome):
    for method in READS:
        decision = evaluate(method, headers(ims=date), current)
        assert decision.outcome is outcome
        assert decision.etag == (current.etag if outcome is NOT_MODIFIED else None)
    for method in WRITES:
        assert decide(method, current, ims=date) == (PROCEED, Reason.NONE)


@pytest.mark.parametrize(
    ("method", "given_headers", "expected"),
    [
        ("GET", {"im": '"stale"', "inm": f'"{TAG}"'}, (FAILED, Reason.OTHER_RESOURCE)),
        ("GET", {"im": f'"{TAG}"', "inm": f'"{TAG}"'}, (NOT_MODIFIED, Reason.MATCH)),
        ("GET", {"im": f'"{TAG}"', "ims": AFTER}, (NOT_MODIFIED, Reason.MATCH)),
        ("GET", {"ius": BEFORE, "inm": "*"}, (FAILED, Reason.MODIFIED_SINCE)),
        ("GET", {"ius": AFTER, "inm": "*"}, (NOT_MODIFIED, Reason.MATCH)),
        ("PUT", {"im": '"stale"', "inm": "*"}, (FAILED, Reason.OTHER_RESOURCE)),
        ("PUT", {"im": f'"{TAG}"', "inm": "*"}, (FAILED, Reason.EXISTS)),
        ("PUT", {"im": f'"{TAG}"', "inm": '"a"'}, (PROCEED, Reason.NONE)),
        ("PUT", {"ius": BEFORE, "inm": "*"}, (FAILED, Reason.MODIFIED_SINCE)),
    ],
)
def test_the_steps_have_an_order(method, given_headers, expected):
    assert decide(method, OURS, **given_headers) == expected


def test_a_tag_of_a_page_is_known_again_with_a_proxys_suffix():
    """It is a tag of ours, though there is no one row whose state it names."""
    page = page_validators("user", [])
    for value in (f'"{page.etag.opaque}-gzip"', f'W/"{page.etag.opaque}"'):
        assert evaluate("GET", headers(inm=value), page).outcome is NOT_MODIFIED


@settings(deadline=None)
@given(st.datetimes(timezones=st.just(UTC)))
@example(datetime(1970, 1, 1, tzinfo=UTC) - timedelta(microseconds=int("br", 36)))
def test_the_tag_of_a_state_matches_it_whatever_its_timestamp(timestamp):
    """Before 1970 there is a moment whose timestamp reads as a proxy's suffix."""
    state = build_state("user", 7, 3, timestamp)
    current = Validators(EntityTag(state), state)
    assert decide("PUT", current, NEEDS, im=f'"{state}"') == (PROCEED, Reason.NONE)


# Every combination of the four headers, against the algorithm written down a
# second time: which preconditions are in force, and which of them are false.

TAG_FORMS = {
    "absent": lambda tag: None,
    "matching": '"{}"'.format,
    "not matching": '"x{}"'.format,
    "weak": 'W/"{}"'.format,
    "suffixed": '"{}-gzip"'.format,
    "any": lambda tag: "*",
    "garbage": str,
}
DATES = {"absent": None, "before": BEFORE, "equal": EQUAL, "after": AFTER, "garbage": "yesterday"}
ROWS = {"ours": OURS, "undated": UNDATED, "foreign": FOREIGN, "absent": ABSENT}
POLICIES = {
    "optional": Policy(),
    "required": NEEDS,
    "dates allowed": NEEDS_DATE,
    "no wildcard": Policy(if_match_required=True, allow_wildcard=False),
    "strong": STRONG,
    "required and strong": Policy(if_match_required=True, strong=True),
}

# What names the row, by (row, comparison); an absent row is named by nothing.
NAMED = {
    ("ours", "state"): {"any", "matching", "weak", "suffixed"},
    ("ours", "strong"): {"any", "matching"},
    ("ours", "weak"): {"any", "matching", "weak", "suffixed"},
    ("foreign", "state"): {"any", "matching"},
    ("foreign", "strong"): {"any", "matching"},
    ("foreign", "weak"): {"any", "matching", "weak"},
}


def by_the_rfc(method, row, policy, forms):
    """The outcome, and whether the tag of a 304 is weak, from symbols alone."""
    reads, kind = method in READS, "ours" if row == "undated" else row
    present = {name for name, form in forms.items() if form != "absent"}

    in_force = set(present)
    if method == "OPTIONS":
        return PROCEED, None
    for name in ("ius", "ims"):
        if forms[name] == "garbage" or row in ("undated", "absent"):
            in_force.discard(name)
    if "im" in present:
        in_force.discard("ius")
    if "inm" in present or not reads:
        in_force.discard("ims")
    insists = not reads and policy.if_match_required
    if insists and not policy.allow_unmodified_since:
        in_force.discard("ius")

    matches = set(NAMED.get((kind, "strong" if policy.strong else "state"), ()))
    if not (reads or policy.allow_wildcard):
        matches.discard("any")
    is_false = {
        "im": forms["im"] not in matches,
        "ius": forms["ius"] == "before",
        "inm": forms["inm"] in NAMED.get((kind, "weak"), ()),
        "ims": forms["ims"] in ("equal", "after"),
    }
    false = {name for name in in_force if is_false[name]}
    if false & {"im", "ius"} or (false and not reads):
        return FAILED, None
    if false:
        return NOT_MODIFIED, forms["inm"] == "weak"

    guards = in_force & {"im", "ius"}
    creates = row == "absent" and forms["inm"] == "any"
    return (REQUIRED if insists and not guards and not creates else PROCEED), None


@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "POST", "OPTIONS"])
def test_every_combination_of_headers(method, policy, row):
    current, policy = ROWS[row], POLICIES[policy]
    opaque = TAG if current is None else current.etag.opaque
    wrong = {}
    for im, ius, inm, ims in itertools.product(TAG_FORMS, DATES, TAG_FORMS, DATES):
        given_headers = ConditionalHeaders(
            TAG_FORMS[im](opaque), DATES[ius], TAG_FORMS[inm](opaque), DATES[ims]
        )
        decision = evaluate(method, given_headers, current, policy)
        actual = decision.outcome, decision.etag and decision.etag.weak
        forms = {"im": im, "ius": ius, "inm": inm, "ims": ims}
        expected = by_the_rfc(method, row, policy, forms)
        if actual != expected:
            wrong[im, ius, inm, ims] = actual, expected
    assert wrong == {}


@pytest.mark.parametrize(
    ("given_headers", "moved", "expected"),
    [
        # If-Match still holds, so nobody was first: no 412 may name the tag that was sent.
        ({"im": f'"{TAG}"'}, False, (Outcome.UNAVAILABLE, Reason.CONTENTION)),
        ({"im": f'"{TAG}"'}, True, (Outcome.UNAVAILABLE, Reason.CONTENTION)),
        ({"im": '"stale"'}, True, (FAILED, Reason.OTHER_RESOURCE)),
        ({"im": '"stale"'}, False, (FAILED, Reason.OTHER_RESOURCE)),
        ({"im": "*"}, True, (Outcome.CONFLICT, Reason.CONFLICT)),
        ({"im": "*"}, False, (Outcome.UNAVAILABLE, Reason.CONTENTION)),
        ({"ius": BEFORE}, True, (FAILED, Reason.MODIFIED_SINCE)),
        ({"ius": AFTER}, True, (Outcome.CONFLICT, Reason.CONFLICT)),
        ({"inm": "*"}, True, (FAILED, Reason.EXISTS)),
        ({}, True, (Outcome.CONFLICT, Reason.CONFLICT)),
        ({}, False, (Outcome.UNAVAILABLE, Reason.CONTENTION)),
    ],
)
def test_a_lost_write_is_evaluated_again(given_headers, moved, expected):
    again = evaluate("PUT", headers(**given_headers), OURS)
    decision = reconsider(headers(**given_headers), again, moved)
    assert (decision.outcome, decision.reason) == expected


@pytest.mark.parametrize(
    ("value", "answer"),
    [("*", True), (" * ", True), ('"*"', False), ("*, *", False), ("", False), (None, False)],
)
def test_names_any_is_true_for_an_asterisk_alone(value, answer):
    assert names_any(headers(im=value)) is answer


texts = (
    st.none()
    | st.text()
    | st.text(st.sampled_from('"W/*, \tab~-gzipGMT:0123456789\x80\xff'))
    | st.sampled_from(["*", f'"{TAG}"', f'W/"{STATE}"', EQUAL, "Sun Nov 31 08:49:60 0000"])
)


@settings(deadline=None, max_examples=500)
@given(
    st.sampled_from([*READS, *WRITES, *UNCONDITIONAL, "", "get", "PROPFIND"]),
    st.builds(ConditionalHeaders, texts, texts, texts, texts),
    st.sampled_from([OURS, UNDATED, FOREIGN, FOREIGN_WEAK, DATE_ONLY, Validators(), ABSENT]),
    st.builds(Policy, st.booleans(), st.booleans(), st.booleans(), st.booleans()),
)
def test_no_header_can_make_the_evaluation_raise(method, given_headers, current, policy):
    decision = evaluate(method, given_headers, current, policy)
    assert decision.outcome in (PROCEED, NOT_MODIFIED, FAILED, REQUIRED)
    if decision.outcome is NOT_MODIFIED:
        assert method in READS
        assert current is not None
    if decision.outcome is REQUIRED:
        assert policy.if_match_required
        assert given_headers.if_match is None
