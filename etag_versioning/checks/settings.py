"""System checks of the project's settings: ``ETAG_VERSIONING`` and ``DATABASES``."""

from __future__ import annotations

from typing import Any, Final

from django.apps import apps
from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.db import connections, router

from ..conf import DEFAULTS, check_value, given_settings
from ..orm.state_columns import state_columns
from ..routers import ReadYourWritesRouter

__all__ = ["check_client_flags", "check_routers", "check_settings"]

# MySQLdb.constants.CLIENT.FOUND_ROWS, without an import of the driver.
_FOUND_ROWS: Final = 2


@checks.register("etag_versioning")
def check_settings(app_configs: Any = None, **kwargs: Any) -> list[checks.CheckMessage]:
    """E001: an unknown name in ``ETAG_VERSIONING``, or a value that its setting cannot have."""
    found: list[checks.CheckMessage] = []
    try:
        given = given_settings()
    except ImproperlyConfigured as error:
        hint = 'ETAG_VERSIONING = {"IF_MATCH": "strong"}'
        return [checks.Error(str(error), hint=hint, id="etag_versioning.E001")]
    for name, value in given.items():
        try:
            check_value(name, value)
        except ImproperlyConfigured as error:
            found.append(
                checks.Error(
                    str(error),
                    hint=f'ETAG_VERSIONING = {{"{name}": {DEFAULTS[name]!r}}} is the default.'
                    if name in DEFAULTS
                    else f"The settings are: {', '.join(DEFAULTS)}.",
                    id="etag_versioning.E001",
                )
            )
    return found


@checks.register("etag_versioning")
def check_client_flags(app_configs: Any = None, **kwargs: Any) -> list[checks.CheckMessage]:
    """
    E009: MariaDB or MySQL that counts changed rows instead of matched rows. A guarded
    UPDATE cannot tell then whether it found its row.
    """
    found: list[checks.CheckMessage] = []
    for alias in connections:
        flag = connections.settings[alias]["OPTIONS"].get("client_flag")
        if flag is None or flag & _FOUND_ROWS or connections[alias].vendor != "mysql":
            continue
        found.append(
            checks.Error(
                f'DATABASES["{alias}"]["OPTIONS"]["client_flag"] replaces the flag FOUND_ROWS '
                f"that Django sets. An UPDATE then reports changed rows instead of the rows "
                f"that it found, and writes are taken for stale ones.",
                hint=f'from MySQLdb.constants import CLIENT; "client_flag": '
                f"CLIENT.FOUND_ROWS | {flag}",
                id="etag_versioning.E009",
            )
        )
    return found


@checks.register("etag_versioning")
def check_routers(app_configs: Any = None, **kwargs: Any) -> list[checks.CheckMessage]:
    """
    W010: read replicas without ``ReadYourWritesRouter`` in the first place. A view that writes
    then loads its row from a replica, which may not have it yet.
    """
    routers = router.routers
    if not routers or isinstance(routers[0], ReadYourWritesRouter):
        return []
    for model in apps.get_models():
        if state_columns(model).version is None:
            continue
        read, written = router.db_for_read(model), router.db_for_write(model)
        if read != written:
            return [
                checks.Warning(
                    f'{model._meta.label} is read from "{read}" and written to "{written}". A '
                    f"guarded view that loads its row from a replica is 503 until that has the "
                    f"last write, and a client that has just written gets older content.",
                    hint=_mended_routers(),
                    id="etag_versioning.W010",
                )
            ]
    return []


def _mended_routers() -> str:
    ours = f"{ReadYourWritesRouter.__module__}.{ReadYourWritesRouter.__qualname__}"
    others = [
        each if isinstance(each, str) else f"{type(each).__module__}.{type(each).__qualname__}"
        for each in settings.DATABASE_ROUTERS
    ]
    lines = "".join(f'\n    "{path}",' for path in [ours, *(o for o in others if o != ours)])
    return f"DATABASE_ROUTERS = [{lines}\n]"
