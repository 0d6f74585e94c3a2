"""What it costs to import the package and to ask for the status."""

import os
import statistics
import subprocess
import sys
import tempfile
import time

import pipelinekit as pk

PATH = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
PATH.pop("PYTHONDONTWRITEBYTECODE", None)  # as an installed package has it: compiled once


def seconds(*arguments: str, rounds: int = 15) -> float:
    """Give the median seconds of a Python process."""
    taken = []
    for _ in range(rounds):
        began = time.perf_counter()
        subprocess.run(
            [sys.executable, *arguments], env=PATH, check=True, stdout=subprocess.DEVNULL
        )
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def import_milliseconds(rounds: int = 15) -> float:
    """Give what `import pipelinekit` adds to starting Python."""
    bare = seconds("-c", "pass", rounds=rounds)
    return (seconds("-c", "import pipelinekit", rounds=rounds) - bare) * 1000


def status_seconds(rounds: int = 15) -> float:
    """Give what `pipelinekit status` takes while an execution waits for its approval."""
    with tempfile.TemporaryDirectory() as home:
        line = pk.Pipeline("p") >> pk.Stage("Source", pk.git("src", "."))
        with pk.Kit(home, settings=pk.Settings(folder=home), work=False) as kit:
            kit.start(line >> pk.Stage("Gate", pk.approval("ok")))
        return seconds("-m", "pipelinekit", "--home", home, "status", "p", rounds=rounds)
