"""A cut of each fault, and every mutant: `make chaos`, small enough for each change."""

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
SECONDS = 170

CUTS: Mapping[str, int] = {
    "approvals": 50,
    "bitflip": 200,
    "clock": 10,
    "commits": 5,
    "cut-off": 1,
    "disk": 2,
    "drain": 4,
    "eio": 2,
    "failpoints": 8,
    "kill-engine": 10,
    "kill-runner": 12,
    "orphans": 20,
    "results": 2,
    "stale": 2,
    "store-errors": 2,
    "syncs": 1,
    "tokens": 10,
    "two-engines": 4,
}


def chaos(fault: str, count: int, **environ: str) -> tuple[int, dict[str, Any]]:
    """Do a fault in a process of its own; give its code and the line that it printed."""
    command = [sys.executable, "-m", "tests.chaos", "--fault", fault, "--n", str(count)]
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
    assert set(CUTS) == set(FAULTS)


@pytest.mark.chaos
@pytest.mark.slow
@pytest.mark.parametrize("fault", sorted(CUTS))
def test_nothing_is_violated_by(fault: str) -> None:
    code, line = chaos(fault, CUTS[fault])
    assert (code, line["violations"]) == (0, [])
    assert (line["n"], line["lost"], line["doubled"]) == (CUTS[fault], 0, 0)
    assert line["actions"] > 0


@pytest.mark.chaos
@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(MUTANTS))
def test_the_broken_design_is_caught(name: str) -> None:
    mutant = MUTANTS[name]
    code, line = chaos(mutant.fault, mutant.count, CHAOS_MUTANT=name, CHAOS_SETTLE_SECONDS="5")
    assert code == 1
    assert mutant.rules & set(line["violated_rules"])


@pytest.mark.chaos
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
