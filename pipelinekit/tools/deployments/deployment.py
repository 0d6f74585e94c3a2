"""One folder that revisions are deployed to: its lock, its revisions, the files installed in it.

The folder stands for the root of a host: `/srv/shop` of a revision is `srv/shop` beneath it. What
is known of its deployments lies in `.codedeploy` there, so that the folder can be moved.
"""

import fcntl
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from pipelinekit.tools.archives.archive import unpack
from pipelinekit.tools.deployments.installation import STATE, Plan, is_below
from pipelinekit.tools.deployments.revision import AppSpec, DeploymentError, as_json, from_json
from pipelinekit.tools.durable import replaced


@dataclass(frozen=True, slots=True)
class Target:
    """A folder that stands for a host.

    Attributes:
        root: The folder, absolute, without symbolic links.
    """

    root: Path

    @contextmanager
    def locked(self, waiting: Callable[[], None], deployment: str = "") -> Iterator[None]:
        """Keep other deployments off the target while the block lasts.

        Args:
            waiting: Called once if another deployment is under way and has to be waited for.
            deployment: Who keeps them off.

        Raises:
            DeploymentError: This very deployment does so already, and would wait for itself.
        """
        self.state.mkdir(parents=True, exist_ok=True)
        path = self.state / "lock"
        with path.open("a", encoding="utf-8") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if deployment and _text(path) == deployment:
                    raise DeploymentError(
                        f"The deployment group names {self.root} twice, by two names; "
                        "remove one of the two"
                    ) from None
                waiting()
                fcntl.flock(lock, fcntl.LOCK_EX)
            lock.truncate(0)
            lock.write(deployment)
            lock.flush()
            yield

    # -------------------------------------------------------------- what is known

    @property
    def state(self) -> Path:
        """The folder in which all this is kept."""
        return self.root / STATE

    @property
    def last_successful(self) -> str | None:
        """The last deployment that succeeded; None if there was none, or its revision is gone."""
        deployment = _text(self.last_successful_file).strip()
        return deployment if deployment and self.archive(deployment).is_dir() else None

    @property
    def last_successful_file(self) -> Path:
        """The file that names the last successful deployment."""
        return self.state / "last-successful"

    @property
    def is_healthy(self) -> bool:
        """Whether the last deployment to this target succeeded, whichever it was."""
        attempted = _text(self.state / "attempted").strip()
        return attempted == f"{self.last_successful} succeeded"

    @property
    def note(self) -> str:
        """What a deployment group has noted here of itself; empty when nothing."""
        return _text(self.state / "group.json")

    def begin(self, deployment: str) -> None:
        """Note that a deployment is attempted, so that one that is cut off is known as failed."""
        _write_whole(self.state / "attempted", f"{deployment} began\n")

    def succeed(self, deployment: str) -> None:
        """Note that a deployment was the last one to succeed."""
        _write_whole(self.last_successful_file, f"{deployment}\n")
        _write_whole(self.state / "attempted", f"{deployment} succeeded\n")

    def keep_note(self, text: str) -> None:
        """Keep what a deployment group notes of itself."""
        _write_whole(self.state / "group.json", text)

    # -------------------------------------------------------------- revisions

    def archive(self, deployment: str) -> Path:
        """Give the folder that the revision of a deployment is unpacked in."""
        return self.state / deployment / "deployment-archive"

    def log(self, deployment: str) -> Path:
        """Give the file that the scripts of a deployment write to."""
        return self.state / deployment / "logs" / "scripts.log"

    def specification(self, deployment: str) -> AppSpec:
        """Read what the revision of a deployment says.

        Raises:
            DeploymentError: It was put here by something else, or has been damaged.
        """
        path = self.state / deployment / "appspec.json"
        try:
            return from_json(path.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError, KeyError, TypeError) as error:
            raise DeploymentError(
                f"{path} does not say how revision {deployment} is deployed ({error!r}); deploy "
                "that revision anew"
            ) from None

    def unpack(self, deployment: str, bundle: Path, spec: AppSpec) -> None:
        """Put a revision into the archive of a deployment.

        Args:
            deployment: The deployment's id; what it has put there before is replaced.
            bundle: The zip of the revision.
            spec: What its appspec says.

        Raises:
            ArchiveError: The bundle cannot be unpacked; nothing of it is left in the archive.
            OSError: The target is full, or may not be written to.
        """
        folder = self.state / deployment
        shutil.rmtree(folder, ignore_errors=True)
        self.log(deployment).parent.mkdir(parents=True)
        (folder / "appspec.json").write_text(as_json(spec), encoding="utf-8")
        unpack(bundle, self.archive(deployment))

    def prune(self, keep: int) -> None:
        """Remove the oldest revisions, but never that of the last successful deployment.

        Args:
            keep: How many of the newest revisions stay.
        """
        revisions = sorted(
            (path for path in self.state.iterdir() if path.is_dir()),
            key=lambda revision: revision.stat().st_mtime_ns,
            reverse=True,
        )
        for revision in revisions[max(keep, 1) :]:
            if revision.name != self.last_successful:
                shutil.rmtree(revision)

    # -------------------------------------------------------------- files

    def uninstall(self) -> int:
        """Remove the files that the last installation made, and its directories if empty.

        Returns:
            The number of files that were removed.
        """
        removed = 0
        for path in reversed(self._installed()):
            if not os.path.lexists(path) or not is_below(self.root, path.parent):
                continue
            if path.is_symlink() or not path.is_dir():
                path.unlink()
                removed += 1
            elif not any(path.iterdir()):
                path.rmdir()
        _write_whole(self._list, "[]")
        return removed

    def install(self, plan: Plan) -> None:
        """Make what a plan says, after noting it for the next `uninstall`."""
        new = [*plan.directories, *plan.copies]
        _write_whole(self._list, json.dumps([str(path.relative_to(self.root)) for path in new]))
        for directory in plan.directories:
            directory.mkdir(exist_ok=True)
        for path, source in plan.copies.items():
            path.unlink(missing_ok=True)  # a program that is running cannot be written to
            shutil.copy2(source, path, follow_symlinks=False)

    def _installed(self) -> list[Path]:
        return [self.root / path for path in json.loads(_text(self._list) or "[]")]

    @property
    def _list(self) -> Path:
        return self.state / "installed.json"


def _text(path: Path) -> str:
    with suppress(FileNotFoundError):
        return path.read_text(encoding="utf-8")
    return ""


def _write_whole(path: Path, text: str) -> None:
    with replaced(path) as file:
        file.write(text.encode())
