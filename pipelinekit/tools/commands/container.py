"""A container for commands: they run in an image, and see of this machine what is named."""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path
from typing import Final

from pipelinekit.tools.commands.confinement import ConfinementError
from pipelinekit.tools.commands.containers import (
    ContainerEngine,
    ContainerError,
    inspect_image,
    note_container,
    pull_image,
    remove_containers,
)
from pipelinekit.tools.jobs.cgroup import Limits, number_of
from pipelinekit.tools.jobs.gate import MARKER
from pipelinekit.tools.jobs.proctree import Identity, myself
from pipelinekit.tools.jobs.runner import at_halt

PREFIX: Final = "pipelinekit"
NO_LIMITS: Final = Limits()
ROOT: Final = "0:0"
FIRST: Final = 'trap \'exit 143\' TERM; "$0" "$@"'
"""What the first process of a container does, which would not hear SIGTERM without a trap."""

_OF_THE_HOST: Final = re.compile(
    r"PATH|HOME|USER|LOGNAME|SSL_CERT_FILE|SSL_CERT_DIR|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE"
    r"|NODE_EXTRA_CA_CERTS|PIP_CERT|PIP_CONFIG_FILE"
)
_numbers: Final = count(1)


@dataclass(slots=True)
class Container:
    """Commands run in containers of one image, with the named folders at the same paths.

    A container lasts as long as the shell in it, and files that are made in the folders belong
    to this process's user.

    Attributes:
        engine: What runs the containers.
        image: Pulled when it is not here.
        limits: What they may have of the machine.
        writable: Folders and files that they may change, and all beneath them.
        readable: Folders and files that they may read besides.
    """

    engine: ContainerEngine
    image: str
    limits: Limits = NO_LIMITS
    writable: Sequence[Path] = ()
    readable: Sequence[Path] = ()
    inherits: bool = False
    relays: bool = True
    _names: list[str] = field(default_factory=list, init=False)

    @property
    def place(self) -> str:
        """Name the program and the image."""
        return f"{self.engine.name} {self.image}"

    def variables(self, environment: Mapping[str, str], user: str | None) -> dict[str, str]:
        """Give those that do not tell of this machine's own paths and users."""
        kept = {
            name: value
            for name, value in environment.items()
            if not _OF_THE_HOST.fullmatch(name) or value != os.environ.get(name)
        }
        homeless = user is None and self._own_user() != ROOT
        return {"HOME": environment.get("TMPDIR", "/tmp"), **kept} if homeless else kept  # noqa: S108 - the image's own

    def uid(self, user: str) -> int:
        """Give the number of a user of the image.

        Raises:
            ConfinementError: The image has no such user, or its users are none of this machine.
        """
        if os.geteuid() != 0 or self.engine.rootless:
            raise ConfinementError(
                f"commands are to run as {user} in a container, and only root of this machine can "
                f"share files with other users of an image; take run-as out"
            )
        words = ("run", "--rm", "--network", "none", "--entrypoint", "id", self.image, "-u", user)
        try:
            return int(self.engine.ask(*words))
        except (ContainerError, ValueError) as error:
            raise ConfinementError(
                f"commands are to run as {user}, whom image {self.image} was asked for: {error}; "
                f"add that user to the image, or take run-as out"
            ) from None

    def shell(self, name: str | None) -> str | None:
        """Give the shell's name, by which the image finds it; `sh` as in CodeBuild when None."""
        return name or "sh"

    def command(
        self,
        argv: Sequence[str],
        environment: Mapping[str, str],
        start: Path,
        user: str | None = None,
    ) -> list[str]:
        """Give the words that run a command in a new container.

        Raises:
            ConfinementError: A limit cannot be held, or the image cannot be had.
        """
        job = os.environ.get(MARKER, "")
        if not self._names:
            _remove_left_over(self.engine)
            self._get_image()
            if job:
                at_halt(partial(remove_containers, Path(job)))
        name = "_".join([PREFIX, _word(Path(job).name), *map(str, myself()), str(next(_numbers))])
        self._names.append(name)
        if job:
            note_container(Path(job), name)
        marked = {MARKER: job, **environment} if job else environment
        return [
            *(self.engine.program, "run", "--rm", "--pull", "never", "--name", name),
            *("--log-driver", "none"),
            *("--security-opt", "no-new-privileges", "--security-opt", "label=disable"),
            *("--network", "host" if self.limits.network else "none"),
            *("--user", user or self._own_user(), "--workdir", str(start)),
            *self._limiting(),
            *_mounts(self.readable, ",readonly"),
            *_mounts(self.writable, ""),
            *(word for each in marked.items() for word in ("--env", "=".join(each))),
            *("--entrypoint", "sh", self.image, "-c", FIRST, *argv),
        ]

    def complaint(self) -> str | None:
        """Say which limit ended a command, if the shell lives on; None when none is known."""
        memory = self.limits.memory_mb
        if memory is None or not self._names:
            return None
        files = "/sys/fs/cgroup/memory.events /sys/fs/cgroup/memory/memory.oom_control"
        look = f"cat {files} 2>/dev/null; true"
        with suppress(ContainerError):
            told = self.engine.ask("exec", self._names[-1], "sh", "-c", look)
            if killed := number_of(told, "oom_kill"):
                return (
                    f"all processes together were to keep within {memory} MiB of memory, and the "
                    f"system ended {killed} that went beyond; raise memory_mb"
                )
        return None

    def kill(self, command: Sequence[str]) -> None:
        """Kill the container; the engine then removes it."""
        with suppress(ContainerError):  # it may have ended just now
            self.engine.ask("kill", command[command.index("--name") + 1])

    def end(self) -> None:
        """Do nothing, for a container is removed when its shell ends."""

    def _get_image(self) -> None:
        try:
            if inspect_image(self.image) is None:
                pull_image(self.image)
        except ContainerError as error:
            raise ConfinementError(
                f"commands are to run in image {self.image}, which is not here: {error}; correct "
                f"its name, or build or pull it by hand"
            ) from None

    def _own_user(self) -> str:
        if os.geteuid() == 0 or self.engine.rootless:
            return ROOT
        return f"{os.geteuid()}:{os.getegid()}"

    def _limiting(self) -> list[str]:
        memory, processes = self.limits.memory_mb, self.limits.processes
        for asked, value, held in (
            ("memory_mb", memory, self.engine.holds_memory),
            ("processes", processes, self.engine.holds_processes),
        ):
            if value is not None and not held:
                raise ConfinementError(
                    f"{asked} = {value} was asked for containers, and {self.engine.name} cannot "
                    f"limit that here; take it out, or run pipelinekit where control groups can "
                    f"be made, as root for example"
                )
        words: list[str] = []
        if memory is not None:
            words += ["--memory", f"{memory}m", "--memory-swap", f"{memory}m"]
        return words if processes is None else [*words, "--pids-limit", str(processes)]


def _mounts(paths: Iterable[Path], mode: str) -> list[str]:
    names = {name for path in paths for name in (path.absolute(), path.resolve())}
    return [
        word
        for name in sorted(names)
        for word in ("--mount", f"type=bind,{_field('src', name)},{_field('dst', name)}{mode}")
    ]


def _field(key: str, path: Path) -> str:
    text = f"{key}={path}"
    return '"' + text.replace('"', '""') + '"' if {",", '"'} & set(text) else text


def _word(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9.-]", "-", text)[:60] or "job"


def _remove_left_over(engine: ContainerEngine) -> None:
    for name in engine.containers():
        match name.split("_"):
            case [prefix, _, pid, born, boot, _] if prefix == PREFIX:
                if not Identity(int(pid), int(born), boot).is_alive():
                    engine.remove(name)
