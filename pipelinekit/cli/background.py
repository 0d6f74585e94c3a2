"""Sees to it that an engine is at work in the background whenever there is work for one."""

import fcntl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from pipelinekit.cli.surroundings import functions_of
from pipelinekit.kit.ability import runs_here
from pipelinekit.kit.home import Home
from pipelinekit.kit.kit import Kit
from pipelinekit.kit.origin import remembered, settings_folder
from pipelinekit.kit.run import Run
from pipelinekit.kit.settings_file import load_settings
from pipelinekit.model.errors import CannotRunHere, EngineClosed
from pipelinekit.model.execution import PipelineExecution
from pipelinekit.ports.store import Query
from pipelinekit.runtime.engines import alive
from pipelinekit.wire.words import SHORT_ID

LOG = "engine.log"
BIRTH_SECONDS = 20.0
LOOK_SECONDS = 0.02
LOG_LINES = 5


@contextmanager
def door(home: Path) -> Iterator[None]:
    """Keep engines from leaving while work is handed in.

    An engine that wants to leave goes through the same door and looks for work once more, so no
    work comes to an engine that is just gone.
    """
    home.mkdir(parents=True, exist_ok=True)
    with (home / "door").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def under_way(kit: Kit, besides: str | None = None) -> list[PipelineExecution]:
    """List the executions that have not ended."""
    rows = kit.store.find(PipelineExecution, Query(ended=False))
    return [row for row in rows if row.id != besides]


def ensure_engine(kit: Kit, run: Run) -> None:
    """Start an engine in the background where none is alive and something is to be done or ended.

    Args:
        kit: A kit without an engine; the caller holds the door.
        run: The execution that the work is about.

    Raises:
        EngineClosed: The engine that was started ended at once.
    """
    if kit.engine_alive():
        return
    if not under_way(kit) and not kit.store.past.holders():  # whose work is to be ended
        return
    folder = settings_folder(remembered(kit.home.folder, run.pipeline))
    trouble = "" if run.execution.ended else _trouble(run, folder)
    if trouble:
        click.echo(f"No engine is at work, and {trouble}", err=True)
    else:
        spawn_engine(kit.home, folder)


def _trouble(run: Run, folder: Path) -> str:
    own = functions_of(run.definition)
    if own:
        return (
            f"one in the background cannot run {', '.join(own)}, which are functions of a "
            f"definition file; go on with: pipelinekit watch {run.id[:SHORT_ID]}"
        )
    try:
        runs_here(run.definition, load_settings(folder))
    except CannotRunHere as error:
        return (
            f"none was started in the background: {error}\nGo on where the settings of this "
            f"pipeline are, such as the notebook that started it."
        )
    return ""


def spawn_engine(home: Home, folder: Path) -> None:
    """Start an engine in a session of its own, and wait until it is at work.

    Args:
        home: Where there is work.
        folder: Whose settings it takes.

    Raises:
        EngineClosed: It ended at once; the message has the end of its log.
    """
    command = [sys.executable, "-m", "pipelinekit", "work", "--home", str(home.folder)]
    log = home.folder / LOG
    with log.open("ab") as output:
        process = subprocess.Popen(
            [*command, "--settings", str(folder)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    limit = time.monotonic() + BIRTH_SECONDS
    while not alive(home.engines):
        if process.poll() is not None or time.monotonic() > limit:
            last = log.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_LINES:]
            raise EngineClosed(
                "an engine was to work in the background and did not begin; look into "
                f"{log}, which ends with:\n" + "\n".join(last)
            )
        time.sleep(LOOK_SECONDS)
    process.returncode = 0  # it is nobody's child from now on: no warning about it is wanted
