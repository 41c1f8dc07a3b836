"""``manage.py show_version_triggers``: which versioned tables have their trigger."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.db import DEFAULT_DB_ALIAS

from ...triggers.audit import audit_triggers

MARKS = {"current": "[X]", "none": "[ ]", "out of date": "[!]", "missing": "[!]"}


class Command(BaseCommand):
    help = (
        "Shows which versioned tables have a trigger that bumps versions when programs write "
        "past the models: [X] has it, [ ] has none, [!] it is out of date, or gone."
    )

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument(
            "--database", default=DEFAULT_DB_ALIAS, help='The database; "default" by default.'
        )

    def handle(self, *args: Any, **options: Any) -> None:
        for model, status, code in audit_triggers(options["database"]):
            line = f"{MARKS[status]} {model._meta.label} ({model._meta.db_table})"
            if status not in ("current", "none"):
                line += f": {status}; {code} mends it"
            self.stdout.write(line)
