"""
The fields of a row's state: version and timestamp.

Both have a default in Python and in the database, so ``makemigrations`` asks nothing for a
table with rows, and rows that other programs insert get their values. The fields don't change
on UPDATE by themselves: ``save()`` and ``update()`` set them.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models.lookups import Exact
from django.utils import timezone

__all__ = [
    "DatabaseTimestamp",
    "NextTimestamp",
    "NextVersion",
    "UpdatedAtField",
    "VersionField",
    "is_timestamp",
    "next_timestamp",
]

_MICROSECOND = timedelta(microseconds=1)


if TYPE_CHECKING:
    # The stubs' fields take the types of what is set and of what is read; Django's take none.
    _Integer = models.PositiveBigIntegerField[int | models.expressions.Combinable, int]
    _DateTime = models.DateTimeField[datetime | models.expressions.Combinable, datetime]
else:
    _Integer = models.PositiveBigIntegerField
    _DateTime = models.DateTimeField


class _WithDefaults:
    """For a field whose defaults stand in its class instead of in each migration."""

    own_defaults: ClassVar[dict[str, Any]]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **(self.own_defaults | kwargs))

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()  # type: ignore[misc]
        # Django leaves out what is True, its own default; here it differs from ours.
        kwargs.setdefault("editable", True)
        missing = object()
        own = self.own_defaults
        return name, path, args, {k: v for k, v in kwargs.items() if own.get(k, missing) != v}


class VersionField(_WithDefaults, _Integer):
    """
    The integer that every write of the row increments; 1 for a new row.

    Where ``version`` is taken, give the field another name or ``db_column``: models find
    it by its class.
    """

    description = "Version of the row"
    own_defaults: ClassVar[dict[str, Any]] = {"default": 1, "db_default": 1, "editable": False}


class DatabaseTimestamp(models.Func):
    """
    The moment of the statement, to the microsecond, in the form in which Django
    stores a datetime. For ``db_default``; SQLite's clock gives milliseconds.
    """

    arity = 0
    template = "CURRENT_TIMESTAMP"

    def __init__(self, **extra: Any) -> None:
        super().__init__(output_field=models.DateTimeField(), **extra)

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(compiler, connection, template="STATEMENT_TIMESTAMP()", **context)

    def as_mysql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        # Django stores UTC, and a datetime column has no zone to convert from.
        clock = "UTC_TIMESTAMP" if settings.USE_TZ else "CURRENT_TIMESTAMP"
        return self.as_sql(compiler, connection, template=f"{clock}(6)", **context)

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        zone = "" if settings.USE_TZ else ", 'localtime'"
        # Each % is written four times: two layers of formatting take it up.
        template = f"STRFTIME('%%%%Y-%%%%m-%%%%d %%%%H:%%%%M:%%%%f', 'now'{zone}) || '000'"
        return self.as_sql(compiler, connection, template=template, **context)


class UpdatedAtField(_WithDefaults, _DateTime):
    """
    When the row was last written, to the microsecond, never twice the same.

    Stamped on INSERT whatever the instance says, as ``auto_now`` does. An UPDATE
    stores ``next_timestamp()``, so that timestamps rise whatever a host's clock says.
    """

    description = "Moment of the row's last write"
    own_defaults: ClassVar[dict[str, Any]] = {
        "default": timezone.now,
        "db_default": DatabaseTimestamp(),
        "editable": False,
    }

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        # A history of a model has a copy of this field, and stores what its row had.
        if add and hasattr(type(model_instance), "unversioned_fields"):
            setattr(model_instance, self.attname, timezone.now())
        return super().pre_save(model_instance, add)


@UpdatedAtField.register_lookup
class ExactTimestamp(Exact):
    """``exact`` for timestamps, by the condition of ``is_timestamp()``."""

    def as_sqlite(self, compiler: Any, connection: Any) -> Any:
        if not self.rhs_is_direct_value():
            return super().as_sql(compiler, connection)
        column, params = self.process_lhs(compiler, connection)
        text, moments = is_timestamp(column, self.rhs, connection)
        return text, [value for moment in moments for value in (*params, moment)]


def is_timestamp(column: str, timestamp: datetime | None, connection: Any) -> tuple[str, list[Any]]:
    """
    SQL and parameters for the condition that a column holds this timestamp.

    SQLite stores datetimes as text, and other programs may have written the same moment with
    fewer digits. So on SQLite the condition is a range of text.
    """
    value = connection.ops.adapt_datetimefield_value(timestamp)
    if connection.vendor != "sqlite" or value is None:
        return f"{column} = %s", [value]
    texts = (str(value), str(datetime.fromisoformat(value) + _MICROSECOND))
    shortest = [text.rstrip("0") if "." in text else text for text in texts]
    return f"({column} >= %s AND {column} < %s)", shortest


# The largest difference to expect between the clocks of a project's hosts.
CLOCKS_DIFFER = timedelta(seconds=10)


def next_timestamp(old: datetime | None, now: datetime | None = None) -> datetime:
    """
    The timestamp for the write after ``old``: now, if the clock is past ``old``.

    Otherwise another host's clock was ahead when it wrote ``old``, and clients may have the date
    of ``old``, rounded up to a second, so the new timestamp lies in the second after that. If
    ``old`` is further ahead than clocks differ, no client has its date, because a date in the
    future is never sent; one microsecond is enough.
    """
    now = now or timezone.now()
    if old is None or old < now:
        return now
    if old > now + CLOCKS_DIFFER:
        return old + _MICROSECOND
    return old + timedelta(microseconds=-old.microsecond % 1_000_000) + _MICROSECOND


class _Next(models.expressions.BaseExpression):
    """
    The next value of a state column, computed by the UPDATE from the row's old value.

    It has no names to resolve, which is what makes Django's own expressions slow.
    """

    def __init__(self, field: Any) -> None:
        super().__init__(output_field=field)

    def resolve_expression(self, *args: Any, **kwargs: Any) -> Any:
        return self

    def column(self, connection: Any) -> str:
        quote = connection.ops.quote_name
        return f"{quote(self.output_field.model._meta.db_table)}.{quote(self.output_field.column)}"


class NextVersion(_Next):
    """The version plus one; 1 where another program has stored NULL."""

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        return f"COALESCE({self.column(connection)}, 0) + 1", []


class NextTimestamp(_Next):
    """``next_timestamp()`` in SQL, for many rows at once."""

    # Two expressions for each vendor: one microsecond after the next whole second, and one
    # microsecond after the old value.
    templates: ClassVar[dict[str, tuple[str, str]]] = {
        "postgresql": (
            "DATE_TRUNC('second', {old} + INTERVAL '999999 microseconds') "
            "+ INTERVAL '1 microsecond'",
            "{old} + INTERVAL '1 microsecond'",
        ),
        "mysql": (
            "{old} + INTERVAL (MOD(1000000 - MICROSECOND({old}), 1000000) + 1) MICROSECOND",
            "{old} + INTERVAL 1 MICROSECOND",
        ),
        "sqlite": (
            "django_format_dtdelta('+', {old}, (1000000 - CAST(SUBSTR(SUBSTR({old}, 21) "
            "|| '000000', 1, 6) AS INTEGER)) %% 1000000 + 1)",
            "django_format_dtdelta('+', {old}, 1)",
        ),
    }

    def __init__(self, field: Any, now: datetime) -> None:
        super().__init__(field)
        self.now = now

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        old, convert = self.column(connection), connection.ops.adapt_datetimefield_value
        second, microsecond = (
            template.format(old=old) for template in self.templates[connection.vendor]
        )
        text = f"CASE WHEN {old} > %s THEN {microsecond} WHEN {old} >= %s THEN {second} ELSE %s END"
        now = convert(self.now)
        return text, [convert(self.now + CLOCKS_DIFFER), now, now]
