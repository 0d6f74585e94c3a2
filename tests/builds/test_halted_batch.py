"""A batch whose runner is halted while its builds run in threads side by side."""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelinekit.model.settings import Compute, Project, Settings, Where
from pipelinekit.providers.codebuild import codebuild
from pipelinekit.tools.jobs.halting import halt
from pipelinekit.tools.jobs.process import JSON, Spawner
from tests.fakes import FolderJob, order

pytestmark = pytest.mark.slow

HERE = __name__
TIMES = 6
AT_ONCE = min(4, max(2, os.cpu_count() or 1))
AFTERWARDS = "touch $TMPDIR/afterwards"


class LoggedJob(FolderJob):
    """Says its lines at once."""

    def say(self, text: str) -> None:
        """Print the line, as a runner's job does."""
        os.write(1, f"{text}\n".encode())


def build_batch(payload: dict[str, JSON]) -> dict[str, JSON]:
    folder, where = Path(str(payload["folder"])), Where(str(payload["where"]))
    action = codebuild("build", project="shop", batch=True)
    job = LoggedJob(
        order(action.reads("app")),
        folder / "place",
        Settings(projects={"shop": Project(compute=Compute(where=where))}),
        inputs={"app": folder / "source"},
    )
    codebuild.carry_out(job)
    return {}


@pytest.fixture(scope="module")
def spawner() -> Iterator[Spawner]:
    with Spawner([HERE]) as spawner:
        yield spawner


@pytest.mark.parametrize(
    ("where", "lasting"),
    [
        (Where.HOST, "sleep 301"),
        (Where.HOST, "sleep 301 || true"),
        (Where.HOST, f"sleep 301; {AFTERWARDS}"),
        (Where.HOST, "trap : TERM; sleep 301"),
        pytest.param(Where.SANDBOX, "sleep 301", marks=pytest.mark.sandbox),
    ],
)
def test_a_batch_that_is_halted_begins_no_command_no_phase_and_no_build(
    spawner: Spawner, tmp_path: Path, where: Where, lasting: str
) -> None:
    for number in range(TIMES):
        job = started(spawner, tmp_path / str(number), where, lasting)
        assert halt(job, grace=0.5).result == {"halted": True}
        log = (job / "log").read_text(encoding="utf-8")
        assert len(made(job, "begun")) == AT_ONCE, log
        assert not made(job, "afterwards"), log
        assert "succeeded" not in log
        assert "post_build" not in log


def started(spawner: Spawner, job: Path, where: Where, lasting: str) -> Path:
    commands = [f"touch $TMPDIR/begun; {lasting}", AFTERWARDS]
    spec = {
        "version": 0.2,
        "batch": {"build-list": [{"identifier": f"b{number}"} for number in range(AT_ONCE + 1)]},
        "phases": {
            "build": {"commands": commands, "finally": [AFTERWARDS]},
            "post_build": {"commands": [AFTERWARDS]},
        },
    }
    (job / "source").mkdir(parents=True)
    (job / "place").mkdir()
    (job / "source/buildspec.yml").write_text(json.dumps(spec), encoding="utf-8")
    payload: dict[str, JSON] = {"folder": str(job), "where": where}
    spawner.start(job, f"{HERE}:{build_batch.__name__}", payload)
    deadline = time.monotonic() + 10
    while len(made(job, "begun")) < AT_ONCE:
        assert time.monotonic() < deadline, (job / "log").read_text(encoding="utf-8")
        time.sleep(0.02)
    return job


def made(job: Path, name: str) -> list[Path]:
    return list(job.glob(f"place/batch/*/tmp/{name}"))
