"""What a plan says would happen is what then happens."""

from uuid import UUID

import pytest
from msgspec.structs import replace

from pipelinekit.engine.catalog import TYPES
from pipelinekit.engine.decide import decide
from pipelinekit.engine.plan import HIDDEN, KINDS, Aim, plan
from pipelinekit.engine.planned import Change, Later, Plan, PlannedInput, Setting
from pipelinekit.model.action import (
    Action,
    ActionTypeId,
    Category,
    EnvironmentVariable,
    OutputArtifact,
    Owner,
)
from pipelinekit.model.condition import (
    Condition,
    ConditionType,
    FailureConditions,
    Result,
    RetryMode,
    Rule,
    RuleTypeId,
)
from pipelinekit.model.errors import Fault, PipelineKitError
from pipelinekit.model.event import Started, TransitionChanged
from pipelinekit.model.execution import PipelineExecution, StageExecution
from pipelinekit.model.pipeline import ExecutionMode, Pipeline, Stage, Variable
from pipelinekit.model.row import Row
from tests.engine.world import CAUSE, NOON, World, approval, line, step

NEXT = str(UUID(int=10**6))
TWO = line(Stage("Build", step("make")), Stage("Live", approval("ok")))
HOUR = 3600.0


def start(**members: object) -> Started:
    return Started(id=NEXT, pipeline="shop", at=NOON, by="ann", cause=CAUSE, **members)  # type: ignore[arg-type]


def planned(world: World, pipeline: Pipeline, **members: object) -> Plan:
    return plan(world.state, Aim(pipeline, start(**members), TYPES))


def the(found: Plan, name: str) -> tuple[Setting, ...]:
    (action,) = (each for _, each in found.actions if each.name == name)
    return action.settings


def close(world: World, stage: str, *, inbound: bool) -> None:
    event = TransitionChanged(
        id=str(UUID(int=77)),
        pipeline="shop",
        at=NOON,
        by="ann",
        stage=stage,
        inbound=inbound,
        enabled=False,
        reason="Freeze",
    )
    world.happen(event)


def rows(world: World) -> list[Row]:
    return [row for kind in KINDS for row in world.state.all(kind)]


# ---------------------------------------- what would run


def test_a_plan_of_a_new_pipeline_has_all_its_stages_and_their_groups() -> None:
    grouped = Stage("Test", actions=(step("a"), step("b"), step("c", run_order=2)))
    found = planned(World(), line(grouped))
    assert (found.change, found.version, found.number) == (Change.NEW, 1, 1)
    assert (found.startable, found.enters) == (True, True)
    assert [stage.name for stage in found.stages] == ["Source", "Test"]
    names = [[each.name for each in group] for group in found.stages[1].groups]
    assert names == [["a", "b"], ["c"]]


def test_inputs_are_told_with_the_action_that_writes_them() -> None:
    make = step("make", inputs=("Code",), outputs=(OutputArtifact("Program"),))
    live = step("live", inputs=("Program", "Nothing"))
    found = planned(World(), line(Stage("Build", make), Stage("Live", live)))
    (_, built, put) = (action for _, action in found.actions)
    assert built.inputs == (PlannedInput("Code", "Source/Fetch"),)
    assert built.outputs == ("Program",)
    assert put.inputs == (PlannedInput("Program", "Build/make"), PlannedInput("Nothing", ""))


def test_pipeline_variables_are_put_in_and_output_variables_say_who_writes_them() -> None:
    text = "#{variables.level} #{variables.to} #{src.CommitId} #{codepipeline.PipelineExecutionId}"
    make = step("make", configuration={"Text": f"{text} #{{other.X}}"})
    shell = replace(make, environment=(EnvironmentVariable("LEVEL", "#{variables.level}"),))
    declared = (Variable("level", "info"), Variable("to"))
    pipeline = replace(line(Stage("Build", shell)), variables=declared)
    found = planned(World(), pipeline, variables={"to": "prod"})
    (setting,) = the(found, "make")
    assert setting.text.startswith("info prod #{src.CommitId}")
    assert setting.later == (
        Later("src.CommitId", "Source/Fetch"),
        Later("codepipeline.PipelineExecutionId", "the start"),
        Later("other.X", ""),
    )
    values = [(each.name, each.value, each.given) for each in found.variables]
    assert values == [("level", "info", False), ("to", "prod", True)]
    environments = [action.environment for _, action in found.actions]
    assert environments[1] == (Setting("LEVEL", "info"),)


def test_variables_are_put_into_commands_too() -> None:
    told = step("make", commands=("make #{variables.level}", "echo #{src.CommitId}"))
    pipeline = replace(line(Stage("Build", told)), variables=(Variable("level", "info"),))
    (_, make) = (action for _, action in planned(World(), pipeline).actions)
    later = (Later("src.CommitId", "Source/Fetch"),)
    assert make.commands == (
        Setting("$", "make info"),
        Setting("$", "echo #{src.CommitId}", later),
    )


def test_secrets_are_not_told() -> None:
    github = ActionTypeId(Category.SOURCE, Owner.THIRD_PARTY, "GitHub")
    keys = {"Owner": "me", "Repo": "shop", "Branch": "main", "OAuthToken": "tell-nobody"}
    pipeline = Pipeline("shop", (Stage("Source", Action("Fetch", github, keys)),))
    found = planned(World(), pipeline)
    assert Setting("OAuthToken", HIDDEN) in the(found, "Fetch")
    assert "tell-nobody" not in str(found)


def test_the_revisions_that_are_asked_for_are_told() -> None:
    found = planned(World(), TWO, revisions={"Fetch": "c0ffee"})
    assert [action.revision for _, action in found.actions] == ["c0ffee", "", ""]


def test_the_time_limits_are_those_of_the_action_of_the_kit_and_of_the_type() -> None:
    stage = Stage("Build", step("own", timeout_minutes=60), step("kit"), approval("ok"))
    limits = {"Test/Custom/Step/1": 90.0}
    found = planned(World(), line(stage), limits=limits)
    seconds = {action.name: action.limit_seconds for _, action in found.actions}
    assert (seconds["own"], seconds["kit"], seconds["ok"]) == (HOUR, 90.0, 7 * 24 * HOUR)


def test_conditions_are_told_with_their_results_and_their_rules() -> None:
    window = Rule("Hours", RuleTypeId("DeploymentWindow"), {"Cron": "#{variables.cron}"})
    check = Rule("Check", RuleTypeId("Commands"), commands=("true",), timeout_minutes=5)
    stage = Stage(
        "Live",
        step("put"),
        before_entry=(Condition((window,), Result.SKIP),),
        on_success=(Condition((check,)),),
        on_failure=FailureConditions(conditions=(Condition((check,)),)),
    )
    pipeline = replace(line(stage), variables=(Variable("cron", "0 * * * * ?"),))
    entry, success, failure = planned(World(), pipeline).stages[1].conditions
    assert (entry.place, entry.result) == (ConditionType.BEFORE_ENTRY, Result.SKIP)
    assert entry.rules[0].settings == (Setting("Cron", "0 * * * * ?"),)
    assert (success.result, success.rules[0].commands) == (Result.FAIL, (Setting("$", "true"),))
    assert (failure.result, failure.rules[0].limit_seconds) == (Result.ROLLBACK, 300.0)


def test_what_follows_a_failure_is_told_and_where_a_rollback_goes_back_to() -> None:
    retry = FailureConditions(Result.RETRY, RetryMode.ALL_ACTIONS)
    back = FailureConditions(Result.ROLLBACK)
    build = Stage("Build", step("make"), on_failure=retry)
    pipeline = line(build, Stage("Live", step("put"), on_failure=back))
    world = World()
    execution = world.started(pipeline)
    world.fetched(execution)
    world.succeed(execution, "make", "put")
    _, built, live = planned(world, pipeline).stages
    assert (built.on_failure, live.on_failure) == ("RETRY ALL_ACTIONS", "ROLLBACK")
    assert live.back_to is not None
    assert (live.back_to.id, live.back_to.number) == (execution, 1)


# ---------------------------------------- who is in the way


def test_a_busy_stage_says_who_is_in_it_and_which_approval_is_waited_for() -> None:
    world = World()
    first = world.started(TWO)
    world.fetched(first)
    world.succeed(first, "make")
    second = world.start()
    world.fetched(second)
    world.succeed(second, "make")
    found = planned(world, TWO)
    live = found.stages[2]
    assert live.holder is not None
    assert (live.holder.id, live.holder.asks) == (first, ("ok",))
    assert [each.id for each in live.waiting] == [second]
    assert (found.enters, found.superseded) == (True, ())
    assert found.stages[0].holder is None


def test_disabled_transitions_are_told_on_the_way_into_a_stage() -> None:
    world = World()
    world.define(TWO)
    close(world, "Build", inbound=True)
    close(world, "Build", inbound=False)
    source, build, live = planned(world, TWO).stages
    assert source.closed == ()
    assert [each.leaving for each in build.closed] == [None]
    assert [(each.leaving, each.transition.reason) for each in live.closed] == [
        ("Build", "Freeze")
    ]


def test_a_changed_definition_cancels_who_is_under_way() -> None:
    world = World()
    first = world.started(TWO)
    changed = replace(TWO, stages=(*TWO.stages, Stage("More", step("more"))))
    found = planned(world, changed)
    assert (found.change, found.version) == (Change.CHANGED, 2)
    assert [each.id for each in found.cancelled] == [first]
    assert planned(world, TWO).cancelled == ()


def test_a_change_of_a_parallel_pipeline_cancels_nobody() -> None:
    world = World()
    parallel = replace(TWO, mode=ExecutionMode.PARALLEL)
    world.started(parallel)
    found = planned(world, replace(parallel, stages=parallel.stages[:2]))
    assert (found.change, found.cancelled) == (Change.CHANGED, ())


@pytest.mark.parametrize("mode", ExecutionMode)
@pytest.mark.parametrize("before", range(4))
@pytest.mark.parametrize("most", [2, 50])
def test_what_is_planned_is_what_then_happens(mode: ExecutionMode, before: int, most: int) -> None:
    pipeline = replace(TWO, mode=mode)
    world = World()
    world.define(pipeline)
    for _ in range(before):
        world.start()
    found = planned(world, pipeline, most=most)
    live = [row for row in world.state.all(PipelineExecution) if not row.ended]
    if not found.startable:
        with pytest.raises(PipelineKitError, match="may have no more"):
            world.happen(start(most=most))
        assert "may have no more" in found.obstacles[0]
        return
    world.happen(start(most=most))
    superseded = {row.id for row in live if world.status(row.id) == "Superseded"}
    assert {each.id for each in found.superseded} == superseded
    assert found.enters == (world.state.get(StageExecution, (NEXT, "Source")) is not None)
    assert found.number == world.execution(NEXT).number


# ---------------------------------------- what would be refused


@pytest.mark.parametrize(
    ("members", "told"),
    [
        ({}, "without values for target"),
        ({"variables": {"target": "x", "size": "1"}}, "variables size"),
        ({"variables": {"target": "x"}, "revisions": {"make": "c"}}, "revisions of make"),
    ],
)
def test_a_start_that_would_be_refused_is_told_why_and_planned_all_the_same(
    members: dict[str, object], told: str
) -> None:
    pipeline = replace(TWO, variables=(Variable("target"),))
    found = planned(World(), pipeline, **members)
    assert not found.startable
    assert told in found.obstacles[0]
    assert len(found.stages) == 3


def test_a_definition_with_faults_is_planned_without_being_tried() -> None:
    fault = Fault("ValidationException", ("stages",), "no stages", "add some")
    found = plan(World().state, Aim(Pipeline("shop"), start(), TYPES, (fault,)))
    assert (found.startable, found.faults, found.stages) == (False, (fault,), ())


def test_planning_changes_nothing() -> None:
    world = World()
    world.fetched(world.started(TWO))
    world.start()
    before = rows(world)
    planned(world, replace(TWO, mode=ExecutionMode.QUEUED))
    assert rows(world) == before
    assert decide(world.state, start()).answer == NEXT
