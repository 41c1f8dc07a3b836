"""Answers of which the content is known late."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rest_framework.response import Response

from ..error_responses import ERRORS
from ..preconditions import Outcome

__all__ = ["SettledResponse"]


class SettledResponse(Response):
    """An error whose status and content are known only when it is rendered."""

    def __init__(self, settle: Callable[[], Response]) -> None:
        super().__init__(status=ERRORS[Outcome.CONFLICT][0], exception=True)
        self._settle: Callable[[], Response] | None = settle

    @property
    def rendered_content(self) -> Any:
        if self._settle is not None:
            settle, self._settle = self._settle, None
            settled = settle()
            self.data, self.status_code = settled.data, settled.status_code
            for name, value in settled.items():
                self.headers[name] = value
        return super().rendered_content
