"""Runs one build from its source to its artifacts: `prepare` makes a task, `carry_out` does it."""

import os
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from pipelinekit import builds
from pipelinekit.builds.cache import BuildCache, Ground, asked
from pipelinekit.builds.compute import home_of, place_notes, place_of
from pipelinekit.builds.environment import asked_variables, environment_of
from pipelinekit.builds.outputs import (
    artifact_names,
    exported,
    gather,
    publish,
    referred,
    wanted_artifacts,
)
from pipelinekit.builds.phases import PhaseFailed, Shells, run_phases
from pipelinekit.builds.source import copied, let_others_read, put_back, read_spec
from pipelinekit.builds.task import BuildFailed, Built, Request, Sources, Task
from pipelinekit.builds.transcript import Transcript
from pipelinekit.model.order import Failed, FailureType, Outcome, Succeeded
from pipelinekit.model.testreport import TestReport
from pipelinekit.ports.provider import Job
from pipelinekit.tools.commands.confinement import Confinement, ConfinementError
from pipelinekit.tools.commands.shell import ShellEnded, ShellTimeout
from pipelinekit.tools.commands.surroundings import interpreter, passwords, user
from pipelinekit.tools.redact import Redactor
from pipelinekit.wire.buildspec import Artifacts, Buildspec, OnFailure

BUILDSPEC: Final = "buildspec.yml"
OPEN_TO_ALL: Final = 0o1777


def prepare(request: Request, sources: Sources, spec: Buildspec | None = None) -> Task:
    """Read the buildspec, give every variable its value, and refuse what cannot be done here.

    A batch gives each of its builds a request of its own (`identifier`, `folder`, `buildspec`,
    `variables`) and a copy of the sources.

    Args:
        request: What is asked for.
        sources: The folders of the inputs, untouched.
        spec: What is to be done, where it is not to be read.

    Raises:
        BuildFailed: It cannot be done here; nothing has run.
    """
    spec = spec or buildspec_of(request, sources)
    refuse_idle(spec, request.name)
    asked = asked_variables(request.variables, request.project, spec)
    place = place_of(request, sources)
    _let_in(spec, sources, place, request.workplace / "tmp")
    hidden: Mapping[str, str] = {}
    if asked.parameters or asked.secrets:
        hidden = builds.fetch(request.job.settings, asked.parameters, asked.secrets)
    secrets = (*hidden.values(), *passwords())
    task = Task(
        request=request,
        sources=sources,
        spec=spec,
        artifacts=_artifacts(request, spec),
        environment=environment_of(
            request, sources, place.place, {**asked.plain, **hidden}, git=spec.git_credentials
        ),
        secrets=secrets,
        redactor=Redactor(secrets),
        place=place,
    )
    _tell(task)
    return task


def buildspec_of(request: Request, sources: Sources) -> Buildspec:
    """Read the buildspec that is asked for, else the project's, else `buildspec.yml`.

    Args:
        request: What is asked for.
        sources: The folders of the inputs.

    Raises:
        BuildFailed: It is not there, or cannot be understood.
    """
    where = request.buildspec or request.project.buildspec or BUILDSPEC
    return read_spec(sources.primary, where, request.name)


def refuse_idle(spec: Buildspec, name: str) -> None:
    """Refuse a buildspec by which nothing would be done.

    Args:
        spec: The buildspec.
        name: Of the project.

    Raises:
        BuildFailed: No phase of it has a command.
    """
    if spec.idle:
        raise BuildFailed(
            f"the buildspec of project {name} has no command, so that nothing would be built; "
            f"write commands in one of its phases"
        )


def carry_out(task: Task) -> Built:
    """Run the phases of a build and gather what it made; nothing is published.

    Where a phase that failed asks for it, the build is run again from an untouched source.

    Args:
        task: The build.

    Raises:
        BuildFailed: A command failed, the time was up, or an artifact has no files.
    """
    minutes = task.request.project.timeout_minutes
    deadline = None if minutes is None else time.monotonic() + 60 * minutes
    originals = copied(task.sources, task.folder / "originals") if _may_retry(task.spec) else None
    times = 0
    while True:
        try:
            return _run(task, str(times), deadline)
        except PhaseFailed as failed:
            if originals is None or not failed.asks_again(times):
                raise
            reaction = failed.phase.on_failure
        times += 1
        task.say(f"-- run again, {times} of up to {reaction.times if reaction else 0} times --")
        put_back(task.sources, originals)


def concluded(job: Job, external_id: str, work: Callable[[], Built]) -> Outcome:
    """Do the work of a build action, publish what it made, and give the action's outcome.

    Args:
        job: The attempt of the action.
        external_id: What the build is called.
        work: Runs the build, or the builds.
    """
    began = time.monotonic()
    try:
        built = work()
    except BuildFailed as failed:
        return Failed(
            str(failed),
            code=failed.code,
            external_id=external_id,
            place=failed.place or "here",
            reports=failed.reports,
        )
    publish(job, built.artifacts)
    named = "".join(f"; {name} is called {called}" for name, called in built.names.items())
    return Succeeded(
        variables=built.variables,
        summary=f"Build succeeded in {time.monotonic() - began:.1f} s{named}",
        external_id=external_id,
        place=built.place,
        reports=built.reports,
    )


def _run(task: Task, folder: str, deadline: float | None) -> Built:
    reports: tuple[TestReport, ...] = ()
    try:
        try:
            cache = _cache(task)
            values, names = _commands_run(task, folder, deadline, cache)
        finally:
            if task.spec.reports:
                reports = builds.collect(
                    task.spec.reports, task.sources.primary, task.redactor, task.say
                )
        folders = gather(task, values, names)
        if cache:
            cache.keep()
        return Built(exported(task, values), folders, names, task.place.place, reports)
    except BuildFailed as failed:
        failed.args = (task.redactor.redacted(str(failed)),)
        failed.place, failed.reports = task.place.place, reports
        raise
    finally:
        # What a shell exported is in its files, secrets too, and a cache is kept from the home.
        shutil.rmtree(task.request.private, ignore_errors=True)


def _commands_run(
    task: Task, folder: str, deadline: float | None, cache: BuildCache | None
) -> tuple[Mapping[str, str], Mapping[str, str]]:
    listens = _may_retry(task.spec)
    with (
        Transcript(task.redactor, say=task.request.say, listens=listens) as transcript,
        Shells(task, folder, deadline, transcript.output) as shells,
    ):
        try:
            shell = shells.of(task.spec.run_as)
            if cache:
                cache.restore(shell)
            if failure := run_phases(task, shells, transcript):
                raise failure
            names = artifact_names(task, shell)
            values = shell.variables({*task.spec.exported_variables, *referred(task)})
        except ShellTimeout:
            name, minutes = task.request.name, task.request.project.timeout_minutes
            raise BuildFailed(
                f"the build of project {name} was to end within {minutes} minutes, and was "
                f"killed then; see the log, or raise timeout_minutes in [codebuild.{name}]",
                FailureType.JOB_FAILED,
            ) from None
        except ShellEnded:
            raise BuildFailed(
                f"the build of {task.request.name} was ended, for it was no longer wanted",
                FailureType.JOB_FAILED,
            ) from None
        except ConfinementError as error:
            raise BuildFailed(str(error)) from None
    return values, names


def _cache(task: Task) -> BuildCache | None:
    cache = asked(task.spec.cache, task.request.project.cache)
    if cache is None:
        return None
    home = home_of(task.request, task.place)
    ground = Ground(task.sources.primary, home, str(Path.home()))
    return BuildCache.of(task.job.cache, task.request.name, cache, ground, task.say)


def _artifacts(request: Request, spec: Buildspec) -> dict[str, Artifacts]:
    if request.identifier is None:
        outputs = tuple(output.name for output in request.job.order.outputs)
        return wanted_artifacts(spec, outputs)
    primary = {} if spec.artifacts is None else {"": spec.artifacts}
    return {**primary, **spec.secondary}


def _may_retry(spec: Buildspec) -> bool:
    reactions = [phase.on_failure for phase in spec.phases if phase.on_failure]
    return any(reaction.action is OnFailure.RETRY for reaction in reactions)


def _let_in(spec: Buildspec, sources: Sources, place: Confinement, temporary: Path) -> None:
    users = {phase.name: phase.run_as or spec.run_as for phase in spec.phases}
    others = {phase: name for phase, name in users.items() if name not in {None, user()}}
    for phase, name in others.items():
        told = f"phase {phase} is to run as {name}"
        if os.geteuid() != 0:
            raise BuildFailed(
                f"{told}, but builds run here as {user()}, who cannot become someone else; take "
                f"run-as out, or start pipelinekit as {name}"
            )
        try:
            place.uid(name or "")
        except ConfinementError as error:
            raise BuildFailed(f"{told}: {error}") from None
    if others:
        let_others_read(sources)
        temporary.chmod(OPEN_TO_ALL)


def _tell(task: Task) -> None:
    task.say(f"Build of {task.request.name}, which runs in: {task.place.place}")
    for note in (*place_notes(task.request), *task.spec.notes):
        task.say(note)
    if task.spec.git_credentials and not task.place.inherits:
        task.say(f"git-credential-helper: the {task.place.place} has none; run it on the host")
    for phase in task.spec.phases:
        for name, version in phase.runtime_versions.items():
            program, found = interpreter(name, task.environment)
            here = f"{program} is {found} here" if found else f"there is no {program} here"
            task.say(f"{name} {version} asked; {here}")
