"""Draws what one run of the bench found: a panel for each figure, a bar for each engine."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

from tests.bench.peers.contestants import ALL
from tests.bench.peers.environments import ROOT
from tests.bench.peers.figures import KINDS
from tests.bench.peers.results import Entry, Results
from tests.bench.peers.told import number

FILE: Final = ROOT / "notebooks" / "reference" / "bench.svg"
PANELS: Final = ("W1", "W2", "W3", "W5")

COLUMN, ROW, BAR = 480, 20, 13
LABEL, LENGTH, HEAD, MARGIN = 180, 210, 40, 20
INK: Final = "#222222"
STYLE: Final = f'font-family="system-ui, sans-serif" fill="{INK}"'
OURS_COLOUR, PEER_COLOUR, FLOOR_COLOUR = "#1a7f4b", "#7a8fb0", "#cfcfcf"
FAINT: Final = 'fill="#666666"'
RIGHT: Final = 'text-anchor="end"'


def drawn(results: Results) -> str:
    """Draw the medians on logarithmic scales, with a line from the least to the most."""
    names = [each.name for each in ALL if each.name in results["engines"]]
    height = HEAD + ROW * len(names) + MARGIN
    notes = list(_notes(results))
    width, whole = 2 * COLUMN, HEAD + 2 * height + ROW * len(notes)
    panels = [
        f'<g transform="translate({COLUMN * (place % 2)} {HEAD + height * (place // 2)})">'
        + "\n".join(_panel(results, names, figure))
        + "</g>"
        for place, figure in enumerate(PANELS)
    ]
    below = HEAD + 2 * height
    foot = [_text(MARGIN, below + ROW * row, note, 11) for row, note in enumerate(notes)]
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {whole}" {STYLE}>',
        f'<rect width="{width}" height="{whole}" fill="white"/>',
        _text(MARGIN, 26, "The same workloads on each engine, measured side by side", 16),
        *panels,
        *foot,
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _panel(results: Results, names: list[str], figure: str) -> Iterator[str]:
    kind = KINDS[figure]
    better = "more is better" if kind.more else "less is better"
    yield _text(MARGIN, 18, kind.title, 13)
    yield _text(MARGIN, 33, f"{kind.unit}; {better}; logarithmic", 10, FAINT)
    entries = {name: results["engines"][name] for name in names}
    values = [
        each["figures"][figure][end]
        for each in entries.values()
        if figure in each["figures"]
        for end in ("least", "most")
    ]
    scale = _Scale(min(values), max(values))
    for row, (name, entry) in enumerate(entries.items()):
        yield from _bar(name, entry, figure, scale, HEAD + ROW * row)


class _Scale:
    def __init__(self, least: float, most: float) -> None:
        self._low = math.floor(math.log10(least))
        self._high = max(math.ceil(math.log10(most)), self._low + 1)

    def __call__(self, value: float) -> float:
        return LENGTH * (math.log10(value) - self._low) / (self._high - self._low)


def _bar(name: str, entry: Entry, figure: str, scale: _Scale, y: int) -> Iterator[str]:
    yield _text(LABEL + MARGIN - 6, y + BAR - 2, name, 11, RIGHT)
    found = entry["figures"].get(figure)
    if found is None:
        return
    left, end, middle = LABEL + MARGIN, scale(found["median"]), y + BAR / 2
    least, most = left + scale(found["least"]), left + scale(found["most"])
    yield f'<rect x="{left}" y="{y}" width="{end:.1f}" height="{BAR}" fill="{_colour(name)}"/>'
    yield f'<path d="M{least:.1f} {middle}H{most:.1f}" stroke="{INK}" opacity=".6"/>'
    yield _text(max(left + end, most) + 5, y + BAR - 2, number(found["median"]), 11)


def _colour(name: str) -> str:
    if name.startswith("pipelinekit"):
        return OURS_COLOUR
    return FLOOR_COLOUR if name.startswith("raw") else PEER_COLOUR


def _notes(results: Results) -> Iterator[str]:
    yield f"`make bench`, {results['date']}, {results['machine']}; a line spans the rounds."
    versions = {
        name.partition(",")[0]: entry["version"]
        for name, entry in results["engines"].items()
        if not name.startswith("raw")
    }
    yield ", ".join(f"{name} {version}" for name, version in versions.items()) + "."
    kept: dict[str, list[str]] = {}
    for name, entry in results["engines"].items():
        kept.setdefault(entry["kept"], []).append(name)
    kept.pop("nothing", None)
    for what, names in kept.items():
        yield f"{'; '.join(names)}: {what}."
    for name, reason in results["left_out"].items():
        yield f"{name} was left out: {reason}"


def _text(x: float, y: float, text: str, size: int, style: str = "") -> str:
    place = f'x="{x:.1f}" y="{y}" font-size="{size}"'
    return f"<text {place} {style}>{escape(text)}</text>"


def write(results: Results, file: Path = FILE) -> None:
    """Keep the drawing."""
    file.write_text(drawn(results), encoding="utf-8")
