"""Model forms' classes with a mixin."""

from __future__ import annotations

from typing import Any

__all__ = ["with_mixin"]


def with_mixin(mixin: type, form: Any) -> Any:
    """A model form's class with a mixin, and with what was changed in its ``base_fields``."""
    mixed = type(form)(form.__name__, (mixin, form), {})
    # Django makes them again for each class.
    mixed.base_fields = form.base_fields
    return mixed
