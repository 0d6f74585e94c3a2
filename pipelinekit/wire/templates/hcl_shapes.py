"""Reads the types of Terraform's variables, and converts values to them as Terraform does."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from msgspec import field
from msgspec.structs import replace

from pipelinekit.model.noun import Noun
from pipelinekit.wire.templates.hcl import Tree, word
from pipelinekit.wire.templates.hcl_parts import arguments, object_items, trees
from pipelinekit.wire.templates.hcl_types import (
    Refused,
    Unknown,
    Value,
    number,
    set_of,
    text_of,
    truth,
)

SINGLE: Final[Mapping[str, Callable[[Value], Value]]] = {
    "any": lambda value: value,
    "bool": truth,
    "number": number,
    "string": text_of,
}


class Shape(Noun):
    """What the value of a variable is converted to.

    Attributes:
        kind: `any`, `bool`, `number`, `string`, `list`, `set`, `map`, `tuple` or `object`.
        inner: What a list, a set or a map is of; or what a tuple is of, one by one.
        members: What an object is of.
        optional: Whether an object may lack it.
        default: What an object has then.
    """

    kind: str = "any"
    inner: "tuple[Shape, ...]" = ()
    members: "Mapping[str, Shape]" = field(default_factory=dict)
    optional: bool = False
    default: Value = None


def shape_of(tree: Tree, value: Callable[[Tree], Value]) -> Shape:
    """Read a type such as `list(object({ name = string, port = optional(number, 80) }))`.

    Args:
        tree: The type.
        value: Evaluates a default in it.

    Raises:
        Refused: It is no type.
    """
    tree = _inside(tree)
    if tree.data != "function_call":
        return _named(word(tree))
    name, given = word(trees(tree)[0]), [_inside(each) for each in arguments(tree)]
    match name, given:
        case (("list" | "set" | "map"), [inner]):
            return Shape(name, (shape_of(inner, value),))
        case "tuple", [inner]:
            return Shape(name, tuple(shape_of(each, value) for each in trees(inner)))
        case "object", [inner]:
            pairs = object_items(inner)
            members = {word(_inside(key)): shape_of(each, value) for key, each in pairs}
            return Shape(name, members=members)
        case "optional", [inner, *default]:
            found = value(default[0]) if default else None
            return replace(shape_of(inner, value), optional=True, default=found)
        case _:
            raise _no_type(name)


def fitted(value: Value, shape: Shape) -> Value:
    """Convert a value to a type.

    Raises:
        Refused: It cannot be converted.
    """
    if value is None or isinstance(value, Unknown):
        return value
    if shape.kind in SINGLE:
        return SINGLE[shape.kind](value)
    if shape.kind in {"map", "object"}:
        return _table(value, shape)
    return _sequence(value, shape)


def _table(value: Value, shape: Shape) -> dict[str, Value]:
    if not isinstance(value, dict):
        raise Refused(f"a value that is no {shape.kind}", "write it in { }")
    if shape.kind == "object":
        return dict(_members(value, shape.members))
    return {key: fitted(each, shape.inner[0]) for key, each in value.items()}


def _sequence(value: Value, shape: Shape) -> list[Value]:
    if not isinstance(value, list):
        raise Refused(f"a value that is no {shape.kind}", "write it in [ ]")
    if shape.kind == "tuple":
        if len(value) != len(shape.inner):
            raise Refused(f"{len(value)} values for a tuple of {len(shape.inner)}", "give as many")
        return [fitted(each, inner) for each, inner in zip(value, shape.inner, strict=True)]
    found = [fitted(each, shape.inner[0]) for each in value]
    return set_of(found) if shape.kind == "set" else found


def _members(value: dict[str, Value], members: Mapping[str, Shape]) -> Iterator[tuple[str, Value]]:
    for name, shape in members.items():
        if name not in value and not shape.optional:
            raise Refused(f"an object without {name}", "add it, or make it optional in the type")
        given = value.get(name)
        yield name, fitted(shape.default if given is None else given, shape)


def _named(name: str) -> Shape:
    if name in SINGLE:
        return Shape(name)
    if name in {"list", "map"}:  # as Terraform 0.11 had it
        return Shape(name, (Shape(),))
    raise _no_type(name)


def _no_type(name: str) -> Refused:
    return Refused(f"the type {name}", "write one that Terraform knows, such as list(string)")


def _inside(tree: Tree) -> Tree:
    while tree.data in {"expr_term", "object_elem_key"}:
        (tree,) = trees(tree)
    return tree
