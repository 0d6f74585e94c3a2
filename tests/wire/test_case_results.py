"""Report files of strangers become counts of tests and lines, or are refused with the reason."""

import pytest

from pipelinekit.model.testreport import ReportFormat
from pipelinekit.wire.case_results import CASES, Case, Verdict, read_cases
from pipelinekit.wire.coverage_results import COVERAGE, Coverage, read_coverage
from pipelinekit.wire.report_text import ReportError, number
from tests.wire import report_samples as samples

BOMB = b"""<?xml version="1.0"?><!DOCTYPE testsuites [
<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><testsuites>&b;</testsuites>"""
FOREIGN = b"""<?xml version="1.0"?><!DOCTYPE testsuites [
<!ENTITY file SYSTEM "file:///etc/passwd">]><testsuites><testcase name="&file;"/></testsuites>"""


def junit(*cases: str) -> tuple[Case, ...]:
    text = f"<testsuite>{''.join(cases)}</testsuite>"
    return read_cases(ReportFormat.JUNIT_XML, text.encode())


def test_every_format_tells_either_tests_or_coverage() -> None:
    assert set(CASES) | set(COVERAGE) == set(ReportFormat)
    assert not set(CASES) & set(COVERAGE)


@pytest.mark.parametrize("kind", CASES)
def test_each_format_of_tests_is_read_to_the_same_cases(kind: ReportFormat) -> None:
    total, tax, later = read_cases(kind, samples.CASES[kind].encode())
    verdicts = (total.verdict, tax.verdict, later.verdict)
    assert verdicts == (Verdict.PASSED, Verdict.FAILED, Verdict.SKIPPED)
    assert [total.seconds, tax.seconds, later.seconds] == [1.5, 0.5, 0]
    assert tax.message == "assert 1 == 2"
    assert all(case.name.startswith("tests") for case in (total, tax, later))
    assert total.name.endswith("test_total")


@pytest.mark.parametrize("kind", COVERAGE)
def test_each_format_of_coverage_is_read_to_the_same_counts(kind: ReportFormat) -> None:
    assert read_coverage(kind, samples.COVERAGE[kind].encode()) == Coverage(7, 10, 3, 4)


@pytest.mark.parametrize("kind", ReportFormat)
def test_a_file_of_another_format_is_refused(kind: ReportFormat) -> None:
    read = read_cases if kind in CASES else read_coverage
    others = samples.CASES | samples.COVERAGE
    for text in (*(others[each] for each in others if each is not kind), "{", "<a", "[1]", "\0"):
        with pytest.raises(ReportError, match=r"^its? "):
            read(kind, text.encode())


@pytest.mark.parametrize("hostile", [BOMB, FOREIGN])
def test_entities_are_refused_before_they_are_built(hostile: bytes) -> None:
    with pytest.raises(ReportError, match="declares entities"):
        read_cases(ReportFormat.JUNIT_XML, hostile)


def test_no_depth_reaches_the_stack() -> None:
    deep = b"<testsuite>" * 50_000 + b'<testcase name="a"/>' + b"</testsuite>" * 50_000
    assert len(read_cases(ReportFormat.JUNIT_XML, deep)) == 1
    with pytest.raises(ReportError):
        read_cases(ReportFormat.CUCUMBER_JSON, b"[" * 100_000)


def test_an_encoding_that_nobody_knows_is_refused() -> None:
    with pytest.raises(ReportError):
        read_cases(ReportFormat.JUNIT_XML, b'<?xml version="1.0" encoding="klingon"?><testsuite/>')


def test_a_test_that_broke_off_has_failed_and_one_that_was_not_run_has_not_passed() -> None:
    broken, flaky, idle = junit(
        '<testcase name="a"><error>boom</error><skipped/></testcase>',
        '<testcase name="b"><rerunFailure message="once"/></testcase>',
        '<testcase name="c" status="notrun"/>',
    )
    assert (broken.verdict, broken.message) == (Verdict.FAILED, "boom")
    assert flaky.verdict is Verdict.PASSED
    assert idle.verdict is Verdict.SKIPPED


def test_results_of_old_nunit_are_told_by_two_flags() -> None:
    text = b"""<test-results><test-case name="a" executed="True" success="True"/>
    <test-case name="b" executed="True" success="False"/><test-case name="c" executed="False"/>
    </test-results>"""
    verdicts = [case.verdict for case in read_cases(ReportFormat.NUNIT_XML, text)]
    assert verdicts == [Verdict.PASSED, Verdict.FAILED, Verdict.SKIPPED]


def test_an_undefined_step_fails_its_scenario_and_a_background_counts_once() -> None:
    text = b"""[{"name": "f", "elements": [
    {"type": "background", "steps": [{"result": {"status": "failed", "error_message": "no"}}]},
    {"name": "a", "steps": [{"result": {"status": "skipped"}}]},
    {"name": "b", "steps": [{"result": {"status": "undefined"}}]},
    {"name": "c", "steps": []}]}]"""
    first, second, empty = read_cases(ReportFormat.CUCUMBER_JSON, text)
    assert (first.verdict, first.message) == (Verdict.FAILED, "no")
    assert (second.verdict, second.message) == (Verdict.FAILED, "a step is undefined")
    assert empty.verdict is Verdict.SKIPPED


def test_lines_are_counted_where_a_cobertura_report_has_no_sums() -> None:
    text = b"""<coverage line-rate="0.5"><packages><package><classes>
    <class filename="a.py"><methods><method><lines><line number="1" hits="1"/></lines></method>
    </methods><lines><line number="1" hits="1"/><line number="2" hits="0" branch="true"
    condition-coverage="50% (1/2)"/></lines></class>
    <class filename="a.py"><lines><line number="2" hits="4" condition-coverage="0% (0/2)"/>
    </lines></class></classes></package></packages></coverage>"""
    assert read_coverage(ReportFormat.COBERTURA_XML, text) == Coverage(2, 2, 1, 2)


def test_the_newer_report_of_simplecov_and_its_oldest_are_read() -> None:
    newer = b"""{"meta": {}, "coverage": {"/a.rb": {"lines": [1, 0, null, "ignored"],
    "branches": [{"type": "then", "coverage": 1}, {"type": "else", "coverage": 0}]}}}"""
    assert read_coverage(ReportFormat.SIMPLECOV, newer) == Coverage(1, 2, 1, 2)
    oldest = b'{"RSpec": {"coverage": {"/a.rb": [1, 0, null]}}}'
    assert read_coverage(ReportFormat.SIMPLECOV, oldest) == Coverage(1, 2)


@pytest.mark.parametrize("text", ["nan", "inf", "-1", "soon", "", None])
def test_what_is_no_time_counts_as_none(text: str | None) -> None:
    assert number(text) == 0
    assert number("1,204.5") == 1204.5
