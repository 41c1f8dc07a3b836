"""One module for each project: what its maintainer edits in each step of docs/adopting.md."""

from collections.abc import Callable
from dataclasses import dataclass, field

from ..sources import Source


@dataclass(frozen=True)
class Project:
    name: str
    version: str
    # What its own tests need, beside pytest and pytest-django.
    extras: tuple[str, ...]
    packages: tuple[str, ...]
    settings: str
    settings_file: str
    manage: str
    # Commands of manage.py that fill a database before the adoption.
    rows: tuple[tuple[str, ...], ...]
    # Its own tests, and ours, which show that the adoption has an effect.
    tests: tuple[str, ...]
    probe: str
    # Fewer passed tests mean that the suite didn't run as the project means it.
    at_least: int
    # The edits of each step, by its number in the guide.
    steps: dict[int, Callable[[Source], None]]
    environment: dict[str, str] = field(default_factory=dict)
