"""One execution, as a notebook holds it: look at it, wait for it, answer it."""

import time
from collections.abc import Callable, Mapping
from copy import deepcopy
from datetime import datetime
from pathlib import Path
from typing import Literal, Self, get_args

from pipelinekit.kit.control import Control
from pipelinekit.kit.dozing import dozing
from pipelinekit.kit.logs import of_tries, refuse_unknown
from pipelinekit.kit.registry import discover
from pipelinekit.kit.resume import resuming
from pipelinekit.kit.waits import (
    approvals,
    called,
    freezes,
    late,
    the_condition,
    the_failed,
    the_one,
)
from pipelinekit.model.check import ConditionExecution, RuleExecution
from pipelinekit.model.condition import RetryMode
from pipelinekit.model.errors import (
    ExecutionFailed,
    ExecutionNotFound,
    ValidationError,
)
from pipelinekit.model.event import (
    Answered,
    Event,
    OverrideRequested,
    RetryRequested,
    StopRequested,
)
from pipelinekit.model.execution import (
    ActionExecution,
    Definition,
    PipelineExecution,
    StageExecution,
    StageState,
)
from pipelinekit.model.pipeline import Pipeline
from pipelinekit.model.status import ApprovalStatus, PipelineStatus
from pipelinekit.ports.store import Query

LOOK_SECONDS = 0.1

Until = Literal["end", "approval"]


class Run:
    """One execution of a pipeline; whatever may change is read anew whenever it is asked.

    Attributes:
        pipeline: The pipeline's name.
        id: The execution's id.
    """

    def __init__(self, kit: Control, pipeline: str, execution: str) -> None:
        self._kit = kit
        self._definition: Pipeline | None = None
        self._succeeded: PipelineExecution | None = None
        self.pipeline = pipeline
        self.id = execution

    def __repr__(self) -> str:
        try:
            execution = self.execution
        except ExecutionNotFound:
            return f"Run({self.pipeline!r}, {self.id}, no longer kept)"
        return f"Run({self.pipeline!r}, {self.id}, {execution.status}, in {execution.stage})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Run) and other.id == self.id

    def __hash__(self) -> int:
        return hash(self.id)

    @property
    def execution(self) -> PipelineExecution:
        """Give the execution as it stands.

        Raises:
            ExecutionNotFound: It was removed: with its pipeline, or since it was old.
        """
        if self._succeeded is not None:
            return self._succeeded
        found = self._kit.store.find(PipelineExecution, Query(id=self.id))
        if not found:
            raise self._gone()
        execution = found[0]
        if execution.status is PipelineStatus.SUCCEEDED:  # which it stays
            self._succeeded = execution
        return execution

    def _gone(self) -> ExecutionNotFound:
        return ExecutionNotFound(
            f"execution {self.id} of pipeline {self.pipeline!r} was looked at, and it is no "
            f"longer kept: its pipeline was deleted, or it was old; start another one"
        )

    @property
    def status(self) -> PipelineStatus:
        """Give where it stands."""
        return self.execution.status

    @property
    def definition(self) -> Pipeline:
        """Give the definition that it runs by, which never changes; raises as `execution`."""
        if self._definition is None:
            own = Query(pipeline=self.pipeline, version=self.execution.version)
            found = self._kit.store.find(Definition, own)
            if not found:
                raise self._gone()
            self._definition = deepcopy(found[0].body)  # so that nobody changes what is stored
        return self._definition

    @property
    def stages(self) -> list[StageExecution]:
        """List the stages that it has entered, in order."""
        rows = self._kit.store.find(StageExecution, Query(execution=self.id))
        order = {stage.name: place for place, stage in enumerate(self.definition.stages)}
        return sorted(rows, key=lambda row: order.get(row.stage, len(order)))

    @property
    def attempts(self) -> list[ActionExecution]:
        """List every attempt of every action, in the order in which they began."""
        rows = self._kit.store.find(ActionExecution, Query(execution=self.id))
        declared = {
            (stage.name, action.name): place
            for stage in self.definition.stages
            for place, action in enumerate(stage.actions)
        }
        return sorted(
            rows, key=lambda row: (row.started, declared.get((row.stage, row.action), 0))
        )

    @property
    def actions(self) -> list[ActionExecution]:
        """List the latest attempt of each action that has begun."""
        latest: dict[tuple[str, ...], ActionExecution] = {}
        for row in self.attempts:
            latest[row.key] = max(latest.get(row.key, row), row, key=lambda each: each.attempt)
        return list(latest.values())

    @property
    def conditions(self) -> list[ConditionExecution]:
        """List the latest check of each condition, in the order in which they were checked."""
        rows = self._kit.store.find(ConditionExecution, Query(execution=self.id))
        return sorted(rows, key=lambda row: row.started)

    @property
    def rules(self) -> list[RuleExecution]:
        """List every attempt of every rule, in the order in which they began."""
        rows = self._kit.store.find(RuleExecution, Query(execution=self.id))
        declared = {
            (stage.name, rule.name): place
            for stage in self.definition.stages
            for place, rule in enumerate(stage.rules)
        }
        return sorted(rows, key=lambda row: (row.started, declared.get((row.stage, row.rule), 0)))

    @property
    def stage_states(self) -> list[StageState]:
        """List who is in each stage of its pipeline and who waits in front, in no order."""
        return list(self._kit.store.find(StageState, Query(pipeline=self.pipeline)))

    @property
    def under_way(self) -> list[PipelineExecution]:
        """List the executions of its pipeline that have not ended, the newest first."""
        query = Query(pipeline=self.pipeline, ended=False)
        return list(self._kit.store.find(PipelineExecution, query))

    def overdue(self, at: datetime) -> bool:
        """Tell whether something of its pipeline was to be dealt with by a time, UTC."""
        return any(order.pipeline == self.pipeline for order in self._kit.store.past.late(at))

    @property
    def tries(self) -> list[ActionExecution | RuleExecution]:
        """List every attempt of actions and rules, in the order in which they began."""
        return sorted([*self.rules, *self.attempts], key=lambda row: row.started)

    @property
    def waiting(self) -> list[ActionExecution]:
        """List the approvals that wait for an answer."""
        return approvals(self.actions)

    @property
    def frozen(self) -> list[ActionExecution | RuleExecution]:
        """List the freezes whose end it waits for."""
        return [*freezes(self.rules), *freezes(self.actions)]

    def other(self, execution: str) -> "Run":
        """Give another execution of its pipeline, by the whole id."""
        return Run(self._kit, self.pipeline, execution)

    def engine_alive(self) -> bool:
        """Tell whether some engine is at work."""
        return self._kit.engine_alive()

    def wait(self, until: Until = "end", timeout: float | None = None) -> Self:
        """Wait until the execution has ended.

        Args:
            until: `end`, or `approval` to come back also when it waits for a person, or a freeze.
            timeout: Seconds; for ever when None.

        Raises:
            TimeoutError: The time is over; the execution goes on.
            EngineClosed: This kit's engine is no longer at work, and no other is.
            ValidationError: `until` is neither.
        """
        if until not in get_args(Until):
            raise ValidationError(
                f"a run was to be waited for until {until!r}; write one of "
                f"{', '.join(get_args(Until))}"
            )
        limit = None if timeout is None else time.monotonic() + timeout
        with dozing(self._kit, self) as doze:
            while not self._reached(until):
                left = LOOK_SECONDS if limit is None else limit - time.monotonic()
                if left <= 0:
                    asked = f"{called(self)} was waited for until {until}"
                    raise TimeoutError(late(asked, timeout, self.actions, discover()))
                doze(min(left, LOOK_SECONDS))
        return self

    def raise_for_status(self) -> Self:
        """Raise unless the execution has succeeded.

        Raises:
            ExecutionFailed: It ended otherwise, or has not ended.
        """
        execution = self.execution
        if execution.status is not PipelineStatus.SUCCEEDED:
            raise ExecutionFailed(
                f"execution {self.id} of {self.pipeline} was to succeed and is "
                f"{execution.status} in stage {execution.stage}. {execution.summary}".rstrip()
            )
        return self

    def approve(
        self,
        comment: str = "",
        action: str | None = None,
        *,
        inputs: Mapping[str, str] | None = None,
    ) -> Self:
        """Approve what waits for an answer; see `reject`.

        Args:
            comment: Up to 512 characters, kept with the answer.
            action: The name of the approval, where several wait.
            inputs: Values for what a review asks to be filled in.

        Raises:
            NotEntitled: It is not this person's to approve, or not so; the try is recorded.
        """
        return self._answer(ApprovalStatus.APPROVED, comment, action, inputs)

    def reject(self, comment: str = "", action: str | None = None) -> Self:
        """Reject what waits for an answer.

        Args:
            comment: Up to 512 characters, kept with the answer.
            action: The name of the approval, where several wait.

        Raises:
            ActionNotFound: Nothing waits for an answer, or several approvals do.
        """
        return self._answer(ApprovalStatus.REJECTED, comment, action)

    def stop(self, reason: str = "", *, abandon: bool = False) -> Self:
        """Stop the execution.

        Args:
            reason: Up to 200 characters, kept in the history.
            abandon: Whether to end its actions at once instead of waiting for them.

        Raises:
            NotStoppable: It has ended.
            DuplicatedStop: It is stopping already.
        """
        return self._ask(StopRequested, abandon=abandon, reason=reason)

    def retry(self, stage: str | None = None, *, all_actions: bool = False) -> Self:
        """Run the failed actions of a stage again, in this same execution.

        Args:
            stage: The stage that failed or was stopped; found by itself when None.
            all_actions: Whether to run the whole stage again.

        Raises:
            StageNotRetryable: Nothing failed, or the pipeline's definition has changed.
            NotLatestExecution: Another execution has entered the stage since.
        """
        mode = RetryMode.ALL_ACTIONS if all_actions else RetryMode.FAILED_ACTIONS
        return self._ask(RetryRequested, stage=stage or the_failed(self, "retried"), mode=mode)

    def resume(self) -> Self:
        """Run the failed actions again, and notebooks from the cell that failed.

        A notebook goes on in the kernel that was kept for it. Where that is gone, a fresh one
        first executes its cells tagged `checkpoint`, and those that the rest needs.

        Raises:
            StageNotRetryable: No notebook failed, or what it left is gone; or as of `retry`.
        """
        stage = the_failed(self, "resumed")
        failed = [row.action for row in self.actions if row.stage == stage and row.error]
        with resuming(self._kit.home, self.id, stage, failed):
            return self.retry(stage)

    def override(
        self,
        stage: str | None = None,
        condition: str | None = None,
        *,
        action: str | None = None,
        reason: str = "",
    ) -> Self:
        """Let the execution go on whatever a freeze, or a condition of a stage, says.

        Args:
            stage: The stage; the one that the execution is in when None.
            condition: BEFORE_ENTRY or ON_SUCCESS; the one that was checked last when None.
            action: Instead of both, the freeze of an environment by name; the only one whose end
                is waited for when None.
            reason: Why, up to 512 characters, kept in the history; a freeze is not overridden
                without one.

        Raises:
            ActionNotFound: There is no such freeze, or several are waited for.
            ConditionNotOverridable: No check of it is under way or has failed the stage.
            NotEntitled: It is a freeze, and a reason is wanted.
            NotLatestExecution: Another execution has entered the stage since.
            ValidationError: There is no such condition, or a reason is wanted.
        """
        gates = [row for row in freezes(self.actions) if stage in {None, row.stage}]
        if action is not None or (gates and condition is None):
            row = the_one(gates, action, f"a freeze of {called(self)} was to be overridden")
            return self._answered(row, ApprovalStatus.APPROVED, reason)
        name = stage or self.execution.stage
        place = the_condition([row for row in self.conditions if row.stage == name], condition)
        return self._ask(OverrideRequested, stage=name, condition=place, reason=reason)

    def log_file(self, action: ActionExecution | RuleExecution) -> Path:
        """Give the file of an attempt's log; it may not be there yet."""
        return self._kit.home.jobs / action.id / "log"

    def logs(self, action: str | None = None) -> str:
        """Give the logs of its actions and rules, or of one by name, with a heading for each.

        Of a log of more than 1 MiB the end is given, after a line that names its file; see
        `log_file` for the whole of it.

        Raises:
            ActionNotFound: Its pipeline has no action or rule of that name.
        """
        if action is not None:
            refuse_unknown(self.definition, action)
        tries = [row for row in self.tries if action in {None, row.action}]
        return "\n".join(of_tries(tries, self.log_file))

    def _reached(self, until: Until) -> bool:
        return self.execution.ended or (until == "approval" and bool(self.waiting or self.frozen))

    def _answer(
        self,
        status: ApprovalStatus,
        comment: str,
        action: str | None,
        inputs: Mapping[str, str] | None = None,
    ) -> Self:
        row = the_one(self.waiting, action, f"an approval of {called(self)} was to be answered")
        return self._answered(row, status, comment, inputs)

    def _answered(
        self,
        row: ActionExecution,
        status: ApprovalStatus,
        comment: str,
        inputs: Mapping[str, str] | None = None,
    ) -> Self:
        return self._ask(
            Answered,
            stage=row.stage,
            action=row.action,
            token=row.token or "",
            status=status,
            summary=comment,
            inputs=inputs or {},
        )

    def _ask(self, wish: Callable[..., Event], **members: object) -> Self:
        self._kit.ask(wish, self.pipeline, execution=self.id, **members)
        return self
