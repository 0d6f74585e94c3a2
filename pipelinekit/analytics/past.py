"""What happened, as rows of plain values: tables and frames are made of them."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from itertools import starmap
from operator import index
from typing import Final

from pipelinekit.engine.review import asks
from pipelinekit.model.errors import ValidationError
from pipelinekit.model.execution import ActionExecution, PipelineExecution, StageExecution, Vote
from pipelinekit.model.status import ActionStatus, PipelineStatus
from pipelinekit.model.testreport import TestReport
from pipelinekit.ports.store import Query, Store

EXECUTIONS = {
    "pipeline": "string",
    "execution": "string",
    "number": "int64",
    "version": "int64",
    "status": "string",
    "trigger": "string",
    "by": "string",
    "revision": "string",
    "started": "datetime64[us, UTC]",
    "updated": "datetime64[us, UTC]",
    "seconds": "float64",
    "attempts": "int64",
    "summary": "string",
    "type": "string",
    "stage": "string",
    "target": "string",
}
STAGES = {
    "pipeline": "string",
    "execution": "string",
    "stage": "string",
    "status": "string",
    "started": "datetime64[us, UTC]",
    "updated": "datetime64[us, UTC]",
    "seconds": "float64",
    "retries": "int64",
    "auto_retries": "int64",
}
ACTIONS = {
    "pipeline": "string",
    "execution": "string",
    "stage": "string",
    "action": "string",
    "type": "string",
    "attempt": "int64",
    "status": "string",
    "started": "datetime64[us, UTC]",
    "updated": "datetime64[us, UTC]",
    "seconds": "float64",
    "place": "string",
    "error": "string",
    "summary": "string",
    "action_execution": "string",
    "stale_answers": "int64",
}
APPROVALS = {
    "pipeline": "string",
    "execution": "string",
    "stage": "string",
    "action": "string",
    "decision": "string",
    "by": "string",
    "comment": "string",
    "asked": "datetime64[us, UTC]",
    "answered": "datetime64[us, UTC]",
    "seconds": "float64",
}
VOTES = {
    "pipeline": "string",
    "execution": "string",
    "stage": "string",
    "action": "string",
    "vote": "string",
    "by": "string",
    "comment": "string",
    "refused": "string",
    "at": "datetime64[us, UTC]",
}
TESTS = {
    "pipeline": "string",
    "execution": "string",
    "stage": "string",
    "action": "string",
    "attempt": "int64",
    "group": "string",
    "format": "string",
    "passed": "int64",
    "failed": "int64",
    "skipped": "int64",
    "seconds": "float64",
    "lines_covered": "int64",
    "lines_total": "int64",
    "branches_covered": "int64",
    "branches_total": "int64",
    "started": "datetime64[us, UTC]",
    "failures": "string",
    "action_execution": "string",
}
COLUMNS: Final[Mapping[str, Mapping[str, str]]] = {
    "executions": EXECUTIONS,
    "stages": STAGES,
    "actions": ACTIONS,
    "approvals": APPROVALS,
    "votes": VOTES,
    "tests": TESTS,
}
"""The columns of each kind of rows, with the types that they have in a frame."""


UNDER_WAY = frozenset({PipelineStatus.IN_PROGRESS, PipelineStatus.STOPPING})
"""These words also stand where a stage or an action has not ended."""


class Past:
    """Reads what happened; times are UTC, durations seconds.

    What is under way has taken the time until the past was asked for.

    Attributes:
        query: Which rows of the store are meant.
    """

    def __init__(self, store: Store, query: Query, present: datetime) -> None:
        self.query = query
        self._store = store
        self._present = present

    @staticmethod
    def of(
        store: Store,
        pipeline: str | None,
        days: float,
        present: datetime,
        limit: int | None = None,
    ) -> "Past":
        """Take the past of a pipeline, or of all of them.

        Args:
            store: Where it is kept; it has to be open when rows are asked for.
            pipeline: A name; all pipelines when None.
            days: How far back, by the start of each execution, stage and action.
            present: The end of that time, UTC.
            limit: The most rows of each kind that are read, the newest; of actions those are
                the attempts among which the approvals and the tests are found.

        Raises:
            ValidationError: The days or the limit are less than nothing, or no number.
        """
        most = None if limit is None else _whole(limit)
        since = _since(present, days)
        return Past(store, Query(pipeline=pipeline, since=since, limit=most), present)

    def rows(self, kind: str) -> Iterator[Sequence[object]]:
        """Give the rows of a kind, the newest first, with the values of its columns.

        Args:
            kind: One of `COLUMNS`.
        """
        match kind:
            case "executions":
                found = self._store.find(PipelineExecution, self.query)
                return (_execution(row, self._took(row)) for row in found)
            case "stages":
                stages = self._store.find(StageExecution, self.query)
                return (_stage(row, self._took(row)) for row in stages)
            case "actions":
                return (_action(row, self._took(row)) for row in self._attempts)
            case "approvals":
                asked = (row for row in self._attempts if asks(row.type) and row.token)
                return (_approval(row, self._took(row)) for row in asked)
            case "votes":
                votes = ((row, each) for row in self._attempts for each in row.votes)
                return starmap(_vote, votes)
            case _:
                reports = ((row, each) for row in self._attempts for each in row.reports)
                return starmap(_test, reports)

    @cached_property
    def _attempts(self) -> Sequence[ActionExecution]:
        return self._store.find(ActionExecution, self.query)

    def _took(self, row: PipelineExecution | StageExecution | ActionExecution) -> float:
        end = self._present if row.status in UNDER_WAY else row.updated
        return max(0.0, (end - row.started).total_seconds())


def _whole(limit: int) -> int:
    try:
        most = index(limit)  # of whatever kind: numbers of a frame are numpy's
    except TypeError:
        most = -1
    if most < 0:
        raise ValidationError(
            f"at most {limit!r} rows of the history were asked for; give a whole number from 0 on"
        )
    return min(most, sys.maxsize)


def _since(present: datetime, days: float) -> datetime | None:
    if not days >= 0:  # as nothing is of what is no number
        raise ValidationError(
            f"the history of the last {days:g} days was asked for; give a number from 0 on"
        )
    try:
        return present - timedelta(days=float(days))
    except OverflowError:  # before the calendar begins: all there is
        return None


def _execution(row: PipelineExecution, seconds: float) -> Sequence[object]:
    revisions = sorted(row.revisions.items())
    return (
        row.pipeline,
        row.id,
        row.number,
        row.version,
        str(row.status),
        str(row.cause.type),
        row.cause.detail,
        ", ".join(revision.id for _, revision in revisions),
        row.started,
        row.updated,
        seconds,
        row.attempts,
        row.summary,
        str(row.type),
        row.stage,
        row.target,
    )


def _stage(row: StageExecution, seconds: float) -> Sequence[object]:
    return (
        row.pipeline,
        row.execution,
        row.stage,
        str(row.status),
        row.started,
        row.updated,
        seconds,
        row.retries,
        row.auto_retries,
    )


def _action(row: ActionExecution, seconds: float) -> Sequence[object]:
    return (
        row.pipeline,
        row.execution,
        row.stage,
        row.action,
        str(row.type),
        row.attempt,
        str(row.status),
        row.started,
        row.updated,
        seconds,
        row.place,
        f"{row.error.code}: {row.error.message}" if row.error else "",
        row.summary,
        row.id,
        row.refused,
    )


def _approval(row: ActionExecution, seconds: float) -> Sequence[object]:
    return (
        row.pipeline,
        row.execution,
        row.stage,
        row.action,
        _decision(row),
        row.by,
        row.summary if row.by else "",
        row.started,
        row.updated if row.by else None,
        seconds,
    )


def _vote(row: ActionExecution, vote: Vote) -> Sequence[object]:
    return (
        row.pipeline,
        row.execution,
        row.stage,
        row.action,
        str(vote.status),
        vote.by,
        vote.summary,
        vote.refused,
        vote.at,
    )


def _test(row: ActionExecution, report: TestReport) -> Sequence[object]:
    return (
        row.pipeline,
        row.execution,
        row.stage,
        row.action,
        row.attempt,
        report.group,
        report.format,
        report.passed,
        report.failed,
        report.skipped,
        report.seconds,
        report.lines_covered,
        report.lines_total,
        report.branches_covered,
        report.branches_total,
        row.started,
        "\n".join(case.name for case in report.failures),
        row.id,
    )


def _decision(row: ActionExecution) -> str:
    match row.status:
        case ActionStatus.IN_PROGRESS:
            return "Waiting"
        case ActionStatus.SUCCEEDED:
            return "Approved"
        case ActionStatus.ABANDONED:
            return "Abandoned"
        case ActionStatus.FAILED:
            return "Rejected" if row.by else "Expired"
