"""Reads templates: their source, what they extend and include, and the project's tags in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from django.template import Template as DjangoTemplate
from django.template import TemplateDoesNotExist, TemplateSyntaxError, engines

from .reader import Reader, Template, describe

__all__ = ["read_template"]

_TAG: Final = re.compile(r"{%-?\s*(\w+)(.*?)-?%}", re.DOTALL)
_PRINTED: Final = re.compile(r"{{(.*?)}}|{%(.*?)%}", re.DOTALL)
_FILTER: Final = re.compile(r"\|\s*(\w+)")
_ATTRIBUTE: Final = re.compile(r"\.(\w+)")
_QUOTED: Final = re.compile(r"""\s*(?:'([^']*)'|"([^"]*)")""")
_LOADED_BY: Final = frozenset({"extends", "include", "import", "from"})


def read_template(template: Template, reader: Reader) -> bool:
    """
    A template as it is loaded in this process.

    Returns:
        whether an engine has found it. Otherwise the text was no template's name.
    """
    for engine in engines.all():
        try:
            found: Any = engine.get_template(template.name)
        except TemplateDoesNotExist:
            continue
        except TemplateSyntaxError as error:
            reader.cannot_see(f"it has an error: {error}")
            return True
        inner = found.template
        if isinstance(inner, DjangoTemplate):
            _read_django(inner, reader)
        else:
            _read_jinja(engine, template.name, reader)
        return True
    return False


@describe.register(DjangoTemplate)
def _read_django(template: Any, reader: Reader) -> None:
    """A template of Django's own engine."""
    reader.add(template.source)
    _read_names(template.source, reader)
    _read_libraries(template.engine, template.source, reader)


def _read_names(source: str, reader: Reader) -> None:
    """Other templates, by constant names; and attributes of what the template is given."""
    for tag, content in _TAG.findall(source):
        if tag in _LOADED_BY:
            match = _QUOTED.match(content)
            if match:
                reader.refer_to(Template(match[1] or match[2] or ""))
            elif tag != "from":
                reader.cannot_see(f"{{% {tag} %}} with a computed name")
        if tag == "url":
            reader.names.add("reverse")
    for printed in _PRINTED.finditer(source):
        reader.names.update(_ATTRIBUTE.findall(printed[0]))


def _read_libraries(engine: Any, source: str, reader: Reader) -> None:
    libraries = [*engine.template_builtins]
    for name in _loaded(source):
        library = engine.template_libraries.get(name)
        if library is not None:
            libraries.append(library)
    tags = {tag for tag, _ in _TAG.findall(source)}
    filters = {
        name for printed in _PRINTED.finditer(source) for name in _FILTER.findall(printed[0])
    }
    for library in libraries:
        for kind, used, known in (
            ("tag", tags, library.tags),
            ("filter", filters, library.filters),
        ):
            for name in sorted(used & known.keys()):
                reader.add(f"{kind} {name}")
                reader.value(known[name])


def _loaded(source: str) -> Iterator[str]:
    """The names of libraries in ``{% load a b %}`` and ``{% load x y from a %}``."""
    for tag, content in _TAG.findall(source):
        if tag == "load":
            words = content.split()
            yield from words[-1:] if "from" in words[-2:-1] else words


def _read_jinja(engine: Any, name: str, reader: Reader) -> None:
    environment = getattr(engine, "env", None)
    loader = getattr(environment, "loader", None)
    if environment is None or loader is None:
        reader.cannot_see(f"a template of {type(engine).__name__}")
        return
    source = loader.get_source(environment, name)[0]
    reader.add(source)
    _read_names(source, reader)
    used = {found for printed in _PRINTED.finditer(source) for found in _FILTER.findall(printed[0])}
    words = set(re.findall(r"\w+", source))
    for kind, names, known in (
        ("filter", used, environment.filters),
        ("global", words, environment.globals),
    ):
        for each in sorted(names & known.keys()):
            reader.add(f"{kind} {each}")
            reader.value(known[each])
