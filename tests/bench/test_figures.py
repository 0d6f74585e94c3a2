"""What things cost, held to twice of what `make bench` has them cost at most."""

import resource
import sys
from pathlib import Path

import pytest

import pipelinekit as pk
from pipelinekit.kit.logs import SHOWN_BYTES, tail
from tests.bench import artifacts, builds, engine, notebooks

pytestmark = pytest.mark.slow

SLACK = 2.0
MOST_MIB = 64


@pk.action("Source", "BenchFolder")
def folder(job: pk.Job) -> pk.Outcome:
    """Write an artifact."""
    made = job.folder / "made"
    made.mkdir(parents=True)
    (made / "file").write_text("text", encoding="utf-8")
    job.write(made)
    return pk.Succeeded()


def test_the_engine_costs_little_however_many_actions_there_are() -> None:
    cost = engine.measure(rounds=5, pick=min)
    assert cost["narrow"] <= SLACK * 1.0
    assert cost["ratio"] <= SLACK * 1.3
    assert cost["long"] <= SLACK * 1.5


def test_an_artifact_is_packed_like_a_zip_and_unpacked_once_for_five() -> None:
    cost = artifacts.measure(artifacts.QUICK, pick=min)
    assert cost["pack"] <= SLACK * 1.2
    assert cost["share"] <= artifacts.READERS - 0.5  # on one core all but the unpacking adds up


@pytest.mark.sandbox
def test_builds_cost_little_more_than_their_commands() -> None:
    trivial, loud = builds.measure(builds.QUICK, pick=min)
    bash = trivial.pop("bash")
    spawning = max(30, 3 * bash)  # what is 30 ms on an idle machine
    for place, cost in trivial.items():
        assert cost <= SLACK * (1.2 * bash + spawning), place
    for kind, (times, grown) in loud.items():
        assert times <= SLACK * 1.2, kind
        assert grown <= MOST_MIB, kind


def test_notebooks_cost_little_besides_their_cells() -> None:
    cost = notebooks.measure(rounds=5, pick=min)
    assert cost.ours <= SLACK * 0.4 * cost.papermill
    assert cost.ours <= SLACK * (1.3 * cost.cells + 0.1)
    assert SLACK * cost.many_papermill >= 2.5 * cost.many_ours
    assert SLACK * notebooks.redaction_speed(16) >= 20


def test_a_long_log_does_not_pass_through_the_memory_of_the_engine(tmp_path: Path) -> None:
    source = folder("Fetch").writes("Code")
    loud = pk.commands("Loud", builds.noisy(200)).reads(source)
    line = pk.Pipeline("loud") >> pk.Stage("Source", source) >> pk.Stage("Build", loud)
    with pk.Kit(tmp_path / "home", settings=pk.Settings()) as kit:
        kit.start(line).wait().raise_for_status()  # what is imported does not count
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        run = kit.start(line).wait()
        shown, log = run.logs("Loud"), run.log_file(run.actions[-1])
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert log.stat().st_size > 190 * 1024 * 1024
    assert SHOWN_BYTES / 2 < len(shown) < 2 * SHOWN_BYTES
    assert f"the whole log is {log}" in shown
    assert any("all is well" in each for each in tail(log, 5))
    assert grown / (1024 if sys.platform == "linux" else 1024**2) <= MOST_MIB
