"""Rule/AWS/Commands: shell commands that a condition consists of."""

from datetime import timedelta

from msgspec.structs import replace

from pipelinekit import builds
from pipelinekit.model.action import Action, Category, Owner
from pipelinekit.model.condition import Rule
from pipelinekit.model.order import Outcome
from pipelinekit.model.settings import Project, Settings
from pipelinekit.ports.provider import Job, Traits, rule_provider
from pipelinekit.providers import BUILDS


def _check(action: Action, settings: Settings) -> str | None:
    if not action.commands:
        return "it has no commands, so that nothing would be checked; write commands into the rule"
    return builds.place_obstacle(Project(), settings)


@rule_provider(
    Traits(
        category=Category.RULE,
        provider="Commands",
        owner=Owner.AWS,
        inputs=(0, 10),
        outputs=(0, 0),
        detached=True,
        timeout=timedelta(minutes=55),
        check=_check,
        preload=BUILDS,
    )
)
def commands_rule(job: Job) -> Outcome:
    """Succeed when every command of the rule exits with 0; they share one shell, on this machine.

    They start in the folder of the first input, or in an empty one; those of the others are at
    `CODEBUILD_SRC_DIR_<name>`. The first command that does not exit with 0 fails the rule. What
    they see of this machine and of the network, `[compute]` of pipelinekit.toml says.

    Args:
        job: What is to be done.

    Source: codepipeline.md 8.
    """
    return builds.build_commands(job)


def commands_check(name: str, /, *lines: str) -> Rule:
    """Write down a rule that runs shell commands, all of which have to succeed.

    ```python
    lint = pk.commands_check("lint", "make lint", "make docs").reads(app)
    pk.Stage("Build", build, before_entry=lint)
    ```

    Args:
        name: The rule's name in its condition.
        lines: The commands, each of one line.

    Source: codepipeline.md 8.
    """
    return replace(commands_rule(name), commands=lines)
