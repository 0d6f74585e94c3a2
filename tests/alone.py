"""Looks again, alone, at the few tests that failed beside others: `python -m tests.alone`.

Many tests start processes and wait for them; on a machine that others use as well one of them may
run out of time. Such a test has to pass three times in a row on its own, and is named at the end
of the run, so that it can be mended. A test that is wrong fails again, and so does the run.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Final

FAILED: Final = Path(".pytest_cache/v/cache/lastfailed")
MOST: Final = 5
TIMES: Final = 3


def main() -> int:
    """Run what failed last, and say what passed this time."""
    names = sorted(json.loads(FAILED.read_text(encoding="utf-8")))
    if not names or len(names) > MOST or not all("::" in name for name in names):
        sys.stderr.write(f"{len(names)} tests failed: they are not looked at again\n")
        return 1
    for _ in range(TIMES):
        command = [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider"]
        ended = subprocess.run([*command, *names], check=False)
        if ended.returncode:
            return ended.returncode
    sys.stderr.write(f"UNSTEADY: failed beside others, passed {TIMES} times alone:\n")
    sys.stderr.writelines(f"  {name}\n" for name in names)
    return 0


if __name__ == "__main__":
    sys.exit(main())
