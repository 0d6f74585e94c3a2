"""What a build costs against its commands alone: twenty small ones, and one that logs much."""

import queue
import resource
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from msgspec.structs import replace

from pipelinekit.artifacts.folder import FolderArtifacts
from pipelinekit.builds.build import carry_out, prepare
from pipelinekit.builds.source import read_sources
from pipelinekit.builds.task import Request
from pipelinekit.kit.runners import needed
from pipelinekit.model.action import ActionTypeId, Category, Owner
from pipelinekit.model.execution import Artifact
from pipelinekit.model.order import Order
from pipelinekit.model.settings import Compute, Settings, Where
from pipelinekit.runtime.bench import Bench
from pipelinekit.tools.jobs.process import JSON, Sighting, Spawner, Standing, Watch
from pipelinekit.tools.redact import Redactor
from pipelinekit.wire.buildspec import Buildspec, Phase

SECRET: Final = "S3cr3t-value-1234"
TRIVIAL: Final = tuple(f"echo line {n}" if n % 2 else "/bin/true" for n in range(20))
LINE: Final = "2026-11-26 03:00:00 INFO compiling module number %d of the application, all is well"
LINE_BYTES: Final = 84
PLACES: Final = (Where.HOST, Where.SANDBOX)


Pick = Callable[[list[float]], float]


class Size(NamedTuple):
    """How much is measured; the log in MB."""

    rounds: int
    log_mb: int
    log_rounds: int


FULL, QUICK = Size(15, 1000, 3), Size(5, 100, 1)


def noisy(log_mb: int) -> str:
    """Give a command that prints so many MB, each line another one."""
    lines = log_mb * 1_000_000 // LINE_BYTES
    return f"awk 'BEGIN {{ for (i = 1; i <= {lines}; i++) printf \"{LINE}\\n\", i }}'"


def build(given: Mapping[str, JSON]) -> dict[str, JSON]:
    """Run a build in a runner; give its seconds and the growth of its memory in MiB."""
    job = _bench(Path(str(given["folder"])), Where(str(given["place"])))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.perf_counter()
    request = Request(job=job, name="bench", primary="Code")
    phase = Phase("build", tuple(str(given["commands"]).splitlines()))
    task = prepare(request, read_sources(request), Buildspec("0.2", phases=(phase,)))
    secrets = (SECRET,) if given["secret"] else ()
    carry_out(replace(task, secrets=secrets, redactor=Redactor(secrets)))
    seconds = time.perf_counter() - began
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    return {"seconds": seconds, "mib": grown / 1024}


def _bench(folder: Path, place: Where) -> Bench:
    (folder / "in/0").mkdir(parents=True)
    kind = ActionTypeId(Category.BUILD, Owner.CUSTOM, "Bench")
    order = Order("o", "p", "e", "s", "a", kind, inputs=(Artifact("Code", "bucket", "p/Code/1"),))
    settings = Settings(compute=Compute(where=place))
    return Bench(order, settings, folder, FolderArtifacts(folder / "store"), aloud=True)


class Builds:
    """Runs builds in runners, one after the other."""

    def __init__(self, folder: Path, spawner: Spawner) -> None:
        self._folder = folder
        self._spawner = spawner
        self._count = 0

    def run(self, commands: str, place: Where, *, secret: bool = False) -> tuple[float, float]:
        """Give the seconds of a build and by how many MiB its runner grew."""
        self._count += 1
        folder = self._folder / str(self._count)
        ends = queue.SimpleQueue[Sighting]()
        given: dict[str, JSON] = {"folder": str(folder), "place": place, "commands": commands}
        with Watch(lambda _folder, sighting: ends.put(sighting)) as watch:
            self._spawner.start(folder, f"{__name__}:build", given | {"secret": secret})
            watch.add(folder)
            sighting = ends.get(timeout=600)
        result = sighting.result or {}
        if sighting.standing is not Standing.DONE or "error" in result:
            raise RuntimeError(f"a build failed: {sighting}; its log is in {folder}")
        shutil.rmtree(folder)
        return float(str(result["seconds"])), float(str(result["mib"]))


def alone(commands: str, folder: Path) -> float:
    """Give the seconds in which bash runs the same commands, into a file."""
    script = folder / "script.sh"
    script.write_text(commands, encoding="utf-8")
    with (folder / "alone.log").open("wb") as log:
        began = time.perf_counter()
        subprocess.run(["bash", script], stdout=log, stderr=log, check=True)
        seconds = time.perf_counter() - began
    (folder / "alone.log").unlink()
    return seconds


def small(builds: Builds, folder: Path, rounds: int, pick: Pick) -> dict[str, float]:
    """Give the milliseconds of twenty trivial commands: `bash`, and each place."""
    commands = "\n".join(TRIVIAL)
    taken: dict[str, list[float]] = {name: [] for name in ("bash", *PLACES)}
    for _ in range(rounds):
        taken["bash"].append(alone(commands, folder))
        for place in PLACES:
            taken[place].append(builds.run(commands, place)[0])
    return {name: pick(each) * 1000 for name, each in taken.items()}


def loud(builds: Builds, folder: Path, size: Size, pick: Pick) -> dict[str, tuple[float, float]]:
    """Compare builds that log much with their command alone.

    Returns:
        By place, with ` redacted` after it where the build has a secret: how many times longer it
        takes, and by how many MiB its runner grew at most.
    """
    command = noisy(size.log_mb)
    kinds = {
        f"{place}{' redacted' * secret}": (place, secret)
        for place in PLACES
        for secret in (False, True)
    }
    times: dict[str, list[float]] = {name: [] for name in kinds}
    grown: dict[str, list[float]] = {name: [] for name in kinds}
    for _ in range(size.log_rounds):
        bare = alone(command, folder)
        for name, (place, secret) in kinds.items():
            seconds, mib = builds.run(command, place, secret=secret)
            times[name].append(seconds / bare)
            grown[name].append(mib)
    return {name: (pick(times[name]), max(grown[name])) for name in kinds}


def measure(
    size: Size = FULL, pick: Pick = statistics.median
) -> tuple[dict[str, float], dict[str, tuple[float, float]]]:
    """Measure both, in runners of one warm helper, as actions are; see `small` and `loud`.

    Args:
        size: How much.
        pick: Which of several measurements counts.
    """
    with (
        tempfile.TemporaryDirectory() as root,
        Spawner(preload=(*needed(Settings()), __name__)) as spawner,
    ):
        builds, folder = Builds(Path(root), spawner), Path(root)
        builds.run("true", Where.HOST)
        trivial = small(builds, folder, size.rounds, pick)
        return trivial, loud(builds, folder, size, pick)
