"""What one run of the bench found, as it is kept in a file of JSON."""

import json
import os
import platform
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TypedDict

from tests import postgres
from tests.bench.peers.contest import Outcome, Samples
from tests.bench.peers.contestants import ALL, OURS, SPAWN
from tests.bench.peers.environments import ROOT
from tests.bench.peers.figures import BOUNDS, LIMITS, reached, spread, times, value

FILE: Final = ROOT / "notebooks" / "reference" / "bench.json"


class Figure(TypedDict):
    """A figure of an engine, and how many times better this engine is in the same rounds."""

    median: float
    least: float
    most: float
    rounds: int
    ours_better: float | None


class Entry(TypedDict):
    """An engine on a store."""

    version: str
    kept: str
    figures: dict[str, Figure]


class Held(TypedDict):
    """A bound, and what was measured."""

    title: str
    measured: float
    limit: float
    least: bool
    reached: bool


class Results(TypedDict):
    """Everything that one run of the bench found."""

    date: str
    machine: str
    rounds: int
    engines: dict[str, Entry]
    bounds: list[Held]
    limits: dict[str, float]
    left_out: dict[str, str]


def count(outcome: Outcome, rounds: int) -> Results:
    """Count what was measured, and say where and when."""
    samples = outcome.samples
    limits = {each.title: value(samples, each) for each in LIMITS}
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": _machine(),
        "rounds": rounds,
        "engines": dict(_entries(samples)),
        "bounds": list(_bounds(samples)),
        "limits": {title: found for title, found in limits.items() if found is not None},
        "left_out": outcome.left_out,
    }


def write(results: Results, file: Path = FILE) -> None:
    """Keep them, with numbers as exact as they are worth."""
    rounded = json.loads(json.dumps(results), parse_float=lambda text: float(f"{float(text):.4g}"))
    file.write_text(json.dumps(rounded, indent=1) + "\n", encoding="utf-8")


def read(file: Path = FILE) -> Results:
    """Give what is kept."""
    found: Results = json.loads(file.read_text(encoding="utf-8"))
    return found


def _entries(samples: Samples) -> Iterator[tuple[str, Entry]]:
    for each in ALL:
        if each.name in samples:
            figures = _figures(samples, each.name)
            yield each.name, {"version": each.version, "kept": each.kept, "figures": figures}
    if SPAWN in samples:
        figures = _figures(samples, SPAWN)
        yield SPAWN, {"version": platform.python_version(), "kept": "nothing", "figures": figures}


def _figures(samples: Samples, name: str) -> dict[str, Figure]:
    found: dict[str, Figure] = {}
    for figure, values in samples[name].items():
        median, least, most, rounds = spread(values)
        found[figure] = {
            "median": median,
            "least": least,
            "most": most,
            "rounds": rounds,
            "ours_better": None if name == OURS else times(samples, name, figure),
        }
    return found


def _bounds(samples: Samples) -> Iterator[Held]:
    for each in BOUNDS:
        measured = value(samples, each)
        if measured is not None:
            yield {
                "title": each.title,
                "measured": measured,
                "limit": each.limit,
                "least": each.least,
                "reached": reached(each, measured),
            }


def _machine() -> str:
    system = f"{platform.system()}, Python {platform.python_version()}"
    return f"{os.cpu_count()} cores, {system}{_server()}"


def _server() -> str:
    programs = postgres.programs()
    if programs is None:
        return ""
    command = [str(programs / "postgres"), "--version"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return f", PostgreSQL {said.split()[2]}"
