"""Gathers what the tests of a build came to from its report files; none of them fails a build.

Source: "Test report statuses" of the CodeBuild guide, where a report that cannot be made is
INCOMPLETE and the build goes on.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from pipelinekit.model.testreport import FailedCase, TestReport
from pipelinekit.tools.documents.places import printable
from pipelinekit.tools.globs import GlobError, Globs
from pipelinekit.tools.redact import Redactor
from pipelinekit.wire.buildspec_outputs import ReportGroup
from pipelinekit.wire.case_results import CASES, Case, Verdict, read_cases
from pipelinekit.wire.coverage_results import read_coverage
from pipelinekit.wire.report_text import ReportError
from pipelinekit.wire.report_words import told
from pipelinekit.wire.words import clean, shortened

LARGEST_FILE: Final = 50 * 1024 * 1024  # bytes
MOST_FAILURES: Final = 100
LONGEST_TEXT: Final = 500
MOST_TROUBLES: Final = 5

Say = Callable[[str], None]


def collect(
    groups: Iterable[ReportGroup], source: Path, redactor: Redactor, say: Say
) -> tuple[TestReport, ...]:
    """Read the report files of a build, also of one that failed, and sum up each group's.

    Args:
        groups: Which files there should be, and their format.
        source: The folder in which the build started.
        redactor: Of the secrets that must not come into what is kept of a report.
        say: Writes a line into the build's log: what each group came to, and what of it could
            not be read.

    Returns:
        A report for each group of which some file could be read.
    """
    reports = (_collected(group, source, redactor, say) for group in groups)
    return tuple(report for report in reports if report is not None)


def _collected(
    group: ReportGroup, source: Path, redactor: Redactor, say: Say
) -> TestReport | None:
    files = _files(group, source, say)
    report = TestReport(group.name, group.format)
    troubles: list[str] = []
    for name, path in files.items():
        try:
            report = _added(report, _read(path), redactor)
        except (ReportError, OSError) as error:
            troubles.append(f"report {group.name}: {printable(name)} is left out: {error}")
    for trouble in troubles[:MOST_TROUBLES]:
        say(trouble)
    if len(troubles) > MOST_TROUBLES:
        say(f"report {group.name}: {len(troubles) - MOST_TROUBLES} more files are left out")
    if len(troubles) == len(files):
        return None
    say(f"report {group.name}: {told(report)}")
    return report


def _files(group: ReportGroup, source: Path, say: Say) -> dict[str, Path]:
    try:
        selection = Globs(group.files, base=group.base_directory).select(source)
    except GlobError as error:
        say(f"report {group.name}: {error}")
        return {}
    if not selection.files:
        say(
            f"report {group.name}: no file matches {', '.join(group.files)} in the base directory "
            f"{group.base_directory}; see in the log what the tests wrote, and where"
        )
    return dict(selection.files)


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        content = file.read(LARGEST_FILE + 1)
    if len(content) > LARGEST_FILE:
        raise ReportError(f"it is larger than {LARGEST_FILE // 1024**2} MB")
    if not content.strip():
        raise ReportError("it is empty")
    return content


def _added(report: TestReport, content: bytes, redactor: Redactor) -> TestReport:
    if report.format in CASES:
        return _with_cases(report, read_cases(report.format, content), redactor)
    more = read_coverage(report.format, content)
    return replace(
        report,
        lines_covered=report.lines_covered + more.lines_covered,
        lines_total=report.lines_total + more.lines_total,
        branches_covered=report.branches_covered + more.branches_covered,
        branches_total=report.branches_total + more.branches_total,
    )


def _with_cases(report: TestReport, cases: tuple[Case, ...], redactor: Redactor) -> TestReport:
    verdicts = [case.verdict for case in cases]
    failures = [_failure(case, redactor) for case in cases if case.verdict is Verdict.FAILED]
    return replace(
        report,
        passed=report.passed + verdicts.count(Verdict.PASSED),
        failed=report.failed + len(failures),
        skipped=report.skipped + verdicts.count(Verdict.SKIPPED),
        seconds=report.seconds + sum(case.seconds for case in cases),
        failures=(*report.failures, *failures)[:MOST_FAILURES],
    )


def _failure(case: Case, redactor: Redactor) -> FailedCase:
    return FailedCase(_short(case.name, redactor), _short(case.message, redactor))


def _short(text: str, redactor: Redactor) -> str:
    # Half a secret is not known for one, and a whole one may be in colours. The text is cut before
    # it is cleaned too, since a message may have megabytes.
    begun = redactor.redacted(text.strip())[: 10 * LONGEST_TEXT]
    return shortened(redactor.redacted(clean(begun)), LONGEST_TEXT)
