"""The command `work`: an engine and nothing else."""

import time
from pathlib import Path

import click

from pipelinekit.cli.background import door
from pipelinekit.cli.surroundings import Surroundings, echo_json, shared
from pipelinekit.kit.kit import Kit

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
    `run` and `watch`.
    """
    began = time.monotonic()
    kit = place.kit(settings, work=True)
    patience = max(until_idle, BRIEFEST_SECONDS) if until_idle else None
    try:
        while not _left(kit, patience):
            pass
    except KeyboardInterrupt:
        kit.close()
        raise
    if place.json:
        echo_json({"home": kit.home.folder, "seconds": time.monotonic() - began})


def _left(kit: Kit, patience: float | None) -> bool:
    """Wait for an idle time, and leave through the door unless work came in the meantime."""
    version = _idle(kit, patience)
    with door(kit.home.folder):
        if kit.store.version() != version:
            return False
        kit.close()
        return True


def _idle(kit: Kit, patience: float | None) -> int:
    worker = kit.worker
    assert worker is not None  # noqa: S101 - the kit was opened to work
    version, since, beats = kit.store.version(), time.monotonic(), worker.beats
    while patience is None or time.monotonic() - since < patience:
        beats = worker.wait(beats, LOOK_SECONDS)
        present = kit.store.version()
        if not worker.idle or present != version:
            version, since = present, time.monotonic()
    return version
