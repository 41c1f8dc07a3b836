"""``manage.py etag_doctor``: what is versioned in this project, and what is wrong with it."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ...doctor import diagnose

__all__ = ["Command"]


class Command(BaseCommand):
    """The report on a project as it is configured here."""

    help = (
        "Shows the versioned models, the views that show and write them, the settings, what the "
        "system checks say, and what the audit of the running project has found. Changes nothing. "
        "Ends with 1 if there is something to mend."
    )
    # The report has the messages of the checks; an error must not keep it from being written.
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="for programs")

    def handle(self, **options: Any) -> None:
        report = diagnose()
        if options["json"]:
            self.stdout.write(json.dumps(report.as_dict(), indent=2, default=str))
        else:
            self.stdout.write(report.text())
        if not report.is_healthy:
            raise CommandError("There is something to mend.")
