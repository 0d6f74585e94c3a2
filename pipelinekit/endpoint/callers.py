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
FEWEST: Final = 8
"""Characters of a secret key; AWS's have 40."""

_AT_LINE: Final = (
    configparser.MissingSectionHeaderError,
    configparser.DuplicateSectionError,
    configparser.DuplicateOptionError,
)


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
        ValidationError: The file is missing or open to others, it holds no access key, one
            without a secret that is long enough, or the same one twice.
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
    except configparser.Error as error:
        # It quotes the line, which may hold a secret.
        raise _refused(file, f"line {_line(error)} cannot be read") from None
    found: dict[str, Caller] = {}
    for name in parser.sections():
        key, secret = (parser[name].get(each, "") for each in (KEY, SECRET))
        if not key or len(secret) < FEWEST:
            raise _refused(
                file, f"[{name}] lacks a key, or a secret of {FEWEST} characters or more"
            )
        if key in found:
            raise _refused(file, f"[{found[key].name}] and [{name}] have the same key")
        found[key] = Caller(name, secret)
    if not found:
        raise _refused(file, "it holds none")
    return found


def _refused(file: Path, why: str) -> ValidationError:
    return ValidationError(
        f"the access keys in {file} were to be read, and {why}; write there, for each caller, a "
        f"[name] with an {KEY} of their own and an {SECRET}"
    )


def _line(error: configparser.Error) -> int | None:
    if isinstance(error, _AT_LINE):
        return error.lineno
    return error.errors[0][0] if isinstance(error, configparser.ParsingError) else None
