"""What variables are worth while a pipeline runs. Source: codepipeline.md 5 and 6."""

import json

import pytest
from msgspec.structs import replace

from pipelinekit.model.action import EnvironmentVariable, OutputArtifact
from pipelinekit.model.order import Succeeded
from pipelinekit.model.pipeline import Pipeline, Stage, Variable
from tests.engine.world import World, approval, line, step

TWO = line(Stage("Build", step("make")))


def using(text: str, *variables: Variable) -> Pipeline:
    """Make a pipeline whose build has a text with references."""
    made = line(Stage("Build", step("make", configuration={"T": text})))
    return replace(made, variables=variables)


def resolved(pipeline: Pipeline, commit: str = "c0ffee") -> str:
    """Run the build of a pipeline and give what became of its text."""
    world = World()
    run = world.started(pipeline)
    world.fetched(run, commit)
    return world.row(run, "make").resolved["T"]


# ---------------------------------------- 5.1


def test_the_id_of_the_execution_is_known_from_the_start() -> None:
    """5.1: codepipeline.PipelineExecutionId is there for every action."""
    world = World()
    run = world.started(using("#{codepipeline.PipelineExecutionId}"))
    world.fetched(run)
    assert world.row(run, "make").resolved == {"T": run}


def test_pipeline_variables_are_in_the_namespace_variables() -> None:
    """5.1: #{variables.name} is the value of a pipeline variable."""
    assert resolved(using("#{variables.level}", Variable("level", "info"))) == "info"


def test_names_of_variables_are_told_apart_by_case() -> None:
    """5.1: namespaces and keys are case-sensitive."""
    pair = (Variable("level", "info"), Variable("LEVEL", "debug"))
    assert resolved(using("#{variables.LEVEL}", *pair)) == "debug"


@pytest.mark.parametrize(
    "text",
    [
        "#{ src.CommitId }",
        "#{src.CommitId:-x}",
        "#{src}",
        "${src.CommitId}",
        "#{#{src.a}.b c}",
        "#{upper(src.CommitId)}",
    ],
)
def test_other_notations_are_left_as_they_are(text: str) -> None:
    """5.1: no whitespace, nesting, defaults or functions; ${} is left to the shell (CHOICE)."""
    pipeline = using(text.replace("#{src.a}", "x"))
    assert resolved(pipeline) == text.replace("#{src.a}", "x")


def test_without_a_namespace_variables_are_only_seen_in_the_history() -> None:
    """5.1: the variables of an action without a namespace are kept, not referable."""
    use = step("use", configuration={"T": "#{make.V}"})
    world = World()
    run = world.started(line(Stage("Build", step("make") >> use)))
    world.fetched(run)
    world.succeed(run, "make", V="1")
    assert world.row(run, "make").variables == {"V": "1"}
    assert "make.V" in world.row(run, "use").error.message


def test_variables_are_there_for_later_groups_and_for_later_stages() -> None:
    """5.1: what ran before gives its variables to a higher run order and to later stages."""
    use = {"T": "#{b.V}"}
    build = Stage("Build", step("make", namespace="b") >> step("use", configuration=use))
    world = World()
    run = world.started(line(build, Stage("Live", step("live", configuration=use))))
    world.fetched(run)
    world.succeed(run, "make", V="1")
    world.succeed(run, "use")
    assert world.row(run, "use").resolved == world.row(run, "live").resolved == {"T": "1"}


# ---------------------------------------- 5.2


def test_references_stand_in_whole_values_and_within_text_many_in_one() -> None:
    """5.2: a value may be a reference, or hold many of them."""
    text = "#{src.CommitId}/#{src.CommitId}-#{variables.a}"
    assert resolved(using(text, Variable("a", "x"))) == "c0ffee/c0ffee-x"


def test_references_stand_in_environment_variables() -> None:
    """5.2: the value of an environment variable may hold references."""
    make = step("make", environment=(EnvironmentVariable("COMMIT", "#{src.CommitId}"),))
    world = World()
    run = world.started(line(Stage("Build", make)))
    world.fetched(run)
    (order,) = world.orders.values()
    assert order.environment == (EnvironmentVariable("COMMIT", "c0ffee"),)


def test_references_in_commands_reach_the_shell_as_environment_variables() -> None:
    """5.2: a line of commands may hold references (CHOICE), whose values are never commands."""
    world = World()
    lines = ("echo #{src.CommitId} ${#HOME}", "echo #{src.CommitId} #{src.a-b} #{src.a_b}")
    run = world.started(line(Stage("Build", step("make", commands=lines))))
    world.succeed(run, "Fetch", CommitId="$(reboot)", **{"a-b": "1", "a_b": "2"})
    (order,) = world.orders.values()
    assert order.commands == (
        "echo ${PK_src_CommitId} ${#HOME}",
        "echo ${PK_src_CommitId} ${PK_src_a_b} ${PK_src_a_b_}",
    )
    assert order.environment == (
        EnvironmentVariable("PK_src_CommitId", "$(reboot)"),
        EnvironmentVariable("PK_src_a_b", "1"),
        EnvironmentVariable("PK_src_a_b_", "2"),
    )


def test_commands_with_a_reference_that_has_no_value_are_not_begun() -> None:
    """5.3.5: it is as for a configuration."""
    world = World()
    run = world.started(line(Stage("Build", step("make", commands=("echo #{src.TagName}",)))))
    world.fetched(run)
    assert "src.TagName" in str(world.row(run, "make").error)
    assert world.orders == {}


def test_references_stand_in_what_an_approval_tells() -> None:
    """5.2, 10: CustomData and ExternalEntityLink may use variables."""
    told = {"CustomData": "#{src.CommitId}", "ExternalEntityLink": "https://x/#{src.CommitId}"}
    world = World()
    run = world.started(line(Stage("Gate", replace(approval("ok"), configuration=told))))
    world.fetched(run)
    resolved = world.row(run, "ok").resolved
    assert resolved == {"CustomData": "c0ffee", "ExternalEntityLink": "https://x/c0ffee"}


def test_the_keys_of_a_configuration_hold_no_references() -> None:
    """5.2: keys, names and the rest of the declaration are taken as they are written."""
    make = step("make", configuration={"#{src.CommitId}": "x"})
    world = World()
    run = world.started(line(Stage("Build", make)))
    world.fetched(run)
    assert world.row(run, "make").resolved == {"#{src.CommitId}": "x"}


# ---------------------------------------- 5.3


def test_references_are_resolved_right_before_the_action_starts() -> None:
    """5.3.2: the definition keeps the references, the execution the text that came of them."""
    world = World()
    run = world.started(using("#{src.CommitId}"))
    assert "make" not in world.begun(run)
    world.fetched(run, "abc")
    (order,) = world.orders.values()
    assert order.configuration == world.row(run, "make").resolved == {"T": "abc"}


def test_variables_are_put_in_raw_and_in_a_single_pass() -> None:
    """5.3.3, 5.3.4, C11: values are put in raw and are not searched again (CHOICE)."""
    world = World()
    text = '#{src.CommitId} of #{codepipeline.PipelineExecutionId} at "#{variables.level}"'
    pipeline = replace(
        line(Stage("Build", step("make", configuration={"Text": text}))),
        variables=(Variable("level", "#{src.CommitId}"),),
    )
    run = world.started(pipeline)
    world.fetched(run, 'a"b')
    assert world.row(run, "make").resolved == {"Text": f'a"b of {run} at "#{{src.CommitId}}"'}


def test_a_quote_in_a_value_breaks_the_json_it_is_put_into() -> None:
    """5.3.3: nothing is escaped, not even inside a JSON text."""
    text = resolved(using('{"message": "#{src.CommitId}"}'), 'say "hi"\n')
    with pytest.raises(json.JSONDecodeError):
        json.loads(text)


def test_a_variable_that_was_not_written_is_named_where_the_execution_failed() -> None:
    """5.3.5: the summary of the execution names the action that could not start (CHOICE)."""
    world = World()
    run = world.started(using("#{src.TagName}"))
    world.fetched(run)
    assert "make" in world.execution(run).summary
    assert world.row(run, "make").error.code == "ConfigurationError"


def test_the_variables_of_actions_that_are_not_retried_stay() -> None:
    """5.3.6: a retry leaves the variables of those that succeeded."""
    steps = step("make", namespace="b") >> step("use", configuration={"T": "#{b.V}"})
    world = World()
    run = world.started(line(Stage("Build", steps)))
    world.fetched(run)
    world.succeed(run, "make", V="1")
    world.fail(run, "use")
    world.retry(run, "Build")
    assert world.row(run, "use").resolved == {"T": "1"}


@pytest.mark.parametrize(("size", "status"), [(102_399, "InProgress"), (102_400, "Failed")])
def test_a_configuration_is_at_most_100_kilobytes_when_it_is_resolved(
    size: int, status: str
) -> None:
    """5.3.7, C11: the resolved configuration of an action has at most 100 KB."""
    world = World()
    run = world.started(using("#{src.CommitId}"))
    world.fetched(run, "x" * size)
    assert world.row(run, "make").status == status


def test_too_many_bytes_of_output_variables_fail_the_action() -> None:
    """5.3.8: more than 122,880 bytes of output variables fail the action."""
    world = World()
    run = world.started(line(Stage("Build", step("make", namespace="b"))))
    world.fetched(run)
    world.report(run, "make", Succeeded({"big": "x" * 122_881}, external_id="shop:1"))
    row = world.row(run, "make")
    assert row.error.code == "OutputVariablesSizeExceeded"
    assert row.external_id == "shop:1"


@pytest.mark.parametrize("key", ["a.b", "", "a b", "é", "a\n"])
def test_an_output_variable_that_nobody_could_refer_to_fails_the_action(key: str) -> None:
    """5.3.9: keys of output variables are of letters, digits and @ - _ (CHOICE: JobFailed)."""
    world = World()
    run = world.started(line(Stage("Build", step("make", namespace="b"))))
    world.fetched(run)
    world.report(run, "make", Succeeded({"fine": "1", key: "x"}))
    error = world.row(run, "make").error
    assert (error.code, repr(key) in error.message) == ("JobFailed", True)
    assert "letters, digits, @, - and _" in error.message


def test_122880_bytes_of_output_variables_are_not_too_many() -> None:
    """5.3.8: exactly the limit is allowed, keys and values counted in UTF-8."""
    world = World()
    run = world.started(line(Stage("Build", step("make", namespace="b"))))
    world.fetched(run)
    world.succeed(run, "make", big="é" * 61_438 + "x")
    assert world.row(run, "make").status == "Succeeded"


# ---------------------------------------- 6, artifacts


def test_an_input_artifact_is_the_object_that_its_producer_wrote() -> None:
    """6: an input artifact is the object that its producer wrote in this execution."""
    world = World()
    run = world.started(line(Stage("Build", step("make", inputs=("Code",)))))
    world.fetched(run)
    (written,) = world.row(run, "Fetch").outputs
    (order,) = world.orders.values()
    assert order.inputs == (written,)
    assert written.object_key.startswith("shop/Code/")
    assert len(written.object_key.rsplit("/", 1)[1]) == 7


def test_object_keys_are_cut_to_20_and_10_characters() -> None:
    """6, C19: folder names are cut, the pipeline's to 20 and the artifact's to 10 characters."""
    world = World()
    run = world.started(replace(TWO, name="a-pipeline-with-a-long-name"))
    (order,) = world.orders.values()
    assert order.execution == run
    assert order.outputs[0].object_key.startswith("a-pipeline-with-a-lo/Code/")


def test_each_output_of_an_action_has_an_object_of_its_own() -> None:
    """6: artifacts whose names are cut to the same have objects of their own."""
    world = World()
    names = ("build_output_12", "build_output_21", "build_output_30")
    outputs = tuple(OutputArtifact(name) for name in names)
    run = world.started(line(Stage("Build", step("make", outputs=outputs))))
    world.fetched(run)
    (order,) = world.orders.values()
    assert len({each.object_key for each in order.outputs}) == 3
