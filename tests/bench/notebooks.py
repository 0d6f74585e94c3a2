"""What notebooks cost: beside the `papermill` command, and beside their own cells."""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipelinekit.tools.notebooks import Execution, execute, scraps
from pipelinekit.tools.notebooks.kernels import FOLDER, look, stop_nursery
from pipelinekit.tools.redact import Redactor
from tests.tools.notebooks.books import cell, write

CELLS = (
    cell("environment = 'dev'\nrows: int = 1000", "parameters"),
    "import time, statistics",
    "values = [(index * 7919) % 1000 for index in range(rows)]",
    "time.sleep(0.1); mean = statistics.fmean(values)",
    "assert rows == 2000 and environment\nmean",
)
ENVIRONMENTS = ("dev", "test", "staging", "production")
NOTEBOOKS, SIDE_BY_SIDE = 8, 2
WARM_SECONDS = 20.0
CHUNK = 65536


@dataclass(frozen=True, slots=True)
class Cost:
    """What was measured, in seconds.

    Attributes:
        papermill: One notebook by the command.
        ours: The same in a warm kernel.
        cells: Its cells, in a kernel that is there.
        many_papermill: Eight notebooks over four environments by eight commands.
        many_ours: The same, two side by side.
    """

    papermill: float
    ours: float
    cells: float
    many_papermill: float
    many_ours: float


def measure(rounds: int, pick: Callable[[list[float]], float] = statistics.median) -> Cost:
    """Measure notebooks, one round after the other so that all have the same weather.

    Args:
        rounds: How often.
        pick: What of several measurements counts.
    """
    with _folder() as folder:
        source = write(folder / "five.ipynb", *CELLS)
        timed = write(folder / "timed.ipynb", _timed())
        _ours(source, "dev")
        single = [
            (_command(source, "dev"), _warm(lambda: _ours(source, "dev")), _cells(timed))
            for _ in range(rounds)
        ]
        many = [(_commands(source), _warm(lambda: _many(source))) for _ in range(-(-rounds // 5))]
    papermill, ours, cells = (pick(list(each)) for each in zip(*single, strict=True))
    many_papermill, many_ours = (pick(list(each)) for each in zip(*many, strict=True))
    return Cost(papermill, ours, cells, many_papermill, many_ours)


def redaction_speed(megabytes: int = 64) -> float:
    """Give how many MB of a log are redacted in a second, with ten secrets in ten forms each."""
    secrets = [f"secret-number-{number}-é/+'\"$" for number in range(10)]
    redactor = Redactor(secrets)
    line = b"2026-01-01 12:00:00 an ordinary line of a log, with a word or two = and more\n"
    data = (line * 40 + secrets[3].encode() + b"\n") * (megabytes * 1_000_000 // (41 * len(line)))
    began = time.perf_counter()
    for at in range(0, len(data), CHUNK):
        redactor.feed(data[at : at + CHUNK])
    redactor.close()
    return len(data) / 1_000_000 / (time.perf_counter() - began)


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        before = os.environ.get(FOLDER)
        os.environ[FOLDER] = f"{name}/kernels"
        try:
            yield Path(name)
        finally:
            stop_nursery()
            os.environ.pop(FOLDER)
            if before is not None:
                os.environ[FOLDER] = before


def _timed() -> str:
    sources = [each if isinstance(each, str) else str(each["source"]) for each in CELLS]
    sources.insert(1, "environment, rows = 'dev', 2000")
    return (
        f"import time; began = time.perf_counter()\nfor each in {sources!r}:\n"
        "    get_ipython().run_cell(each)\n"
        "import pipelinekit as pk; pk.output('seconds', time.perf_counter() - began)"
    )


def _cells(timed: Path) -> float:
    target = timed.with_name("timed-done.ipynb")
    execute(Execution(source=timed, target=target))
    seconds = scraps(target)["seconds"]
    assert isinstance(seconds, float)
    return seconds


def _command(source: Path, environment: str) -> float:
    began = time.perf_counter()
    subprocess.run(
        [
            *(sys.executable, "-m", "papermill", str(source), str(source.with_name("done.ipynb"))),
            *("-p", "rows", "2000", "-p", "environment", environment, "--no-progress-bar"),
        ],
        check=True,
        capture_output=True,
    )
    return time.perf_counter() - began


def _commands(source: Path) -> float:
    return sum(_command(source, each) for each in _environments())


def _ours(source: Path, environment: str, name: str = "done.ipynb") -> None:
    parameters = {"rows": 2000, "environment": environment}
    target = source.with_name(name)
    execute(Execution(source=source, target=target, parameters=parameters, folder=source.parent))


def _many(source: Path) -> None:
    with ThreadPoolExecutor(SIDE_BY_SIDE) as threads:
        names = enumerate(_environments())
        for done in [threads.submit(_ours, source, each, f"{at}.ipynb") for at, each in names]:
            done.result()


def _environments() -> list[str]:
    return [ENVIRONMENTS[at % len(ENVIRONMENTS)] for at in range(NOTEBOOKS)]


def _warm(run: Callable[[], None]) -> float:
    limit = time.monotonic() + WARM_SECONDS
    while not look()["waiting"] and time.monotonic() < limit:
        time.sleep(0.02)
    time.sleep(1.0)  # a kernel that waits has done starting
    began = time.perf_counter()
    run()
    return time.perf_counter() - began
