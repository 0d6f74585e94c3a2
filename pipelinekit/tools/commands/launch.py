"""How a shell begins: which one it is, where it runs and as whom."""

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from pipelinekit.tools.commands.confinement import HOST, Confinement, ConfinementError


class Launch(NamedTuple):
    """What a shell begins with.

    Attributes:
        program: The shell, such as `/bin/bash`.
        environment: All environment variables that it is to have.
        start: The folder in which it begins.
        within: Where it runs; the folders have the same paths there.
        user: As whom it runs, which only root can ask for; as this process's user when None.
    """

    program: str
    environment: Mapping[str, str]
    start: Path
    within: Confinement = HOST
    user: str | None = None

    def owner(self) -> int:
        """Give the number of the user as whom it runs; -1 for this process's own.

        Raises:
            ConfinementError: There is no such user in there.
        """
        return self.within.uid(self.user) if self.user else -1

    def variables(self) -> dict[str, str]:
        """Give the environment variables as they hold in there.

        Raises:
            ConfinementError: There is no such user in there.
        """
        return self.within.variables({**self.environment, "PWD": str(self.start)}, self.user)

    def command(self, *words: str, visible: Mapping[str, str]) -> list[str]:
        """Give the argv to spawn, so that the shell runs in there.

        Args:
            words: The shell's arguments.
            visible: Variables to begin with, where they are not inherited; no secrets.

        Raises:
            ConfinementError: That cannot be had.
        """
        return self.within.command([self.program, *words], visible, self.start, self.user)

    def obstacle(self) -> str | None:
        """Try to start the shell, and say why it cannot be, in the words of what starts it.

        Raises:
            ConfinementError: That cannot be had at all.
        """
        command = self.command("-c", "exit 0", visible={})
        tried = subprocess.run(command, capture_output=True, check=False, errors="replace")
        if tried.returncode == 0:
            return None
        return (tried.stderr.strip().splitlines() or [f"status {tried.returncode}"])[-1]

    def check_reach(self, file: Path) -> None:
        """Try whether the shell's user can read a file, and enter the folder where it begins.

        Raises:
            ConfinementError: It is another user than this process's, who cannot.
        """
        if not self.user:
            return
        look = 'test -r "$0" && cd "$1"'
        command = self.command("-c", look, str(file), str(self.start), visible={})
        asked = subprocess.run(command, capture_output=True, check=False, text=True)
        if asked.returncode:
            told = asked.stderr.strip() or f"status {asked.returncode}"
            raise ConfinementError(
                f"commands are to run as {self.user}, who cannot reach {self.start} and "
                f"{file.parent} ({told}); let that user through the folders above them"
            )
