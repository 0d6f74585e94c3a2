"""Writes out the loops of a CloudFormation template: `Fn::ForEach`, as far as it is known.

Source: CloudFormation's template reference, Fn::ForEach. `${Name}`, `&{Name}` - without what is no
letter or digit - and a `Ref` to the name stand for each value in turn.
"""

import re
from collections.abc import Mapping
from typing import Final

from pipelinekit.tools.documents.document import JSON, Document, Node
from pipelinekit.wire.templates.gaps import Gaps, is_open
from pipelinekit.wire.templates.intrinsic_values import items, plain
from pipelinekit.wire.templates.parameters import value_of
from pipelinekit.wire.templates.pieces import Piece, at, listing, mapping, members_of, piece_of
from pipelinekit.wire.templates.pieces import document as made_of
from pipelinekit.wire.templates.template import FOR_EACH

SECTIONS: Final = ("Conditions", "Resources", "Outputs")
"""The parts of a template in which loops may stand."""

MOST_TURNS: Final = 10_000
"""Of all loops of a template; a template has at most 500 resources."""

_NAME: Final = re.compile(r"([$&])\{\s*([A-Za-z0-9]+)\s*\}")
_NO_WORD: Final = re.compile(r"[^A-Za-z0-9]")


class _NotKnown(Exception):
    """What a loop goes over is not told by the template and its parameters."""


def expanded(document: Document, gaps: Gaps) -> Document:
    """Give a template with its loops written out; one that goes over what is not known stays.

    Args:
        document: The template.
        gaps: Values that were given.

    Raises:
        DocumentError: A loop is not written as CloudFormation has it, or makes a key twice.
    """
    if not _has_loop(document.data):
        return document
    root = document.root
    loops = _Loops(root, gaps)
    if root.get("Resources") is None:  # an excerpt, that holds nothing but resources
        return made_of(loops.section(root), document.name)
    parts = {
        name: loops.section(part) if name in SECTIONS and part.data else piece_of(part)
        for name, part in root.mapping().items()
    }
    return made_of(mapping(parts, document.place(())), document.name)


def _has_loop(data: JSON) -> bool:
    match data:
        case dict():
            return any(key.startswith(FOR_EACH) or _has_loop(each) for key, each in data.items())
        case list():
            return any(map(_has_loop, data))
        case _:
            return False


class _Loops:
    def __init__(self, root: Node, gaps: Gaps) -> None:
        given = root.get("Parameters")
        self._parameters = given.mapping() if given is not None and given.data else {}
        self._gaps = gaps
        self._turns = 0

    def section(self, node: Node) -> Piece:
        """Write out a part of the template, of which each member is by itself."""
        found: dict[str, Piece] = {}
        for key, child in node.mapping().items():
            try:
                made = self._members(key, child, {})
            except _NotKnown:
                made = {key: piece_of(child)}
            _join(found, made, child)
        return mapping(found, node.document.place(node.path))

    def _members(self, key: str, node: Node, known: Mapping[str, str]) -> dict[str, Piece]:
        if key.startswith(FOR_EACH):
            return self._loop(node, known)
        return {_put(key, known): self._written(node, known)}

    def _written(self, node: Node, known: Mapping[str, str]) -> Piece:
        if not known and not _has_loop(node.data):
            return piece_of(node)
        place = node.document.place(node.path)
        match node.data:
            case {"Ref": str() as name} if name in known:
                return at(place, known[name])
            case dict():
                found: dict[str, Piece] = {}
                for key, child in node.mapping().items():
                    _join(found, self._members(key, child, known), child)
                return mapping(found, place)
            case list():
                return listing((self._written(each, known) for each in node.list()), place)
            case str() as text if (put := _put(text, known)) != text:
                return at(place, put)
            case _:
                return piece_of(node)

    def _loop(self, node: Node, known: Mapping[str, str]) -> dict[str, Piece]:
        identifier, collection, fragment = items(node, 3)
        name = identifier.text()
        found: dict[str, Piece] = {}
        for value in self._values(collection, known):
            self._turns += 1
            if self._turns > MOST_TURNS:
                raise node.error("make it smaller", found=f"loops of more than {MOST_TURNS} turns")
            made = self._written(fragment, {**known, name: value})
            _join(found, members_of(made, fragment), fragment)
        return found

    def _values(self, node: Node, known: Mapping[str, str]) -> list[str]:
        if isinstance(node.data, list):
            return [self._value(each, known) for each in node.list()]
        found = self._parameter(node)
        if not isinstance(found.data, list):
            raise node.error("a list, or a parameter that is one, is expected there")
        return [str(each) for each in found.data]

    def _value(self, node: Node, known: Mapping[str, str]) -> str:
        piece = self._written(node, known)
        return plain(self._parameter(node) if isinstance(piece.data, dict) else piece)

    def _parameter(self, node: Node) -> Piece:
        """Give the value of a parameter that is referred to; nothing else is looked into."""
        match node.data:
            case {"Ref": str() as name} if name in self._parameters:
                found = value_of(name, self._parameters[name], self._gaps)
                if not is_open(plain(found)):
                    return found
            case _:
                pass
        raise _NotKnown


def _join(found: dict[str, Piece], more: Mapping[str, Piece], node: Node) -> None:
    twice = sorted(found.keys() & more.keys())
    if twice:
        told = f"{twice[0]}, which a loop makes twice"
        raise node.error("put ${...} with the loop's name into its key", found=told)
    found.update(more)


def _put(text: str, known: Mapping[str, str]) -> str:
    def told(match: re.Match[str]) -> str:
        sign, name = match.groups()
        if name not in known:
            return match[0]
        return known[name] if sign == "$" else _NO_WORD.sub("", known[name])

    return _NAME.sub(told, text)
