"""Releases a notebook: papermill executes it once for each environment."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipelinekit.kit.files import read_document, unreadable
from pipelinekit.model.environment import Environment
from pipelinekit.model.errors import NotFound, ValidationError
from pipelinekit.runtime.clock import now
from pipelinekit.tools.document import DocumentError, Node
from pipelinekit.tools.notebooks import Execution, NotebookError, execute

NAME = re.compile(r"[A-Za-z0-9_@-][A-Za-z0-9.@_-]{0,99}")


class EnvironmentNotFound(NotFound):
    """No environment of that name."""


@dataclass(frozen=True, slots=True)
class Executed:
    """A notebook that was executed for an environment.

    Attributes:
        environment: The environment's name.
        notebook: The executed notebook, with the outputs of all cells that ran.
        seconds: How long it took.
        error: Why it failed; None where it succeeded.
    """

    environment: str
    notebook: Path
    seconds: float
    error: str | None = None

    @property
    def succeeded(self) -> bool:
        """Tell whether every cell was executed without an error."""
        return self.error is None


def read_environments(file: Path) -> dict[str, Environment]:
    """Read environments from YAML or JSON: names, each with a mapping `parameters`.

    Args:
        file: Usually `environments.yaml`.

    Raises:
        UnreadableFile: It is missing or has a fault; the message bears the line.
    """
    source = read_document(file)
    try:
        return {name: _environment(name, node) for name, node in source.root.mapping().items()}
    except DocumentError as error:
        raise unreadable(error) from None


def choose(known: Mapping[str, Environment], names: Sequence[str]) -> list[Environment]:
    """Pick environments by name, in the order of the names.

    Raises:
        EnvironmentNotFound: One of them is not known; the message lists those that are.
    """
    for name in names:
        if name not in known:
            there = ", ".join(known) or "none"
            raise EnvironmentNotFound(
                f"environment {name!r} was asked for and there are {there}; take one of those or "
                f"add it to the file"
            )
    return [known[name] for name in names]


def release(
    notebook: Path,
    environments: Sequence[Environment],
    out: Path = Path("runs"),
    extra: Mapping[str, object] | None = None,
) -> list[Executed]:
    """Execute a notebook for one environment after the other, until one fails.

    Args:
        notebook: A `.ipynb` file; a cell tagged `parameters` holds its defaults.
        environments: Their parameters are given to it, and `environment`, the name.
        out: A folder for the executed notebooks.
        extra: Parameters that take precedence over those of all environments.

    Returns:
        What was executed; only the last one may have failed.

    Raises:
        ValidationError: The notebook is missing; nothing was executed.
    """
    return list(release_each(notebook, environments, out, extra))


def release_each(
    notebook: Path,
    environments: Sequence[Environment],
    out: Path = Path("runs"),
    extra: Mapping[str, object] | None = None,
) -> Iterator[Executed]:
    """Do what `release` does, and hand out each result as soon as it is there."""
    if not notebook.is_file():
        raise ValidationError(
            f"notebook {notebook} was to be released, and there is no such file; check its path"
        )
    for environment in environments:
        parameters = {"environment": environment.name, **environment.parameters, **(extra or {})}
        executed = _execute(notebook, environment.name, out, parameters)
        yield executed
        if not executed.succeeded:
            return


def _execute(
    notebook: Path, environment: str, out: Path, parameters: Mapping[str, object]
) -> Executed:
    began = now()
    target = out / f"{notebook.stem}-{environment}-{began:%Y%m%dT%H%M%S.%fZ}.ipynb"
    error = None
    try:
        execute(Execution(source=notebook, target=target, parameters=parameters))
    except NotebookError as raised:
        error = str(raised)
    return Executed(environment, target, (now() - began).total_seconds(), error)


def _environment(name: str, node: Node) -> Environment:
    if not NAME.fullmatch(name):
        raise node.error("name it with 1 to 100 of letters, digits and . @ - _", found=repr(name))
    given = node.only({"parameters"}).get("parameters")
    values = {} if given is None else given.mapping()
    return Environment(name, {key: value.data for key, value in values.items()})
