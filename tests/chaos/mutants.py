"""Deliberately broken designs: each must be caught, or the harness proves nothing.

A mutant is at work in the processes whose environment names it, the helper and the runners too.
"""

# ruff: noqa: SLF001, ARG005 - a mutant breaks what is private, and does not do what it should

import os
import shutil
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from msgspec.structs import replace

VARIABLE = "CHAOS_MUTANT"


@dataclass(frozen=True, slots=True)
class Mutant:
    """A broken design.

    Attributes:
        break_it: Breaks the product in this process.
        fault: By which fault it is caught.
        count: Within how many.
        rules: Rules of the checker, one of which at least it violates.
    """

    break_it: Callable[[], None]
    fault: str
    count: int
    rules: frozenset[str]


MUTANTS: dict[str, Mutant] = {}
_applied: set[str] = set()


def apply_wanted() -> None:
    """Break the product as the environment wants it, once."""
    wanted = os.environ.get(VARIABLE)
    if wanted and wanted not in _applied:
        _applied.add(wanted)
        MUTANTS[wanted].break_it()


def _mutant(fault: str, count: int, *rules: str) -> Callable[[Callable[[], None]], None]:
    def keep(break_it: Callable[[], None]) -> None:
        name = break_it.__name__.strip("_").replace("_", "-")
        MUTANTS[name] = Mutant(break_it, fault, count, frozenset(rules))

    return keep


@_mutant("kill-engine", 16, "start_once")
def _no_gate() -> None:
    from pipelinekit.runtime import hands
    from pipelinekit.tools.jobs import gate, runner

    honest = gate.claim

    def claim(folder: Path, result: str | None = None) -> int | None:
        shutil.rmtree(folder / gate.CONTROL, ignore_errors=True)
        return honest(folder, result)

    runner.claim = claim
    hands._started = lambda folder: False


@_mutant("cut-off", 1, "fenced")
def _no_fence() -> None:
    from pipelinekit.runtime.engines import Incarnation
    from pipelinekit.store import writing

    def answer(connection: Any, entry: Any) -> None:
        connection.run_many(
            "DELETE FROM orders WHERE id = ?", [(each,) for each in entry.answered]
        )

    writing.answer = answer
    # Nor does an engine know by its lock that others have what it held.
    Incarnation.check = lambda _self: 0
    Incarnation.holds = lambda _self, _term: True


@_mutant("syncs", 1, "synced")
def _no_sync_of_folders() -> None:
    from pipelinekit.tools import durable
    from pipelinekit.tools.jobs import gate

    durable.sync = gate.sync = lambda folder: None


@_mutant("commits", 6, "durable")
def _acknowledged_before_the_commit() -> None:
    from pipelinekit.runtime.worker import Worker

    honest = Worker._settle

    def settle(self: Any, questions: list[Any], ends: list[Any], late: list[Any]) -> None:
        for question in questions:
            question.reply.put(question.event.id)
        honest(self, questions, ends, late)

    Worker._settle = settle


@_mutant("approvals", 90, "approval_once")
def _checked_then_acted() -> None:
    from pipelinekit.store import writing

    honest = writing._journal

    def journal(connection: Any, entries: Any, tip: Any) -> None:
        honest(connection, [replace(each, seen=_seen(connection, each)) for each in entries], tip)

    writing._compare = lambda connection, entries: None
    writing._journal = journal


def _seen(connection: Any, entry: Any) -> int:
    asked = "SELECT records FROM heads WHERE pipeline = :pipeline"
    found = connection.rows(asked, {"pipeline": entry.pipeline})
    return int(found[0][0]) if found else 0


@_mutant("eio", 6, "once_only", "token_once", "legal_moves")
def _committed_again_after_an_error() -> None:
    from pipelinekit.model.errors import StoreError
    from pipelinekit.store.sql import SqlStore

    honest = SqlStore.commit

    def commit(self: Any, entries: Any) -> None:
        try:
            honest(self, entries)
        except StoreError:
            with self._reading() as connection:
                again = [replace(each, seen=_seen(connection, each)) for each in entries]
            honest(self, again)

    SqlStore.commit = commit


@_mutant("two-engines", 5, "failure_has_a_cause", "start_once")
def _swept_without_a_look_at_the_owner() -> None:
    from pipelinekit.runtime.engines import Incarnation

    def dead(self: Any) -> list[str]:
        others = [path.name for path in self._folder.iterdir() if path.name[0] != "."]
        return [name for name in others if name != self.id]

    Incarnation.dead = dead
    Incarnation.bury = lambda self, dead: None


@_mutant("kill-runner", 12, "as_witnessed")
def _lock_inherited() -> None:
    from pipelinekit.tools.jobs import runner

    runner._disown = lambda held: None


@_mutant("bitflip", 20, "as_witnessed")
def _digest_unchecked() -> None:
    from pipelinekit.artifacts.folder import FolderArtifacts

    FolderArtifacts.get = lambda self, artifact: self._path(artifact)


@_mutant("results", 4, "everything_ends")
def _result_written_in_place() -> None:
    from pipelinekit.tools.failpoint import failpoint
    from pipelinekit.tools.jobs import gate, runner

    def store(control: Path, result: str) -> None:
        with (control / gate.RESULT).open("w", encoding="utf-8") as file:
            file.write(result[: len(result) // 2])
            file.flush()
            failpoint("result.rename.before")
            file.write(result[len(result) // 2 :])

    runner.store = store


@_mutant("cut-off", 1, "everything_ends")
def _order_dropped_at_a_take_over() -> None:
    from pipelinekit.store import sql

    def disown(connection: Any, dead: Any) -> None:
        connection.run_many("DELETE FROM orders WHERE owner = ?", [(each,) for each in dead])

    sql.disown = disown


@_mutant("kill-engine", 3, "nothing_after_the_verdict", "everything_ends")
def _order_kept_although_answered() -> None:
    from pipelinekit.store import writing

    writing.answer = lambda connection, entry: None


@_mutant("kill-runner", 6, "start_once")
def _lost_and_begun_again() -> None:
    from pipelinekit.runtime.hands import Hands, _losses, _put_aside
    from pipelinekit.tools.jobs.process import Standing

    honest = Hands._ended

    def ended(self: Any, folder: Path, sighting: Any) -> None:
        if sighting.standing is Standing.LOST and _put_aside(folder, _losses(folder) + 1):
            order = self._detached[folder.name]
            self._errands.do(lambda: self._start(order))
        else:
            honest(self, folder, sighting)

    Hands._ended = ended


@_mutant("kill-runner", 6, "success_means_done")
def _lost_taken_for_done() -> None:
    from pipelinekit.model.order import Succeeded
    from pipelinekit.runtime import hands

    hands._lost = lambda how: hands.Report(Succeeded())


@_mutant("tokens", 3, "token_once")
def _token_ignored() -> None:
    from pipelinekit.engine import start

    start._asked_before = lambda draft, event: False


@_mutant("orphans", 6, "as_witnessed")
def _abandoned_by_process_group_alone() -> None:
    from pipelinekit.runtime import hands
    from pipelinekit.tools.jobs import halting, jobgroup, runner

    jobgroup.join = lambda me: None

    def stop_family(_control: Path, _grace: float) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        os.killpg(0, signal.SIGTERM)

    runner._stop_family = stop_family
    halting.sweep = hands.sweep = lambda folder: None


@_mutant("clock", 25, "failure_has_a_cause", "everything_ends", "as_witnessed")
def _wall_clock_for_timers() -> None:
    from pipelinekit.runtime.worker import Worker

    honest = Worker.__init__

    def begin(self: Any, *args: Any, **kwargs: Any) -> None:
        honest(self, *args, **kwargs)
        self._timers._clock = lambda: self._clock().timestamp()

    Worker.__init__ = begin


@_mutant("cut-off", 2, "failure_has_a_cause", "inputs_fixed")
def _artifact_replaced() -> None:
    from pipelinekit.artifacts import folder

    folder.DIGEST_CHARACTERS = 0


@_mutant("kill-engine", 3, "chain")
def _record_chained_to_nothing() -> None:
    from pipelinekit.store import writing

    honest = writing.chained
    writing.chained = lambda digest, body: honest(writing.EMPTY_DIGEST, body)
