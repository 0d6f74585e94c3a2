"""Writes a definition for people's own notebooks: an action for each, in the order they need."""

import re
from collections.abc import Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Final

from pipelinekit.model.errors import ValidationError
from pipelinekit.model.noun import Noun
from pipelinekit.tools.notebooks import NotebookError, Parameter, parameters

CATEGORIES: Final = ("Build", "Test", "Deploy", "Invoke")
CALLS: Final = {"Build": "notebook"} | {
    each: f"notebook_{each.lower()}" for each in CATEGORIES[1:]
}
SOURCE: Final = "source"


class Wish(Noun):
    """What is to be written.

    Attributes:
        files: The notebooks.
        after: `later:earlier`, by the names of the notebooks without `.ipynb`.
        name: Of the pipeline.
        category: What the actions are for.
        by_stage: Whether each step becomes a stage, and not a run order in one.
    """

    files: Sequence[Path]
    after: Sequence[str]
    name: str
    category: str = "Build"
    by_stage: bool = False


def written(wish: Wish) -> str:
    """Write a pipeline of notebooks as Python.

    Args:
        wish: What is asked for.

    Raises:
        ValidationError: A notebook is unknown, unreadable or not below the working directory, two
            have one name, or they wait for each other.
    """
    named = _named(wish.files)
    needs = _needs(wish.after, named)
    steps = _steps(needs)
    actions = "\n".join(_action(each, named[each], needs, wish) for step in steps for each in step)
    name = re.sub(r"[^A-Za-z0-9.@_-]", "-", wish.name)[:100]
    lines = [f'    pk.Pipeline("{name}")', f'    >> pk.Stage("Source", {SOURCE})']
    told = [_together(step) for step in steps]
    if wish.by_stage:
        lines += [f'    >> pk.Stage("Step-{at}", {step})' for at, step in enumerate(told, 1)]
    else:
        inner = [f"({step})" if " + " in step and len(told) > 1 else step for step in told]
        lines.append(f'    >> pk.Stage("Notebooks", {" >> ".join(inner)})')
    return (
        '"""Notebooks as a pipeline; change it as you like."""\n\nimport pipelinekit as pk\n\n'
        f'{SOURCE} = pk.git("{SOURCE}", ".")\n{actions}\n\npipeline = (\n'
        + "\n".join(lines)
        + "\n)\n"
    )


def _named(files: Sequence[Path]) -> dict[str, Path]:
    named: dict[str, Path] = {}
    for file in files:
        name = re.sub(r"\W", "_", file.stem).lstrip("_0123456789") or "notebook"
        name = f"{name}_" if name in {SOURCE, "pk", "pipeline"} else name
        if name in named:
            raise ValidationError(
                f"{file} and {named[name]} would both be the action {name}; rename one of them"
            )
        named[name] = file
    return named


def _needs(after: Sequence[str], named: Mapping[str, Path]) -> dict[str, list[str]]:
    needs: dict[str, list[str]] = {name: [] for name in named}
    by_stem = {file.stem: name for name, file in named.items()} | {name: name for name in named}
    for pair in after:
        later, _, earlier = pair.partition(":")
        for each in (later, earlier):
            if each not in by_stem:
                raise ValidationError(
                    f"--after {pair} names {each!r}, and the notebooks are {', '.join(by_stem)}; "
                    f"write LATER:EARLIER with two of those"
                )
        needs[by_stem[later]].append(by_stem[earlier])
    return needs


def _steps(needs: Mapping[str, Sequence[str]]) -> list[list[str]]:
    sorter = TopologicalSorter(needs)
    try:
        sorter.prepare()
    except CycleError as error:
        round_trip = " after ".join(error.args[1])
        raise ValidationError(
            f"{round_trip}: they wait for each other; drop one --after"
        ) from None
    steps = []
    while sorter.is_active():
        ready = sorter.get_ready()
        steps.append([name for name in needs if name in ready])
        sorter.done(*ready)
    return steps


def _together(step: Sequence[str]) -> str:
    return " + ".join(step)


def _action(name: str, file: Path, needs: Mapping[str, Sequence[str]], wish: Wish) -> str:
    try:
        declared = parameters(file)
        place = file.resolve().relative_to(Path.cwd())
    except NotebookError as error:
        raise ValidationError(str(error)) from None
    except ValueError:
        raise ValidationError(
            f"{file} is to be read from this folder's repository, and is outside of {Path.cwd()}; "
            f"call the command where the notebooks are"
        ) from None
    given = "".join(_given(declared))
    values = f",\n    parameters={{\n{given}    }},\n" if given else ""
    reads = ", ".join((SOURCE, *needs[name]))
    is_needed = any(name in each for each in needs.values())
    writes = f'.writes("{name}_output")' if is_needed else ""
    call = f'pk.{CALLS[wish.category]}("{name}", "{place.as_posix()}"{values})'
    return f"{name} = {call}.reads({reads}){writes}"


def _given(declared: Sequence[Parameter]) -> Iterator[str]:
    for each in declared:
        told = f"  # {each.help}" if each.help else ""
        if each.required:
            yield f'        "{each.name}": ...,  # {each.type or "a value"} is needed\n'
        elif each.default is not None:
            yield f'        "{each.name}": {each.default!r},{told}\n'
