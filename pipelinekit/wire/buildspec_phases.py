"""The phases of a buildspec: their commands, and what is to follow when one of them fails."""

import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Final

from msgspec import field
from msgspec.structs import replace

from pipelinekit.model.noun import Noun
from pipelinekit.tools.documents.document import Node
from pipelinekit.wire import lenient

PHASES: Final = ("install", "pre_build", "build", "post_build")

_PHASE: Final = frozenset({"commands", "finally", "on-failure", "run-as", "runtime-versions"})
_RETRY: Final = re.compile(r"RETRY(?:-(?P<times>\d{1,9}))?(?:-(?P<pattern>.+))?", re.DOTALL)
_MOST_RETRIES: Final = 100


class OnFailure(StrEnum):
    """What is to follow when a phase fails, where the buildspec says it."""

    ABORT = "ABORT"
    CONTINUE = "CONTINUE"
    RETRY = "RETRY"


class Reaction(Noun):
    """What follows the failure of a phase.

    Attributes:
        action: What is done; only RETRY takes a pattern and a number.
        pattern: A regular expression; the phase is tried again when its failure matches it.
        times: How often it is tried again at most.
    """

    action: OnFailure
    pattern: str = ".*"
    times: int = 3


class Phase(Noun):
    """One phase of a build.

    Attributes:
        name: One of `PHASES`.
        commands: Shell text, each of one line or many.
        last: The commands of `finally`, which run whatever became of the others.
        on_failure: What follows a failure; None where the buildspec leaves it to CodeBuild.
        run_as: The user who runs the commands; the build's own when None.
        runtime_versions: The version wanted of each interpreter.
    """

    name: str
    commands: tuple[str, ...] = ()
    last: tuple[str, ...] = ()
    on_failure: Reaction | None = None
    run_as: str | None = None
    runtime_versions: Mapping[str, str] = field(default_factory=dict)


def read_phases(root: Node, *, needed: bool) -> tuple[Phase, ...]:
    """Read the phases of a buildspec, in the order in which they run.

    Args:
        root: The whole buildspec.
        needed: Whether there must be one.

    Raises:
        DocumentError: A phase is not as CodeBuild wants it, or there is none.
    """
    node = root.need("phases") if needed else root.get("phases")
    given = lenient.mapping(node)
    for name, phase in given.items():
        if name not in PHASES:
            raise phase.misnamed(f"a phase is one of {', '.join(PHASES)}", f"the phase {name}")
    if needed and node is not None and not given:
        raise node.error(f"write at least one phase there, of {', '.join(PHASES)}")
    return tuple(_phase(name, given[name]) for name in PHASES if name in given)


def phase_notes(root: Node) -> Iterator[str]:
    """Say which keys of the phases CodeBuild does not know.

    Args:
        root: The whole buildspec.
    """
    for phase in lenient.mapping(root.get("phases")).values():
        yield from lenient.unknown(phase, _PHASE)


def _phase(name: str, node: Node) -> Phase:
    given = lenient.mapping(node)
    return Phase(
        name=name,
        commands=_commands(given.get("commands")),
        last=_commands(given.get("finally")),
        on_failure=_reaction(given.get("on-failure")),
        run_as=lenient.text(given.get("run-as")),
        runtime_versions=lenient.values(given.get("runtime-versions")),
    )


def _commands(node: Node | None) -> tuple[str, ...]:
    if node is None:
        return ()
    if node.data is None:
        raise node.error("write a list of commands there, or take the key out")
    if isinstance(node.data, str):
        return (node.data,)
    return tuple(_command(item) for item in node.list())


def _command(node: Node) -> str:
    if isinstance(node.data, dict):
        # The usual accident, for which CodeBuild says "found subkeys instead".
        found = f"a mapping instead of a command at {node.where}, since it holds a `: `"
        raise node.error("put the whole command in quotes, or under `- |`", found=found)
    if node.data is None:
        raise node.error("write a command there, or take the line out")
    return node.written()


def _reaction(node: Node | None) -> Reaction | None:
    if node is None:
        return None
    if node.text() in {OnFailure.ABORT, OnFailure.CONTINUE}:
        return Reaction(OnFailure(node.text()))
    retry = _RETRY.fullmatch(node.text())
    if retry is None:
        raise node.error(
            "write ABORT, CONTINUE or RETRY there, or RETRY-2, RETRY-.*timeout.* or "
            "RETRY-2-.*timeout.*"
        )
    reaction = Reaction(OnFailure.RETRY)
    if retry["times"]:
        reaction = replace(reaction, times=int(retry["times"]))
    if retry["pattern"]:
        reaction = replace(reaction, pattern=retry["pattern"])
    return _checked(reaction, node)


def _checked(retry: Reaction, node: Node) -> Reaction:
    if retry.times > _MOST_RETRIES:
        raise node.error(f"a phase is tried again up to {_MOST_RETRIES} times; write fewer")
    try:
        re.compile(retry.pattern)
    except re.error as error:
        expected = f"write a regular expression after RETRY-, which this is not: {error}"
        raise node.error(expected) from None
    return retry
