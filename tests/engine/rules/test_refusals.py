"""What is refused in which state: with its code, in three parts, and without a change."""

import re
from collections.abc import Callable

import pytest

from pipelinekit.engine.decide import replay
from pipelinekit.model.condition import ConditionType, Result, RetryMode
from pipelinekit.model.errors import PipelineKitError
from pipelinekit.model.execution import ActionExecution
from pipelinekit.model.pipeline import Stage
from tests.engine.world import World, approval, gate, line, step

SHOP = line(
    Stage("Build", step("make"), before_entry=gate("r", result=Result.FAIL)),
    Stage("Gate", approval("ok")),
)
FOREIGN = "11111111-0000-0000-0000-000000000000"
PARTS = re.compile(
    r".+\b(was|were)\b.+(, but |, which | and ).+; "
    r"(choose|define|give|leave|list|name|override|read|retry|shorten|start|wait|write)\b.+",
    re.DOTALL,
)
"""What was asked, what was found, what to do."""

State = tuple[World, str]


def checking() -> State:
    """Let the entry condition of the build be checked."""
    world = World()
    run = world.started(SHOP)
    world.fetched(run)
    return world, run


def waiting() -> State:
    """Let a second execution wait in front of the build."""
    world, _ = checking()
    run = world.start()
    world.fetched(run)
    return world, run


def running() -> State:
    """Let the build run."""
    world, run = checking()
    world.yes(run, "r")
    return world, run


def pending() -> State:
    """Let an approval wait for its answer."""
    world, run = running()
    world.succeed(run, "make")
    return world, run


def unchecked() -> State:
    """Let the entry condition have failed the build."""
    world, run = checking()
    world.no(run, "r")
    return world, run


def failed() -> State:
    """Let the build have failed."""
    world, run = running()
    world.fail(run, "make")
    return world, run


def stopping() -> State:
    """Let a stop wait for the build."""
    world, run = running()
    world.stop(run)
    return world, run


def stopped() -> State:
    """Let the build have been abandoned."""
    world, run = running()
    world.stop(run, abandon=True)
    return world, run


def succeeded() -> State:
    """Let the execution have succeeded."""
    world, run = pending()
    world.answer(run, "ok")
    return world, run


def superseded() -> State:
    """Let a third execution have superseded the second one."""
    world, run = waiting()
    world.fetched(world.start())
    return world, run


def cancelled() -> State:
    """Let an update have cancelled the execution."""
    world, run = running()
    world.define(SHOP)
    world.succeed(run, "make")
    return world, run


def foreign() -> State:
    """Mean an execution of another pipeline."""
    world, _ = running()
    return world, FOREIGN


def deleted() -> State:
    """Let the pipeline have been deleted."""
    world, run = running()
    world.delete()
    return world, run


def answer(world: World, run: str) -> None:
    """Approve, with the token of the request if there is one."""
    row = world.state.get(ActionExecution, (run, "Gate", "ok"))
    world.approve(run, "Gate", "ok", row.token if row else "none")


VERBS: dict[str, Callable[[World, str], object]] = {
    "stop": lambda world, run: world.stop(run),
    "abandon": lambda world, run: world.stop(run, abandon=True),
    "retry": lambda world, run: world.retry(run, "Build"),
    "retry all": lambda world, run: world.retry(run, "Build", RetryMode.ALL_ACTIONS),
    "roll back": lambda world, run: world.rollback("Build", run),
    "override": lambda world, run: world.override(run, "Build", ConditionType.BEFORE_ENTRY),
    "answer": answer,
    "close": lambda world, _: world.close("Build"),
    "open": lambda world, _: world.open("Build"),
    "close badly": lambda world, _: world.close("Build", "a/b"),
    "start badly": lambda world, _: world.start(variables={"x": "y"}),
    "start oddly": lambda world, _: world.start(revisions={"make": "c0ffee"}),
    "start again": lambda world, _: world.start(token="a b"),
}
GOES, SHAPE = "", "ValidationException"
OVER, TWICE = "PipelineExecutionNotStoppableException", "DuplicatedStopRequestException"
RETRY, LATEST = "StageNotRetryableException", "NotLatestPipelineExecutionException"
BACK, OLD = "UnableToRollbackStageException", "PipelineExecutionOutdatedException"
RIDE, TOKEN = "ConditionNotOverridableException", "InvalidApprovalTokenException"
DONE, ABSENT = "ApprovalAlreadyCompletedException", "PipelineExecutionNotFoundException"
GONE = "PipelineNotFoundException"
ALIKE = (GOES, GOES, SHAPE, SHAPE, SHAPE, SHAPE)
"""Closing, opening and bad requests, of which no state of an execution changes anything."""

CODES: dict[Callable[[], State], tuple[str, ...]] = {
    # stop, abandon, retry, retry all, roll back, override, answer, and what is alike
    waiting: (GOES, GOES, RETRY, RETRY, BACK, RIDE, TOKEN, *ALIKE),
    checking: (GOES, GOES, RETRY, RETRY, BACK, GOES, TOKEN, *ALIKE),
    running: (GOES, GOES, RETRY, RETRY, BACK, RIDE, TOKEN, *ALIKE),
    pending: (GOES, GOES, RETRY, RETRY, GOES, RIDE, GOES, *ALIKE),
    unchecked: (OVER, OVER, GOES, GOES, BACK, GOES, TOKEN, *ALIKE),
    failed: (OVER, OVER, GOES, GOES, BACK, RIDE, TOKEN, *ALIKE),
    stopping: (TWICE, GOES, RETRY, RETRY, BACK, RIDE, TOKEN, *ALIKE),
    stopped: (OVER, OVER, GOES, GOES, BACK, RIDE, TOKEN, *ALIKE),
    succeeded: (OVER, OVER, RETRY, RETRY, GOES, RIDE, DONE, *ALIKE),
    superseded: (OVER, OVER, RETRY, RETRY, BACK, RIDE, TOKEN, *ALIKE),
    cancelled: (OVER, OVER, RETRY, RETRY, OLD, RIDE, TOKEN, *ALIKE),
    foreign: (ABSENT, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT, TOKEN, *ALIKE),
    deleted: (GONE, GONE, GONE, GONE, GONE, GONE, GONE, GONE, GONE, GONE, GONE, GONE, SHAPE),
}
CASES = [
    pytest.param(state, VERBS[verb], code, id=f"{state.__name__}-{verb}")
    for state, codes in CODES.items()
    for verb, code in zip(VERBS, codes, strict=True)
]


@pytest.mark.parametrize(("state", "verb", "code"), CASES)
def test_in_every_state_each_verb_is_carried_out_or_refused_with_its_code(
    state: Callable[[], State], verb: Callable[[World, str], object], code: str
) -> None:
    """4, 3.8, 3.9, 3.11, 3.12, 10: what is refused has its code and changes nothing."""
    world, run = state()
    before = replay(world.events)
    if code == GOES:
        verb(world, run)
        return
    with pytest.raises(PipelineKitError) as refused:
        verb(world, run)
    assert refused.value.code == code
    assert PARTS.fullmatch(str(refused.value)), str(refused.value)
    assert world.state == before


OVERTAKEN: dict[str, Callable[[World, str], object]] = {
    "retry": VERBS["retry"],
    "retry all": VERBS["retry all"],
    "override": VERBS["override"],
}


@pytest.mark.parametrize("verb", OVERTAKEN)
@pytest.mark.parametrize("state", [unchecked, failed, stopped])
def test_an_execution_that_another_one_followed_into_the_stage_is_not_the_latest(
    state: Callable[[], State], verb: str
) -> None:
    """3.4, 3.9.1, 3.12, C2: what was overtaken in its stage is neither retried nor overridden."""
    world, run = state()
    world.fetched(world.start())
    before = replay(world.events)
    with pytest.raises(PipelineKitError) as refused:
        OVERTAKEN[verb](world, run)
    assert (refused.value.code, world.state) == (LATEST, before)
    assert PARTS.fullmatch(str(refused.value)), str(refused.value)


@pytest.mark.parametrize(
    ("verb", "code"),
    [
        (lambda world, run: world.retry(run, "Nowhere"), "StageNotFoundException"),
        (lambda world, run: world.rollback("Nowhere", run), "StageNotFoundException"),
        (
            lambda world, run: world.override(run, "Nowhere", ConditionType.BEFORE_ENTRY),
            "StageNotFoundException",
        ),
        (lambda world, _: world.close("Nowhere"), "StageNotFoundException"),
        (lambda world, run: world.approve(run, "Nowhere", "ok", "t"), "StageNotFoundException"),
        (lambda world, run: world.approve(run, "Gate", "no", "t"), "ActionNotFoundException"),
        (lambda world, run: world.approve(run, "Build", "make", "t"), "ActionNotFoundException"),
        (lambda world, run: world.stop(run, reason="x" * 201), SHAPE),
        (lambda world, run: world.answer(run, "ok", summary="x" * 513), SHAPE),
        (lambda world, run: world.answer(run, "ok", token="none"), TOKEN),
        (lambda world, run: world.rollback("Source", run), BACK),
        (
            lambda world, run: world.override(run, "Build", ConditionType.ON_SUCCESS),
            RIDE,
        ),
    ],
)
def test_names_and_shapes_are_looked_at_in_every_request(
    verb: Callable[[World, str], object], code: str
) -> None:
    """10, 3.8, 3.9, 3.11, 3.12: unknown names and values out of shape are refused."""
    world, run = pending()
    before = replay(world.events)
    with pytest.raises(PipelineKitError) as refused:
        verb(world, run)
    assert (refused.value.code, world.state) == (code, before)
    assert PARTS.fullmatch(str(refused.value)), str(refused.value)
