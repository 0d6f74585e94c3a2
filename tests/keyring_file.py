"""A keyring in a file, for the library keyring, which is told of it by its own variable."""

import json
import os
from pathlib import Path

from keyring.backend import KeyringBackend

FILE = "TESTS_KEYRING"


class FileKeyring(KeyringBackend):
    """Keeps passwords in the JSON file that a variable names."""

    priority = 1  # type: ignore[assignment]  # keyring declares it as a property of the class

    def get_password(self, service: str, username: str) -> str | None:
        """Give a password; None where there is none."""
        found = json.loads(Path(os.environ[FILE]).read_text(encoding="utf-8"))
        value: str | None = found.get(service, {}).get(username)
        return value

    def set_password(self, service: str, username: str, password: str) -> None:
        """Keep a password."""
        file = Path(os.environ[FILE])
        found = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        found.setdefault(service, {})[username] = password
        file.write_text(json.dumps(found), encoding="utf-8")
