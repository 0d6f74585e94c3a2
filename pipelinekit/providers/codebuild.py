"""CodeBuild on this machine: runs a project's buildspec in one shell, and keeps what it made."""

import re
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final

from pipelinekit.model.action import Action, Category, Owner
from pipelinekit.model.order import Failed, FailureType, Outcome, Succeeded
from pipelinekit.model.settings import Project, Settings
from pipelinekit.ports.provider import Job, Key, Traits, provider
from pipelinekit.tools.document import Document, DocumentError, parse, read
from pipelinekit.tools.globs import GlobError, Globs, Selection, stage
from pipelinekit.tools.places import printable
from pipelinekit.tools.shell import Shell, ShellTimeout
from pipelinekit.tools.surroundings import (
    REGION,
    interpreter,
    odd_variable,
    shell_program,
    small_environment,
    user,
)
from pipelinekit.wire.buildspec import Artifacts, Buildspec, OnFailure, Phase, read_buildspec
from pipelinekit.wire.environment_variables import read_variables, write_variables

INLINE: Final = re.compile(r"\s*(version\s*:|\{)|.*\n", re.DOTALL)
REFERENCE: Final = re.compile(r"\$(?:(\w+)|\{(\w+)\})")
SHOWN: Final = 12


class _Refused(Exception):
    def __init__(self, message: str, code: FailureType = FailureType.CONFIGURATION_ERROR) -> None:
        super().__init__(message)
        self.code = code


class _Variables:
    """Writes a mapping as CodeBuild's JSON; text is read later, where it can be refused."""

    def write(self, value: object) -> str:
        return write_variables(value) if isinstance(value, Mapping) else str(value)

    def read(self, text: str) -> object:
        return text


@dataclass(frozen=True, slots=True)
class _Build:
    job: Job
    name: str
    project: Project
    spec: Buildspec
    source: Path
    environment: Mapping[str, str]


def build(  # noqa: PLR0913 - a parameter for each key of the configuration
    job: Job,
    project: Annotated[str, Key("ProjectName")],
    *,
    buildspec: Annotated[str | None, Key("BuildspecOverride")] = None,
    env: Annotated[
        Mapping[str, str] | str | None, Key("EnvironmentVariables", form=_Variables())
    ] = None,
    primary: Annotated[str | None, Key("PrimarySource")] = None,
    batch: Annotated[bool | None, Key("BatchEnabled")] = None,
    combine: Annotated[bool | None, Key("CombineArtifacts")] = None,
) -> Outcome:
    """Run the buildspec of a CodeBuild project, on this machine and as this user.

    All commands share one shell, so that a `cd` or an `export` holds for those that follow. They
    see a small environment without credentials: give what they need in
    `[codebuild.<project>.environment]`, or in `env`. A project that is not configured runs the
    `buildspec.yml` of its source. Output variables are the buildspec's `exported-variables`.

    Args:
        job: What is to be done.
        project: The project, by which `[codebuild.<project>]` is found.
        buildspec: A path in the primary source, or YAML, in place of the project's own buildspec.
        env: Values of environment variables by name, or CodeBuild's JSON array of `name`, `value`
            and `type`; they prevail over the project's, and those over the buildspec's.
        primary: The input artifact in which the build starts; needed with more than one.
        batch: Whether this is a batch build, which cannot run here.
        combine: Whether the artifacts of a batch build become one.

    Returns:
        Failed, with the command that failed or with what to configure; Succeeded otherwise.

    Source:
        codepipeline.md 7.7.
    """
    external = f"{project}:{job.order.id}"
    began = time.monotonic()
    try:
        _refuse_batch(batch or combine)
        variables = _run(_prepared(job, project, buildspec, _overrides(env), primary))
    except _Refused as refused:
        return Failed(str(refused), code=refused.code, external_id=external)
    return Succeeded(variables, f"Build succeeded in {time.monotonic() - began:.1f} s", external)


def _check(action: Action, _: Settings) -> str | None:
    given = action.configuration
    env = given.get("EnvironmentVariables")
    try:
        _refuse_batch("true" in (given.get("BatchEnabled"), given.get("CombineArtifacts")))
        _primary(action.inputs, given.get("PrimarySource"))
        inline = given.get("BuildspecOverride", "")
        if INLINE.match(inline) and "#{" not in inline:
            _spec(Path(), inline, given.get("ProjectName", ""))
        if env is not None and "#{" not in env:  # else it is no JSON yet
            _overrides(env)
    except _Refused as refused:
        return str(refused)
    return None


_TRAITS: Final = Traits(
    category=Category.BUILD,
    provider="CodeBuild",
    owner=Owner.AWS,
    inputs=(1, 5),
    detached=True,
    timeout=timedelta(hours=36),
    check=_check,
)
codebuild = provider(_TRAITS)(build)
codebuild_test = provider(replace(_TRAITS, category=Category.TEST, timeout=timedelta(hours=8)))(
    build
)


def _run(build: _Build) -> dict[str, str]:
    wanted = _wanted(build)
    program = shell_program(build.spec.shell)
    if program is None:
        raise _Refused(f"the buildspec asks for the shell {build.spec.shell}; install it here")
    minutes = build.project.timeout_minutes
    with Shell(
        program,
        build.environment,
        start=build.source,
        folder=build.job.folder / "shell",
        deadline=None if minutes is None else time.monotonic() + 60 * minutes,
    ) as shell:
        try:
            failure = _run_phases(build, shell)
        except ShellTimeout:
            failure = (
                f"the build of project {build.name} was to end within {minutes} minutes, and was "
                f"killed then; see the log, or raise timeout_minutes in [codebuild.{build.name}]"
            )
        if failure:
            raise _Refused(failure, FailureType.JOB_FAILED)
        values = shell.variables({*build.spec.exported_variables, *_references(wanted)})
    _publish(build, wanted, values)
    return dict(_exported(build, values))


# ------------------------------------------------------------------ before the build


def _prepared(
    job: Job, name: str, override: str | None, overrides: Mapping[str, str], primary: str | None
) -> _Build:
    project = job.settings.projects.get(name, Project())
    names = [each.name for each in job.order.inputs]
    chosen = _primary(names, primary)
    folders = {each: job.read(each) for each in names}
    source = folders.pop(chosen)
    spec = _spec(source, override or project.buildspec or "buildspec.yml", name)
    given = {**project.environment, **overrides}
    _refuse_unfit(spec, given, name)
    own = _own_variables(job, name, chosen, source)
    for each, folder in folders.items():
        own["CODEBUILD_SRC_DIR_" + re.sub(r"\W", "_", each)] = str(folder)
    environment = {**small_environment(job.folder / "tmp"), **spec.variables, **given, **own}
    if odd := odd_variable(environment):
        raise _Refused(odd)
    _tell(job, spec, environment)
    return _Build(job, name, project, spec, source, environment)


def _refuse_batch(asked: bool | None) -> None:  # noqa: FBT001 - the value of a configuration key
    if asked:
        raise _Refused(
            "a batch build is asked for, but they do not run on this machine; take BatchEnabled "
            "and CombineArtifacts out, or write an action for each build, with BuildspecOverride"
        )


def _primary(inputs: Iterable[str], primary: str | None) -> str:
    names = list(inputs)
    if primary is None and len(names) == 1:
        return names[0]
    if primary is None or primary not in names:
        asked = "no PrimarySource is given" if primary is None else f"PrimarySource is {primary}"
        raise _Refused(
            f"{asked}, and the action's inputs are {', '.join(names) or 'none'}; set "
            f"PrimarySource to the input in which the build starts"
        )
    return primary


def _overrides(env: Mapping[str, str] | str | None) -> dict[str, str]:
    try:
        return read_variables(env) if isinstance(env, str) else dict(env or {})
    except DocumentError as error:
        raise _Refused(str(error)) from None


def _spec(source: Path, where: str, project: str) -> Buildspec:
    try:
        if INLINE.match(where):
            return read_buildspec(parse(where, "the inline buildspec"))
        return read_buildspec(_document(source, where, project))
    except DocumentError as error:
        raise _Refused(f"the buildspec of project {project} cannot be used: {error}") from None


def _document(source: Path, where: str, project: str) -> Document:
    path = (source / where).resolve()
    if not path.is_relative_to(source.resolve()):
        raise _Refused(
            f"the buildspec {where} of project {project} lies outside of the source; move it there"
        )
    if not path.is_file():
        names = sorted(each.name + "/" * each.is_dir() for each in source.iterdir())
        shown = ", ".join(names[:SHOWN]) + ", ..." * (len(names) > SHOWN)
        raise _Refused(
            f"YAML_FILE_ERROR: the buildspec {where} of project {project} was looked for in the "
            f"primary source, which holds {shown or 'nothing'}; add it there, or name another in "
            f'pipelinekit.toml under [codebuild.{project}]: buildspec = "..."'
        )
    return read(path, name=where)


def _refuse_unfit(spec: Buildspec, given: Mapping[str, str], project: str) -> None:
    if unread := spec.unread(given):
        raise _Refused(
            f"the buildspec asks for {', '.join(unread)}, which are not read on this machine; "
            f"give the values in [codebuild.{project}.environment] of pipelinekit.toml, or as "
            f"PLAINTEXT in the action's EnvironmentVariables"
        )
    if not any(phase.commands or phase.last for phase in spec.phases):
        raise _Refused(
            f"the buildspec of project {project} has no command, so that nothing would be built; "
            f"write commands in one of its phases"
        )
    for phase in spec.phases:
        asked = phase.run_as or spec.run_as
        if asked not in {None, user()}:
            raise _Refused(
                f"phase {phase.name} is to run as {asked}, but builds run here as {user()}, who "
                f"cannot become someone else; take run-as out, or start pipelinekit as {asked}"
            )


def _own_variables(job: Job, project: str, primary: str, source: Path) -> dict[str, str]:
    order = job.order
    artifact = next(each for each in order.inputs if each.name == primary)
    build = f"{project}:{order.id}"
    return {
        "CODEBUILD_BUILD_ID": build,
        "CODEBUILD_BUILD_ARN": f"arn:aws:codebuild:{REGION}:000000000000:build/{build}",
        "CODEBUILD_BUILD_NUMBER": str(order.number),
        "CODEBUILD_BUILD_IMAGE": "host",
        "CODEBUILD_BUILD_SUCCEEDING": "1",
        "CODEBUILD_INITIATOR": f"codepipeline/{order.pipeline}",
        "CODEBUILD_KMS_KEY_ID": "alias/aws/s3",
        "CODEBUILD_LOG_PATH": order.id,
        "CODEBUILD_RESOLVED_SOURCE_VERSION": artifact.revision,
        "CODEBUILD_SOURCE_VERSION": f"arn:aws:s3:::{artifact.bucket}/{artifact.object_key}",
        "CODEBUILD_SRC_DIR": str(source),
        "CODEBUILD_START_TIME": str(time.time_ns() // 1_000_000),
        "PIPELINEKIT_ACTION_EXECUTION_ID": order.id,
    }


def _tell(job: Job, spec: Buildspec, environment: Mapping[str, str]) -> None:
    for note in spec.notes:
        job.say(note)
    for phase in spec.phases:
        for name, version in phase.runtime_versions.items():
            program, found = interpreter(name, environment)
            here = f"{program} is {found} here" if found else f"there is no {program} here"
            job.say(f"{name} {version} asked; {here}")
        if phase.on_failure is OnFailure.RETRY:
            job.say(f"phase {phase.name}: builds are not retried here, on-failure means ABORT")
    for name, things in (("reports", spec.reports), ("cache", spec.cache)):
        if things:
            job.say(f"{name}: not collected on this machine ({', '.join(things)})")


# ------------------------------------------------------------------ the phases


def _run_phases(build: _Build, shell: Shell) -> str | None:
    failure = None
    for phase in build.spec.phases:
        failed = _run_phase(build, shell, phase)
        failure = failure or failed
        # CodeBuild itself goes on after a failure in one case only: from build to post_build.
        implied = OnFailure.CONTINUE if phase.name == "build" else OnFailure.ABORT
        if failed and (phase.on_failure or implied) is not OnFailure.CONTINUE:
            break
    return failure


def _run_phase(build: _Build, shell: Shell, phase: Phase) -> str | None:
    build.job.say(f"-- phase {phase.name} --")
    began = time.monotonic()
    failures: list[str] = []
    for number, command in enumerate((*phase.commands, *phase.last), start=1):
        if failures and number <= len(phase.commands):
            continue
        build.job.say("$ " + command.rstrip().replace("\n", "\n  "))
        status = shell.run(command, f"{phase.name}.sh")
        if build.spec.version == "0.1":
            shell.forget()
        if status:
            told = f"command `{printable(command.strip(), 100)}` of phase {phase.name}"
            failures.append(f"{told} exited with {status}; see the log")
            shell.export("CODEBUILD_BUILD_SUCCEEDING", "0")
    came = "failed" if failures else "succeeded"
    build.job.say(f"-- phase {phase.name} {came}, {time.monotonic() - began:.1f} s --")
    return failures[0] if failures else None


# ------------------------------------------------------------------ after the build


def _wanted(build: _Build) -> dict[str, Artifacts]:
    names = [output.name for output in build.job.order.outputs]
    wanted = {name: build.spec.artifacts_of(name, len(names)) for name in names}
    known = {name: artifacts for name, artifacts in wanted.items() if artifacts}
    if known.keys() != wanted.keys():
        section = "artifacts" if len(names) == 1 else "secondary-artifacts"
        raise _Refused(
            f"the action is to write {', '.join(wanted.keys() - known.keys())}, but the buildspec "
            f"has no {section} for it; list files there, by artifact if there are several"
        )
    return known


def _references(wanted: Mapping[str, Artifacts]) -> Iterator[str]:
    for artifacts in wanted.values():
        for text in (*artifacts.files, *artifacts.exclude_paths, artifacts.base_directory):
            yield from (match[1] or match[2] for match in REFERENCE.finditer(text))


def _publish(build: _Build, wanted: Mapping[str, Artifacts], values: Mapping[str, str]) -> None:
    chosen = {name: _select(build, name, each, values) for name, each in wanted.items()}
    for name, selection in chosen.items():
        folder = build.job.folder / "artifacts" / name
        stage(selection, folder)
        build.job.write(folder, name)
        build.job.say(f"artifact {name}: {len(selection.files)} files")


def _select(
    build: _Build, name: str, artifacts: Artifacts, values: Mapping[str, str]
) -> Selection:
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
        selection = globs.select(build.source)
    except GlobError as error:
        raise _Refused(f"artifact {name}: {error}") from None
    for path in selection.left_out:
        build.job.say(f"artifact {name}: {path} is left out, it is no file of the source")
    if not selection.files:
        raise _Refused(
            f"CLIENT_ERROR: no file for artifact {name} matches {', '.join(globs.include)} in the "
            f"base directory {globs.base}; see in the log what the build made, and where",
            FailureType.JOB_FAILED,
        )
    return selection


def _exported(build: _Build, values: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name in build.spec.exported_variables:
        if name.startswith("AWS_"):
            build.job.say(f"{name} is not exported: CodeBuild keeps what begins with AWS_")
        elif name in values:
            yield name, values[name]
        else:
            build.job.say(f"{name} is not exported: no command has set it")
