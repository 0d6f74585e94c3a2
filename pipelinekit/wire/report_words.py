"""How test reports are put into words, the same in logs, on terminals and in drawings."""

from collections.abc import Iterator, Sequence

from pipelinekit.model.testreport import FailedCase, TestReport
from pipelinekit.wire.words import duration, one_line

MOST_NAMED = 10


def told(report: TestReport) -> str:
    """Say what a report group came to: `41 passed, 1 failed in 3.2 s; lines 87 % of 1,204`."""
    time = f" in {duration(report.seconds)}" if _tests([report]) else ""
    parts = (f"{_cases([report])}{time}", _lines([report]), _branches([report]))
    return "; ".join(filter(None, parts)) or "no tests and no lines"


def totals(reports: Sequence[TestReport]) -> str:
    """Sum up all reports of a build in a few words; empty where there are none."""
    return "; ".join(filter(None, (_cases(reports), _lines(reports))))


def failed_names(reports: Sequence[TestReport]) -> Iterator[str]:
    """List the names of failed tests in a line each, and say how many more there are."""
    failures: list[FailedCase] = [case for report in reports for case in report.failures]
    yield from (one_line(case.name) for case in failures[:MOST_NAMED])
    rest = sum(report.failed for report in reports) - len(failures[:MOST_NAMED])
    if failures and rest > 0:
        yield f"and {rest:,} more"


def _tests(reports: Sequence[TestReport]) -> int:
    return sum(each.passed + each.failed + each.skipped for each in reports)


def _cases(reports: Sequence[TestReport]) -> str:
    if not _tests(reports):
        return ""
    failed = sum(each.failed for each in reports)
    skipped = sum(each.skipped for each in reports)
    parts = (
        f"{sum(each.passed for each in reports):,} passed",
        f"{failed:,} failed" if failed else "",
        f"{skipped:,} skipped" if skipped else "",
    )
    return ", ".join(filter(None, parts))


def _lines(reports: Sequence[TestReport]) -> str:
    covered = sum(each.lines_covered for each in reports)
    return _share("lines", covered, sum(each.lines_total for each in reports))


def _branches(reports: Sequence[TestReport]) -> str:
    covered = sum(each.branches_covered for each in reports)
    return _share("branches", covered, sum(each.branches_total for each in reports))


def _share(what: str, covered: int, total: int) -> str:
    # Rounded down, since 100 % is to mean all of them.
    return f"{what} {100 * covered // total} % of {total:,}" if total else ""
