"""How a person overrides a condition of a stage. Source: codepipeline.md 3.12."""

from msgspec.structs import replace

from pipelinekit.engine.advance import is_outdated, pass_on, run_group
from pipelinekit.engine.conditions import PHASES, break_off, condition_of
from pipelinekit.engine.draft import Draft
from pipelinekit.engine.limits import refuse_too_many
from pipelinekit.engine.modes import lock
from pipelinekit.engine.retry import check_latest
from pipelinekit.engine.review import FREEZE
from pipelinekit.model.check import ConditionExecution, ConditionStatus
from pipelinekit.model.condition import ConditionType, Result
from pipelinekit.model.errors import ConditionNotOverridable, ValidationError
from pipelinekit.model.event import OverrideRequested
from pipelinekit.model.execution import PipelineExecution, StageExecution
from pipelinekit.model.pipeline import Stage
from pipelinekit.model.status import PipelineStatus, StageStatus

SUMMARY_LIMIT = 512

_OPEN = frozenset({ConditionStatus.IN_PROGRESS, ConditionStatus.FAILED})
_STATUSES = frozenset({PipelineStatus.IN_PROGRESS, PipelineStatus.FAILED})
_OVERRIDE = (
    "override an entry condition with the result FAIL or a condition of success, while it is "
    "checked or when it has just failed its stage"
)


def override(draft: Draft, event: OverrideRequested) -> None:
    """Let an execution go on as if the condition had succeeded."""
    execution = draft.execution(event.execution)
    stage = draft.stage(execution, event.stage)
    row = _overridable(draft, execution, stage, event.condition)
    _reasoned(stage, event)
    if execution.ended:
        refuse_too_many(draft, execution.mode, event.most)
        lock(draft, execution, stage.name)
    draft.answer = execution.id
    break_off(draft, row, stage, ConditionStatus.OVERRIDDEN, _told(event))
    draft.put(replace(execution, status=PipelineStatus.IN_PROGRESS, summary="", updated=draft.at))
    row = draft.stage_execution(execution.id, stage.name)
    if row.status is StageStatus.FAILED:
        row = replace(row, status=StageStatus.IN_PROGRESS, updated=draft.at)
        draft.put(row)
    if event.condition is ConditionType.BEFORE_ENTRY:
        run_group(draft, execution.id, stage, stage.groups[0])
    else:
        pass_on(draft, row, stage)


def _told(event: OverrideRequested) -> str:
    reason = " ".join(event.reason.split())
    return f"Overridden by {event.by}{f': {reason}' if reason else ''}"


def _reasoned(stage: Stage, event: OverrideRequested) -> None:
    condition = condition_of(stage, event.condition)
    rules = condition.rules if condition else ()
    names = [each.name for each in rules if each.type.provider == FREEZE]
    asked = f"condition {event.condition} of stage {stage.name} was to be overridden"
    if len(event.reason) > SUMMARY_LIMIT:
        raise ValidationError(
            f"{asked} with a reason of {len(event.reason)} characters, and {SUMMARY_LIMIT} is "
            f"the most; shorten it"
        )
    if names and not event.reason.strip():
        raise ValidationError(
            f"{asked} without a reason, and it has the freeze {', '.join(names)}; say why it "
            f"must not wait"
        )


def _overridable(
    draft: Draft, execution: PipelineExecution, stage: Stage, condition: ConditionType
) -> StageExecution:
    asked = (
        f"condition {condition} of stage {stage.name} was to be overridden for execution "
        f"{execution.id}, but "
    )
    row = draft.get(StageExecution, execution.id, stage.name)
    check = draft.get(ConditionExecution, execution.id, stage.name, condition)
    if row is None or check is None:
        raise ConditionNotOverridable(f"{asked}it was never checked for it; {_OVERRIDE}")
    check_latest(draft, execution, stage.name, asked)
    if condition is ConditionType.ON_FAILURE or check.result is Result.SKIP:
        raise ConditionNotOverridable(
            f"{asked}what it does when it fails is {check.result}; {_OVERRIDE}"
        )
    current = row.phase is PHASES[condition] and execution.stage == stage.name
    if not current or check.status not in _OPEN or execution.status not in _STATUSES:
        raise ConditionNotOverridable(
            f"{asked}the condition is {check.status} and the execution {execution.status}; "
            f"{_OVERRIDE}"
        )
    if is_outdated(draft, execution):
        raise ConditionNotOverridable(
            f"{asked}the pipeline's definition has changed since; start a new execution instead"
        )
    return row
