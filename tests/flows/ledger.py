"""A small site that the flow tests release to: what was shipped there is in its ledger."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pipelinekit as pk
from pipelinekit.engine.decide import replay
from pipelinekit.model.action import Action
from pipelinekit.model.check import ConditionExecution
from pipelinekit.model.condition import Rule
from pipelinekit.model.execution import PipelineExecution, StageExecution, StageState
from pipelinekit.model.pipeline import Pipeline, Stage
from pipelinekit.ports.store import Query

WAIT = 20.0


@pk.action("Source", "LedgerFetch")
def fetch(job: pk.Job, folder: str) -> pk.Outcome:
    """Take the text of now."""
    text = Path(folder, "text").read_text(encoding="utf-8")
    written = job.folder / "written"
    written.mkdir(parents=True)
    (written / "file.txt").write_text(text, encoding="utf-8")
    job.write(written)
    return pk.Succeeded({"Text": text})


@pk.action("Deploy", "LedgerShip")
def ship(job: pk.Job, folder: str, text: str) -> pk.Outcome:
    """Write down the artifact and the variable that were given; fail while the site is broken."""
    read = (job.read() / "file.txt").read_text(encoding="utf-8")
    with Path(folder, "ledger").open("a", encoding="utf-8") as ledger:
        ledger.write(f"{job.order.action} {read} {text}\n")
    trouble = Path(folder, "broken")
    if not trouble.exists():
        return pk.Succeeded()
    if trouble.read_text(encoding="utf-8") == "once":
        trouble.unlink()
    return pk.Failed("the host is down")


@pk.rule("LedgerOpen")
def opened(job: pk.Job, file: str) -> bool:
    """Say whether a file is there."""
    job.say(f"looking for {file}")
    return Path(file).exists()


@pk.rule("LedgerUntil")
def until_open(job: pk.Job, file: str) -> pk.Outcome:
    """Wait until a file is there."""
    del job
    return pk.Succeeded() if Path(file).exists() else pk.Waiting("closed", seconds=0.02)


@dataclass(frozen=True)
class Site:
    """The folder of the site, and the actions and rules that know it."""

    folder: Path

    def writes(self, text: str) -> None:
        (self.folder / "text").write_text(text, encoding="utf-8")

    def breaks(self, times: str = "always") -> None:
        (self.folder / "broken").write_text(times, encoding="utf-8")

    def mends(self) -> None:
        (self.folder / "broken").unlink()

    def opens(self, name: str = "gate") -> None:
        (self.folder / name).touch()

    def closes(self, name: str = "gate") -> None:
        (self.folder / name).unlink()

    @property
    def ledger(self) -> list[str]:
        file = self.folder / "ledger"
        return file.read_text(encoding="utf-8").splitlines() if file.exists() else []

    def ship(self, name: str) -> Action:
        return ship(name, folder=str(self.folder), text="#{src.Text}").reads("src_artifact")

    def opened(self, name: str = "gate") -> Rule:
        return opened(f"is-{name}", file=str(self.folder / name))

    def until_open(self, name: str = "gate") -> Rule:
        return until_open(f"until-{name}", file=str(self.folder / name))

    def line(self, *stages: Stage, mode: str = "SUPERSEDED") -> Pipeline:
        """Make a pipeline of a source and the stages that are given."""
        self.writes("one")
        source = fetch("src", folder=str(self.folder)).writes("src_artifact")
        pipeline = Pipeline("shop", mode=pk.ExecutionMode(mode)) >> Stage("Source", source)
        for stage in stages:
            pipeline = pipeline >> stage
        return pipeline


def until(true: Callable[[], object]) -> None:
    """Wait until something is true."""
    limit = time.monotonic() + WAIT
    while not true():
        assert time.monotonic() < limit, "it did not come true"
        time.sleep(0.01)


def check_replay(kit: pk.Kit) -> None:
    """Hold the journal of the shop, decided anew, against all that is kept of its executions."""
    replayed = replay([record.event for record in kit.store.tail(0)])
    kept = [
        row
        for kind in (PipelineExecution, StageExecution, StageState, ConditionExecution)
        for row in kit.store.find(kind, Query(pipeline="shop"))
    ]
    assert kept
    for row in kept:
        assert replayed.get(type(row), row.key) == row


def stages(run: pk.Run) -> dict[str, str]:
    """Give how each stage of a run stands."""
    return {row.stage: row.status.value for row in run.stages}


def stage(run: pk.Run, name: str) -> StageExecution:
    """Give how a stage of a run stands."""
    (row,) = (each for each in run.stages if each.stage == name)
    return row
