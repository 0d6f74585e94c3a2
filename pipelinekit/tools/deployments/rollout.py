"""Deploys to targets in place: wave after wave, and back again where it fails."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from pipelinekit.tools.deployments.fleet import (
    Note,
    Result,
    by_turn,
    in_waves,
    opened,
    report,
    together,
)
from pipelinekit.tools.deployments.health import Health
from pipelinekit.tools.deployments.revision import (
    ALLOWING,
    BLOCKING,
    INSTALLING,
    JOB_FAILED,
    DeploymentError,
)
from pipelinekit.tools.deployments.traffic import Traffic
from pipelinekit.tools.deployments.visit import Deployment, Host, Visit


@dataclass(frozen=True, slots=True)
class Rollout:
    """A deployment in place.

    Attributes:
        deployment: What is deployed.
        health: To how many targets at once, and how many of them may fail.
        traffic: Takes a target out of the traffic while it is deployed to; None for no traffic.
        say: Called with each line for the log.
    """

    deployment: Deployment
    health: Health
    traffic: Traffic | None
    say: Callable[[str], None]

    def to(self, hosts: Iterable[Host]) -> Result:
        """Deploy to all targets.

        Args:
            hosts: The targets.
        """
        with opened(hosts, self.deployment, self.say) as visits:
            note = Note.newest(visits)
            in_waves(by_turn(visits, note.revision), self.health, self._deploy, self.say)
            done = [visit for visit in visits if visit.is_done]
            failure = None
            if self.health.is_enough(len(done)):
                self._remember(note, done)
            else:
                failure = self._failed(visits, len(done))
            touched = [visit for visit in visits if visit.is_touched]
            for visit in touched:
                visit.prune()
            report(visits, self.say)
        return Result(len(done), len(visits), failure, visits)

    @property
    def _events(self) -> tuple[str, ...]:
        return INSTALLING if self.traffic is None else (*BLOCKING, *INSTALLING, *ALLOWING)

    def _deploy(self, visit: Visit) -> None:
        self._put(visit, self.deployment.id)
        visit.is_done = True

    def _put(self, visit: Visit, revision: str) -> None:
        change = None if self.traffic is None else self.traffic.change
        visit.deploy(self._events, revision, change)

    def _remember(self, note: Note, done: Sequence[Visit]) -> None:
        try:
            note.write(done, revision=self.deployment.id)
        except DeploymentError as error:
            self.say(f"That this revision is the group's could not be noted: {error}")

    def _failed(self, visits: Sequence[Visit], done: int) -> DeploymentError:
        told = failures(visits, done)
        touched = [visit for visit in reversed(visits) if visit.is_touched]
        notes: dict[str, str] = {}

        def put_back(visit: Visit) -> None:
            notes[visit.host.place] = self._put_back(visit)

        at_once = self.health.at_once
        for first in range(0, len(touched), at_once):
            together(touched[first : first + at_once], put_back)
        whole = ". ".join((str(told), *(notes[visit.host.place] for visit in touched)))
        return DeploymentError(whole, told.code)

    def _put_back(self, visit: Visit) -> str:
        place, previous = visit.host.place, visit.facts.last
        if not self.deployment.rollback:
            return f"Rollback is off for this group, so {place} stays as it is"
        if not previous:
            return f"{place} had no good revision to put back, and stays as it is"
        visit.say(f"== rollback of {place} to {previous} ==")
        try:
            self._put(visit, previous)
        except DeploymentError as error:
            visit.say(f"Failed: {error}")
            return f"To put revision {previous} back on {place} failed too: {error}"
        visit.put_back = previous
        return f"Revision {previous} was put back on {place}"


def failures(visits: Sequence[Visit], done: int) -> DeploymentError:
    """Say why a deployment failed: at each target, and how many were left.

    Args:
        visits: All targets.
        done: At how many the new revision is in place.
    """
    found = [visit.failure for visit in visits if visit.failure is not None]
    told = [str(failure) for failure in found]
    if len(visits) > 1:
        untried = len(visits) - done - len(found)
        told.append(
            f"{done} of {len(visits)} targets succeeded, {len(found)} failed, "
            f"{untried} were not tried"
        )
    return DeploymentError(". ".join(told), found[0].code if found else JOB_FAILED)
