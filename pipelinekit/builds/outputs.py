"""What a build gives away: the files of its artifacts with their names, and its variables."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from pipelinekit.builds.task import BuildFailed, Task
from pipelinekit.model.order import FailureType
from pipelinekit.ports.provider import Job
from pipelinekit.tools.commands.shell import Shell
from pipelinekit.tools.globs import GlobError, Globs, Selection, stage
from pipelinekit.wire.buildspec import Artifacts, Buildspec

NAME: Final = "PIPELINEKIT_ARTIFACT_NAME"
REFERENCE: Final = re.compile(r"\$(?:(\w+)|\{(\w+)\})")


def wanted_artifacts(spec: Buildspec, outputs: tuple[str, ...]) -> dict[str, Artifacts]:
    """Find which files each output artifact of an action takes.

    Args:
        spec: The buildspec.
        outputs: The names of the artifacts.

    Raises:
        BuildFailed: The buildspec says nothing of one of them.
    """
    found = {name: spec.artifacts_of(name, len(outputs)) for name in outputs}
    known = {name: artifacts for name, artifacts in found.items() if artifacts}
    if known.keys() != found.keys():
        section = "artifacts" if len(outputs) == 1 else "secondary-artifacts"
        raise BuildFailed(
            f"the action is to write {', '.join(found.keys() - known.keys())}, but the buildspec "
            f"has no {section} for it; list files there, by artifact if there are several"
        )
    return known


def artifact_names(task: Task, shell: Shell) -> dict[str, str]:
    """Work out what the buildspec calls its artifacts, with the commands in those names.

    Args:
        task: The build.
        shell: In which it ran.
    """
    names: dict[str, str] = {}
    for artifact, artifacts in task.artifacts.items():
        if artifacts.name is None:
            continue
        # In a here-document quotes need no care, and commands are still run.
        text = f"{NAME}=$(cat <<{NAME}_END\n{artifacts.name}\n{NAME}_END\n)"
        status = shell.run(text, "artifact-name.sh")
        name = shell.variables([NAME]).get(NAME) if status == 0 else None
        if name:
            names[artifact] = task.redactor.redacted(name)
        else:
            came = f"ended with {status}" if status else "comes out empty"
            task.say(f"{_artifact(artifact)}: its name {artifacts.name} {came}")
    return names


def referred(task: Task) -> Iterator[str]:
    """Name the shell variables that patterns of the artifacts mention."""
    for artifacts in task.artifacts.values():
        for text in (*artifacts.files, *artifacts.exclude_paths, artifacts.base_directory):
            yield from (match[1] or match[2] for match in REFERENCE.finditer(text))


def gather(task: Task, values: Mapping[str, str], names: Mapping[str, str]) -> dict[str, Path]:
    """Put the files of each artifact into a folder of its own.

    Args:
        task: The build.
        values: Shell variables, for those in patterns.
        names: What the artifacts are called, for the log.

    Raises:
        BuildFailed: A pattern leads out of the source, or an artifact has no file.
    """
    chosen = {name: _select(task, name, each, values) for name, each in task.artifacts.items()}
    folders: dict[str, Path] = {}
    for number, (name, selection) in enumerate(chosen.items()):
        folders[name] = task.folder / "artifacts" / str(number)
        stage(selection, folders[name])
        called = f", called {names[name]} by the buildspec" if name in names else ""
        task.say(f"{_artifact(name)}: {len(selection.files)} files{called}")
    return folders


def exported(task: Task, values: Mapping[str, str]) -> dict[str, str]:
    """Choose the variables that a build gives away, of those that its buildspec lists.

    Args:
        task: The build.
        values: Shell variables as they are at the end.

    Source:
        The buildspec reference of the CodeBuild user guide, `exported-variables`.
    """
    given: dict[str, str] = {}
    for name in task.spec.exported_variables:
        if name.startswith("AWS_"):
            task.say(f"{name} is not exported: CodeBuild keeps what begins with AWS_")
        elif name not in values:
            task.say(f"{name} is not exported: no command has set it")
        elif _is_secret(task, values[name]):
            task.say(f"{name} is not exported: its value holds a secret")
        else:
            given[name] = values[name]
    return given


def publish(job: Job, artifacts: Mapping[str, Path]) -> None:
    """Publish folders of files as the output artifacts of an action.

    Args:
        job: The attempt of the action.
        artifacts: The folder for each artifact, by the name that the action gives it.
    """
    for name, folder in artifacts.items():
        job.write(folder, name)


def _is_secret(task: Task, value: str) -> bool:
    return value in task.secrets or task.redactor.redacted(value) != value


def _select(task: Task, name: str, artifacts: Artifacts, values: Mapping[str, str]) -> Selection:
    def put_in(text: str) -> str:
        return REFERENCE.sub(lambda match: values.get(match[1] or match[2], match[0]), text)

    globs = Globs(
        include=tuple(map(put_in, artifacts.files)),
        exclude=tuple(map(put_in, artifacts.exclude_paths)),
        base=put_in(artifacts.base_directory),
        flat=artifacts.discard_paths,
        keep_links=artifacts.enable_symlinks,
    )
    try:
        selection = globs.select(task.sources.primary)
    except GlobError as error:
        raise BuildFailed(f"{_artifact(name)}: {error}", FailureType.JOB_FAILED) from None
    for path in selection.left_out:
        task.say(f"{_artifact(name)}: {path} is left out, it is no file of the source")
    if not selection.files:
        raise BuildFailed(
            f"CLIENT_ERROR: no file for {_artifact(name)} matches {', '.join(globs.include)} in "
            f"the base directory {globs.base}; see in the log what the build made, and where",
            FailureType.JOB_FAILED,
        )
    return selection


def _artifact(name: str) -> str:
    return f"artifact {name}" if name else "the primary artifact"
