"""A world without clocks and processes, in which decisions are tried one after the other."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from msgspec.structs import replace

from pipelinekit.engine.decide import decide
from pipelinekit.engine.draft import Decision
from pipelinekit.model.action import Action, ActionTypeId, Category, OutputArtifact, Owner
from pipelinekit.model.check import ConditionExecution, RuleExecution
from pipelinekit.model.command import Ask, Command, Halt, Run
from pipelinekit.model.condition import (
    Condition,
    ConditionType,
    FailureConditions,
    Result,
    RetryMode,
    Rule,
    RuleTypeId,
)
from pipelinekit.model.event import (
    Answered,
    Defined,
    Deleted,
    Event,
    Expired,
    OverrideRequested,
    Progressed,
    Pruned,
    Reported,
    RetryRequested,
    RollbackRequested,
    Started,
    StopRequested,
    TransitionChanged,
)
from pipelinekit.model.execution import (
    ActionExecution,
    Cause,
    PipelineExecution,
    StageExecution,
    StageState,
)
from pipelinekit.model.order import Failed, Order, Outcome, Revision, Succeeded, Waiting
from pipelinekit.model.pipeline import ExecutionMode, Pipeline, Stage
from pipelinekit.model.state import State
from pipelinekit.model.status import ApprovalStatus, TriggerType

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
CAUSE = Cause(TriggerType.START_PIPELINE_EXECUTION, "ann")


def step(name: str, category: Category = Category.TEST, **members: object) -> Action:
    """Make an action of a custom type that takes anything."""
    action = Action(name, ActionTypeId(category, Owner.CUSTOM, "Step"))
    return replace(action, **members)  # type: ignore[arg-type]


def approval(name: str) -> Action:
    """Make a manual approval."""
    return Action(name, ActionTypeId(Category.APPROVAL, Owner.AWS, "Manual"))


def fetch(name: str = "Fetch") -> Action:
    """Make a source action that writes an artifact and variables."""
    return step(name, Category.SOURCE, outputs=(OutputArtifact("Code"),), namespace="src")


def line(*stages: Stage, name: str = "shop") -> Pipeline:
    """Make a pipeline of a source stage and the stages that are given."""
    return Pipeline(name, (Stage("Source", fetch()), *stages))


def queued(*stages: Stage) -> Pipeline:
    """Make a pipeline in which executions queue."""
    return replace(line(*stages), mode=ExecutionMode.QUEUED)


def parallel(*stages: Stage) -> Pipeline:
    """Make a pipeline whose executions run side by side."""
    return replace(line(*stages), mode=ExecutionMode.PARALLEL)


def gate(*names: str, result: Result | None = None, **configuration: str) -> tuple[Condition, ...]:
    """Make the condition of a stage, of rules that answer when they are reported."""
    kind = RuleTypeId("VariableCheck")
    return (Condition(tuple(Rule(name, kind, configuration) for name in names), result),)


def on_failure(result: Result, mode: RetryMode | None = None) -> FailureConditions:
    """Make what a stage does when it has failed."""
    return FailureConditions(result, mode)


@dataclass
class World:
    """Events in, decisions kept: what is under way, what was told, the whole journal."""

    state: State = field(default_factory=State)
    events: list[Event] = field(default_factory=list)
    orders: dict[str, Order] = field(default_factory=dict)
    halted: list[str] = field(default_factory=list)
    asked: dict[str, Ask] = field(default_factory=dict)
    at: datetime = NOON
    pipeline: str = "shop"
    by: str = "ann"

    def happen(self, event: Event) -> Decision:
        decision = decide(self.state, event)
        if decision.deleted:
            self.state = State()
        self.state.apply(decision.rows)
        self.state.forget(decision.forgotten)
        self.events.append(event)
        for command in decision.commands:
            self._obey(command)
        return decision

    def _obey(self, command: Command) -> None:
        match command:
            case Run(order):
                self.orders[order.id] = order
            case Ask():
                self.asked[command.action_execution] = command
            case Halt():
                self.halted.append(command.action_execution)
                self.orders.pop(command.action_execution, None)

    @property
    def _common(self) -> dict[str, object]:
        self.at += timedelta(seconds=1)
        identity = str(UUID(int=len(self.events) + 1))
        return {"id": identity, "pipeline": self.pipeline, "at": self.at, "by": self.by}

    def define(self, pipeline: Pipeline, *, unless_same: bool = False) -> None:
        self.pipeline = pipeline.name
        self.happen(Defined(**self._common, definition=pipeline, unless_same=unless_same))

    def start(self, cause: Cause = CAUSE, **members: object) -> str:
        return self.happen(Started(**self._common, cause=cause, **members)).answer

    def started(self, pipeline: Pipeline, **members: object) -> str:
        self.define(pipeline)
        return self.start(**members)

    def row(self, execution: str, action: str) -> ActionExecution:
        rows = [
            row
            for row in self.state.all(ActionExecution)
            if row.execution == execution and row.action == action
        ]
        assert len(rows) == 1, f"{action} was begun {len(rows)} times"
        return rows[0]

    def begun(self, execution: str) -> set[str]:
        return {r.action for r in self.state.all(ActionExecution) if r.execution == execution}

    def under_way(self, execution: str) -> set[str]:
        return {order.action for order in self.orders.values() if order.execution == execution}

    def report(self, execution: str, action: str, outcome: Outcome) -> Decision:
        row = self.row(execution, action)
        order = self.orders[row.id]
        written = tuple(replace(each, digest="d", size=1) for each in order.outputs)
        decision = self.happen(
            Reported(
                **self._common,
                execution=execution,
                stage=row.stage,
                action=action,
                action_execution=row.id,
                outcome=outcome,
                artifacts=written if isinstance(outcome, Succeeded) else (),
            )
        )
        if not isinstance(outcome, Waiting):
            self.orders.pop(row.id, None)
        return decision

    def succeed(self, execution: str, *actions: str, **variables: str) -> None:
        for action in actions:
            self.report(execution, action, Succeeded(variables))

    def fetched(self, execution: str, commit: str = "c0ffee") -> None:
        revision = Revision(commit, "a commit")
        self.report(execution, "Fetch", Succeeded({"CommitId": commit}, revision=revision))

    def fail(self, execution: str, action: str, message: str = "no") -> None:
        self.report(execution, action, Failed(message))

    def expire(self, execution: str, action: str) -> None:
        row = self.row(execution, action)
        self.happen(
            Expired(
                **self._common,
                execution=execution,
                stage=row.stage,
                action=action,
                action_execution=row.id,
            )
        )

    def progress(self, execution: str, action: str, percent: int, attempt: str = "") -> None:
        row = self.row(execution, action)
        self.happen(
            Progressed(
                **self._common,
                execution=execution,
                stage=row.stage,
                action=action,
                action_execution=attempt or row.id,
                percent=percent,
                summary=f"at {percent}",
            )
        )

    def answer(
        self,
        execution: str,
        action: str,
        status: ApprovalStatus = ApprovalStatus.APPROVED,
        token: str | None = None,
        **members: object,
    ) -> Decision:
        row = self.row(execution, action)
        given = row.token if token is None else token
        return self.approve(execution, row.stage, action, given, status=status, **members)

    def approve(
        self,
        execution: str,
        stage: str,
        action: str,
        token: str | None,
        **members: object,
    ) -> Decision:
        asked = {"execution": execution, "stage": stage, "action": action, "token": token}
        said = {"status": ApprovalStatus.APPROVED, **members}
        return self.happen(Answered(**self._common, **asked, **said))

    def stop(self, execution: str, *, abandon: bool = False, reason: str = "") -> None:
        common = self._common
        self.happen(StopRequested(**common, execution=execution, abandon=abandon, reason=reason))

    def retry(
        self, execution: str, stage: str, mode: RetryMode = RetryMode.FAILED_ACTIONS
    ) -> Decision:
        return self.happen(
            RetryRequested(**self._common, execution=execution, stage=stage, mode=mode)
        )

    def execution(self, execution: str) -> PipelineExecution:
        row = self.state.get(PipelineExecution, (execution,))
        assert row is not None
        return row

    def status(self, execution: str) -> str:
        return self.execution(execution).status

    def stage(self, execution: str, stage: str) -> StageExecution:
        row = self.state.get(StageExecution, (execution, stage))
        assert row is not None, f"{execution} never entered {stage}"
        return row

    def lock(self, stage: str) -> StageState:
        return self.state.get(StageState, (stage,)) or StageState(self.pipeline, stage)

    def prune(self, *executions: str) -> str:
        return self.happen(Pruned(**self._common, executions=executions)).answer

    def delete(self) -> None:
        self.happen(Deleted(**self._common))

    def rollback(self, stage: str, target: str) -> str:
        return self.happen(RollbackRequested(**self._common, stage=stage, target=target)).answer

    def override(
        self, execution: str, stage: str, condition: ConditionType, reason: str = ""
    ) -> Decision:
        asked = {"execution": execution, "stage": stage, "condition": condition, "reason": reason}
        return self.happen(OverrideRequested(**self._common, **asked))

    def close(self, stage: str, reason: str = "closed", *, inbound: bool = True) -> None:
        asked = {"stage": stage, "inbound": inbound, "enabled": False, "reason": reason}
        self.happen(TransitionChanged(**self._common, **asked))

    def open(self, stage: str, *, inbound: bool = True) -> None:
        asked = {"stage": stage, "inbound": inbound, "enabled": True}
        self.happen(TransitionChanged(**self._common, **asked))

    def rule(self, execution: str, rule: str) -> RuleExecution:
        rows = [
            row
            for row in self.state.all(RuleExecution)
            if row.execution == execution and row.rule == rule
        ]
        assert len(rows) == 1, f"{rule} was begun {len(rows)} times"
        return rows[0]

    def check(self, execution: str, stage: str, place: ConditionType) -> ConditionExecution:
        row = self.state.get(ConditionExecution, (execution, stage, place))
        assert row is not None, f"{place} of {stage} was never checked"
        return row

    def told(self, execution: str, rule: str, outcome: Outcome) -> Decision:
        row = self.rule(execution, rule)
        decision = self.happen(
            Reported(
                **self._common,
                execution=execution,
                stage=row.stage,
                action=rule,
                action_execution=row.id,
                outcome=outcome,
                condition=row.condition,
            )
        )
        if not isinstance(outcome, Waiting):
            self.orders.pop(row.id, None)
        return decision

    def yes(self, execution: str, *rules: str) -> None:
        for rule in rules:
            self.told(execution, rule, Succeeded())

    def no(self, execution: str, *rules: str) -> None:
        for rule in rules:
            self.told(execution, rule, Failed("no"))
