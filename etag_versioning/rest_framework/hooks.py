"""How a view's own hooks are listened to while DRF's methods run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["hooked", "noting", "unhooked"]


class hooked:  # As ``contextlib`` names what is used by ``with``.
    """For the block, let ``hooks`` stand in for the view's methods of these names."""

    def __init__(self, view: Any, **hooks: Any) -> None:
        self.attributes = vars(view)
        self.hooks = hooks

    def __enter__(self) -> None:
        attributes = self.attributes
        self.before = {name: attributes[name] for name in self.hooks if name in attributes}
        attributes.update(self.hooks)
        attributes.setdefault("_hooked", []).append(self)

    def __exit__(self, *error: Any) -> None:
        self.attributes["_hooked"].remove(self)
        for name in self.hooks:
            del self.attributes[name]
        self.attributes.update(self.before)


@contextmanager
def unhooked(view: Any) -> Iterator[None]:
    """For the block, let the view's methods be its own again."""
    blocks: list[hooked] = list(vars(view).get("_hooked", ()))
    for block in reversed(blocks):
        block.__exit__()
    try:
        yield
    finally:
        for block in blocks:
            block.__enter__()


def noting(original: Callable[..., Any], note: Callable[[Any], None]) -> Callable[..., Any]:
    """``original``, of which each result is told to ``note``."""

    def hook(*args: Any, **kwargs: Any) -> Any:
        result = original(*args, **kwargs)
        note(result)
        return result

    return hook
