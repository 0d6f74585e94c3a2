"""Looks up what the files of one Terraform folder say: variables, locals, resources."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from pipelinekit.model.noun import Noun
from pipelinekit.tools.documents.document import JSON
from pipelinekit.wire.templates.gaps import Gaps
from pipelinekit.wire.templates.hcl import (
    Block,
    Source,
    Tree,
    blocks_of,
    parse,
)
from pipelinekit.wire.templates.hcl_parts import Step, items, object_items, walk, written
from pipelinekit.wire.templates.hcl_types import Refused, Unknown, Value, number
from pipelinekit.wire.templates.hcl_values import Evaluator, Scope
from pipelinekit.wire.templates.pieces import Piece, at, listing, mapping
from pipelinekit.wire.templates.terraform_variables import Variables

ABOUT: Final = frozenset({"count", "for_each", "depends_on", "provider", "lifecycle"})
"""What says how a resource is made, and not what it is."""
MOST: Final = 1000
"""So many instances of a resource are looked at."""
NOTHING_TOLD: Final[Mapping[str, Value]] = {}
SAME_AS_NAME: Final = {
    ("aws_codebuild_project", "id"): "name",
    ("aws_codepipeline", "id"): "name",
    ("aws_codecommit_repository", "id"): "repository_name",
    ("aws_ecr_repository", "id"): "name",
    ("aws_s3_bucket", "id"): "bucket",
}


class Instance(Noun):
    """A resource as it is made, once or for each of several values.

    Attributes:
        block: As it is written.
        address: Such as `aws_codepipeline.this["blue"]`.
        scope: What `each` and `count` mean in it.
    """

    block: Block
    address: str
    scope: Scope


class Module:
    """The files of one folder.

    Args:
        sources: Their texts.
        gaps: Values that were given, and placeholders for what is not known.
        files: Gives the text of a file that they name; None where there is none.
        told: Values of variables that other files tell, by their names.

    Raises:
        DocumentError: One of them is not Terraform's language.
    """

    def __init__(
        self,
        sources: Iterable[Source],
        gaps: Gaps,
        files: Callable[[str], str | None] = lambda _: None,
        told: Mapping[str, Value] = NOTHING_TOLD,
    ) -> None:
        self.gaps = gaps
        self.evaluator = Evaluator(gaps, self._look, files)
        self.blocks = [block for source in sources for block in blocks_of(parse(source), source)]
        self._variables = Variables(self._of("variable"), gaps, told)
        self._locals = dict(self._local_values())
        self._resources = {
            ".".join(each.labels): each
            for each in self._of("resource")
            if len(each.labels) == 2  # noqa: PLR2004 - its type and its name
        }
        self._values: dict[str, Value] = {}
        self._busy: list[str] = []

    def resources(self, kind: str) -> Iterator[Block]:
        """Give the resources of a type."""
        return (each for each in self._resources.values() if each.labels[0] == kind)

    @property
    def all_resources(self) -> list[Block]:
        """Give all resources."""
        return list(self._resources.values())

    def instances(self, block: Block) -> list[Instance]:
        """Give a resource as often as it is made.

        Raises:
            DocumentError: How often depends on what is not known.
        """
        address = ".".join(block.labels)
        scope = Scope(block.source)
        attributes = block.attributes
        if "for_each" in attributes:
            pairs = items(self._known(attributes["for_each"], scope, "for_each"))
            return [
                Instance(
                    block,
                    f'{address}["{key}"]',
                    scope.with_names(each={"key": key, "value": value}),
                )
                for key, value in pairs
            ]
        if "count" in attributes:
            return [
                Instance(block, f"{address}[{each}]", scope.with_names(count={"index": each}))
                for each in range(min(self._count(attributes["count"], scope), MOST))
            ]
        return [Instance(block, address, scope)]

    def name_of(self, block: Block) -> str | None:
        """Tell what a resource that is made once is called; None where that is not known.

        Raises:
            DocumentError: It cannot be evaluated.
        """
        tree = block.attributes.get("name")
        found = None if tree is None else self.evaluator.value(tree, Scope(block.source))
        return found if isinstance(found, str) else None

    def body(self, block: Block, scope: Scope) -> Piece:
        """Evaluate what stands in a block: attributes as values, blocks as lists.

        Raises:
            DocumentError: An expression in it cannot be evaluated.
        """
        members = {
            name: self._piece(tree, scope)
            for name, tree in block.attributes.items()
            if block.kind != "resource" or name not in ABOUT
        }
        kinds: dict[str, list[Piece]] = {}
        for inner in block.blocks:
            if inner.kind == "dynamic":
                kinds.setdefault(inner.labels[0], []).extend(self._dynamic(inner, scope))
            elif block.kind != "resource" or inner.kind not in ABOUT:
                kinds.setdefault(inner.kind, []).append(self.body(inner, scope))
        place = block.place()
        lists = {kind: listing(found, place) for kind, found in kinds.items()}
        present = {name: piece for name, piece in members.items() if piece.data is not None}
        return mapping({**present, **lists}, place)

    # ------------------------------------------------------------------ parts of a body

    def _piece(self, tree: Tree, scope: Scope) -> Piece:
        (inner,) = tree.children if len(tree.children) == 1 else (tree,)
        place = scope.source.place(tree)
        if getattr(inner, "data", "") == "object":
            pairs = {
                self.evaluator.key(key, scope): self._piece(value, scope)
                for key, value in object_items(inner)
            }
            return mapping(
                {key: each for key, each in pairs.items() if each.data is not None}, place
            )
        value = self.evaluator.settled(self.evaluator.value(tree, scope))
        return at(place, _json(value))

    def _dynamic(self, block: Block, scope: Scope) -> Iterator[Piece]:
        attributes = block.attributes
        over = attributes.get("for_each")
        content = next((each for each in block.blocks if each.kind == "content"), None)
        if over is None or content is None:
            found = f"a dynamic {block.labels[0]} without for_each or content"
            raise block.source.error(block.body, found, "add it")
        name = block.labels[0]
        if "iterator" in attributes:
            name = scope.source.words(attributes["iterator"])
        for key, value in items(self._known(over, scope, f"dynamic {block.labels[0]}")):
            yield self.body(content, scope.with_names(**{name: {"key": key, "value": value}}))

    def _known(self, tree: Tree, scope: Scope, what: str) -> Value:
        value = self.evaluator.value(tree, scope)
        if isinstance(value, Unknown):
            found = f"{what} over {value.key}, which has no value here ({value.why})"
            raise scope.source.error(tree, found, f"give --parameter '{value.key}=VALUE'")
        if what != "count" and not isinstance(value, list | dict):
            raise scope.source.error(tree, f"{what} over no list and no map", "give it one")
        return value

    def _count(self, tree: Tree, scope: Scope) -> int:
        try:
            found = number(self._known(tree, scope, "count"))
        except Refused as refused:
            raise scope.source.error(tree, refused.found, refused.expected) from None
        if not isinstance(found, int) or found < 0:
            raise scope.source.error(tree, f"a count of {found}", "give a whole number")
        return found

    # ------------------------------------------------------------------ references

    def _look(self, root: str, steps: tuple[Step, ...], scope: Scope) -> Value:
        if root in scope.names:
            return walk(scope.names[root], steps)
        first = str(steps[0]) if steps else ""
        match root:
            case "var":
                return self._and_on(self._variables.value(first), steps[1:])
            case "local":
                return self._and_on(self._local(first), steps[1:])
            case "path":
                return "."
            case "terraform" if first == "workspace":
                return self._given("terraform.workspace") or "default"
        return self._resource(root, steps)

    def _and_on(self, value: Value, steps: tuple[Step, ...]) -> Value:
        if isinstance(value, Unknown) and steps:
            key = value.key + written(steps)
            given = self._given(key)
            return Unknown(key, value.why) if given is None else given
        return walk(value, steps)

    def _local(self, name: str) -> Value:
        found = self._locals.get(name)
        if found is None:
            given = self._given(f"local.{name}")
            why = "no file given says what it is"
            return Unknown(f"local.{name}", why) if given is None else given
        tree, source = found
        return self._once(f"local.{name}", tree, Scope(source))

    def _resource(self, root: str, steps: tuple[Step, ...]) -> Value:
        key = root + written(steps)
        given = self._given(key)
        if given is not None:
            return given
        name, *rest = steps or ("",)
        block = self._resources.get(f"{root}.{name}")
        if block is None:
            return Unknown(key, "only AWS, or a file that was not given, can tell it")
        instances = self.instances(block)
        if "for_each" in block.attributes or "count" in block.attributes:
            if not rest:
                return Unknown(key, "it stands for several resources")
            asked, *rest = rest
            instances = [each for each in instances if _is_of(each, asked)]
            if not instances:
                return Unknown(key, "there is no such resource")
        return self._attribute(instances[0], tuple(rest), key)

    def _attribute(self, instance: Instance, steps: tuple[Step, ...], key: str) -> Value:
        kind = instance.block.labels[0]
        name = str(steps[0]) if steps else ""
        tree = instance.block.attributes.get(SAME_AS_NAME.get((kind, name), name))
        if tree is None:
            return Unknown(key, f"AWS tells it when {instance.address} is made")
        value = self._once(f"{instance.address}.{name}", tree, instance.scope)
        return walk(value, steps[1:])

    def _once(self, name: str, tree: Tree, scope: Scope) -> Value:
        if name in self._values:
            return self._values[name]
        if name in self._busy:
            circle = " -> ".join([*self._busy[self._busy.index(name) :], name])
            raise scope.source.error(tree, f"a circle: {circle}", "let one not refer to the other")
        self._busy.append(name)
        try:
            self._values[name] = self.evaluator.value(tree, scope)
        finally:
            self._busy.pop()
        return self._values[name]

    def _given(self, key: str) -> str | None:
        return self.gaps.given(key)

    def _of(self, kind: str) -> list[Block]:
        return [
            each for each in self.blocks if each.kind == kind and (each.labels or kind == "locals")
        ]

    def _local_values(self) -> Iterator[tuple[str, tuple[Tree, Source]]]:
        for block in self._of("locals"):
            for name, tree in block.attributes.items():
                yield name, (tree, block.source)


def _is_of(instance: Instance, asked: Step) -> bool:
    wanted = f"[{asked}]" if isinstance(asked, int) else f'["{asked}"]'
    return instance.address.endswith(wanted)


def _json(value: Value) -> JSON:
    if isinstance(value, Unknown):
        raise Refused(f"{value.key}, which has no value here", "give it with --parameter")
    if isinstance(value, dict):
        return {key: _json(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_json(each) for each in value]
    return value
