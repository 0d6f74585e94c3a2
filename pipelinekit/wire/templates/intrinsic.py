"""Resolves the functions of CloudFormation as far as the template and its parameters tell."""

import json
import re
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

from msgspec import structs

from pipelinekit.tools.documents.document import JSON, Node
from pipelinekit.wire.templates.gaps import MARK, Gaps, is_open
from pipelinekit.wire.templates.intrinsic_values import compared, halves, items, plain, split
from pipelinekit.wire.templates.names import ATTRIBUTES, NAMES, PSEUDO, Reference
from pipelinekit.wire.templates.parameters import value_of
from pipelinekit.wire.templates.pieces import Piece, at, listing, mapping, piece_of
from pipelinekit.wire.templates.template import FOR_EACH, Resource, Template

LARGEST: Final = 1024 * 1024
_VARIABLE = re.compile(r"\$\{(!?)\s*([^}]*?)\s*\}")
_PAIR, _TRIPLE = 2, 3


class Resolver:
    """Resolves the values of one template.

    Args:
        template: Whose values they are.
        gaps: Values that were given, and placeholders for what is not known.
        exports: What other templates export, by name.
    """

    def __init__(
        self, template: Template, gaps: Gaps, exports: Mapping[str, str] | None = None
    ) -> None:
        self.template = template
        self.gaps = gaps
        self.assumed: set[str] = set()
        self._exports = exports or {}
        self._busy: list[str] = []
        self._conditions: dict[str, bool] = {}

    def resolve(self, node: Node) -> Piece | None:
        """Resolve a value and everything in it.

        Args:
            node: The value as it is written.

        Returns:
            What it comes to; None where there is to be no value.

        Raises:
            DocumentError: A function is not used as CloudFormation has it, or leads in a circle.
        """
        place = node.document.place(node.path)
        match node.data:
            case dict():
                function = _function(node.data)
                if function is not None:
                    return self._call(function, node)
                pairs = {key: self.resolve(child) for key, child in node.mapping().items()}
                return mapping({key: got for key, got in pairs.items() if got}, place)
            case list():
                items = [self.resolve(child) for child in node.list()]
                return listing((each for each in items if each), place)
            case str():
                return at(place, self.gaps.filled(node.data))
            case _:
                return piece_of(node)

    def name_of(self, resource: Resource) -> str:
        """Tell what a resource is called, or what stands for its name.

        Raises:
            DocumentError: Its name cannot be resolved.
        """
        return self._physical(resource, resource.node)

    def text(self, node: Node) -> str:
        """Resolve a value that must be text, or a number or a flag as text.

        Raises:
            DocumentError: It is none.
        """
        piece = self.resolve(node)
        if piece is None or isinstance(piece.data, dict | list) or piece.data is None:
            raise node.error("text is expected there")
        return plain(piece)

    def holds(self, name: str, node: Node) -> bool:
        """Tell whether a condition of the template holds.

        Args:
            name: The condition.
            node: Where it is asked for.

        Raises:
            DocumentError: There is no such condition, or a parameter that it needs has no value.
        """
        if name not in self._conditions:
            condition = self.template.conditions.get(name)
            if condition is None:
                found = f"the condition {name}, which the template does not have"
                raise node.error("name one of its section Conditions", found=found)
            with self._going_through(f"condition {name}", node):
                self._conditions[name] = self._judge(condition)
        return self._conditions[name]

    def holds_for(self, node: Node) -> bool:
        """Tell whether there is a resource or an output: its condition holds, or it has none."""
        condition = node.get("Condition")
        return condition is None or self.holds(condition.text(), condition)

    # ------------------------------------------------------------------ conditions

    def _judge(self, node: Node) -> bool:
        if not isinstance(node.data, dict) or len(node.data) != 1:
            raise node.error("one of Fn::Equals, Fn::And, Fn::Or, Fn::Not is expected there")
        ((name, inner),) = node.mapping().items()
        match name:
            case "Condition":
                return self.holds(inner.text(), inner)
            case "Fn::Equals":
                return self._equal(inner)
            case "Fn::Not":
                (only,) = items(inner, 1)
                return not self._judge(only)
            case "Fn::And":
                return all(self._judge(each) for each in inner.list())
            case "Fn::Or":
                return any(self._judge(each) for each in inner.list())
            case _:
                pass
        raise node.error("one of Fn::Equals, Fn::And, Fn::Or, Fn::Not is expected there", name)

    def _equal(self, node: Node) -> bool:
        one, other = (self.resolve(each) for each in items(node, _PAIR))
        for each in (one, other):
            if each is not None and is_open(each.data):
                (gap, *_) = self.gaps.explain(str(each.data))
                found = f"a comparison with {gap.key}, which has no value here"
                raise node.error(f"give --parameter {gap.key}=VALUE", found=found)
        return compared(one) == compared(other)

    # ------------------------------------------------------------------ functions

    def _call(self, name: str, node: Node) -> Piece | None:
        function = FUNCTIONS.get(name)
        if function is None:
            found = f"the function {name}, which is not resolved here"
            raise node.error("write out what it comes to", found=found)
        found_value = function(self, node.need(name))
        if found_value is not None and len(str(found_value.data)) > LARGEST:
            raise node.error("make it smaller", found=f"a value of more than {LARGEST} characters")
        if found_value is None or isinstance(found_value.data, dict | list):
            return found_value
        place = node.document.place(node.path)
        if isinstance(found_value.data, str):
            return at(place, self.gaps.filled(found_value.data))
        return structs.replace(found_value, place=replace(place, inside={}, written=None))

    def ref(self, node: Node) -> Piece | None:
        """Resolve `Ref`."""
        name = node.text()
        return None if name == "AWS::NoValue" else self._named(name, node)

    def _named(self, name: str, node: Node) -> Piece:
        place = node.document.place(node.path)
        parameter = self.template.parameters.get(name)
        if parameter is not None:
            return value_of(name, parameter, self.gaps)
        given = self.gaps.given(name)
        if given is not None:
            return at(place, given)
        if name in PSEUDO:
            return at(place, self._pseudo(name))
        resource = self.template.resources.get(name)
        if resource is not None:
            return at(place, self._referred(resource, node))
        if self.template.whole:
            found = f"a reference to {name}, which is neither a parameter nor a resource"
            raise node.error("correct the name, or give --parameter", found=found)
        return at(place, self.gaps.text(name, "this excerpt does not say what it is"))

    def _pseudo(self, name: str) -> str:
        given = self.gaps.given(name)
        if given is None:
            self.assumed.add(name)
        return PSEUDO[name] if given is None else given

    def _referred(self, resource: Resource, node: Node) -> str:
        if NAMES.get(resource.type, Reference()).by_ref:
            return self._physical(resource, node)
        why = f"AWS makes it with {resource.type} {resource.name}"
        return self.gaps.text(resource.name, why)

    def _physical(self, resource: Resource, node: Node) -> str:
        reference = NAMES.get(resource.type, Reference())
        named = resource.properties.get(reference.member) if resource.properties else None
        if named is not None and reference.member:
            with self._going_through(resource.name, node):
                return self.text(named)
        if reference.comes_along:
            return self.template.local_name(resource)
        why = f"AWS names {resource.type} {resource.name} when it is made"
        return self.gaps.text(resource.name, why)

    def get_att(self, node: Node) -> Piece:
        """Resolve `Fn::GetAtt`."""
        if isinstance(node.data, str):
            name, _, attribute = node.data.partition(".")
        else:
            first, second = items(node, _PAIR)
            name, attribute = first.text(), self.text(second)
        return at(node.document.place(node.path), self._attribute(name, attribute, node))

    def _attribute(self, name: str, attribute: str, node: Node) -> str:
        key = f"{name}.{attribute}"
        given = self.gaps.given(key)
        if given is not None:
            return given
        resource = self.template.resources.get(name)
        if resource is None:
            if self.template.whole:
                found = f"a reference to {name}, which is no resource of the template"
                raise node.error("correct the name, or give --parameter", found=found)
            return self.gaps.text(key, "this excerpt does not say what it is")
        form = ATTRIBUTES.get((resource.type, attribute))
        made = self._formed(form, resource) if form else None
        return made or self.gaps.text(key, f"AWS makes it with {resource.type} {name}")

    def _formed(self, form: str, resource: Resource) -> str | None:
        path = resource.properties.get("Path") if resource.properties else None
        words = {"name": self.name_of(resource), "path": self.text(path) if path else "/"}
        if any(is_open(each) for each in words.values()):
            return None
        words["partition"] = self.gaps.given("AWS::Partition") or PSEUDO["AWS::Partition"]
        if "{account}" in form:
            words["account"] = self._pseudo("AWS::AccountId")
        return form.format_map(words)

    def sub(self, node: Node) -> Piece:
        """Resolve `Fn::Sub`."""
        template, own = node, {}
        if isinstance(node.data, list):
            template, variables = items(node, _PAIR)
            own = {key: self.text(each) for key, each in variables.mapping().items()}

        def replaced(match: re.Match[str]) -> str:
            literal, name = match.groups()
            if literal:
                return f"${{{name}}}"
            if name in own:
                return own[name]
            if "." in name:
                return self._attribute(*halves(name), template)
            return plain(self._named(name, template))

        return at(node.document.place(node.path), _VARIABLE.sub(replaced, template.written()))

    def join(self, node: Node) -> Piece:
        """Resolve `Fn::Join`."""
        delimiter, parts = items(node, _PAIR)
        found = self._list(parts)
        return at(
            node.document.place(node.path), delimiter.text().join(plain(each) for each in found)
        )

    def split(self, node: Node) -> Piece:
        """Resolve `Fn::Split`; what is not known stays in one part."""
        delimiter, text = items(node, _PAIR)
        place = node.document.place(node.path)
        return listing(
            (at(place, part) for part in split(self.text(text), delimiter.text())), place
        )

    def select(self, node: Node) -> Piece:
        """Resolve `Fn::Select`."""
        which, parts = items(node, _PAIR)
        index, found = self.text(which), self._list(parts)
        if index.isdecimal() and int(index) < len(found):
            return found[int(index)]
        for each in found:
            if is_open(each.data):
                (gap, *_) = self.gaps.explain(str(each.data))
                part = self.gaps.text(f"{gap.key}.{index}", f"a part of it, and {gap.why}")
                return at(node.document.place(node.path), part)
        raise which.error(f"the list has {len(found)} items; count from 0")

    def choose(self, node: Node) -> Piece | None:
        """Resolve `Fn::If`."""
        condition, one, other = items(node, _TRIPLE)
        return self.resolve(one if self.holds(condition.text(), condition) else other)

    def find_in_map(self, node: Node) -> Piece | None:
        """Resolve `Fn::FindInMap`."""
        if len(node.list()) < _TRIPLE:
            raise node.error("a mapping, a key and a second key are expected there")
        names = [self.text(each) for each in node.list()[:_TRIPLE]]
        for gap in self.gaps.explain(" ".join(names)):
            found = f"a look into a mapping by {gap.key}, which has no value here"
            raise node.error(f"give --parameter {gap.key}=VALUE", found=found)
        found_node: Node | None = self.template.mappings.get(names[0])
        for name in names[1:]:
            found_node = found_node.get(name) if found_node else None
        if found_node is not None:
            return piece_of(found_node)
        if len(node.list()) > _TRIPLE:
            return self.resolve(node.list()[_TRIPLE].need("DefaultValue"))
        found = f"no {'.'.join(names)} in the mappings"
        raise node.error("add it, or give --parameter for what chooses it", found=found)

    def import_value(self, node: Node) -> Piece:
        """Resolve `Fn::ImportValue`."""
        name, why = self.text(node), "another stack exports it"
        if is_open(name):
            why += f", under a name that needs {next(self.gaps.explain(name)).key}"
            name = name.replace(MARK, "")
        given = self.gaps.given(name)
        text = given or self._exports.get(name) or self.gaps.text(name, why)
        return at(node.document.place(node.path), text)

    def base64(self, node: Node) -> Piece:
        """Resolve `Fn::Base64`."""
        encoded = b64encode(self.text(node).encode()).decode()
        return at(node.document.place(node.path), encoded)

    def to_json(self, node: Node) -> Piece:
        """Resolve `Fn::ToJsonString`."""
        found = self.resolve(node)
        text = json.dumps(None if found is None else found.data)
        return at(node.document.place(node.path), text)

    def length(self, node: Node) -> Piece:
        """Resolve `Fn::Length`; a list of which a part is not known has no length here."""
        found = self._list(node)
        for each in found:
            for gap in self.gaps.explain(str(each.data)):
                told = f"the length of {gap.key}, which has no value here"
                raise node.error(f"give --parameter {gap.key}=VALUE", found=told)
        return at(node.document.place(node.path), len(found))

    def at_aws(self, node: Node) -> Piece:
        """Stand in for what only AWS can tell, such as the zones of a region."""
        place, name = node.document.place(node.path), str(node.path[-1])
        told = self.gaps.text(name, "only AWS can tell it")
        return listing((at(place, each.strip()) for each in told.split(",")), place)

    def _list(self, node: Node) -> list[Piece]:
        found = self.resolve(node)
        if found is None or not isinstance(found.data, list):
            if found is not None and is_open(found.data):
                return [found]
            raise node.error("a list is expected there")
        return [Piece(each, found.place.inside[at]) for at, each in enumerate(found.data)]

    @contextmanager
    def _going_through(self, name: str, node: Node) -> Iterator[None]:
        if name in self._busy:
            circle = " -> ".join([*self._busy[self._busy.index(name) :], name])
            raise node.error("let one of them not refer to the other", f"a circle: {circle}")
        self._busy.append(name)
        try:
            yield
        finally:
            self._busy.pop()


FUNCTIONS: Final[Mapping[str, Callable[[Resolver, Node], Piece | None]]] = {
    "Ref": Resolver.ref,
    "Fn::GetAtt": Resolver.get_att,
    "Fn::Sub": Resolver.sub,
    "Fn::Join": Resolver.join,
    "Fn::Split": Resolver.split,
    "Fn::Select": Resolver.select,
    "Fn::If": Resolver.choose,
    "Fn::FindInMap": Resolver.find_in_map,
    "Fn::ImportValue": Resolver.import_value,
    "Fn::Length": Resolver.length,
    "Fn::Base64": Resolver.base64,
    "Fn::ToJsonString": Resolver.to_json,
    "Fn::GetAZs": Resolver.at_aws,
    "Fn::Cidr": Resolver.at_aws,
}


def _function(data: Mapping[str, JSON]) -> str | None:
    """Tell which function stands there, if any."""
    for name in data:
        single = len(data) == 1 and (name == "Ref" or name.startswith("Fn::"))
        if single or name.startswith(FOR_EACH):
            return name
    return None
