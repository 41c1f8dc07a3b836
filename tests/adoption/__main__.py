"""
Adopt the package in other people's projects, and run their own tests before and after::

    python -m tests.adoption [ara] [rdmo] [--stale-writes raise]

The steps, and the commands of each, are those of docs/adopting.md. A test that fails after
the adoption and not before it fails the run. Everything comes from the package index.
"""

import argparse
import os
import re
import shlex
import subprocess
import sys
import venv
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from . import guide
from .projects import Project
from .projects.ara import ARA
from .projects.rdmo import RDMO
from .sources import Source
from .suites import Results

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "build/adoption"
PROBES = Path(__file__).parent / "probes"
PROJECTS = (ARA, RDMO)


class Adoption:
    """One project in a folder of its own: twice its source, and an environment for both."""

    def __init__(self, project: Project, stale_writes: str) -> None:
        self.project = project
        self.stale_writes = stale_writes
        self.folder = BUILD / project.name
        self.python = self.folder / "venv/bin/python"

    def run(self) -> bool:
        """Returns whether the project's tests still pass."""
        sdist = self.install()
        before, after = (Source.unpack(sdist, self.folder / name) for name in ("before", "after"))
        with ThreadPoolExecutor() as pool:
            runs = pool.submit(self.test, before), pool.submit(self.adopt, after)
        return self.compare(*(run.result() for run in runs))

    def install(self) -> Path:
        """The project with its dependencies, and this package, as the guide's first step says."""
        project = self.project
        if not self.python.exists():
            venv.create(self.python.parents[1], with_pip=False)
        if not (found := list(self.folder.glob(f"{project.name}-{project.version}.tar.gz"))):
            sdists = ("--no-deps", f"--no-binary={project.name}", f"--dest={self.folder}")
            self.pip("download", *sdists, f"{project.name}=={project.version}")
            found = list(self.folder.glob(f"{project.name}-{project.version}.tar.gz"))
        (sdist,) = found
        needs = f"{sdist}[{','.join(project.extras)}]"
        self.pip("install", needs, "pytest", "pytest-django", *project.packages)
        return sdist

    def adopt(self, source: Source) -> Results:
        """
        Fill a database, take the guide's steps, and run the project's tests; with "report", our
        own too, which show that the adoption has an effect.
        """
        for arguments in self.project.rows:
            self.call(source, self.python, self.project.manage, *arguments)
        for number, edit in self.project.steps.items():
            edit(source)
            for command in guide.commands(number):
                self.command(source, command)
        if self.stale_writes == "report":
            probe = PROBES / f"{self.project.name}.py"
            source.add(self.project.probe, probe.read_text())
        else:
            was, mended = (f'"STALE_WRITES": "{mode}"' for mode in ("report", self.stale_writes))
            source.replace(self.project.settings_file, was, mended)
        return self.test(source)

    def command(self, source: Source, line: str) -> None:
        """One command of the guide, in the project's environment."""
        match shlex.split(line):
            case ["pip", "install", package]:
                self.pip("install", package.replace("django-etag-versioning", str(ROOT)))
            case ["python", "manage.py", *arguments]:
                self.call(source, self.python, self.project.manage, *arguments)
            case _:
                raise NotImplementedError(f"{guide.GUIDE.name}: {line!r} is no pip or manage.py.")

    def test(self, source: Source) -> Results:
        """Run the project's tests; a run that reaches no end raises."""
        report = self.report(source, "xml")
        report.unlink(missing_ok=True)
        with self.report(source, "txt").open("w") as output:
            subprocess.run(
                [
                    *(self.python, "-m", "pytest", "-c", "pyproject.toml", "--tb=short"),
                    *("-p", "no:cacheprovider"),
                    *(f"--ds={self.project.settings}", f"--junit-xml={report}"),
                    *("-o", "log_file_level=WARNING", "-o", "log_file_format=%(name)s %(message)s"),
                    f"--log-file={self.report(source, 'log')}",
                    *self.project.tests,
                ],
                cwd=source.folder,
                env=self.environment(source),
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        if not report.exists():
            raise SystemExit(f"{self.project.name}: the tests did not run: {output.name}")
        return Results.read(report)

    def compare(self, before: Results, after: Results) -> bool:
        """Say what both runs came to, and what the package logged in the second."""
        for name, results in (("before", before), ("after", after)):
            print(
                f"{self.project.name} {self.project.version}, {name} the adoption: "
                f"{len(results.passed)} passed, {len(results.failed)} failed"
            )
        for line, times in self.logged().most_common():
            print(f"  logged {times} times: {line}")
        broken = sorted(before.broken_by(after))
        for name in broken:
            print(f"  NEW FAILURE: {name}")
        if len(before.passed) < self.project.at_least:
            print(f"  TOO FEW: at least {self.project.at_least} tests pass before the adoption.")
        return not broken and len(before.passed) >= self.project.at_least

    def logged(self) -> Counter[str]:
        log = self.folder / "after.log"
        lines = log.read_text().splitlines() if log.exists() else ()
        reports = (line for line in lines if line.startswith("etag_versioning "))
        # Rows differ from run to run; lines of code and addresses do not.
        return Counter(re.sub(r"/\d+", "/…", line) for line in reports)

    def report(self, source: Source, suffix: str) -> Path:
        return self.folder / f"{source.folder.parent.name}.{suffix}"

    def pip(self, *arguments: str) -> None:
        call = (sys.executable, "-m", "pip", "--python", self.python, "--quiet")
        subprocess.run([*call, "--disable-pip-version-check", *arguments], check=True)

    def call(self, source: Source, *arguments: str | Path) -> None:
        print(f"  {self.project.name}:", " ".join(map(str, arguments[1:])), flush=True)
        env = self.environment(source)
        subprocess.run(arguments, cwd=source.folder, env=env, check=True)

    def environment(self, source: Source) -> dict[str, str]:
        """The project's own modules come first: the environment has a copy of them."""
        settings = self.project.environment.items()
        values = {name: value.format(source=source.folder) for name, value in settings}
        return {**os.environ, "PYTHONPATH": str(source.folder), **values}


def main() -> int:
    projects = {project.name: project for project in PROJECTS}
    parser = argparse.ArgumentParser(prog="python -m tests.adoption")
    parser.add_argument("names", nargs="*", metavar="PROJECT", help=f"of {', '.join(projects)}")
    parser.add_argument("--stale-writes", default="report", choices=("report", "merge", "raise"))
    options = parser.parse_args()
    chosen = [projects[name] for name in options.names or projects]
    kept = [Adoption(project, options.stale_writes).run() for project in chosen]
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
