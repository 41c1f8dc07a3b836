"""Imports run one way, and each module says what is public in it."""

import ast
import importlib
from pathlib import Path

import pytest

import etag_versioning

ROOT = Path(etag_versioning.__file__).parent

# Which modules of the package each one may import.
MAY_IMPORT = {
    "__init__": "",
    "apps": "checks http_checks touching_signals",
    "caching": "",
    "checks": "conf fields paths querysets stateful trigger_audit",
    "columns": "fields guards",
    "combinations": "etags preconditions sources tags validators",
    "conditional": "caching creation error_responses etags exceptions guards http options "
    "preconditions signals sources tags validators",
    "conf": "",
    "coroutines": "conditional error_responses etags exceptions guards preconditions signals",
    "creation": "exceptions guards validators",
    "dates": "",
    "decorators": "caching combinations conditional coroutines factories http options sources tags",
    "error_responses": "etags messages negotiation preconditions",
    "etags": "",
    "exceptions": "",
    "expressions": "columns fields guards",
    "factories": "combinations files http preconditions sources tags",
    "fields": "",
    "files": "etags preconditions sources tags",
    "guards": "exceptions",
    "http": "conf dates etags preconditions",
    "http_checks": "",
    "managers": "querysets",
    "messages": "preconditions",
    "middleware": "error_responses exceptions guards preconditions signals",
    "models": "fields managers querysets stateful",
    "narrow": "shapes",
    "negotiation": "",
    "operations": "trigger_editors",
    "options": "conf etags preconditions sources tags",
    "paths": "columns",
    "preconditions": "dates etags",
    "querysets": "columns exceptions expressions guards paths touching touching_writes unchanged",
    "revision": "",
    "shapes": "",
    "signals": "preconditions",
    "sources": "conf creation etags narrow preconditions tags validators",
    "stateful": "columns exceptions expressions guards managers paths querysets swaps touching "
    "touching_writes unchanged",
    "swaps": "columns exceptions guards paths touching touching_writes",
    "tags": "conf etags preconditions",
    "terms": "",
    "touching": "columns guards paths",
    "touching_signals": "paths querysets touching touching_writes",
    "touching_writes": "paths touching",
    "trigger_audit": "columns operations trigger_editors",
    "trigger_editors": "columns triggers",
    "triggers": "columns fields",
    "unchanged": "columns",
    "validators": "columns dates etags exceptions guards narrow paths preconditions tags "
    "touching_writes",
}
# The modules of the benchmark, and which of the package each one may import.
BENCHMARK_MAY_IMPORT = {
    "__init__": "",
    "__main__": "benchmark.cli benchmark.errors",
    "answers": "benchmark.errors etags",
    "cli": "benchmark.errors benchmark.run",
    "errors": "",
    "figures": "",
    "measure": "benchmark.figures benchmark.targets",
    "plot": "benchmark.errors benchmark.figures",
    "project": "",
    "report": "benchmark.errors benchmark.figures benchmark.targets",
    "run": "benchmark.errors benchmark.figures benchmark.measure benchmark.plot "
    "benchmark.project benchmark.report benchmark.targets",
    "targets": "benchmark.answers benchmark.errors benchmark.figures",
}
# What knows no framework.
PURE = ["dates", "etags", "exceptions", "negotiation", "preconditions"]

# Classes and functions for other modules of the package, or for Django, by name.
NOT_PUBLIC = {
    "conditional": {"Judged"},
    "conf": {"Settings"},
    "expressions": {"InState"},
    "factories": {"DateFunction", "TagFunction"},
    "fields": {"ExactStamp"},
    "trigger_editors": {"MySQLTriggers", "PostgreSQLTriggers", "SQLiteTriggers"},
    "triggers": {"Link", "Trigger"},
}
# What a module passes on from another that it is made of.
PASSED_ON = {
    "decorators": {
        "etag_func",
        "file_etag_func",
        "file_last_modified_func",
        "last_modified_func",
        "revision_etag_func",
    },
    "models": {"VersionedManager", "VersionedQuerySet"},
    "rest_framework.mixins": {"VersionedAPIViewMixin"},
}


def module_name(path):
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


TREES = {module_name(path): ast.parse(path.read_text("utf-8")) for path in ROOT.rglob("*.py")}
CORE = sorted(name for name in TREES if "." not in name)
OUTSIDE_DRF = sorted(name for name in TREES if not name.startswith("rest_framework."))
WITHOUT_ALL = ("__init__", "apps", "rest_framework.__init__")
WITH_ALL = [name for name in CORE if name not in WITHOUT_ALL]
WITH_ALL_IN_DRF = sorted(set(TREES) - set(OUTSIDE_DRF) - set(WITHOUT_ALL))
WITH_ALL_IN_BENCHMARK = sorted(
    f"benchmark.{name}" for name in BENCHMARK_MAY_IMPORT if name != "__init__"
)


def imports(name):
    """The absolute names of all modules that a module imports, at any depth of its code."""
    package = ["etag_versioning", *name.split(".")[:-1]]
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            if node.module:
                yield ".".join([*base, node.module])
            else:
                yield from (".".join([*base, alias.name]) for alias in node.names)


def own_imports(name):
    """Those of the package itself, without its name."""
    for imported in imports(name):
        top, _, rest = imported.partition(".")
        if top == "etag_versioning":
            yield rest


def top_level(name):
    """The names of a module's classes and functions, and of its variables."""
    body = TREES[name].body
    made = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    assigned = [node for node in body if isinstance(node, ast.Assign | ast.AnnAssign)]
    targets = [
        target
        for node in assigned
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
    ]
    return (
        {node.name for node in body if isinstance(node, made)},
        {target.id for target in targets if isinstance(target, ast.Name)},
    )


def public_names(name):
    for node in TREES[name].body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return ast.literal_eval(node.value)
    return None


def test_the_reader_of_imports_sees_every_form(monkeypatch):
    source = """
import os.path, etag_versioning.conf
from django.db import models
from . import http, etags as tags
from .. import fields
from ..guards import Guard
def function():
    from .models import VersionedModel
    from etag_versioning.columns import state_columns
"""
    monkeypatch.setitem(TREES, "rest_framework.sample", ast.parse(source))
    assert set(imports("rest_framework.sample")) == {
        "os.path",
        "etag_versioning.conf",
        "django.db",
        "etag_versioning.rest_framework.http",
        "etag_versioning.rest_framework.etags",
        "etag_versioning.fields",
        "etag_versioning.guards",
        "etag_versioning.rest_framework.models",
        "etag_versioning.columns",
    }


def test_every_module_has_its_place():
    assert set(CORE) == set(MAY_IMPORT)


@pytest.mark.parametrize("name", CORE)
def test_imports_run_one_way(name):
    assert set(own_imports(name)) <= set(MAY_IMPORT[name].split())


def test_the_direction_has_no_circles():
    left = {name: set(allowed.split()) for name, allowed in MAY_IMPORT.items()}
    while leaves := {name for name, allowed in left.items() if not allowed}:
        left = {name: allowed - leaves for name, allowed in left.items() if name not in leaves}
    assert left == {}


def test_the_benchmark_s_imports_run_one_way():
    prefix = "benchmark."
    names = {name.removeprefix(prefix) for name in TREES if name.startswith(prefix)}
    assert names == set(BENCHMARK_MAY_IMPORT)
    for name, allowed in BENCHMARK_MAY_IMPORT.items():
        # "from .. import __version__" names the package itself.
        imported = set(own_imports(prefix + name)) - {"", "__version__"}
        assert imported <= set(allowed.split()), name


def test_only_its_command_imports_the_benchmark():
    users = {
        name
        for name in TREES
        if not name.startswith("benchmark.")
        and any(imported.startswith("benchmark") for imported in own_imports(name))
    }
    assert users == {"management.commands.etag_benchmark"}


def test_only_one_module_of_the_benchmark_knows_django():
    knowing = {
        name
        for name in TREES
        if name.startswith("benchmark.")
        and any(imported.partition(".")[0] == "django" for imported in imports(name))
    }
    assert knowing == {"benchmark.project"}


@pytest.mark.parametrize("name", PURE)
def test_the_core_knows_no_framework(name):
    tops = {imported.partition(".")[0] for imported in imports(name)}
    assert tops.isdisjoint({"django", "asgiref", "rest_framework"})


@pytest.mark.parametrize("name", OUTSIDE_DRF)
def test_only_one_folder_imports_django_rest_framework(name):
    assert "rest_framework" not in {imported.partition(".")[0] for imported in imports(name)}
    assert "rest_framework" not in {imported.partition(".")[0] for imported in own_imports(name)}


@pytest.mark.parametrize("name", [*WITH_ALL, *WITH_ALL_IN_DRF, *WITH_ALL_IN_BENCHMARK])
def test_each_module_lists_what_is_public(name):
    listed = public_names(name)
    assert listed is not None
    assert len(listed) == len(set(listed))
    made, assigned = top_level(name)
    listed = set(listed) - PASSED_ON.get(name, set())
    assert listed <= made | assigned
    public = {made_name for made_name in made if not made_name.startswith("_")}
    assert set(listed) - assigned == public - NOT_PUBLIC.get(name, set())


def test_what_is_named_as_not_public_is_there():
    for name, hidden in NOT_PUBLIC.items():
        assert hidden <= top_level(name)[0]


@pytest.mark.parametrize("name", WITH_ALL)
def test_every_listed_name_can_be_imported(name):
    module = importlib.import_module(f"etag_versioning.{name}")
    for listed in module.__all__:
        assert hasattr(module, listed)
