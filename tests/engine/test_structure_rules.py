"""Rules S1 to S18, filters and quotas refuse what they name, and accept the near twin."""

from msgspec.structs import replace

from pipelinekit.engine.validate import faults
from pipelinekit.model.action import Action, Category, OutputArtifact
from pipelinekit.model.pipeline import ArtifactStore, ExecutionMode, Pipeline, PipelineType, Stage
from pipelinekit.model.pipeline import Variable as PipelineVariable
from pipelinekit.model.trigger import (
    GitConfiguration,
    Patterns,
    PullRequestFilter,
    PushFilter,
    Trigger,
)
from tests.build import approval, aws, deploy, pipeline, source, trigger
from tests.refusal import BUILD, MAKE, SOURCE, accepted, refused

V1 = PipelineType.V1
STORE = ArtifactStore("shop-artifacts")


def test_fewer_than_two_stages() -> None:
    """S1."""
    refused(pipeline(SOURCE), "S1", "stages", also="S5")
    refused(replace(pipeline(), stages=()), "S1", "stages")
    accepted(pipeline(SOURCE, BUILD))


def test_more_than_fifty_stages() -> None:
    """S2."""
    gates = [Stage(f"Gate{number}", approval()) for number in range(50)]
    refused(pipeline(SOURCE, *gates), "S2", "stages")
    accepted(pipeline(SOURCE, *gates[:49]))


def test_an_action_of_the_first_stage_that_is_no_source() -> None:
    """S3."""
    mixed = Stage("Source", source(), approval())
    found = refused(
        pipeline(mixed, BUILD), "S3", "stages", 0, "actions", 1, "actionTypeId", "category"
    )
    assert '"Ask"' in found
    refused(pipeline(Stage("Source"), Stage("Gate", approval())), "S3", "stages", 0, also="G7")
    second = source(name="Other", outputs=(OutputArtifact("More"),), namespace=None)
    accepted(pipeline(Stage("Source", source(), second), BUILD))


def test_a_source_outside_the_first_stage() -> None:
    """S4."""
    late = source(name="Late", outputs=(OutputArtifact("More"),), namespace="late")
    bad = pipeline(SOURCE, Stage("Second", late), BUILD)
    found = refused(bad, "S4", *MAKE, "actionTypeId", "category")
    assert '"Late"' in found
    accepted(pipeline(Stage("Source", source(), late), BUILD))


def test_nothing_but_sources() -> None:
    """S5."""
    late = source(name="Late", outputs=(OutputArtifact("More"),), namespace="late")
    refused(pipeline(SOURCE, Stage("Second", late)), "S5", "stages", also="S4")
    accepted(pipeline(SOURCE, Stage("Second", approval())))


def test_a_v1_pipeline_with_variables() -> None:
    """S6."""
    some = (PipelineVariable("level", "info"),)
    refused(pipeline(variables=some, type=V1), "S6", "variables")
    accepted(pipeline(variables=some))
    accepted(pipeline(type=V1))


def test_a_v1_pipeline_with_triggers() -> None:
    """S7."""
    refused(pipeline(triggers=(trigger(),), type=V1), "S7", "triggers")
    accepted(pipeline(triggers=(trigger(),)))


def test_a_v1_pipeline_that_is_queued_or_parallel() -> None:
    """S8."""
    for mode in (ExecutionMode.QUEUED, ExecutionMode.PARALLEL):
        refused(pipeline(mode=mode, type=V1), "S8", "executionMode")
        accepted(pipeline(mode=mode))


def test_two_variables_with_the_same_name() -> None:
    """S9."""
    level = PipelineVariable("level", "info")
    found = refused(pipeline(variables=(level, level)), "S9", "variables", 1, "name")
    assert '"level"' in found
    accepted(pipeline(variables=(level, PipelineVariable("Level", "info"))))


def test_a_trigger_that_names_no_connection_source() -> None:
    """S10."""
    path = ("triggers", 0, "gitConfiguration", "sourceActionName")
    found = refused(pipeline(triggers=(trigger(source_action_name="Make"),)), "S10", *path)
    assert '"Make"' in found
    bucket = Action(
        "Fetch",
        aws(Category.SOURCE, "S3"),
        {"S3Bucket": "shop", "S3ObjectKey": "code.zip"},
        outputs=(OutputArtifact("Code"),),
    )
    refused(pipeline(Stage("Source", bucket), BUILD, triggers=(trigger(),)), "S10", *path)
    accepted(pipeline(triggers=(trigger(),)))


def test_two_triggers_for_the_same_source() -> None:
    """S11."""
    path = ("triggers", 1, "gitConfiguration", "sourceActionName")
    refused(pipeline(triggers=(trigger(), trigger())), "S11", *path)
    other = source(name="Other", outputs=(OutputArtifact("More"),), namespace=None)
    both = (trigger(), trigger(source_action_name="Other"))
    accepted(pipeline(Stage("Source", source(), other), BUILD, triggers=both))


def test_both_or_neither_of_artifact_store_and_artifact_stores() -> None:
    """S13."""
    refused(pipeline(artifact_store=None), "S13", "artifactStore")
    stores = {"us-east-1": STORE}
    refused(pipeline(artifact_stores=stores), "S13", "artifactStores")
    accepted(pipeline(artifact_store=None, artifact_stores=stores))


def test_one_artifact_store_for_actions_of_several_regions() -> None:
    """S14."""
    abroad = Stage("Deploy", deploy(region="eu-west-1"))
    found = refused(pipeline(SOURCE, BUILD, abroad), "S14", "artifactStore")
    assert "eu-west-1" in found
    accepted(pipeline(SOURCE, BUILD, abroad), pipeline_region="eu-west-1")
    at_home = Stage("Source", source(region="eu-west-1"))
    refused(
        pipeline(at_home, BUILD, Stage("Deploy", deploy(region="us-east-1"))),
        "S14",
        "artifactStore",
    )
    accepted(pipeline(at_home, BUILD, abroad))


def test_artifact_stores_without_a_region_where_actions_run() -> None:
    """S15."""
    abroad = Stage("Deploy", deploy(region="eu-west-1"))
    cases = {"us-east-1": "eu-west-1", "eu-west-1": "us-east-1"}
    for given, missing in cases.items():
        bad = pipeline(SOURCE, BUILD, abroad, artifact_store=None, artifact_stores={given: STORE})
        assert f'"{missing}"' in refused(bad, "S15", "artifactStores")
    both = dict.fromkeys(cases, STORE)
    accepted(pipeline(SOURCE, BUILD, abroad, artifact_store=None, artifact_stores=both))


def test_more_actions_than_a_pipeline_may_have() -> None:
    """S16."""
    gates = [
        Stage(f"Gate{number}", actions=tuple(approval(name=f"Ask{each}") for each in range(100)))
        for number in range(10)
    ]
    refused(pipeline(SOURCE, *gates), "S16", "stages")
    last = gates[-1]
    accepted(pipeline(SOURCE, *gates[:-1], Stage(last.name, actions=last.actions[1:])))


def test_an_artifact_store_for_a_region_of_no_action_is_allowed() -> None:
    """S17."""
    stores = {"us-east-1": STORE, "ap-south-1": STORE}
    accepted(pipeline(artifact_store=None, artifact_stores=stores))


def test_an_artifact_store_for_something_that_is_no_region() -> None:
    """S18."""
    bad = {"us-east-1": STORE, "moon-base-1": STORE}
    (fault,) = faults(pipeline(artifact_store=None, artifact_stores=bad))
    assert (fault.code, fault.rule) == ("ValidationException", "S18")
    assert fault.path == ("artifactStores", "moon-base-1")
    known = ("us-gov-west-1", "ap-southeast-7", "il-central-1", "eusc-de-east-1", "cn-north-1")
    good = {"us-east-1": STORE, **dict.fromkeys(known, STORE)}
    accepted(pipeline(artifact_store=None, artifact_stores=good))


def test_a_filter_of_tags_and_branches() -> None:
    one = Patterns(("main",))
    mixed = trigger(push=(PushFilter(tags=one, branches=one),))
    (fault,) = faults(pipeline(triggers=(mixed,)))
    assert fault.rule == "filter"
    assert fault.path == ("triggers", 0, "gitConfiguration", "push", 0, "tags")
    accepted(pipeline(triggers=(trigger(push=(PushFilter(tags=one), PushFilter(None, one))),)))


def test_two_identical_filters() -> None:
    one = PullRequestFilter(branches=Patterns(("main",)))
    two = PullRequestFilter(branches=Patterns(("live",)))
    (fault,) = faults(pipeline(triggers=(trigger(pull_request=(one, one)),)))
    assert fault.rule == "quota"
    assert fault.path == ("triggers", 0, "gitConfiguration", "pullRequest", 1)
    accepted(pipeline(triggers=(trigger(pull_request=(one, two)),)))


def test_triggers_of_more_than_200_kilobytes() -> None:
    names = [f"Fetch{number}" for number in range(40)]
    sources = tuple(
        source(name=name, outputs=(OutputArtifact(name),), namespace=None) for name in names
    )
    stage = Stage("Source", actions=(source(), *sources))

    def shop(length: int) -> Pipeline:
        long = Patterns(tuple(f"{number}" * length for number in range(8)))
        git = (PushFilter(None, long, long), PushFilter(None, long), PushFilter(long))
        triggers = tuple(Trigger(GitConfiguration(name, git)) for name in names)
        return pipeline(stage, BUILD, triggers=triggers)

    (fault,) = faults(shop(200))
    assert (fault.rule, fault.path) == ("quota", ("triggers",))
    accepted(shop(150))
