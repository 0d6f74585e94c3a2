"""How a definition comes to be, and what its change does to executions under way.

Source: codepipeline.md 2.11 (versions) and 3.13 (changing the pipeline while it runs).
"""

from msgspec.structs import replace

from pipelinekit.engine.advance import let_in
from pipelinekit.engine.draft import Draft
from pipelinekit.engine.modes import inside, withdraw
from pipelinekit.engine.stop import asks, give_up
from pipelinekit.engine.tags import give_tags
from pipelinekit.model.check import ConditionStatus
from pipelinekit.model.errors import PipelineNameInUse
from pipelinekit.model.event import Defined
from pipelinekit.model.execution import Definition, PipelineExecution, PipelineRecord, Transition
from pipelinekit.model.pipeline import ExecutionMode, Pipeline
from pipelinekit.model.status import PipelineStatus


def define(draft: Draft, event: Defined) -> None:
    """Create the pipeline, or give it a new version and cancel what runs on the one before."""
    before = draft.get(PipelineRecord, event.pipeline)
    _refuse_unexpected(draft, event, before)
    if before is not None and event.unless_same and _is_current(draft, before, event):
        draft.answer = str(before.version)
        return
    version = before.version + 1 if before else 1
    record = (
        replace(before, version=version, updated=draft.at)
        if before
        else PipelineRecord(event.pipeline, version, draft.at, draft.at)
    )
    draft.put(record)
    body = replace(event.definition, version=version)
    draft.put(Definition(event.pipeline, version, body, draft.at, event.by))
    draft.answer = str(version)
    live = [each for each in draft.live() if each.mode is not ExecutionMode.PARALLEL]
    holding = [execution for execution in live if inside(draft, execution)]
    for execution in live:
        if execution not in holding:
            _cancel_waiting(draft, execution)
    for execution in holding:
        _cancel_inside(draft, execution)
    if before is not None:
        _drop_switches(draft, draft.definition(before.version), body)
    if event.tags:
        give_tags(draft, event.pipeline, event.tags)


def _refuse_unexpected(draft: Draft, event: Defined, before: PipelineRecord | None) -> None:
    if event.there is False and before is not None:
        raise name_in_use(event.pipeline)
    if event.there:
        draft.record()


def name_in_use(name: str) -> PipelineNameInUse:
    """Give the error that a pipeline was to be created where one of that name is there."""
    return PipelineNameInUse(
        f"pipeline {name!r} was to be created, and there is one of that name; choose another "
        f"name, or update it"
    )


def _drop_switches(draft: Draft, old: Pipeline, new: Pipeline) -> None:
    """Let no execution wait for a switch that went with its stage and that nobody can turn."""
    for name in sorted({each.name for each in old.stages} - {each.name for each in new.stages}):
        state = draft.stage_state(name)
        fresh = replace(state, inbound=Transition(), outbound=Transition())
        if fresh != state:
            draft.put(fresh)
    for execution in draft.live():
        if not inside(draft, execution):
            let_in(draft, execution.stage)


def _is_current(draft: Draft, record: PipelineRecord, event: Defined) -> bool:
    known = draft.definition(record.version)
    return replace(event.definition, version=known.version) == known


def _cancel_waiting(draft: Draft, execution: PipelineExecution) -> None:
    withdraw(draft, execution)
    cancelled = PipelineStatus.CANCELLED
    draft.put(replace(_told(draft, execution), status=cancelled))


def _cancel_inside(draft: Draft, execution: PipelineExecution) -> None:
    told = _told(draft, execution)
    draft.put(told)
    give_up(draft, told, ConditionStatus.CANCELLED, given_up=asks)


def _told(draft: Draft, execution: PipelineExecution) -> PipelineExecution:
    summary = "Cancelled because the pipeline's definition changed"
    return replace(execution, summary=summary, updated=draft.at)
