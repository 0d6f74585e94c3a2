"""Writes the reference pages from the code itself: `python -m tests.told.reference`."""

import inspect
import os
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

import click

from pipelinekit.cli import cli
from pipelinekit.engine import tables
from pipelinekit.kit.registry import discover
from pipelinekit.operations.table import OPERATIONS
from pipelinekit.ports.provider import Declared
from pipelinekit.tools.aws.service_model import service
from tests.told import rules

FOLDER = Path(__file__).parents[2] / "notebooks" / "reference"
MADE = "<!-- made by `python -m tests.told.reference` -->\n"


def providers() -> str:
    """Describe every built-in provider by its own signature and docstring."""
    text = "# What runs here\n"
    built_in = [each for each in discover().values() if _built_in(each)]
    for provider in sorted(built_in, key=lambda each: str(each.traits.id)):
        text += f"\n## {provider.traits.id}\n\n{inspect.getdoc(provider)}\n\n"
        text += "| key | required | secret |\n| --- | --- | --- |\n"
        for key in provider.type.properties:
            text += f"| `{key.name}` | {_word(flag=key.required)} | {_word(flag=key.secret)} |\n"
        least, most = provider.type.inputs
        text += f"\nReads {least} to {most} artifacts, writes {provider.type.outputs[0]} to "
        text += f"{provider.type.outputs[1]}. Takes at most {provider.type.timeout}."
        variables = provider.type.variables
        if variables is None:
            text += " Its output variables are open.\n"
        else:
            text += f" Output variables: {', '.join(sorted(variables)) or 'none'}.\n"
    return text


def statuses() -> str:
    """Draw the state machines from the engine's own tables."""
    text = "# Statuses and their changes\n"
    for name, table in (
        ("Pipeline execution", tables.PIPELINE),
        ("Stage execution", tables.STAGE),
        ("Action execution", tables.ACTION),
        ("Condition of a stage", tables.CONDITION),
    ):
        text += f"\n## {name}\n\n```mermaid\nstateDiagram-v2\n{_moves(table)}```\n"
    return text


def commands() -> str:
    """Collect the help of every command."""
    os.environ["COLUMNS"] = "100"
    text = "# The command line\n"
    context = click.Context(cli, info_name="pipelinekit", **cli.context_settings)
    text += f"\n```\n{cli.get_help(context)}\n```\n"
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        assert command is not None
        inner = click.Context(command, info_name=name, parent=context)
        text += f"\n## pipelinekit {name}\n\n```\n{command.get_help(inner)}\n```\n"
    return text


def api() -> str:
    """List the operations of the API, with what their functions say and their errors."""
    text = "# The operations of the API\n\n"
    text += "What they take and give is in CodePipeline's own API reference; "
    text += "[the guide](../guides/api.md) shows each of them in use.\n\n"
    text += "| operation | here | errors besides ValidationException |\n| --- | --- | --- |\n"
    for name, function in OPERATIONS.items():
        model = service("codepipeline").operation_model(name)
        errors = sorted({shape.name for shape in model.error_shapes} - {"ValidationException"})
        told = (inspect.getdoc(function) or "").partition("\n")[0]
        codes = " ".join(f"`{error.removesuffix('Exception')}`" for error in errors)
        text += f"| `{name}` | {told} | {codes} |\n"
    return text


PAGES = {
    "providers.md": providers,
    "statuses.md": statuses,
    "rules.md": rules.page,
    "cli.md": commands,
    "api.md": api,
}


def _built_in(provider: Declared[...]) -> bool:
    return provider.__module__.startswith("pipelinekit.")


def _word(*, flag: bool) -> str:
    return "yes" if flag else "no"


def _moves(table: Mapping[StrEnum, Mapping[StrEnum, str]]) -> str:
    moves = "  [*] --> InProgress\n"
    for before, targets in table.items():
        for after, cause in targets.items():
            moves += f"  {before} --> {after}: {cause}\n"
    return moves


def main() -> None:
    """Write every page."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, page in PAGES.items():
        (FOLDER / name).write_text(MADE + page(), encoding="utf-8")


if __name__ == "__main__":
    main()
