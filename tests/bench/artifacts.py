"""What artifacts cost: packed and kept against `zipfile`, read by five jobs against one."""

import queue
import random
import shutil
import statistics
import tempfile
import time
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from msgspec.json import decode

from pipelinekit.artifacts.folder import FolderArtifacts
from pipelinekit.model.action import ActionTypeId, Category, Owner
from pipelinekit.model.execution import Artifact
from pipelinekit.model.order import Order
from pipelinekit.model.settings import Settings
from pipelinekit.runtime.bench import Bench
from pipelinekit.tools.jobs.process import JSON, Sighting, Spawner, Standing, Watch
from pipelinekit.wire.record import text

FILE_BYTES = 20_000
READERS = 5
WORDS = ("import", "return", "self", "value = ", "for each in", "(name)", "#", "'text'", "0x1f")


Pick = Callable[[list[float]], float]


class Size(NamedTuple):
    """How much is measured."""

    files: int
    rounds: int


FULL, QUICK = Size(500, 7), Size(100, 7)


def grow(folder: Path, files: int) -> Path:
    """Make a tree of files of 20 kB, text like that of programs."""
    dice = random.Random(7)
    for number in range(files):
        path = folder / f"package{number % 25}" / f"part{number % 5}" / f"file{number}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        words = (f"{dice.choice(WORDS)}{dice.randrange(500)}" for _ in range(FILE_BYTES // 4))
        path.write_text(" ".join(words)[:FILE_BYTES], encoding="utf-8")
    return folder


def bench(folder: Path, name: str, *, reads: Artifact | None = None) -> Bench:
    """Give the bench of a job, as a runner has it, that reads an artifact or writes one."""
    kind = ActionTypeId(Category.BUILD, Owner.CUSTOM, "Bench")
    inputs = (reads,) if reads else ()
    outputs = () if reads else (Artifact("Out", "bucket", f"p/Out/{name}"),)
    order = Order(name, "p", "e", "s", "a", kind, inputs=inputs, outputs=outputs)
    return Bench(order, Settings(), folder / "jobs" / name, FolderArtifacts(folder / "store"))


def zipped(tree: Path, target: Path) -> float:
    """Give the seconds in which `zipfile` alone packs a tree."""
    began = time.perf_counter()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(tree.rglob("*")):
            archive.write(path, path.relative_to(tree))
    return time.perf_counter() - began


def written(tree: Path, folder: Path, name: str) -> tuple[float, Artifact]:
    """Give the seconds in which a job publishes a tree, and the artifact."""
    job = bench(folder, name)
    began = time.perf_counter()
    job.write(tree)
    return time.perf_counter() - began, job.written[0]


def read_input(given: Mapping[str, JSON]) -> dict[str, JSON]:
    """Read an artifact in a process of its own."""
    artifact = decode(str(given["artifact"]), type=Artifact)
    bench(Path(str(given["folder"])), str(given["name"]), reads=artifact).read()
    return {}


class Readers:
    """Runners that read the same artifact at the same time."""

    def __init__(self, folder: Path, spawner: Spawner) -> None:
        self._folder = folder
        self._spawner = spawner
        self._ends = queue.SimpleQueue[Sighting]()
        self._count = 0

    def seconds(self, artifact: Artifact, watch: Watch, count: int) -> float:
        """Give the seconds until the last of `count` runners has read it."""
        began = time.perf_counter()
        for _ in range(count):
            self._count += 1
            name = f"reader{self._count}"
            folder = self._folder / "jobs" / name
            given: dict[str, JSON] = {"name": name, "folder": str(self._folder)}
            self._spawner.start(
                folder, f"{__name__}:read_input", given | {"artifact": text(artifact)}
            )
            watch.add(folder)
        for _ in range(count):
            self._check(self._ends.get(timeout=60))
        return time.perf_counter() - began

    def ended(self, _folder: Path, sighting: Sighting) -> None:
        """Take the end of one."""
        self._ends.put(sighting)

    def _check(self, sighting: Sighting) -> None:
        if sighting.standing is not Standing.DONE or sighting.result != {}:
            raise RuntimeError(f"a reader failed: {sighting}")


def measure(size: Size = FULL, pick: Pick = statistics.median) -> dict[str, float]:
    """Measure in turn.

    Args:
        size: How much.
        pick: Which of several measurements counts.

    Returns:
        `zipfile`, `write`, `one` and `five` in milliseconds; the ratios `pack` (`write` to
        `zipfile`) and `share` (`five` to `one`).
    """
    taken: dict[str, list[float]] = {name: [] for name in ("zipfile", "write", "one", "five")}
    folder = Path(tempfile.mkdtemp())
    tree = grow(folder / "tree", size.files)
    with Spawner(preload=(__name__,)) as spawner:
        readers = Readers(folder, spawner)
        with Watch(readers.ended) as watch:
            artifact = written(tree, folder, "first")[1]
            readers.seconds(artifact, watch, 1)  # the helper is warm from here on
            for number in range(size.rounds):
                taken["zipfile"].append(zipped(tree, folder / "other.zip"))
                taken["write"].append(written(tree, folder, str(number))[0])
                taken["one"].append(readers.seconds(artifact, watch, 1))
                taken["five"].append(readers.seconds(artifact, watch, READERS))
    shutil.rmtree(folder)  # at the end: ext4 looks long for numbers of files just removed
    found = {name: pick(each) * 1000 for name, each in taken.items()}
    pack, share = found["write"] / found["zipfile"], found["five"] / found["one"]
    return {**found, "pack": pack, "share": share}
