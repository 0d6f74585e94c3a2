"""How one action is begun: its variables put in, its artifacts found, its order written.

Source: codepipeline.md 5.3 (variables), 6 (artifacts), 3.16 (time limits).
"""

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID, uuid5

from msgspec.structs import replace

from pipelinekit.engine.catalog import time_limit
from pipelinekit.engine.draft import Draft
from pipelinekit.engine.inputs import (
    Lookup,
    artifacts,
    lookup,
    problem,
    put_in,
    put_in_shell,
)
from pipelinekit.model.action import Action, Category, EnvironmentVariable
from pipelinekit.model.command import Run
from pipelinekit.model.execution import (
    ActionExecution,
    Artifact,
    ErrorDetails,
    OutputVariables,
    PipelineExecution,
    Produced,
)
from pipelinekit.model.order import FailureType, Order
from pipelinekit.model.pipeline import LOCAL_BUCKET
from pipelinekit.model.status import ActionStatus

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def begin(draft: Draft, execution: PipelineExecution, stage: str, action: Action) -> bool:
    """Begin an action; tell whether it is under way, or has failed before it could start."""
    find = lookup(draft, execution)
    resolved, missing = put_in(action.configuration, find)
    environment, absent = _environment(action, find)
    commands, values, unset = put_in_shell(action.commands, find)
    row = _row(draft, execution, stage, action, resolved)
    trouble = problem(action.inputs, row.inputs, resolved, (*missing, *absent, *unset))
    if trouble is None:
        draft.put(row)
        shell = (*values, *environment)
        order = _order(execution, action, row, shell, commands)
        bucket = draft.definition(execution.version).bucket(action.region)
        outputs = tuple(replace(output, bucket=bucket) for output in order.outputs)
        draft.command(Run(replace(order, outputs=outputs)))
        return True
    error = ErrorDetails(FailureType.CONFIGURATION_ERROR, trouble)
    draft.put(replace(row, status=ActionStatus.FAILED, error=error))
    summary = f"Action {action.name} could not start: {trouble}"
    draft.put(replace(draft.execution(execution.id), summary=summary, updated=draft.at))
    return False


def _row(
    draft: Draft,
    execution: PipelineExecution,
    stage: str,
    action: Action,
    resolved: Mapping[str, str],
) -> ActionExecution:
    before = draft.get(ActionExecution, execution.id, stage, action.name)
    attempt = before.attempt + 1 if before else 1
    identity = draft.derive(execution.id, stage, action.name, str(attempt))
    if before is not None:
        forget(draft, execution, action)
    return ActionExecution(
        id=identity,
        pipeline=execution.pipeline,
        execution=execution.id,
        stage=stage,
        action=action.name,
        type=action.type,
        version=execution.version,
        started=draft.at,
        updated=draft.at,
        attempt=attempt,
        deadline=draft.at + action_limit(action, execution.limits),
        token=draft.derive(identity) if action.type.category is Category.APPROVAL else None,
        resolved=resolved,
        inputs=artifacts(draft, execution, action.inputs),
    )


def action_limit(action: Action, limits: Mapping[str, float]) -> timedelta:
    """Tell how long an action may take.

    Args:
        action: The action.
        limits: How many seconds actions of a custom type may take, by the type as text.
    """
    if action.timeout_minutes:
        return timedelta(minutes=action.timeout_minutes)
    own = limits.get(str(action.type))
    return time_limit(action.type) if own is None else timedelta(seconds=own)


def forget(draft: Draft, execution: PipelineExecution, action: Action) -> None:
    """Let nobody take what an earlier attempt of an action wrote for what it writes now."""
    for output in action.outputs:
        if draft.get(Produced, execution.id, output.name) is not None:
            nothing = Artifact(output.name, LOCAL_BUCKET, "")
            draft.put(Produced(execution.pipeline, execution.id, nothing))
    if action.namespace and draft.get(OutputVariables, execution.id, action.namespace):
        draft.put(OutputVariables(execution.pipeline, execution.id, action.namespace, {}))


def _order(
    execution: PipelineExecution,
    action: Action,
    row: ActionExecution,
    environment: tuple[EnvironmentVariable, ...],
    commands: tuple[str, ...],
) -> Order:
    revision = execution.revisions.get(action.name)
    return Order(
        id=row.id,
        pipeline=row.pipeline,
        execution=row.execution,
        stage=row.stage,
        action=row.action,
        type=row.type,
        configuration=row.resolved,
        inputs=row.inputs,
        outputs=tuple(
            Artifact(output.name, LOCAL_BUCKET, _object_key(row, output.name))
            for output in action.outputs
        ),
        revision=revision.id if revision else None,
        object_key=execution.object_keys.get(action.name),
        number=execution.number,
        deadline=row.deadline,
        exported=action.output_variables,
        files={output.name: output.files for output in action.outputs if output.files},
        environment=environment,
        commands=commands,
    )


def _object_key(row: ActionExecution, artifact: str) -> str:
    number = uuid5(UUID(row.id), artifact).int
    letters = ""
    for _ in range(7):
        number, digit = divmod(number, len(_DIGITS))
        letters += _DIGITS[digit]
    return f"{row.pipeline[:20]}/{artifact[:10]}/{letters}"


def _environment(
    action: Action, find: Lookup
) -> tuple[tuple[EnvironmentVariable, ...], tuple[str, ...]]:
    if not action.environment:
        return (), ()
    values, missing = put_in({each.name: each.value for each in action.environment}, find)
    return tuple(replace(each, value=values[each.name]) for each in action.environment), missing
