"""Disks that are full for a while."""

import os
import resource
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.chaos.faults.points import DISK_CODES
from tests.chaos.ledger import note
from tests.chaos.rig import Rig
from tests.chaos.trial import Trial

SMALL_DISK = "64m"
FULL, FREE = 6, 6
"""How many looks of the engine's life the disk is full, and has space."""


def full(trial: Trial, count: int) -> None:
    """Fill the disk so often while an engine is at work.

    With privileges it is a small disk of its own that is filled, half of the times; else the
    files of the engine and its runners may not grow.
    """
    note("tolerate", codes=DISK_CODES)
    if os.geteuid() == 0 and trial.dice.random() < 0.5:
        with _small_disk(trial.site.home.folder):
            _live(trial, _ballast(trial.site.home.folder), count)
            trial.settle()
    else:
        _live(trial, _no_growth(trial.site.home.folder), count)
        trial.settle()


Fill = Callable[[bool], None]


def _live(trial: Trial, fill: Fill, count: int) -> None:
    looks = 0

    def turn(_rig: Rig) -> None:
        nonlocal looks
        looks += 1
        if looks % (FULL + FREE) == FREE:
            fill(True)  # noqa: FBT003 - a switch
        elif looks % (FULL + FREE) == 0:
            fill(False)  # noqa: FBT003 - a switch

    for _ in range(count):
        trial.live(starts=trial.starts(), meanwhile=turn, seconds=1.5).wait(20)
        fill(False)  # noqa: FBT003 - a switch


def _no_growth(home: Path) -> Fill:
    def fill(full: bool) -> None:  # noqa: FBT001 - a switch
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        sizes = [file.stat().st_size for file in home.glob("pipelinekit.db*")]
        size = max(sizes, default=0) if full else hard
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))

    return fill


def _ballast(home: Path) -> Fill:
    file = home / "ballast"

    def fill(full: bool) -> None:  # noqa: FBT001 - a switch
        if not full:
            file.unlink(missing_ok=True)
            return
        with file.open("wb", buffering=0) as ballast:
            try:
                while ballast.write(b"x" * 65_536):
                    pass
            except OSError:
                return

    return fill


@contextmanager
def _small_disk(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK}", "tmpfs", str(folder)]
    subprocess.run(command, check=True)
    kept = folder.with_name("kept")
    kept.mkdir()
    try:
        yield
        for file in folder.glob("pipelinekit.db*"):
            shutil.copy(file, kept)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
        for file in kept.iterdir():
            file.rename(folder / file.name)
