"""Reads a CodeBuild buildspec: YAML or JSON of a stranger becomes frozen nouns, or is refused."""

from collections.abc import Iterator, Mapping
from typing import Final

from msgspec import field

from pipelinekit.model.noun import Noun
from pipelinekit.tools.documents.document import Document, Node
from pipelinekit.wire import lenient
from pipelinekit.wire.buildspec_batch import Batch, BatchBuild, batch_notes, read_batch
from pipelinekit.wire.buildspec_outputs import (
    Artifacts,
    Cache,
    CacheAction,
    ReportGroup,
    output_notes,
    read_artifacts,
    read_cache,
    read_reports,
)
from pipelinekit.wire.buildspec_phases import (
    PHASES,
    OnFailure,
    Phase,
    Reaction,
    phase_notes,
    read_phases,
)

__all__ = [
    "PHASES",
    "SHELLS",
    "Artifacts",
    "Batch",
    "BatchBuild",
    "Buildspec",
    "Cache",
    "CacheAction",
    "OnFailure",
    "Phase",
    "Reaction",
    "ReportGroup",
    "read_buildspec",
]

SHELLS: Final = ("bash", "sh", "dash", "ash", "ksh", "mksh", "zsh")
"""The shells in which commands can run, all of one language; `/bin/` may stand before them."""

_TOP: Final = frozenset(
    {"version", "run-as", "env", "phases", "artifacts", "reports", "cache", "batch", "proxy"}
)
_TOP_OF_0_1: Final = frozenset({"environment_variables"})
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


class Buildspec(Noun):
    """What a build does.

    Attributes:
        version: `0.1` (each command in a shell of its own) or `0.2` (one shell for all).
        phases: Those that the buildspec has, in the order in which they run.
        run_as: The user who runs all commands; the build's own when None.
        shell: One of `SHELLS`; None where the buildspec does not choose.
        variables: Environment variables with their values.
        parameter_store: The parameter for each variable that is to come from there.
        secrets_manager: The secret for each variable that is to come from there.
        git_credentials: Whether git may use the credentials of whoever builds.
        exported_variables: Names of the shell variables that the build gives away.
        artifacts: The files of the one output artifact; None without a `files` list.
        secondary: The same for each further output artifact, by its name.
        reports: Which files tell what the tests came to.
        cache: What is to be kept between builds.
        batch: The builds of a batch build.
        notes: Sentences on keys that CodeBuild does not know, and ignores.
    """

    version: str
    phases: tuple[Phase, ...]
    run_as: str | None = None
    shell: str | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    parameter_store: Mapping[str, str] = field(default_factory=dict)
    secrets_manager: Mapping[str, str] = field(default_factory=dict)
    git_credentials: bool = False
    exported_variables: tuple[str, ...] = ()
    artifacts: Artifacts | None = None
    secondary: Mapping[str, Artifacts] = field(default_factory=dict)
    reports: tuple[ReportGroup, ...] = ()
    cache: Cache | None = None
    batch: Batch | None = None
    notes: tuple[str, ...] = ()

    @property
    def idle(self) -> bool:
        """Tell whether no phase has a command, so that a build by it would do nothing."""
        return not any(phase.commands or phase.last for phase in self.phases)

    def artifacts_of(self, output: str, outputs: int) -> Artifacts | None:
        """Give the files of an output artifact, or None where the buildspec has none for it.

        Args:
            output: The artifact's name in the pipeline.
            outputs: How many artifacts the action writes; a single one is the primary one.
        """
        return (self.artifacts if outputs == 1 else None) or self.secondary.get(output)


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
    env = lenient.mapping(root.get("env"))
    old = lenient.mapping(root.get("environment_variables")) if version == "0.1" else {}
    batch = read_batch(root)
    primary, secondary = read_artifacts(root)
    return Buildspec(
        version=version,
        # Each build of a batch may name a buildspec of its own.
        phases=read_phases(root, needed=batch is None),
        run_as=lenient.text(root.get("run-as")),
        shell=_shell(env.get("shell")),
        variables=lenient.values(old.get("plaintext")) | lenient.values(env.get("variables")),
        parameter_store=lenient.values(env.get("parameter-store")),
        secrets_manager=lenient.values(env.get("secrets-manager")),
        git_credentials=lenient.flag(env.get("git-credential-helper")),
        exported_variables=lenient.texts(env.get("exported-variables")),
        artifacts=primary,
        secondary=secondary,
        reports=read_reports(root),
        cache=read_cache(root),
        batch=batch,
        notes=tuple(_notes(root, version)),
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
    shell = node.text().removeprefix("/usr").removeprefix("/bin/")
    if shell not in SHELLS:
        raise node.error(f"commands run in one of {', '.join(SHELLS)} here; write one of them")
    return shell


def _notes(root: Node, version: str) -> Iterator[str]:
    yield from lenient.unknown(root, _TOP | _TOP_OF_0_1 if version == "0.1" else _TOP)
    yield from lenient.unknown(root.get("env"), _ENV)
    if lenient.mapping(root.get("proxy")):
        yield "proxy: builds here reach the network as this machine does"
    yield from phase_notes(root)
    yield from output_notes(root)
    yield from batch_notes(root)
