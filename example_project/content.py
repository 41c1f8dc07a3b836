"""JSON: what Python's reader lets pass and a database cannot hold, and errors."""

import json
import math

from django.http import JsonResponse
from django.views.defaults import page_not_found
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser


def read_json(content):
    """
    The value of a request's JSON.

    Raises:
        ValueError: it is no JSON, is nested too deeply, or holds a number that
            is none, or half of a character.
    """
    try:
        value = json.loads(content, parse_constant=_refuse, parse_float=_finite)
        json.dumps(value, ensure_ascii=False).encode()
    except RecursionError:
        raise ValueError("The JSON is nested too deeply.") from None
    return value


def _refuse(name):
    raise ValueError(f"{name} is no JSON number.")


def _finite(text):
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("A number is too large.")
    return number


class StrictJSONParser(JSONParser):
    def parse(self, stream, media_type=None, parser_context=None):
        try:
            return read_json(stream.read())
        except ValueError as error:
            raise ParseError(f"JSON parse error - {error}") from None


def not_found(request, exception):
    """The API says 404 in JSON where no address matches, too."""
    if request.path.startswith("/api/"):
        return JsonResponse({"detail": "Not found."}, status=404)
    return page_not_found(request, exception)
