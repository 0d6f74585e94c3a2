"""Reads the YAML text of strangers: no tags run, aliases and depth are counted, JSON comes out."""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

import yaml
from yaml.constructor import SafeConstructor
from yaml.reader import Reader
from yaml.resolver import Resolver

from pipelinekit.tools.documents.places import (
    JSON,
    MAX_DEPTH,
    Builder,
    DocumentError,
    Place,
    Value,
    printable,
    refuse,
    wrapped,
)

MAX_ALIASES: Final = 100
MAX_DIGITS: Final = 1000  # of one number; `1:1:1:...` costs the square of its length
MAX_REPEATED: Final = 100_000  # values that aliases repeat: nine tenfold aliases make a billion

_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAG: Final = "tag:yaml.org,2002:"
_ADVICE: Final = {
    "mapping values are not allowed": "put a value that contains `: ` in quotes",
    "did not find expected key": "give the keys of one mapping the same indentation",
    "could not find expected ':'": "write `key: value`",
    "did not find expected '-'": "give the items of one list the same indentation",
    "did not find expected ',' or": "close the bracket, and put a comma between its items",
    "cannot start any token": "put the value in quotes",
    "unexpected end of stream": "close the quote that was opened last",
    "nesting depth": "flatten the document",
}


_resolve: Callable[[type[yaml.Node], str, tuple[bool, bool]], str] = Resolver().resolve
_CONSTRUCTOR = SafeConstructor()
_SCALARS: Final[dict[str, Callable[[yaml.ScalarNode], JSON]]] = {
    "null": _CONSTRUCTOR.construct_yaml_null,
    "bool": _CONSTRUCTOR.construct_yaml_bool,
    "int": _CONSTRUCTOR.construct_yaml_int,
    "float": _CONSTRUCTOR.construct_yaml_float,
}


def read_yaml(text: str, name: str, forms: Mapping[str, str]) -> tuple[JSON, Place]:
    """Read YAML as `yaml.safe_load` does, but with timestamps and keys kept as text.

    Args:
        text: The document.
        name: The document's name for errors.
        forms: Tags that are short forms of a mapping with one key, which each stands for.

    Raises:
        DocumentError: The text is no YAML, or holds what JSON cannot hold, a key twice, a tag of
            its own, a second document, too many aliases or too much depth.
    """
    reader = _Reader(name, forms)
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            reader.feed(event)
    except yaml.YAMLError as error:
        raise _syntax_error(error, text, name) from None
    root = reader.builder.root
    return (root.data, root.place) if root else (None, Place(1, 1, ""))


class _Reader:
    def __init__(self, name: str, forms: Mapping[str, str]) -> None:
        self.name = name
        self.forms = forms
        self.builder = Builder(name)
        self.anchors: dict[str | None, Value] = {}
        self.aliases = 0
        self.repeated = 0
        self.documents = 0

    def feed(self, event: yaml.Event) -> None:
        place = _place(event)
        match event:
            case yaml.ScalarEvent():
                value = self._scalar(event, place)
                self.builder.put(value)
                self.anchors[event.anchor] = value
            case yaml.SequenceStartEvent():
                self._check_tag(event.tag, place, "seq")
                self.builder.open([], place, event.anchor, self.forms.get(event.tag or ""))
            case yaml.MappingStartEvent():
                self._check_tag(event.tag, place, "map")
                self.builder.open({}, place, event.anchor, self.forms.get(event.tag or ""))
            case yaml.CollectionEndEvent():
                frame = self.builder.close()
                self.anchors[frame.anchor] = frame.value
            case yaml.AliasEvent():
                self.builder.put(self._alias(event.anchor or "", place))
            case yaml.DocumentStartEvent():
                self._count_document(place)
            case _:
                pass

    def _count_document(self, place: Place) -> None:
        self.documents += 1
        if self.documents > 1:
            refuse(self.name, place, "a second document (`---`)", "keep one in a file")

    def _alias(self, anchor: str, place: Place) -> Value:
        target = self.anchors.get(anchor)
        if target is None:
            found = f"the alias *{printable(anchor)}, which has no finished value"
            refuse(self.name, place, found, f"put &{printable(anchor)} at a value before it")
        self.aliases += 1
        self.repeated += target.size
        if self.aliases > MAX_ALIASES or self.repeated > MAX_REPEATED:
            found = f"more than {MAX_ALIASES} aliases, or {MAX_REPEATED} values repeated by them"
            refuse(self.name, place, found, "write the values out")
        if self.builder.depth + target.height > MAX_DEPTH:
            found = f"an alias that makes more than {MAX_DEPTH} levels of nesting"
            refuse(self.name, place, found, "flatten the document")
        here = replace(target.place, line=place.line, column=place.column)
        return replace(target, place=here, merges=False)

    def _check_tag(self, tag: str | None, place: Place, *allowed: str) -> None:
        if tag in self.forms:
            return
        if tag not in {None, "!", *(f"{_TAG}{name}" for name in allowed)}:
            found = f"the tag {printable(str(tag).replace(_TAG, '!!'))}"
            refuse(self.name, place, found, "leave it out: only plain data is read here")

    def _scalar(self, event: yaml.ScalarEvent, place: Place) -> Value:
        place.written = event.value
        self._check_tag(event.tag, place, *_SCALARS, "str", "timestamp")
        tag = event.tag
        if tag is not None and tag in self.forms:
            return wrapped(Value(event.value, place), self.forms[tag])
        if tag is None or tag == "!":
            tag = _resolve(yaml.ScalarNode, event.value, event.implicit)
        tag = tag.removeprefix(_TAG)
        return Value(self._plain(tag, event.value, place), place, merges=tag == "merge")

    def _plain(self, tag: str, written: str, place: Place) -> JSON:
        if tag not in _SCALARS:
            return written
        expected = "put it in quotes if it is text"
        if len(written) > MAX_DIGITS:
            refuse(self.name, place, f"a number of {len(written)} characters", expected)
        try:
            value = _SCALARS[tag](yaml.ScalarNode(_TAG + tag, written))
        except (ValueError, KeyError, IndexError, OverflowError):
            found = f"{printable(written)}, which cannot be read as {tag}"
            refuse(self.name, place, found, expected)
        if isinstance(value, float) and not math.isfinite(value):
            found = f"the number {printable(written)}, which is not finite"
            refuse(self.name, place, found, expected)
        return value


def _place(event: yaml.Event) -> Place:
    mark = event.start_mark
    return Place(mark.line + 1, mark.column + 1) if mark else Place(1, 1)


def _syntax_error(error: yaml.YAMLError, text: str, name: str) -> DocumentError:
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        odd = Reader.NON_PRINTABLE.search(text)
        line = text.count("\n", 0, odd.start()) + 1 if odd else 0
        return DocumentError(name, line, 0, "a control character", "remove it")
    line, column = error.problem_mark.line + 1, error.problem_mark.column + 1
    lines = text.splitlines()
    indent = re.match(r"\s*", lines[line - 1] if line <= len(lines) else "")
    if indent and "\t" in indent[0]:
        found = "a tab where a mapping key was expected"
        return DocumentError(name, line, column, found, "indent with spaces")
    problem = error.problem or "no reason given"
    found = f"YAML that cannot be read ({printable(problem, 120)})"
    advice = next((do for part, do in _ADVICE.items() if part in problem), "write valid YAML")
    return DocumentError(name, line, column, found, advice)
