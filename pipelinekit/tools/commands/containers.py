"""podman or docker, whichever answers: what it can do here, and what it knows of images."""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

PROGRAMS: Final = ("podman", "docker")
TRIAL_SECONDS: Final = 10.0
FORM: Final = "{{json .}}"
NOTE: Final = "containers"


class ContainerError(Exception):
    """podman or docker did not do what it was asked: what that was, what it said, what to do."""


class ContainerEngine(NamedTuple):
    """A program that runs containers here.

    Attributes:
        program: Its path.
        name: `podman` or `docker`.
        rootless: Whether root in a container is this user, and not root of this machine.
        holds_memory: Whether it can limit memory.
        holds_processes: Whether it can limit the number of processes.
    """

    program: str
    name: str
    rootless: bool
    holds_memory: bool
    holds_processes: bool

    def ask(self, *words: str) -> str:
        """Run one of its commands and give what that prints.

        Raises:
            ContainerError: The command failed.
        """
        return _asked([self.program, *words])

    def containers(self) -> list[str]:
        """Name the containers that are here, running or not; none where that cannot be had."""
        with suppress(ContainerError):
            return self.ask("ps", "--all", "--format", "{{.Names}}").split()
        return []

    def remove(self, name: str) -> None:
        """Remove a container at once, with all that runs in it; most are gone by themselves."""
        with suppress(ContainerError):
            self.ask("kill", name)  # else podman asks it to end, and waits for ten seconds
        with suppress(ContainerError):
            self.ask("rm", "--force", name)


def container_engine() -> ContainerEngine | None:
    """Find podman, else docker; None where neither answers. Asked once in a process."""
    return next((found for found in _trials() if isinstance(found, ContainerEngine)), None)


def container_program() -> str | None:
    """Give the path of podman or docker, whichever answers."""
    engine = container_engine()
    return None if engine is None else engine.program


def container_obstacle() -> str | None:
    """Say why no containers can be run here, with what to do; None when they can."""
    if container_engine() is not None:
        return None
    if told := [found for found in _trials() if isinstance(found, str)]:
        return "; ".join(told)
    return "there is neither podman nor docker here; install podman"


def note_container(job: Path, name: str) -> None:
    """Note in a job's folder that it has a container, for whoever ends the job.

    Args:
        job: The job's own folder.
        name: The container's name.
    """
    with (job / NOTE).open("a", encoding="utf-8") as note:
        note.write(f"{name}\n")


def remove_containers(job: Path) -> None:
    """Remove the containers of a job that was halted or lost, with all that runs in them.

    Args:
        job: The job's own folder.
    """
    note = job / NOTE
    engine = container_engine() if note.exists() else None
    if engine is None:
        return
    noted = note.read_text(encoding="utf-8").splitlines()
    for name in set(noted).intersection(engine.containers()):
        engine.remove(name)


def image_digest(image: str) -> str | None:
    """Give the digest of an image that is here: the registry's, else that of its configuration.

    Args:
        image: Its name, with a tag or a digest.

    Returns:
        `sha256:` and 64 hexadecimal digits; None when there is no such image.

    Raises:
        ContainerError: Neither podman nor docker answers.
    """
    found = inspect_image(image)
    if found is None:
        return None
    known = found.get("RepoDigests")
    names = [str(each) for each in known] if isinstance(known, list) else []
    repository = image.partition("@")[0].rpartition(":")[0] or image
    own = [name for name in names if name.partition("@")[0] == repository]
    # Of an image that was built here podman names its own manifest too, in no order.
    given = [name for name in own if not name.endswith(str(found.get("Digest", "")))]
    text = next(iter(given or own or names), str(found.get("Id", "")))
    return "sha256:" + text.rpartition("sha256:")[2]


def inspect_image(image: str) -> Mapping[str, object] | None:
    """Give what is known of an image that is here; None when there is no such image.

    Raises:
        ContainerError: Neither podman nor docker answers.
    """
    engine = _engine(f"image {image} was to be looked up")
    try:
        found = json.loads(engine.ask("image", "inspect", image))
    except ContainerError:
        return None
    return found[0] if isinstance(found, list) and found else None


def images() -> list[str]:
    """Name the images that are here, as `repository:tag`.

    Raises:
        ContainerError: Neither podman nor docker answers.
    """
    engine = _engine("images were to be listed")
    told = engine.ask("image", "ls", "--format", "{{.Repository}}:{{.Tag}}")
    return [name for name in told.splitlines() if "<none>" not in name]


def build_image(
    folder: Path, dockerfile: Path, tags: Sequence[str], arguments: Mapping[str, str] | None = None
) -> str:
    """Build an image; what the build prints goes where this process prints.

    Args:
        folder: What the build can copy from.
        dockerfile: The file with its instructions.
        tags: Names for the image, each with a tag.
        arguments: Values of the file's `ARG`s, by name.

    Returns:
        The image's digest, as `image_digest` gives it.

    Raises:
        ContainerError: Neither podman nor docker answers, or the build failed.
    """
    engine = _engine(f"{dockerfile.name} was to be built")
    named = [word for tag in tags for word in ("--tag", tag)]
    given = [
        word for each in (arguments or {}).items() for word in ("--build-arg", "=".join(each))
    ]
    _told(
        [
            engine.program,
            "build",
            "--network",
            "host",
            *named,
            *given,
            "--file",
            str(dockerfile),
            str(folder),
        ]
    )
    return image_digest(tags[0]) or ""


def tag_image(image: str, name: str) -> None:
    """Give an image another name.

    Raises:
        ContainerError: There is no such image, or the name is none.
    """
    _engine(f"image {image} was to be tagged").ask("tag", image, name)


def pull_image(image: str) -> None:
    """Get an image from its registry; the progress goes where this process prints.

    Raises:
        ContainerError: The registry does not give it.
    """
    _told([_engine(f"image {image} was to be pulled").program, "pull", image])


def push_image(image: str) -> str:
    """Bring an image to its registry; the progress goes where this process prints.

    Args:
        image: Its name, which begins with the registry's, and a tag.

    Returns:
        The digest by which the registry knows it.

    Raises:
        ContainerError: The registry does not take it.
    """
    engine = _engine(f"image {image} was to be pushed")
    if Path(engine.program).name != "podman":
        _told([engine.program, "push", image])
        return image_digest(image) or ""
    # Layers may be packed anew on the way, so that the registry's digest is another one.
    with tempfile.NamedTemporaryFile("r", encoding="utf-8") as written:
        _told([engine.program, "push", image, "--digestfile", written.name])
        return written.read().strip()


def forget_engine() -> None:
    """Let the next question look anew which of them answers."""
    _trials.cache_clear()


@cache
def _trials() -> tuple[ContainerEngine | str, ...]:
    trials: list[ContainerEngine | str] = []
    for name in PROGRAMS:
        program = shutil.which(name)
        if program is None:
            continue
        try:
            trials.append(_engine_of(name, program))
            break
        except (ContainerError, ValueError) as error:
            trials.append(str(error))
    return tuple(trials)


def _engine_of(name: str, program: str) -> ContainerEngine:
    told = json.loads(_asked([program, "info", "--format", FORM]))
    if name == "podman":
        host = told["host"]
        rootless = bool(host["security"]["rootless"])
        controllers = host.get("cgroupControllers") or []
        held = {each: not rootless or each in controllers for each in ("memory", "pids")}
        return ContainerEngine(program, name, rootless, held["memory"], held["pids"])
    if errors := told.get("ServerErrors"):
        raise ContainerError(
            f"docker was asked what it can do, and its daemon did not answer: {errors[0]}; start "
            f"the daemon, or install podman"
        )
    rootless = any("rootless" in str(each) for each in told.get("SecurityOptions") or [])
    return ContainerEngine(
        program, name, rootless, bool(told.get("MemoryLimit")), bool(told.get("PidsLimit"))
    )


def _engine(asked: str) -> ContainerEngine:
    engine = container_engine()
    if engine is None:
        raise ContainerError(f"{asked}, but {container_obstacle()}")
    return engine


def _asked(command: list[str]) -> str:
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            check=False,
            errors="replace",
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=TRIAL_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired) as trouble:
        raise ContainerError(f"{_words(command)} was tried: {trouble}; try it by hand") from None
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [f"status {done.returncode}"])[-1]
        raise ContainerError(f"{_words(command)} was tried and said `{last}`; try it by hand")
    return done.stdout


def _told(command: list[str]) -> None:
    sys.stdout.flush()
    status = subprocess.run(command, check=False, stdin=subprocess.DEVNULL).returncode
    if status:
        raise ContainerError(
            f"{_words(command)} was tried and ended with status {status}; see what it printed"
        )


def _words(command: list[str]) -> str:
    return " ".join([Path(command[0]).name, *command[1:3], *(["..."] if command[3:] else [])])
