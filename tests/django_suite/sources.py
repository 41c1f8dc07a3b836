"""Django's tests, unpacked, and importing models from ``tests.django_suite``."""

import ast
import shutil
import tarfile
from pathlib import Path

# Where a module of Django's tests imports from, what we replace, and where ours is.
_REPLACED = {
    "django.db": ({"models"}, "tests.django_suite"),
    "django.db.models": ({"Manager", "Model", "QuerySet"}, "tests.django_suite.models"),
}

# Abstract mixins that stay plain. Django forbids a proxy model a mixin that has fields, and a
# mixin a field that a concrete parent has too.
_PLAIN = {
    "model_inheritance_regress/models.py": ["class ParkingLot4(models.Model)"],
    "proxy_models/models.py": ["class ManagerMixin(models.Model)"],
}


def unpack(sdist: Path, folder: Path) -> Path:
    """Unpack the tests of an sdist into ``folder``, and return where they are."""
    shutil.rmtree(folder, ignore_errors=True)
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    (tests,) = folder.glob("*/tests")
    # Its list of apps, to which settings cannot add.
    runtests = tests / "runtests.py"
    apps = "ALWAYS_INSTALLED_APPS = ["
    runtests.write_text(runtests.read_text().replace(apps, f'{apps}"etag_versioning",', 1))
    for path in tests.rglob("*.py"):
        _rewrite(path, _PLAIN.get(str(path.relative_to(tests)), []))
    return tests


def _rewrite(path: Path, plain: list[str]) -> None:
    source = path.read_text()
    for line in plain:
        assert line in source, line
        source = source.replace(line, line.replace("models.Model", "models.base.Model"))
    try:
        tree = ast.parse(source)
    except SyntaxError:  # Some are there to be wrong.
        return
    lines = source.splitlines(keepends=True)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module in _REPLACED and not node.level:
            names, module = _REPLACED[node.module]
            ours = [ast.unparse(alias) for alias in node.names if alias.name in names]
            if ours:
                # On the same line, so that tracebacks show the lines of the sdist.
                line = lines[node.end_lineno - 1].encode()
                head, tail = line[: node.end_col_offset], line[node.end_col_offset :]
                imports = f"; from {module} import {', '.join(ours)}".encode()
                lines[node.end_lineno - 1] = (head + imports + tail).decode()
    path.write_text("".join(lines))
