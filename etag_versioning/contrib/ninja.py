"""
For operations of django-ninja: ``versioned_operation``.

ninja's own ``decorate_view()`` decorates the whole operation, authentication included. There,
``versioned_condition`` would answer 304, 404 and 412 to callers whom ninja then refuses with 401.
Around the function itself it comes after authentication, throttles and validation. But the
function returns data, from which ninja makes a response later. So the tag goes to the response
that ninja passes to a parameter of the type ``HttpResponse``, and whose headers it takes over.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, TypeVar

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from ..decorators import versioned_condition

__all__ = ["versioned_operation"]

Function = TypeVar("Function", bound=Callable[..., Any])

# The parameter that is added to a function without one for the response.
_ADDED = "etag_versioning_response"
# The response that ninja passes to the operation that runs. It is no argument, since
# versioned_condition passes those to the project's sources too, which do not know this one.
_response: ContextVar[HttpResponse] = ContextVar("etag_versioning_ninja_response")


def versioned_operation(*sources: Any, **options: Any) -> Callable[[Function], Function]:
    """
    Answer 304 without the operation, and refuse writes that are based on an old state.

    Args:
        sources: as for ``versioned_condition``: first the row. A callable is given the request
            and what the operation is given: validated values by the names of its parameters.
        options: as for ``versioned_condition``. ``lookup_url_kwarg`` is the name of a parameter.

    Returns:
        A decorator for the function of an operation, below ``@api.get()`` and its like. The
        preconditions are evaluated after authentication, throttles and validation. The
        function runs in one transaction with the check; ninja makes the response after it.

    Raises:
        ImproperlyConfigured: the arguments do not fit together.

    Example::

        @api.put("/users/{user_id}", response=UserOut)
        @versioned_operation(User, lookup_url_kwarg="user_id")
        def update_user(request, user_id: int, data: UserIn): ...
    """
    condition = versioned_condition(*sources, **options)

    def decorator(function: Any) -> Any:
        signature = inspect.signature(function, eval_str=True)
        declared = _response_parameter(signature)

        def take_response(values: dict[str, Any]) -> HttpResponse:
            response: HttpResponse = values[declared] if declared else values.pop(_ADDED)
            return response

        wrapper: Any
        if iscoroutinefunction(function):

            @condition
            async def respond_async(request: HttpRequest, **values: Any) -> HttpResponseBase:
                return _as_response(await function(request, **values), _response.get())

            @functools.wraps(function)
            async def wrapper(request: HttpRequest, **values: Any) -> Any:
                response = take_response(values)
                token = _response.set(response)
                try:
                    return _as_result(await respond_async(request, **values), response)
                finally:
                    _response.reset(token)

        else:

            @condition
            def respond(request: HttpRequest, **values: Any) -> HttpResponseBase:
                return _as_response(function(request, **values), _response.get())

            @functools.wraps(function)
            def wrapper(request: HttpRequest, **values: Any) -> Any:
                response = take_response(values)
                token = _response.set(response)
                try:
                    return _as_result(respond(request, **values), response)
                finally:
                    _response.reset(token)

        # ninja reads it to know what to pass.
        wrapper.__signature__ = signature if declared else _with_response(signature)
        return wrapper

    return decorator


class _Result(HttpResponse):
    """What an operation has returned, as a response for ``versioned_condition`` to tag."""

    def __init__(self, result: Any, status: int, headers: dict[str, str]) -> None:
        super().__init__(status=status, headers=headers)
        self.result = result


def _as_response(result: Any, response: HttpResponse) -> HttpResponseBase:
    """The response of an operation, with the headers that it has set on ninja's."""
    if isinstance(result, HttpResponseBase):
        return result
    status = getattr(result, "status_code", response.status_code)  # ninja's Status has one.
    if isinstance(result, tuple) and len(result) == 2:
        status = result[0]
    return _Result(result, status, dict(response.headers))


def _as_result(answer: Any, response: HttpResponse) -> Any:
    """What ninja goes on with; its response takes over the headers of ours."""
    if not isinstance(answer, _Result):
        return answer
    for name, value in answer.headers.items():
        response.headers[name] = value
    return answer.result


def _response_parameter(signature: inspect.Signature) -> str | None:
    """The name of the parameter to which ninja gives its response."""
    for parameter in signature.parameters.values():
        kind = parameter.annotation
        if isinstance(kind, type) and issubclass(kind, HttpResponseBase):
            return parameter.name
    return None


def _with_response(signature: inspect.Signature) -> inspect.Signature:
    added = inspect.Parameter(_ADDED, inspect.Parameter.KEYWORD_ONLY, annotation=HttpResponse)
    *others, last = signature.parameters.values()
    takes_any = last.kind is inspect.Parameter.VAR_KEYWORD
    parameters = [*others, added, last] if takes_any else [*others, last, added]
    return signature.replace(parameters=parameters)
