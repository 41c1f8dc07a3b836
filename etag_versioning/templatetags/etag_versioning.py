"""
The tag of a model instance in templates, and a key for cached fragments.

``{% load etag_versioning %}`` gives a template the tag ``etag`` and the filter ``state_key``.
"""

from __future__ import annotations

from typing import Any

from django import template
from django.core.exceptions import ImproperlyConfigured
from django.db import models

from ..http.preconditions import Validators
from ..sources.rows import row_of

register = template.Library()


@register.simple_tag
def etag(instance: Any) -> str:
    """
    The tag of an instance's state, with its quotes: what a client sends as If-Match.

    Example::

        <article data-etag="{% etag page %}">
    """
    return str(_validators(instance).etag)


@register.filter
def state_key(instance: Any) -> str:
    """
    The state of an instance as a key for ``{% cache %}``: another key after each write.

    It does not know the language, the user or related rows. Name what the fragment shows beside
    the row, or let ``touches`` bump it.

    Example::

        {% cache 3600 article page|state_key LANGUAGE_CODE %}
    """
    return str(_validators(instance).state)


def _validators(instance: Any) -> Validators:
    """Raises ``ImproperlyConfigured`` for the empty string that an unknown variable is."""
    if not isinstance(instance, models.Model):
        raise ImproperlyConfigured(
            f"The tag etag and the filter state_key take a model instance, not {instance!r}: "
            f"is the variable in the template's context?"
        )
    return row_of(instance).validators()
