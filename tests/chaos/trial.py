"""A trial: a site of its own where faults are done, everything is let end, and all is checked."""

import os
import random
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from pipelinekit.model.pipeline import Pipeline
from tests.chaos import workload
from tests.chaos.checker import DOUBLING, LOSING, Findings, check_files
from tests.chaos.children import Child, clear, fork
from tests.chaos.ledger import VARIABLE, Line, lines, note
from tests.chaos.life import Plan, live
from tests.chaos.rig import Site
from tests.chaos.stores import URLS, damage, write_history

SETTLE_SECONDS = float(os.environ.get("CHAOS_SETTLE_SECONDS", "90"))
LOOK_SECONDS = 0.01
SLACK = float(os.environ.get("CHAOS_SLACK", "1"))
"""How many times longer than it should be things may take, where others use the machine too."""

TRACE = "trace"


@dataclass(slots=True)
class Trial:
    """What a fault is given to work with.

    Attributes:
        site: Where it takes place.
        dice: Decides everything that is left to chance.
        pipelines: The workload.
        figures: What was measured, by what it is.
    """

    site: Site
    dice: random.Random
    pipelines: tuple[Pipeline, ...] = field(default_factory=workload.standard)
    figures: dict[str, list[float]] = field(default_factory=dict)
    _children: list[Child] = field(default_factory=list)
    _starts: int = 0

    def use(self, *pipelines: Pipeline) -> None:
        """Take another workload than the standard one."""
        self.pipelines = pipelines
        for pipeline in pipelines:
            note("layout", pipeline=pipeline.name, stages=workload.layout(pipeline))

    def starts(self, share: float = 1.0) -> list[tuple[str, str]]:
        """Give a start of each pipeline of the workload, or of a share of them."""
        chosen = [each.name for each in self.pipelines if self.dice.random() < share]
        self._starts += 1
        return [(name, f"{name}-{self._starts}") for name in chosen]

    def live(self, environ: Mapping[str, str] | None = None, **members: object) -> Child:
        """Fork an engine that starts, tends and perhaps settles; see `life.Plan`."""
        plan = replace(Plan(pipelines=self.pipelines), **members)
        return self.fork(lambda: live(self.site, plan), environ)

    def fork(
        self, task: Callable[[], int | None], environ: Mapping[str, str] | None = None
    ) -> Child:
        """Fork a process that does some task at the site."""
        child = fork(self.site, task, environ)
        self._children.append(child)
        return child

    def settle(self, seconds: float = SETTLE_SECONDS) -> None:
        """Have an engine to which nothing is done bring everything to its end."""
        code = self.live(settle=True, seconds=seconds).wait(seconds + 20)
        if code != 0:
            note("violation", text=f"the engine that was to settle everything ended with {code}")

    def until(self, count: int, seconds: float, what: str, **members: object) -> list[Line]:
        """Wait until the ledger has so many lines of a kind; give them."""
        limit = time.monotonic() + seconds
        while len(found := self.said(what, **members)) < count and time.monotonic() < limit:
            time.sleep(LOOK_SECONDS)
        return found

    def said(self, what: str, **members: object) -> list[Line]:
        """Give the ledger's lines of a kind, with some members."""
        wanted = {"what": what, **members}.items()
        return [line for line in lines(self.site.ledger) if wanted <= line.items()]

    def measured(self, what: str, value: float) -> None:
        """Keep a figure."""
        self.figures.setdefault(what, []).append(value)

    def close(self) -> None:
        """End every process of the trial, and enter the kills of failpoints in the ledger."""
        for child in self._children:
            child.kill()
        clear(self.site)

    def reached(self) -> list[tuple[str, str, int, float]]:
        """Give the failpoints that were reached: name, action, process and time."""
        file = self.site.folder / TRACE
        if not file.exists():
            return []
        rows = [line.split() for line in file.read_text(encoding="utf-8").splitlines()]
        return [(name, action, int(pid), float(at)) for at, pid, name, action in rows]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a trial."""

    seed: int
    count: int
    findings: Findings
    figures: Mapping[str, list[float]]

    @property
    def lost(self) -> int:
        """Count what was acknowledged and is gone, or never ended."""
        return self.findings.count(LOSING)

    @property
    def doubled(self) -> int:
        """Count what happened twice."""
        return self.findings.count(DOUBLING)


Fault = Callable[[Trial, int], None]


def conduct(fault: Fault, seed: int, count: int, store: str) -> Outcome:
    """Do a fault a number of times at a site of its own, and check what became of it.

    Args:
        fault: What is done.
        seed: Of the dice.
        count: How often.
        store: The kind of store.
    """
    with _site(store) as site:
        trial = Trial(site, random.Random(f"{seed}/{count}"))
        trial.use(*trial.pipelines)
        try:
            fault(trial, count)
        finally:
            trial.close()
        for _, action, pid, at in trial.reached():
            if action == "kill":
                note("gone", gone=pid, at=at)
        broken = damage(site.home.database)
        if broken:
            note("violation", text=f"the store is damaged: {broken}")
        history = site.folder / "history"
        write_history(site.home.database, history)
        refused = history.read_text(encoding="utf-8").count('\\"is\\":\\"AnswerRefused\\"')
        if refused:
            trial.measured("refused_answers", refused)
        findings = check_files(history, site.ledger)
        if findings.violations:
            _keep(site, seed)
        return Outcome(seed, count, findings, trial.figures)


@contextmanager
def _site(store: str) -> Iterator[Site]:
    folder = Path(tempfile.mkdtemp(prefix="chaos-"))
    before = os.environ.get(VARIABLE)
    site = Site(folder, URLS[store](folder / "home"))
    os.environ[VARIABLE] = str(site.ledger)
    try:
        yield site
    finally:
        if before is None:
            del os.environ[VARIABLE]
        else:
            os.environ[VARIABLE] = before
        shutil.rmtree(folder, ignore_errors=True)


def _keep(site: Site, seed: int) -> None:
    wanted = os.environ.get("CHAOS_KEEP")
    if wanted:
        target = Path(wanted) / f"{seed}-{site.folder.name}"
        shutil.copytree(site.folder, target, ignore=shutil.ignore_patterns("in", "artifacts"))


def summary(values: list[float]) -> dict[str, float]:
    """Give the middle, the 99th of a hundred and the greatest of some figures."""
    ordered = sorted(values)
    last = len(ordered) - 1
    return {
        "p50": round(ordered[last // 2], 4),
        "p99": round(ordered[min(last, int(0.99 * len(ordered)))], 4),
        "max": round(ordered[last], 4),
    }
