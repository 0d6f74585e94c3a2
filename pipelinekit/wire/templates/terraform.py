"""Reads the pipelines of Terraform, out of resources with their values."""

from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from typing import Final

from msgspec.structs import replace

from pipelinekit.model.noun import Noun
from pipelinekit.tools.documents.document import JSON, DocumentError, Node
from pipelinekit.wire.templates import pieces
from pipelinekit.wire.templates.assembly import (
    Assembly,
    Declared,
    projects_document,
    standing_in,
)
from pipelinekit.wire.templates.gaps import Gaps
from pipelinekit.wire.templates.hcl import Block
from pipelinekit.wire.templates.pieces import Piece, at, listing, mapping
from pipelinekit.wire.templates.terraform_module import Module

PIPELINE: Final = "aws_codepipeline"
PROJECT: Final = "aws_codebuild_project"
WEBHOOK: Final = "aws_codepipeline_webhook"
BROUGHT: Final = (PIPELINE, PROJECT, WEBHOOK)

COMPUTED: Final = frozenset({"arn", "id", "tags_all", "trigger_all", "url"})
BESIDE: Final = frozenset({"tags", "region", "timeouts"})
SINGLE: Final = frozenset(
    {
        *("encryption_key", "rule_type_id", "retry_configuration"),
        *("before_entry", "on_success", "on_failure"),
        *("git_configuration", "branches", "file_paths"),
        *("source", "environment", "artifacts", "cache", "authentication_configuration"),
    }
)
"""Blocks of which there is at most one, where CodePipeline has an object."""
LISTS: Final = {
    "stage": "stages",
    "action": "actions",
    "variable": "variables",
    "trigger": "triggers",
    "condition": "conditions",
    "rule": "rules",
    "environment_variable": "environmentVariables",
    "build_timeout": "timeoutInMinutes",
    "filter": "filters",
}
"""What is called otherwise."""
STORE: Final = "artifact_store"
NUMBERS: Final = frozenset({"build_timeout", "git_clone_depth"})
FROM_ONE: Final = NUMBERS | {
    *("concurrent_build_limit", "queued_timeout", "run_order", "timeout_in_minutes")
}
"""Numbers that the state writes as 0 where they were left out."""
TOKEN: Final = "OAuthToken"  # noqa: S105 - a name
TOKEN_HASH: Final = "hash-"  # noqa: S105 - what the provider keeps in the state for a token
MASK: Final = "****"
NAMED: Final = frozenset({"input_artifacts", "output_artifacts"})
EMPTY: Final = frozenset({"description", "value"})
"""What may be an empty text."""
TYPE: Final = ("category", "owner", "provider", "version")


class Found(Noun):
    """A resource with its values.

    Attributes:
        kind: Its type.
        address: What Terraform calls it.
        node: Its values; blocks are lists.
    """

    kind: str
    address: str
    node: Node


def read_module(module: Module, name: str) -> Assembly:
    """Read the pipelines of a folder of Terraform files, and what belongs to them.

    What cannot be read bears its fault, or is noted, as another pipeline may not need it.

    Args:
        module: The files.
        name: The file or the folder, for errors.
    """
    notes: list[str] = []
    found: list[Found] = []
    unmade: list[str] = []
    unreadable: list[Declared] = []
    for block in module.all_resources:
        if block.labels[0] not in BROUGHT:
            continue
        try:
            made = list(_instances(module, block))
        except DocumentError as error:
            if block.labels[0] == PIPELINE:
                unreadable.append(_unreadable(module, block, error))
            else:
                notes.append(f"{'.'.join(block.labels)} is not brought along: {error}")
            continue
        found += made
        if block.labels[0] == PIPELINE and not made:
            address = ".".join(block.labels)
            unmade.append(f"{address} is not made: its count is 0, or its for_each is empty")
    assembly = assembled(found, module.gaps, name, notes=notes, left=_left(module))
    pipelines = (*assembly.pipelines, *unreadable)
    return replace(assembly, pipelines=pipelines, unmade=tuple(unmade))


def _unreadable(module: Module, block: Block, fault: DocumentError) -> Declared:
    address = name = ".".join(block.labels)
    with suppress(DocumentError):
        name = module.name_of(block) or address
    source = pieces.document(at(block.place(), {}), block.source.name)
    return Declared(address, name, source, fault=fault)


def _left(module: Module) -> dict[str, tuple[str, ...]]:
    left: dict[str, tuple[str, ...]] = {}
    for block in module.all_resources:
        if block.labels[0] not in BROUGHT:
            left[block.labels[0]] = (*left.get(block.labels[0], ()), block.labels[-1])
    modules = tuple(each.labels[0] for each in module.blocks if each.kind == "module")
    if modules:
        left["module"] = modules
    return left


def _instances(module: Module, block: Block) -> Iterator[Found]:
    for each in module.instances(block):
        node = pieces.node(module.body(block, each.scope), block.source.name)
        yield Found(block.labels[0], each.address, node)


def assembled(
    found: Iterable[Found],
    gaps: Gaps,
    name: str,
    *,
    notes: Iterable[str] = (),
    left: dict[str, tuple[str, ...]] | None = None,
) -> Assembly:
    """Put the resources together that belong to pipelines.

    Args:
        found: Resources with their values.
        gaps: Placeholders for what is not known.
        name: The file, for errors.
        notes: What was assumed.
        left: Names of what is not brought along, by type.

    Raises:
        DocumentError: A value of a project or a webhook is of another kind than Terraform's
            provider has it.
    """
    resources = list(found)
    projects = [_project(each.node, gaps) for each in resources if each.kind == PROJECT]
    hooks = [_webhook(each.node, gaps) for each in resources if each.kind == WEBHOOK]
    return Assembly(
        pipelines=tuple(_declared(each, gaps) for each in resources if each.kind == PIPELINE),
        projects=projects_document(projects, name),
        webhooks=tuple(hooks),
        notes=tuple(notes),
        left=left or {},
    )


def _declared(found: Found, gaps: Gaps) -> Declared:
    try:
        return _pipeline(found, gaps)
    except DocumentError as fault:
        name = found.node.mapping().get("name")
        told = found.address if name is None else str(name.data)
        return Declared(found.address, told, found.node.document, fault=fault)


def _pipeline(found: Found, gaps: Gaps) -> Declared:
    node = found.node
    translated = _members(node, gaps, skip={*COMPUTED, *BESIDE, STORE})
    if STORE in node.mapping():
        translated |= _stores(node.need(STORE), gaps)
    place = node.document.place(())
    source = pieces.document(mapping(translated, place), node.document.name)
    tags = node.get("tags")
    notes = (
        ["tags have no meaning here and are left out"] if tags is not None and tags.data else []
    )
    name = translated["name"].data if "name" in translated else found.address
    return Declared(found.address, str(name), source, tuple(notes))


def _stores(node: Node, gaps: Gaps) -> dict[str, Piece]:
    place = node.document.place(node.path)
    found = node.list()
    stores = [mapping(_members(each, gaps, skip={"region"}), place) for each in found]
    regions = [each.get("region") for each in found]
    if len(found) == 1 and (regions[0] is None or not regions[0].data):
        return {"artifactStore": stores[0]}
    names = [each.need("region").text() for each in found]
    return {"artifactStores": mapping(dict(zip(names, stores, strict=True)), place)}


def _members(node: Node, gaps: Gaps, skip: Collection[str] = ()) -> dict[str, Piece]:
    found: dict[str, Piece] = {}
    for key, child in node.mapping().items():
        if key in skip or _is_absent(key, child):
            continue
        found[_camel(key)] = _member(key, child, gaps)
    is_action = node.path[-2:-1] == ("action",)
    if is_action and "rule_type_id" not in node.mapping():
        return _with_type(found, node)
    return found


def _is_absent(key: str, node: Node) -> bool:
    # The state writes what was left out as null, as nothing or as an empty list.
    if key in FROM_ONE:
        return node.data is None or str(node.data) in {"", "0"}
    return node.data is None or node.data == [] or (node.data == "" and key not in EMPTY)


def _with_type(members: dict[str, Piece], node: Node) -> dict[str, Piece]:
    place = node.document.place(node.path)
    words: dict[str, Piece] = {each: members.pop(each) for each in TYPE if each in members}
    return {**members, "actionTypeId": mapping(words, place)}


def _member(key: str, node: Node, gaps: Gaps) -> Piece:
    place = node.document.place(node.path)
    if key == "configuration":
        if isinstance(node.data, list):
            raise node.error("write `configuration = {`", found="a block configuration")
        pairs = node.mapping().items()
        return mapping(
            {name: _configured(name, each) for name, each in pairs if each.data is not None}, place
        )
    if key in NAMED:
        return listing((_artifact(each) for each in node.list()), place)
    if isinstance(node.data, list) and key in SINGLE | _tags(node):
        return _item(node.list()[0], gaps)
    if isinstance(node.data, list):
        return listing((_item(each, gaps) for each in node.list()), place)
    if isinstance(node.data, int) and key in NUMBERS:
        return at(place, node.data)
    return _item(node, gaps, _camel(key))


def _configured(name: str, node: Node) -> Piece:
    found = _text(node)
    if name == TOKEN and str(found.data).startswith(TOKEN_HASH):
        return at(found.place, MASK)
    return found


def _tags(node: Node) -> frozenset[str]:
    return frozenset({"tags"} if "push" in node.path else ())


def _item(node: Node, gaps: Gaps, member: str = "") -> Piece:
    place = node.document.place(node.path)
    if node.data is None:  # a block that is there and empty is null in the state
        return mapping({}, place)
    if isinstance(node.data, dict):
        return mapping(_members(node, gaps), place)
    return standing_in(member, _text(node), gaps)


def _artifact(node: Node) -> Piece:
    return mapping({"name": _text(node)}, node.document.place(node.path))


def _text(node: Node) -> Piece:
    place = node.document.place(node.path)
    if node.data is None or isinstance(node.data, dict | list):
        raise node.error("text is expected there; use jsonencode for more")
    data: JSON = str(node.data).lower() if isinstance(node.data, bool) else str(node.data)
    return at(place, data)


def _camel(name: str) -> str:
    if name in LISTS:
        return LISTS[name]
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _project(node: Node, gaps: Gaps) -> Piece:
    place = node.document.place(())
    members = _members(node, gaps, skip={*COMPUTED, *BESIDE})
    tags = node.get("tags")
    if tags is not None and tags.data:
        members["tags"] = _tags_of(tags)
    return mapping(members, place)


def _tags_of(node: Node) -> Piece:
    if not isinstance(node.data, dict):  # a placeholder stands for all of them
        return _text(node)
    place = node.document.place(node.path)
    pairs = ((key, each) for key, each in node.mapping().items() if each.data is not None)
    return listing(
        (mapping({"key": at(place, key), "value": _text(each)}, place) for key, each in pairs),
        place,
    )


def _webhook(node: Node, gaps: Gaps) -> Piece:
    place = node.document.place(())
    members = _members(node, gaps, skip={*COMPUTED, *BESIDE})
    secret = node.get("authentication_configuration")
    if secret is not None and secret.list():
        given = secret.list()[0].mapping()
        names = {"allowed_ip_range": "AllowedIPRange", "secret_token": "SecretToken"}
        members["authenticationConfiguration"] = mapping(
            {names[key]: _text(each) for key, each in given.items() if each.data}, place
        )
    return mapping(members, place)
