"""A cut of each fault, and every mutant, for each change; `make chaos` does the whole."""

import ast
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from pipelinekit.tools.failpoint import POINTS
from tests.chaos import checker, facts
from tests.chaos.faults import FAULTS
from tests.chaos.mutants import MUTANTS

ROOT = Path(__file__).parents[2]
SECONDS = 300

CUTS: Mapping[str, Mapping[str, int]] = {
    "sqlite": {
        "approvals": 50,
        "bitflip": 200,
        "clock": 10,
        "commits": 5,
        "cut-off": 2,
        "disk": 2,
        "drain": 4,
        "eio": 4,
        "failpoints": 6,
        "kill-engine": 10,
        "kill-runner": 12,
        "orphans": 20,
        "results": 2,
        "stale": 2,
        "store-errors": 2,
        "syncs": 1,
        "tokens": 10,
        "two-engines": 4,
        "upgrade": 2,
    },
    "postgres": {
        "approvals": 20,
        "failpoints": 3,
        "kill-engine": 4,
        "overslept": 2,
        "restarts": 3,
        "store-errors": 1,
        "tokens": 5,
        "upgrade": 2,
        "way": 3,
    },
}
"""How often each fault is done to each store; to PostgreSQL those that it makes different."""

MARKS = {"postgres": pytest.mark.postgres}
CASES = [
    pytest.param(store, fault, id=f"{store}-{fault}", marks=MARKS.get(store, ()))
    for store, cuts in CUTS.items()
    for fault in cuts
]
SEEDS = range(1, 6)
"""A broken design has so many trials to be caught in; most are caught in the first."""

SLACK = "4"
"""Others use the machine at the same time; `make chaos` holds everything to its figures."""


def chaos(
    fault: str, count: int, store: str = "sqlite", seed: int = 1, **environ: str
) -> tuple[int, dict[str, Any]]:
    """Do a fault in a process of its own; give its code and the line that it printed."""
    asked = ["--fault", fault, "--n", str(count), "--store", store, "--seed", str(seed)]
    command = [sys.executable, "-m", "tests.chaos", *asked]
    ended = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environ},
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    assert ended.stdout, ended.stderr
    line: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return ended.returncode, line


def test_each_fault_has_its_cut() -> None:
    assert {*CUTS["sqlite"], *CUTS["postgres"]} == set(FAULTS)
    for store, cuts in CUTS.items():
        assert all(store in FAULTS[fault].stores for fault in cuts)


@pytest.mark.slow
@pytest.mark.parametrize(("store", "fault"), CASES)
def test_nothing_is_violated_by(store: str, fault: str) -> None:
    count = CUTS[store][fault]
    code, line = chaos(fault, count, store, CHAOS_SLACK=SLACK)
    assert (code, line["violations"]) == (0, [])
    assert (line["n"], line["lost"], line["doubled"]) == (count, 0, 0)
    assert line["actions"] > 0


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(MUTANTS))
def test_the_broken_design_is_caught(name: str) -> None:
    mutant = MUTANTS[name]
    broken = {"CHAOS_MUTANT": name, "CHAOS_SETTLE_SECONDS": "5"}
    tries = (chaos(mutant.fault, mutant.count, seed=seed, **broken) for seed in SEEDS)
    assert any(mutant.rules & set(line["violated_rules"]) for _, line in tries)


@pytest.mark.slow
def test_the_standard_workload_comes_to_every_failpoint() -> None:
    program = (
        "import json; from tests.chaos.trial import conduct; "
        "from tests.chaos.faults.points import passed; "
        "outcome = conduct(passed, 1, 1, 'sqlite'); "
        "print(json.dumps([sorted(outcome.figures), outcome.findings.violations]))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
        timeout=SECONDS,
    )
    hit, violations = json.loads(ended.stdout)
    assert set(POINTS) - set(hit) == set()
    assert violations == {}


def test_there_are_many_failpoints_and_many_mutants() -> None:
    assert len(POINTS) >= 40
    assert len(MUTANTS) >= 12


@pytest.mark.parametrize("module", [checker, facts])
def test_the_checker_knows_nothing_of_the_product(module: Any) -> None:
    source = Path(module.__file__).read_text(encoding="utf-8")
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    ours = {name for name in names if name.startswith(("pipelinekit", "tests"))}
    assert ours <= {"tests.chaos.facts"}
