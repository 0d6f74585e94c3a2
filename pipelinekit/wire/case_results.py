"""Reads which tests passed, failed or were left out, from the six formats that tell it."""

from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from typing import Final
from xml.etree.ElementTree import Element

from pipelinekit.model.noun import Noun
from pipelinekit.model.testreport import ReportFormat
from pipelinekit.tools.documents.places import JSON
from pipelinekit.wire.report_text import ReportError, number, read_json, read_xml

NANOSECONDS: Final = 1e9
MILLISECONDS: Final = 1e3


class Verdict(StrEnum):
    """What became of a test."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


class Case(Noun):
    """One test.

    Attributes:
        name: Its full name, with the class or the feature that it belongs to.
        seconds: How long it took.
        message: Why it failed.
    """

    name: str
    verdict: Verdict
    seconds: float = 0.0
    message: str = ""


_PASSED: Final = frozenset({"success", "passed", "warning", "pass", "passedbutrunaborted"})
_FAILED: Final = frozenset(
    {"failure", "failed", "fail", "error", "timeout", "aborted", "cancelled"}
)


def read_cases(kind: ReportFormat, content: bytes) -> tuple[Case, ...]:
    """Read the tests of a report file.

    Args:
        kind: One of the formats in `CASES`.
        content: The whole file.

    Raises:
        ReportError: The file cannot be read, or is of another format.
    """
    return tuple(CASES[kind](content))


def _junit(content: bytes) -> Iterator[Case]:
    for element in read_xml(content, "testsuites", "testsuite").iter("testcase"):
        verdict = Verdict.SKIPPED if element.get("status") == "notrun" else Verdict.PASSED
        message = ""
        for child in element:
            if child.tag in {"failure", "error"}:
                verdict = Verdict.FAILED
                message = message or child.get("message") or child.text or ""
            elif child.tag == "skipped" and verdict is Verdict.PASSED:
                verdict = Verdict.SKIPPED
        yield Case(
            _joined(element.get("classname"), element.get("name")),
            verdict,
            number(element.get("time")),
            message,
        )


def _nunit(content: bytes) -> Iterator[Case]:
    for element in read_xml(content, "test-results").iter("test-case"):
        # Before version 2.5 there were two flags where the result is now.
        old = "success" if element.get("success") == "True" else "failure"
        told = element.get("result", old if element.get("executed") == "True" else "skipped")
        yield Case(
            element.get("name", ""),
            _verdict(told),
            number(element.get("time")),
            element.findtext("failure/message", ""),
        )


def _nunit3(content: bytes) -> Iterator[Case]:
    for element in read_xml(content, "test-run").iter("test-case"):
        yield Case(
            element.get("fullname", element.get("name", "")),
            _verdict(element.get("result")),
            number(element.get("duration")),
            element.findtext("failure/message", ""),
        )


def _testng(content: bytes) -> Iterator[Case]:
    for group in read_xml(content, "testng-results").iter("class"):
        for element in group.iter("test-method"):
            if element.get("is-config") != "true":
                yield Case(
                    _joined(group.get("name"), element.get("name")),
                    _verdict(element.get("status")),
                    number(element.get("duration-ms")) / MILLISECONDS,
                    element.findtext("exception/message", "")
                    or element.findtext("exception/full-stacktrace", ""),
                )


def _trx(content: bytes) -> Iterator[Case]:
    root = read_xml(content, "TestRun")
    classes = {test.get("id"): _class(test) for test in root.iter("UnitTest")}
    for element in root.iter("UnitTestResult"):
        # The result of a test that was run with many data only sums up those within it.
        if element.find("InnerResults/UnitTestResult") is None:
            yield Case(
                _joined(classes.get(element.get("testId")), element.get("testName")),
                _verdict(element.get("outcome")),
                _clocked(element.get("duration", "")),
                element.findtext("Output/ErrorInfo/Message", ""),
            )


def _class(test: Element) -> str:
    method = test.find("TestMethod")
    # Older files name the assembly too, after a comma.
    return "" if method is None else method.get("className", "").partition(",")[0]


def _clocked(duration: str) -> float:
    hours, _, rest = duration.partition(":")
    minutes, _, seconds = rest.partition(":")
    return 3600 * number(hours) + 60 * number(minutes) + number(seconds)


# Steps that are undefined or pending fail a run of Cucumber too.
_STEP_FAILED: Final = frozenset({"failed", "ambiguous", "undefined", "pending"})


def _cucumber(content: bytes) -> Iterator[Case]:
    features = read_json(content)
    if not isinstance(features, list) or len(_objects(features)) != len(features):
        raise ReportError("it is no list of features, as a report of Cucumber is")
    for feature in _objects(features):
        before: list[dict[str, JSON]] = []
        for element in _objects(feature.get("elements")):
            results = [*before, *_results(element)]
            # A background stands before each scenario for which it was run.
            before = results if element.get("type") == "background" else []
            if element.get("type") != "background":
                yield _scenario(f"{feature.get('name')}: {element.get('name')}", results)


def _results(element: dict[str, JSON]) -> Iterator[dict[str, JSON]]:
    for part in ("before", "steps", "after"):
        for step in _objects(element.get(part)):
            yield from _objects([step.get("result")])


def _scenario(name: str, results: list[dict[str, JSON]]) -> Case:
    statuses = [str(result.get("status")) for result in results]
    seconds = sum(number(str(result.get("duration"))) for result in results) / NANOSECONDS
    for result, status in zip(results, statuses, strict=True):
        if status in _STEP_FAILED:
            message = result.get("error_message") or f"a step is {status}"
            return Case(name, Verdict.FAILED, seconds, str(message))
    verdict = Verdict.PASSED if set(statuses) == {"passed"} else Verdict.SKIPPED
    return Case(name, verdict, seconds)


def _objects(value: JSON) -> list[dict[str, JSON]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _verdict(word: str | None) -> Verdict:
    told = (word or "").lower()
    if told in _PASSED:
        return Verdict.PASSED
    return Verdict.FAILED if told in _FAILED else Verdict.SKIPPED


def _joined(group: str | None, name: str | None) -> str:
    if not group or (name or "").startswith(group):
        return name or ""
    return f"{group}.{name}" if name else group


CASES: Final[Mapping[ReportFormat, Callable[[bytes], Iterator[Case]]]] = {
    ReportFormat.JUNIT_XML: _junit,
    ReportFormat.NUNIT_XML: _nunit,
    ReportFormat.NUNIT3_XML: _nunit3,
    ReportFormat.TESTNG_XML: _testng,
    ReportFormat.CUCUMBER_JSON: _cucumber,
    ReportFormat.VISUAL_STUDIO_TRX: _trx,
}
"""How the tests of each format are read; the other formats tell coverage."""
