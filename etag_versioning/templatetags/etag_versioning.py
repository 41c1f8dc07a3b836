"""
The tag of a model instance in templates, and a key for cached fragments.

``{% load etag_versioning %}`` gives a template the tag ``etag`` and the filter ``state_key``.
"""

from __future__ import annotations

from typing import Any

from django import template

from ..sources.rows import row_of

register = template.Library()


@register.simple_tag
def etag(instance: Any) -> str:
    """
    The tag of an instance's state, with its quotes: what a client sends as If-Match.

    Example::

        <article data-etag="{% etag page %}">
    """
    return str(row_of(instance).validators().etag)


@register.filter
def state_key(instance: Any) -> str:
    """
    The state of an instance as a key for ``{% cache %}``: another key after each write.

    It does not know the language, the user or related rows. Name what the fragment shows beside
    the row, or let ``touches`` bump it.

    Example::

        {% cache 3600 article page|state_key LANGUAGE_CODE %}
    """
    return str(row_of(instance).validators().state)
