"""How an execution starts, and on which revision. Source: codepipeline.md 3.1 and 3.2."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from pipelinekit.model.action import ActionTypeId, Category, OutputArtifact, Owner
from pipelinekit.model.errors import (
    ConcurrentExecutionsLimitExceeded,
    DefinitionChanged,
    InvalidToken,
    PipelineNotFound,
    ValidationError,
)
from pipelinekit.model.execution import Cause, PipelineRecord
from pipelinekit.model.pipeline import ExecutionMode, PipelineType, Stage, Variable
from pipelinekit.model.status import ExecutionType, TriggerType
from tests.engine.world import World, fetch, line, parallel, queued, step

MAKE = Stage("Build", step("make"))
TWO = line(MAKE)


def caused(world: World, cause: TriggerType, **members: object) -> str:
    """Start by something else than a person."""
    return world.start(Cause(cause, "who knows"), **members)


def s3_line(allowed: str) -> World:
    """Define a pipeline that takes an object from S3."""
    world = World()
    type_id = ActionTypeId(Category.SOURCE, Owner.AWS, "S3")
    keys = {"AllowOverrideForS3ObjectKey": allowed} if allowed else {}
    source = replace(fetch(), type=type_id, configuration=keys)
    world.define(replace(TWO, stages=(Stage("Source", source), MAKE)))
    return world


# ---------------------------------------- 3.1


@pytest.mark.parametrize("cause", list(TriggerType))
def test_whatever_starts_an_execution_is_kept_as_its_trigger(cause: TriggerType) -> None:
    """3.1: the trigger's type and its detail are kept with the execution."""
    world = World()
    world.define(TWO)
    run = caused(world, cause)
    assert world.execution(run).cause == Cause(cause, "who knows")


def test_starting_an_unknown_pipeline_is_refused() -> None:
    """3.1: only a pipeline that is defined can be started."""
    with pytest.raises(PipelineNotFound, match="shop"):
        World().start()


def test_an_execution_starts_in_the_first_stage_with_a_number_and_a_version() -> None:
    """3.1.1: a start makes one execution, in progress, on the current version."""
    world = World()
    run = world.started(TWO)
    row = world.execution(run)
    assert (row.number, row.version, row.stage, row.status) == (1, 1, "Source", "InProgress")
    assert world.under_way(run) == {"Fetch"}


@pytest.mark.parametrize("mode", list(ExecutionMode))
def test_an_execution_bears_the_mode_and_the_type_it_was_started_in(mode: ExecutionMode) -> None:
    """3.1.1: the execution records the current mode, and that it is no rollback."""
    world = World()
    row = world.execution(world.started(replace(TWO, mode=mode)))
    assert (row.mode, row.type) == (mode, ExecutionType.STANDARD)


def test_every_source_runs_in_every_execution() -> None:
    """3.1.2, C9: all source actions run, even if only one of them has changed."""
    world = World()
    docs = replace(fetch("Docs"), outputs=(OutputArtifact("Docs"),), namespace="docs")
    world.define(replace(TWO, stages=(Stage("Source", fetch() + docs), MAKE)))
    run = world.start(revisions={"Docs": "c0ffee"})
    assert world.under_way(run) == {"Fetch", "Docs"}


def test_a_plain_start_leaves_the_revision_to_the_source() -> None:
    """3.1.3: without an override each source is free to take the newest revision."""
    world = World()
    world.started(TWO)
    (order,) = world.orders.values()
    assert (order.revision, order.object_key) == (None, None)


def test_a_start_is_accepted_while_others_run_and_a_superseded_pipeline_has_no_limit() -> None:
    """3.1.4: SUPERSEDED pipelines take any number of starts."""
    world = World()
    world.define(TWO)
    runs = [world.start() for _ in range(60)]
    assert [world.status(run) for run in (runs[0], runs[-1])] == ["InProgress"] * 2


@pytest.mark.parametrize("pipeline", [queued(MAKE), parallel(MAKE)], ids=str)
@pytest.mark.parametrize(
    "cause", [TriggerType.START_PIPELINE_EXECUTION, TriggerType.PUT_ACTION_REVISION]
)
def test_the_fifty_first_start_that_is_asked_for_is_refused(
    pipeline: object, cause: TriggerType
) -> None:
    """3.1.4: with 50 in progress StartPipelineExecution and PutActionRevision are refused."""
    world = World()
    world.define(pipeline)
    for _ in range(50):
        world.start()
    with pytest.raises(ConcurrentExecutionsLimitExceeded, match="50"):
        caused(world, cause)
    assert world.state.get(PipelineRecord, ("shop",)).executions == 50


@pytest.mark.parametrize("pipeline", [queued(MAKE), parallel(MAKE)], ids=str)
def test_the_fifty_first_start_by_an_event_is_recorded_as_failed(pipeline: object) -> None:
    """3.1.4: where nobody is there to be told, the execution is Failed without a message."""
    world = World()
    world.define(pipeline)
    for _ in range(50):
        world.start()
    run = caused(world, TriggerType.WEBHOOK_V2)
    row = world.execution(run)
    assert (row.status, row.summary) == ("Failed", "")
    assert world.begun(run) == set()


def test_the_same_token_with_the_same_parameters_gives_the_same_execution() -> None:
    """3.1.5: a client request token makes a start idempotent."""
    world = World()
    first = world.started(TWO, token="t-1")
    assert world.start(token="t-1") == first
    assert world.state.get(PipelineRecord, ("shop",)).executions == 1


def test_the_same_token_with_other_parameters_is_refused() -> None:
    """3.1.5: other parameters under a token that was used are a ValidationException (CHOICE)."""
    world = World()
    pipeline = replace(TWO, variables=(Variable("level", "info"),))
    world.started(pipeline, token="t-1")
    with pytest.raises(InvalidToken):
        world.start(token="t-1", variables={"level": "debug"})


def test_a_token_is_forgotten_after_a_day() -> None:
    """3.1.5: a token is kept for 24 hours (CHOICE)."""
    world = World()
    first = world.started(TWO, token="t-1")
    world.at += timedelta(days=1)
    assert world.start(token="t-1") != first


@pytest.mark.parametrize("token", ["", "a b", "x" * 129, "t_1"])
def test_a_token_of_another_shape_is_refused(token: str) -> None:
    """3.1.5: a token has 1 to 128 letters, digits and hyphens."""
    world = World()
    world.define(TWO)
    with pytest.raises(ValidationError, match="hyphens"):
        world.start(token=token)


def test_variables_take_defaults_and_overrides_and_are_frozen_in_the_execution() -> None:
    """3.1.6: the effective values of the variables are frozen in the execution."""
    world = World()
    pipeline = replace(TWO, variables=(Variable("a", "1"), Variable("b", "2")))
    run = world.started(pipeline, variables={"b": "3"})
    assert world.execution(run).variables == {"a": "1", "b": "3"}


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({"c": "1"}, "does not declare"),
        ({}, "without values for a"),
        ({"a": ""}, "empty"),
        ({"a": 3}, "of type int, which is no text"),
        ({"a": "x" * 1001}, "too long"),
        ({"a": "two\nlines"}, "several lines"),
    ],
)
def test_wrong_variables_are_refused_and_no_execution_is_made(
    given: dict[str, str], word: str
) -> None:
    """3.1.6: a variable must be declared, and have a value that is not empty (CHOICE)."""
    world = World()
    world.define(replace(TWO, variables=(Variable("a"),)))
    with pytest.raises(ValidationError, match=word):
        world.start(variables=given)
    assert world.state.get(PipelineRecord, ("shop",)).executions == 0


def test_a_given_revision_reaches_the_source_action() -> None:
    """3.1.7, 3.2: a source whose revision is overridden takes exactly that one."""
    world = World()
    run = world.started(TWO, revisions={"Fetch": "c0ffee"})
    (order,) = world.orders.values()
    assert (order.execution, order.revision) == (run, "c0ffee")


def test_a_revision_for_something_that_is_no_source_is_refused() -> None:
    """3.1.7: a revision for what is no source action is a ValidationException (CHOICE)."""
    world = World()
    world.define(TWO)
    with pytest.raises(ValidationError, match="make"):
        world.start(revisions={"make": "c0ffee"})


def test_an_object_of_s3_is_overridden_by_key_and_version_together() -> None:
    """3.1.7: a start may name both another object and its version for one action."""
    world = s3_line("true")
    world.start(revisions={"Fetch": "v7"}, object_keys={"Fetch": "other.zip"})
    (order,) = world.orders.values()
    assert (order.object_key, order.revision) == ("other.zip", "v7")


@pytest.mark.parametrize("allowed", ["", "false"])
def test_the_key_of_an_object_is_overridden_only_where_the_action_allows_it(allowed: str) -> None:
    """3.1.7: S3_OBJECT_KEY needs AllowOverrideForS3ObjectKey = true."""
    with pytest.raises(ValidationError, match="AllowOverrideForS3ObjectKey"):
        s3_line(allowed).start(object_keys={"Fetch": "other.zip"})


def test_the_key_of_an_object_is_refused_for_a_source_that_is_not_s3() -> None:
    """3.1.7: a type of revision that the provider does not know is refused (CHOICE)."""
    world = World()
    world.define(TWO)
    with pytest.raises(ValidationError, match="no S3 source"):
        world.start(object_keys={"Fetch": "other.zip"})


def test_only_a_v2_pipeline_can_be_started_on_chosen_revisions() -> None:
    """3.1.7: overriding revisions at a start is a feature of V2."""
    world = World()
    world.define(replace(TWO, type=PipelineType.V1))
    with pytest.raises(ValidationError, match="V1"):
        world.start(revisions={"Fetch": "c0ffee"})
    assert world.status(caused(world, TriggerType.WEBHOOK, revisions={"Fetch": "c0ffee"}))


def test_a_start_that_was_looked_at_with_a_definition_takes_no_other() -> None:
    """2.11: what is checked before a start is checked of the definition that it runs by."""
    world = World()
    world.define(TWO)
    looked_at = world.state.get(PipelineRecord, ("shop",)).updated
    assert world.start(defined=looked_at)
    world.define(line(Stage("Build", step("other"))))
    with pytest.raises(DefinitionChanged, match="defined anew"):
        world.start(defined=looked_at)


def test_nothing_gates_the_creation_of_an_execution() -> None:
    """3.1.8: transitions act only where a stage is entered, not where an execution is made."""
    world = World()
    world.define(TWO)
    world.close("Source")
    run = world.start()
    assert (world.status(run), world.begun(run)) == ("InProgress", set())


# ---------------------------------------- 3.2


@pytest.mark.parametrize("pipeline", [TWO, queued(MAKE), parallel(MAKE)], ids=str)
def test_what_an_event_names_is_what_the_source_takes(pipeline: object) -> None:
    """3.2: an execution that an event started builds the revision of that event."""
    world = World()
    world.define(pipeline)
    caused(world, TriggerType.WEBHOOK_V2, revisions={"Fetch": "c0ffee"})
    (order,) = world.orders.values()
    assert order.revision == "c0ffee"


def test_the_revision_of_a_source_is_kept_with_the_execution() -> None:
    """3.2: the revision that was taken is stored for each source action."""
    world = World()
    run = world.started(TWO)
    world.fetched(run, "abc123")
    assert world.execution(run).revisions["Fetch"].id == "abc123"
