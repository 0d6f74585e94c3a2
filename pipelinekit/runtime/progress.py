"""How far a job is: written into its folder by its runner, read there by the engine."""

import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

FILE: Final = "progress"


@dataclass(frozen=True, slots=True)
class Progress:
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
        draft.write_text(json.dumps(asdict(self)), encoding="utf-8")
        draft.rename(folder / FILE)

    @staticmethod
    def read(folder: Path) -> "Progress | None":
        """Read what was told last; None where nothing was."""
        with suppress(OSError, ValueError, TypeError):
            return Progress(**json.loads((folder / FILE).read_text(encoding="utf-8")))
        return None
