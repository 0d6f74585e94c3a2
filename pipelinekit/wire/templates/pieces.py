"""Builds data together with the places in the file that its values come from."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from pipelinekit.model.noun import Noun
from pipelinekit.tools.documents.document import JSON, Document, Node
from pipelinekit.tools.documents.places import Place, Step

NOWHERE = Place(0, 0)


class Piece(Noun):
    """A value, and where it stands."""

    data: JSON
    place: Place


def piece_of(node: Node) -> Piece:
    """Take a value of a document as it is."""
    return Piece(node.data, node.document.place(node.path))


def at(place: Place, data: JSON) -> Piece:
    """Make a single value at a place."""
    return Piece(data, replace(place, inside={}, written=None))


def mapping(members: Mapping[str, Piece], place: Place) -> Piece:
    """Make an object at a place."""
    inside: dict[Step, Place] = {key: piece.place for key, piece in members.items()}
    data: JSON = {key: piece.data for key, piece in members.items()}
    return Piece(data, replace(place, inside=inside, written=None))


def listing(items: Iterable[Piece], place: Place) -> Piece:
    """Make a list at a place."""
    found = list(items)
    inside: dict[Step, Place] = {index: piece.place for index, piece in enumerate(found)}
    return Piece([piece.data for piece in found], replace(place, inside=inside, written=None))


def members_of(piece: Piece, node: Node) -> dict[str, Piece]:
    """Give the members of an object.

    Args:
        piece: The object.
        node: What it was made of, for the error.

    Raises:
        DocumentError: It is none.
    """
    if not isinstance(piece.data, dict):
        raise node.error("a mapping (`key: value`) is expected there")
    return {key: Piece(value, piece.place.inside[key]) for key, value in piece.data.items()}


def changed(node: Node, change: Callable[[str], str]) -> Piece:
    """Take a value of a document with each text in it changed."""
    place = node.document.place(node.path)
    match node.data:
        case dict():
            pairs = node.mapping().items()
            return mapping({key: changed(each, change) for key, each in pairs}, place)
        case list():
            return listing((changed(each, change) for each in node.list()), place)
        case str():
            return at(place, change(node.data))
        case _:
            return piece_of(node)


def document(piece: Piece, name: str) -> Document:
    """Make a document, of which errors name lines."""
    return Document(piece.data, name, lambda: piece.place)


def node(piece: Piece, name: str) -> Node:
    """Make a cursor on a piece."""
    return document(piece, name).root
