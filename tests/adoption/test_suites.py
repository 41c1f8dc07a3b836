from .suites import Results

REPORT = """
<testsuites><testsuite>
  <testcase classname="tests.test_api" name="test_get"/>
  <testcase classname="tests.test_api" name="test_put"><failure message="409"/></testcase>
  <testcase classname="tests.test_api" name="test_ui"><skipped message="no browser"/></testcase>
  <testcase classname="" name="tests.test_broken"><error message="ImportError"/></testcase>
</testsuite></testsuites>
"""


def results(passed=(), failed=()):
    return Results(frozenset(passed), frozenset(failed))


def test_a_report_tells_passed_failed_and_skipped_tests_apart(tmp_path):
    report = tmp_path / "report.xml"
    report.write_text(REPORT)
    assert Results.read(report) == results(
        passed=["tests.test_api::test_get"],
        failed=["tests.test_api::test_put", "::tests.test_broken"],
    )


def test_a_test_that_failed_before_is_no_new_failure():
    before = results(passed=["one"], failed=["two"])
    assert not before.broken_by(results(passed=["one"], failed=["two"]))


def test_a_test_that_passed_before_and_fails_now_is_a_new_failure():
    before = results(passed=["one", "two"])
    assert before.broken_by(results(passed=["one"], failed=["two"])) == {"two"}


def test_a_test_that_passed_before_and_was_not_run_is_a_new_failure():
    before = results(passed=["one", "two"])
    assert before.broken_by(results(passed=["one"])) == {"two"}


def test_a_test_of_ours_that_fails_is_a_new_failure():
    assert results(passed=["one"]).broken_by(results(["one"], ["ours"])) == {"ours"}
