"""The file of those who may call: what it holds, and what it is refused for."""

import traceback
from pathlib import Path

import pytest

from pipelinekit.endpoint.callers import Callers, own_callers, read_callers
from pipelinekit.model.errors import ValidationError


def test_a_file_of_callers_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    file = tmp_path / "home" / "credentials"
    made = own_callers(file, "ann")
    assert own_callers(file, "ann") == made
    assert [each.name for each in made.values()] == ["ann"]
    assert file.stat().st_mode & 0o777 == 0o600
    file.chmod(0o644)
    with pytest.raises(ValidationError, match="chmod 600"):
        read_callers(file)


def callers_of(file: Path, text: str) -> Callers:
    file.write_text(text, encoding="utf-8")
    file.chmod(0o600)
    return read_callers(file)


def section(name: str, key: str, secret: str) -> str:
    return f"[{name}]\naws_access_key_id = {key}\naws_secret_access_key = {secret}\n"


@pytest.mark.parametrize("text", ["", "[ann]\n", "nonsense", "[ann]\naws_access_key_id = A\n"])
def test_a_file_without_callers_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ValidationError, match="aws_secret_access_key"):
        callers_of(tmp_path / "credentials", text)
    with pytest.raises(ValidationError, match="aws_secret_access_key"):
        read_callers(tmp_path / "missing")


@pytest.mark.parametrize(("key", "secret"), [("AKIA", ""), ("", "x" * 8), ("AKIA", "x" * 7)])
def test_a_key_that_is_empty_or_easily_guessed_is_refused(
    tmp_path: Path, key: str, secret: str
) -> None:
    assert callers_of(tmp_path / "credentials", section("ann", "AKIA", "x" * 8))
    with pytest.raises(ValidationError, match=r"\[ann\] lacks a key, or a secret of 8"):
        callers_of(tmp_path / "credentials", section("ann", key, secret))


def test_a_key_of_two_callers_is_refused(tmp_path: Path) -> None:
    text = section("ann", "AKIA", "x" * 8) + section("ben", "AKIA", "y" * 8)
    with pytest.raises(ValidationError, match=r"\[ann\] and \[ben\] have the same key"):
        callers_of(tmp_path / "credentials", text)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[ann]\naws_access_key_id = A\naws_secret_access_key  SECRETHERE\n", 3),
        ("aws_secret_access_key = SECRETHERE\n", 1),
        (section("ann", "A", "SECRETHERE") * 2, 4),
        (section("ann", "A", "SECRETHERE") + "aws_secret_access_key = SECRETHERE", 4),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_without_its_secrets(
    tmp_path: Path, text: str, line: int
) -> None:
    with pytest.raises(
        ValidationError, match=f"credentials were to be read, and line {line} ca"
    ) as told:
        callers_of(tmp_path / "credentials", text)
    assert "SECRETHERE" not in "".join(traceback.format_exception(told.value))
