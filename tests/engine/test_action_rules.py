"""Rules of an action by itself refuse what they name, and accept the near twin."""

from typing import Any

from pipelinekit.engine.catalog import TYPES
from pipelinekit.engine.validate import faults
from pipelinekit.model.action import Action, ActionTypeId, Category, OutputArtifact, Owner
from pipelinekit.model.actiontype import ActionType, Property
from pipelinekit.model.condition import Rule, RuleTypeId
from pipelinekit.model.pipeline import ArtifactStore, Pipeline, PipelineType, Stage
from tests.build import approval, aws, build, commands, deploy, pipeline, source
from tests.refusal import BUILD, FETCH, MAKE, RELEASE, SOURCE, accepted, refused

V1 = PipelineType.V1
STORE = ArtifactStore("shop-artifacts")


def test_fewer_or_more_artifacts_than_the_type_takes() -> None:
    """A1."""
    refused(
        pipeline(Stage("Source", source(outputs=())), Stage("Gate", approval())),
        "A1",
        *FETCH,
        "outputArtifacts",
    )
    refused(pipeline(SOURCE, Stage("Build", build(inputs=()))), "A1", *MAKE, "inputArtifacts")
    outputs = tuple(OutputArtifact(f"Part{number}") for number in range(6))
    six = pipeline(SOURCE, Stage("Build", build(outputs=outputs)))
    assert '"Make" has 6' in refused(six, "A1", *MAKE, "outputArtifacts")
    accepted(pipeline(SOURCE, Stage("Build", build(outputs=outputs[1:]))))


def test_an_unknown_action_type() -> None:
    """A2."""
    mine = ActionTypeId(Category.BUILD, Owner.CUSTOM, "Mine", "2")
    shop = pipeline(SOURCE, Stage("Build", build(type=mine, configuration={}, region=None)))
    found = refused(shop, "A2", *MAKE, "actionTypeId", pipeline_region="eu-west-3")
    assert all(f'"{word}"' in found for word in ("Build", "Custom", "Mine", "2", "Make"))
    assert "EU_WEST_3" in found
    custom = ActionType(mine, inputs=(0, 5), outputs=(0, 5), variables=None)
    accepted(shop, types={**TYPES, mine: custom})


def test_an_unknown_action_type_is_answered_with_a_similar_one() -> None:
    typing_error = build(type=aws(Category.BUILD, "CodeBuilt"))
    (fault,) = faults(pipeline(SOURCE, Stage("Build", typing_error)))
    assert fault.advice == "use Build/AWS/CodeBuild/1"


def test_an_action_type_of_v2_in_a_v1_pipeline() -> None:
    """A3."""
    checked = (SOURCE, Stage("Check", commands()))
    refused(pipeline(*checked, type=V1), "A3", *MAKE, "actionTypeId", "provider")
    accepted(pipeline(*checked))


def test_a_missing_configuration_key() -> None:
    """A4."""
    lacking = deploy(configuration={"ApplicationName": "shop"})
    path = (*RELEASE, "configuration", "DeploymentGroupName")
    found = refused(pipeline(SOURCE, BUILD, Stage("Deploy", lacking)), "A4", *path)
    assert '"Release"' in found
    assert '"DeploymentGroupName"' in found
    accepted(pipeline())


def test_an_unknown_configuration_key() -> None:
    """A5."""
    extra = build(configuration={"ProjectName": "shop", "EnvironmentVariable": "[]"})
    bad = pipeline(SOURCE, Stage("Build", extra))
    refused(bad, "A5", *MAKE, "configuration", "EnvironmentVariable")
    assert faults(bad)[0].advice == 'write "EnvironmentVariables"'
    known = build(configuration={"ProjectName": "shop", "EnvironmentVariables": "[]"})
    accepted(pipeline(SOURCE, Stage("Build", known)))


def test_a_source_or_foreign_action_in_another_region() -> None:
    """A14."""
    mine = ActionTypeId(Category.BUILD, Owner.CUSTOM, "Mine")
    types = {**TYPES, mine: ActionType(mine, inputs=(1, 1), outputs=(1, 1), variables=None)}
    stores = {"us-east-1": STORE, "eu-west-1": STORE}
    both: dict[str, Any] = {"artifact_store": None, "artifact_stores": stores}
    away = "eu-west-1"
    judged_by: dict[str, Any] = {"types": types, "pipeline_region": "us-east-1"}
    abroad = pipeline(Stage("Source", source(region=away)), BUILD, **both)
    refused(abroad, "A14", *FETCH, "region", **judged_by)
    custom = build(type=mine, configuration={}, region=away)
    refused(pipeline(SOURCE, Stage("Build", custom), **both), "A14", *MAKE, "region", **judged_by)
    accepted(pipeline(SOURCE, Stage("Build", build(region=away)), **both), **judged_by)
    accepted(abroad)


def test_a_long_or_odd_value_of_a_queryable_key() -> None:
    """A15."""
    mine = ActionTypeId(Category.BUILD, Owner.CUSTOM, "Mine")
    keys = (Property("Job", queryable=True), Property("Note"))
    custom = ActionType(mine, (1, 1), (1, 1), keys, variables=None)

    def shop(job: str) -> Pipeline:
        configuration = {"Job": job, "Note": "any text: of any length"}
        return pipeline(SOURCE, Stage("Build", build(type=mine, configuration=configuration)))

    types = {**TYPES, mine: custom}
    for bad in ("j" * 21, "a job"):
        refused(shop(bad), "A15", *MAKE, "configuration", "Job", types=types)
    accepted(shop("j" * 20), types=types)


def test_commands_where_none_belong_and_none_where_they_do() -> None:
    """A16."""
    refused(pipeline(SOURCE, Stage("Check", commands(commands=()))), "A16", *MAKE, "commands")
    shell = build(commands=("make",))
    refused(pipeline(SOURCE, Stage("Build", shell)), "A16", *MAKE, "commands")
    files = build(outputs=(OutputArtifact("Program", ("bin/*",)),))
    refused(pipeline(SOURCE, Stage("Build", files)), "A16", *MAKE, "outputArtifacts")
    exported = build(output_variables=("TAG",))
    refused(pipeline(SOURCE, Stage("Build", exported)), "A16", *MAKE, "outputVariables")
    accepted(pipeline(SOURCE, Stage("Check", commands())))


def test_a_command_of_several_lines_is_refused_also_in_a_rule() -> None:
    """A16, 7.8: each command is one line."""
    two = commands(commands=("make", "a\nb"))
    refused(pipeline(SOURCE, Stage("Check", two)), "A16", *MAKE, "commands", 1)
    rule = Rule("look", RuleTypeId(provider="Commands"), commands=("a\nb",))
    gated = Stage("Check", commands(), before_entry=rule)
    place = ("stages", 1, "beforeEntry", "conditions", 0, "rules", 0)
    refused(pipeline(SOURCE, gated), "A16", *place, "commands", 0)


def from_github(token: str, name: str = "Fetch") -> Pipeline:
    github = Action(
        name,
        ActionTypeId(Category.SOURCE, Owner.THIRD_PARTY, "GitHub"),
        {"Owner": "me", "Repo": "shop", "Branch": "main", "OAuthToken": token},
        outputs=(OutputArtifact("Code"),),
    )
    return pipeline(Stage("Source", github), BUILD)


def test_a_masked_secret_of_a_new_action() -> None:
    """C24: a mask stands for no secret where there was none before, as after a rename (A18)."""
    path = (*FETCH, "configuration", "OAuthToken")
    masked = from_github("****")
    refused(masked, "A18", *path)
    refused(masked, "A18", *path, previous=from_github("secret", "Renamed"))
    refused(masked, "A18", *path, previous=pipeline())
    accepted(masked, previous=from_github("secret"))
    accepted(from_github("secret"))


def test_parameter_overrides_of_more_than_a_kilobyte() -> None:
    def shop(overrides: str) -> Pipeline:
        stack = {
            "ActionMode": "CREATE_UPDATE",
            "StackName": "shop",
            "ParameterOverrides": overrides,
        }
        action = Action("Stack", aws(Category.DEPLOY, "CloudFormation"), stack)
        return pipeline(SOURCE, Stage("Stack", action))

    (fault,) = faults(shop("é" * 513))
    assert fault.path == (*MAKE, "configuration", "ParameterOverrides")
    accepted(shop("é" * 512))
