"""Reads the pipelines of a CloudFormation template, with their projects and webhooks."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Final

from pipelinekit.tools.documents.document import JSON, Document, DocumentError, Node
from pipelinekit.wire.templates import pieces
from pipelinekit.wire.templates.assembly import (
    Assembly,
    Declared,
    projects_document,
    standing_in,
)
from pipelinekit.wire.templates.gaps import Gaps, leaves
from pipelinekit.wire.templates.intrinsic import Resolver
from pipelinekit.wire.templates.intrinsic_values import plain
from pipelinekit.wire.templates.loops import expanded
from pipelinekit.wire.templates.names import PSEUDO
from pipelinekit.wire.templates.pieces import Piece, at, listing, mapping, members_of
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
PROCESSED: Final = (
    "what `aws cloudformation get-template --template-stage Processed --query TemplateBody` prints"
)


def read_cloudformation(
    document: Document,
    gaps: Gaps,
    exports: Mapping[str, str] | None = None,
    stack: str = "",
) -> Assembly:
    """Read the pipelines of a template, and what belongs to them.

    What cannot be read bears its fault, or is noted, as another pipeline may not need it.

    Args:
        document: The template.
        gaps: Values that were given, and placeholders for what is not known.
        exports: What other templates export, by name.
        stack: The stack that is made of it, where it is one of several.

    Raises:
        DocumentError: It is no template.
    """
    template = read_template(expanded(document, gaps), stack)
    gaps.used.update(template.parameters)
    resolver = Resolver(template, gaps, exports)
    notes: list[str] = []
    pipelines, unmade = _pipelines(resolver)
    projects = list(_along(PROJECT, _project, resolver, notes))
    webhooks = tuple(_along(WEBHOOK, _webhook, resolver, notes))
    return Assembly(
        pipelines=(*pipelines, *_unexpanded(template)),
        projects=projects_document(projects, document.name),
        webhooks=webhooks,
        notes=(*_assumptions(resolver), *notes, *_missed(template)),
        left=_left(template),
        unmade=unmade,
    )


def exports_of(document: Document, gaps: Gaps, stack: str = "") -> dict[str, str]:
    """Give what a template exports to others, by name, as far as it can be told.

    Args:
        document: The template.
        gaps: Values that were given, and placeholders for what is not known.
        stack: The stack that is made of it, where it is one of several.

    Raises:
        DocumentError: It is no template.
    """
    template = read_template(expanded(document, gaps), stack)
    resolver = Resolver(template, gaps)
    found = {}
    for output in template.outputs.values():
        export = output.get("Export")
        # What cannot be told becomes a placeholder where it is asked for.
        with suppress(DocumentError):
            if export is not None and resolver.holds_for(output):
                found[resolver.text(export.need("Name"))] = resolver.text(output.need("Value"))
    return found


def _pipelines(resolver: Resolver) -> tuple[list[Declared], tuple[str, ...]]:
    made: list[Declared] = []
    unmade: list[str] = []
    for each in resolver.template.of_type(PIPELINE):
        try:
            if resolver.holds_for(each.node):
                made.append(_pipeline(each, resolver))
            else:
                condition = each.node.need("Condition").text()
                unmade.append(f"{each.name} is not made: its condition {condition} does not hold")
        except DocumentError as fault:
            made.append(_unreadable(each, resolver, fault))
    return made, tuple(unmade)


def _unreadable(resource: Resource, resolver: Resolver, fault: DocumentError) -> Declared:
    name = resource.name
    with suppress(DocumentError):
        name = resolver.name_of(resource)
    source, stack = resource.node.document, resolver.template.stack
    return Declared(resource.name, name, source, stack=stack, fault=fault)


def _along(
    kind: str, read: Callable[[Resource, Resolver], Piece], resolver: Resolver, notes: list[str]
) -> Iterator[Piece]:
    for each in resolver.template.of_type(kind):
        try:
            if resolver.holds_for(each.node):
                yield read(each, resolver)
        except DocumentError as error:
            notes.append(f"{kind} {each.name} is not brought along: {error}")


def _assumptions(resolver: Resolver) -> Iterator[str]:
    for name in sorted(resolver.assumed):
        yield f"{name} was taken as {PSEUDO[name]!r}; give --parameter {name}=VALUE for another"


# ------------------------------------------------------------------ what is left behind


def _left(template: Template) -> dict[str, tuple[str, ...]]:
    left: dict[str, tuple[str, ...]] = {}
    for each in template.resources.values():
        if each.type not in BROUGHT:
            left[each.type] = (*left.get(each.type, ()), each.name)
    for name in template.unexpanded:
        function, _, own = name.removeprefix("Fn::").partition("::")
        left[f"Fn::{function}"] = (*left.get(f"Fn::{function}", ()), own or name)
    return left


def _unexpanded(template: Template) -> Iterator[Declared]:
    for name, node in template.unexpanded.items():
        if PIPELINE in _types(node):
            fault = node.error(_advice(node), found=f"{name}, which makes pipelines")
            yield Declared(name, name, node.document, stack=template.stack, fault=fault)


def _missed(template: Template) -> Iterator[str]:
    for name, node in template.unexpanded.items():
        made = ", ".join(_types(node)) or "resources"
        where = f"{name} (line {node.line})"
        yield f"{where} makes {made}, which are not brought along; {_advice(node)}"


def _advice(node: Node) -> str:
    match node.data:
        case [_, {"Ref": str() as name}, *_]:
            given = f"--parameter {name}=VALUE,VALUE or "
        case _:
            given = ""
    return f"what it goes over is not known here: give {given}{PROCESSED}"


def _types(node: Node) -> list[str]:
    found = (
        text
        for path, text in leaves(node.data)
        if path[-1:] == ("Type",) and text.startswith("AWS::")
    )
    return list(dict.fromkeys(found))


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
        name = resolver.name_of(resource)
        members["name"] = at(place, name)
        notes.append(f"CloudFormation would make a name up; it is called {name} here")
    source = pieces.document(mapping(members, place), properties.document.name)
    name, stack = str(members["name"].data), resolver.template.stack
    return Declared(resource.name, name, source, tuple(notes), stack)


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
    members = {
        "name": at(place, resolver.template.local_name(resource)),
        **members_of(found, properties),
    }
    return mapping(members, place)


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
    members.setdefault("name", at(place, resolver.template.local_name(resource)))
    return mapping(members, place)


def _webhook_key(key: str) -> str:
    # PutWebhook writes these two as CloudFormation does.
    return key if key in {"AllowedIPRange", "SecretToken"} else _lower(key)
