"""Measures this engine beside its peers, and prints every figure with its spread and its bound."""

import argparse

from tests.bench.peers import contest, plot, results, told
from tests.bench.peers.contestants import ALL


def main() -> None:
    """Measure, print, and keep it where that is wished."""
    scripts = sorted({each.script for each in ALL})
    parser = argparse.ArgumentParser(prog="python -m tests.bench.peers", description=main.__doc__)
    parser.add_argument("--quick", action="store_true", help="two rounds instead of five")
    parser.add_argument("--only", nargs="+", choices=scripts, default=scripts, help="some of them")
    parser.add_argument(
        "--keep", action="store_true", help="in the repository: JSON, picture, README"
    )
    wish = parser.parse_args()
    chosen = [each for each in ALL if each.script in wish.only]
    size = contest.QUICK if wish.quick else contest.FULL
    found = results.count(contest.compete(chosen, size), size.rounds)
    for line in told.plain(found):
        print(line, flush=True)
    if wish.keep:
        results.write(found)
        kept = results.read()
        plot.write(kept)
        told.write_table(kept)


if __name__ == "__main__":
    main()
