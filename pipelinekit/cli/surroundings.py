"""What all commands share: where they work, how they answer, and their exit codes."""

import json
import logging
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from io import UnsupportedOperation
from pathlib import Path
from typing import TextIO, TypeVar

import click
from msgspec import Struct
from msgspec.structs import asdict

from pipelinekit.engine.ruletypes import rule_type
from pipelinekit.kit.home import Home
from pipelinekit.kit.kit import Kit
from pipelinekit.kit.origin import remembered, settings_folder
from pipelinekit.kit.registry import discover
from pipelinekit.kit.settings_file import load_settings
from pipelinekit.model.action import ActionTypeId
from pipelinekit.model.errors import CannotRunHere
from pipelinekit.model.pipeline import Pipeline

Command = TypeVar("Command", bound=Callable[..., object])


class Exit(IntEnum):
    """What the end of a command means to a script."""

    SUCCEEDED = 0
    FAILED = 1
    REFUSED = 2
    WAITING = 3
    TIMEOUT = 124
    INTERRUPTED = 130


@dataclass(slots=True)
class Surroundings:
    """What the options that all commands share have said.

    Attributes:
        home: The folder of the state; the usual one when None.
        json: Whether the answer is JSON.
        answers: Where that goes; standard output when None.
    """

    home: str | None = None
    json: bool = False
    answers: TextIO | None = None

    @property
    def fresh(self) -> bool:
        """Tell whether nothing was ever kept here."""
        return (
            not os.environ.get("PIPELINEKIT_DB_URL") and not Home.find(self.home).folder.exists()
        )

    def kit(self, folder: Path | None = None, *, work: bool = False) -> Kit:
        """Open the kit.

        Args:
            folder: Whose settings count; the working directory when None.
            work: Whether this process is to work too; then a JSON answer has standard output for
                itself, and what actions print goes to standard error.
        """
        if work and self.json and self.answers is None:
            self.answers = _kept_apart(sys.stdout)
        return Kit(self.home, settings=load_settings(folder or Path.cwd()), work=work)

    def worker_of(self, pipeline: str) -> Kit:
        """Open a kit that works, with the settings and the functions of a known pipeline.

        Raises:
            PipelineNotFound: No pipeline has that name.
            UnreadableFile: The file that its functions stand in cannot be executed any more.
        """
        definition, file = self.known(pipeline)
        foreign = functions_of(definition)
        if foreign:
            raise CannotRunHere(
                f"pipeline {pipeline} was to be worked on, and {', '.join(foreign)} are functions "
                f"that no file here declares; declare them in a notebook that holds a Kit of "
                f"{Home.find(self.home).folder}, or run the file that declares them"
            )
        return self.kit(settings_folder(file), work=True)

    def known(self, pipeline: str) -> tuple[Pipeline, Path | None]:
        """Find a pipeline by its name; the functions of the file that defined it are declared.

        Returns:
            The pipeline, and that file where it is known and still there.

        Raises:
            PipelineNotFound: No pipeline has that name.
            UnreadableFile: The file cannot be executed any more.
        """
        from pipelinekit.kit.files import read_definition

        with self.existing() as kit:
            definition = kit.definition(pipeline)
            file = remembered(kit.home.folder, pipeline)
        if file is not None and functions_of(definition):
            read_definition(file)
        return definition, file

    def existing(self) -> Kit:
        """Open the kit of a home that must be there already, to look and to ask."""
        if self.fresh:
            raise click.UsageError(
                f"nothing has run here yet: there is no {Home.find(self.home).folder}; begin with "
                f"`pipelinekit run FILE`, or say where to look with -C or --home"
            )
        return self.kit()


def log_with_times() -> None:
    """Have what a process that stays says in passing bear its time, as a log is read later."""
    logging.basicConfig(
        format="%(asctime)s %(levelname)s %(message)s", datefmt="%Y-%m-%dT%H:%M:%S%z"
    )
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False  # no use here


def functions_of(pipeline: Pipeline) -> list[str]:
    """List the actions and rules of a pipeline that no installed provider carries out."""
    types: list[tuple[str, ActionTypeId]] = []
    for stage in pipeline.stages:
        types += [(f"{stage.name}/{action.name}", action.type) for action in stage.actions]
        types += [(f"{stage.name}/{rule.name}", rule_type(rule)) for rule in stage.rules]
    installed = discover()
    return [name for name, type_id in types if type_id not in installed]


def echo_json(data: object) -> None:
    """Print data as JSON; nouns are objects, times ISO 8601."""
    context = click.get_current_context(silent=True)
    answers = context.ensure_object(Surroundings).answers if context else None
    click.echo(json.dumps(data, indent=2, ensure_ascii=False, default=_plain), file=answers)


def shared(command: Command) -> Command:
    """Give a command the options that all commands have."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def _kept_apart(stream: TextIO) -> TextIO:
    """Give where a stream leads to, and lead all that this process puts out to standard error."""
    try:
        kept = os.dup(stream.fileno())
    except UnsupportedOperation:  # it leads nowhere outside of this process
        return stream
    stream.flush()
    os.dup2(sys.stderr.fileno(), stream.fileno())
    return os.fdopen(kept, "w", encoding=stream.encoding, errors=stream.errors)


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Struct):
        return asdict(value)
    return str(value)


def _go(_context: click.Context, _option: click.Parameter, folder: str | None) -> None:
    if folder is not None:
        os.chdir(folder)


def _set_home(context: click.Context, _option: click.Parameter, folder: str | None) -> None:
    if folder is not None:
        context.ensure_object(Surroundings).home = folder


def _set_json(context: click.Context, _option: click.Parameter, wanted: bool) -> None:  # noqa: FBT001 - click's signature
    context.ensure_object(Surroundings).json |= wanted


_OPTIONS: tuple[Callable[[Command], Command], ...] = (
    click.option(
        "-C",
        "--directory",
        type=click.Path(exists=True, file_okay=False),
        is_eager=True,
        expose_value=False,
        callback=_go,
        help="Do everything in this directory.",
    ),
    click.option(
        "--home",
        type=click.Path(file_okay=False),
        expose_value=False,
        callback=_set_home,
        help="The folder of the state.  [default: $PIPELINEKIT_HOME, else .pipelinekit]",
    ),
    click.option(
        "--json",
        is_flag=True,
        expose_value=False,
        callback=_set_json,
        help="Answer in JSON on standard output.",
    ),
)
