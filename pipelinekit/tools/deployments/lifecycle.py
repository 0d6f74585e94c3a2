"""One host's side of a deployment: what is stopped, unpacked, installed and run on a target.

It needs nothing but Python, so that it runs in this process for a folder of this machine, and on
a host over SSH (`host_program`) in the same way. The order of the events is the fleet's business.
"""

import json
import os
import pwd
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

from pipelinekit.tools.archives.archive import ArchiveError
from pipelinekit.tools.commands.script import Command, base_environment, end, marked, run
from pipelinekit.tools.deployments.deployment import Target
from pipelinekit.tools.deployments.installation import Plan, group_id, set_permissions, user_id
from pipelinekit.tools.deployments.revision import (
    CONFIGURATION_ERROR,
    DOWNLOAD_BUNDLE,
    EVENT_SECONDS,
    INSTALL,
    PERMISSION_ERROR,
    AppSpec,
    DeploymentError,
    Permission,
    Script,
    from_json,
)

SUCCEEDED = "Succeeded"
SKIPPED = "Skipped"
MARK = "PIPELINEKIT_SCRIPT"
"""The variable by which the processes of a script are found again."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a target tells of itself at the beginning of a deployment.

    Attributes:
        last: Its last successful deployment; empty when there is none.
        is_healthy: Whether the last deployment to it succeeded.
        note: What its group has noted on it.
    """

    last: str = ""
    is_healthy: bool = False
    note: str = ""


@dataclass(slots=True)
class Lifecycle:
    """What one deployment does on one target, errand by errand.

    Attributes:
        root: The folder that stands for the host, or is it.
        say: Called with each line for the log.
    """

    root: Path
    say: Callable[[str], None]
    _environment: Mapping[str, str] = field(default_factory=dict)
    _lock: ExitStack = field(default_factory=ExitStack)

    def __post_init__(self) -> None:
        self.root = self.root.resolve()

    @property
    def target(self) -> Target:
        """The target."""
        return Target(self.root)

    @property
    def inbox(self) -> Path:
        """Where a bundle is put that was sent here."""
        return self.target.state / "bundle.zip"

    def carry_out(self, errand: str, given: Mapping[str, str]) -> str:
        """Do one thing on the target.

        Args:
            errand: One of the errands below.
            given: Its arguments, by name.

        Returns:
            The status of a lifecycle event, or the facts of the target as JSON.

        Raises:
            DeploymentError: It failed, and on the target is what it has left there.
        """
        event = errand if errand in {DOWNLOAD_BUNDLE, INSTALL} else "The deployment"
        asked = f"{given.get('event', event)} on {self.root}"
        try:
            return _ERRANDS[errand](self, **given)
        except ArchiveError as error:
            raise DeploymentError(f"{asked}: {error}") from None
        except OSError as error:
            hint = "check permissions and disk space"
            raise DeploymentError(f"{asked}: {error}; {hint}") from None

    def close(self) -> None:
        """Let other deployments to the target."""
        self._lock.close()

    # -------------------------------------------------------------- errands

    def prepare(self, spec: str, environment: str) -> str:
        """Check that this host can do what the appspec asks for, and touch nothing."""
        _check(from_json(spec))
        self._environment = json.loads(environment)
        return ""

    def lock(self, deployment: str) -> str:
        """Keep other deployments off, wait for one that is under way, and tell the facts."""
        waiting = f"Another deployment to {self.root} is under way; waiting for it"
        self._lock.enter_context(self.target.locked(partial(self.say, waiting), deployment))
        self._end_left_over()
        target = self.target
        return json.dumps(
            asdict(Facts(target.last_successful or "", target.is_healthy, target.note))
        )

    def begin(self, deployment: str) -> str:
        """Note that a deployment is attempted."""
        self.target.begin(deployment)
        return ""

    def download(self, deployment: str, bundle: str, spec: str) -> str:
        """Unpack the bundle of a revision; an empty one means the revision that was kept."""
        archive = self.target.archive(deployment)
        if not bundle:
            self._head(DOWNLOAD_BUNDLE, f"skipped, for {archive} was kept")
            return SKIPPED
        self._head(DOWNLOAD_BUNDLE, str(archive))
        self.target.unpack(deployment, Path(bundle), from_json(spec))
        self.inbox.unlink(missing_ok=True)
        return SUCCEEDED

    def install(self, deployment: str) -> str:
        """Replace the files of the last installation by those of a revision."""
        archive, spec = self.target.archive(deployment), self.target.specification(deployment)
        removed = self.target.uninstall()
        plan = Plan(self.root, spec.file_exists_behavior)
        for mapping in spec.files:
            plan.add(archive / mapping.source, mapping.destination)
        made = len(plan.copies)
        self._head(INSTALL, f"{removed} files of the last installation removed, {made} to copy")
        try:
            self.target.install(plan)
        except OSError:
            # On a target that is full, the way back needs the room.
            self.target.uninstall()
            raise
        for each in spec.permissions:
            owner = None if each.owner is None else user_id(each.owner)
            group = None if each.group is None else group_id(each.group)
            for path in plan.matching(each.object, each.pattern, each.exceptions, each.types):
                set_permissions(path, each.mode, owner, group)
        return SUCCEEDED

    def run_event(self, event: str, deployment: str) -> str:
        """Run the scripts of an event; no deployment means the revision that runs now."""
        if deployment:
            return self._run_scripts(event, deployment)
        previous = self.target.last_successful
        if previous is None:
            self._head(event, "skipped, for no deployment to this target has succeeded before")
            return SKIPPED
        try:
            return self._run_scripts(event, previous)
        except DeploymentError as error:
            raise DeploymentError(
                f"{error}. It belongs to the revision that runs now: repair it in "
                f"{self.target.archive(previous)}, or remove {self.target.last_successful_file} "
                "to deploy without it",
                error.code,
            ) from None

    def succeed(self, deployment: str) -> str:
        """Note that a deployment succeeded."""
        self.target.succeed(deployment)
        return ""

    def keep_note(self, text: str) -> str:
        """Keep what the group notes."""
        self.target.keep_note(text)
        return ""

    def prune(self, keep: str) -> str:
        """Remove the oldest revisions."""
        self.target.prune(int(keep))
        return ""

    # -------------------------------------------------------------- scripts

    def _head(self, event: str, text: str) -> None:
        self.say(f"-- {event}: {text} --")

    def _run_scripts(self, event: str, deployment: str) -> str:
        scripts = self.target.specification(deployment).hooks.get(event, ())
        deadline = time.monotonic() + EVENT_SECONDS
        for script in scripts:
            self._head(event, str(script.location))
            left = max(int(deadline - time.monotonic()), 0)
            seconds = min(script.timeout_seconds, left)
            code = self._run_script(event, deployment, script, seconds)
            self._judge(f"{event}: the script {script.location}", code, seconds)
        return SUCCEEDED if scripts else SKIPPED

    def _run_script(self, event: str, deployment: str, script: Script, seconds: int) -> int | None:
        archive = self.target.archive(deployment)
        path = archive / script.location
        asked = f"{event}: the script {script.location}"
        if not path.is_file():
            raise DeploymentError(
                f"{asked} is not in the revision {archive}; correct its location in line "
                f"{script.line} of the appspec",
                "ScriptMissing",
            )
        user = _other_user(script)
        environment = self._surroundings(event, deployment, user)
        try:
            path.chmod(path.stat().st_mode | 0o111)
            with self._remembered() as mark:
                surroundings = environment | mark
                command = Command((str(path),), archive, surroundings, user and user.pw_name)
                return run(command, seconds, self.target.log(deployment), self.say)
        except OSError as error:
            hint = "check its first line, its permissions and the disk space"
            raise DeploymentError(
                f"{asked} cannot be started on {self.root}: {error}; {hint}", "ScriptFailed"
            ) from None

    def _judge(self, asked: str, code: int | None, seconds: int) -> None:
        if code is None:
            raise DeploymentError(
                f"{asked} did not end within {seconds} seconds on {self.root} and was killed; "
                "make it quicker, or give it a longer timeout",
                "ScriptTimedOut",
            )
        if code != 0:
            how = f"failed with exit code {code}" if code > 0 else f"was ended by signal {-code}"
            raise DeploymentError(
                f"{asked} {how} on {self.root}; read in the log what it printed", "ScriptFailed"
            )

    def _surroundings(
        self, event: str, deployment: str, user: pwd.struct_passwd | None
    ) -> dict[str, str]:
        home = {"HOME": user.pw_dir, "USER": user.pw_name, "LOGNAME": user.pw_name} if user else {}
        return {
            **base_environment(),
            **home,
            **self._environment,
            "DEPLOYMENT_ID": deployment,
            "LIFECYCLE_EVENT": event,
            "PIPELINEKIT_TARGET": str(self.root),
        }

    # A deployment that is killed leaves its script running, and the next one must not meet it.

    @property
    def _running(self) -> Path:
        return self.target.state / "running"

    @contextmanager
    def _remembered(self) -> Iterator[dict[str, str]]:
        mark = str(uuid.uuid4())
        self._running.write_text(mark, encoding="utf-8")
        try:
            yield {MARK: mark}
        finally:
            self._running.unlink(missing_ok=True)

    def _end_left_over(self) -> None:
        if not self._running.exists():
            return
        mark = self._running.read_text(encoding="utf-8")
        if mark and (alive := marked(MARK, mark)):
            numbers = ", ".join(map(str, sorted(alive)))
            self.say(f"The last deployment was cut off; its script (process {numbers}) is ended")
            end(partial(marked, MARK, mark))
        self._running.unlink()


_ERRANDS: Mapping[str, Callable[..., str]] = {
    "prepare": Lifecycle.prepare,
    "lock": Lifecycle.lock,
    "begin": Lifecycle.begin,
    DOWNLOAD_BUNDLE: Lifecycle.download,
    INSTALL: Lifecycle.install,
    "run": Lifecycle.run_event,
    "succeed": Lifecycle.succeed,
    "note": Lifecycle.keep_note,
    "prune": Lifecycle.prune,
}


# ------------------------------------------------------------------ what this host can give


def _check(spec: AppSpec) -> None:
    for scripts in spec.hooks.values():
        for script in scripts:
            _other_user(script)
    for permission in spec.permissions:
        _check_permission(permission)


def _other_user(script: Script) -> pwd.struct_passwd | None:
    if script.runas is None:
        return None
    asked = f"The script {script.location} (line {script.line} of the appspec) is to run as"
    try:
        user = pwd.getpwnam(script.runas)
    except KeyError:
        raise DeploymentError(
            f"{asked} {script.runas}, and this machine has no such user; change runas",
            CONFIGURATION_ERROR,
        ) from None
    if os.geteuid() not in {0, user.pw_uid}:
        raise DeploymentError(
            f"{asked} {script.runas}, and only root could start it so; remove runas, "
            "or deploy as that user",
            PERMISSION_ERROR,
        )
    return None if user.pw_uid == os.geteuid() else user


def _check_permission(permission: Permission) -> None:
    asked = f"The permissions in line {permission.line} of the appspec"
    if permission.acls or permission.context:
        raise DeploymentError(
            f"{asked} set acls or context, which is not done here; use owner, group and mode",
            CONFIGURATION_ERROR,
        )
    owner = os.geteuid() if permission.owner is None else user_id(permission.owner)
    group = os.getegid() if permission.group is None else group_id(permission.group)
    ours = owner == os.geteuid() and group in {os.getegid(), *os.getgroups()}
    if os.geteuid() != 0 and not ours:
        raise DeploymentError(
            f"{asked} give files to {permission.owner or ''}:{permission.group or ''}, which only "
            "root could do; remove owner and group, or name the user who deploys",
            PERMISSION_ERROR,
        )
