"""Deploys a revision to folders of this machine as CodeDeploy does to servers, by its AppSpec."""

import hashlib
import json
import os
import pwd
import re
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Annotated, Final

from pipelinekit.model.action import Action, Category, Owner
from pipelinekit.model.order import Failed, FailureType, Outcome, Succeeded
from pipelinekit.model.settings import DeploymentGroup, Settings
from pipelinekit.ports.provider import Job, Key, Traits, provider
from pipelinekit.tools import document
from pipelinekit.tools.deployment import (
    DeploymentError,
    Plan,
    Target,
    check_links,
    group_id,
    set_permissions,
    user_id,
)
from pipelinekit.tools.script import run_script
from pipelinekit.wire import appspec

APPSPECS: Final = ("appspec.yml", "appspec.yaml")
BASE_ENVIRONMENT: Final = ("PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TZ")
SHOWN_ENTRIES: Final = 20


class _Failure(Exception):
    def __init__(self, message: str, code: str = FailureType.JOB_FAILED) -> None:
        super().__init__(message)
        self.code = code


def deployment_id(order: str) -> str:
    """Give the id of the deployment that an attempt of an action makes: `d-` and 9 characters.

    Args:
        order: The id of the attempt.
    """
    number = int.from_bytes(hashlib.sha256(order.encode()).digest())
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    return "d-" + "".join(alphabet[number // 36**place % 36] for place in range(9))


def _not_configured(application: str, group: str, settings: Settings) -> str | None:
    name = f"{application}/{group}"
    found = settings.groups.get(name)
    if found is None or not found.targets:
        table = ".".join(_toml_key(key) for key in ("codedeploy", application, group))
        return (
            f"The deployment group {name} has no targets here; add to pipelinekit.toml:\n"
            f"[{table}]\ntargets = [{json.dumps(f'deploy/{group}')}]"
        )
    folders = set(_folders(found, settings))
    if len(folders) < len(found.targets):
        return f"The deployment group {name} names a target twice; remove one of the two"
    for other, another in settings.groups.items():
        shared = folders.intersection(_folders(another, settings))
        if shared and other != name:
            return (
                f"The deployment groups {name} and {other} share the target {shared.pop()}; "
                "give each group folders of its own in pipelinekit.toml"
            )
    return None


def _unable(action: Action, settings: Settings) -> str | None:
    application = action.configuration.get("ApplicationName", "")
    group = action.configuration.get("DeploymentGroupName", "")
    if "#{" in application + group:
        return None
    return _not_configured(application, group, settings)


@provider(
    Traits(
        category=Category.DEPLOY,
        provider="CodeDeploy",
        owner=Owner.AWS,
        inputs=(1, 1),
        outputs=(0, 0),
        variables=frozenset(),
        detached=True,
        timeout=timedelta(days=5),
        check=_unable,
    )
)
def codedeploy(
    job: Job,
    application: Annotated[str, Key("ApplicationName")],
    group: Annotated[str, Key("DeploymentGroupName")],
) -> Outcome:
    """Deploy the input artifact to the targets of a deployment group, one after the other.

    The targets are folders, named in `pipelinekit.toml` under `[codedeploy.application.group]`;
    each stands for the root of a host, so that the destination `/srv/shop` of the AppSpec is
    `srv/shop` beneath it. The root of the artifact must hold `appspec.yml` for the Server
    platform. A target goes through ApplicationStop (the scripts of the revision that runs there),
    DownloadBundle, BeforeInstall, Install, AfterInstall, ApplicationStart and ValidateService.

    The deployment fails at the first target that fails. If the group says `rollback = true`, which
    is the default, each target that was touched gets its last good revision back.

    Source: codepipeline.md, section 7.14.

    Args:
        job: The attempt; its input is the revision.
        application: The CodeDeploy application.
        group: Its deployment group.
    """
    deployment = deployment_id(job.order.id)
    trouble = _not_configured(application, group, job.settings)
    if trouble is not None:
        return Failed(trouble, FailureType.CONFIGURATION_ERROR)
    try:
        settings = job.settings.groups[f"{application}/{group}"]
        rollout = _Rollout(job, deployment, application, group, settings, _revision(job))
        rollout.to_group([Target(folder) for folder in _folders(settings, job.settings)])
    except _Failure as failure:
        return Failed(str(failure), failure.code, external_id=deployment)
    return Succeeded(summary="Deployment Succeeded", external_id=deployment)


# ------------------------------------------------------------------ the group


@dataclass(frozen=True, slots=True)
class _Rollout:
    job: Job
    deployment: str
    application: str
    group: str
    settings: DeploymentGroup
    revision: Path

    def to_group(self, targets: list[Target]) -> None:
        with ExitStack() as locks:
            with _failing("Preparing the targets"):
                # In one order for all, so that two deployments never wait for each other.
                for target in sorted(targets, key=lambda target: target.root):
                    waiting = f"Another deployment to {target.root} is under way; waiting for it"
                    locks.enter_context(target.locked(partial(self.job.say, waiting)))
                before = {target: target.last_successful for target in targets}
            touched: list[Target] = []
            try:
                for target in targets:
                    touched.insert(0, target)
                    self.job.say(f"== {self.deployment} to {target.root} ==")
                    _Visit(self, target, self.deployment).carry_out()
            except _Failure as failure:
                self.job.say(f"Failed: {failure}")
                told = [str(failure), *(self._put_back(each, before[each]) for each in touched)]
                raise _Failure(". ".join(told), failure.code) from None
            finally:
                self._prune(targets)

    def _put_back(self, target: Target, previous: str | None) -> str:
        if not self.settings.rollback:
            return f"Rollback is off for this group, so {target.root} stays as it is"
        if previous is None:
            return f"{target.root} had no good revision to put back, and stays as it is"
        self.job.say(f"== rollback of {target.root} to {previous} ==")
        try:
            _Visit(self, target, previous).carry_out()
        except _Failure as failure:
            self.job.say(f"Failed: {failure}")
            return f"To put revision {previous} back on {target.root} failed too: {failure}"
        return f"Revision {previous} was put back on {target.root}"

    def _prune(self, targets: list[Target]) -> None:
        for target in targets:
            try:
                target.prune(self.settings.keep)
            except OSError as error:
                self.job.say(f"An old revision could not be removed: {error}")


# ------------------------------------------------------------------ one target


@dataclass(frozen=True, slots=True)
class _Visit:
    rollout: _Rollout
    target: Target
    deployment: str

    def carry_out(self) -> None:
        with _failing(f"Deploying {self.deployment} to {self.target.root}"):
            self._stop_previous()
            self._download()
            archive = self.target.archive(self.deployment)
            spec = _specification(archive)
            self._run(appspec.BEFORE_INSTALL, archive, spec)
            self._install(archive, spec)
            for event in appspec.AFTER_COPYING:
                self._run(event, archive, spec)
            self.target.succeed(self.deployment)

    def _say(self, event: str, text: str) -> None:
        self.rollout.job.say(f"-- {event}: {text} --")

    def _stop_previous(self) -> None:
        previous = self.target.last_successful
        event = appspec.APPLICATION_STOP
        if previous is None:
            self._say(event, "skipped, for no deployment to this target has succeeded before")
            return
        archive = self.target.archive(previous)
        try:
            self._run(event, archive, _specification(archive))
        except _Failure as failure:
            raise _Failure(
                f"{failure}. It belongs to the revision that runs now: repair it in {archive}, "
                f"or remove {self.target.last_successful_file} to deploy without it",
                failure.code,
            ) from None

    def _download(self) -> None:
        archive = self.target.archive(self.deployment)
        if self.deployment == self.rollout.deployment:
            self._say("DownloadBundle", str(archive))
            self.target.unpack(self.deployment, self.rollout.revision)
        else:
            self._say("DownloadBundle", f"skipped, for {archive} was kept")

    def _install(self, archive: Path, spec: appspec.AppSpec) -> None:
        removed = self.target.uninstall()
        plan = Plan(self.target.root, spec.file_exists_behavior)
        for mapping in spec.files:
            plan.add(archive / mapping.source, mapping.destination)
        made = len(plan.copies)
        self._say("Install", f"{removed} files of the last installation removed, {made} to copy")
        self.target.install(plan)
        for each in spec.permissions:
            owner = None if each.owner is None else user_id(each.owner)
            group = None if each.group is None else group_id(each.group)
            for path in plan.matching(each.object, each.pattern, each.exceptions, each.types):
                set_permissions(path, each.mode, owner, group)

    def _run(self, event: str, archive: Path, spec: appspec.AppSpec) -> None:
        end = time.monotonic() + appspec.EVENT_SECONDS
        for script in spec.hooks.get(event, ()):
            self._say(event, str(script.location))
            left = max(int(end - time.monotonic()), 0)
            self._run_script(event, archive, script, min(script.timeout_seconds, left))

    def _run_script(self, event: str, archive: Path, script: appspec.Script, seconds: int) -> None:
        asked = f"{event}: the script {script.location}"
        path = archive / script.location
        if not path.is_file():
            raise _Failure(
                f"{asked} is not in the revision {archive}; correct its location in line "
                f"{script.line} of the appspec",
                "ScriptMissing",
            )
        user = _other_user(script)
        environment = self._environment(event, user)
        with _failing(f"{asked} cannot be started on {self.target.root}"):
            code = run_script(path, archive, environment, seconds, user and user.pw_name)
        if code is None:
            raise _Failure(
                f"{asked} did not end within {seconds} seconds on {self.target.root} and was "
                f"killed; make it quicker, or give it a longer timeout",
                "ScriptTimedOut",
            )
        if code != 0:
            how = f"failed with exit code {code}" if code > 0 else f"was ended by signal {-code}"
            raise _Failure(
                f"{asked} {how} on {self.target.root}; read what it printed in the log, below "
                f"`-- {event}: {script.location} --`",
                "ScriptFailed",
            )

    def _environment(self, event: str, user: pwd.struct_passwd | None) -> dict[str, str]:
        rollout = self.rollout
        base = {"PATH": os.defpath}
        base |= {name: os.environ[name] for name in BASE_ENVIRONMENT if name in os.environ}
        if user is not None:
            base |= {"HOME": user.pw_dir, "USER": user.pw_name, "LOGNAME": user.pw_name}
        name = f"{rollout.application}/{rollout.group}"
        return (
            base
            | dict(rollout.settings.environment)
            | {
                "APPLICATION_NAME": rollout.application,
                "DEPLOYMENT_ID": self.deployment,
                "DEPLOYMENT_GROUP_NAME": rollout.group,
                "DEPLOYMENT_GROUP_ID": str(uuid.uuid5(uuid.NAMESPACE_URL, name)),
                "LIFECYCLE_EVENT": event,
                "PIPELINEKIT_TARGET": str(self.target.root),
                "PIPELINEKIT_ACTION_EXECUTION_ID": rollout.job.order.id,
            }
        )


# ------------------------------------------------------------------ the revision


def _revision(job: Job) -> Path:
    revision = job.read()
    with _failing("Reading the revision", FailureType.CONFIGURATION_ERROR):
        check_links(revision)
        spec = _specification(revision)
    for sentence in spec.ignored:
        job.say(sentence)
    for event in appspec.LOAD_BALANCED:
        if spec.hooks.get(event):
            job.say(f"-- {event}: skipped, for there is no load balancer here --")
    return revision


def _specification(revision: Path) -> appspec.AppSpec:
    path = next((revision / name for name in APPSPECS if (revision / name).is_file()), None)
    if path is None:
        entries = sorted(f"{e.name}/" if e.is_dir() else e.name for e in revision.iterdir())
        more = f" and {len(entries) - SHOWN_ENTRIES} more" if len(entries) > SHOWN_ENTRIES else ""
        raise _Failure(
            "The revision needs an appspec.yml at its root, and there is only "
            f"{', '.join(entries[:SHOWN_ENTRIES]) or 'nothing'}{more}; add it to the artifact",
            FailureType.CONFIGURATION_ERROR,
        )
    spec = appspec.read(document.read(path))
    for event in appspec.SCRIPTED:
        for script in spec.hooks.get(event, ()):
            _other_user(script)
    for permission in spec.permissions:
        _check_permission(permission)
    return spec


def _other_user(script: appspec.Script) -> pwd.struct_passwd | None:
    if script.runas is None:
        return None
    asked = f"The script {script.location} (line {script.line} of the appspec) is to run as"
    try:
        user = pwd.getpwnam(script.runas)
    except KeyError:
        raise _Failure(
            f"{asked} {script.runas}, and this machine has no such user; change runas",
            FailureType.CONFIGURATION_ERROR,
        ) from None
    if os.geteuid() not in {0, user.pw_uid}:
        raise _Failure(
            f"{asked} {script.runas}, and only root could start it so; remove runas, "
            "or run pipelinekit as that user",
            FailureType.PERMISSION_ERROR,
        )
    return None if user.pw_uid == os.geteuid() else user


def _check_permission(permission: appspec.Permission) -> None:
    asked = f"The permissions in line {permission.line} of the appspec"
    if permission.acls or permission.context:
        raise _Failure(
            f"{asked} set acls or context, which is not done here; use owner, group and mode",
            FailureType.CONFIGURATION_ERROR,
        )
    owner = os.geteuid() if permission.owner is None else user_id(permission.owner)
    group = os.getegid() if permission.group is None else group_id(permission.group)
    ours = owner == os.geteuid() and group in {os.getegid(), *os.getgroups()}
    if os.geteuid() != 0 and not ours:
        raise _Failure(
            f"{asked} give files to {permission.owner or ''}:{permission.group or ''}, which only "
            "root could do; remove owner and group, or name the user who deploys",
            FailureType.PERMISSION_ERROR,
        )


@contextmanager
def _failing(asked: str, code: str = FailureType.JOB_FAILED) -> Iterator[None]:
    try:
        yield
    except (DeploymentError, document.DocumentError) as error:
        raise _Failure(f"{asked}: {error}", code) from None
    except OSError as error:
        raise _Failure(f"{asked}: {error}; check permissions and disk space", code) from None


# ------------------------------------------------------------------ the settings


def _folders(group: DeploymentGroup, settings: Settings) -> list[Path]:
    folders = (Path(settings.folder, target).resolve() for target in group.targets)
    return list(dict.fromkeys(folders))


def _toml_key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name)
