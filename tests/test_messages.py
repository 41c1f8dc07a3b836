"""What clients are told, and in which languages."""

import ast
import gettext
import re
from pathlib import Path

import pytest
from django.utils import translation

import etag_versioning
from etag_versioning.http.messages import MESSAGES

LOCALE = Path(etag_versioning.__file__).parent / "locale"
HEADERS = re.compile(r"(?:If|Accept|Cache)-[A-Z][A-Za-z-]*(?:: [a-z*-]+)?|ETag")


def written(language):
    """What the source of a catalogue says, as (message, translation)."""
    text = (LOCALE / language / "LC_MESSAGES" / "django.po").read_text("utf-8")
    pairs = re.findall(r'msgid ((?:".*"\s+)+)msgstr ((?:".*"\s*)+)', text)
    joined = [[ast.literal_eval(f"({part})") for part in pair] for pair in pairs]
    return {message: translated for message, translated in joined if message}


@pytest.mark.parametrize("language", ["de", "en"])
def test_every_message_is_in_every_catalogue(language):
    with translation.override(None):
        assert set(written(language)) == {str(message) for message in MESSAGES.values()}


def test_the_compiled_catalogue_is_that_of_its_source():
    with (LOCALE / "de" / "LC_MESSAGES" / "django.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    for message, translated in written("de").items():
        assert translated not in ("", message)
        assert compiled.gettext(message) == translated


def test_headers_are_not_translated():
    for message, translated in written("de").items():
        assert set(HEADERS.findall(message)) == set(HEADERS.findall(translated))


@pytest.mark.parametrize("reason", MESSAGES)
def test_messages_follow_the_active_language(reason):
    texts = set()
    for language in ("en", "de", "fr"):
        with translation.override(language):
            texts.add(str(MESSAGES[reason]))
    assert len(texts) == 2  # French is not there, and reads English.
