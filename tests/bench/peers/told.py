"""Tells what was measured, on a terminal and in the README."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.bench.peers.environments import ROOT
from tests.bench.peers.figures import KINDS
from tests.bench.peers.results import Entry, Held, Results

README: Final = ROOT / "README.md"
BEGIN: Final = "<!-- measured by `make bench` -->\n"
END: Final = "<!-- to here -->"

SHOWN: Final = {
    "W1": "ms per action",
    "W2": "executions/s",
    "W3": "500 at once, s",
    "W3 MiB": "500 at once, MiB",
    "W5": "cold start, s",
    "W6": "goes on after kill -9, s",
    "repeated": "repeated then",
}
"""The columns of the README's table."""


def plain(results: Results) -> Iterator[str]:
    """Tell everything, in lines for a terminal."""
    yield f"{results['date']}: {results['machine']}; {results['rounds']} rounds"
    for figure, kind in KINDS.items():
        yield f"\n{figure}: {kind.title}, {kind.unit}"
        for name, entry in results["engines"].items():
            if found := entry["figures"].get(figure):
                better = found["ours_better"]
                against = "" if better is None else f"   ours is {better:.2f} x as good"
                spread = f"{number(found['least'])} to {number(found['most'])}"
                yield f"  {name:30} {number(found['median']):>8}  {spread:20}{against}"
    yield f"\n{'bound':45} {'measured':>9} {'bound':>9}"
    for held in results["bounds"]:
        yield _held(held)
    for title, measured in results["limits"].items():
        yield f"{title:45} {number(measured):>9}"
    for name, reason in results["left_out"].items():
        yield f"{name} was left out: {reason}"


def _held(held: Held) -> str:
    limit = f"{'>=' if held['least'] else '<='} {number(held['limit'])}"
    passed = "pass" if held["reached"] else "miss"
    return f"{held['title']:45} {number(held['measured']):>9} {limit:>9}  {passed}"


def table(results: Results) -> str:
    """Tell the medians as the README's table, with how many times better this engine is."""
    rows = ["| engine | " + " | ".join(SHOWN.values()) + " |", "| --- |" + " --- |" * len(SHOWN)]
    for name, entry in results["engines"].items():
        if not SHOWN.keys() & entry["figures"].keys():
            continue
        cells = " | ".join(_cell(entry, figure) for figure in SHOWN)
        rows.append(f"| {name} | {cells} |")
    return "\n".join(rows) + "\n"


def _cell(entry: Entry, figure: str) -> str:
    found = entry["figures"].get(figure)
    if found is None:
        return "-"
    better = found["ours_better"]
    shown = number(found["median"])
    return shown if better is None or figure == "W3 MiB" else f"{shown} ({number(better)} x)"


def number(value: float) -> str:
    """Write a number with two digits that count, and all before the point."""
    if float(value).is_integer():
        return f"{value:,.0f}"
    for least, digits in ((10, 0), (1, 1), (0.1, 2)):
        if abs(value) >= least:
            return f"{value:,.{digits}f}"
    return f"{value:.3f}"


def write_table(results: Results, readme: Path = README) -> None:
    """Put the table into the README, in place of the one before."""
    text = readme.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    readme.write_text(f"{before}{BEGIN}{table(results)}{END}{after}", encoding="utf-8")
