"""Requests and changes that leave nothing behind: no row, no cached value, no mail."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.cache import caches
from django.db import connections, transaction
from django.test import override_settings

from ..runtime_audit.isolation import roll_back

__all__ = ["NotTransactional", "empty_caches", "leaving_nothing"]

_CACHED = ("contenttypes.ContentType", "sites.Site")
_ENGINES = ("MyISAM", "Aria", "MEMORY", "CSV", "ARCHIVE")


class NotTransactional(Exception):
    """A table whose changes cannot be rolled back."""


@contextmanager
def leaving_nothing() -> Iterator[list[str]]:
    """
    Open a transaction for each database, and roll all of them back in the end.

    The block has caches of its own, and sends no mail. Functions for ``on_commit()``
    are never called, since nothing is committed.

    Returns:
        The aliases of the databases. Those that a test may not use are left out.

    Raises:
        NotTransactional: a table's engine knows no transactions.
    """
    try:
        with (
            override_settings(CACHES=_own_caches()),
            _without_mail(),
            _quiet(),
            ExitStack() as transactions,
        ):
            aliases = [alias for alias in connections if _begin(transactions, alias)]
            try:
                yield aliases
            finally:
                roll_back(aliases)
                empty_caches()
    finally:
        _forget_cached_rows()


def empty_caches() -> None:
    """Forget what was cached of rows that have been changed since, or rolled back."""
    for alias in set(settings.CACHES) - _caches_of_sessions():
        caches[alias].clear()
    _forget_cached_rows()


@contextmanager
def _quiet() -> Iterator[None]:
    """Log no 404 of a row that the audit has deleted, and nothing else that it brings about."""
    loggers = [logging.getLogger(name) for name in ("django.request", "etag_versioning")]
    levels = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.CRITICAL + 1)
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


@contextmanager
def _without_mail() -> Iterator[None]:
    """Drop all mail."""
    dummy = "django.core.mail.backends.dummy.EmailBackend"
    mailers = getattr(settings, "MAILERS", None)  # Since Django 6.1.
    if mailers is None:
        override = override_settings(EMAIL_BACKEND=dummy)
    else:
        override = override_settings(MAILERS={alias: {"BACKEND": dummy} for alias in mailers})
    _change_mail_settings(override.enable)
    try:
        yield
    finally:
        _change_mail_settings(override.disable)


def _change_mail_settings(change: Callable[[], None]) -> None:
    with warnings.catch_warnings():
        # Django 6.1 warns of a setting that the project may still have.
        warnings.filterwarnings("ignore", "The EMAIL_BACKEND setting is deprecated")
        change()


def _own_caches() -> dict[str, Any]:
    """Empty caches in memory. The one that sessions are in stays, so that they stay."""
    backend = "django.core.cache.backends.locmem.LocMemCache"
    return {
        alias: configured
        if alias in _caches_of_sessions()
        else {"BACKEND": backend, "LOCATION": f"etag_audit_{alias}"}
        for alias, configured in settings.CACHES.items()
    }


def _caches_of_sessions() -> set[str]:
    in_cache = settings.SESSION_ENGINE.endswith(".cache")
    return {settings.SESSION_CACHE_ALIAS} if in_cache else set()


def _forget_cached_rows() -> None:
    """Django keeps content types and sites in memory, by their primary keys."""
    for label in _CACHED:
        if apps.is_installed(f"django.contrib.{label.split('.')[0]}"):
            manager: Any = apps.get_model(label)._default_manager
            manager.clear_cache()


def _begin(transactions: ExitStack, alias: str) -> bool:
    connection = connections[alias]
    try:
        connection.cursor().close()
        if connection.vendor == "mysql":
            _require_engines(connection)
        transactions.enter_context(transaction.atomic(using=alias))
    except AssertionError:  # Django's cursors, in a test that does not name this database.
        return False
    return True


def _require_engines(connection: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name FROM information_schema.tables "
            "WHERE table_schema = DATABASE() AND engine IN %s",
            [_ENGINES],
        )
        tables = {row[0] for row in cursor.fetchall()}
    tables &= {model._meta.db_table for model in apps.get_models(include_auto_created=True)}
    if tables:
        raise NotTransactional(
            f"The database {connection.alias!r} cannot roll back changes of "
            f"{', '.join(sorted(tables))}. Give the tables another engine: "
            f"ALTER TABLE {min(tables)} ENGINE=InnoDB."
        )
