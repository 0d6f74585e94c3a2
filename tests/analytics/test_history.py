"""The history is told in frames; that of builds has what their tests came to, a row a report."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pipelinekit as pk
from pipelinekit.analytics import COLUMNS, History, Past
from pipelinekit.analytics.past import TESTS
from pipelinekit.model.errors import ValidationError
from pipelinekit.model.status import ActionStatus, StageStatus
from pipelinekit.model.testreport import FailedCase, ReportFormat, TestReport
from tests.bench.nothing import source
from tests.build import pipeline
from tests.widgets.runs import START, Book, attempted, entered, execution

UNIT = TestReport(
    "unit", ReportFormat.JUNIT_XML, 41, 2, 3, 3.5, (FailedCase("a", "no"), FailedCase("b"))
)
LINES = TestReport("lines", ReportFormat.CLOVER_XML, lines_covered=7, lines_total=10)
SOURCE = source("Fetch")
GUIDE = Path(__file__).parents[2] / "notebooks" / "06-history-and-metrics.ipynb"


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    """Give a store, closed in the end."""
    book = Book(tmp_path)
    yield book
    book.store.close()


def history(book: Book) -> History:
    return History(Past.of(book.store, "shop", 365 * 100, datetime.now(UTC)))


def test_each_report_of_a_build_is_a_row_with_counts_and_seconds(book: Book) -> None:
    shop = pipeline()
    built = attempted(shop, "Build", "Make", status=ActionStatus.FAILED, reports=(UNIT, LINES))
    book.run(shop, execution(shop), attempted(shop, "Source", "Fetch"), built)
    frame = history(book).tests
    unit, lines = frame.to_dict("records")
    assert list(frame.columns) == list(TESTS)
    assert (unit["stage"], unit["action"], unit["attempt"]) == ("Build", "Make", 1)
    assert (unit["group"], unit["format"], unit["failures"]) == ("unit", "JUNITXML", "a\nb")
    assert (unit["passed"], unit["failed"], unit["skipped"], unit["seconds"]) == (41, 2, 3, 3.5)
    assert (lines["lines_covered"], lines["lines_total"], lines["passed"]) == (7, 10, 0)
    assert unit["started"] == START


@pytest.mark.parametrize("days", [999_999, 1e300, float("inf")])
def test_a_history_of_more_days_than_the_calendar_has_is_all_there_is(
    book: Book, days: float
) -> None:
    shop = pipeline()
    book.run(shop, execution(shop), attempted(shop, "Source", "Fetch"))
    all_there_is = History(Past.of(book.store, None, days, datetime.now(UTC)))
    assert len(all_there_is.executions) == len(all_there_is.actions) == 1
    assert "since" not in repr(all_there_is)


@pytest.mark.parametrize("days", [-1, float("nan")])
def test_a_history_of_no_number_of_days_is_refused(book: Book, days: float) -> None:
    with pytest.raises(ValidationError, match="give a number from 0 on"):
        Past.of(book.store, None, days, datetime.now(UTC))


def test_a_history_without_reports_has_the_same_columns(book: Book) -> None:
    shop = pipeline()
    book.run(shop, execution(shop), attempted(shop, "Build", "Make"))
    frame = history(book).tests
    assert frame.empty
    assert {name: str(kind) for name, kind in frame.dtypes.items()} == TESTS


def test_a_history_says_of_what_it_is_and_what_of_it_was_read(book: Book) -> None:
    shop = pipeline()
    book.run(shop, execution(shop), attempted(shop, "Source", "Fetch"))
    past = history(book)
    assert repr(past).startswith("History(pipeline 'shop', since 19")
    assert "executions not read yet" in repr(past)
    assert len(past.executions) == 1
    assert ", 1 executions, stages not read yet, " in repr(past)
    assert "all pipelines" in repr(History(Past.of(book.store, None, 1, START)))


def test_the_guide_names_every_frame() -> None:
    frames = {
        name
        for name, each in vars(History).items()
        if isinstance(each, cached_property) and not name.startswith("_")
    }
    assert set(COLUMNS) == frames
    told = GUIDE.read_text(encoding="utf-8")
    assert {name for name in frames if f"`{name}`" not in told} == set()
    assert "There are six:" in told


def test_what_is_under_way_has_taken_the_time_until_now(book: Book) -> None:
    shop = pipeline()
    rows = (
        execution(shop),
        entered(shop, "Source", StageStatus.SUCCEEDED),
        entered(shop, "Build", StageStatus.IN_PROGRESS),
        attempted(shop, "Source", "Fetch", status=ActionStatus.SUCCEEDED),
        attempted(shop, "Build", "Make", status=ActionStatus.IN_PROGRESS),
    )
    book.run(shop, *rows)
    present = START + timedelta(hours=1)
    seen = History(Past.of(book.store, "shop", 1, present))
    assert list(seen.executions.seconds) == [3600.0]
    assert dict(zip(seen.stages.stage, seen.stages.seconds, strict=True)) == {
        "Source": 95.0,
        "Build": 3600.0,
    }
    assert dict(zip(seen.actions.action, seen.actions.seconds, strict=True)) == {
        "Fetch": 41.3,
        "Make": 3600.0,
    }


@pytest.mark.parametrize("limit", [1, np.int64(1), 10**30])
def test_a_limit_may_be_a_number_of_a_frame(book: Book, limit: int) -> None:
    shop = pipeline()
    book.run(shop, execution(shop), attempted(shop, "Source", "Fetch"))
    past = Past.of(book.store, "shop", np.int64(36_500), START, limit)
    assert len(History(past).actions) == 1


@pytest.mark.parametrize("limit", [-1, 1.5, "two"])
def test_a_limit_that_is_no_whole_number_is_refused(book: Book, limit: Any) -> None:
    with pytest.raises(ValidationError, match="give a whole number from 0 on"):
        Past.of(book.store, None, 1, START, limit)


def test_the_words_of_a_frame_are_plain_text(book: Book) -> None:
    shop = pipeline()
    book.run(shop, execution(shop), attempted(shop, "Source", "Fetch"))
    (row,) = history(book).executions.to_dict("records")
    assert {type(row[name]) for name in ("status", "trigger", "type")} == {str}


def test_an_approval_that_failed_before_anybody_was_asked_is_no_request(book: Book) -> None:
    shop = pk.Pipeline("shop") >> pk.Stage("Source", SOURCE) >> pk.Stage("Gate", pk.approval("ok"))
    failed = attempted(shop, "Gate", "ok", status=ActionStatus.FAILED)
    book.run(shop, execution(shop), attempted(shop, "Source", "Fetch"), failed)
    assert history(book).approvals.empty
    assert len(history(book).actions) == 2
