"""What an action or a rule is given: its variables put in, its artifacts found.

Source: codepipeline.md 5.3 (variables), 6 (artifacts).
"""

import re
from collections.abc import Callable, Mapping

from pipelinekit.engine.draft import Draft
from pipelinekit.engine.variables import resolve
from pipelinekit.model.action import EnvironmentVariable
from pipelinekit.model.execution import Artifact, OutputVariables, PipelineExecution, Produced

RESOLVED_LIMIT = 100 * 1024

Lookup = Callable[[str, str], str | None]


def lookup(draft: Draft, execution: PipelineExecution) -> Lookup:
    """Give the function that finds a variable's value by its namespace and key."""

    def find(namespace: str, key: str) -> str | None:
        if namespace == "codepipeline":
            return execution.id if key == "PipelineExecutionId" else None
        if namespace == "variables":
            return execution.variables.get(key)
        row = draft.get(OutputVariables, execution.id, namespace)
        return row.values.get(key) if row else None

    return find


def put_in(texts: Mapping[str, str], lookup: Lookup) -> tuple[Mapping[str, str], tuple[str, ...]]:
    """Put values in the place of references; give the texts, and references without a value."""
    resolved: dict[str, str] = {}
    missing: list[str] = []
    for key, text in texts.items():
        if "#{" in text:
            resolved[key], unresolved = resolve(text, lookup)
            missing.extend(unresolved)
        else:
            resolved[key] = text
    return resolved, tuple(missing)


def put_in_shell(
    commands: tuple[str, ...], lookup: Lookup
) -> tuple[tuple[str, ...], tuple[EnvironmentVariable, ...], tuple[str, ...]]:
    """Let shell commands read values from their environment, where no value can be a command.

    CHOICE: the reference leaves open whether commands may hold references. Here `#{src.Title}`
    becomes `${PK_src_Title}`, and the variable is set.

    Returns:
        The commands, the variables to set, and references without a value.
    """
    known: dict[str, str] = {}
    missing: list[str] = []

    def name(namespace: str, key: str) -> str:
        variable = re.sub(r"\W", "_", f"PK_{namespace}_{key}")
        value = lookup(namespace, key)
        if value is None:
            missing.append(f"{namespace}.{key}")
        while known.setdefault(variable, value or "") != (value or ""):
            variable += "_"  # another reference has this name and another value
        return f"${{{variable}}}"

    written = tuple(resolve(command, name)[0] for command in commands)
    variables = tuple(EnvironmentVariable(name, value) for name, value in known.items())
    return written, variables, tuple(dict.fromkeys(missing))


def artifacts(
    draft: Draft, execution: PipelineExecution, names: tuple[str, ...]
) -> tuple[Artifact, ...]:
    """Give the artifacts of an execution, those that have been written, by their names."""
    rows = (draft.get(Produced, execution.id, name) for name in names)
    return tuple(row.artifact for row in rows if row is not None and row.artifact.digest)


def problem(
    wanted: tuple[str, ...],
    found: tuple[Artifact, ...],
    resolved: Mapping[str, str],
    missing: tuple[str, ...],
) -> str | None:
    """Say why something cannot start with what it was given; None when it can.

    Args:
        wanted: The names of the artifacts that it reads.
        found: Those that there are.
        resolved: Its configuration with variables put in.
        missing: References that have no value.
    """
    if missing:
        return (
            f"the variables {', '.join(missing)} have no value; look whether the action that "
            f"should write them did"
        )
    if len(found) < len(wanted):
        written = {artifact.name for artifact in found}
        absent = ", ".join(name for name in wanted if name not in written)
        return (
            f"no action of this execution wrote the artifacts {absent}; look whether the "
            f"action that should write them did"
        )
    size = sum(len(key.encode()) + len(value.encode()) for key, value in resolved.items())
    if size > RESOLVED_LIMIT:
        return (
            f"its configuration is {size} bytes once its variables are put in, and "
            f"{RESOLVED_LIMIT} is the most; pass large values in an artifact"
        )
    return None
