"""A secret in a file, made when it is first asked for."""

import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Final

BYTES: Final = 32


def secret_key(file: Path) -> bytes:
    """Give the secret that a file holds; the file is its owner's alone.

    Args:
        file: Made with a fresh secret if it is missing, and never half written.
    """
    with suppress(FileNotFoundError):
        return file.read_bytes()
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as written:
        written.write(secrets.token_bytes(BYTES))
    with suppress(FileExistsError):
        os.link(draft, file)  # another process may have been faster: its secret counts
    draft.unlink()
    return file.read_bytes()
