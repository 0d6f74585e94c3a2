"""What `run` and `start` have in common: what is to be started, and with which values."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import click

from pipelinekit.kit.files import SUFFIXES, Written, read_definition
from pipelinekit.kit.kit import Kit
from pipelinekit.kit.origin import remember
from pipelinekit.kit.run import Run

Command = TypeVar("Command", bound=Callable[..., object])


@dataclass(frozen=True, slots=True)
class Start:
    """What is to be started.

    Attributes:
        target: A file or a name, as it was typed.
        variables: Values for pipeline variables.
        revisions: Commits by source action.
    """

    target: str
    variables: dict[str, str]
    revisions: dict[str, str]

    def begin(self, kit: Kit, written: Written | None) -> Run:
        """Start the execution, and remember which file it was defined by."""
        pipeline = self.target if written is None else written.pipeline
        run = kit.start(pipeline, variables=self.variables, revisions=self.revisions)
        if written is not None:
            remember(kit.home.folder, run.pipeline, written.file)
        return run


def read_target(target: str) -> Written | None:
    """Read the definition, where a file is meant and no name.

    Raises:
        UnreadableFile: It cannot be read.
        DefinitionError: It has faults.
    """
    path = Path(target)
    if not (path.suffix in {*SUFFIXES, ".ipynb"} or "/" in target or path.is_file()):
        return None
    written = read_definition(path)
    written.checked()
    return written


def starting(command: Command) -> Command:
    """Give a command the options that say with which values an execution starts."""
    for add in (_REVISION, _VARIABLE):
        command = add(command)
    return command


def _pairs(
    _context: click.Context, option: click.Parameter, given: Iterable[str]
) -> dict[str, str]:
    pairs = [each.partition("=") for each in given]
    for name, sign, _ in pairs:
        if not sign or not name:
            raise click.BadParameter(
                f"{name + sign!r} is no pair; write it as {option.metavar}", param=option
            )
    return {name: value for name, _, value in pairs}


_REVISION = click.option(
    "--revision",
    "revisions",
    multiple=True,
    metavar="ACTION=COMMIT",
    callback=_pairs,
    help="The commit that a source action is to take; may be repeated.",
)
_VARIABLE = click.option(
    "--variable",
    "variables",
    multiple=True,
    metavar="NAME=VALUE",
    callback=_pairs,
    help="A value for a variable of the pipeline; may be repeated.",
)
