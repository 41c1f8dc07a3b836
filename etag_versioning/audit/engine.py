"""The audit itself: ask, change, ask again, roll back."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any

from django.conf import global_settings, settings

from ..runtime_audit.isolation import rolled_back
from .answers import Answer, Visitor
from .changes import Change, NotPossible, changes_of, rows_to_change
from .isolation import leaving_nothing
from .mends import Lie, mends_of, paths_to_shown
from .report import ModelReport, Report, Variation
from .tables import Table
from .views import view_at

__all__ = ["AuditError", "audit_address"]

# Values that often change the answer, of headers that Vary names.
_VARIED = {
    "accept": ("application/json", "text/html", "*/*"),
    "origin": ("https://other.example",),
    "x-requested-with": ("XMLHttpRequest",),
}
# Users bring other cookies, languages are tried by themselves, and a coding is no other content.
_NOT_VARIED = ("accept-encoding", "accept-language", "authorization", "cookie", "host")
_LANGUAGES = ("de", "fr", "ar")
# Items of ``etag_extra``, as code.
_USER = "terms.user"
_LANGUAGE = "terms.language"


class AuditError(Exception):
    """An address that cannot be audited; its text says why, and what to do."""


@dataclass(frozen=True)
class _Baseline:
    """What a visitor is answered before all changes; ``ignored`` differs at each request."""

    visitor: Visitor
    answer: Answer
    validators: Answer
    ignored: Collection[str]

    @property
    def tag(self) -> str:
        assert self.answer.tag is not None
        return self.answer.tag


def audit_address(
    client: Any,
    url: str,
    *,
    users: Iterable[Any] = (),
    headers: Mapping[str, str | Iterable[str]] | None = None,
    time_zones: Iterable[str] = (),
    hosts: Iterable[str] = (),
    rows: int = 5,
    secure: bool = False,
) -> Report:
    """
    Find out whether an address can be answered 304 although its content has changed.

    Everything that is written meanwhile is rolled back: signals and ``save()`` of the project
    run, mails are dropped, functions for ``on_commit()`` are not called.

    Args:
        client: Django's test client, or Django REST framework's; it stays as it is.
        url: a path, with its query string.
        users: who else asks, each logged in.
        headers: values of headers to try, by their names.
        time_zones: names of time zones to try, where the project activates others.
        hosts: other hosts to try, where a cache does not tell hosts apart.
        rows: how many rows of each model to change at most.
        secure: whether to ask by HTTPS.

    Raises:
        AuditError: the answer is no 200, has no ETag, or no 304 follows.
        NotTransactional: a table's changes could not be rolled back.
    """
    with leaving_nothing() as aliases:
        anybody = Visitor.of(client, url, aliases, secure)
        named = [anybody, *(anybody.logged_in(user) for user in users)]
        first = _first_baseline(named)
        report = Report(url, first.tag)
        if first.ignored:
            parts = tuple(first.ignored)
            report.variations.append(Variation("an earlier request", "a later one", parts))
        people = [(visitor, _USER) for visitor in named if visitor is not first.visitor]
        varied = _varied(first, headers or {}, time_zones, hosts)
        baselines, terms = [first], dict[str, None]()
        for visitor, term in (*people, *varied):
            lies, baseline = _compare(baselines if term == _USER else [first], visitor)
            if lies:
                report.variations += lies
                terms[term] = None
            if baseline is not None and term == _USER:
                baselines.append(baseline)
        models: dict[Table, ModelReport] = {}
        for baseline in baselines:
            _change_rows(baseline, rows, models)
        report.models = list(models.values())
        view = view_at(url)
        lies_of_rows = [lie for model in report.models for lie in model.lies]
        in_code = [term.format(request=view.request) for term in terms]
        report.mends = mends_of(lies_of_rows, in_code, view)
        return report


def _first_baseline(visitors: Sequence[Visitor]) -> _Baseline:
    """That of the first visitor who may see the answer, if any may."""
    errors = []
    for visitor in visitors:
        try:
            return _baseline(visitor)
        except AuditError as error:
            errors.append(error)
    raise errors[0]


def _baseline(visitor: Visitor) -> _Baseline:
    answer = visitor.get()
    url = visitor.url
    if answer.status != 200:
        raise AuditError(f"GET {url} was answered {answer.status}. {_remedy(answer.status)}")
    if answer.tag is None:
        raise AuditError(
            f"GET {url} was answered without an ETag. Give the view one: "
            f'@versioned_condition(User, lookup_url_kwarg="user_id"), or a viewset\'s mixin.'
        )
    again = visitor.get()
    ignored = answer.differs(again)
    validators = visitor.get(answer.tag)
    if validators.status != 304:
        differing = f" These parts of it differ each time: {', '.join(ignored)}." if ignored else ""
        raise AuditError(
            f"GET {url} with its own tag in If-None-Match was answered {validators.status}, "
            f"so no client ever gets a 304.{differing}"
        )
    return _Baseline(visitor, answer, validators, ignored)


def _remedy(status: int) -> str:
    if status in (301, 302, 401, 403):
        return "Name a user who may see it."
    return "Name an address that is there." if status == 404 else "It has to be 200."


def _varied(
    first: _Baseline,
    headers: Mapping[str, str | Iterable[str]],
    time_zones: Iterable[str],
    hosts: Iterable[str],
) -> Iterator[tuple[Visitor, str]]:
    """Other visitors, each with the item of ``etag_extra`` that tells it from the first one."""
    visitor = first.visitor
    if settings.USE_I18N:
        # Django's own list is longer than the project's translations.
        is_own = settings.LANGUAGES != global_settings.LANGUAGES
        for code in dict(settings.LANGUAGES) if is_own else _LANGUAGES:
            yield visitor.sending("Accept-Language", code), _LANGUAGE
    tried = {name: [each] if isinstance(each, str) else each for name, each in headers.items()}
    for name in first.answer.vary:
        if name.lower() not in _NOT_VARIED and name not in tried:
            tried[name] = _VARIED.get(name.lower(), ("etag-audit",))
    for name, values in tried.items():
        for value in values:
            yield visitor.sending(name, value), f'terms.header("{name}")'
    for host in hosts:
        yield visitor.sending("Host", host), "terms.host"
    for zone in time_zones:
        there = replace(visitor, time_zone=zone, name=f"time zone {zone}")
        yield there, "terms.time_zone"


def _compare(
    baselines: Sequence[_Baseline], visitor: Visitor
) -> tuple[list[Variation], _Baseline | None]:
    """
    Ask as another visitor, with the tags that others were given.

    Returns:
        Where a 304 was no truth; and what this visitor is shown, if it is something else.
    """
    answer = visitor.get()
    lies = []
    for other in baselines:
        parts = answer.differs(other.answer, other.ignored)
        if parts and answer.status < 500 and visitor.get(other.tag).status == 304:
            lies.append(Variation(other.visitor.label, visitor.label, tuple(parts)))
    if answer.status != 200 or not answer.differs(baselines[0].answer):
        return lies, None
    try:
        return lies, _baseline(visitor)
    except AuditError:
        return lies, None


def _change_rows(baseline: _Baseline, limit: int, models: dict[Table, ModelReport]) -> None:
    """Change the rows that an answer shows, each by itself, and note what its tag does."""
    reads = baseline.answer.reads
    tables = reads.tables()
    loaded = reads.keys()
    checked = baseline.validators.reads.tables()
    rows = rows_to_change(tables, loaded, limit)
    for table in tables:
        report = models.setdefault(
            table, ModelReport(table.model._meta.label, table.alias, table in checked, 0)
        )
        report.rows = max(report.rows, len(rows[table]))
        paths = partial(paths_to_shown, table, shown=loaded, read=tables, covered=checked)
        # A deleted row, or one with another foreign key, no longer leads to what showed it.
        before = cache(paths)
        for change in changes_of(table, rows[table], rows):
            leading = [] if change.pk is None else before(change.pk)
            with rolled_back(baseline.visitor.aliases):
                _try(baseline, change, report, leading, paths)


def _try(
    baseline: _Baseline,
    change: Change,
    report: ModelReport,
    before: Sequence[str],
    paths: Callable[[Any], list[str]],
) -> None:
    """Make one change, and ask with the tag from before."""
    try:
        pk = change.apply()
    except NotPossible as refusal:
        report.skipped[change.what] = str(refusal)
        return
    visitor = baseline.visitor
    answer = visitor.get(baseline.tag)
    is_current = answer.status == 304
    if is_current:
        answer = visitor.get()
    if answer.status >= 500:
        report.skipped[change.what] = f"the answer was {answer.status}"
        return
    parts = answer.differs(baseline.answer, baseline.ignored)
    if is_current and parts:
        leading = list(dict.fromkeys([*before, *paths(pk)]))
        user = visitor.user
        is_own = user is not None and (change.table.model, pk) == (type(user), user.pk)
        lie = Lie(
            change.table, pk, change.what, change.column, parts, leading, visitor.name, is_own
        )
        report.lies.append(lie)
    elif parts:
        report.follows.add(change.what)
    elif not is_current:
        report.needless.add(change.what)
