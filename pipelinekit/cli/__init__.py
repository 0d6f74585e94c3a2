"""The face for terminals: one file a group of commands, and the entry `main`.

May import everything below. Must never decide anything about a pipeline: it asks the kit, shows
what that says, and turns the end into an exit code. What is heavy is imported by the command that
needs it.
"""

import sys
from io import TextIOWrapper

from pipelinekit.tools.loading import loading

with loading():
    from pipelinekit.cli.commands import cli


def main() -> None:
    """Run the command line, and end the process with its exit code."""
    # It builds parsers for seconds as soon as papermill's schemas are loaded, for two formats that
    # notebooks never use; jsonschema does without it.
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]  # None blocks an import
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a sign that the terminal lacks stops nothing
    cli()
