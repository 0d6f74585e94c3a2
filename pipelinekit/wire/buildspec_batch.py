"""The batch of a buildspec: a list, a graph or a matrix of builds, all read into one noun."""

import re
from collections.abc import Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from itertools import product
from math import prod
from typing import Final

from msgspec import field

from pipelinekit.model.noun import Noun
from pipelinekit.tools.documents.document import Node
from pipelinekit.wire import lenient

MOST_BUILDS: Final = 100
"""How many builds CodeBuild lets one batch have."""

_KINDS: Final = ("build-list", "build-graph", "build-matrix")
_BATCH: Final = frozenset({"fast-fail", "build-fanout", *_KINDS})
_BUILD: Final = frozenset({"identifier", "buildspec", "debug-session", "env", "ignore-failure"})
_NODE: Final = _BUILD | {"depend-on"}
_MATRIX: Final = frozenset({"static", "dynamic"})
_STATIC: Final = _BUILD - {"identifier"}
_DYNAMIC: Final = frozenset({"buildspec", "env"})
_ENV: Final = frozenset({"compute-type", "fleet", "image", "privileged-mode", "type", "variables"})
_IDENTIFIER: Final = re.compile(r"[A-Za-z0-9_]{1,128}")


class BatchBuild(Noun):
    """One build of a batch; what it leaves open, the buildspec of the batch says.

    Attributes:
        identifier: Its name in the batch.
        buildspec: A path in the source, or YAML; the buildspec of the batch when None.
        environment: Variables of this build alone.
        image: The container image that it asks for; the project's when None.
        type: The type of environment that it asks for, such as `LINUX_CONTAINER`.
        depends_on: The builds that it follows.
        ignore_failure: Whether the batch can succeed although this build fails.
    """

    identifier: str
    buildspec: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    image: str | None = None
    type: str | None = None
    depends_on: tuple[str, ...] = ()
    ignore_failure: bool = False


class Batch(Noun):
    """A number of builds that belong together.

    Attributes:
        builds: In the order of the buildspec.
        fast_fail: Whether the first failure stops the builds that are still running.
    """

    builds: tuple[BatchBuild, ...]
    fast_fail: bool = False


def read_batch(root: Node) -> Batch | None:
    """Read the builds of a batch; None where the buildspec has no such section.

    CHOICE: the user guide does not say what the builds of a matrix, or those of a list without an
    identifier, are called; here they are `build0`, `build1` and so on in their order.

    Args:
        root: The whole buildspec.

    Raises:
        DocumentError: The batch is not as CodeBuild wants it, its builds wait for each other in a
            circle, or it is of a kind that does not run on this machine.

    Source:
        The batch build buildspec reference of the CodeBuild user guide.
    """
    node = root.get("batch")
    if node is None or node.data is None:
        return None
    kind, builds = _kind(node)
    found = _matrix(builds) if kind == "build-matrix" else _builds(builds, kind)
    if not found:
        raise builds.error("write at least one build there")
    if len(found) > MOST_BUILDS:
        raise builds.error(f"a batch has up to {MOST_BUILDS} builds; write fewer")
    return Batch(found, fast_fail=lenient.flag(node.get("fast-fail")))


def batch_notes(root: Node) -> Iterator[str]:
    """Say which keys of the batch CodeBuild does not know.

    Args:
        root: The whole buildspec.
    """
    batch = root.get("batch")
    given = lenient.mapping(batch)
    yield from lenient.unknown(batch, _BATCH)
    for kind, known in (("build-list", _BUILD), ("build-graph", _NODE)):
        for build in given[kind].list() if kind in given else ():
            yield from lenient.unknown(build, known)
            yield from lenient.unknown(build.get("env"), _ENV)
    matrix = lenient.mapping(given.get("build-matrix"))
    yield from lenient.unknown(given.get("build-matrix"), _MATRIX)
    for part, known in (("static", _STATIC), ("dynamic", _DYNAMIC)):
        yield from lenient.unknown(matrix.get(part), known)
        yield from lenient.unknown(lenient.mapping(matrix.get(part)).get("env"), _ENV)


def _kind(node: Node) -> tuple[str, Node]:
    given = node.mapping()
    if "build-fanout" in given:
        raise given["build-fanout"].misnamed(
            f"tests are not spread over builds on this machine; write {', '.join(_KINDS[:2])} or "
            f"{_KINDS[2]}",
            "a build-fanout",
        )
    kinds = [kind for kind in _KINDS if kind in given]
    if len(kinds) != 1:
        found = " and ".join(kinds) or "no kind of batch"
        raise node.error(f"write exactly one of {', '.join(_KINDS)} there", f"{found} in batch")
    return kinds[0], given[kinds[0]]


def _builds(node: Node, kind: str) -> tuple[BatchBuild, ...]:
    nodes: dict[str, Node] = {}
    for number, each in enumerate(node.list()):
        identifier = _identifier(each, number, needed=kind == "build-graph")
        if identifier in nodes:
            first = nodes[identifier].line
            raise each.error(
                f"give each build a name of its own; the first is in line {first}",
                f"the identifier {identifier} a second time",
            )
        nodes[identifier] = each
    builds = tuple(_build(name, each, kind) for name, each in nodes.items())
    _refuse_circle(builds, nodes)
    return builds


def _identifier(node: Node, number: int, *, needed: bool) -> str:
    given = node.need("identifier") if needed else node.get("identifier")
    if given is None:
        return f"build{number}"
    if not _IDENTIFIER.fullmatch(given.written()):
        raise given.error("an identifier is 1 to 128 letters, digits and `_`")
    return given.written()


def _build(identifier: str, node: Node, kind: str) -> BatchBuild:
    env = lenient.mapping(node.get("env"))
    return BatchBuild(
        identifier=identifier,
        buildspec=lenient.text(node.get("buildspec")),
        environment=lenient.values(env.get("variables")),
        image=lenient.text(env.get("image")),
        type=lenient.text(env.get("type")),
        depends_on=lenient.texts(node.get("depend-on")) if kind == "build-graph" else (),
        ignore_failure=lenient.flag(node.get("ignore-failure")),
    )


def _refuse_circle(builds: Iterable[BatchBuild], nodes: Mapping[str, Node]) -> None:
    for build in builds:
        for name in build.depends_on:
            if name not in nodes:
                expected = f"the builds of the graph are {', '.join(nodes)}"
                raise nodes[build.identifier].need("depend-on").error(expected, f"no build {name}")
    try:
        TopologicalSorter({each.identifier: each.depends_on for each in builds}).prepare()
    except CycleError as error:
        circle: list[str] = error.args[1]
        found = f"builds that wait for each other: {' -> '.join(reversed(circle))}"
        where = nodes[circle[-1]].need("depend-on")
        raise where.error("take one of these depend-on out", found) from None


def _matrix(node: Node) -> tuple[BatchBuild, ...]:
    static = lenient.mapping(node.get("static"))
    always = lenient.mapping(static.get("env"))
    axes = dict(_axes(node))
    if prod(map(len, axes.values())) > MOST_BUILDS:
        raise node.error(f"a batch has up to {MOST_BUILDS} builds; write fewer values")
    builds = []
    for number, chosen in enumerate(product(*axes.values())):
        own = dict(zip(axes, chosen, strict=True))
        builds.append(
            BatchBuild(
                identifier=f"build{number}",
                buildspec=own.pop("buildspec", None) or lenient.text(static.get("buildspec")),
                image=own.pop("image", None) or lenient.text(always.get("image")),
                type=own.pop("type", None) or lenient.text(always.get("type")),
                environment=lenient.values(always.get("variables"))
                | {name.removeprefix("$"): value for name, value in own.items() if name[0] == "$"},
                ignore_failure=lenient.flag(static.get("ignore-failure")),
            )
        )
    return tuple(builds)


def _axes(node: Node) -> Iterator[tuple[str, tuple[str, ...]]]:
    dynamic = lenient.mapping(node.get("dynamic"))
    env = lenient.mapping(dynamic.get("env"))
    for name, axis in (
        ("buildspec", dynamic.get("buildspec")),
        *((name, env.get(name)) for name in ("image", "compute-type", "type")),
    ):
        if axis is not None and axis.data is not None:
            yield name, lenient.texts(axis)
    for name, axis in lenient.mapping(env.get("variables")).items():
        yield f"${name}", lenient.texts(axis)
