"""Gives the parameters of a template their values, and checks these as CloudFormation does."""

from pipelinekit.tools.documents.document import DocumentError, Node
from pipelinekit.wire.templates.gaps import Gaps, is_open
from pipelinekit.wire.templates.intrinsic_values import plain
from pipelinekit.wire.templates.pieces import Piece, at, listing, piece_of

STORED = "AWS::SSM::Parameter::Value"


def value_of(name: str, node: Node, gaps: Gaps) -> Piece:
    """Give the value of a parameter: what was given, its default, or a placeholder.

    Args:
        name: The parameter.
        node: What the template says of it.
        gaps: Values that were given, and placeholders for what is not known.

    Raises:
        DocumentError: The parameter does not allow the value.
    """
    place = node.document.place(node.path)
    kind = node.need("Type").text()
    value = _text(name, node, gaps)
    items = [each.strip() for each in value.split(",")] if value else []
    several = "List" in kind
    # What a type of Parameter Store allows are names there, and not the values.
    if not is_open(value) and not kind.startswith(STORED):
        for each in items if several else [value]:
            _check(name, node, each)
    if not is_open(value) and _is_secret(node):
        gaps.secrets.add(value)
    return listing((at(place, each) for each in items), place) if several else at(place, value)


def _text(name: str, node: Node, gaps: Gaps) -> str:
    default = node.get("Default")
    given = gaps.given(name)
    if given is not None:
        return given
    if default is None:
        return gaps.text(name, f"parameter {name} has no default")
    if node.need("Type").text().startswith(STORED):
        return gaps.text(name, f"its value is in Parameter Store under {default.written()}")
    return plain(piece_of(default))


def _check(name: str, node: Node, value: str) -> None:
    allowed = node.get("AllowedValues")
    words = [plain(piece_of(each)) for each in allowed.list()] if allowed else []
    if words and value not in words:
        choice = "its AllowedValues" if _is_secret(node) else ", ".join(words)
        raise _wrong(name, node, value, f"give one of {choice}")
    if "Number" in node.need("Type").text() and not _is_number(value):
        raise _wrong(name, node, value, "give a number")


def _wrong(name: str, node: Node, value: str, advice: str) -> DocumentError:
    shown = "a value that it does not allow" if _is_secret(node) else value
    return node.error(advice, found=f"{shown} for parameter {name}")


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _is_secret(node: Node) -> bool:
    hidden = node.get("NoEcho")
    return hidden is not None and plain(piece_of(hidden)).lower() == "true"
