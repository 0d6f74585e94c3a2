"""Tells of every action of a pipeline whether it runs here, needs AWS, or is not supported."""

from collections.abc import Iterator
from enum import StrEnum

from pipelinekit.kit.ability import obstacles
from pipelinekit.kit.elsewhere import COMMANDS, elsewhere
from pipelinekit.kit.registry import discover
from pipelinekit.model.action import Action
from pipelinekit.model.noun import Noun
from pipelinekit.model.pipeline import Pipeline
from pipelinekit.model.settings import Settings


class Fidelity(StrEnum):
    """How much of what an action does at AWS is done here."""

    HERE = "runs here"
    ONCE_CONFIGURED = "runs here once configured"
    NEEDS_AWS = "needs AWS"
    NOT_SUPPORTED = "not supported"


class Told(Noun):
    """What is told of an action or a rule.

    Attributes:
        place: Such as `action Build/compile` or `rule Production/hours`.
        type: Its type, such as `Build/AWS/CodeBuild/1`.
        fidelity: Whether it runs here.
        why: Why it does not, and what changes that; empty where it runs.
    """

    place: str
    type: str
    fidelity: Fidelity
    why: str = ""


def fidelity(pipeline: Pipeline, settings: Settings | None = None) -> tuple[Told, ...]:
    """Tell of each action and each rule of a pipeline whether it runs here.

    Args:
        pipeline: The definition.
        settings: Of the folder that it is to run in; those that say nothing when None.
    """
    return tuple(_told(pipeline, settings or Settings()))


def _told(pipeline: Pipeline, settings: Settings) -> Iterator[Told]:
    for place, action, why in obstacles(pipeline, settings):
        yield Told(place, str(action.type), _judged(action, why), why or "")


def _judged(action: Action, why: str | None) -> Fidelity:
    if not why:
        return Fidelity.HERE
    if action.type in discover():
        return Fidelity.ONCE_CONFIGURED
    known = elsewhere(action.type) is not None and str(action.type) in COMMANDS
    return Fidelity.NEEDS_AWS if known else Fidelity.NOT_SUPPORTED
