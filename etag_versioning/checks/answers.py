"""System checks of what an answer depends on although its tag does not."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, Final, NamedTuple

from django.conf import settings
from django.core import checks

from ..orm.state_columns import unversioned_names
from .coverage import Uncovered, mended, uncovered
from .rows_read import RowsRead

__all__ = ["Answer", "check_answer"]

_LOCALE: Final = "django.middleware.locale.LocaleMiddleware"


class Answer(NamedTuple):
    """
    What a view shows, and what its tag is made of.

    Args:
        view: the view, with its ``name``.
        model: the model of the row or rows that the tag is made of.
        rows: what the code reads besides.
        named: models whose rows are part of the tag too.
        annotated: model and name of the fields that the queryset annotates.
        words: the words in the code of ``etag_extra``.
        extra: how the view writes its ``etag_extra``, with ``{}`` for the values.
        number: the id for rows of other models: of serializers and of plain views, each can be
            silenced by itself.
    """

    view: Any
    name: str
    model: Any
    rows: RowsRead
    named: Collection[Any]
    annotated: Collection[tuple[Any, str]]
    words: Collection[str]
    extra: str
    number: str


def check_answer(answer: Answer) -> Iterator[checks.CheckMessage]:
    """W207 and W208, W212 to W215: an answer that changes while its tag stays."""
    shown = answer.rows
    for found in uncovered(shown, answer.model, answer.named, answer.annotated):
        yield _not_covered(answer, found)
    yield from _check_own_fields(answer)
    for fact, places in shown.facts.items():
        yield from _check_fact(answer, fact, ", ".join(places))


def _not_covered(answer: Answer, found: Uncovered) -> checks.CheckMessage:
    label = "rows of any model" if found.model is None else found.model._meta.label
    touches, extra = mended(found, answer.model)
    hint = answer.extra.format(extra)
    if touches:
        hint = f"{touches}. Or, if there are few rows: {hint}"
    return _warning(
        answer.number,
        answer,
        f"{answer.name} shows {label} ({', '.join(found.places)}), whose writes do not change "
        f"the tag of {answer.model._meta.label}: clients keep the old content.",
        hint,
    )


def _check_own_fields(answer: Answer) -> Iterator[checks.CheckMessage]:
    """W212: a column that is left out of the state, and shown."""
    model, table = answer.model, answer.model._meta.concrete_model
    free = unversioned_names(model) - set(answer.words)
    if table in {each._meta.concrete_model for each in answer.named}:
        return
    for name, places in answer.rows.own_fields.items():
        if name not in free or (table, name) in answer.annotated:
            continue
        field = model._meta.get_field(name)
        if field.many_to_many:
            hint = f'Take "{name}" out of unversioned_fields'
        else:
            hint = f'queryset = {model.__name__}.objects.annotate(shown_{name}=F("{name}"))'
        yield _warning(
            "W212",
            answer,
            f"{answer.name} shows {model._meta.label}.{name} ({', '.join(places)}), which "
            f"unversioned_fields leaves out of the version: writes of it do not change the tag.",
            f"{hint}; or do not show it.",
        )


# By what an answer depends on: the id, what the message says, the term, and the words by which
# etag_extra is seen to cover it.
_FACTS: Final = {
    "user": ("W213", "the user who asks", "etag_extra.user", {"user", "auth", "auser"}),
    "session": ("W213", "the session", "etag_extra.session()", {"session", "user"}),
    "cookie": ("W213", "cookies", 'etag_extra.cookie("…")', {"cookie", "COOKIES"}),
    "header": ("W213", "request headers", 'etag_extra.header("…")', {"header", "headers", "META"}),
    "clock": (
        "W214",
        "the time or on chance",
        "etag_extra.every(60)",
        {"every", "today", "now", "localdate", "localtime", "time", "utcnow"},
    ),
    "language": (
        "W215",
        "the active language",
        "etag_extra.language",
        {"language", "get_language", "LANGUAGE_CODE"},
    ),
}


def _check_fact(answer: Answer, fact: str, places: str) -> Iterator[checks.CheckMessage]:
    """W213 to W215: who asks, when, and in which language."""
    number, what, term, words = _FACTS[fact]
    if not words.isdisjoint(answer.words):
        return
    if fact == "language" and not (settings.USE_I18N and _LOCALE in settings.MIDDLEWARE):
        return
    yield _warning(
        number,
        answer,
        f"{answer.name} ({places}) depends on {what}, and the tag of {answer.model._meta.label} "
        f"does not: clients keep what was right before, or for another.",
        f"{answer.extra.format(term)}  # from etag_versioning import etag_extra",
    )


def _warning(number: str, answer: Answer, message: str, hint: str) -> checks.CheckMessage:
    return checks.Warning(message, hint=hint, obj=answer.view, id=f"etag_versioning.{number}")
