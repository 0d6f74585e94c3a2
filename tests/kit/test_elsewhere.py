"""What is refused because AWS does it, and what it is told to do instead."""

import tomllib

import pytest

from pipelinekit.engine.catalog import TYPES
from pipelinekit.kit.ability import runs_here
from pipelinekit.kit.elsewhere import COMMANDS, ENDED, elsewhere
from pipelinekit.model.action import Action, ActionTypeId, Category, Owner
from pipelinekit.model.errors import CannotRunHere
from pipelinekit.model.pipeline import Pipeline, Stage
from pipelinekit.model.settings import Settings


@pytest.mark.parametrize("name", [*COMMANDS, *ENDED])
def test_every_type_of_the_table_is_one_of_codepipeline(name: str) -> None:
    assert name in set(map(str, TYPES))


@pytest.mark.parametrize("provider", ["StepFunctions", "CloudFormation"])
def test_a_pipeline_that_needs_aws_is_refused_with_the_way_to_an_endpoint(provider: str) -> None:
    category = Category.INVOKE if provider == "StepFunctions" else Category.DEPLOY
    action = Action("far", ActionTypeId(category, Owner.AWS, provider))
    with pytest.raises(CannotRunHere, match=f"far: {category}/AWS/{provider}/1") as raised:
        runs_here(Pipeline("shop", (Stage("Go", action),)), Settings())
    told = str(raised.value)
    assert COMMANDS[str(action.type)] in told
    lines = tomllib.loads(told[told.index("[codebuild") :])
    assert lines["codebuild"]["PROJECT"]["environment"]["AWS_ENDPOINT_URL"].startswith("http")


def test_a_service_that_is_closed_is_told_as_that() -> None:
    told = elsewhere(ActionTypeId(Category.DEPLOY, Owner.AWS, "OpsWorks"))
    assert told is not None
    assert "closed" in told


def test_a_type_of_ones_own_is_not_done_elsewhere() -> None:
    assert elsewhere(ActionTypeId(Category.TEST, Owner.CUSTOM, "Smoke")) is None
