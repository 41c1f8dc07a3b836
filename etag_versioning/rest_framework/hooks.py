"""How a view's own hooks are listened to while DRF's methods run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["hooked", "noting"]


@contextmanager
def hooked(view: Any, **hooks: Any) -> Iterator[None]:
    """For the block, let ``hooks`` stand in for the view's methods of these names."""
    before = {name: vars(view)[name] for name in hooks if name in vars(view)}
    vars(view).update(hooks)
    try:
        yield
    finally:
        for name in hooks:
            del vars(view)[name]
        vars(view).update(before)


def noting(original: Callable[..., Any], note: Callable[[Any], None]) -> Callable[..., Any]:
    """``original``, of which each result is told to ``note``."""

    def hook(*args: Any) -> Any:
        result = original(*args)
        note(result)
        return result

    return hook
