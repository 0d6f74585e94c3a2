"""Report files are summed up by group, and what cannot be read is said and fails nothing."""

import os
import subprocess
import sys
from pathlib import Path
from xml.sax.saxutils import escape

import pytest

from pipelinekit.builds import results
from pipelinekit.builds.results import collect
from pipelinekit.model.testreport import FailedCase, ReportFormat, TestReport
from pipelinekit.tools.redact import Redactor
from pipelinekit.wire.buildspec_outputs import ReportGroup
from pipelinekit.wire.report_words import failed_names, totals
from tests.wire.report_samples import CASES, COVERAGE

NOTHING = Redactor(())
"""Of no secrets."""


def write(source: Path, name: str, text: str) -> None:
    file = source / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def test_several_files_of_a_group_are_summed_up_in_one_report(tmp_path: Path) -> None:
    write(tmp_path, "out/a.xml", CASES[ReportFormat.JUNIT_XML])
    write(tmp_path, "out/deep/b.xml", CASES[ReportFormat.JUNIT_XML])
    said: list[str] = []
    group = ReportGroup("unit", ("**/*.xml",), base_directory="out")
    (report,) = collect([group], tmp_path, NOTHING, said.append)
    failure = FailedCase("tests.test_cart.test_tax", "assert 1 == 2")
    assert report == TestReport(
        "unit", ReportFormat.JUNIT_XML, 2, 2, 2, seconds=4.0, failures=(failure, failure)
    )
    assert said == ["report unit: 2 passed, 2 failed, 2 skipped in 4.0 s"]


def test_coverage_is_said_in_percent_and_never_rounded_up(tmp_path: Path) -> None:
    write(tmp_path, "a.xml", COVERAGE[ReportFormat.JACOCO_XML])
    more = '<report name="b"><counter type="LINE" missed="0" covered="1990"/></report>'
    write(tmp_path, "b.xml", more)
    said: list[str] = []
    group = ReportGroup("lines", ("*.xml",), format=ReportFormat.JACOCO_XML)
    (report,) = collect([group], tmp_path, NOTHING, said.append)
    assert (report.lines_covered, report.lines_total) == (1997, 2000)
    assert said == ["report lines: lines 99 % of 2,000; branches 75 % of 4"]


def test_a_group_without_files_is_said_and_gives_no_report(tmp_path: Path) -> None:
    said: list[str] = []
    groups = [ReportGroup("unit", ("a.xml", "b.xml")), ReportGroup("out", ("../x.xml",))]
    assert collect(groups, tmp_path, NOTHING, said.append) == ()
    assert "report unit: no file matches a.xml, b.xml in the base directory ." in said[0]
    assert "report out: ../x.xml leads out of the source" in said[1]
    assert len(said) == 2


def test_files_that_cannot_be_read_are_named_and_the_others_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "LARGEST_FILE", 2000)
    write(tmp_path, "good.xml", CASES[ReportFormat.JUNIT_XML])
    write(tmp_path, "broken.xml", "<testsuite>")
    write(tmp_path, "empty.xml", "\n")
    write(tmp_path, "huge.xml", " " * 2001)
    write(tmp_path, "other.xml", "<html/>")
    said: list[str] = []
    (report,) = collect([ReportGroup("unit", ("*",))], tmp_path, NOTHING, said.append)
    assert report.passed == 1
    broken, empty, huge, other, whole = said
    assert broken.startswith("report unit: broken.xml is left out: it is no XML")
    assert empty == "report unit: empty.xml is left out: it is empty"
    assert "huge.xml is left out: it is larger than" in huge
    assert "its root is <html>, which should be <testsuites> or <testsuite>" in other
    assert whole.startswith("report unit: 1 passed, 1 failed")


def test_a_group_of_which_nothing_can_be_read_gives_no_report_and_few_lines(
    tmp_path: Path,
) -> None:
    for number in range(8):
        write(tmp_path, f"page{number}.html", "<html/>")
    said: list[str] = []
    assert collect([ReportGroup("unit", ("*",))], tmp_path, NOTHING, said.append) == ()
    assert len(said) == 6
    assert said[-1] == "report unit: 3 more files are left out"


def test_a_link_out_of_the_source_is_not_followed(tmp_path: Path) -> None:
    write(tmp_path, "secret.xml", CASES[ReportFormat.JUNIT_XML])
    source = tmp_path / "source"
    source.mkdir()
    (source / "a.xml").symlink_to(tmp_path / "secret.xml")
    said: list[str] = []
    assert collect([ReportGroup("unit", ("a.xml",))], source, NOTHING, said.append) == ()
    assert "no file matches" in said[0]


def test_only_the_first_failures_are_kept_with_short_clean_messages(tmp_path: Path) -> None:
    case = f'<testcase name="t"><failure message="{"x" * 900}">\x7f</failure></testcase>'
    write(tmp_path, "a.xml", f"<testsuite>{case * 150}</testsuite>")
    (report,) = collect([ReportGroup("unit", ("a.xml",))], tmp_path, NOTHING, print)
    assert report.failed == 150
    assert len(report.failures) == 100
    assert len(report.failures[0].message) == 500


def test_all_reports_of_a_build_are_put_in_a_few_words() -> None:
    unit = TestReport(
        "unit", ReportFormat.JUNIT_XML, 1200, 12, failures=(FailedCase("a\nb"),) * 12
    )
    lines = TestReport("lines", ReportFormat.CLOVER_XML, lines_covered=1, lines_total=3)
    assert totals([unit, lines]) == "1,200 passed, 12 failed; lines 33 % of 3"
    assert totals([]) == ""
    assert [*failed_names([unit, lines])] == ["a b"] * 10 + ["and 2 more"]
    assert [*failed_names([lines])] == []


@pytest.mark.slow
def test_what_pytest_itself_writes_is_read(tmp_path: Path) -> None:
    tests = (
        "import pytest\n\ndef test_good(): pass\n\ndef test_bad(): assert 1 == 2\n\n"
        "@pytest.mark.skip\ndef test_idle(): pass\n\n"
        "@pytest.fixture\ndef broken(): raise OSError('no disk')\n\n"
        "def test_broken(broken): pass\n"
    )
    write(tmp_path, "test_shop.py", tests)
    command = [sys.executable, "-m", "pytest", "-q", "--junitxml=out/unit.xml", "-c", os.devnull]
    subprocess.run([*command, "--rootdir=.", "."], cwd=tmp_path, check=False, capture_output=True)
    said: list[str] = []
    (report,) = collect([ReportGroup("unit", ("out/*.xml",))], tmp_path, NOTHING, said.append)
    assert (report.passed, report.failed, report.skipped) == (1, 2, 1)
    bad, broken = report.failures
    assert bad.name == "test_shop.test_bad"
    assert "assert 1 == 2" in bad.message
    assert "no disk" in broken.message


@pytest.mark.parametrize("before", ["", "x" * (results.LONGEST_TEXT - 5)])
def test_secrets_stand_neither_whole_nor_in_part_in_what_is_kept_of_a_failure(
    tmp_path: Path, before: str
) -> None:
    secret = "kept & <safe>, \u00fcber-secret"
    told = escape(f"{before}{secret} was refused, {secret[:9]}\x7f{secret[9:]} too")
    case = f'<testcase name="{told}"><failure>{told}</failure></testcase>'
    write(tmp_path, "a.xml", f"<testsuite>{case}</testsuite>")
    groups = [ReportGroup("unit", ("*",))]
    (report,) = collect(groups, tmp_path, Redactor([secret]), print)
    (failure,) = report.failures
    for text in (failure.name, failure.message):
        assert "kept" not in text
        assert "***" in text
