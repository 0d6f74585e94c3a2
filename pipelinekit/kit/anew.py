"""The command that releases a notebook again, as it was released before."""

import json
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from pipelinekit.kit.environments import find_environments
from pipelinekit.kit.promotion import releases
from pipelinekit.model.errors import PipelineKitError
from pipelinekit.model.pipeline import Pipeline

NAME: Final = "environment"
"""The parameter that is given the name of the environment."""


def anew(definition: Pipeline, notebook: Path) -> str:
    """Give the command that releases a notebook again, to the same environments.

    A parameter that all of them had alike, and that none of them says of itself, was given for
    the release; it is given again.

    Args:
        definition: The pipeline of its release.
        notebook: The notebook, beside which the environments may be described.
    """
    here = Path.cwd()
    shown = notebook.relative_to(here) if notebook.is_relative_to(here) else notebook
    given = _given(definition)
    try:
        known = find_environments(here, notebook.parent)
        own = {name: known[name].parameters for name in given}
    except PipelineKitError:
        own = {}
    names = [] if own and set(known) == set(given) else list(given)
    options = [
        *(("--env", name) for name in names),
        *(("-p", f"{name}={_text(value)}") for name, value in _added(given, own)),
        *(("--files", pattern) for pattern in _patterns(definition, notebook)),
    ]
    parts = (part for option in options for part in option)
    return shlex.join(["pipelinekit", "release", str(shown), *parts])


def _given(definition: Pipeline) -> dict[str, Mapping[str, object]]:
    return {
        action.name: json.loads(action.configuration.get("Parameters", "{}"))
        for stage in definition.stages
        for action in releases(stage)
    }


def _added(
    given: Mapping[str, Mapping[str, object]], own: Mapping[str, Mapping[str, object]]
) -> Iterator[tuple[str, object]]:
    first, *others = given.values()
    for name, value in first.items():
        alike = all(name in each and each[name] == value for each in others)
        said = own and all(own[each].get(name, object()) == value for each in given)
        if alike and not said and (name, value) != (NAME, next(iter(given))):
            yield name, value


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _patterns(definition: Pipeline, notebook: Path) -> list[str]:
    written = definition.stages[0].actions[0].configuration.get("Patterns", "").splitlines()
    return [line for line in written if Path(line).name != notebook.name]
