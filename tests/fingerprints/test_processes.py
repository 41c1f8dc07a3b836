"""The fingerprint is the same in each process with the same code, however it was loaded."""

import compileall
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from .project import FILES

ROOT = Path(__file__).parents[2]


def fingerprints_in_a_new_process(project, **environment):
    """The fingerprints, from an interpreter that was started for them."""
    answer = subprocess.run(
        [sys.executable, "-m", "tests.fingerprints.server"],
        input=json.dumps([str(project.folder), ""]) + "\n",
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        check=True,
        cwd=ROOT,
        text=True,
    )
    return json.loads(answer.stdout)["fingerprints"]


@pytest.mark.parametrize("seed", ["0", "1", "2", "1234", "random"])
def test_the_hash_seed_changes_no_fingerprint(project, unedited, seed):
    assert fingerprints_in_a_new_process(project, PYTHONHASHSEED=seed) == unedited


def test_stored_bytecode_has_the_fingerprint_of_its_source(project, unedited):
    first = fingerprints_in_a_new_process(project, PYTHONDONTWRITEBYTECODE="")
    assert list(project.folder.rglob("money.*.pyc"))
    again = fingerprints_in_a_new_process(project)
    assert (first, again) == (unedited, unedited)


def test_bytecode_without_source_has_the_same_fingerprint(project, unedited):
    compileall.compile_dir(project.folder / "shop", quiet=1, legacy=True)
    for name in ("money", "serializers", "models"):
        (project.folder / f"shop/{name}.py").unlink()
    assert project.fingerprints() == unedited


def test_files_that_are_written_after_the_code_is_loaded_change_no_fingerprint(project, unedited):
    text = FILES["shop/money.py"].replace('"€"', '"euro"')
    loaded_before = f"""
import shop.money, pathlib
pathlib.Path("shop/money.py").write_text({text!r})
"""
    assert project.fingerprints(loaded_before) == unedited


def install(project, version, text, folder="site-packages"):
    """A package beside the project, that a serializer of it uses."""
    place = project.folder.parent / folder
    project.write(f"../{folder}/stamps/__init__.py", text)
    metadata = f"Metadata-Version: 2.1\nName: django-stamps\nVersion: {version}\n"
    for old in place.glob("django_stamps-*"):
        for each in old.iterdir():
            each.unlink()
        old.rmdir()
    project.write(f"../{folder}/django_stamps-{version}.dist-info/METADATA", metadata)
    project.write(f"../{folder}/django_stamps-{version}.dist-info/top_level.txt", "stamps\n")
    settings = f"import sys\nsys.path.append({str(place)!r})\n" + FILES["settings.py"]
    project.write("settings.py", settings)
    helper = FILES["shop/rounding.py"].replace("return round(value, digits)", "return stamp(value)")
    project.write("shop/rounding.py", "from stamps import stamp\n\n" + helper)


def test_the_version_of_an_installed_package_is_part_of_the_fingerprint(project):
    found = []
    for version in ("1.0", "1.1"):
        install(project, version, "def stamp(value):\n    return value\n")
        found.append(project.answer())
    name = "shop.api.ProductViewSet.list (json)"
    parts = [answer["parts"][name]["stamps"] for answer in found]
    assert parts == ["django-stamps 1.0", "django-stamps 1.1"]
    assert found[0]["fingerprints"][name] != found[1]["fingerprints"][name]


def test_the_code_of_an_installed_package_is_not(project):
    install(project, "1.0", "def stamp(value):\n    return value\n")
    first = project.fingerprints()
    install(project, "1.0", "def stamp(value):\n    return -value\n")
    assert project.fingerprints() == first


def test_the_code_of_an_editable_package_is_the_projects(project):
    install(project, "1.0", "def stamp(value):\n    return value\n", folder="sources")
    first = project.fingerprints()
    install(project, "1.0", "def stamp(value):\n    return -value\n", folder="sources")
    name = "shop.api.ProductViewSet.list (json)"
    assert project.fingerprints()[name] != first[name]


@pytest.mark.parametrize(
    "package", ["collectionspace", "djangostuff", "rest_framework_shop", "code_"]
)
def test_a_project_whose_name_begins_like_a_library_is_the_projects(project, package):
    helper = FILES["shop/rounding.py"].replace("return round(value, digits)", "return mine(value)")
    project.write("shop/rounding.py", f"from {package} import mine\n\n" + helper)
    project.write(f"{package}/__init__.py", "def mine(value):\n    return value\n")
    first = project.fingerprints()
    project.write(f"{package}/__init__.py", "def mine(value):\n    return -value\n")
    name = "shop.api.ProductViewSet.list (json)"
    assert project.fingerprints()[name] != first[name]


def test_a_view_that_reverses_depends_on_named_routes(project):
    helper = FILES["shop/rounding.py"].replace(
        "return round(value, digits)", "return reverse('product', args=[1])"
    )
    project.write("shop/rounding.py", "from django.urls import reverse\n\n" + helper)
    first = project.fingerprints()
    project.edit("urls.py", '"products/<int:pk>/"', '"goods/<int:pk>/"')
    changed = {name for name, found in project.fingerprints().items() if found != first[name]}
    assert changed == {
        "shop.api.ProductViewSet.list (json)",
        "shop.api.ProductViewSet.retrieve (json)",
    }
