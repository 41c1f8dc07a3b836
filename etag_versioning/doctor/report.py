"""The doctor's report: as a dictionary for programs, and as text for people."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from .models import models_of_project, triggers_of
from .project import (
    audit_of_project,
    caches_of_project,
    databases_of_project,
    messages_of_checks,
    middleware_of_project,
    settings_of_project,
    versions_of_project,
)
from .views import views_of_project

__all__ = ["Report", "diagnose"]

_WIDTH = 100
_BAD_TRIGGERS = ("missing", "out of date")


@dataclass(frozen=True)
class Report:
    """
    What the doctor has found. ``docs/audit.md`` describes the fields for programs.

    Args:
        versions: those of the package, of Django and of Django REST framework.
        settings: the package's settings, each with its value and its origin.
        middleware: the middleware that reads or changes validators.
        caches: the backends of the caches.
        databases: the databases, and whether they answer.
        models: the versioned models, and those with ``touches``.
        views: the views with tags, and those of versioned rows without.
        other_routes: how many routes lead to other views.
        messages: what the system checks say.
        audit: what the audit of the running project has counted.
    """

    versions: dict[str, str | None]
    settings: list[dict[str, Any]]
    middleware: list[str]
    caches: dict[str, str]
    databases: dict[str, dict[str, Any]]
    models: list[dict[str, Any]]
    views: list[dict[str, Any]]
    other_routes: int
    messages: list[dict[str, Any]]
    audit: dict[str, Any]

    @property
    def problems(self) -> list[str]:
        """One sentence for each thing to mend; the system checks' own are in ``messages``."""
        return [*self._of_databases(), *self._of_models(), *self._of_views(), *self._of_audit()]

    @property
    def is_healthy(self) -> bool:
        """Whether there is nothing to mend."""
        return not self.problems and all(each["level"] == "info" for each in self.messages)

    def as_dict(self) -> dict[str, Any]:
        """The report for programs."""
        found = {"format": 1, "healthy": self.is_healthy, "problems": self.problems}
        return {**found, **asdict(self)}

    def text(self) -> str:
        """The report for a terminal."""
        versions = (f"{name} {number}" for name, number in self.versions.items() if number)
        sections: tuple[tuple[str, Iterable[str]], ...] = (
            (", ".join(versions), ()),
            ("Settings", self._settings_lines()),
            ("Project", self._project_lines()),
            ("Models", self._model_lines()),
            ("Views", self._view_lines()),
            ("Audit of the running project", self._audit_lines()),
            ("To mend", self._mend_lines()),
        )
        return "\n\n".join("\n".join([title, *lines]) for title, lines in sections)

    def _of_databases(self) -> Iterator[str]:
        for alias, database in self.databases.items():
            if database["error"]:
                yield f'The database "{alias}" does not answer: {database["error"]}.'

    def _of_models(self) -> Iterator[str]:
        # Where databases are checked, W004 and W005 have the code that mends it.
        told = {each["about"] for each in self.messages}
        for model in self.models:
            for alias, status in model["triggers"].items():
                if status in _BAD_TRIGGERS and model["model"] not in told:
                    yield f'The trigger of {model["model"]} is {status} in "{alias}".'

    def _of_views(self) -> Iterator[str]:
        for view in self.views:
            unguarded = [name for name, how in view["writes"].items() if how == "not guarded"]
            if unguarded and view["model"]:
                yield (
                    f"{view['view']} writes {view['model']} without a guard: "
                    f"{', '.join(unguarded)} of {view['route']}. The last of two writers wins."
                )

    def _of_audit(self) -> Iterator[str]:
        audit = self.audit
        if not audit["on"]:
            return
        if audit["error"]:
            yield f'The cache "{audit["cache"]}" of the audit does not answer: {audit["error"]}.'
        elif not audit["shared"]:
            yield (
                f'The audit needs a cache that all processes share, and "{audit["cache"]}" is '
                f"{self.caches[audit['cache']].rpartition('.')[2]}."
            )
        if audit["differences"]:
            yield f"The audit found answers that differ under one tag: {audit['differences']}."

    def _settings_lines(self) -> Iterator[str]:
        rows = [(each["name"], str(each["value"]), each["from"]) for each in self.settings]
        return _columns(rows)

    def _project_lines(self) -> Iterator[str]:
        for alias, database in self.databases.items():
            facts = [database["vendor"]]
            facts += ["ATOMIC_REQUESTS"] * database["atomic_requests"]
            yield f"  database {alias}: {', '.join(facts)}"
        for alias, backend in self.caches.items():
            yield f"  cache {alias}: {backend.rpartition('.')[2]}"
        names = [path.rpartition(".")[2] for path in self.middleware]
        yield from _wrapped(f"middleware for validators: {', '.join(names) or 'none'}")

    def _model_lines(self) -> Iterator[str]:
        if not self.models:
            yield "  none"
        for model in self.models:
            columns = [name for name in (model["version"], model["timestamp"]) if name]
            facts = [f"state: {', '.join(columns)}"] if columns else ["no state"]
            if model["state_in"] not in (None, model["model"]):
                facts.append(f"in the table of {model['state_in']}")
            for option in ("unversioned_fields", "touches"):
                if model[option]:
                    facts.append(f"{option}: {', '.join(model[option])}")
            if columns and model["stale_writes"] != "raise":
                facts.append(f"stale writes: {model['stale_writes']}")
            there = {status for status in model["triggers"].values() if status != "none"}
            facts += [f"trigger: {', '.join(sorted(there))}"] if there else []
            yield from _wrapped(f"{model['model']}: {'; '.join(facts)}")

    def _view_lines(self) -> Iterator[str]:
        name = None
        for view in self.views:
            if view["view"] != name:
                name = view["view"]
                yield from _wrapped(f"{name} ({view['model']})" if view["model"] else name)
            yield from _wrapped(f"{view['route'] or '(root)'}: {_answers_of(view)}", "    ")
        yield f"  other routes: {self.other_routes}"

    def _audit_lines(self) -> Iterator[str]:
        audit = self.audit
        if not audit["on"]:
            yield '  off; ETAG_VERSIONING = {"AUDIT": {"sample_rate": 0.01}} compares 1 of 100 304s'
            return
        yield f"  sample rate {audit['sample_rate']}, cache {audit['cache']}"
        if audit["compared"] is not None:
            yield f"  in 30 days: {audit['compared']} compared, {audit['differences']} different"
        for each in audit["last"]:
            yield from _wrapped(
                f"{each['time']} {each['view']} ({each['route']}): {', '.join(each['parts'])}"
            )

    def _mend_lines(self) -> Iterator[str]:
        if self.is_healthy:
            yield "  nothing"
        for problem in self.problems:
            yield from _wrapped(problem)
        by_object: dict[str, list[Mapping[str, Any]]] = {}
        for message in self.messages:
            by_object.setdefault(message["about"], []).append(message)
        for about, messages in sorted(by_object.items()):
            yield f"  {about}"
            for each in messages:
                number = each["id"].rpartition(".")[2]
                yield from _wrapped(f"{number}: {each['message']}", "    ")
                for line in (each["hint"] or "").splitlines():
                    yield f"        {line}"


# What each kind of guard means.
_GUARDS = {
    "required": "If-Match required",
    "optional": "If-Match compared where it is sent",
    "report": "If-Match missing or stale is reported",
    "by get_if_match()": "get_if_match() decides",
    "no row yet": "creates",
    "not guarded": "NOT GUARDED",
}


def _answers_of(view: Mapping[str, Any]) -> str:
    """How a view answers reads and writes."""
    facts = [f"304 {view['reads']}"] if view["reads"] else []
    by_guard: dict[str, list[str]] = {}
    for method, guard in view["writes"].items():
        by_guard.setdefault(guard, []).append(method)
    facts += [f"{', '.join(names)}: {_GUARDS[how]}" for how, names in by_guard.items()]
    return "; ".join(facts)


def diagnose() -> Report:
    """Look at the project, and at its databases and caches. Nothing is changed."""
    databases = databases_of_project()
    answering = [alias for alias, database in databases.items() if not database["error"]]
    views, others = views_of_project()
    return Report(
        versions=versions_of_project(),
        settings=settings_of_project(),
        middleware=middleware_of_project(),
        caches=caches_of_project(),
        databases=databases,
        models=models_of_project({alias: triggers_of(alias) for alias in answering}),
        views=views,
        other_routes=others,
        messages=messages_of_checks(answering),
        audit=audit_of_project(),
    )


def _columns(rows: Iterable[tuple[str, str, str]]) -> Iterator[str]:
    listed = list(rows)
    widths = [max(len(row[column]) for row in listed) for column in range(2)]
    for name, value, origin in listed:
        yield f"  {name.ljust(widths[0])}  {value.ljust(widths[1])}  {origin}"


def _wrapped(text: str, indent: str = "  ") -> list[str]:
    return textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=indent,
        subsequent_indent=f"{indent}  ",
        break_long_words=False,
        break_on_hyphens=False,
    )
