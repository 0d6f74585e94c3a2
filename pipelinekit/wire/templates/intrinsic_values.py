"""Single values in the functions of CloudFormation: as text, compared, taken out of lists."""

import json
import re

from pipelinekit.tools.documents.document import JSON, Node
from pipelinekit.wire.templates.gaps import placeholders
from pipelinekit.wire.templates.pieces import Piece


def plain(piece: Piece) -> str:
    """Write a single value as text, as CloudFormation does: flags in small letters."""
    data = piece.data
    if isinstance(data, str):
        return data
    if isinstance(data, bool):
        return str(data).lower()
    if isinstance(data, list):
        return ",".join(str(each) for each in data)
    return piece.place.written if piece.place.written is not None else json.dumps(data)


def compared(piece: Piece | None) -> JSON:
    """Give a value in the form in which Fn::Equals compares it."""
    if piece is None or isinstance(piece.data, dict | list):
        return None if piece is None else piece.data
    return plain(piece)


def items(node: Node, count: int) -> tuple[Node, ...]:
    """Give the items of a list of so many.

    Raises:
        DocumentError: It is no such list.
    """
    found = node.list()
    if len(found) != count:
        raise node.error(f"a list of {count} is expected there")
    return found


def halves(name: str) -> tuple[str, str]:
    """Give what stands before and after the first dot."""
    first, _, second = name.partition(".")
    return first, second


def split(text: str, delimiter: str) -> list[str]:
    """Split a text, in which placeholders stay whole."""
    # A placeholder may hold the delimiter itself.
    kept = placeholders(text)
    for number, each in enumerate(kept):
        text = text.replace(each, f"\0{number}\0", 1)
    parts = text.split(delimiter) if delimiter else [text]
    return [re.sub(r"\0(\d+)\0", lambda match: kept[int(match[1])], part) for part in parts]
