"""Notebooks in pipelines: followed cell by cell, gone on with after a failure, opened."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import pipelinekit as pk
from pipelinekit.kit.kit import Kit
from pipelinekit.kit.workbench import lay_out
from pipelinekit.model.errors import ActionNotFound, StageNotRetryable, ValidationError
from pipelinekit.model.event import Progressed
from pipelinekit.model.status import PipelineStatus
from tests.tools.notebooks.books import cell, write

pytestmark = pytest.mark.slow


@pk.action("Source", "Notebooks")
def take(job: pk.Job) -> pk.Outcome:
    """Take a file."""
    made = job.folder / "made"
    made.mkdir(parents=True)
    (made / "data.txt").write_text("some data", encoding="utf-8")
    job.write(made)
    return pk.Succeeded()


@pytest.fixture
def kit(tmp_path: Path) -> Iterator[Kit]:
    with pk.Kit(tmp_path / "home", settings=pk.Settings(folder=str(tmp_path))) as opened:
        yield opened


def pipeline(*stages: pk.Stage) -> pk.Pipeline:
    source = take("take").writes("code")
    line = pk.Pipeline("shop") >> pk.Stage("Source", source)
    for stage in stages:
        line = line >> stage
    return line


def test_values_go_from_notebook_to_notebook_with_their_files(kit: Kit, tmp_path: Path) -> None:
    write(
        tmp_path / "train.ipynb",
        "import os, pathlib, pipelinekit as pk",
        "rows = len(open('data.txt').read()); pk.output('rows', rows)",
        "pathlib.Path(os.environ['PIPELINEKIT_OUTPUT'], 'model').write_text('m' * rows); None",
    )
    write(
        tmp_path / "check.ipynb",
        cell("rows: int = 0", "parameters"),
        "assert rows == 9 and len(open('model').read()) == rows",
    )
    train = pk.notebook("train", "train.ipynb").reads("code").writes("model")
    check = pk.notebook_test("check", "check.ipynb", parameters={"rows": "#{train.rows}"})
    run = kit.start(pipeline(pk.Stage("Build", train >> check.reads("model"))))
    run.wait(timeout=60).raise_for_status()
    assert "-- cell 2 of 3: rows = len(open('data.txt').read())" in run.logs("train")
    job = run.log_file(run.actions[-1]).parent
    assert '"rows": 9' in (job / "executed" / "check.ipynb").read_text(encoding="utf-8")


def test_the_log_grows_while_the_notebook_is_executed(kit: Kit, tmp_path: Path) -> None:
    write(
        tmp_path / "slow.ipynb",
        "print('one')",
        f"import os, time\nwhile not os.path.exists({str(tmp_path / 'go')!r}): time.sleep(0.02)",
        "print('two')",
    )
    run = kit.start(pipeline(pk.Stage("Build", pk.notebook("slow", "slow.ipynb"))))
    limit = time.monotonic() + 30
    while "-- cell 2 of 3: import os, time" not in run.logs("slow"):
        assert time.monotonic() < limit
        time.sleep(0.05)
    assert "\none\n" in run.logs("slow")
    (tmp_path / "go").touch()
    run.wait(timeout=60).raise_for_status()


def test_the_journal_tells_how_far_a_notebook_is(kit: Kit, tmp_path: Path) -> None:
    write(
        tmp_path / "slow.ipynb",
        "print('one')",
        f"import os, time\nwhile not os.path.exists({str(tmp_path / 'go')!r}): time.sleep(0.02)",
        "print('two')",
        "print('three')",
    )
    run = kit.start(pipeline(pk.Stage("Build", pk.notebook("slow", "slow.ipynb"))))
    limit = time.monotonic() + 30
    while run.actions[-1].percent != 25:
        assert time.monotonic() < limit
        time.sleep(0.05)
    assert run.actions[-1].summary == "cell 2 of 4: import os, time"
    state = kit.client().get_pipeline_state(name="shop")["stageStates"][1]
    assert state["actionStates"][0]["latestExecution"]["percentComplete"] == 25
    with pk.Kit(tmp_path / "home", work=False) as other:  # as `watch` does elsewhere
        assert other.run(run.id).actions[-1].percent == 25
    (tmp_path / "go").touch()
    run.wait(timeout=60).raise_for_status()
    assert run.actions[-1].percent is None
    assert run.actions[-1].summary.startswith("4 of 4 cells executed")
    told = [each.event for each in kit.store.tail(0) if isinstance(each.event, Progressed)]
    assert ("cell 2 of 4: import os, time", 25) in [(each.summary, each.percent) for each in told]


def test_a_halted_notebook_takes_its_kernel_along(kit: Kit, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    write(
        tmp_path / "slow.ipynb",
        f"import os, time; open({str(pid)!r}, 'w').write(str(os.getpid()))",
        "time.sleep(600)",
    )
    run = kit.start(pipeline(pk.Stage("Build", pk.notebook("slow", "slow.ipynb"))))
    limit = time.monotonic() + 30
    while not pid.exists() or not pid.read_text(encoding="utf-8"):
        assert time.monotonic() < limit
        time.sleep(0.05)
    run.stop(abandon=True).wait(timeout=30)
    while Path("/proc", pid.read_text(encoding="utf-8")).exists():
        assert time.monotonic() < limit
        time.sleep(0.05)


def failing(kit: Kit, folder: Path) -> pk.Run:
    write(
        folder / "train.ipynb",
        cell("rate = 1\ntoken = ''", "parameters"),
        "open(os.environ['COUNT'], 'a').write('x') if False else None\nx = 41 + rate",
        "import os\nassert os.path.exists('fixed.txt'), token",
        "import pipelinekit as pk; pk.output('x', x)",
    )
    given = {"rate": 2, "token": "secret:env:SHOP_TOKEN"}
    train = pk.notebook("train", "train.ipynb", parameters=given).reads("code")
    after = pk.commands("after", 'test "$X" = 43', env={"X": "#{train.x}"}).reads("code")
    run = kit.start(pipeline(pk.Stage("Build", train >> after)))
    assert run.wait(timeout=60).status is PipelineStatus.FAILED
    return run


def test_a_run_is_resumed_from_the_failed_cell(
    kit: Kit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_TOKEN", "hunter2 and more")
    run = failing(kit, tmp_path)
    (attempt,) = [row for row in run.attempts if row.action == "train"]
    (run.log_file(attempt).parent / "in" / "0" / "fixed.txt").touch()
    run.resume().wait(timeout=60).raise_for_status()
    again = next(row for row in run.actions if row.action == "train")
    assert again.attempt == 2
    assert again.summary.endswith("it goes on at cell 3, in the kernel that was kept")
    assert "hunter2" not in run.logs()
    with pytest.raises(StageNotRetryable):
        run.resume()


def test_what_no_notebook_has_left_is_not_resumed(kit: Kit) -> None:
    bad = pk.commands("bad", "false").reads("code")
    run = kit.start(pipeline(pk.Stage("Build", bad))).wait(timeout=60)
    with pytest.raises(StageNotRetryable, match="no notebook of the stage Build has left one"):
        run.resume()


def test_a_failed_notebook_is_opened_with_its_inputs_and_runs_there(
    kit: Kit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_TOKEN", "hunter2 and more")
    run = failing(kit, tmp_path)
    made = lay_out(run, folder=tmp_path / "opened")
    assert made == tmp_path / "opened" / "train.ipynb"
    assert (tmp_path / "opened" / "inputs" / "code" / "data.txt").is_file()
    text = made.read_text(encoding="utf-8")
    assert "hunter2" not in text
    assert "AssertionError" in json.loads(text)["cells"][0]["source"]
    (tmp_path / "opened" / "inputs" / "code" / "fixed.txt").touch()
    done = subprocess.run(
        [sys.executable, "-m", "papermill", str(made), str(tmp_path / "done.ipynb")],
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert '"data": 43' in (tmp_path / "done.ipynb").read_text(encoding="utf-8")
    with pytest.raises(ValidationError, match="is there already"):
        lay_out(run, folder=tmp_path / "opened")
    with pytest.raises(ActionNotFound, match="that have begun: take, train"):
        lay_out(run, "other")


def test_failed_commands_are_opened_as_a_notebook(kit: Kit, tmp_path: Path) -> None:
    bad = pk.commands("bad", "cat data.txt", "echo $((40 + 3)); false").reads("code")
    run = kit.start(pipeline(pk.Stage("Build", bad))).wait(timeout=60)
    made = lay_out(run, folder=tmp_path / "opened")
    told = json.loads(made.read_text(encoding="utf-8"))["cells"]
    assert "some data" in told[0]["source"]
    assert told[-1]["source"].startswith("%%bash\n{\n# commands\ncat data.txt\n")
