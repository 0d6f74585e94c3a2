"""The command of a project that moves traffic, in place of a load balancer that is told to."""

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pipelinekit.tools.commands.script import Command, base_environment, run
from pipelinekit.tools.deployments.revision import ALLOW_TRAFFIC, DeploymentError


@dataclass(frozen=True, slots=True)
class Traffic:
    """A shell command, called for one change of the traffic at a time.

    Attributes:
        command: What the shell is given.
        folder: Where it runs.
        seconds: How long one run may take.
        environment: Its variables besides those that tell what to do.
        log: The file that its output is added to.
        say: Called with each line for the log.
    """

    command: str
    folder: Path
    seconds: float
    environment: Mapping[str, str]
    log: Path
    say: Callable[[str], None]
    _alone: threading.Lock = field(default_factory=threading.Lock)

    def change(self, event: str, place: str) -> None:
        """Take one target out of the traffic, or bring it back.

        Args:
            event: `BlockTraffic` or `AllowTraffic`.
            place: The target.

        Raises:
            DeploymentError: The command failed, or took too long and was killed.
        """
        self._call({"LIFECYCLE_EVENT": event, "TRAFFIC_TARGET": place})

    def switch(
        self, to: str, origin: str, to_places: Iterable[str], origin_places: Iterable[str]
    ) -> None:
        """Give one set of targets the traffic that another has.

        Args:
            to: The set that gets it.
            origin: The set that has it.
            to_places: The targets that are to get it.
            origin_places: The targets of the other set.

        Raises:
            DeploymentError: The command failed, or took too long and was killed.
        """
        self._call(
            {
                "LIFECYCLE_EVENT": ALLOW_TRAFFIC,
                "TRAFFIC_TO": to,
                "TRAFFIC_FROM": origin,
                "TRAFFIC_TO_TARGETS": "\n".join(to_places),
                "TRAFFIC_FROM_TARGETS": "\n".join(origin_places),
            }
        )

    def _call(self, asked: Mapping[str, str]) -> None:
        environment = {**base_environment(), **self.environment, **asked}
        command = Command(("/bin/sh", "-c", self.command), self.folder, environment)
        event = asked["LIFECYCLE_EVENT"]
        whom = asked.get("TRAFFIC_TARGET") or f"to {asked['TRAFFIC_TO']}"
        told = f"{event}: the traffic command {self.command!r}"
        with self._alone:
            self.say(f"-- {event}: the traffic command, {whom} --")
            try:
                code = run(command, self.seconds, self.log, self.say)
            except OSError as error:
                raise DeploymentError(f"{told} cannot be started: {error}") from None
        if code is None:
            raise DeploymentError(
                f"{told} did not end within {self.seconds:g} seconds and was killed; make it "
                "quicker, or give the group more traffic_seconds",
                "ScriptTimedOut",
            )
        if code != 0:
            raise DeploymentError(
                f"{told} failed with exit code {code}; read in the log what it printed",
                "ScriptFailed",
            )
