"""Turns the AppSpec document of a revision for CodeDeploy's Server platform into nouns."""

import re
from pathlib import PurePosixPath
from typing import Final

from pipelinekit.tools.deployments.revision import (
    EVENT_SECONDS,
    LOAD_BALANCED,
    SCRIPTED,
    UNSCRIPTED,
    AppSpec,
    FileExistsBehavior,
    FileMapping,
    FileType,
    Permission,
    Script,
)
from pipelinekit.tools.documents.document import Document, Node

_ROOT_KEYS: Final = frozenset(
    {"version", "os", "files", "file_exists_behavior", "permissions", "hooks"}
)
_FILE_KEYS: Final = frozenset({"source", "destination"})
_GRANT_KEYS: Final = frozenset(
    {"object", "pattern", "except", "type", "owner", "group", "mode", "acls", "context"}
)
_SCRIPT_KEYS: Final = frozenset({"location", "timeout", "runas"})
_OTHER_PLATFORM: Final = (
    "only the Server platform (EC2/on-premises) runs here: an AppSpec with `os: linux`, `files` "
    "and `hooks` of scripts"
)


def read(document: Document) -> AppSpec:
    """Read an AppSpec.

    Args:
        document: The content of `appspec.yml`.

    Raises:
        DocumentError: It is for another platform or for Windows, a key is missing, or a value is
            none that may stand there.
    """
    root = document.root
    _check_platform(root)
    behavior = _value(root, "file_exists_behavior")
    return AppSpec(
        files=tuple(_file_mapping(node) for node in _items(root, "files")),
        file_exists_behavior=FileExistsBehavior(
            behavior.choice(tuple(FileExistsBehavior)) if behavior else FileExistsBehavior.DISALLOW
        ),
        permissions=tuple(_permission(node) for node in _items(root, "permissions")),
        hooks=_hooks(root),
        ignored=_ignored(root),
    )


def _check_platform(root: Node) -> None:
    keys = {key.lower(): node for key, node in root.mapping().items()}
    hooks = keys.get("hooks")
    if "os" not in keys and "resources" in keys:
        raise keys["resources"].error(_OTHER_PLATFORM, "an AppSpec for Amazon ECS or AWS Lambda")
    if "os" not in keys and hooks is not None and isinstance(hooks.data, list):
        raise hooks.error(_OTHER_PLATFORM, "hooks of an AppSpec for Amazon ECS or AWS Lambda")
    version = root.need("version")
    if isinstance(version.data, str | bool) or version.data != 0:
        raise version.error("`version: 0.0` is expected, without quotes")
    system = root.need("os")
    if system.text() != "linux":
        raise system.error("`os: linux` is expected, for Windows hosts do not run here")


def _file_mapping(node: Node) -> FileMapping:
    return FileMapping(_inside(node.need("source")), _absolute(node.need("destination")))


def _permission(node: Node) -> Permission:
    pattern = _value(node, "pattern")
    context = _value(node, "context")
    return Permission(
        object=_absolute(node.need("object")),
        pattern=pattern.text() if pattern else "**",
        exceptions=tuple(each.text() for each in _items(node, "except")),
        types=_types(node),
        owner=_written(node, "owner"),
        group=_written(node, "group"),
        mode=_mode(node),
        acls=tuple(each.text() for each in _items(node, "acls")),
        context={key: each.written() for key, each in context.mapping().items()}
        if context
        else {},
        line=node.line,
    )


def _types(node: Node) -> frozenset[FileType]:
    chosen = frozenset(FileType(each.choice(tuple(FileType))) for each in _items(node, "type"))
    return chosen or frozenset(FileType)


def _mode(node: Node) -> int | None:
    mode = _value(node, "mode")
    if mode is None:
        return None
    if not re.fullmatch(r"[0-7]{1,4}", mode.written()):
        raise mode.error("one to four octal digits are expected there, such as 644 or 4755")
    return int(mode.written(), 8)


def _hooks(root: Node) -> dict[str, tuple[Script, ...]]:
    hooks = _value(root, "hooks")
    if hooks is None:
        return {}
    for event, node in hooks.mapping().items():
        if event in UNSCRIPTED:
            choice = ", ".join((*SCRIPTED, *LOAD_BALANCED))
            expected = f"CodeDeploy runs no scripts there; choose one of {choice}"
            raise node.error(expected, f"the lifecycle event {event}")
    hooks.only((*SCRIPTED, *LOAD_BALANCED))
    return {
        event: tuple(_script(each) for each in _list(node))
        for event, node in hooks.mapping().items()
    }


def _script(node: Node) -> Script:
    return Script(
        location=_inside(node.need("location")),
        timeout_seconds=_seconds(node),
        runas=_written(node, "runas"),
        line=node.line,
    )


def _seconds(node: Node) -> int:
    seconds = _value(node, "timeout")
    if seconds is None:
        return EVENT_SECONDS
    if not re.fullmatch(r"0*[1-9][0-9]{0,8}", seconds.written()):
        raise seconds.error("a whole number of seconds is expected there, 1 or more")
    return int(seconds.written())


def _inside(node: Node) -> PurePosixPath:
    if "://" in node.text():
        raise node.error("a path in the revision is expected there, not a URL")
    path = _path(node)
    return path.relative_to("/") if path.is_absolute() else path


def _absolute(node: Node) -> PurePosixPath:
    path = _path(node)
    if not path.is_absolute():
        raise node.error("an absolute path is expected there, such as /srv/shop")
    return path


def _path(node: Node) -> PurePosixPath:
    text = node.text().strip()
    if not text or not text.isprintable():
        raise node.error("a path is expected there")
    # POSIX gives a path that begins with exactly two slashes a meaning of its own.
    path = PurePosixPath(re.sub("^/+", "/", text))
    if ".." in path.parts:
        raise node.error("a path without `..` is expected there")
    return path


def _ignored(root: Node) -> tuple[str, ...]:
    hooks = _value(root, "hooks")
    scripts = [
        script for event in (hooks.mapping() if hooks else {}).values() for script in _list(event)
    ]
    return (
        *_unknown(root, _ROOT_KEYS),
        *(text for node in _items(root, "files") for text in _unknown(node, _FILE_KEYS)),
        *(text for node in _items(root, "permissions") for text in _unknown(node, _GRANT_KEYS)),
        *(text for node in scripts for text in _unknown(node, _SCRIPT_KEYS)),
    )


def _unknown(node: Node, known: frozenset[str]) -> list[str]:
    name = node.document.name
    return [
        f"{name}, line {child.line}: {child.where} is no key of CodeDeploy and does nothing"
        for key, child in node.mapping().items()
        if key not in known
    ]


def _items(node: Node, key: str) -> tuple[Node, ...]:
    child = node.get(key)
    return _list(child) if child else ()


def _list(node: Node) -> tuple[Node, ...]:
    return () if node.data is None else node.list()


def _written(node: Node, key: str) -> str | None:
    child = _value(node, key)
    return child.written() if child else None


def _value(node: Node, key: str) -> Node | None:
    child = node.get(key)
    return None if child is None or child.data is None else child
