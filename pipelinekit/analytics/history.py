"""The history of pipelines as pandas frames."""

from functools import cached_property

import pandas as pd

from pipelinekit.analytics.past import COLUMNS, Past


class History:
    """What happened, as six frames; times are UTC, durations seconds.

    What is under way has taken the time until the history was asked for. A frame is read when it
    is first asked for, and is the same from then on.

    Args:
        past: What is read.

    Attributes:
        executions: One row an execution, the newest first, with the columns of `EXECUTIONS`;
            `type` is STANDARD or ROLLBACK, which puts `stage` back to the execution `target`.
        stages: One row a stage that an execution entered, with the columns of `STAGES`.
        actions: One row an attempt of an action, with the columns of `ACTIONS`; `stale_answers`
            counts those that did not count, of engines that had lost the attempt to others.
        approvals: One row a request for approval, with the columns of `APPROVALS`; `decision` is
            Approved, Rejected, Expired, Abandoned, or Waiting.
        votes: One row an answer to such a request, with the columns of `VOTES`; `refused` says
            why it does not count, and is empty where it does.
        tests: One row a report group of a build, with the columns of `TESTS`: counts of tests, of
            lines and of branches; `seconds` that the tests took; `started`, when the action did;
            `failures`, the names of tests that failed, a line each.
    """

    def __init__(self, past: Past) -> None:
        self._past = past

    def __repr__(self) -> str:
        """Say what is there, as far as that has been read: looking at it costs nothing."""
        query = self._past.query
        of = f"pipeline {query.pipeline!r}" if query.pipeline else "all pipelines"
        since = f"since {query.since:%Y-%m-%d %H:%M} UTC, " if query.since else ""
        rows = ", ".join(
            f"{len(vars(self)[name])} {name}" if name in vars(self) else f"{name} not read yet"
            for name in COLUMNS
        )
        return f"History({of}, {since}{rows})"

    @cached_property
    def executions(self) -> pd.DataFrame:  # noqa: D102 - see the class
        return self._frame("executions")

    @cached_property
    def stages(self) -> pd.DataFrame:  # noqa: D102 - see the class
        return self._frame("stages")

    @cached_property
    def actions(self) -> pd.DataFrame:  # noqa: D102 - see the class
        return self._frame("actions")

    @cached_property
    def approvals(self) -> pd.DataFrame:  # noqa: D102 - see the class
        return self._frame("approvals")

    @cached_property
    def votes(self) -> pd.DataFrame:  # noqa: D102 - see the class
        return self._frame("votes")

    @cached_property
    def tests(self) -> pd.DataFrame:  # noqa: D102 - see the class
        return self._frame("tests")

    def _frame(self, kind: str) -> pd.DataFrame:
        columns = COLUMNS[kind]
        frame = pd.DataFrame(list(self._past.rows(kind)), columns=list(columns))
        return frame.astype(dict(columns))
