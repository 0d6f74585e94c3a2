"""Prints each figure beside what it is to be at most; figures are no tests."""

import argparse
from collections.abc import Iterator
from typing import NamedTuple

from tests.bench import api, artifacts, builds, detached, engine, history, notebooks, startup


class Figure(NamedTuple):
    """What was measured, and what it is to be at most."""

    name: str
    measured: float
    most: float


def engine_figures(rounds: int) -> Iterator[Figure]:
    """Measure the engine."""
    cost = engine.measure(rounds)
    yield Figure("engine, 3 stages x 10 no-op actions, ms per action", cost["narrow"], 1.0)
    yield Figure("engine, 500 side by side, times the cost of 10", cost["ratio"], 1.3)
    yield Figure("engine, 49 stages x 20, times the cost of 3 x 10", cost["long"], 1.5)


def process_figures(rounds: int) -> Iterator[Figure]:
    """Measure what starting costs."""
    yield Figure("import pipelinekit, ms over Python", startup.import_milliseconds(rounds), 150.0)
    yield Figure("pipelinekit status, s", startup.status_seconds(rounds), 0.5)
    process = detached.measure(rounds)
    bare = process["bare"]
    yield Figure(f"detached no-op, ms (bare: {bare:.2f})", process["detached"], 1.3 * bare + 10)


def artifact_figures(size: artifacts.Size) -> Iterator[Figure]:
    """Measure artifacts."""
    cost = artifacts.measure(size)
    told = f"{size.files} files packed and kept, times zipfile"
    yield Figure(f"{told} ({cost['zipfile']:.0f} ms)", cost["pack"], 1.2)
    told = f"{artifacts.READERS} jobs read them at once, times one"
    yield Figure(f"{told} ({cost['one']:.0f} ms)", cost["share"], 1.5)


def build_figures(size: builds.Size) -> Iterator[Figure]:
    """Measure builds."""
    small, loud = builds.measure(size)
    bash = small.pop("bash")
    for place, cost in small.items():
        name = f"20 commands, {place}, ms (bash: {bash:.1f})"
        yield Figure(name, cost, 1.2 * bash + 30)
    for kind, (times, grown) in loud.items():
        yield Figure(f"{size.log_mb} MB of log, {kind}, times alone", times, 1.2)
        yield Figure(f"{size.log_mb} MB of log, {kind}, MiB of growth", grown, 64)


def history_figures() -> Iterator[Figure]:
    """Measure lists and state, as the slowest of a hundred calls."""
    for name, _, most in history.measure(history.QUICK):
        yield Figure(f"{name}, {history.QUICK:,} in history, ms", most, history.AIM)


def notebook_figures(rounds: int) -> Iterator[Figure]:
    """Measure notebooks in warm kernels."""
    cost = notebooks.measure(rounds)
    told = f"5 cells, times the papermill command ({cost.papermill:.2f} s)"
    yield Figure(told, cost.ours / cost.papermill, 0.4)
    yield Figure(
        f"5 cells, s (by themselves: {cost.cells:.3f})", cost.ours, 1.3 * cost.cells + 0.1
    )
    told = f"8 notebooks, times 8 papermill commands ({cost.many_papermill:.1f} s)"
    yield Figure(told, cost.many_ours / cost.many_papermill, 1 / 2.5)
    speed = notebooks.redaction_speed()
    yield Figure(f"redaction, s for a GB ({speed:.0f} MB/s)", 1000 / speed, 1000 / 20)


def api_figures(size: api.Size) -> Iterator[Figure]:
    """Measure the API over HTTP."""
    for each in api.measure(size):
        rates = f"{each.here:.0f}/s, {each.moto:.0f}/s"
        yield Figure(f"{each.operation} over HTTP, times moto ({rates})", 1 / each.times, 1 / 3)
    _, most = api.state_milliseconds(size)
    told = f"GetPipelineState, {size.pipelines:,} pipelines, {size.executions:,} executions, ms"
    yield Figure(told, most, api.AIM_STATE_MS)


def main() -> None:
    """Measure everything and print a table."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=main.__doc__)
    parser.add_argument("--quick", action="store_true", help="less of everything, in seconds")
    quick = parser.parse_args().quick
    rounds = 5 if quick else 15
    print(f"{'figure':55} {'measured':>9} {'at most':>9}")
    for figures in (
        engine_figures(rounds),
        process_figures(rounds),
        artifact_figures(artifacts.QUICK if quick else artifacts.FULL),
        build_figures(builds.QUICK if quick else builds.FULL),
        history_figures(),
        api_figures(api.QUICK if quick else api.FULL),
        notebook_figures(rounds),
    ):
        for name, measured, most in figures:
            missed = "" if measured <= most else "  missed"
            print(f"{name:55} {measured:9.3f} {most:9.3f}{missed}", flush=True)


if __name__ == "__main__":
    main()
