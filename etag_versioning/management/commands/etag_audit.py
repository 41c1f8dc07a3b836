"""``manage.py etag_audit PATH``: what an address shows that its tag does not follow."""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.test import Client

from ...audit import AuditError, audit_address
from ...audit.isolation import NotTransactional
from ...http.hosts import allowed_host

__all__ = ["Command"]


class Command(BaseCommand):
    """The audit of addresses, in a database whose rows are those of a running project."""

    help = (
        "Changes the rows that the answers of these addresses show, one by one, asks again with "
        "the tag from before, and rolls everything back. Shows the models that a tag does not "
        "follow, and the line that mends each. Ends with 1 if a tag lies, and with 2 if an "
        "address cannot be audited."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("paths", nargs="+", metavar="PATH", help="/users/7/")
        parser.add_argument(
            "--user",
            action="append",
            default=[],
            metavar="NAME",
            help="ask as this user too; may be repeated",
        )
        parser.add_argument(
            "--rows",
            type=int,
            default=5,
            metavar="N",
            help="how many rows of each model to change (5)",
        )
        parser.add_argument("--json", action="store_true", help="for programs")
        parser.add_argument(
            "--force",
            action="store_true",
            help="audit although DEBUG is off, and the database may be one in use",
        )

    def handle(self, **options: Any) -> None:
        if not (settings.DEBUG or options["force"]):
            raise CommandError(
                "DEBUG is off, so this may be a database in use. All changes are rolled back and "
                "no mail is sent, but rows stay locked until then, and save(), signals and views "
                "run: what they ask of other services is done. Run it on a copy, or add --force.",
                returncode=2,
            )
        users = [_user(name) for name in options["user"]]
        reports = []
        for path in options["paths"]:
            try:
                report = audit_address(
                    Client(headers={"host": allowed_host()}),
                    path,
                    users=users,
                    rows=options["rows"],
                    secure=settings.SECURE_SSL_REDIRECT,
                )
            except (AuditError, NotTransactional) as error:
                raise CommandError(str(error), returncode=2) from None
            reports.append(report)
            if not options["json"]:
                self.stdout.write(f"{report.text()}\n")
        if options["json"]:
            self.stdout.write(json.dumps([report.as_dict() for report in reports], indent=2))
        lying = [report.url for report in reports if not report.is_honest]
        if lying:
            raise CommandError(f"These tags lie: {', '.join(lying)}")


def _user(name: str) -> Any:
    model = get_user_model()
    try:
        return model._default_manager.get_by_natural_key(name)
    except model.DoesNotExist:
        raise CommandError(f"There is no user {name}.", returncode=2) from None
