"""Deploys to the one of two sets of targets that has no traffic, and then gives the traffic to it.

The replacement set goes through ApplicationStop to ValidateService, then BeforeAllowTraffic,
AllowTraffic and AfterAllowTraffic; then the original set through BeforeBlockTraffic, BlockTraffic
and AfterBlockTraffic. AllowTraffic is one call of the traffic command for all of a set, and
BlockTraffic is its other side.

Source: the CodeDeploy user guide, "AppSpec hooks section", run order of blue/green deployments.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

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
from pipelinekit.tools.deployments.lifecycle import SUCCEEDED
from pipelinekit.tools.deployments.revision import (
    AFTER_ALLOW_TRAFFIC,
    AFTER_BLOCK_TRAFFIC,
    ALLOW_TRAFFIC,
    BEFORE_ALLOW_TRAFFIC,
    BEFORE_BLOCK_TRAFFIC,
    BLOCK_TRAFFIC,
    INSTALLING,
    DeploymentError,
)
from pipelinekit.tools.deployments.rollout import failures
from pipelinekit.tools.deployments.traffic import Traffic
from pipelinekit.tools.deployments.visit import FAILED, Deployment, Host, Visit

BLUE = "blue"
GREEN = "green"
OTHER = {BLUE: GREEN, GREEN: BLUE}


@dataclass(slots=True)
class BlueGreen:
    """A deployment to the set that has no traffic.

    Attributes:
        deployment: What is deployed.
        health: To how many targets of that set at once, and how many of them may fail.
        traffic: Moves the traffic.
        say: Called with each line for the log.
    """

    deployment: Deployment
    health: Mapping[str, Health]
    traffic: Traffic
    say: Callable[[str], None]
    _note: Note = field(default_factory=Note)
    _sets: dict[str, list[Visit]] = field(default_factory=dict)

    def to(self, hosts: Mapping[str, Sequence[Host]]) -> Result:
        """Deploy to the set without traffic, and give it the traffic.

        Args:
            hosts: The targets of the sets `blue` and `green`.
        """
        everywhere = [*hosts[BLUE], *hosts[GREEN]]
        with opened(everywhere, self.deployment, self.say) as visits:
            self._note = Note.newest(visits)
            self._sets = {
                BLUE: visits[: len(hosts[BLUE])],
                GREEN: visits[len(hosts[BLUE]) :],
            }
            origin = self._note.live or BLUE
            to = OTHER[origin]
            failure = None
            try:
                self._settle(origin)
                self._install(to, origin)
                self._shift(to, origin)
            except DeploymentError as error:
                self.say(f"Failed: {error}")
                failure = error
            for visit in self._sets[to]:
                if visit.is_touched:
                    visit.prune()
            report([*self._sets[to], *self._sets[origin]], self.say)
            done = sum(visit.is_done for visit in self._sets[to])
        changed = [*self._sets[to], *(visit for visit in self._sets[origin] if visit.own_events)]
        return Result(done, len(self._sets[to]), failure, changed)

    # -------------------------------------------------------------- the replacement set

    def _settle(self, live: str) -> None:
        if self._note.towards:
            self.say(f"The last switch of the traffic was cut off; it is put back to {live}")
            self._move(live, OTHER[live])
            self._write(live=live, towards="")

    def _install(self, to: str, origin: str) -> None:
        self.say(f"== {origin} has the traffic; {to} gets the new revision ==")
        visits = by_turn(self._sets[to], self._note.revision)
        in_waves(visits, self.health[to], self._deploy, self.say)
        self._check(to, f"The traffic stays with {origin}")

    def _deploy(self, visit: Visit) -> None:
        visit.deploy(INSTALLING, self.deployment.id, None)
        visit.is_done = True

    def _good(self, name: str) -> list[Visit]:
        return [visit for visit in self._sets[name] if visit.is_done and visit.failure is None]

    def _check(self, name: str, consequence: str) -> None:
        good = len(self._good(name))
        if not self.health[name].is_enough(good):
            told = failures(self._sets[name], good)
            raise DeploymentError(f"{told}. {consequence}", told.code)

    # -------------------------------------------------------------- the switch

    def _shift(self, to: str, origin: str) -> None:
        self._happen(self._good(to), BEFORE_ALLOW_TRAFFIC, self.deployment.id)
        self._check(to, f"The traffic stays with {origin}")
        self._switch(to, origin)
        try:
            self._happen(self._good(to), AFTER_ALLOW_TRAFFIC, self.deployment.id)
            self._check(to, f"{to} has the traffic already")
            self._block(origin)
        except DeploymentError as error:
            if not self.deployment.rollback:
                told = f"{error}. Rollback is off for this group, so the traffic stays with {to}"
                raise DeploymentError(told, error.code) from None
            raise DeploymentError(f"{error}. {self._return(origin, to)}", error.code) from None
        self._write(revision=self.deployment.id)

    def _switch(self, to: str, origin: str) -> None:
        # Noted before, so that a switch that is cut off is known to the next deployment.
        self._write(live=origin, towards=to)
        try:
            self._move(to, origin)
        except DeploymentError as error:
            raise DeploymentError(f"{error}. {self._undo(origin, to)}", error.code) from None
        self._write(live=to, towards="")

    def _undo(self, origin: str, to: str) -> str:
        self.say(f"== the traffic is switched back to {origin} ==")
        try:
            self._write(live=origin, towards=to)
            self._move(origin, to)
            self._write(towards="")
        except DeploymentError as error:
            self.say(f"Failed: {error}")
            return (
                f"To switch the traffic back to {origin} failed too: {error}; look where it is, "
                f"and know that the next deployment begins by switching it to {origin}"
            )
        return f"The traffic was switched back to {origin}"

    def _return(self, origin: str, to: str) -> str:
        running = [visit for visit in self._sets[origin] if visit.facts.last]
        together(running, partial(self._aloud, event=BEFORE_ALLOW_TRAFFIC))
        told = self._undo(origin, to)
        together(running, partial(self._aloud, event=AFTER_ALLOW_TRAFFIC))
        for event in (BEFORE_BLOCK_TRAFFIC, AFTER_BLOCK_TRAFFIC):
            together(self._good(to), partial(self._aloud, event=event))
        return told

    def _block(self, origin: str) -> None:
        # An original that was out of reach from the beginning has no traffic to lose.
        visits = [visit for visit in self._sets[origin] if visit.failure is None]
        self._happen(visits, BEFORE_BLOCK_TRAFFIC, "")
        for visit in visits:
            visit.happened(BLOCK_TRAFFIC, SUCCEEDED, 0)
        self._happen(visits, AFTER_BLOCK_TRAFFIC, "")
        failed = [visit.failure for visit in visits if visit.failure is not None]
        if failed:
            raise DeploymentError(". ".join(map(str, failed)), failed[0].code)

    def _move(self, to: str, origin: str) -> None:
        visits = [visit for visit in self._sets[to] if visit.failure is None]
        begin, status = time.monotonic(), FAILED
        try:
            self.traffic.switch(
                to,
                origin,
                [visit.host.place for visit in visits],
                [visit.host.place for visit in self._sets[origin]],
            )
            status = SUCCEEDED
        finally:
            for visit in visits:
                visit.happened(ALLOW_TRAFFIC, status, time.monotonic() - begin)

    def _happen(self, visits: Sequence[Visit], event: str, revision: str) -> None:
        together(visits, lambda each: each.attempt(lambda at: at.go_through((event,), revision)))

    def _aloud(self, visit: Visit, event: str) -> None:
        try:
            visit.go_through((event,), "")
        except DeploymentError as error:
            visit.say(f"Failed on the way back: {error}")

    def _write(self, **changes: str) -> None:
        everywhere = [*self._sets[BLUE], *self._sets[GREEN]]
        self._note = self._note.write(everywhere, **changes)
