"""The ledger of side effects: one line for each, appended in one write; it is the truth."""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

VARIABLE = "CHAOS_LEDGER"
"""The environment variable that names the ledger's file."""

Line = dict[str, object]


def note(what: str, **members: object) -> None:
    """Append a line to the ledger that the environment names."""
    line = {"what": what, "at": time.time(), "pid": os.getpid(), **members}
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
    descriptor = os.open(os.environ[VARIABLE], flags, 0o600)
    try:
        os.write(descriptor, json.dumps(line).encode() + b"\n")
    finally:
        os.close(descriptor)


def lines(file: Path) -> Iterator[Line]:
    """Read a ledger."""
    if file.exists():
        for text in file.read_text(encoding="utf-8").splitlines(keepends=True):
            if text.endswith("\n"):  # else it is being written
                yield json.loads(text)
