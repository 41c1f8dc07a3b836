"""Which form of an answer Accept asks for (RFC 9110 §12.5.1)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etag_versioning.http.negotiation import HTML, JSON, PROBLEM, preferred_type

CHROMIUM = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        (None, JSON),
        ("", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        ("application/json", JSON),
        ("application/json; indent=4", JSON),
        ("application/json, text/plain, */*", JSON),
        ("application/json, text/html", JSON),
        ("application/problem+json", PROBLEM),
        ("application/json, application/problem+json", PROBLEM),
        ("application/problem+json;q=0.9, application/json", JSON),
        ("application/problem+json;q=0.9, */*;q=0.8", PROBLEM),
        ("text/html", HTML),
        ("text/*", HTML),
        ("TEXT/HTML", HTML),
        (CHROMIUM, HTML),
        ("text/html;q=0.5, application/json;q=0.9", JSON),
        ("text/html;q=0.9, application/json;q=0.5", HTML),
        ("text/html ; q=0.2 , application/*;q=0.1", HTML),
        ("text/html;q=0, */*", JSON),
        ("application/json;q=0, */*;q=0.1", PROBLEM),
        ("application/*;q=0, */*;q=0.1", HTML),
        # Nothing of ours is acceptable: an error is told all the same.
        ("application/json;q=0", JSON),
        ("image/png", JSON),
        # No qualities: the parameter is another one, or none of the grammar's.
        ("text/html;level=1;q=0.3, application/json;q=0.2", HTML),
        ("text/html;q=x", HTML),
        (";;,,q=1", JSON),
    ],
)
def test_the_form_with_the_highest_quality(accept, chosen):
    assert preferred_type(accept) == chosen


pieces = st.sampled_from([JSON, HTML, PROBLEM, "*/*", ";q=", "0.5", ",", ";", '"', "=", " ", "*"])


@settings(deadline=None, max_examples=300)
@given(st.text() | st.lists(pieces, max_size=12).map("".join))
def test_no_header_can_make_it_raise(accept):
    assert preferred_type(accept) in (JSON, PROBLEM, HTML)
