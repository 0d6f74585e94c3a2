"""Reads what `terraform show -json` prints, of a plan or of what was made."""

from collections.abc import Iterator
from typing import Final

from pipelinekit.tools.documents.document import JSON, Document, Node
from pipelinekit.wire.templates import pieces
from pipelinekit.wire.templates.assembly import Assembly
from pipelinekit.wire.templates.gaps import Gaps
from pipelinekit.wire.templates.pieces import Piece, at, listing, mapping, piece_of
from pipelinekit.wire.templates.terraform import BROUGHT, COMPUTED, Found, assembled

VALUES: Final = ("planned_values", "values")
CHOSEN: Final = COMPUTED | {
    *("badge_url", "description", "encryption_key", "public_project_alias", "region")
}
"""What the provider chooses where the files do not say it."""
STATEFILE: Final = "lineage"


def is_shown(document: Document) -> bool:
    """Tell whether a document is what `terraform show -json` prints, or a state file itself."""
    data = document.data
    return isinstance(data, dict) and (
        ("terraform_version" in data and any(key in data for key in VALUES)) or STATEFILE in data
    )


def read_shown(document: Document, gaps: Gaps) -> Assembly:
    """Read the pipelines of a plan or a state, and what belongs to them.

    Args:
        document: What `terraform show -json` prints.
        gaps: Placeholders for what is known only after it was applied.

    Raises:
        DocumentError: It is something else.
    """
    root = document.root
    if STATEFILE in root.mapping():
        raise root.error("give what `terraform show -json` prints", found="Terraform's state file")
    values = next(node for key in VALUES if (node := root.get(key)) is not None)
    unknown = dict(_unknown(root))
    found, left = [], dict[str, tuple[str, ...]]()
    for address, node in _resources(values.get("root_module")):
        kind = node.need("type").text()
        if kind not in BROUGHT:
            left[kind] = (*left.get(kind, ()), node.need("name").text())
            continue
        merged = _merged(node.need("values"), unknown.get(address, False), address, gaps)
        found.append(Found(kind, address, pieces.node(merged, document.name)))
    return assembled(found, gaps, document.name, left=left)


def _unknown(root: Node) -> Iterator[tuple[str, JSON]]:
    changes = root.get("resource_changes")
    for each in changes.list() if changes else ():
        after = each.need("change").get("after_unknown")
        yield each.need("address").text(), after.data if after else False


def _resources(module: Node | None) -> Iterator[tuple[str, Node]]:
    if module is None:
        return
    resources, inner = module.get("resources"), module.get("child_modules")
    for each in resources.list() if resources else ():
        mode = each.get("mode")
        if mode is None or mode.data == "managed":
            yield each.need("address").text(), each
    for each in inner.list() if inner else ():
        yield from _resources(each)


def _merged(node: Node, unknown: JSON, key: str, gaps: Gaps) -> Piece:
    place = node.document.place(node.path)
    match node.data:
        case dict():
            marks = unknown if isinstance(unknown, dict) else {}
            members = {
                name: _merged(child, marks.get(name, False), f"{key}.{name}", gaps)
                for name, child in node.mapping().items()
                if name != "description" or child.data  # it is "" where there is none
            }
            for name, each in marks.items():
                if each is True and name not in CHOSEN:
                    why = "it is known after it was applied"
                    members[name] = at(place, gaps.text(f"{key}.{name}", why))
            return mapping(members, place)
        case list():
            listed = unknown if isinstance(unknown, list) else []
            pairs = zip(node.list(), [*listed, *[False] * len(node.data)], strict=False)
            return listing(
                (
                    _merged(child, each, f"{key}[{number}]", gaps)
                    for number, (child, each) in enumerate(pairs)
                ),
                place,
            )
        case _:
            return piece_of(node)
