"""Who may call: access keys, in the form of AWS's own credentials files."""

import configparser
import os
import secrets
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from pipelinekit.model.errors import ValidationError
from pipelinekit.model.noun import Noun

KEY: Final = "aws_access_key_id"
SECRET: Final = "aws_secret_access_key"  # noqa: S105 - the name of a setting


class Caller(Noun):
    """Somebody who may call.

    Attributes:
        name: Who acts, as histories tell it.
        secret: The secret key.
    """

    name: str
    secret: str


Callers = Mapping[str, Caller]
"""By access key."""


def read_callers(file: Path) -> Callers:
    """Read who may call: a section for each, whose name is theirs.

    Args:
        file: An INI file, as `~/.aws/credentials` is one; nobody but its owner may read it.

    Raises:
        ValidationError: The file is missing, open to others, or holds no access key.
    """
    try:
        mode = file.stat().st_mode
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ValidationError(
            f"the access keys in {file} were to be read, and that failed: {error}; write there, "
            f"for each caller, a [name] with {KEY} and {SECRET}"
        ) from error
    if stat.S_IMODE(mode) & (stat.S_IRWXG | stat.S_IRWXO):
        raise ValidationError(
            f"the access keys in {file} can be read by others than its owner; close it with "
            f"`chmod 600 {file}`"
        )
    return _parsed(file, text)


def own_callers(file: Path, name: str) -> Callers:
    """Read who may call, after making a key for its owner where the file is missing.

    Args:
        file: As `read_callers` reads it.
        name: Who owns it.
    """
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as written:
            key, secret = f"AKIA{secrets.token_hex(8).upper()}", secrets.token_urlsafe(30)
            written.write(f"[{name}]\n{KEY} = {key}\n{SECRET} = {secret}\n")
    return read_callers(file)


def _parsed(file: Path, text: str) -> Callers:
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(text, str(file))
        found = {
            section[KEY]: Caller(name, section[SECRET])
            for name, section in parser.items()
            if name != parser.default_section
        }
    except (configparser.Error, KeyError) as error:
        raise ValidationError(
            f"the access keys in {file} were to be read, and a part of it is no caller: {error}; "
            f"give each [name] its {KEY} and {SECRET}"
        ) from error
    if not found:
        raise ValidationError(
            f"the access keys in {file} were to be read, and it holds none; write there, for each "
            f"caller, a [name] with {KEY} and {SECRET}"
        )
    return found
