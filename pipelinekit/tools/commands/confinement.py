"""Where a command runs: what it sees of this machine, and how much of it it may have."""

import os
import pwd
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pipelinekit.tools.commands.surroundings import shell_program


class ConfinementError(Exception):
    """A command cannot be confined as asked: what was asked, what was found, what to do."""


class Confinement(Protocol):
    """A place for commands, the same for all commands of a build."""

    @property
    def place(self) -> str:
        """Name it for people: `host`, `sandbox`, `podman python:3.12`."""
        ...

    @property
    def inherits(self) -> bool:
        """Tell whether a command has the environment of the process that spawned it.

        Otherwise it begins with what `command` was given, and nothing of ours reaches it.
        """
        ...

    @property
    def relays(self) -> bool:
        """Tell whether another process hands on what commands print, which takes its time."""
        ...

    def variables(self, environment: Mapping[str, str], user: str | None) -> dict[str, str]:
        """Give the variables that hold in there, of those that were made up outside.

        Args:
            environment: Values by name.
            user: As whom the commands run; as this process's user when None.
        """
        ...

    def uid(self, user: str) -> int:
        """Give the number, as this process sees it, of a user that commands run as.

        Raises:
            ConfinementError: There is no such user in there.
        """
        ...

    def shell(self, name: str | None) -> str | None:
        """Find a shell in there; None when it is known not to be there.

        Args:
            name: Such as `bash`; the usual one when None.
        """
        ...

    def command(
        self,
        argv: Sequence[str],
        environment: Mapping[str, str],
        start: Path,
        user: str | None = None,
    ) -> list[str]:
        """Give the argv to spawn outside, so that `argv` runs in there.

        Args:
            argv: A program of the place, and its arguments.
            environment: Variables to begin with, where they are not inherited; no secrets, since
                every user of the machine can see them.
            start: The folder in which it begins.
            user: As whom it runs, which only root can ask for; as this process's user when None.

        Raises:
            ConfinementError: That cannot be had.
        """
        ...

    def complaint(self) -> str | None:
        """Say which limit ended a command, as far as that can be known; None when none did."""
        ...

    def kill(self, command: Sequence[str]) -> None:
        """End what lives on in there though the process that was spawned outside was killed.

        Args:
            command: What `command` gave.
        """
        ...

    def end(self) -> None:
        """Clear away what was made for commands that have ended; a later one makes it anew."""
        ...


class OnThisMachine:
    """What holds of every place whose users and shells are those of this machine."""

    __slots__ = ()

    def variables(self, environment: Mapping[str, str], user: str | None) -> dict[str, str]:
        """Give all of them, with the home and the names of `user`."""
        return {**environment, **belongings(user)}

    def uid(self, user: str) -> int:
        """Give the number of a user of this machine."""
        return entry(user).pw_uid

    def shell(self, name: str | None) -> str | None:
        """Find a shell of this machine."""
        return shell_program(name)


@dataclass(frozen=True, slots=True)
class Host(OnThisMachine):
    """No confinement: commands see and may do what this process sees and may do."""

    place: str = "host"
    inherits: bool = True
    relays: bool = False

    def command(
        self,
        argv: Sequence[str],
        environment: Mapping[str, str],  # noqa: ARG002 - inherited here
        start: Path,  # noqa: ARG002 - inherited here
        user: str | None = None,
    ) -> list[str]:
        """Give the command itself, or the one that becomes `user` first."""
        return [*becoming(user), *argv]

    def complaint(self) -> str | None:
        """Say nothing, for nothing is limited."""
        return None

    def kill(self, command: Sequence[str]) -> None:
        """Do nothing, for the processes of this machine can be found."""

    def end(self) -> None:
        """Do nothing, for nothing was made."""


HOST: Confinement = Host()
"""This machine as it is."""


def belongings(user: str | None) -> dict[str, str]:
    """Give the variables that tell a user of this machine apart; none when None.

    Raises:
        ConfinementError: There is no such user.
    """
    if user is None:
        return {}
    return {"HOME": entry(user).pw_dir, "USER": user, "LOGNAME": user}


def becoming(user: str | None) -> list[str]:
    """Give the words that, put before a command, run it as another user; only root can say them.

    Args:
        user: None, and the name of this process's user, need no words.

    Raises:
        ConfinementError: This process is not root, there is no such user, or no `setpriv`.
    """
    if user is None or entry(user).pw_uid == os.geteuid():
        return []
    if os.geteuid() != 0:
        raise ConfinementError(
            f"commands are to run as {user}, and only root can become someone else; start "
            f"pipelinekit as {user}, or take run-as out"
        )
    program = shutil.which("setpriv")
    if program is None:
        raise ConfinementError(
            f"commands are to run as {user}, and there is no setpriv here; install util-linux"
        )
    uid, gid = entry(user)[2:4]
    return [program, f"--reuid={uid}", f"--regid={gid}", "--init-groups", "--"]


def entry(user: str) -> pwd.struct_passwd:
    """Find what this machine knows of a user.

    Raises:
        ConfinementError: There is no such user.
    """
    try:
        return pwd.getpwnam(user)
    except KeyError:
        raise ConfinementError(
            f"commands are to run as {user}, and this machine has no such user; create that user, "
            f"or take run-as out"
        ) from None
