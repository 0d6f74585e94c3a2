"""Rules between actions refuse what they name, and accept the near twin."""

from msgspec.structs import replace

from pipelinekit.model.action import OutputArtifact
from pipelinekit.model.condition import Condition, FailureConditions, Result
from pipelinekit.model.pipeline import Pipeline, Stage
from pipelinekit.model.pipeline import Variable as PipelineVariable
from tests.build import (
    approval,
    build,
    commands,
    deploy,
    pipeline,
    rule,
    source,
    window,
)
from tests.refusal import (
    BUILD,
    DEPLOY,
    FETCH,
    MAKE,
    RELEASE,
    SOURCE,
    accepted,
    guarded_by,
    refused,
)


def test_an_input_that_no_earlier_action_writes() -> None:
    """3.5: artifacts are checked at definition time, by stage and run order (A6)."""
    path = ("inputArtifacts", 0, "name")
    refused(pipeline(SOURCE, Stage("Build", build(inputs=("Ghost",)))), "A6", *MAKE, *path)
    refused(pipeline(SOURCE, Stage("All", build(), deploy())), "A6", *MAKE[:3], 1, *path)
    later = pipeline(SOURCE, Stage("Deploy", deploy()), BUILD)
    assert '"Program"' in refused(later, "A6", *MAKE, *path)
    accepted(pipeline(SOURCE, Stage("All", build(), deploy(run_order=2))))


def test_an_input_of_a_rule_that_no_earlier_action_writes() -> None:
    """2.7, 3.12: a rule of the entry reads what earlier stages wrote, others also its own (A6)."""
    path = ("conditions", 0, "rules", 0, "inputArtifacts", 0, "name")
    for name in ("Ghost", "Program"):
        early = guarded_by(rule(inputs=(name,)))
        assert '"OnMain"' in refused(early, "A6", "stages", 1, "beforeEntry", *path)
    own = (Condition((rule(inputs=("Program",)),), Result.ROLLBACK),)
    accepted(guarded_by(rule(inputs=("Code",))))
    accepted(pipeline(SOURCE, Stage("Build", build(), on_success=own)))
    failure = FailureConditions(conditions=own)
    accepted(pipeline(SOURCE, Stage("Build", build(), on_failure=failure)))
    late = pipeline(SOURCE, Stage("Check", approval(), on_failure=failure), BUILD)
    refused(late, "A6", "stages", 1, "onFailure", *path)


def test_an_artifact_written_twice() -> None:
    """A7."""
    again = build(name="Again", namespace=None)
    bad = pipeline(SOURCE, BUILD, Stage("Again", again))
    found = refused(bad, "A7", *RELEASE, "outputArtifacts", 0, "name")
    assert '"Program"' in found
    other = replace(again, outputs=(OutputArtifact("program"),))
    accepted(pipeline(SOURCE, BUILD, Stage("Again", other)))


def test_an_artifact_read_twice_by_an_action() -> None:
    """A8."""
    twice = build(inputs=("Code", "Code"))
    refused(pipeline(SOURCE, Stage("Build", twice)), "A8", *MAKE, "inputArtifacts", 1, "name")
    also = build(name="Also", namespace=None, outputs=())
    accepted(pipeline(SOURCE, Stage("Build", build(), also)))


def test_an_artifact_read_twice_by_a_rule() -> None:
    """2.7: the inputs of a rule are those of an action (A8)."""
    path = ("stages", 1, "beforeEntry", "conditions", 0, "rules", 0, "inputArtifacts", 1, "name")
    refused(guarded_by(rule(inputs=("Code", "Code"))), "A8", *path)
    accepted(guarded_by(rule(inputs=("Code",)), window(inputs=("Code",))))


def test_a_namespace_used_twice() -> None:
    """5.1, C21: two actions never share a namespace (A9)."""
    found = refused(
        pipeline(SOURCE, Stage("Build", build(namespace="src"))), "A9", *MAKE, "namespace"
    )
    assert '"src"' in found
    accepted(pipeline(SOURCE, Stage("Build", build(namespace="SRC"))))


def test_a_namespace_that_is_an_artifact_or_reserved() -> None:
    """5.1, C21: a namespace is neither an artifact's name nor reserved (A10)."""
    for taken in ("Code", "codepipeline", "variables"):
        bad = pipeline(SOURCE, Stage("Build", build(namespace=taken)))
        assert f'"{taken}"' in refused(bad, "A10", *MAKE, "namespace")
    accepted(pipeline(SOURCE, Stage("Build", build(namespace="code"))))


def asking(reference: str) -> Pipeline:
    """Ask before the build, in an approval, with a reference."""
    ask = approval(configuration={"CustomData": f"Release {reference}?"})
    return pipeline(SOURCE, Stage("Gate", ask), BUILD, DEPLOY)


def test_a_reference_to_a_namespace_of_no_action() -> None:
    """5.3.1: the namespace of every reference must exist (A11)."""
    found = refused(asking("#{ghost.Key}"), "A11", *MAKE, "configuration", "CustomData")
    assert "#{ghost.Key}" in found
    accepted(asking("#{src.CommitId}"))
    accepted(asking("${ghost.Key} and # {ghost.Key}"))


def test_references_are_found_in_environments_commands_and_rules_too() -> None:
    """5.2, 5.3.1: references in environments, commands and rules are checked too."""
    lines = commands(commands=("make", "echo #{ghost.Key}"))
    refused(pipeline(SOURCE, Stage("Check", lines)), "A11", *MAKE, "commands", 1)
    ghost = replace(commands().environment[0], value="#{ghost.Key}")
    bad = pipeline(SOURCE, Stage("Check", commands(environment=(ghost,))))
    refused(bad, "A11", *MAKE, "environmentVariables", 0, "value")
    checks = {"Variable": "#{ghost.Key}", "Value": "1", "Operator": "EQ"}
    place = ("stages", 1, "beforeEntry", "conditions", 0, "rules", 0, "configuration", "Variable")
    refused(guarded_by(rule(configuration=checks)), "A11", *place)


def test_a_reference_to_an_action_that_does_not_precede() -> None:
    """5.3.1: the producer must precede the consumer (A12)."""
    path = ("configuration", "CustomData")
    assert '"Make"' in refused(asking("#{bld.TAG}"), "A12", *MAKE, *path)
    ask = approval(configuration={"CustomData": "#{bld.TAG}"})
    refused(pipeline(SOURCE, Stage("All", build(), ask)), "A12", *MAKE[:3], 1, *path)
    accepted(pipeline(SOURCE, Stage("All", build(), replace(ask, run_order=2))))


def test_a_gate_knows_the_variables_of_what_ran_before_it() -> None:
    """5.2: rules may refer to what ran before the place of their condition."""
    checks = {"Variable": "#{bld.TAG}", "Value": "1", "Operator": "EQ"}
    condition = (Condition((rule(configuration=checks),), Result.FAIL),)
    place = ("stages", 1, "beforeEntry", "conditions", 0, "rules", 0, "configuration", "Variable")
    refused(pipeline(SOURCE, Stage("Build", build(), before_entry=condition)), "A12", *place)
    accepted(pipeline(SOURCE, Stage("Build", build(), on_success=condition)))


def test_a_reference_to_an_undeclared_variable() -> None:
    """5.3.1: a pipeline variable that is referred to must be declared (A13)."""
    shop = asking("#{variables.level}")
    found = refused(shop, "A13", *MAKE, "configuration", "CustomData")
    assert '"level"' in found
    accepted(replace(shop, variables=(PipelineVariable("level", "info"),)))


def test_a_reference_to_a_variable_in_a_source() -> None:
    """5.1, 5.2: source actions know no pipeline variables (A13)."""
    branch = {**source().configuration, "BranchName": "#{variables.branch}"}
    variables = (PipelineVariable("branch", "main"),)
    early = pipeline(Stage("Source", source(configuration=branch)), BUILD, variables=variables)
    refused(early, "A13", *FETCH, "configuration", "BranchName")
    accepted(replace(asking("#{variables.branch}"), variables=variables))


def test_a_reference_to_a_key_that_its_producer_never_gives() -> None:
    """5.3.1, 5.4: a provider of fixed keys gives no others (A17)."""
    for reference in ("#{src.Commit}", "#{codepipeline.Name}"):
        found = refused(asking(reference), "A17", *MAKE, "configuration", "CustomData")
        assert reference in found
    accepted(asking("#{src.TagName} #{codepipeline.PipelineExecutionId}"))
    open_keys = approval(configuration={"CustomData": "#{bld.ANYTHING}"})
    accepted(pipeline(SOURCE, BUILD, Stage("Gate", open_keys)))
