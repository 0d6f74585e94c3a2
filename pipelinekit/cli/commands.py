"""The list of commands; each is loaded when it is first used."""

import errno
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import click

from pipelinekit.cli.surroundings import Exit, Surroundings, echo_json, shared
from pipelinekit.model.errors import PipelineKitError
from pipelinekit.wire.words import clean

COMMANDS = {
    "init": "define:init",
    "validate": "define:validate",
    "import": "transfer:import_",
    "export": "transfer:export",
    "plan": "plan:plan",
    "run": "execute:run",
    "start": "execute:start",
    "watch": "execute:watch",
    "work": "work:work",
    "serve": "serve:serve",
    "status": "look:status",
    "logs": "look:logs",
    "approve": "answer:approve",
    "reject": "answer:reject",
    "stop": "answer:stop",
    "retry": "answer:retry",
    "resume": "answer:resume",
    "open": "notebooks:open_step",
    "override": "answer:override",
    "rollback": "pipelines:rollback",
    "transition": "pipelines:transition",
    "history": "history:history",
    "report": "report:report",
    "gc": "gc:gc",
    "delete": "pipelines:delete",
    "release": "release:release",
    "environments": "environments:environments",
    "notebook": "notebooks:notebook",
    "doctor": "doctor:doctor",
    "demo": "demo:demo",
}
"""By name, the module in this room and what the command is called there."""

STREAMS: Final = {"stdin": "r", "stdout": "w", "stderr": "w"}
"""The standard streams by name, and how each is opened."""


class Refused(click.ClickException):
    """Something was asked that cannot be done."""

    exit_code = Exit.REFUSED


class Commands(click.Group):
    """The commands of `COMMANDS`, and what their errors mean for the exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """List the names in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Load a command."""
        place = COMMANDS.get(cmd_name)
        if place is None:
            return None
        module, _, name = place.partition(":")
        command = getattr(import_module(f"pipelinekit.cli.{module}"), name)
        assert isinstance(command, click.Command)  # noqa: S101 - the table is ours
        return command

    def main(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - click's signature
        """Run as a program, also where a standard stream is closed."""
        for name, mode in STREAMS.items():
            if getattr(sys, name) is None:
                setattr(sys, name, Path(os.devnull).open(mode))  # noqa: SIM115 - it stays
        return super().main(*args, **kwargs)

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,  # noqa: ANN401 - click's signature
    ) -> click.Context:
        """Read the options before the command; say in JSON what is wrong, where that is wanted."""
        wants_json = "--json" in args
        try:
            return super().make_context(info_name, args, parent, **extra)
        except click.ClickException as error:
            if wants_json:
                echo_json({"error": {"code": "Usage", "message": error.format_message()}})
            raise

    def invoke(self, ctx: click.Context) -> object:
        """Run a command; say what was refused, without a traceback, and in JSON where wanted."""
        try:
            return super().invoke(ctx)
        except PipelineKitError as error:
            _answer(ctx, error.code, str(error))
            raise Refused(clean(str(error))) from error
        except OSError as error:
            if error.errno == errno.EPIPE:  # nobody reads any more, which click knows about
                raise
            message = _of_system(error)
            _answer(ctx, type(error).__name__, message)
            raise Refused(clean(message)) from error
        except click.ClickException as error:
            _answer(ctx, "Usage", error.format_message())
            raise
        except (KeyboardInterrupt, click.Abort):
            ctx.exit(Exit.INTERRUPTED)


def _answer(context: click.Context, code: str, message: str) -> None:
    if context.ensure_object(Surroundings).json:
        echo_json({"error": {"code": code, "message": message}})


def _of_system(error: OSError) -> str:
    return (
        f"{error.filename or 'something'} was to be read or written, and that failed: "
        f"{error.strerror or error}; choose another place, or see to it that this one can be used"
    )


@click.command(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=(
        "Exit codes: 0 succeeded, 1 failed, 2 usage or refused, 3 waiting for people, "
        "124 time-out, 130 interrupted. With --json a refusal is an object `error`, with "
        "`code` and `message`."
    ),
)
@click.version_option(
    package_name="pipelinekit", prog_name="pipelinekit", help="Show the version and exit."
)
@shared
@click.pass_context
def cli(context: click.Context) -> None:
    """Run release pipelines on this machine, with the semantics of AWS CodePipeline."""
    if os.environ.get("NO_COLOR"):
        context.color = False
