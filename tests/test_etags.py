"""Entity tags: the grammar of RFC 9110 §8.8.3, and how ours are built."""

import re
import time
from datetime import UTC, datetime, timedelta, timezone
from urllib.parse import unquote
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etag_versioning.http.etags import (
    ANY,
    EntityTag,
    build_state,
    digest,
    encode_key,
    encode_timestamp,
    parse_entity_tags,
    state_part,
    without_coding,
)

examples = settings(deadline=None, max_examples=300)

# Everything that may stand between the quotes: no control, space, quote or DEL.
ETAGC = [chr(code) for code in (0x21, *range(0x23, 0x7F), *range(0x80, 0x100))]
STAMP = datetime(2026, 1, 1, 12, 30, 15, 250_000, tzinfo=UTC)

tags = st.builds(EntityTag, st.text(st.sampled_from(ETAGC), max_size=20), weak=st.booleans())
spaces = st.text(st.sampled_from(" \t"), max_size=3)
# A comma, maybe several: empty elements of a list do not count.
separators = st.lists(spaces, min_size=2, max_size=4).map(",".join)


def strong(*opaques):
    return tuple(EntityTag(opaque) for opaque in opaques)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ('"a"', strong("a")),
        ('W/"a"', (EntityTag("a", weak=True),)),
        ('""', strong("")),
        ('W/""', (EntityTag("", weak=True),)),
        ('"a","b"', strong("a", "b")),
        ('"a", W/"b"', (EntityTag("a"), EntityTag("b", weak=True))),
        ('"a,b", "c,,"', strong("a,b", "c,,")),
        ('"*"', strong("*")),
        ('"W/"', strong("W/")),
        ('"a\\"', strong("a\\")),
        ('"!#~"', strong("!#~")),
        ('"\x80\xfc\xff"', strong("\x80\xfc\xff")),
        ('  "a"\t', strong("a")),
        ('"a" \t, \t"b"', strong("a", "b")),
        (', ,"a",, ,"b",', strong("a", "b")),
        ('"a", "a"', strong("a", "a")),
    ],
)
def test_a_list_of_tags_is_read(value, expected):
    assert parse_entity_tags(value) == expected


@pytest.mark.parametrize("value", ["*", " *", "*\t", " \t* "])
def test_the_asterisk_is_any(value):
    assert parse_entity_tags(value) is ANY
    assert repr(ANY) == "ANY"


@pytest.mark.parametrize(
    "value",
    [
        "",
        "  \t",
        ",",
        " , ,",
        "undefined",
        "user-7-v3",
        "'a'",
        '"a',
        'a"',
        '"',
        '"""',
        '"a" "b"',
        '"a""b"',
        '"a", junk',
        'junk, "a"',
        '"a", "b',
        '"a"; "b"',
        'w/"a"',
        'W/ "a"',
        'W /"a"',
        "W/",
        "W/a",
        'W/W/"a"',
        '*, "a"',
        '"a", *',
        "*, *",
        "**",
        ",*",
        '"a b"',
        '"a\tb"',
        '"a\x00"',
        '"a\x1f"',
        '"a\x7f"',
        '"a"\r\n',
        '"a"\n, "b"',
        '"a"\xa0',
        '\x0b"a"',
        '"\u0100"',
        '"\u2603"',
        '"\udcff"',
    ],
)
def test_a_header_with_one_malformed_member_is_no_list(value):
    assert parse_entity_tags(value) is None


@pytest.mark.parametrize(
    "lines", [('"a"', 'W/"b"'), ('"a", W/"b"', ""), ("", '"a"', "", 'W/"b"'), ('"a",', ',W/"b"')]
)
@pytest.mark.parametrize("joint", [",", ", "])
def test_several_field_lines_are_one_list(lines, joint):
    """RFC 9110 §5.3: servers join the lines of a field by commas."""
    assert parse_entity_tags(joint.join(lines)) == (EntityTag("a"), EntityTag("b", weak=True))


def test_an_asterisk_in_a_line_of_its_own_spoils_the_list():
    assert parse_entity_tags(", ".join(['"a"', "*"])) is None


@pytest.mark.parametrize(
    ("value", "count"),
    [
        ('"' + "a" * 100_000 + '"', 1),
        ('"a",' * 25_000, 25_000),
        ("," * 100_000 + '"a"', 1),
        (" " * 100_000 + '"a"' + "\t" * 100_000, 1),
        ('"' + "," * 100_000 + '"', 1),
        ('"' + "a" * 100_000, None),
        ('"' * 100_000, None),
        ('"a"' * 30_000, None),
        ("W/" * 50_000, None),
        ('W/"' * 30_000, None),
        ("," * 100_000, None),
        (" " * 100_000, None),
        ("*" * 100_000, None),
    ],
)
def test_long_values(value, count):
    """Each character is looked at a fixed number of times, whatever follows it."""
    parsed = parse_entity_tags(value)
    assert (parsed if count is None else len(parsed)) == count


@examples
@given(st.text() | st.text(st.sampled_from('"W/*, \tab\x80\xff\x7f\n')))
def test_no_text_can_make_the_parser_raise(value):
    parsed = parse_entity_tags(value)
    assert parsed is ANY or parsed is None or len(parsed) > 0


@examples
@given(st.lists(st.tuples(tags, separators), min_size=1, max_size=6), spaces, spaces)
def test_every_valid_list_is_read_back(pairs, before, after):
    value = before + "".join(f"{tag}{separator}" for tag, separator in pairs) + after
    assert parse_entity_tags(value) == tuple(tag for tag, _ in pairs)


@pytest.mark.parametrize("character", ETAGC)
def test_every_character_of_the_grammar_is_accepted(character):
    assert parse_entity_tags(f'"{character}"') == strong(character)
    assert EntityTag.from_text(character) == EntityTag(character)


@pytest.mark.parametrize(
    ("text", "header"),
    [
        ("abc", '"abc"'),
        ('"abc"', '"abc"'),
        ('W/"abc"', 'W/"abc"'),
        ("", '""'),
        ('""', '""'),
        ("a,b", '"a,b"'),
        ("\xfc", '"\xfc"'),
        ("a b", '"a%20b"'),
        ("a\tb\x7f", '"a%09b%7F"'),
        ('a"b', '"a%22b"'),
        ('"a', '"%22a"'),
        ('"a" "b"', '"%22a%22%20%22b%22"'),
        ("a\r\nSet-Cookie: b", '"a%0D%0ASet-Cookie%3A%20b"'),
        ("\u2603", '"%E2%98%83"'),
        ("\udcff", '"%ED%B3%BF"'),
        ("W/abc", '"W/abc"'),
        ("*", '"*"'),
    ],
)
def test_the_tag_that_a_text_means(text, header):
    tag = EntityTag.from_text(text)
    assert str(tag) == header
    assert parse_entity_tags(header) == (tag,)


@examples
@given(st.text())
def test_any_text_becomes_a_tag_that_can_be_sent_back(text):
    tag = EntityTag.from_text(text)
    assert parse_entity_tags(str(tag)) == (tag,)


@pytest.mark.parametrize(
    ("key", "encoded"),
    [
        (7, "7"),
        (-7, "-7"),
        ("a.b_c-d", "a.b_c-d"),
        ("\xfc~", "%C3%BC%7E"),
        ('a,"b" c', "a%2C%22b%22%20c"),
        ("a/b?c=d&e", "a%2Fb%3Fc%3Dd%26e"),
        ("100%", "100%25"),
        ("\u2603", "%E2%98%83"),
        ("\x00\n", "%00%0A"),
        ("", ""),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (b"\x00\xff", "00ff"),
        (memoryview(b"\x00\xff"), "00ff"),
        (("a", 1), "a-1"),
        (["a", 1], "a-1"),
        (("a-b", "c"), "a%2Db-c"),
        (("a", -1), "a-%2D1"),
    ],
)
def test_encoded_keys(key, encoded):
    assert encode_key(key) == encoded


@pytest.mark.parametrize(
    "keys",
    [
        [("a", "b-c"), ("a-b", "c"), ("a", "b", "c")],
        [("a", "%2D"), ("a", "-")],
        [("", "a"), ("a", ""), ("a",)],
        [("-", ""), ("", "-"), ("", "", "")],
        ["a%2Db", "a-b", "a%252Db"],
        ["~", "%7E", "%7e"],
        ["\xfc", "u\u0308", "%C3%BC"],
    ],
)
def test_different_keys_have_different_states(keys):
    assert len({build_state("user", key, 3, STAMP) for key in keys}) == len(keys)


SAFE = re.compile(r"[A-Za-z0-9._%-]*")
keys = st.text() | st.text(st.sampled_from("ab-~%2D7E"))


@examples
@given(keys | st.lists(keys).map(tuple) | st.integers() | st.binary() | st.uuids())
def test_keys_are_encoded_in_safe_characters(key):
    assert SAFE.fullmatch(encode_key(key))


@examples
@given(keys)
def test_no_two_strings_share_an_encoding(key):
    """For it can be read back."""
    assert unquote(encode_key(key)) == key


@examples
@given(st.lists(keys, min_size=1, max_size=4).map(tuple))
def test_no_two_composite_keys_share_an_encoding(key):
    assert tuple(map(unquote, encode_key(key).split("-"))) == key


@examples
@given(keys, keys, st.integers(1, 1000), st.integers(1, 1000), st.datetimes(), st.datetimes())
def test_states_are_equal_only_for_one_key_version_and_timestamp(one, other, v1, v2, s1, s2):
    first = (one, v1, s1.replace(tzinfo=UTC))
    second = (other, v2, s2.replace(tzinfo=UTC))
    assert (build_state("user", *first) == build_state("user", *second)) is (first == second)


@pytest.mark.parametrize(
    ("arguments", "state"),
    [
        (("user", 7, 3, None), "user-7-v3"),
        (("user", 7, 3, datetime(1970, 1, 1, tzinfo=UTC)), "user-7-v3.0"),
        (("user", 7, 3, datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)), "user-7-v3.lfls"),
        (("user", 7, 3, datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)), "user-7-v3._lfls"),
        (("\xfcser~", '"', 3, None), "%C3%BCser%7E-%22-v3"),
    ],
)
def test_states(arguments, state):
    assert build_state(*arguments) == state


def test_a_state_is_always_a_valid_opaque_tag():
    state = build_state('m\u2603 "~', ("\xfc,", "~"), 3, STAMP)
    assert parse_entity_tags(f'"{state}"') == strong(state)
    assert "~" not in state


def test_versions_are_not_prefixes_of_each_other_with_a_timestamp():
    three = build_state("user", 7, 3, STAMP)
    assert not build_state("user", 7, 30, STAMP).startswith(three)


@examples
@given(st.datetimes(), st.datetimes())
def test_timestamps_count_microseconds(one, other):
    """Read as numbers they rise as the moments do, before 1970 too."""
    one, other = one.replace(tzinfo=UTC), other.replace(tzinfo=UTC)
    first, second = (int(encode_timestamp(moment).replace("_", "-"), 36) for moment in (one, other))
    assert (second - first) * timedelta(microseconds=1) == other - one


def test_timestamps_sort_as_text_for_the_years_that_count():
    moments = [STAMP + n * timedelta(microseconds=1) for n in range(-50, 50)]
    moments += [datetime(year, 1, 1, tzinfo=UTC) for year in range(2027, 2070)]
    encoded = [encode_timestamp(moment) for moment in moments]
    assert encoded == sorted(set(encoded))


def test_one_moment_has_one_timestamp_in_every_zone():
    elsewhere = STAMP.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert encode_timestamp(elsewhere) == encode_timestamp(STAMP)


def test_digests_have_96_bits():
    assert re.fullmatch("[0-9a-f]{24}", digest([]))


@pytest.mark.parametrize(
    "sequences",
    [
        [["ab", "c"], ["a", "bc"], ["a", "b", "c"], ["abc"]],
        [[], [""], ["", ""]],
        [["1"], [1], [1.0], [True]],
        [[None], ["None"]],
        [["a", "b"], ["b", "a"]],
        [["a5:str:b"], ["a", "b"]],
        [["\udcff"], ["\u2603"]],
        [[("a", "b")], ["a", "b"], [["a", "b"]]],
    ],
)
def test_different_sequences_have_different_digests(sequences):
    assert len({digest(sequence) for sequence in sequences}) == len(sequences)


def test_a_digest_is_the_same_for_the_same_terms():
    assert digest(["a", 1, STAMP]) == digest(iter(("a", 1, STAMP)))


@examples
@given(st.lists(st.text() | st.integers()), st.lists(st.text() | st.integers()))
def test_digests_differ_wherever_the_terms_do(one, other):
    assert (digest(one) == digest(other)) is (one == other)


@pytest.mark.parametrize("suffix", ["-gzip", "--gzip", "-br", "-zstd", "-deflate", ";gzip", ";br"])
@pytest.mark.parametrize("representation", ["", "~json.8c1f"])
def test_the_suffixes_of_proxies_are_taken_off_with_and_without_a_representation(
    suffix, representation
):
    for suffixes in (suffix, suffix * 2, f"{suffix}-gzip"):
        opaque = f"user-7-v3{representation}{suffixes}"
        assert without_coding(opaque) == f"user-7-v3{representation}"
        assert state_part(opaque) == "user-7-v3"


@pytest.mark.parametrize("unit", ['"a",', '"', "-gzip", '"a" ', "W/", ", "])
def test_a_megabyte_is_read_at_once(unit):
    value = unit * (1_000_000 // len(unit))
    start = time.perf_counter()
    assert parse_entity_tags(value) is None
    without_coding(value)
    assert time.perf_counter() - start < 0.1


@pytest.mark.parametrize("opaque", ["", "user-7-v3", "user-7-v3-GZIP", "gzip", "x-gzip-y", "x-brr"])
def test_anything_else_stays(opaque):
    assert without_coding(opaque) == opaque
