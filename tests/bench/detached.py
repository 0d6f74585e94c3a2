"""What a command in a process of its own costs, against running it bare."""

import queue
import statistics
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from pipelinekit.tools.jobs.process import JSON, Sighting, Spawner, Standing, Watch

Ends = queue.SimpleQueue[Sighting]


def run_true(_payload: Mapping[str, JSON]) -> dict[str, JSON]:
    """Run the command `true`."""
    subprocess.run(["true"], check=True)
    return {}


def bare() -> float:
    """Give the seconds of a bare `subprocess.run(["true"])`."""
    began = time.perf_counter()
    run_true({})
    return time.perf_counter() - began


def detached(spawner: Spawner, watch: Watch, ends: Ends, folder: Path) -> float:
    """Give the seconds from the start of a job that runs it to the notice of its end."""
    began = time.perf_counter()
    spawner.start(folder, f"{__name__}:run_true", {})
    watch.add(folder)
    if ends.get(timeout=10).standing is not Standing.DONE:
        raise RuntimeError(f"the job in {folder} was lost")
    return time.perf_counter() - began


def measure(rounds: int = 100) -> dict[str, float]:
    """Give the medians of both in milliseconds, measured in turn."""
    ends: Ends = queue.SimpleQueue()
    alone, apart = [], []
    with (
        tempfile.TemporaryDirectory() as root,
        Spawner(preload=(__name__,)) as spawner,
        Watch(lambda _folder, sighting: ends.put(sighting)) as watch,
    ):
        detached(spawner, watch, ends, Path(root) / "warm")
        for number in range(rounds):
            alone.append(bare())
            apart.append(detached(spawner, watch, ends, Path(root) / str(number)))
    return {
        "bare": statistics.median(alone) * 1000,
        "detached": statistics.median(apart) * 1000,
    }
