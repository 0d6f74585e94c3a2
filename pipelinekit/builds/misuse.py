"""Which actions would read an artifact that is only the name of a commit, and cannot."""

from collections.abc import Iterator, Mapping
from typing import Final

from pipelinekit.model.action import Action
from pipelinekit.model.pipeline import Pipeline

FORMAT: Final = "CODEBUILD_CLONE_REF"
READERS: Final = {"CodeBuild"}


def misused(pipeline: Pipeline) -> Iterator[tuple[Action, str]]:
    """Find the actions that read an artifact which only CodeBuild can read, and say why.

    Args:
        pipeline: The definition.

    Source:
        codepipeline.md 6.
    """
    actions = [action for stage in pipeline.stages for action in stage.actions]
    references = {
        output.name: action.name
        for action in actions
        if _is_reference(action.configuration)
        for output in action.outputs
    }
    for action in actions:
        if action.type.provider in READERS:
            continue
        for name in action.inputs:
            if name in references:
                yield action, _misuse(name, references[name])


def _misuse(artifact: str, source: str) -> str:
    return (
        f"it reads artifact {artifact}, which {source} writes as a mere reference to a commit "
        f"({FORMAT}) that only CodeBuild actions can read; set OutputArtifactFormat of {source} "
        f"to CODE_ZIP"
    )


def _is_reference(configuration: Mapping[str, str]) -> bool:
    return configuration.get("OutputArtifactFormat") == FORMAT
