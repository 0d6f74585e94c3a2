"""Reads what strangers leave out, leave empty or write in several ways, as CodeBuild reads it."""

from collections.abc import Iterator
from typing import Final

from pipelinekit.model.near import nearest
from pipelinekit.tools.documents.document import Node

_YES: Final = {"yes": True, "true": True, "no": False, "false": False}


def mapping(node: Node | None) -> dict[str, Node]:
    """Give the values of a mapping under their keys; nothing where it is absent or empty.

    Raises:
        DocumentError: It is something else.
    """
    return {} if node is None or node.data is None else node.mapping()


def values(node: Node | None) -> dict[str, str]:
    """Give the single values of a mapping as their author wrote them.

    Raises:
        DocumentError: It is no mapping, or holds a list or a mapping.
    """
    return {
        name: "" if value.data is None else value.written()
        for name, value in mapping(node).items()
    }


def text(node: Node | None) -> str | None:
    """Give a single value as its author wrote it; None where it is absent or empty.

    Raises:
        DocumentError: It is a list or a mapping.
    """
    return None if node is None or node.data is None else node.written()


def texts(node: Node | None) -> tuple[str, ...]:
    """Give the single values of a list, which may also be one value alone.

    Raises:
        DocumentError: It is a mapping, or holds a list or a mapping.
    """
    if node is None or node.data is None:
        return ()
    if isinstance(node.data, list):
        return tuple(item.written() for item in node.list())
    if isinstance(node.data, dict):
        raise node.error("a list is expected there")
    return (node.written(),)


def flag(node: Node | None) -> bool:
    """Give a flag, written `yes`, `"no"`, `true` and so on; false where it is absent or empty.

    Raises:
        DocumentError: It is no flag.
    """
    if node is None or node.data is None:
        return False
    known = _YES.get(node.data.lower()) if isinstance(node.data, str) else None
    return node.flag() if known is None else known


def unknown(node: Node | None, known: frozenset[str]) -> Iterator[str]:
    """Say of each key of a mapping that is not among the known ones where it is, and what is.

    Args:
        node: The mapping.
        known: The keys that CodeBuild knows there.
    """
    for name, child in mapping(node).items():
        if name not in known:
            close = nearest(name, known)
            advice = f"write {close}" if close else f"known there: {', '.join(sorted(known))}"
            line = child.document.place(child.path).key_line
            yield (
                f"{child.document.name}, line {line}: CodeBuild does not know the key "
                f"{child.where} and ignores it; {advice}"
            )
