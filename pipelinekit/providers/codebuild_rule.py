"""Rule/AWS/CodeBuild: a build that a condition consists of."""

from datetime import timedelta
from typing import Annotated

from pipelinekit import builds
from pipelinekit.builds.wanted import Env, Wanted
from pipelinekit.model.action import Action, Category, Owner
from pipelinekit.model.order import Outcome
from pipelinekit.model.settings import Settings
from pipelinekit.ports.provider import Job, Key, Traits, rule_provider
from pipelinekit.providers import BUILDS


def _check(action: Action, settings: Settings) -> str | None:
    return builds.project_obstacle(action, settings)


@rule_provider(
    Traits(
        category=Category.RULE,
        provider="CodeBuild",
        owner=Owner.AWS,
        inputs=(1, 5),
        outputs=(0, 0),
        detached=True,
        timeout=timedelta(hours=8),
        check=_check,
        preload=BUILDS,
    )
)
def codebuild_check(  # noqa: PLR0913 - a parameter for each key of the configuration
    job: Job,
    project: Annotated[str, Key("ProjectName")],
    *,
    env: Env = None,
    primary: Annotated[str | None, Key("PrimarySource")] = None,
    batch: Annotated[bool | None, Key("BatchEnabled")] = None,
    combine: Annotated[bool | None, Key("CombineArtifacts")] = None,
) -> Outcome:
    """Succeed when the build of a CodeBuild project succeeds, on this machine.

    It runs as a CodeBuild action does; what it makes and exports is not kept.

    Args:
        job: What is to be done.
        project: The project, by which `[codebuild.<project>]` is found.
        env: Values of environment variables by name, or CodeBuild's JSON array of `name`, `value`
            and `type`; they prevail over the project's, and those over the buildspec's.
        primary: The input artifact in which the build starts; needed with more than one.
        batch: Whether the builds of the buildspec's section `batch` are run.
        combine: Whether the artifacts of a batch build become one.

    Source: codepipeline.md 7.7, 8.
    """
    return builds.build_project(
        job,
        Wanted(project, env=env, primary=primary, batch=bool(batch), combine=bool(combine)),
    )
