"""Does one fault, checks what became of it, and prints a line of JSON."""

import argparse
import json
import math
import sys
import time
from collections.abc import Iterator

from tests.chaos import stores
from tests.chaos.faults import FAULTS, FIGURES
from tests.chaos.trial import Outcome, conduct, summary

SHOWN = 20
"""The most violations that are printed."""


def main() -> int:
    """Do what the command line says; give 1 where anything was violated."""
    asked = _arguments()
    try:
        if not asked.whole:
            return _report(asked.fault, asked.seed, asked.n, asked.store)
        return max(
            _report(fault, asked.seed, kind.whole, asked.store)
            for fault, kind in FAULTS.items()
            if asked.store in kind.stores
        )
    finally:
        stores.end()


def _report(fault: str, seed: int, count: int, store: str) -> int:
    began = time.monotonic()
    outcomes = list(_conduct(fault, seed, count, store))
    violations = [
        {"seed": each.seed, "n": each.count, "rule": rule, "text": text}
        for each in outcomes
        for rule, texts in each.findings.violations.items()
        for text in texts
    ]
    figures = _figures(outcomes)
    violations += [
        {"seed": seed, "n": count, "rule": "figures", "text": f"{name}: p99 is {found['p99']}"}
        for name, found in figures.items()
        if found["p99"] > FIGURES.get(name, math.inf)
    ]
    line = {
        "seed": seed,
        "fault": fault,
        "store": store,
        "n": count,
        "actions": sum(each.findings.actions for each in outcomes),
        "lost": sum(each.lost for each in outcomes),
        "doubled": sum(each.doubled for each in outcomes),
        "violations": violations[:SHOWN],
        "violated": len(violations),
        "violated_rules": sorted({str(each["rule"]) for each in violations}),
        "figures": figures,
        "seconds": round(time.monotonic() - began, 1),
    }
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()
    return 1 if violations else 0


def _figures(outcomes: list[Outcome]) -> dict[str, dict[str, float]]:
    figures: dict[str, list[float]] = {}
    for each in outcomes:
        for name, values in each.figures.items():
            figures.setdefault(name, []).extend(values)
    return {name: summary(values) for name, values in figures.items()}


def _conduct(fault: str, seed: int, count: int, store: str) -> Iterator[Outcome]:
    kind = FAULTS[fault]
    for number, done in enumerate(range(0, count, kind.batch)):
        yield conduct(kind.fault, seed + number, min(kind.batch, count - done), store)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--fault", choices=sorted(FAULTS))
    what.add_argument("--whole", action="store_true", help="every fault, as often as it should be")
    parser.add_argument(
        "--seed",
        type=int,
        default=1,
        help="of the dice; a trial that fails replays with the seed and the n of its violation",
    )
    parser.add_argument("--n", type=int, default=1, help="how often the fault is done")
    parser.add_argument("--store", choices=sorted(stores.URLS), default="sqlite")
    asked = parser.parse_args()
    if asked.fault and asked.store not in FAULTS[asked.fault].stores:
        parser.error(f"{asked.fault} is done to {' and '.join(FAULTS[asked.fault].stores)} only")
    return asked


if __name__ == "__main__":
    sys.exit(main())
