"""One deployment's visit to one target: the events there, how they end, how long they take.

A target is reached through a `Host`: in this process (`FolderHost`), or over SSH (`remote`).
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Protocol

from pipelinekit.tools.deployments.lifecycle import SKIPPED, SUCCEEDED, Facts, Lifecycle
from pipelinekit.tools.deployments.revision import (
    ALLOW_TRAFFIC,
    BLOCK_TRAFFIC,
    DOWNLOAD_BUNDLE,
    INSTALL,
    OF_PREVIOUS,
    DeploymentError,
)

FAILED = "Failed"


class Host(Protocol):
    """Carries out errands on one target; see `lifecycle`."""

    @property
    def name(self) -> str:
        """What it is called in the log."""
        ...

    @property
    def place(self) -> str:
        """Where it is, in full."""
        ...

    def connect(self, say: Callable[[str], None]) -> None:
        """Get ready for errands.

        Args:
            say: Called with each line for the log.

        Raises:
            DeploymentError: It cannot be reached.
        """
        ...

    def ask(self, errand: str, **given: str) -> str:
        """Carry out an errand.

        Raises:
            DeploymentError: It failed.
        """
        ...

    def send(self, bundle: Path) -> str:
        """Bring a bundle to the host, and give its path there.

        Raises:
            DeploymentError: It cannot be brought there.
        """
        ...

    def close(self) -> None:
        """Let others to the target."""
        ...


class FolderHost:
    """A folder of this machine."""

    def __init__(self, name: str, folder: Path) -> None:
        """Name a folder.

        Args:
            name: What it is called in the log.
            folder: Where it is, absolute.
        """
        self.name = name
        self.place = str(folder)
        self._lifecycle = Lifecycle(folder, lambda _: None)

    def connect(self, say: Callable[[str], None]) -> None:
        """Say further lines there."""
        self._lifecycle.say = say

    def ask(self, errand: str, **given: str) -> str:
        """Carry out an errand."""
        return self._lifecycle.carry_out(errand, given)

    def send(self, bundle: Path) -> str:
        """Give the bundle's path, for it is here already."""
        return str(bundle)

    def close(self) -> None:
        """Let others to the target."""
        self._lifecycle.close()


@dataclass(frozen=True, slots=True)
class Deployment:
    """What is deployed.

    Attributes:
        id: The deployment's id, which names the revision on its targets too.
        bundle: The zip of the revision.
        spec: What its appspec says, as JSON.
        environment: Variables of every script, as JSON.
        keep: How many revisions stay on a target.
        rollback: Whether a failed deployment is put back.
    """

    id: str
    bundle: Path
    spec: str
    environment: str
    keep: int
    rollback: bool


@dataclass(frozen=True, slots=True)
class Event:
    """How a lifecycle event of one revision ended on one target.

    Attributes:
        begun: When, UTC.
        seconds: How long it took.
        failure: Why it failed.
    """

    name: str
    revision: str
    status: str
    begun: datetime
    seconds: float
    failure: str = ""


@dataclass(slots=True)
class Visit:
    """What a deployment does at one target.

    Attributes:
        host: The target.
        deployment: What is deployed.
        say: Called with each line for the log.
        facts: What the target told at the beginning.
        events: What happened.
        failure: Why the deployment failed here.
        is_touched: Whether it was begun here.
        is_done: Whether the new revision was put in place here.
        put_back: The revision that took its place again; empty for none.
    """

    host: Host
    deployment: Deployment
    say: Callable[[str], None]
    facts: Facts = field(default_factory=Facts)
    events: list[Event] = field(default_factory=list)
    failure: DeploymentError | None = None
    is_touched: bool = False
    is_done: bool = False
    put_back: str = ""

    @property
    def status(self) -> str:
        """Tell how the deployment ended here."""
        return SUCCEEDED if self.is_done else FAILED if self.failure else SKIPPED

    @property
    def own_events(self) -> tuple[Event, ...]:
        """Give what this deployment did here; what put an older revision back is left out."""
        return tuple(each for each in self.events if each.revision in {self.deployment.id, ""})

    def attempt(self, act: Callable[["Visit"], None]) -> None:
        """Do something here, and remember why it failed; nothing, where something has before."""
        if self.failure is not None:
            return
        try:
            act(self)
        except DeploymentError as error:
            self.failure = error
            self.say(f"Failed: {error}")

    def deploy(
        self, events: Iterable[str], revision: str, traffic: Callable[[str, str], None] | None
    ) -> None:
        """Put a revision in place.

        Args:
            events: The lifecycle events, in their order.
            revision: The deployment that brought it here, or is to bring it.
            traffic: Takes this target out of the traffic, or brings it back.

        Raises:
            DeploymentError: An event failed.
        """
        self.is_touched = True
        self.say(f"== {revision} to {self.host.place} ==")
        self.host.ask("begin", deployment=revision)
        self.go_through(events, revision, traffic)
        self.host.ask("succeed", deployment=revision)

    def go_through(
        self,
        events: Iterable[str],
        revision: str,
        traffic: Callable[[str, str], None] | None = None,
    ) -> None:
        """Let lifecycle events happen here.

        Args:
            events: The events, in their order.
            revision: The deployment whose scripts run; empty for the last successful one.
            traffic: Takes this target out of the traffic, or brings it back.

        Raises:
            DeploymentError: An event failed; those after it did not happen.
        """
        for event in events:
            if event in {BLOCK_TRAFFIC, ALLOW_TRAFFIC}:
                if traffic is not None:
                    self._time(event, revision, partial(self._move, traffic, event))
            else:
                self._time(event, revision, partial(self._ask, event, revision))

    def happened(self, event: str, status: str, seconds: float) -> None:
        """Note an event that happened to this target together with others."""
        begun = datetime.now(UTC) - timedelta(seconds=seconds)
        self.events.append(Event(event, self.deployment.id, status, begun, seconds))

    def prune(self) -> None:
        """Remove what is older than the group keeps."""
        try:
            self.host.ask("prune", keep=str(self.deployment.keep))
        except DeploymentError as error:
            self.say(f"An old revision could not be removed: {error}")

    def _move(self, traffic: Callable[[str, str], None], event: str) -> str:
        traffic(event, self.host.place)
        return SUCCEEDED

    def _ask(self, event: str, revision: str) -> str:
        if event == DOWNLOAD_BUNDLE:
            is_new = revision == self.deployment.id
            bundle = self.host.send(self.deployment.bundle) if is_new else ""
            return self.host.ask(
                event, deployment=revision, bundle=bundle, spec=self.deployment.spec
            )
        if event == INSTALL:
            return self.host.ask(event, deployment=revision)
        whose = "" if event in OF_PREVIOUS else revision
        return self.host.ask("run", event=event, deployment=whose)

    def _time(self, event: str, revision: str, act: Callable[[], str]) -> None:
        begun, since = datetime.now(UTC), time.monotonic()
        status, failure = FAILED, ""
        try:
            status = act()
        except DeploymentError as error:
            failure = str(error)
            raise
        finally:
            took = time.monotonic() - since
            self.events.append(Event(event, revision, status, begun, took, failure))
