"""Reads how much of the code was run, from the four formats that tell it."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final
from xml.etree.ElementTree import Element

from pipelinekit.model.noun import Noun
from pipelinekit.model.testreport import ReportFormat
from pipelinekit.tools.documents.places import JSON
from pipelinekit.wire.report_text import ReportError, number, read_json, read_xml

_OF: Final = re.compile(r"\((\d{1,9})/(\d{1,9})\)")


class Coverage(Noun):
    """How many lines and branches were run, and how many there are."""

    lines_covered: int = 0
    lines_total: int = 0
    branches_covered: int = 0
    branches_total: int = 0


def read_coverage(kind: ReportFormat, content: bytes) -> Coverage:
    """Read the coverage of a report file.

    Args:
        kind: One of the formats in `COVERAGE`.
        content: The whole file.

    Raises:
        ReportError: The file cannot be read, or is of another format.
    """
    return COVERAGE[kind](content)


def _clover(content: bytes) -> Coverage:
    root = read_xml(content, "coverage")
    # What Cobertura calls by the same name has no project within.
    found = root.findall("project/metrics") or root.findall("project//file/metrics")
    if root.find("project") is None:
        raise ReportError("it has no <project>, as a report of Clover has")
    return Coverage(
        _sum(found, "coveredstatements"),
        _sum(found, "statements"),
        _sum(found, "coveredconditionals"),
        _sum(found, "conditionals"),
    )


def _cobertura(content: bytes) -> Coverage:
    root = read_xml(content, "coverage")
    if root.find("project") is not None:
        raise ReportError("it is a report of Clover; write file-format: CLOVERXML")
    if "lines-valid" not in root.keys():  # noqa: SIM118 - an element is no mapping
        return _counted(root)
    return Coverage(
        _sum([root], "lines-covered"),
        _sum([root], "lines-valid"),
        _sum([root], "branches-covered"),
        _sum([root], "branches-valid"),
    )


def _counted(root: Element) -> Coverage:
    lines: dict[tuple[str, str], bool] = {}
    branches: dict[tuple[str, str], tuple[int, int]] = {}
    for group in root.iter("class"):
        for line in group.findall("lines/line"):
            place = (group.get("filename", ""), line.get("number", ""))
            lines[place] = lines.get(place, False) or number(line.get("hits")) > 0
            if part := _OF.search(line.get("condition-coverage", "")):
                taken = (int(part[1]), int(part[2]))
                branches[place] = max(branches.get(place, taken), taken)
    return Coverage(
        sum(lines.values()),
        len(lines),
        sum(taken for taken, _ in branches.values()),
        sum(there for _, there in branches.values()),
    )


def _jacoco(content: bytes) -> Coverage:
    counters = {each.get("type"): each for each in read_xml(content, "report").findall("counter")}
    covered = {kind: _sum([each], "covered") for kind, each in counters.items()}
    missed = {kind: _sum([each], "missed") for kind, each in counters.items()}
    return Coverage(
        covered.get("LINE", 0),
        covered.get("LINE", 0) + missed.get("LINE", 0),
        covered.get("BRANCH", 0),
        covered.get("BRANCH", 0) + missed.get("BRANCH", 0),
    )


def _simplecov(content: bytes) -> Coverage:
    lines: dict[tuple[str, int], bool] = {}
    branches: dict[tuple[str, str], bool] = {}
    for path, file in _files(read_json(content)):
        # Without branches a file is the list of its lines alone.
        hits = file.get("lines") if isinstance(file, dict) else file
        for place, count in enumerate(hits if isinstance(hits, list) else ()):
            if isinstance(count, int):  # null and "ignored" stand for lines that cannot be run
                key = (path, place)
                lines[key] = lines.get(key, False) or count > 0
        taken = file.get("branches") if isinstance(file, dict) else None
        for name, count in _branches(taken):
            branch = (path, name)
            branches[branch] = branches.get(branch, False) or count > 0
    return Coverage(sum(lines.values()), len(lines), sum(branches.values()), len(branches))


def _files(report: JSON) -> Iterator[tuple[str, JSON]]:
    # One report (coverage.json), or one for each command that ran tests (.resultset.json).
    members = report if isinstance(report, dict) else {}
    runs: Iterable[JSON] = [members] if "coverage" in members else members.values()
    found = [run.get("coverage") if isinstance(run, dict) else None for run in runs]
    if not found or not all(isinstance(files, dict) for files in found):
        raise ReportError("it has no files under `coverage`, as a report of SimpleCov has")
    for files in found:
        yield from files.items() if isinstance(files, dict) else ()


def _branches(taken: JSON) -> Iterator[tuple[str, int]]:
    if isinstance(taken, list):
        for place, branch in enumerate(taken):
            count = branch.get("coverage") if isinstance(branch, dict) else None
            if isinstance(count, int):
                yield str(place), count
    elif isinstance(taken, dict):
        for condition, arms in taken.items():
            for arm, count in arms.items() if isinstance(arms, dict) else ():
                if isinstance(count, int):
                    yield f"{condition} {arm}", count


def _sum(elements: Iterable[Element], attribute: str) -> int:
    return sum(int(number(element.get(attribute))) for element in elements)


COVERAGE: Final[Mapping[ReportFormat, Callable[[bytes], Coverage]]] = {
    ReportFormat.CLOVER_XML: _clover,
    ReportFormat.COBERTURA_XML: _cobertura,
    ReportFormat.JACOCO_XML: _jacoco,
    ReportFormat.SIMPLECOV: _simplecov,
}
"""How the coverage of each format is read; the other formats tell tests."""
