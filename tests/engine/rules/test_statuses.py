"""Which statuses there are, and how they follow each other. Source: codepipeline.md 4."""

from collections.abc import Callable

import pytest

from pipelinekit.engine import tables
from pipelinekit.engine.tables import Status, legal
from pipelinekit.model.check import ConditionStatus
from pipelinekit.model.condition import ConditionType, Result
from pipelinekit.model.execution import StageExecution
from pipelinekit.model.pipeline import Stage
from pipelinekit.model.status import ActionStatus, ApprovalStatus, PipelineStatus, StageStatus
from pipelinekit.wire.eventbridge import STATES
from tests.engine.world import World, gate, line, step

GUARDED = Stage(
    "Live",
    step("live"),
    before_entry=gate("r", result=Result.FAIL),
    on_success=gate("s", result=Result.FAIL),
)


def live() -> tuple[World, str]:
    """Bring an execution to the actions of a guarded stage."""
    world = World()
    run = world.started(line(GUARDED))
    world.fetched(run)
    world.yes(run, "r")
    return world, run


def test_an_execution_has_the_statuses_of_the_api() -> None:
    """4: a pipeline execution is one of seven."""
    assert set(PipelineStatus) == {
        "Cancelled",
        "InProgress",
        "Stopped",
        "Stopping",
        "Succeeded",
        "Superseded",
        "Failed",
    }


def test_a_stage_has_the_statuses_of_the_api() -> None:
    """4: a stage execution is one of seven, Skipped and Cancelled among them."""
    assert set(StageStatus) == {
        "Cancelled",
        "InProgress",
        "Failed",
        "Stopped",
        "Stopping",
        "Succeeded",
        "Skipped",
    }


def test_an_action_and_a_rule_have_the_statuses_of_the_api() -> None:
    """4: an action execution, and a rule execution, is one of four."""
    assert set(ActionStatus) == {"InProgress", "Abandoned", "Succeeded", "Failed"}


def test_an_approval_is_approved_or_rejected() -> None:
    """4, 10: the results of an approval are capitalised."""
    assert set(ApprovalStatus) == {"Approved", "Rejected"}


def test_the_api_says_cancelled_and_events_say_canceled() -> None:
    """4, C23: two l in the API, one l in events."""
    assert (PipelineStatus.CANCELLED, STATES["Cancelled"]) == ("Cancelled", "CANCELED")


@pytest.mark.parametrize(
    ("kind", "table"),
    [
        (PipelineStatus, tables.PIPELINE),
        (StageStatus, tables.STAGE),
        (ActionStatus, tables.ACTION),
        (ConditionStatus, tables.CONDITION),
    ],
)
def test_only_the_changes_of_the_tables_are_legal(kind: type, table: object) -> None:
    """4: what is not in a table never happens; IllegalMove would tell."""
    found = {
        (before, after)
        for before in kind
        for after in kind
        if before is not after and legal(before, after)
    }
    assert found == {(before, after) for before in table for after in table[before]}


@pytest.mark.parametrize(
    "final",
    [
        PipelineStatus.SUCCEEDED,
        PipelineStatus.SUPERSEDED,
        PipelineStatus.CANCELLED,
        StageStatus.SUCCEEDED,
        StageStatus.CANCELLED,
        StageStatus.SKIPPED,
        ActionStatus.SUCCEEDED,
        ActionStatus.FAILED,
        ActionStatus.ABANDONED,
        ConditionStatus.SUCCEEDED,
        ConditionStatus.OVERRIDDEN,
    ],
)
def test_some_statuses_are_final(final: Status) -> None:
    """4: Succeeded, Superseded and Cancelled are final, and what an action ended as."""
    assert not [after for after in type(final) if after is not final and legal(final, after)]


def test_failed_and_stopped_are_left_only_by_going_on() -> None:
    """4: a failed execution may be retried or overridden, a stopped one retried."""
    for kind, table in ((PipelineStatus, tables.PIPELINE), (StageStatus, tables.STAGE)):
        assert list(table[kind.FAILED]) == list(table[kind.STOPPED]) == [kind.IN_PROGRESS]


def test_a_stage_that_was_never_entered_has_no_execution() -> None:
    """4: a stage never entered has no latestExecution."""
    world = World()
    run = world.started(line(GUARDED))
    assert world.state.get(StageExecution, (run, "Live")) is None


def test_an_action_that_was_not_reached_has_no_execution() -> None:
    """4: an action not reached was not begun, rather than skipped or pending."""
    world = World()
    run = world.started(line(GUARDED))
    world.fetched(run)
    world.no(run, "r")
    assert world.begun(run) == {"Fetch"}


def test_a_retried_action_is_a_new_execution_and_the_old_one_stays_as_it_ended() -> None:
    """4: an action execution never changes again; a retry makes a new one."""
    world, run = live()
    world.fail(run, "live")
    old = world.row(run, "live")
    decision = world.retry(run, "Live")
    assert old.id not in {move.id for move in decision.moves}
    assert world.row(run, "live").status == "InProgress"


def _stop(world: World, run: str) -> None:
    world.stop(run)
    world.succeed(run, "live")


def _succeed(world: World, run: str) -> None:
    world.succeed(run, "live")
    world.yes(run, "s")


def _fail_after(world: World, run: str) -> None:
    world.succeed(run, "live")
    world.no(run, "s")


def _update(world: World, run: str) -> None:
    world.define(line(GUARDED))
    world.succeed(run, "live")


@pytest.mark.parametrize(
    ("cause", "execution", "stage"),
    [
        (_succeed, "Succeeded", "Succeeded"),
        (lambda world, run: world.fail(run, "live"), "Failed", "Failed"),
        (_fail_after, "Failed", "Failed"),
        (_stop, "Stopped", "Stopped"),
        (lambda world, run: world.stop(run, abandon=True), "Stopped", "Stopped"),
        (_update, "Cancelled", "Cancelled"),
    ],
    ids=["success", "failure", "condition", "stop", "abandon", "update"],
)
def test_an_execution_and_its_stage_end_alike(
    cause: Callable[[World, str], None], execution: str, stage: str
) -> None:
    """4: each cause leads to its status, of the execution and of the stage."""
    world, run = live()
    cause(world, run)
    assert (world.status(run), world.stage(run, "Live").status) == (execution, stage)


def test_an_overridden_execution_is_told_as_resumed() -> None:
    """4: an override of onSuccess with FAIL takes a failed execution up again (CHOICE)."""
    world, run = live()
    _fail_after(world, run)
    moves = world.override(run, "Live", ConditionType.ON_SUCCESS).moves
    assert ("", "InProgress", True) in {(m.stage, m.status, m.resumed) for m in moves}
