"""``manage.py etag_benchmark URL``: what an address saves by its tags."""

from __future__ import annotations

import argparse
from typing import Any, TextIO, cast

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from ...benchmark.cli import add_arguments, run
from ...benchmark.errors import BenchmarkError

__all__ = ["Command"]


class Command(BaseCommand):
    """The benchmark, which knows the project's own addresses here."""

    help = (
        "Measure what an address saves by its ETag: of a server (http://…), or of this project "
        "(/path/), through its handler in this process and with its SQL."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        add_arguments(parser)

    def handle(self, **options: Any) -> None:
        addresses = (options["url"], options["compare"] or "")
        if settings.DEBUG and any(address.startswith("/") for address in addresses):
            self.stderr.write("DEBUG is on: this project is slower here than where it is off.")
        try:
            run(argparse.Namespace(**options), cast(TextIO, self.stdout), project=True)
        except BenchmarkError as error:
            raise CommandError(str(error)) from None
