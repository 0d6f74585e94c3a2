"""The commands of a step and their variables, as an attempt of it had them, for a notebook."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from pipelinekit import builds
from pipelinekit.engine.inputs import put_in, put_in_shell
from pipelinekit.kit.run import Run
from pipelinekit.model.action import Action, SecretType
from pipelinekit.model.execution import ActionExecution
from pipelinekit.model.noun import Noun
from pipelinekit.model.settings import Project, Settings
from pipelinekit.tools.documents.document import DocumentError
from pipelinekit.wire.buildspec import Buildspec, Phase
from pipelinekit.wire.environment_variables import Variables, read_variables

STOP: Final = "[ $? = 0 ] || exit 1"
"""What follows each command; `set -e` lets `test -f gone && rm gone` pass, a build not."""


class Step(Noun):
    """What a step does, for the cells of a notebook.

    Attributes:
        cell: The source of the cell with its commands; one that fails where none are known.
        variables: The environment variables that they see.
        primary: The input in whose folder they start; the first one when empty.
    """

    cell: str
    variables: Variables = Variables()
    primary: str = ""


def step_of(
    run: Run, row: ActionExecution, inputs: Mapping[str, Path], settings: Settings
) -> Step:
    """Give the commands of an attempt that was no notebook.

    Args:
        run: The execution.
        row: The attempt.
        inputs: The folders of its inputs, by name.
        settings: Of the project's folder.
    """
    action = declared(run, row)
    if action.commands:
        return _of_commands(run, action, settings)
    if row.type.provider != "CodeBuild":
        return Step(_unknown(f"an action of type {row.type} has no commands"))
    try:
        return _of_project(row, action, inputs, settings)
    except (builds.BuildFailed, DocumentError) as error:
        return Step(_unknown(str(error)))


def declared(run: Run, row: ActionExecution) -> Action:
    """Give the action of an attempt, as the definition has it."""
    stages = {stage.name: stage for stage in run.definition.stages}
    return next(each for each in stages[row.stage].actions if each.name == row.action)


def _of_commands(run: Run, action: Action, settings: Settings) -> Step:
    known = _known(run)

    def find(namespace: str, key: str) -> str | None:
        return known.get((namespace, key))

    commands, shell, unset = put_in_shell(action.commands, find)
    values, absent = put_in({each.name: each.value for each in action.environment}, find)
    if missing := ", ".join((*unset, *absent)):
        return Step(_unknown(f"the values of {missing} are no longer kept; run it again"))
    hidden = {each.name for each in action.environment if each.type is SecretType.SECRETS_MANAGER}
    own = Variables(
        plain={each.name: each.value for each in shell}
        | {name: value for name, value in values.items() if name not in hidden},
        secrets={name: value for name, value in values.items() if name in hidden},
    )
    spec = Buildspec("0.2", (Phase("commands", commands),))
    return Step(_script(spec), own.over(Variables(builds.account_variables(settings))))


def _known(run: Run) -> dict[tuple[str, str], str]:
    execution = run.execution
    # A rollback goes on with what the actions before its stage gave in the execution it restores.
    known = _known(run.other(execution.target)) if execution.target else {}
    known["codepipeline", "PipelineExecutionId"] = run.id
    known |= {("variables", name): value for name, value in execution.variables.items()}
    for row in run.actions:
        namespace = declared(run, row).namespace or ""
        known |= {(namespace, name): value for name, value in row.variables.items()}
    return known


def _of_project(
    row: ActionExecution, action: Action, inputs: Mapping[str, Path], settings: Settings
) -> Step:
    given, name = row.resolved, row.resolved["ProjectName"]
    project = settings.projects.get(name, Project())
    primary = builds.primary_of(action.inputs, given.get("PrimarySource"))
    if primary not in inputs:
        raise builds.BuildFailed(
            f"the files of input {primary} are not there: the build never began"
        )
    where = given.get("BuildspecOverride") or project.buildspec or builds.BUILDSPEC
    spec = builds.read_spec(inputs[primary], where, name)
    own = read_variables(given.get("EnvironmentVariables", "[]"))
    asked = builds.asked_variables(own, project, spec).over(
        Variables(builds.account_variables(settings))
    )
    cell = _script(spec)
    if spec.idle:
        cell = _unknown("the buildspec of the project has none; the builds of a batch have theirs")
    return Step(cell, asked, primary)


def _script(spec: Buildspec) -> str:
    magic = "%%bash" if spec.shell in {None, "bash"} else f"%%script {spec.shell}"
    # A magic hands the commands over as standard input, where one of them would read the others.
    return "\n".join((magic, "{", *_lines(spec), "} </dev/null"))


def _lines(spec: Buildspec) -> Iterator[str]:
    alone = spec.version == "0.1"
    for phase in spec.phases:
        for part, commands in (phase.name, phase.commands), ("finally", phase.last):
            if commands:
                yield f"# {part}"
            for command in commands:
                yield f"(\n{command}\n)" if alone else command.rstrip("\n")
                yield STOP


def _unknown(why: str) -> str:
    told = re.sub(r"^", "# ", why, flags=re.MULTILINE)
    return (
        f"%%bash\n# The commands of this step are not known:\n{told}\n"
        f"# Write what is to be tried here, in the place of the next line.\nexit 1"
    )
