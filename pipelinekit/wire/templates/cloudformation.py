"""Reads the pipelines of a CloudFormation template, with their projects and webhooks."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from pipelinekit.tools.documents.document import JSON, Document, Node
from pipelinekit.wire.templates import pieces
from pipelinekit.wire.templates.assembly import (
    Assembly,
    Declared,
    projects_document,
    standing_in,
)
from pipelinekit.wire.templates.gaps import Gaps
from pipelinekit.wire.templates.intrinsic import Resolver
from pipelinekit.wire.templates.intrinsic_values import plain
from pipelinekit.wire.templates.names import PSEUDO
from pipelinekit.wire.templates.pieces import Piece, at, listing, mapping
from pipelinekit.wire.templates.template import (
    PIPELINE,
    PROJECT,
    WEBHOOK,
    Resource,
    Template,
    read_template,
)

BESIDE: Final = ("RestartExecutionOnUpdate", "DisableInboundStageTransitions", "Tags")
FREE: Final = ("Configuration",)
"""Members whose keys are the provider's own."""
BROUGHT: Final = frozenset({PIPELINE, PROJECT, WEBHOOK})


def read_cloudformation(
    document: Document, gaps: Gaps, exports: Mapping[str, str] | None = None
) -> Assembly:
    """Read the pipelines of a template, and what belongs to them.

    Args:
        document: The template.
        gaps: Values that were given, and placeholders for what is not known.
        exports: What other templates export, by name.

    Raises:
        DocumentError: It is no template, or a function in it cannot be resolved.
    """
    template = read_template(document)
    gaps.used.update(template.parameters)
    resolver = Resolver(template, gaps, exports)
    made = [each for each in template.resources.values() if _wanted(each, resolver)]
    pipelines = tuple(_pipeline(each, resolver) for each in made if each.type == PIPELINE)
    projects = [_project(each, resolver) for each in made if each.type == PROJECT]
    webhooks = [_webhook(each, resolver) for each in made if each.type == WEBHOOK]
    return Assembly(
        pipelines=pipelines,
        projects=projects_document(projects, document.name),
        webhooks=tuple(each.data for each in webhooks),
        notes=tuple(_assumptions(resolver)),
        left=_left(template),
    )


def exports_of(document: Document, gaps: Gaps) -> dict[str, str]:
    """Give what a template exports to others, by name."""
    template = read_template(document)
    resolver = Resolver(template, gaps)
    found = {}
    for output in template.outputs.values():
        export = output.get("Export")
        if export is not None:
            found[resolver.text(export.need("Name"))] = resolver.text(output.need("Value"))
    return found


def _wanted(resource: Resource, resolver: Resolver) -> bool:
    return resource.type in BROUGHT and resolver.exists(resource)


def _assumptions(resolver: Resolver) -> Iterator[str]:
    for name in sorted(resolver.assumed):
        yield f"{name} was taken as {PSEUDO[name]!r}; give --parameter {name}=VALUE for another"


def _left(template: Template) -> dict[str, tuple[str, ...]]:
    left: dict[str, tuple[str, ...]] = {}
    for each in template.resources.values():
        if each.type not in BROUGHT:
            left[each.type] = (*left.get(each.type, ()), each.name)
    return left


def _properties(resource: Resource, resolver: Resolver) -> Node:
    given = resource.node.need("Properties")
    found = resolver.resolve(given)
    if found is None or not isinstance(found.data, dict):
        raise given.error("the properties of the resource are expected there")
    return pieces.node(found, given.document.name)


# ------------------------------------------------------------------ pipelines


def _pipeline(resource: Resource, resolver: Resolver) -> Declared:
    properties = _properties(resource, resolver)
    place = properties.document.place(())
    members = {
        _lower(key): _translated(key, child, resolver.gaps)
        for key, child in properties.mapping().items()
        if key not in BESIDE
    }
    if "artifactStores" in members:
        members["artifactStores"] = _stores(properties.need("ArtifactStores"), resolver.gaps)
    notes = list(_beside(properties))
    if "name" not in members:
        members["name"] = at(place, resource.name)
        notes.append(f"CloudFormation would make a name up; it is called {resource.name} here")
    source = pieces.document(mapping(members, place), properties.document.name)
    return Declared(resource.name, str(members["name"].data), source, tuple(notes))


def _beside(properties: Node) -> Iterator[str]:
    given = properties.mapping()
    if "DisableInboundStageTransitions" in given:
        for each in given["DisableInboundStageTransitions"].list():
            stage, reason = each.need("StageName").written(), each.need("Reason").written()
            yield (
                f"the template disables the transition into {stage} ({reason}); do the same with "
                f"`pipelinekit transition`"
            )
    if "Tags" in given:
        tags = ", ".join(each.need("Key").written() for each in given["Tags"].list())
        yield f"tags have no meaning here and are left out: {tags}"
    if "RestartExecutionOnUpdate" in given:
        yield "RestartExecutionOnUpdate is left out: nothing starts here by itself on an update"


def _translated(member: str, node: Node, gaps: Gaps) -> Piece:
    place = node.document.place(node.path)
    match node.data:
        case dict():
            pairs = node.mapping().items()
            if member in FREE:
                return mapping({key: _value(each) for key, each in pairs}, place)
            return mapping(
                {_lower(key): _translated(key, each, gaps) for key, each in pairs}, place
            )
        case list():
            return listing((_translated(member, each, gaps) for each in node.list()), place)
        case None:
            raise node.error("CloudFormation allows no empty value; write one, or leave it out")
        case _:
            return standing_in(_lower(member), at(place, _text(node)), gaps)


def _value(node: Node) -> Piece:
    place = node.document.place(node.path)
    if node.data is None or isinstance(node.data, dict | list):
        raise node.error("text is expected there: each value of a configuration is text")
    return at(place, _text(node))


def _text(node: Node) -> str:
    return plain(Piece(node.data, node.document.place(node.path)))


def _stores(node: Node, gaps: Gaps) -> Piece:
    place = node.document.place(node.path)
    return mapping(
        {
            _text(each.need("Region")): _translated("", each.need("ArtifactStore"), gaps)
            for each in node.list()
        },
        place,
    )


def _lower(name: str) -> str:
    return name[:1].lower() + name[1:]


# ------------------------------------------------------------------ what belongs to them


def _project(resource: Resource, resolver: Resolver) -> Piece:
    properties = _properties(resource, resolver)
    place = properties.document.place(())
    found = _recased(properties, lambda key: PROJECT_KEYS.get(key, _lower(key)))
    members = {"name": at(place, resource.name), **_members(found)}
    return mapping(members, place)


def _members(piece: Piece) -> dict[str, Piece]:
    data = piece.data
    assert isinstance(data, dict)  # noqa: S101 - it is made of a mapping
    return {key: Piece(value, piece.place.inside[key]) for key, value in data.items()}


PROJECT_KEYS: Final = {"BuildSpec": "buildspec"}
_NUMBERS: Final = ("TimeoutInMinutes", "QueuedTimeoutInMinutes", "GitCloneDepth")


def _recased(node: Node, key_of: Callable[[str], str]) -> Piece:
    place = node.document.place(node.path)
    match node.data:
        case dict():
            return mapping(
                {key_of(key): _recased(each, key_of) for key, each in node.mapping().items()},
                place,
            )
        case list():
            return listing((_recased(each, key_of) for each in node.list()), place)
        case _:
            return at(place, _plain_member(node))


def _plain_member(node: Node) -> JSON:
    name = node.path[-1] if node.path else ""
    text = None if node.data is None else _text(node)
    if name in _NUMBERS and text is not None and text.isdecimal():
        return int(text)
    return text if isinstance(node.data, int | float) and name == "Value" else node.data


def _webhook(resource: Resource, resolver: Resolver) -> Piece:
    properties = _properties(resource, resolver)
    place = properties.document.place(())
    given = properties.mapping()
    members = {
        _lower(key): _recased(each, _webhook_key)
        for key, each in given.items()
        if key not in {"RegisterWithThirdParty", "TargetPipelineVersion"}
    }
    members.setdefault("name", at(place, resource.name))
    return mapping(members, place)


def _webhook_key(key: str) -> str:
    # PutWebhook writes these two as CloudFormation does.
    return key if key in {"AllowedIPRange", "SecretToken"} else _lower(key)
