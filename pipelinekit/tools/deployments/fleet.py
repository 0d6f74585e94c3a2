"""Many targets at once: opened, deployed to in waves, noted down, and told of."""

import json
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Final, Self

from pipelinekit.tools.deployments.health import Health, rank
from pipelinekit.tools.deployments.lifecycle import Facts
from pipelinekit.tools.deployments.revision import DeploymentError
from pipelinekit.tools.deployments.visit import Deployment, Host, Visit

MOST_THREADS: Final = 64


@dataclass(frozen=True, slots=True)
class Result:
    """How a deployment ended.

    Attributes:
        succeeded: How many targets the new revision was deployed to.
        total: How many it was for.
        failure: Why it failed as a whole; None when it succeeded.
        visits: What it did at each target.
    """

    succeeded: int
    total: int
    failure: DeploymentError | None = None
    visits: Sequence[Visit] = ()


@dataclass(frozen=True, slots=True)
class Note:
    """What a group remembers, on each of its targets; the highest number is the newest.

    Attributes:
        number: Counts the changes.
        revision: The group's last successful deployment.
        live: The set of targets that has the traffic.
        towards: The set that the traffic was being moved to; empty when it is at rest.
    """

    number: int = 0
    revision: str = ""
    live: str = ""
    towards: str = ""

    @classmethod
    def newest(cls, visits: Iterable[Visit]) -> Self:
        """Read the newest note of all targets that can be reached."""
        notes = (cls(**json.loads(visit.facts.note)) for visit in visits if visit.facts.note)
        return max(notes, key=lambda note: note.number, default=cls())

    def write(self, visits: Sequence[Visit], **changes: str) -> "Note":
        """Change it, and write it on all targets that can be reached.

        Raises:
            DeploymentError: It could be written on none of them.
        """
        changed = replace(self, number=self.number + 1, **changes)
        text = json.dumps(asdict(changed))
        troubles = []
        for visit in visits:
            try:
                visit.host.ask("note", text=text)
            except DeploymentError as error:
                troubles.append(error)
        if len(troubles) == len(visits):
            raise troubles[0]
        return changed


# ------------------------------------------------------------------ all at once


def in_turn(say: Callable[[str], None]) -> Callable[[str], None]:
    """Let many threads say lines, one after the other."""
    one_speaker = threading.Lock()

    def speak(text: str) -> None:
        with one_speaker:
            say(text)

    return speak


@contextmanager
def opened(
    hosts: Iterable[Host], deployment: Deployment, say: Callable[[str], None]
) -> Iterator[list[Visit]]:
    """Connect to all targets, and keep other deployments off them while the block lasts.

    Args:
        hosts: The targets; one that cannot be had begins as failed.
        deployment: What is deployed.
        say: Called with each line for the log, by many threads at once; see `in_turn`.
    """
    hosts = list(hosts)

    def speak(prefix: str, text: str) -> None:
        say(prefix + text)

    prefixes = [f"{host.name} | " if len(hosts) > 1 else "" for host in hosts]
    visits = [
        Visit(host, deployment, partial(speak, prefix))
        for host, prefix in zip(hosts, prefixes, strict=True)
    ]
    try:
        together(visits, lambda visit: visit.attempt(_prepare))
        # In one order for all, so that two deployments never wait for each other.
        for visit in sorted(visits, key=lambda visit: visit.host.place):
            visit.attempt(_lock)
        yield visits
    finally:
        for visit in visits:
            visit.host.close()


def together(visits: Sequence[Visit], act: Callable[[Visit], None]) -> None:
    """Do the same at several targets at once, and wait for all of them."""
    if visits:
        with ThreadPoolExecutor(min(len(visits), MOST_THREADS)) as threads:
            list(threads.map(act, visits))


def in_waves(
    visits: Sequence[Visit],
    health: Health,
    act: Callable[[Visit], None],
    say: Callable[[str], None],
) -> None:
    """Deploy to as many targets at a time as the configuration allows, until it forbids more.

    Args:
        visits: All targets of the deployment, in the order of their turns.
        health: The configuration.
        act: Deploys to one target.
        say: Called with each line for the log.
    """
    waiting = [visit for visit in visits if visit.failure is None]
    wave = 0
    while waiting:
        room = health.room(sum(visit.failure is not None for visit in visits))
        if room < 1:
            say(
                f"== Stopped: {health.minimum} of {health.total} targets must stay healthy "
                f"({health.name}); not tried: {_names(waiting)} =="
            )
            return
        taken, waiting = waiting[:room], waiting[room:]
        wave += 1
        if health.total > 1:
            say(f"== Wave {wave} ({health.name}): {_names(taken)} ==")
        together(taken, lambda visit: visit.attempt(act))


def by_turn(visits: Iterable[Visit], revision: str) -> list[Visit]:
    """Sort targets by whose turn it is: those first that lose least by a failure.

    Args:
        visits: The targets.
        revision: The group's last successful deployment.
    """
    return sorted(
        visits,
        key=lambda each: rank(each.facts.last, revision, is_healthy=each.facts.is_healthy),
    )


def report(visits: Iterable[Visit], say: Callable[[str], None]) -> None:
    """Tell for each target what happened there, as people read it."""
    for visit in visits:
        back = f", then put back to {visit.put_back}" if visit.put_back else ""
        say(f"== {visit.host.place}: {visit.status}{back} ==")
        for event in visit.events:
            say(f"   {event.name:<19}{event.status:<10}{event.seconds:8.1f} s  {event.revision}")


def _names(visits: Iterable[Visit]) -> str:
    return ", ".join(visit.host.name for visit in visits)


def _prepare(visit: Visit) -> None:
    visit.host.connect(visit.say)
    deployment = visit.deployment
    visit.host.ask("prepare", spec=deployment.spec, environment=deployment.environment)


def _lock(visit: Visit) -> None:
    answer = visit.host.ask("lock", deployment=visit.deployment.id)
    visit.facts = Facts(**json.loads(answer))
