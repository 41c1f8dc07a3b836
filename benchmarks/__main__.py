"""
Runs one of the benchmarks on a database made for it::

    python -m benchmarks compare                     # SQLite
    DATABASE_URL=postgres://… python -m benchmarks compare
"""

import argparse
import importlib
import os

import django
from django.test.utils import setup_databases, teardown_databases

BENCHMARKS = ("compare", "promises", "writes")


def main():
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.settings")
    django.setup()
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    commands = parser.add_subparsers(dest="benchmark", required=True)
    modules = {name: importlib.import_module(f"benchmarks.{name}") for name in BENCHMARKS}
    for name, module in modules.items():
        module.add_arguments(commands.add_parser(name, description=module.__doc__))
    options = parser.parse_args()
    databases = setup_databases(verbosity=0, interactive=False, serialized_aliases=[])
    try:
        modules[options.benchmark].run(options)
    finally:
        teardown_databases(databases, verbosity=0)


if __name__ == "__main__":
    main()
