"""
A row as a form shows it: the state, and the values of its fields. A hidden field carries it to
the browser and back, signed, so that a save can be compared with what the person saw.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple, Self

from django import forms
from django.core import signing
from django.utils import timezone
from django.utils.crypto import salted_hmac

from ..conf import settings
from ..http.etags import encode_key
from ..orm.instances import instance_itself, is_loaded, not_loaded
from ..orm.state_columns import state_columns
from .values import comparable

__all__ = ["Snapshot", "key_text", "read_snapshots", "sign_snapshots"]

# It names the fields of Snapshot by a number: change it with them. A page may be open while a
# project is deployed, and what an earlier release signed must not be read as one of today.
_SALT = "etag_versioning.forms.2"


class Snapshot(NamedTuple):
    """
    One row as a form shows it.

    Args:
        label: the model's label, as "directory.user".
        key: what stands for the row in its tags, as text: a signed field can be read by everybody.
        state: version and timestamp as they can be signed; ``None`` for a model without them.
            With ``OPAQUE_TAGS``, key and state are digests.
        values: comparable values of the fields that the form shows, by name.
        taken: when the form took it, as ISO 8601.
    """

    label: str
    key: str
    state: list[Any] | None
    values: dict[str, Any]
    taken: str

    @classmethod
    def of(cls, instance: Any, values: Mapping[str, Any], fields: Mapping[str, Any]) -> Self:
        """
        The snapshot of an instance that was read from its row.

        Args:
            instance: the model instance.
            values: the row's values, as ``model_to_dict()`` returns them.
            fields: the form's fields by name. What a form does not show back, as a password, is
                left out.

        Raises:
            VersionNotLoaded: the instance was loaded without its state.
        """
        instance = instance_itself(instance)
        shown = {
            name: comparable(fields[name], value)
            for name, value in values.items()
            if _is_shown(name, fields)
        }
        return cls(
            instance._meta.label_lower,
            _key_of(instance),
            _state_of(instance),
            shown,
            timezone.now().isoformat(),
        )

    def limited_to(self, fields: Mapping[str, Any]) -> Self:
        """The snapshot without the values of fields that a form has no longer, or hides."""
        shown = {name: value for name, value in self.values.items() if _is_shown(name, fields)}
        return self._replace(values=shown)

    @property
    def taken_at(self) -> datetime:
        """When the form took it."""
        return datetime.fromisoformat(self.taken)

    @property
    def timestamp(self) -> datetime | None:
        """When the row had been written, if the model says."""
        text = self.state[1] if self.state else None
        return None if text is None else datetime.fromisoformat(text)

    def is_of(self, other: Snapshot) -> bool:
        """Whether both are of the same row."""
        return (self.label, self.key) == (other.label, other.key)

    def is_current(self, now: Snapshot) -> bool:
        """Whether the row is still what the form showed, by its state if it has one."""
        if now.state is not None:
            return self.state == now.state
        names = self.values.keys() & now.values.keys()
        return all(self.values[name] == now.values[name] for name in names)


def _is_shown(name: str, fields: Mapping[str, forms.Field]) -> bool:
    if name not in fields:
        return False
    field = fields[name]
    is_secret = isinstance(field.widget, forms.PasswordInput) and not field.widget.render_value
    return not is_secret and not field.disabled


def key_text(key: Any) -> str:
    """A key as a snapshot names it."""
    text = encode_key(key)
    return _digest(text) if settings.opaque_tags else text


def _digest(text: str) -> str:
    return salted_hmac(_SALT, text, algorithm="sha256").hexdigest()


def _key_of(instance: Any) -> str:
    key = instance
    for name in getattr(instance, "tag_key", "pk").split("__"):
        key = getattr(key, name)
    return key_text(key)


def _state_of(instance: Any) -> list[Any] | None:
    model: Any = type(instance)
    columns = state_columns(model)
    if columns.version is None:
        return None
    if not is_loaded(instance, columns):
        raise not_loaded(instance, columns)
    version, timestamp = columns.state_of(instance)
    if settings.opaque_tags:
        return [_digest(f"{version} {timestamp}"), None]
    if timestamp is None:
        return [version, None]
    is_aware = timezone.is_aware(timestamp)
    return [version, (timestamp.astimezone(UTC) if is_aware else timestamp).isoformat()]


def sign_snapshots(snapshots: Iterable[Snapshot]) -> str:
    """Snapshots as the text of a hidden field."""
    return signing.dumps([list(each) for each in snapshots], salt=_SALT, compress=True)


def read_snapshots(text: str | None) -> list[Snapshot]:
    """The snapshots of a hidden field; none where it is missing, or was not signed here."""
    try:
        return [Snapshot(*each) for each in signing.loads(text or "", salt=_SALT)]
    except signing.BadSignature:
        return []
