"""Reads YAML and JSON files of strangers as plain data, and remembers the line of every value.

`read` or `parse` gives a `Document`; its `root` is a cursor that takes the data apart, and that
says the path, the line, what was found and what is expected when the data is not so.
"""

import functools
import json
import os
import re
import stat
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from pipelinekit.tools.documents.json_text import json_places, read_json
from pipelinekit.tools.documents.places import JSON, DocumentError, Place, Step, printable

__all__ = [
    "JSON",
    "MAX_BYTES",
    "Document",
    "DocumentError",
    "Form",
    "Node",
    "parse",
    "read",
    "read_text",
]

MAX_BYTES: Final = 1024 * 1024
NO_FORMS: Final[Mapping[str, str]] = {}


class Form(StrEnum):
    """The two ways in which a document is written."""

    JSON = "JSON"
    YAML = "YAML"


@dataclass(frozen=True, slots=True)
class Document:
    """The data of one YAML or JSON text, and where each value of it stands."""

    data: JSON
    name: str
    places: Callable[[], Place]

    @property
    def root(self) -> "Node":
        """The cursor on the whole document."""
        return Node(self, (), self.data)

    def place(self, path: tuple[Step, ...]) -> Place:
        """Find the place of the value at `path`, or of its nearest ancestor."""
        place = self.places()
        for step in path:
            if step not in place.inside:
                break
            place = place.inside[step]
        return place

    def line(self, path: tuple[Step, ...]) -> int:
        """Tell the line, from 1, of the value at `path`, or of its nearest ancestor."""
        return self.place(path).line


@dataclass(frozen=True, slots=True)
class Node:
    """A cursor on one value of a document, which takes it apart or says what is wrong with it."""

    document: Document
    path: tuple[Step, ...]
    data: JSON

    @property
    def where(self) -> str:
        """The path in words, such as `phases.build.commands[1]`."""
        steps = [f"[{step}]" if isinstance(step, int) else f".{_key(step)}" for step in self.path]
        return "".join(steps).removeprefix(".") or "the top of the document"

    @property
    def line(self) -> int:
        """The line of the value, from 1."""
        return self.document.line(self.path)

    def error(self, expected: str, found: str | None = None) -> DocumentError:
        """Make the error that says what stands here and what is expected instead.

        Args:
            expected: What is expected, or what to do.
            found: What stands here; left out, the value itself is shown.
        """
        place = self.document.place(self.path)
        found = f"{_kind(self.data)} at {self.where}" if found is None else found
        return DocumentError(self.document.name, place.line, place.column, found, expected)

    def mapping(self) -> "dict[str, Node]":
        """Give the values of this mapping under their keys, in the order of the document.

        Raises:
            DocumentError: This is not a mapping.
        """
        if not isinstance(self.data, dict):
            raise self.error("a mapping (`key: value`) is expected there")
        return {key: self._child(key, value) for key, value in self.data.items()}

    def list(self) -> "tuple[Node, ...]":
        """Give the items of this list.

        Raises:
            DocumentError: This is not a list.
        """
        if not isinstance(self.data, list):
            raise self.error("a list is expected there")
        return tuple(self._child(index, value) for index, value in enumerate(self.data))

    def get(self, key: str) -> "Node | None":
        """Give the value under `key`, or None where the mapping has no such key.

        Raises:
            DocumentError: This is not a mapping.
        """
        return self.mapping().get(key)

    def need(self, key: str) -> "Node":
        """Give the value under `key`, which must be there.

        Raises:
            DocumentError: This is not a mapping, or it has no such key.
        """
        child = self.get(key)
        if child is None:
            raise self.error(f"add it at {self.where}", found=f"no key {_key(key)}")
        return child

    def only(self, allowed: Collection[str]) -> "Node":
        """Refuse every key that is not among `allowed`, and give this node back.

        Raises:
            DocumentError: This is not a mapping, or it has another key.
        """
        for key, child in self.mapping().items():
            if key not in allowed:
                known = ", ".join(sorted(allowed)) or "no key at all"
                found = f"the unknown key {_key(key)} at {self.where}"
                raise child.misnamed(f"known here: {known}", found)
        return self

    def misnamed(self, expected: str, found: str) -> DocumentError:
        """Give the error that the key of this value has no meaning, with the key's line."""
        line = self.document.place(self.path).key_line
        return DocumentError(self.document.name, line, 0, found, expected)

    def text(self) -> str:
        """Give the text that stands here.

        Raises:
            DocumentError: This is not text.
        """
        if not isinstance(self.data, str):
            raise self.error("text is expected there; put it in quotes")
        return self.data

    def written(self) -> str:
        """Give a single value as its author wrote it: `0.10`, `yes` and `007` keep their form.

        Raises:
            DocumentError: This is a list or a mapping.
        """
        if isinstance(self.data, str):
            return self.data
        written = self.document.place(self.path).written
        if written is None:
            raise self.error("a single value is expected there")
        return written

    def texts(self) -> tuple[str, ...]:
        """Give the texts of this list.

        Raises:
            DocumentError: This is not a list, or an item of it is not text.
        """
        return tuple(item.text() for item in self.list())

    def choice(self, options: tuple[str, ...]) -> str:
        """Give the text that stands here, which must be one of `options`.

        Raises:
            DocumentError: This is not text, or none of the options.
        """
        text = self.text()
        if text not in options:
            raise self.error(f"one of {', '.join(options)} is expected there")
        return text

    def number(self) -> int | float:
        """Give the number that stands here.

        Raises:
            DocumentError: This is not a number.
        """
        if isinstance(self.data, bool) or not isinstance(self.data, int | float):
            raise self.error("a number is expected there, without quotes")
        return self.data

    def whole(self) -> int:
        """Give the whole number that stands here.

        Raises:
            DocumentError: This is not a whole number.
        """
        if isinstance(self.data, bool) or not isinstance(self.data, int):
            raise self.error("a whole number is expected there, without quotes")
        return self.data

    def flag(self) -> bool:
        """Give the true or false that stands here.

        Raises:
            DocumentError: This is neither true nor false.
        """
        if not isinstance(self.data, bool):
            raise self.error("true or false is expected there, without quotes")
        return self.data

    def _child(self, step: Step, data: JSON) -> "Node":
        return Node(self.document, (*self.path, step), data)


def read(path: Path, *, name: str | None = None, max_bytes: int = MAX_BYTES) -> Document:
    """Read a YAML or JSON file of a stranger.

    Args:
        path: The file; JSON when its name ends in `.json`, else YAML.
        name: The name for errors; left out, the last part of the path.
        max_bytes: The largest size that is read.

    Raises:
        DocumentError: The file is missing, no regular file, too large, not UTF-8, or cannot be
            parsed.
    """
    name = path.name if name is None else name
    text = read_text(path, name, max_bytes=max_bytes)
    form = Form.JSON if path.name.endswith(".json") else None
    return parse(text, name, form, max_bytes=max_bytes)


def read_text(path: Path, name: str, *, max_bytes: int = MAX_BYTES) -> str:
    """Read a text file of a stranger.

    Args:
        path: The file.
        name: The name for errors.
        max_bytes: The largest size that is read.

    Raises:
        DocumentError: The file is missing, no regular file, too large, or not UTF-8.
    """
    content = _content(path, name, max_bytes)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        found = f"the byte 0x{content[error.start]:02x}, which is not UTF-8"
        raise DocumentError(name, line, 0, found, "save the file as UTF-8") from None


def parse(
    text: str,
    name: str,
    form: Form | None = None,
    *,
    max_bytes: int = MAX_BYTES,
    forms: Mapping[str, str] = NO_FORMS,
) -> Document:
    """Parse the YAML or JSON text of a stranger.

    Args:
        text: The document.
        name: The document, as its author knows it.
        form: How it is written; left out, JSON when `name` ends in `.json`, else YAML.
        max_bytes: The largest size that is parsed.
        forms: YAML tags that are short forms of a mapping with one key, which each stands for.

    Raises:
        DocumentError: The text is too large, no JSON or YAML, or not plain data: a key twice, a
            number that is not finite, a tag, too many aliases, more than 64 levels.
    """
    _check_text(text, name, max_bytes)
    if form is None:
        form = Form.JSON if name.endswith(".json") else Form.YAML
    if form is Form.JSON:
        data = read_json(text, name)
        return Document(data, name, functools.cache(lambda: json_places(text, name)))
    from pipelinekit.tools.documents.yaml_text import read_yaml  # noqa: PLC0415 - brings PyYAML

    data, place = read_yaml(text, name, forms)
    return Document(data, name, lambda: place)


def _content(path: Path, name: str, max_bytes: int) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        found = f"no file that can be opened ({error.strerror})"
        raise DocumentError(name, 0, 0, found, "check its path and permissions") from None
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):  # before it becomes a file object, which no folder can
        os.close(descriptor)
        found = "a folder" if stat.S_ISDIR(mode) else "no regular file"
        raise DocumentError(name, 0, 0, found, "give the path of a file")
    with os.fdopen(descriptor, "rb") as file:
        content = file.read(max_bytes + 1)
    _check_size(len(content), name, max_bytes)
    return content


def _check_text(text: str, name: str, max_bytes: int) -> None:
    try:
        size = len(text.encode())
    except UnicodeEncodeError as error:
        line = text.count("\n", 0, error.start) + 1
        found = "half of a surrogate pair"
        raise DocumentError(name, line, 0, found, "write the whole character") from None
    _check_size(size, name, max_bytes)


def _check_size(size: int, name: str, max_bytes: int) -> None:
    if size > max_bytes:
        raise DocumentError(name, 0, 0, f"more than {max_bytes} bytes", "make it smaller")


def _kind(data: JSON) -> str:
    match data:
        case None:
            return "nothing (null)"
        case bool():
            return f"the flag {str(data).lower()}"
        case int() | float():
            return f"the number {printable(repr(data), 40)}"
        case str():
            return f"the text {json.dumps(printable(data, 40), ensure_ascii=False)}"
        case list():
            return f"a list of {len(data)}"
        case dict():
            return f"a mapping of {len(data)}"


def _key(key: str) -> str:
    return key if re.fullmatch(r"[\w-]{1,60}", key) else json.dumps(printable(key))
