"""
Schemathesis against the example project's schema, through a real server.

It sends what the schema allows and what it forbids, and compares each answer with
what the schema says of it. ``hooks`` fetches tags, so that guarded writes are
reached; a run that has not seen each of their answers has failed too.

    python -m tests.openapi
"""

import argparse
import collections
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.serving import database, server

HERE = Path(__file__).parent
# What has to be seen, or the run has proved little.
EXPECTED = {
    "GET": {200, 304, 404},
    "POST": {201, 400},
    "PUT": {200, 400, 404, 412, 428},
    "PATCH": {200, 400, 404, 412, 428},
    "DELETE": {204, 404, 412, 428},
}


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.openapi", description=__doc__)
    parser.add_argument("--max-examples", type=int, default=40, help="requests per operation")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        counts = Path(folder) / "counts.json"
        with (
            database(Path(folder), "example_project.settings") as environment,
            server("wsgi", environment) as address,
        ):
            status = run(address, environment, counts, options.max_examples)
        seen = json.loads(counts.read_text()) if counts.exists() else {}
    missing = report(seen)
    return status or (1 if missing else 0)


def run(address, environment, counts, max_examples):
    command = [str(Path(sys.executable).with_name("st")), "--config-file"]
    command += [str(HERE / "schemathesis.toml"), "run", f"{address}/api/schema/?format=json"]
    command += ["--url", address, "--max-examples", str(max_examples)]
    environment = dict(environment, COUNTS=str(counts), PYTHONPATH=str(HERE.parents[1]))
    # Where it leaves what it remembers: each run stands alone.
    return subprocess.run(command, env=environment, cwd=counts.parent).returncode


def report(seen):
    """Print what was answered how often; return what was never answered."""
    missing = []
    for method, expected in EXPECTED.items():
        answers = collections.Counter({int(code): n for code, n in seen.get(method, {}).items()})
        print(f"{method}: {dict(sorted(answers.items()))}")
        missing += [f"{method}: never {code}" for code in sorted(expected - set(answers))]
    for each in missing:
        print("FAILED:", each)
    return missing


if __name__ == "__main__":
    sys.exit(main())
