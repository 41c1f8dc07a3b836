"""A test runner that compares what fails with what is meant to differ."""

import unittest
from importlib import import_module
from pathlib import Path

from django.db import connection
from django.test.runner import DiscoverRunner


def differences(vendor):
    """
    The tests that are meant to fail on a database, by their ids.

    A line of the list is a reason (after ``#``), or a test; in front of it may stand the
    only database on which it differs (``postgresql: …``).
    """
    found = set()
    for line in Path(__file__).with_name("differences.txt").read_text().splitlines():
        only, _, test = line.rpartition(": ")
        if test and not line.startswith("#") and only in ("", vendor):
            found.add(test)
    return found


class Result(unittest.TextTestResult):
    """Prints only the failures that are not meant."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.started = set()
        self.meant = differences(connection.vendor)

    def startTest(self, test):
        super().startTest(test)
        self.started.add(test.id())

    def printErrorList(self, flavour, errors):
        unexpected = [(test, text) for test, text in errors if _id(test) not in self.meant]
        super().printErrorList(flavour, unexpected)

    def compare(self):
        """The tests that failed and should not, and those that should and did not."""
        failed = {_id(test) for test, _ in (*self.failures, *self.errors)}
        failed |= {test.id() for test in self.unexpectedSuccesses}
        ran = self.started - {_id(test) for test, _ in self.skipped}
        return sorted(failed - self.meant), sorted((self.meant & ran) - failed)


class Runner(DiscoverRunner):
    def get_resultclass(self):
        return Result

    def setup_test_environment(self, **kwargs):
        super().setup_test_environment(**kwargs)
        # Django's checks, which do not run here, would import it. It looks up the user model once:
        # if a test of contenttypes that replaces apps.get_model() is the first to import it, no
        # later test in the same process can log in.
        import_module("django.contrib.auth.backends")

    def run_checks(self, databases):
        """Don't: some of the models have two versioned parents, which a check forbids."""

    def suite_result(self, suite, result, **kwargs):
        unexpected, gone = result.compare()
        for title, tests in (
            ("Failed, and not listed in differences.txt", unexpected),
            ("Passed, though listed in differences.txt", gone),
        ):
            if tests:
                print(f"\n{title}:", *tests, sep="\n  ")
        print(
            f"\nDjango's tests: {result.testsRun} ran, {len(result.skipped)} of them skipped; "
            f"{len(unexpected)} failures and {len(gone)} successes are unexpected."
        )
        return len(unexpected) + len(gone)


def _id(test):
    # A subtest's own id has the address of an object in it.
    return getattr(test, "test_case", test).id()
