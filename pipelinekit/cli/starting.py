"""What `run`, `start` and `plan` have in common: what is meant, and with which values."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TypeVar

import click
from msgspec import field

from pipelinekit.cli.pairs import pairs
from pipelinekit.kit.files import SUFFIXES, Written, read_definition
from pipelinekit.kit.kit import Kit
from pipelinekit.kit.origin import remember
from pipelinekit.kit.run import Run
from pipelinekit.model.noun import Noun

Result = TypeVar("Result")


class Values(Noun):
    """With which values an execution is to start.

    Attributes:
        variables: For pipeline variables.
        revisions: Commits by source action.
        object_keys: S3 objects by source action.
    """

    variables: dict[str, str] = field(default_factory=dict)
    revisions: dict[str, str] = field(default_factory=dict)
    object_keys: dict[str, str] = field(default_factory=dict)


def begin(kit: Kit, target: str, written: Written | None, values: Values) -> Run:
    """Start an execution, and remember which file its pipeline was defined by.

    Args:
        kit: Where.
        target: The name of a pipeline.
        written: The definition, where it was read from a file.
        values: With which it starts.
    """
    run = kit.start(
        target if written is None else written.pipeline,
        variables=values.variables,
        revisions=values.revisions,
        object_keys=values.object_keys,
    )
    if written is not None:
        remember(kit.home.folder, run.pipeline, written.file)
    return run


def read_target(target: str, *, check: bool = True) -> Written | None:
    """Read the definition, where a file is meant and no name.

    Args:
        target: As it was typed.
        check: Whether a definition with faults is refused.

    Raises:
        UnreadableFile: It cannot be read.
        DefinitionError: It has faults.
    """
    path = Path(target)
    if not (path.suffix in {*SUFFIXES, ".ipynb"} or "/" in target or path.is_file()):
        return None
    written = read_definition(path)
    if check:
        written.checked()
    return written


def starting(command: Callable[..., Result]) -> Callable[..., Result]:
    """Give a command the options that say with which values an execution starts, as `values`."""

    @wraps(command)
    def with_values(
        *args: object,
        variables: dict[str, str],
        revisions: dict[str, str],
        object_keys: dict[str, str],
        **others: object,
    ) -> Result:
        return command(*args, values=Values(variables, revisions, object_keys), **others)

    for add in (_OBJECT_KEY, _REVISION, _VARIABLE):
        with_values = add(with_values)
    return with_values


_OBJECT_KEY = click.option(
    "--object-key",
    "object_keys",
    multiple=True,
    metavar="ACTION=KEY",
    callback=pairs,
    help="The S3 object that a source action is to take instead of its own; may be repeated.",
)
_REVISION = click.option(
    "--revision",
    "revisions",
    multiple=True,
    metavar="ACTION=COMMIT",
    callback=pairs,
    help="The commit that a source action is to take; may be repeated.",
)
_VARIABLE = click.option(
    "--variable",
    "variables",
    multiple=True,
    metavar="NAME=VALUE",
    callback=pairs,
    help="A value for a variable of the pipeline; may be repeated.",
)
