"""Appends JSON to a file, one line for each object, whole and durable."""

import json
import os
from collections.abc import Mapping
from pathlib import Path


def append_line(file: Path, data: Mapping[str, object]) -> None:
    """Append an object as one line of JSON; it is on the disk when this returns.

    Raises:
        OSError: The file cannot be written.
    """
    line = json.dumps(data, separators=(",", ":")) + "\n"
    descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, line.encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
