"""Which release of the shop this is, and where it runs."""

import json
import os
from dataclasses import dataclass
from importlib import resources


@dataclass(frozen=True, slots=True)
class Release:
    """A version of the shop in an environment; the commit is the one it was built from."""

    version: str
    commit: str
    environment: str


def this_release() -> Release:
    """Read what the build wrote into the package, and what the host says of itself."""
    stamp = resources.files("shop") / "version.json"
    built = json.loads(stamp.read_text(encoding="utf-8")) if stamp.is_file() else {}
    return Release(
        version=built.get("version", "unreleased"),
        commit=built.get("commit", "unknown"),
        environment=os.environ.get("ENVIRONMENT", "development"),
    )
