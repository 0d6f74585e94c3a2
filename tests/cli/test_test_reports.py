"""What the tests of a build came to is shown wherever its execution is."""

import pytest

from tests.cli.project import ACTIONS, Project

pytestmark = pytest.mark.slow

TESTED = (
    ACTIONS
    + '''
from pipelinekit.model.testreport import FailedCase, ReportFormat, TestReport

FAILED = FailedCase("cart.\\x1b[2Jtotal")
UNIT = TestReport("unit", ReportFormat.JUNIT_XML, 41, 1, seconds=3.2, failures=(FAILED,))
LINES = TestReport("lines", ReportFormat.JACOCO_XML, lines_covered=7, lines_total=10)


@pk.action("Test", "Tested")
def tested(job: pk.Job, *, good: bool) -> pk.Outcome:
    """Give reports."""
    if good:
        return pk.Succeeded(summary="built", place="sandbox", reports=(LINES,))
    return pk.Failed("it exited with 1", reports=(UNIT, LINES))


pipeline = (
    pk.Pipeline("demo")
    >> pk.Stage("Source", take("take"))
    >> pk.Stage("Good", tested("good", good=True))
    >> pk.Stage("Bad", tested("bad", good=False))
)
'''
)


@pytest.fixture
def tested(project: Project) -> Project:
    """Give a project with an execution whose tests failed."""
    assert project.call("run", project.write("demo.py", TESTED)).returncode == 1
    return project


def test_status_sums_the_tests_up_beside_what_else_is_known_of_an_action(tested: Project) -> None:
    shown = tested.call("status", "demo").stdout
    assert "sandbox; built; lines 70 % of 10\n" in shown
    assert "it exited with 1; 41 passed, 1 failed; lines 70 % of 10\n" in shown
    *_, bad = tested.answer("status", "demo")["stages"]
    (report, lines) = bad["actions"][0]["reports"]
    assert (report["group"], report["failures"][0]["message"]) == ("unit", "")
    assert lines["lines_total"] == 10


def test_failed_tests_are_named_at_the_end_of_an_execution(tested: Project) -> None:
    shown = tested.call("watch").stdout
    assert "41 passed, 1 failed" in shown
    assert "    failed: cart.total\n" in shown
    assert "\x1b" not in shown


def test_history_has_a_table_of_reports_and_tells_the_place_where_it_is_not_here(
    tested: Project,
) -> None:
    rows = tested.answer("history", "--tests")
    assert {(row["action"], row["group"]) for row in rows} == {
        ("good", "lines"),
        ("bad", "unit"),
        ("bad", "lines"),
    }
    table = tested.call("history", "--tests").stdout
    assert "cart.total" in table
    assert "3.2 s" in table
    actions = tested.call("history", "--actions").stdout
    assert "sandbox" in actions
    assert " here " not in actions
