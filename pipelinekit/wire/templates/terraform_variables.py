"""Tells what the variables of a Terraform folder stand for, converted to their types."""

from collections.abc import Iterable, Mapping

from pipelinekit.tools.documents.document import Form
from pipelinekit.tools.documents.document import parse as parse_document
from pipelinekit.wire.templates.gaps import Gaps
from pipelinekit.wire.templates.hcl import Block, Source, Tree, attributes_of, expression, parse
from pipelinekit.wire.templates.hcl_parts import written
from pipelinekit.wire.templates.hcl_shapes import SINGLE, Shape, fitted, shape_of
from pipelinekit.wire.templates.hcl_types import Refused, Unknown, Value, of_json
from pipelinekit.wire.templates.hcl_values import Evaluator, Scope


class Variables:
    """The variables of a folder.

    Args:
        blocks: Their declarations.
        gaps: Values that were given as text, which prevail.
        told: Values that files tell, by the names of the variables.
    """

    def __init__(self, blocks: Iterable[Block], gaps: Gaps, told: Mapping[str, Value]) -> None:
        self._blocks = {each.labels[0]: each for each in blocks}
        self._gaps = gaps
        self._gaps.used.update(self._blocks)
        self._told = told
        self._found: dict[str, Value] = {}

    def value(self, name: str) -> Value:
        """Give the value of a variable.

        Raises:
            DocumentError: It does not go with the type of the variable.
        """
        if name not in self._found:
            self._found[name] = self._value(name)
        return self._found[name]

    def _value(self, name: str) -> Value:
        block = self._blocks.get(name)
        if block is None:
            unknown = Unknown(name, f"no file given declares variable {name}")
            return self._given(name, Shape(), unknown)
        try:
            return self._declared(name, block)
        except Refused as refused:
            found = f"{refused.found}, as variable {name}"
            raise block.source.error(block.body, found, refused.expected) from None

    def _declared(self, name: str, block: Block) -> Value:
        attributes, shape = block.attributes, Shape()
        if "type" in attributes:
            shape = shape_of(attributes["type"], lambda tree: _constant(tree, block.source))
        default: Value = Unknown(name, f"variable {name} has no default")
        if "default" in attributes:
            default = _constant(attributes["default"], block.source)
        given = self._given(name, shape, default)
        if given is None and "nullable" in attributes:
            given = default if _constant(attributes["nullable"], block.source) is False else None
        return fitted(given, shape)

    def _given(self, name: str, shape: Shape, otherwise: Value) -> Value:
        text = self._gaps.given(name)
        if text is None:
            return self._told.get(name, otherwise)
        # As on Terraform's command line, where only what holds more is in its language.
        if shape.kind not in SINGLE or (shape.kind == "any" and text.lstrip()[:1] in {"[", "{"}):
            source = Source(f"--parameter {name}", f"x = {text}")
            return _constant(expression(text, source, 0), source)
        return text


def given_values(source: Source) -> dict[str, Value]:
    """Read a `.tfvars` or `.tfvars.json` file: values by the names of their variables.

    Raises:
        DocumentError: It is not Terraform's language, or no JSON object.
    """
    if source.name.endswith(".json"):
        members = parse_document(source.text, source.name, Form.JSON).root.mapping()
        return {name: of_json(node.data) for name, node in members.items()}
    found = attributes_of(parse(source), source)
    return {name: _constant(tree, source) for name, tree in found.items()}


def _constant(tree: Tree, source: Source) -> Value:
    """Evaluate what may refer to nothing: Terraform has it so for variables."""
    why = "the value of a variable may refer to nothing"
    plain = Evaluator(
        Gaps(), lambda root, steps, _: Unknown(root + written(steps), why), lambda _: None
    )
    return plain.value(tree, Scope(source))
