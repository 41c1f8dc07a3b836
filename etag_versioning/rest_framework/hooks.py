"""
Replaces methods of a view while a method of DRF's runs.

DRF's methods call ``self.get_object()``, ``self.perform_update()`` and so on, which a project
overrides without calling ``super()``. There is no cooperative place between the two, so for the
duration of one call an attribute of the instance stands before the method of its class.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .versioning import Versioning

__all__ = ["hooked", "noting"]


class hooked:  # Lower case, like the context managers of ``contextlib``.
    """
    For the block, let ``hooks`` replace the view's attributes of these names.

    Args:
        guards: whether the block is a guarded write, so that the mixins' methods need not
            guard it.
    """

    def __init__(self, view: Any, guards: bool = False, /, **hooks: Any) -> None:
        self.attributes = vars(view)
        self.versioning: Versioning = view.versioning
        self.guards = guards
        self.hooks = hooks

    def __enter__(self) -> None:
        attributes, versioning = self.attributes, self.versioning
        self.before = {name: attributes[name] for name in self.hooks if name in attributes}
        attributes.update(self.hooks)
        self.was_guarded = versioning.is_guarded
        versioning.is_guarded = self.guards or self.was_guarded

    def __exit__(self, *error: Any) -> None:
        attributes, versioning = self.attributes, self.versioning
        versioning.is_guarded = self.was_guarded
        for name in self.hooks:
            del attributes[name]
        attributes.update(self.before)


def noting(original: Callable[..., Any], note: Callable[[Any], None]) -> Callable[..., Any]:
    """``original``, with ``note`` called with each result."""

    def hook(*args: Any, **kwargs: Any) -> Any:
        result = original(*args, **kwargs)
        note(result)
        return result

    return hook
