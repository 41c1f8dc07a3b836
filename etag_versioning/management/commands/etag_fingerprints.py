"""``manage.py etag_fingerprints``: the code that is in tags, and what changed in it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ...checks.fingerprints import FingerprintedView, fingerprinted_views

__all__ = ["Command"]

# Another Python has other byte code: every function differs, and none has changed.
_OF_PYTHON: Final = "Python"


class Command(BaseCommand):
    """The fingerprints of the project's versioned views."""

    help = (
        "Prints the fingerprint of each versioned view, and what of its code cannot be seen. "
        "With --write FILE stores them; with --check FILE compares, names what changed, and ends "
        "with 1 if a fingerprint did."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        group = parser.add_mutually_exclusive_group()
        group.add_argument("--write", metavar="FILE", help="store the fingerprints as JSON")
        group.add_argument("--check", metavar="FILE", help="compare with what --write stored")
        parser.add_argument("--json", action="store_true", help="print what --write stores")

    def handle(self, **options: Any) -> None:
        views = fingerprinted_views()
        stored = _stored(views)
        text = json.dumps(stored, indent=1, sort_keys=True) + "\n"
        if options["check"]:
            self.compare(_read(options["check"]), stored, options["check"])
        elif options["write"]:
            Path(options["write"]).write_text(text, "utf-8")
            self.stdout.write(f"{options['write']}: {len(views)} fingerprints")
        elif options["json"]:
            self.stdout.write(text, ending="")
        else:
            for line in _lines(views):
                self.stdout.write(line)

    def compare(self, before: Mapping[str, Any], now: Mapping[str, Any], name: str) -> None:
        """Show what differs, and end with 1 if anything does."""
        lines = list(_differences(before, now))
        if not lines:
            self.stdout.write(f"No fingerprint has changed since {name} was written.")
            return
        for line in lines:
            self.stdout.write(line)
        raise CommandError(
            f"The fingerprints are not those in {name}: tags change with the next deployment. If "
            f"that is meant: manage.py etag_fingerprints --write {name}"
        )


def _lines(views: list[FingerprintedView]) -> Iterator[str]:
    if not views:
        yield "The URLconf leads to no versioned view."
    for view in views:
        mark = "" if view.is_in_tags else "  (not in its tags: fingerprint=True is missing)"
        yield f"{view.fingerprint.digest}  {view.name}{mark}"
        for what in view.fingerprint.unseen:
            yield f"    cannot be seen: {what}"


def _stored(views: list[FingerprintedView]) -> dict[str, Any]:
    """What --write stores: the parts that all views have in common stand there once."""
    common = [set(view.fingerprint.parts.items()) for view in views]
    everywhere = dict(set.intersection(*common)) if common else {}
    found: dict[str, Any] = {}
    for view in views:
        parts = view.fingerprint.parts
        entry = {
            "fingerprint": view.fingerprint.digest,
            "in_tags": view.is_in_tags,
            "parts": {name: parts[name] for name in parts if name not in everywhere},
            "unseen": list(view.fingerprint.unseen),
        }
        name, number = view.name, 2
        while name in found:  # The same view with another serializer at another route.
            name, number = f"{view.name} #{number}", number + 1
        found[name] = entry
    return {"everywhere": everywhere, "views": found}


def _read(name: str) -> Mapping[str, Any]:
    try:
        found = json.loads(Path(name).read_text("utf-8"))
        views, everywhere = found["views"], found["everywhere"]
        for entry in (*views.values(), {"fingerprint": "", "parts": everywhere}):
            dict(entry["parts"]), str(entry["fingerprint"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CommandError(
            f"{name} has no fingerprints to compare with ({type(error).__name__}). Write it: "
            f"manage.py etag_fingerprints --write {name}",
            returncode=2,
        ) from None
    return {"views": views, "everywhere": everywhere}


def _differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    python = before["everywhere"].get(_OF_PYTHON), now["everywhere"].get(_OF_PYTHON)
    is_other_python = python[0] != python[1] and None not in python
    changed = False
    for name in sorted(before["views"].keys() | now["views"].keys()):
        old, new = before["views"].get(name), now["views"].get(name)
        if old is None or new is None:
            yield f"{name}\n    {'new' if old is None else 'gone'}"
        elif old["fingerprint"] != new["fingerprint"]:
            changed = True
            yield name
            if not is_other_python:
                old_parts = {**before["everywhere"], **old["parts"]}
                new_parts = {**now["everywhere"], **new["parts"]}
                yield from _changed_parts(old_parts, new_parts)
    if changed and is_other_python:
        yield _other_python(*python)


def _other_python(before: Any, now: Any) -> str:
    return f"These were written by {before}, and this is {now}: all byte code differs."


def _changed_parts(before: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    for name in sorted(before.keys() | now.keys()):
        if name not in before:
            yield f"    new      {name}"
        elif name not in now:
            yield f"    gone     {name}"
        elif before[name] != now[name]:
            yield f"    changed  {name}"
