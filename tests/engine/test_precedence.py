"""Actions that start after others of their own group."""

from random import Random

import pytest
from msgspec.structs import replace

from pipelinekit.engine.decide import replay
from pipelinekit.engine.precedence import predecessors
from pipelinekit.engine.validate import faults
from pipelinekit.model.action import Action, ActionTypeId, Category, Owner
from pipelinekit.model.actiontype import ActionType
from pipelinekit.model.condition import RetryMode
from pipelinekit.model.errors import NotEntitled
from pipelinekit.model.execution import ActionExecution
from pipelinekit.model.pipeline import Pipeline, Stage
from pipelinekit.model.status import ApprovalStatus
from tests.engine.world import World, approval, line, parallel, step


def after(name: str, *others: str) -> Action:
    return step(name, configuration={"StartAfter": ", ".join(others)})


def freeze(name: str) -> Action:
    return Action(name, ActionTypeId(Category.APPROVAL, Owner.CUSTOM, "Freeze"))


WAVE = Stage("Wave", approval("ok"), after("eu", "ok"), step("us"))
NEXT = Stage("Next", step("live"))


def entered(*stages: Stage) -> tuple[World, str]:
    world = World()
    run = world.started(line(*stages))
    world.fetched(run)
    return world, run


def test_an_approval_holds_up_only_what_starts_after_it() -> None:
    world, run = entered(WAVE, NEXT)
    assert world.under_way(run) == {"ok", "us"}
    world.succeed(run, "us")
    assert world.under_way(run) == {"ok"}
    world.answer(run, "ok")
    assert "eu" in world.under_way(run)
    assert "live" not in world.begun(run)
    world.succeed(run, "eu")
    assert "live" in world.under_way(run)


def test_a_chain_goes_on_link_by_link() -> None:
    chain = (step("a"), after("b", "a"), after("c", "b", "a"))
    world, run = entered(Stage("Chain", *chain))
    for name in "abc":
        assert world.under_way(run) == {name}
        world.succeed(run, name)
    assert world.status(run) == "Succeeded"


def test_a_rejected_approval_starts_nothing_and_fails_the_stage() -> None:
    world, run = entered(WAVE, NEXT)
    world.answer(run, "ok", ApprovalStatus.REJECTED, summary="no")
    assert world.status(run) == "InProgress"
    world.succeed(run, "us")
    assert world.status(run) == "Failed"
    assert world.begun(run) == {"Fetch", "ok", "us"}


def test_an_approval_is_called_off_when_what_comes_after_it_will_not_start() -> None:
    world, run = entered(WAVE, NEXT)
    world.fail(run, "us")
    assert world.status(run) == "Failed"
    row = world.row(run, "ok")
    assert (row.status, row.id in world.halted) == ("Abandoned", True)
    assert row.summary.startswith("nothing waits for it any more")


def test_an_approval_that_nothing_names_is_waited_for_in_spite_of_a_failure() -> None:
    world, run = entered(Stage("Wave", approval("ok"), step("us")))
    world.fail(run, "us")
    assert (world.status(run), world.row(run, "ok").status) == ("InProgress", "InProgress")


def test_a_retry_asks_again_for_what_was_called_off() -> None:
    world, run = entered(WAVE, NEXT)
    world.fail(run, "us")
    world.retry(run, "Wave")
    assert world.under_way(run) == {"ok", "us"}
    world.succeed(run, "us")
    world.answer(run, "ok")
    world.succeed(run, "eu")
    assert "live" in world.under_way(run)


def test_what_was_approved_stays_so_when_what_came_after_it_is_retried() -> None:
    world, run = entered(WAVE, NEXT)
    world.answer(run, "ok")
    world.succeed(run, "us")
    world.fail(run, "eu")
    world.retry(run, "Wave")
    assert world.under_way(run) == {"eu"}


def test_a_retry_of_all_actions_waits_for_the_new_attempts() -> None:
    world, run = entered(WAVE, NEXT)
    world.answer(run, "ok")
    world.succeed(run, "us")
    world.fail(run, "eu")
    world.retry(run, "Wave", RetryMode.ALL_ACTIONS)
    assert world.under_way(run) == {"ok", "us"}


def test_a_stage_that_was_stopped_between_two_links_goes_on_at_the_second() -> None:
    world, run = entered(Stage("Chain", step("a"), after("b", "a")))
    world.stop(run)
    world.succeed(run, "a")
    assert (world.status(run), world.begun(run)) == ("Stopped", {"Fetch", "a"})
    world.retry(run, "Chain")
    assert world.under_way(run) == {"b"}


def test_what_waits_takes_no_place_of_those_that_run_side_by_side() -> None:
    late = after("late", "ok")
    many = tuple(step(f"s{number}") for number in range(4))
    world = World()
    run = world.started(parallel(Stage("Wave", late, approval("ok"), *many)))
    world.fetched(run)
    assert world.under_way(run) == {"ok", "s0", "s1", "s2", "s3"}


def test_a_freeze_is_overridden_by_whoever_says_why() -> None:
    world, run = entered(Stage("Wave", freeze("calm"), after("eu", "calm")))
    decision = world.answer(run, "calm", summary="  ")
    assert isinstance(decision.refusal, NotEntitled)
    assert "say why it must not wait" in str(decision.refusal)
    assert world.under_way(run) == {"calm"}
    world.answer(run, "calm", summary="a hotfix")
    assert (world.row(run, "calm").by, world.under_way(run)) == ("ann", {"eu"})


def test_a_retry_looks_at_the_freeze_again() -> None:
    world, run = entered(Stage("Wave", freeze("calm"), after("eu", "calm"), step("us")))
    world.succeed(run, "calm", "us")
    world.fail(run, "eu")
    world.retry(run, "Wave")
    assert world.under_way(run) == {"calm"}
    world.succeed(run, "calm")
    assert world.under_way(run) == {"eu"}


def test_a_stop_does_not_wait_for_the_end_of_a_freeze_but_for_what_runs() -> None:
    world, run = entered(Stage("Wave", freeze("calm"), after("eu", "calm"), step("us")))
    world.stop(run)
    assert (world.row(run, "calm").status, world.status(run)) == ("Abandoned", "Stopping")
    world.succeed(run, "us")
    assert (world.status(run), world.begun(run)) == ("Stopped", {"Fetch", "calm", "us"})
    world.retry(run, "Wave")
    assert world.under_way(run) == {"calm"}


def declared(*actions: Action) -> list[str]:
    pipeline: Pipeline = line(Stage("Wave", *actions))
    kinds = {action.type for stage in pipeline.stages for action in stage.actions}
    types = {each: ActionType(id=each, inputs=(0, 5), outputs=(0, 5), open=True) for each in kinds}
    return [str(each) for each in faults(pipeline, types) if each.rule == "order"]


@pytest.mark.parametrize(
    ("actions", "words"),
    [
        ((after("a", "b"), step("c")), 'after "b", which its stage has not; name one of c'),
        ((after("a", "a"),), "which waits for it too"),
        ((after("a", "b"), after("b", "c"), after("c", "a")), "which waits for it too"),
        (
            (after("a", "b"), replace(step("b"), run_order=2)),
            "of a later run order; give both the same run order",
        ),
    ],
)
def test_a_start_that_never_comes_is_refused(actions: tuple[Action, ...], words: str) -> None:
    found = declared(*actions)
    assert words in found[0]


def test_what_ended_before_may_be_named() -> None:
    assert declared(step("a"), replace(after("b", "a"), run_order=2), after("c", "a")) == []


def test_aws_own_actions_know_no_such_key() -> None:
    manual = replace(approval("ok"), configuration={"StartAfter": "nobody"})
    world, run = entered(Stage("Wave", manual))
    assert world.under_way(run) == {"ok"}


# ------------------------------------------------------------------ whatever happens


def drawn(luck: Random) -> tuple[Action, ...]:
    """Draw actions that start after some of those before them."""
    names = [f"a{number}" for number in range(luck.randint(2, 7))]
    return tuple(
        replace(
            freeze(name) if luck.random() < 0.2 else step(name),
            configuration={
                "StartAfter": ",".join(luck.sample(names[:at], min(at, luck.randint(0, 2))))
            },
        )
        for at, name in enumerate(names)
    )


def advanced(world: World, run: str, luck: Random) -> None:
    """Let something happen to a run: the end of an action, a retry, or a stop."""
    under_way = sorted(world.under_way(run))
    if not under_way:
        modes = [RetryMode.ALL_ACTIONS, RetryMode.FAILED_ACTIONS]
        failed = any(row.status == "Failed" for row in world.state.all(ActionExecution))
        world.retry(run, "Wave", luck.choice(modes) if failed else modes[0])
    elif luck.random() < 0.05 and world.status(run) == "InProgress":
        world.stop(run, abandon=luck.random() < 0.5)
    elif luck.random() < 0.15:
        world.fail(run, luck.choice(under_way))
    else:
        world.succeed(run, luck.choice(under_way))


@pytest.mark.parametrize("seed", range(300))
def test_nothing_starts_before_its_time_and_nothing_is_left_hanging(seed: int) -> None:
    luck = Random(seed)
    actions = drawn(luck)
    make = luck.choice([line, parallel])
    world = World()
    run = world.started(make(Stage("Wave", *actions), NEXT))
    world.fetched(run)
    for _ in range(60):
        before = {row.id for row in world.state.all(ActionExecution)}
        advanced(world, run, luck)
        rows = {row.action: row for row in world.state.all(ActionExecution)}
        for action in actions:
            row = rows.get(action.name)
            if row is not None and row.id not in before:
                early = [rows[name].status for name in predecessors(action)]
                assert early == ["Succeeded"] * len(early)
        ended = world.status(run) in {"Succeeded", "Failed", "Stopped"}
        assert ended or world.under_way(run), "nothing goes on, and it has not ended"
        if "live" in rows:
            assert all(rows[action.name].status == "Succeeded" for action in actions)
            break
    assert replay(world.events) == world.state
