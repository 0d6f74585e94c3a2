"""How far a job is: written into its folder by its runner, read there by the engine."""

from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from pipelinekit.model.noun import Noun

FILE: Final = "progress"


class Progress(Noun):
    """How far a job is.

    Attributes:
        percent: How much of it is done, 0 to 100.
        text: What it does now, one line.
    """

    percent: int
    text: str

    def write(self, folder: Path) -> None:
        """Write it down, in the place of what was told before; it need not outlive a power cut."""
        folder.mkdir(parents=True, exist_ok=True)
        draft = folder / f"{FILE}.draft"
        draft.write_bytes(msgspec.json.encode(self))
        draft.rename(folder / FILE)

    @staticmethod
    def read(folder: Path) -> "Progress | None":
        """Read what was told last; None where nothing was."""
        with suppress(OSError, msgspec.MsgspecError):
            return msgspec.json.decode((folder / FILE).read_bytes(), type=Progress)
        return None
