"""Reads the environments of a project, and tells in which order they are released to."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from pipelinekit.kit.files import read_document, unreadable
from pipelinekit.kit.settings_file import settings_document
from pipelinekit.model.environment import Environment, Freeze
from pipelinekit.model.errors import NotFound, ValidationError
from pipelinekit.model.settings import Aws
from pipelinekit.tools.documents.document import DocumentError, Node
from pipelinekit.tools.freezes import FreezeError, calendar

FILE: Final = "environments.yaml"
TABLE: Final = "environments"
KEYS: Final = (
    "parameters",
    "after",
    "account",
    "approvers",
    "approvals",
    "protected",
    "freezes",
    "time_zone",
)
FREEZE_KEYS: Final = ("from", "to", "weekly", "reason")
NAME: Final = re.compile(r"[A-Za-z0-9_@-][A-Za-z0-9.@_-]{0,79}")


class EnvironmentNotFound(NotFound):
    """No environment of that name."""


class Environments(Mapping[str, Environment]):
    """The environments of a project by name, in their order.

    Args:
        known: The environments.
        source: Where they are described.
    """

    def __init__(self, known: Mapping[str, Environment], source: str = "") -> None:
        self._known = dict(known)
        self.source = source

    def __getitem__(self, name: str) -> Environment:
        if name not in self._known:
            there = ", ".join(self._known) or "none"
            raise EnvironmentNotFound(
                f"environment {name!r} was asked for, and those of {self.source or 'the project'} "
                f"are {there}; take one of them, or describe it there"
            )
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)

    def __repr__(self) -> str:
        return f"Environments({', '.join(self._known)})"

    def waves(self, names: Collection[str] = ()) -> list[tuple[Environment, ...]]:
        """Give environments in the order in which they are released to; those of a wave together.

        Args:
            names: Of those that are wanted; all when empty. What one comes after counts also
                where it is not wanted itself.

        Raises:
            EnvironmentNotFound: There is none of such a name.
        """
        wanted = {name: self[name] for name in names or self}
        waves: dict[int, list[Environment]] = {}
        for name, environment in self._known.items():
            if name in wanted:
                waves.setdefault(self._level(name, wanted), []).append(environment)
        return [tuple(waves[level]) for level in sorted(waves)]

    def _level(self, name: str, wanted: Collection[str]) -> int:
        before = self._known[name].after
        own = int(name in wanted)
        return own + max((self._level(each, wanted) for each in before), default=0)


def environments(file: Path | str | None = None) -> Environments:
    """Read the environments of the project: `pk.environments()`.

    They stand in `environments.yaml`, or as the table `environments` in `pipelinekit.toml`
    (`[tool.pipelinekit.environments]` in `pyproject.toml`). One comes after the one before it,
    unless it says `after`.

    Args:
        file: Another YAML or JSON file.

    Raises:
        UnreadableFile: A file is missing or has a fault; the message bears the line.
        ValidationError: They are described nowhere, or at two places.
    """
    if file is not None:
        return _of_file(Path(file))
    return find_environments(Path.cwd())


def find_environments(*folders: Path) -> Environments:
    """Read the environments of the first folder that has some; see `environments`.

    Raises:
        UnreadableFile: A file has a fault; the message bears the line.
        ValidationError: They are described nowhere, or at two places.
    """
    for folder in folders:
        file, table = folder / FILE, _table(folder)
        if table is not None and file.exists():
            raise ValidationError(
                f"the environments were to be read, and both {FILE} and {table.document.name} "
                f"describe some; keep one of the two"
            )
        if file.exists():
            return _of_file(file)
        if table is not None:
            return _read(table)
    raise ValidationError(
        f"environments were asked for, and neither {FILE} nor a table `{TABLE}` in "
        f"pipelinekit.toml or pyproject.toml is in {' or '.join(map(str, folders))}; write one, "
        f"such as `staging: {{parameters: {{rows: 100}}}}`"
    )


def _of_file(file: Path) -> Environments:
    return _read(read_document(file).root)


def _table(folder: Path) -> Node | None:
    try:
        document = settings_document(folder)
        return None if document is None else document.root.get(TABLE)
    except DocumentError as error:
        raise unreadable(error) from None


def _read(root: Node) -> Environments:
    known: dict[str, Environment] = {}
    try:
        nodes = root.mapping()
        for name, node in nodes.items():
            known[name] = _environment(name, node, tuple(known)[-1:], tuple(nodes))
        _refuse_circle(known, root)
    except DocumentError as error:
        raise unreadable(error) from None
    if not known:
        raise ValidationError(
            f"the environments were to be read, and {root.document.name} describes none; add one, "
            f"such as `staging: {{parameters: {{rows: 100}}}}`"
        )
    return Environments(known, root.document.name)


def _environment(
    name: str, node: Node, usual: tuple[str, ...], names: Sequence[str]
) -> Environment:
    if not NAME.fullmatch(name):
        raise node.error("name it with 1 to 80 of letters, digits and . @ - _", found=repr(name))
    given = node.only(KEYS).mapping()
    parameters = given["parameters"].mapping() if "parameters" in given else {}
    after = _after(given["after"], names) if "after" in given else usual
    approvers = given["approvers"].texts() if "approvers" in given else ()
    zone = given["time_zone"].text() if "time_zone" in given else "UTC"
    return Environment(
        name,
        {key: value.data for key, value in parameters.items()},
        after=after,
        account=_account(given["account"]) if "account" in given else None,
        approvers=approvers,
        approvals=_approvals(given["approvals"], approvers) if "approvals" in given else 0,
        protected="protected" in given and given["protected"].flag(),
        freezes=_freezes(given, zone),
        zone=zone,
    )


def _after(node: Node, names: Sequence[str]) -> tuple[str, ...]:
    for each in node.list():
        if each.text() not in names:
            there = ", ".join(names)
            raise each.error(f"name one of {there}", found=f"the unknown {each.text()!r}")
    return node.texts()


def _account(node: Node) -> Aws:
    given = node.only(("profile", "region", "endpoint")).mapping()
    return Aws(**{key: value.text() for key, value in given.items()})


def _approvals(node: Node, approvers: Sequence[str]) -> int:
    count = node.whole()
    if count < 1 or (approvers and count > len(set(approvers))):
        most = len(set(approvers))
        raise node.error(
            f"write at most {most}, or name more approvers" if approvers else "write 1 or more"
        )
    return count


def _freezes(given: Mapping[str, Node], zone: str) -> tuple[Freeze, ...]:
    if "freezes" not in given:
        _check(given.get("time_zone"), (), zone)
        return ()
    return tuple(_freeze(node, zone, given.get("time_zone")) for node in given["freezes"].list())


def _freeze(node: Node, zone: str, zone_node: Node | None) -> Freeze:
    texts = {key: each.text() for key, each in node.only(FREEZE_KEYS).mapping().items()}
    begin, end, weekly, reason = (texts.get(key, "") for key in FREEZE_KEYS)
    if bool(weekly) == bool(begin or end):
        raise node.error("write `from` and `to`, or `weekly`")
    _check(zone_node, (), zone)
    _check(node, ((begin, end, weekly, reason),), zone)
    return Freeze(begin, end, weekly, reason)


def _check(node: Node | None, freezes: Sequence[tuple[str, str, str, str]], zone: str) -> None:
    try:
        calendar(freezes, zone)
    except FreezeError as error:
        if node is None:
            raise
        found, _, advice = str(error).partition("; ")
        raise node.error(advice, found=found) from None


def _refuse_circle(known: Mapping[str, Environment], root: Node) -> None:
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        if name in path:
            circle = " after ".join((*path[path.index(name) :], name))
            node = root.need(name).get("after") or root.need(name)
            raise node.error("take one `after` of them out", found=f"a circle: {circle}")
        if name not in done:
            for each in known[name].after:
                visit(each, (*path, name))
            done.add(name)

    for name in known:
        visit(name, ())
