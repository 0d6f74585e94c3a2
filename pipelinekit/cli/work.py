"""The command `work`: an engine and nothing else."""

import signal
import threading
import time
from contextlib import suppress
from pathlib import Path

import click

from pipelinekit.cli.background import door
from pipelinekit.cli.surroundings import Surroundings, echo_json, log_with_times, shared
from pipelinekit.kit.kit import Kit
from pipelinekit.model.errors import EngineClosed, StoreError
from pipelinekit.tools.loading import keep_loaded

LOOK_SECONDS = 0.1
BRIEFEST_SECONDS = 0.5


@click.command()
@shared
@click.option(
    "--until-idle",
    type=click.FloatRange(min=0),
    default=2.0,
    show_default=True,
    metavar="SECONDS",
    help="Leave when nothing but people has been waited for so long; 0 stays for ever.",
)
@click.option(
    "--settings",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The folder whose pipelinekit.toml counts.  [default: the working directory]",
)
@click.pass_obj
def work(place: Surroundings, until_idle: float, settings: Path | None) -> None:
    """Work on what is under way, until there is nothing to do.

    Executions of pipelines whose actions are Python functions of a definition file are left to
    `run` and `watch`. On SIGTERM it takes nothing more and leaves within five seconds; what runs
    in processes of its own runs on, and the next engine here takes it up.
    """
    began = time.monotonic()
    log_with_times()
    leaving = _asked_to_leave()
    kit = place.kit(settings, work=True)
    keep_loaded()
    patience = max(until_idle, BRIEFEST_SECONDS) if until_idle else None
    try:
        while not _left(kit, patience, leaving):
            pass
    except KeyboardInterrupt:
        kit.close()
        raise
    if place.json:
        echo_json({"home": kit.home.folder, "seconds": time.monotonic() - began})


def _asked_to_leave() -> threading.Event:
    """Give what is set by the first SIGTERM; a second one ends the process as usual."""
    asked = threading.Event()

    def ask(_number: int, _frame: object) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        asked.set()

    signal.signal(signal.SIGTERM, ask)
    return asked


def _left(kit: Kit, patience: float | None, leaving: threading.Event) -> bool:
    """Wait for an idle time, and leave through the door unless work came in the meantime."""
    version = _idle(kit, patience, leaving)
    with door(kit.home.folder):
        if not leaving.is_set() and (version is None or _version(kit) != version):
            return False
        kit.close()
        return True


def _idle(kit: Kit, patience: float | None, leaving: threading.Event) -> int | None:
    worker = kit.worker
    assert worker is not None  # noqa: S101 - the kit was opened to work
    version, since = _version(kit), time.monotonic()
    with worker.pulse.listening() as ear:
        while not leaving.is_set() and (patience is None or time.monotonic() - since < patience):
            ear.wait(LOOK_SECONDS)
            if not worker.alive:
                raise EngineClosed(
                    "this engine was to go on and has ended by itself; what it said last tells "
                    "why: mend that, and start it again"
                )
            present = _version(kit)
            if not worker.idle or present is None or present != version:
                version, since = present, time.monotonic()
    return version


def _version(kit: Kit) -> int | None:
    """Give the store's version; None while there is no asking it, as the worker says."""
    with suppress(StoreError):
        return kit.store.version()
    return None
