"""Errors come through from other processes as they were raised."""

import copy
import pickle
from collections.abc import Iterator

import pytest

from pipelinekit.kit.files import UnreadableFile
from pipelinekit.model.errors import DefinitionError, Fault, PipelineKitError

FAULT = Fault("InvalidStructureException", ("stages", 1, "name"), "is odd", "change it")
OF_PARTS: dict[type[PipelineKitError], tuple[object, ...]] = {
    DefinitionError: ("shop", (FAULT,)),
    UnreadableFile: ("shop.json", 3, "an odd thing", "change it"),
}
"""What those are made of that take more than their message."""


def tree(kind: type[PipelineKitError]) -> Iterator[type[PipelineKitError]]:
    if kind.__module__ == PipelineKitError.__module__:
        yield kind
        for each in kind.__subclasses__():
            yield from tree(each)


def sent(error: PipelineKitError) -> PipelineKitError:
    other: PipelineKitError = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    return other


@pytest.mark.parametrize("kind", [*tree(PipelineKitError), UnreadableFile])
def test_an_error_can_be_pickled_and_copied(kind: type[PipelineKitError]) -> None:
    raised = kind(*OF_PARTS.get(kind, ("it is odd; change it",)))
    for other in (sent(raised), copy.copy(raised)):
        assert type(other) is kind
        assert (str(other), vars(other)) == (str(raised), vars(raised))
