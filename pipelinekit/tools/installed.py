"""Whether anything that is installed offers something to a group of entry points."""

import os
import sys
from pathlib import Path

TOLD_IN = (".dist-info", ".egg-info")


def may_offer(group: str) -> bool:
    """Tell whether any distribution may have entry points of a group.

    `importlib.metadata` takes ten times as long to say that none has, which is the usual answer;
    where this says that one may, it is the one to ask.

    Args:
        group: The group's name.
    """
    return any(_may_offer(group.encode(), place or os.curdir) for place in sys.path)


def _may_offer(group: bytes, place: str) -> bool:
    try:
        folders = [each for each in Path(place).iterdir() if each.name.endswith(TOLD_IN)]
    except FileNotFoundError:
        return False
    except OSError:
        return True  # an archive, say, which may hold anything
    told = (each / "entry_points.txt" for each in folders)
    named = (file for file in told if file.exists() and group in file.read_bytes())
    return place.endswith(".egg") or any(named)
