"""How long a notebook may take, how much it may put out, and what came of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from pipelinekit.tools.notebooks.resume import Kept

MEGABYTE: Final = 1_000_000
PUT_IN: Final = "the parameters that were put in"
"""How people are told of the cell that no author has written."""

Say: TypeAlias = Callable[[str], None]

Advance: TypeAlias = Callable[[int, int, str], None]
"""Is told, as a cell begins, its number, how many there are, and its first line."""


@dataclass(frozen=True, slots=True)
class Caps:
    """How much a cell may put out.

    Attributes:
        kept: Bytes that are kept; of more, the rest is cut with a word about it.
        most: Bytes after which the notebook fails and its kernel is killed.
    """

    kept: int = 8 * MEGABYTE
    most: int = 256 * MEGABYTE


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long it may take, in seconds; for ever when None.

    Attributes:
        start: Until the kernel answers.
        cell: Of each cell.
        notebook: Of all cells together.
        keep: How long the kernel of a notebook that failed is kept; not at all when 0.
    """

    start: float = 60.0
    cell: float | None = None
    notebook: float | None = None
    keep: float = 0.0


@dataclass(slots=True)
class Record:
    """What came of it, besides the executed notebook.

    Attributes:
        numbers: Those of the author's cells that have something to execute, by their indexes in
            the executed notebook.
        ran: How many of them were executed, those that were replayed too.
        index: Of the last cell that began; None before the first one.
        line: The first line of it.
        first: The number of the cell at which it went on; 0 where it did not.
        replayed: The numbers of cells before that one that were executed again.
        same_kernel: Whether it went on in the kernel that was kept.
        kept: How it may go on when it failed.
        warm: Whether the kernel had been started ahead.
    """

    numbers: Mapping[int, int] = field(default_factory=dict)
    ran: int = 0
    index: int | None = None
    line: str = ""
    first: int = 0
    replayed: tuple[int, ...] = ()
    same_kernel: bool = False
    kept: Kept | None = None
    warm: bool = False

    @property
    def cells(self) -> int:
        """Count the author's cells that have something to execute."""
        return len(self.numbers)

    @property
    def place(self) -> str:
        """Name the last cell that began, as its author knows it."""
        number = self.numbers.get(-1 if self.index is None else self.index)
        return PUT_IN if number is None else f"cell {number}, `{self.line}`"


def resumed(record: Record) -> str:
    """Say how an execution goes on after one that failed."""
    where = "in the kernel that was kept" if record.same_kernel else "in a fresh kernel"
    again = f", after cells {', '.join(map(str, record.replayed))} again"
    return f"it goes on at cell {record.first}, {where}{again if record.replayed else ''}"
