"""Why an action cannot do in its pipeline what it could do in another one."""

from collections.abc import Mapping
from typing import Final

from pipelinekit.model.action import Action
from pipelinekit.model.pipeline import Pipeline

FORMAT: Final = "CODEBUILD_CLONE_REF"
READERS: Final = {"CodeBuild"}
STARTER: Final = "CodePipeline"


def references(pipeline: Pipeline) -> dict[str, str]:
    """Give the artifacts that only name a commit, each with the name of its source action.

    Args:
        pipeline: The definition.

    Source:
        codepipeline.md 6.
    """
    return {
        output.name: action.name
        for stage in pipeline.stages
        for action in stage.actions
        if action.configuration.get("OutputArtifactFormat") == FORMAT
        for output in action.outputs
    }


def misuse(action: Action, pipeline: str, referring: Mapping[str, str]) -> str | None:
    """Say why an action is bound to fail in its pipeline; None where it is not.

    Args:
        action: The action, or a rule in the guise of one.
        pipeline: The name of its pipeline.
        referring: What `references` gives of that pipeline.
    """
    if action.type.provider == STARTER:
        return circle(action.configuration.get("PipelineName", ""), pipeline)
    if action.type.provider in READERS:
        return None
    unreadable = (name for name in action.inputs if name in referring)
    return next((_unreadable(name, referring[name]) for name in unreadable), None)


def circle(started: str, pipeline: str) -> str | None:
    """Refuse to let a pipeline start itself; None where it starts another one.

    Args:
        started: The name of the pipeline that is to be started.
        pipeline: The name of the one with the action that starts it.
    """
    if started != pipeline:
        return None
    return f"pipeline {started!r} is to start itself, which would never end; name another one"


def _unreadable(artifact: str, source: str) -> str:
    return (
        f"it reads artifact {artifact}, which {source} writes as a mere reference to a commit "
        f"({FORMAT}) that only CodeBuild actions can read; set OutputArtifactFormat of {source} "
        f"to CODE_ZIP"
    )
