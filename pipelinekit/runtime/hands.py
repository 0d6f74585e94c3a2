"""How an order is carried out: in a thread of this process, or in a runner of its own."""

import errno
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

from pipelinekit.model.action import ActionTypeId
from pipelinekit.model.noun import Noun
from pipelinekit.model.order import Failed, FailureType, Order, Waiting
from pipelinekit.model.settings import Settings
from pipelinekit.ports.artifacts import Artifacts
from pipelinekit.ports.provider import Declared
from pipelinekit.ports.store import Claim
from pipelinekit.runtime.bench import PRIVATE, Bench, Report, Starter, carry_out
from pipelinekit.runtime.progress import Progress
from pipelinekit.runtime.threads import Threads
from pipelinekit.tools.commands.containers import remove_containers
from pipelinekit.tools.failpoint import failpoint
from pipelinekit.tools.jobs import jobgroup
from pipelinekit.tools.jobs.gate import CONTROL, GRACE_SECONDS
from pipelinekit.tools.jobs.halting import SLACK_SECONDS, halt, sweep
from pipelinekit.tools.jobs.process import (
    JSON,
    Sighting,
    Spawner,
    SpawnError,
    Standing,
    Watch,
    look,
)
from pipelinekit.wire.record import read_answer, text

Done = Callable[[Order, Report | None], None]
Still = Callable[[], bool]
Providers = Mapping[ActionTypeId, Declared[...]]

CALLS, ERRANDS = 64, 64
"""How many calls in threads may go on side by side, and how many starts and halts of runners.

A halt takes as long as the job's processes resist, and no other halt and no start is to wait.
"""

CLOSING_SECONDS = 4.0
HALTING_SECONDS = GRACE_SECONDS + 2 * SLACK_SECONDS
NO_RUNNER = FailureType.SYSTEM_UNAVAILABLE
LOST_AGAIN = 2
VANISHED: Final = Report(Failed("its runner is gone", FailureType.RUNNER_LOST))
"""What is told of a runner that left no result; `Hands.recover` is to deal with it."""

NOT_BEGUN: Final = Report(Failed("it was not begun", FailureType.SYSTEM_UNAVAILABLE))
"""What is told of an order that was not sure to be held; if it is, it is to be taken again."""


class Place(Noun, gc=True):
    """Where this engine does its work.

    Attributes:
        jobs: The folder that holds a folder for each job.
        artifacts: Where artifacts are kept.
        settings: What the project says about its surroundings.
        target: `module:function` that a runner calls for an order.
        payload: What the function is given besides the order.
        spawner: Starts the runners.
        starter: How an inline provider starts another pipeline.
    """

    jobs: Path
    artifacts: Artifacts
    settings: Settings
    target: str
    payload: Mapping[str, JSON]
    spawner: Spawner
    starter: Starter | None = None


class Hands:
    """Carries out orders and tells what became of each.

    Args:
        place: Where the work is done.
        providers: Who does it, by action type.
        done: Is told the end of an order; the report is None where the order was halted, and
            `VANISHED` or `NOT_BEGUN` where it has not come to one.
    """

    def __init__(self, place: Place, providers: Providers, done: Done) -> None:
        self._place = place
        self._providers = providers
        self._done = done
        self._calls = Threads(CALLS)
        self._errands = Threads(ERRANDS)
        self._detached: dict[str, Order] = {}
        self._told: dict[str, Progress] = {}
        self._taken: set[tuple[str, int]] = set()
        self._begun: set[tuple[str, int]] = set()
        self._able: frozenset[str] = frozenset()
        self._lock = threading.Lock()
        self._spawner = place.spawner
        self._watch = Watch(self._ended)

    @property
    def able(self) -> frozenset[str]:
        """Name the action types that can be carried out here, those declared just now too."""
        if len(self._able) != len(self._providers):
            self._able = frozenset(map(str, self._providers))
        return self._able

    def take(self, claim: Claim, still: Still = lambda: True) -> None:
        """Begin with an order, or end what runs for it; leave alone what nobody here can do.

        Args:
            claim: The order.
            still: Tells at the last moment whether it is still this engine's; if not, nothing
                is begun.
        """
        order = claim.order
        provider = self._providers.get(order.type)
        if claim.halt:
            self.halt(order)
        elif provider is None:
            return
        elif _is_lost(claim, provider):
            where = "at another place " if claim.elsewhere else ""
            self._done(order, _lost(f"the engine that ran it {where}died"))
        else:
            self._taken.add((order.id, order.fence))
            crew = self._errands if provider.traits.detached else self._calls
            crew.do(lambda: self._begin(provider, order, still))

    def halt(self, order: Order) -> None:
        """End whatever runs for an order; a call in a thread cannot be ended, only forgotten."""
        provider = self._providers.get(order.type)
        if provider is not None and not provider.traits.detached:
            self._done(order, None)
        else:
            self._errands.do(lambda: self._halt(order))

    def recover(self, order: Order, still: Still) -> None:
        """Deal with a runner that vanished: run the order again if it may be, else report it lost.

        Args:
            order: One that is known to be held, as what is left of its runner is put aside.
            still: Tells whether it is held; if not, the job is left to whoever has it.
        """
        self._errands.do(lambda: self._recover(order, still))

    def has(self, order: Order) -> bool:
        """Tell whether an order was taken here, and its end is not dealt with."""
        return (order.id, order.fence) in self._taken

    def begun(self, order: Order) -> bool:
        """Tell whether it has begun besides."""
        return (order.id, order.fence) in self._begun

    def forget(self, order: Order) -> None:
        """Know that the end of an order is dealt with."""
        self._taken.discard((order.id, order.fence))
        self._begun.discard((order.id, order.fence))

    def finished(self, order: Order) -> bool:
        """Tell whether an order's runner has left a result, which is told soon."""
        provider = self._providers.get(order.type)
        if provider is None or not provider.traits.detached:
            return False
        return _standing(self._place.jobs / order.id) is Standing.DONE

    def progress(self) -> Iterator[tuple[Order, Progress]]:
        """Go through the detached jobs that have told something new of how far they are."""
        with self._lock:
            under_way = list(self._detached.values())
            self._told = {key: self._told[key] for key in self._detached if key in self._told}
        for order in under_way:
            progress = Progress.read(self._place.jobs / order.id)
            if progress is not None and self._told.get(order.id) != progress:
                self._told[order.id] = progress
                yield order, progress

    def close(self) -> list[threading.Thread]:
        """Let calls in threads end for a few seconds, and halts; runners go on by themselves.

        Returns:
            The threads whose calls go on all the same.
        """
        self._calls.close(CLOSING_SECONDS)
        self._errands.close(HALTING_SECONDS, finish=True)
        self._watch.close()
        self._spawner.close()
        return self._calls.at_work

    def _begin(self, provider: Declared[...], order: Order, still: Still) -> None:
        if not still():
            self._taken.discard((order.id, order.fence))
            self._done(order, NOT_BEGUN)
            return
        self._begun.add((order.id, order.fence))
        if provider.traits.detached:
            if provider.traits.ready:
                provider.traits.ready()
            self._start(order)
        else:
            self._call(provider, order)

    def _call(self, provider: Declared[...], order: Order) -> None:
        failpoint("hands.call.before")
        place = self._place
        bench = Bench(
            order=order,
            settings=place.settings,
            folder=place.jobs / order.id,
            artifacts=place.artifacts,
            starter=place.starter,
        )
        report = carry_out(provider, bench)
        failpoint("hands.call.after")
        self._done(order, report)

    def _start(self, order: Order) -> None:
        folder = self._place.jobs / order.id
        with self._lock:
            self._detached[folder.name] = order
        failpoint("hands.spawn.before")
        try:
            if not _started(folder):  # what an engine before began needs no helper
                provider = self._providers[order.type]
                self._spawner.start(
                    folder,
                    self._place.target,
                    {
                        **self._place.payload,
                        "order": text(order),
                        "module": provider.__module__,
                    },
                    (provider.__module__, *provider.traits.preload),
                )
        except (SpawnError, OSError) as error:
            if not _started(folder):
                failed = Failed(f"no runner could be started: {error}", NO_RUNNER)
                self._done(order, Report(failed))
                return
        failpoint("hands.spawn.after")
        self._watch.add(folder)

    def _halt(self, order: Order) -> None:
        folder = self._place.jobs / order.id
        failpoint("hands.halt.before")
        halt(folder)
        _clean(folder)
        failpoint("hands.halt.after")
        self._done(order, None)

    def _ended(self, folder: Path, sighting: Sighting) -> None:
        failpoint("hands.end.before")
        with self._lock:
            order = self._detached.pop(folder.name, None)
        if order is None:  # it was watched twice, and this is told the second time
            return
        if sighting.standing is Standing.DONE and sighting.result is not None:
            _clean(folder)
            self._done(order, _report(sighting.result))
            failpoint("hands.end.after")
        else:
            self._done(order, VANISHED)

    def _recover(self, order: Order, still: Still) -> None:
        folder = self._place.jobs / order.id
        number = _losses(folder) + 1  # counted before the look, so that a later loss is not meant
        if _standing(folder) in {Standing.DONE, Standing.RUNNING}:  # it was halted meanwhile
            self._start(order)  # which only follows what has begun
            return
        if still():
            _clean(folder)
            sweep(folder)
        if not still():  # that took a while, in which this engine may have been stopped
            self._done(order, VANISHED)
        elif number > LOST_AGAIN or not self._providers[order.type].traits.repeatable:
            self._done(order, _lost("the process that ran it was killed"))
        elif _put_aside(folder, number):
            self._start(order)
        else:  # who has it by now has dealt with this loss
            self._done(order, VANISHED)


def _is_lost(claim: Claim, provider: Declared[...]) -> bool:
    if provider.traits.repeatable:
        return False
    if provider.traits.detached:
        return claim.elsewhere
    return claim.inherited and not claim.order.token


def _clean(folder: Path) -> None:
    jobgroup.drop(folder / CONTROL)
    shutil.rmtree(folder / PRIVATE, ignore_errors=True)
    remove_containers(folder)


def _standing(folder: Path) -> Standing:
    try:
        return look(folder).standing
    except OSError:  # what cannot be looked at cannot have been made
        return Standing.NOT_STARTED


def _started(folder: Path) -> bool:
    return _standing(folder) is not Standing.NOT_STARTED


def _report(result: Mapping[str, JSON]) -> Report | None:
    if result.get("halted"):
        return None
    error = result.get("error")
    if isinstance(error, dict):
        what = f"{error.get('type')}: {error.get('message')}; its log has the traceback"
        return Report(Failed(what, FailureType.SYSTEM_UNAVAILABLE))
    outcome, artifacts = read_answer(result)
    if isinstance(outcome, Waiting):
        return Report(Failed("a provider that runs in a process of its own answered Waiting"))
    return Report(outcome, artifacts)


def _lost(how: str) -> Report:
    message = (
        f"the action was lost: {how}, so nobody knows how far it came; look at what it was to "
        f"change, then retry the stage"
    )
    return Report(Failed(message, FailureType.RUNNER_LOST))


def _losses(folder: Path) -> int:
    """Count how often the job of a folder was put aside."""
    return sum(_aside(folder, number).exists() for number in range(1, LOST_AGAIN + 1))


def _aside(folder: Path, number: int) -> Path:
    return folder.with_name(f"{folder.name}.lost{number}")


def _put_aside(folder: Path, number: int) -> bool:
    """Make room for a job that was lost to run again.

    Args:
        folder: The job's.
        number: Which loss of it this is: each can be put aside once, by whomever.

    Returns:
        Whether this call did it, and no engine that has got the order since.
    """
    failpoint("hands.aside.before")
    try:
        folder.rename(_aside(folder, number))
    except FileNotFoundError:  # nothing is left that could be in the way
        return True
    except OSError as error:
        if error.errno in {errno.ENOTEMPTY, errno.EEXIST}:
            return False
        raise
    failpoint("hands.aside.after")
    return True
