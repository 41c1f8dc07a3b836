"""What clients are told, and in which languages."""

import ast
import gettext
import re
from pathlib import Path

import pytest
from django.utils import translation
from django.utils.translation.template import templatize

import etag_versioning
from etag_versioning.http.messages import MESSAGES

PACKAGE = Path(etag_versioning.__file__).parent
LOCALE = PACKAGE / "locale"
HEADERS = re.compile(r"(?:If|Accept|Cache)-[A-Z][A-Za-z-]*(?:: [a-z*-]+)?|ETag")


def written(language):
    """What the source of a catalogue says, as (message, translation)."""
    text = (LOCALE / language / "LC_MESSAGES" / "django.po").read_text("utf-8")
    pairs = re.findall(r'msgid ((?:".*"\s+)+)msgstr ((?:".*"\s*)+)', text)
    joined = [[ast.literal_eval(f"({part})") for part in pair] for pair in pairs]
    return {message: translated for message, translated in joined if message}


def messages_of_code():
    """What the package's modules pass to a function called ``_``."""
    for file in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "_":
                yield ast.literal_eval(node.args[0])


def messages_of_templates():
    """What Django's makemessages finds in the package's templates."""
    call = re.compile(r"""(?:_|gettext)\(u?("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')""")
    for file in PACKAGE.rglob("*.html"):
        for text in call.findall(templatize(file.read_text("utf-8"))):
            yield ast.literal_eval(text)


@pytest.mark.parametrize("language", ["de", "en"])
def test_every_message_is_in_every_catalogue(language):
    found = {*messages_of_code(), *messages_of_templates()}
    assert {str(message) for message in MESSAGES.values()} <= found
    assert set(written(language)) == found


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
