"""Reads a CodeBuild buildspec: YAML or JSON of a stranger becomes frozen nouns, or is refused."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import StrEnum
from typing import Final

from pipelinekit.tools.document import Document, Node

PHASES: Final = ("install", "pre_build", "build", "post_build")
SHELLS: Final = {"bash": "bash", "/bin/bash": "bash", "sh": "sh", "/bin/sh": "sh"}

_YES: Final = {"yes": True, "true": True, "no": False, "false": False}
_TOP: Final = frozenset(
    {"version", "run-as", "env", "phases", "artifacts", "reports", "cache", "batch", "proxy"}
)
_ENV: Final = frozenset(
    {
        "shell",
        "variables",
        "exported-variables",
        "parameter-store",
        "secrets-manager",
        "git-credential-helper",
    }
)
_PHASE: Final = frozenset({"commands", "finally", "on-failure", "run-as", "runtime-versions"})
_ARTIFACTS: Final = frozenset(
    {
        "files",
        "name",
        "base-directory",
        "discard-paths",
        "exclude-paths",
        "enable-symlinks",
        "s3-prefix",
        "secondary-artifacts",
    }
)


class OnFailure(StrEnum):
    """What is to follow when a phase fails, where the buildspec says it."""

    ABORT = "ABORT"
    CONTINUE = "CONTINUE"
    RETRY = "RETRY"


@dataclass(frozen=True, slots=True)
class Phase:
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
    on_failure: OnFailure | None = None
    run_as: str | None = None
    runtime_versions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Artifacts:
    """Which files an output artifact takes.

    Attributes:
        files: Patterns, relative to the base directory.
        name: What the object is to be called; CodePipeline does not ask for it.
        base_directory: Relative to the source; may have a `*`.
        discard_paths: Whether files lose their folders.
        exclude_paths: Patterns of what is left out.
        enable_symlinks: Whether links within the source stay links.
    """

    files: tuple[str, ...]
    name: str | None = None
    base_directory: str = "."
    discard_paths: bool = False
    exclude_paths: tuple[str, ...] = ()
    enable_symlinks: bool = False


@dataclass(frozen=True, slots=True)
class Buildspec:
    """What a build does.

    Attributes:
        version: `0.1` (each command in a shell of its own) or `0.2` (one shell for all).
        phases: Those that the buildspec has, in the order in which they run.
        run_as: The user who runs all commands; the build's own when None.
        shell: `bash` or `sh`; None where the buildspec does not choose.
        variables: Environment variables with their values.
        parameter_store: The parameter for each variable that is to come from there.
        secrets_manager: The secret for each variable that is to come from there.
        exported_variables: Names of the shell variables that the build gives away.
        artifacts: The files of the one output artifact; None without a `files` list.
        secondary: The same for each further output artifact, by its name.
        reports: Names of the report groups that are to receive test results.
        cache: Paths to keep between builds.
        batch: Whether there is a section for batch builds.
        notes: Sentences on keys that CodeBuild does not know, and ignores.
    """

    version: str
    phases: tuple[Phase, ...]
    run_as: str | None = None
    shell: str | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    parameter_store: Mapping[str, str] = field(default_factory=dict)
    secrets_manager: Mapping[str, str] = field(default_factory=dict)
    exported_variables: tuple[str, ...] = ()
    artifacts: Artifacts | None = None
    secondary: Mapping[str, Artifacts] = field(default_factory=dict)
    reports: tuple[str, ...] = ()
    cache: tuple[str, ...] = ()
    batch: bool = False
    notes: tuple[str, ...] = ()

    def artifacts_of(self, output: str, outputs: int) -> Artifacts | None:
        """Give the files of an output artifact, or None where the buildspec has none for it.

        Args:
            output: The artifact's name in the pipeline.
            outputs: How many artifacts the action writes; a single one is the primary one.
        """
        return (self.artifacts if outputs == 1 else None) or self.secondary.get(output)

    def unread(self, given: Collection[str]) -> list[str]:
        """Describe the variables that only Parameter Store or Secrets Manager could give.

        Args:
            given: Names of the variables whose values are known otherwise.
        """
        return [
            f"{name} ({service} {key})"
            for service, keys in (
                ("parameter-store", self.parameter_store),
                ("secrets-manager", self.secrets_manager),
            )
            for name, key in keys.items()
            if name not in given
        ]


def read_buildspec(document: Document) -> Buildspec:
    """Read a buildspec of version 0.1 or 0.2.

    Args:
        document: The buildspec as data.

    Raises:
        DocumentError: Something in it is not as CodeBuild wants it; says the line.

    Source:
        The buildspec reference of the CodeBuild user guide.
    """
    root = document.root
    version = _version(root)
    env = _mapping(root.get("env"))
    artifacts = root.get("artifacts")
    batch = bool(_mapping(root.get("batch")))
    return Buildspec(
        version=version,
        phases=_phases(root, needed=not batch),
        run_as=_text(root.get("run-as")),
        shell=_shell(env.get("shell")),
        variables=_values(env.get("variables")),
        parameter_store=_values(env.get("parameter-store")),
        secrets_manager=_values(env.get("secrets-manager")),
        exported_variables=_texts(env.get("exported-variables")),
        artifacts=_primary(artifacts),
        secondary={
            name: _artifacts(each)
            for name, each in _mapping(_mapping(artifacts).get("secondary-artifacts")).items()
        },
        reports=tuple(_mapping(root.get("reports"))),
        cache=_texts(_mapping(root.get("cache")).get("paths")),
        batch=batch,
        notes=tuple(_notes(root)),
    )


def _version(root: Node) -> str:
    node = root.need("version")
    version = node.written()
    if version not in {"0.1", "0.2"}:
        raise node.error("write 0.2, or 0.1", found=f"version {version}")
    return version


def _shell(node: Node | None) -> str | None:
    if node is None:
        return None
    shell = SHELLS.get(node.text())
    if shell is None:
        raise node.error("write bash or sh: commands run on this machine, in no other shell")
    return shell


def _phases(root: Node, *, needed: bool) -> tuple[Phase, ...]:
    node = root.need("phases") if needed else root.get("phases")
    given = _mapping(node)
    for name, phase in given.items():
        if name not in PHASES:
            raise phase.misnamed(f"a phase is one of {', '.join(PHASES)}", f"the phase {name}")
    if needed and node is not None and not given:
        raise node.error(f"write at least one phase there, of {', '.join(PHASES)}")
    return tuple(_phase(name, given[name]) for name in PHASES if name in given)


def _phase(name: str, node: Node) -> Phase:
    given = _mapping(node)
    return Phase(
        name=name,
        commands=_commands(given.get("commands")),
        last=_commands(given.get("finally")),
        on_failure=_on_failure(given.get("on-failure")),
        run_as=_text(given.get("run-as")),
        runtime_versions=_values(given.get("runtime-versions")),
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


def _on_failure(node: Node | None) -> OnFailure | None:
    if node is None:
        return None
    # RETRY takes a count, a pattern, or both: RETRY-2, RETRY-.*timeout.*, RETRY-2-.*timeout.*
    word = node.text().partition("-")[0] if node.text().startswith("RETRY-") else node.text()
    if word not in set(OnFailure):
        raise node.error("write ABORT, CONTINUE or RETRY there")
    return OnFailure(word)


def _primary(node: Node | None) -> Artifacts | None:
    given = _mapping(node)
    if node is None or not given or ("files" not in given and "secondary-artifacts" in given):
        return None
    return _artifacts(node)


def _artifacts(node: Node) -> Artifacts:
    given = node.mapping()
    return Artifacts(
        files=_texts(node.need("files")),
        name=_text(given.get("name")),
        base_directory=_text(given.get("base-directory")) or ".",
        discard_paths=_flag(given.get("discard-paths")),
        exclude_paths=_texts(given.get("exclude-paths")),
        enable_symlinks=_flag(given.get("enable-symlinks")),
    )


def _mapping(node: Node | None) -> dict[str, Node]:
    return {} if node is None or node.data is None else node.mapping()


def _values(node: Node | None) -> dict[str, str]:
    return {
        name: "" if value.data is None else value.written()
        for name, value in _mapping(node).items()
    }


def _text(node: Node | None) -> str | None:
    return None if node is None or node.data is None else node.written()


def _texts(node: Node | None) -> tuple[str, ...]:
    if node is None or node.data is None:
        return ()
    return (node.data,) if isinstance(node.data, str) else node.texts()


def _flag(node: Node | None) -> bool:
    if node is None:
        return False
    known = _YES.get(node.data.lower()) if isinstance(node.data, str) else None
    return node.flag() if known is None else known


def _notes(root: Node) -> Iterator[str]:
    yield from _unknown(root, _TOP)
    yield from _unknown(root.get("env"), _ENV)
    if _flag(_mapping(root.get("env")).get("git-credential-helper")):
        yield "git-credential-helper: git gets no credentials from builds on this machine"
    for phase in _mapping(root.get("phases")).values():
        yield from _unknown(phase, _PHASE)
    artifacts = root.get("artifacts")
    yield from _unknown(artifacts, _ARTIFACTS)
    for each in _mapping(_mapping(artifacts).get("secondary-artifacts")).values():
        yield from _unknown(each, _ARTIFACTS)


def _unknown(node: Node | None, known: frozenset[str]) -> Iterator[str]:
    for name, child in _mapping(node).items():
        if name not in known:
            close = get_close_matches(name, known, 1)
            advice = f"write {close[0]}" if close else f"known there: {', '.join(sorted(known))}"
            line = child.document.place(child.path).key_line
            yield (
                f"{child.document.name}, line {line}: CodeBuild does not know the key "
                f"{child.where} and ignores it; {advice}"
            )
