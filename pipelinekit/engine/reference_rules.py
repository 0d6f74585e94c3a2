"""What can be wrong between actions: rules A6 to A13 and A17 of the catalogue.

Source: codepipeline.md, sections 2.12 and 5.1.
"""

from collections.abc import Callable, Iterator
from typing import TypeAlias

from pipelinekit.engine.action_rules import command_of_several_lines
from pipelinekit.engine.declaration import Finding, PlacedAction, PlacedRule, Reference

SYSTEM = "codepipeline"
SYSTEM_KEYS = frozenset({"PipelineExecutionId"})
VARIABLES = "variables"
RESERVED = (SYSTEM, VARIABLES)

Reader: TypeAlias = PlacedAction | PlacedRule
"""What reads artifacts."""


def artifact_not_written_before(placed: Reader) -> Iterator[Finding]:
    """A6: an input that no earlier action writes."""
    for index, name in enumerate(placed.inputs):
        writer = placed.declaration.outputs.get(name)
        if writer and writer[0].order < placed.order:
            continue
        found = f'{placed.title} reads the artifact "{name}", which '
        if writer is None:
            found += "no action writes"
            advice = "write it in an earlier action, or read one that is written"
        else:
            found += f"{writer[0].title} does not write before"
            advice = "let the writer stand in an earlier stage or have a lower runOrder"
        yield Finding((*placed.path, "inputArtifacts", index, "name"), found, advice)


def artifact_written_twice(placed: PlacedAction) -> Iterator[Finding]:
    """A7: an output that another action writes already."""
    for index, output in enumerate(placed.action.outputs):
        writer, position = placed.declaration.outputs[output.name]
        if (writer.path, position) != (placed.path, index):
            found = f'the artifact "{output.name}" is written by "{writer.action.name}" already'
            path = (*placed.path, "outputArtifacts", index, "name")
            yield Finding(path, found, "rename one of them")


def artifact_read_twice(placed: Reader) -> Iterator[Finding]:
    """A8: the same input twice."""
    inputs = placed.inputs
    for index, name in enumerate(inputs):
        if name in inputs[:index]:
            found = f'{placed.title} reads the artifact "{name}" twice'
            path = (*placed.path, "inputArtifacts", index, "name")
            yield Finding(path, found, "name it once")


def namespace_used_twice(placed: PlacedAction) -> Iterator[Finding]:
    """A9: a namespace that another action declares already."""
    namespace = placed.action.namespace
    if namespace is None:
        return
    first = placed.declaration.namespaces[namespace]
    if first.path != placed.path:
        found = f'the namespace "{namespace}" is that of action "{first.action.name}" already'
        yield Finding((*placed.path, "namespace"), found, "rename one of them")


def namespace_not_free(placed: PlacedAction) -> Iterator[Finding]:
    """A10: a namespace that is the name of an artifact, or reserved."""
    namespace = placed.action.namespace
    if namespace in RESERVED:
        found = f'the namespace "{namespace}" is reserved'
        yield Finding((*placed.path, "namespace"), found, "choose another one")
    if namespace in placed.declaration.outputs:
        found = f'the namespace "{namespace}" is also the name of an artifact'
        yield Finding((*placed.path, "namespace"), found, "rename one of them")


def undeclared_namespace(reference: Reference) -> Iterator[Finding]:
    """A11: a reference to a namespace that no action declares."""
    declared = reference.declaration.namespaces
    if reference.namespace not in RESERVED and reference.namespace not in declared:
        found = f'no action declares the namespace "{reference.namespace}" of {reference}'
        known = ", ".join((*RESERVED, *declared))
        advice = f"give the producer that namespace, or use one that is declared: {known}"
        yield Finding(reference.path, found, advice)


def producer_not_before(reference: Reference) -> Iterator[Finding]:
    """A12: a reference to a variable of an action that does not precede this one."""
    producer = reference.declaration.namespaces.get(reference.namespace)
    if producer and producer.order >= reference.order:
        found = (
            f'{reference} is a variable of action "{producer.action.name}", which is not before'
        )
        advice = "let the producer stand in an earlier stage or have a lower runOrder"
        yield Finding(reference.path, found, advice)


def undeclared_variable(reference: Reference) -> Iterator[Finding]:
    """A13: a reference to a variable that the pipeline does not declare, or from a source."""
    if reference.namespace != VARIABLES:
        return
    declared = reference.declaration.variables
    if reference.key not in declared:
        found = f'the pipeline declares no variable "{reference.key}" for {reference}'
        known = ", ".join(sorted(declared)) or "none so far"
        yield Finding(reference.path, found, f"declare it; the variables are {known}")
    elif reference.in_source:
        found = f"{reference} stands in a source action, where pipeline variables are unknown"
        yield Finding(reference.path, found, "write the value itself")


def key_not_written(reference: Reference) -> Iterator[Finding]:
    """A17: a reference to a key that its producer never gives."""
    known = _fixed_keys(reference)
    if known is not None and reference.key not in known:
        keys = ", ".join(sorted(known)) or "none"
        found = f'{reference} asks for "{reference.key}", which its producer never gives'
        yield Finding(reference.path, found, f"use one of its variables: {keys}")


def _fixed_keys(reference: Reference) -> frozenset[str] | None:
    if reference.namespace == SYSTEM:
        return SYSTEM_KEYS
    producer = reference.declaration.namespaces.get(reference.namespace)
    return producer.type.variables if producer and producer.type else None


RULE_RULES: tuple[tuple[str, Callable[[PlacedRule], Iterator[Finding]]], ...] = (
    ("A6", artifact_not_written_before),
    ("A8", artifact_read_twice),
    ("A16", command_of_several_lines),
)

ARTIFACT_RULES: tuple[tuple[str, Callable[[PlacedAction], Iterator[Finding]]], ...] = (
    ("A6", artifact_not_written_before),
    ("A7", artifact_written_twice),
    ("A8", artifact_read_twice),
    ("A9", namespace_used_twice),
    ("A10", namespace_not_free),
)

REFERENCE_RULES: tuple[tuple[str, Callable[[Reference], Iterator[Finding]]], ...] = (
    ("A11", undeclared_namespace),
    ("A12", producer_not_before),
    ("A13", undeclared_variable),
    ("A17", key_not_written),
)
