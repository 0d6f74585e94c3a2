"""The engine is killed at any moment: nothing is lost, and nothing is started twice."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

import pipelinekit as pk
from tests.shop import GROUPS, Shop

ENGINE = """
import runpy, pipelinekit as pk
with pk.Kit(by="ann") as kit:
    runs = kit.runs()
    run = runs[0] if runs else kit.start(runpy.run_path("pipeline.py")["pipeline"])
    while not run.wait(until="approval", timeout=60).execution.ended:
        run.approve("go")
    print(run.status)
"""
RUN_SECONDS = 3.5


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = Shop(tmp_path)
    yield made
    made.close()


def engine(shop: Shop) -> subprocess.Popen[str]:
    """Start an engine that starts the shop's pipeline, or goes on with it."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen(
        [sys.executable, "-c", ENGINE],
        cwd=shop.folder,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_a_killed_engine_is_followed_by_one_that_finishes_the_same_execution(
    shop: Shop, seed: int
) -> None:
    first = engine(shop)
    time.sleep(random.Random(seed).uniform(0.1, RUN_SECONDS))
    first.send_signal(signal.SIGKILL)
    first.communicate()
    second = engine(shop)
    said, _ = second.communicate(timeout=90)
    assert said.split()[-1] == "Succeeded"
    with pk.Kit(shop.folder / ".pipelinekit", settings=pk.Settings(), work=False) as kit:
        (run,) = kit.runs()
        assert [row.attempt for row in run.attempts] == [1] * 7
        known = {row.id for row in run.attempts}
    twice = {line: count for line, count in Counter(shop.starts()).items() if count > 1}
    assert not twice
    assert {line.split()[0] for line in shop.starts()} <= known
    assert {shop.health(group)["environment"] for group in GROUPS} == set(GROUPS)
