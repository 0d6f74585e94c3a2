"""Errors come through from other processes as they were raised."""

import copy
import pickle
from collections.abc import Iterator

import pytest

from pipelinekit.model.errors import DefinitionError, Fault, PipelineKitError


def tree(kind: type[PipelineKitError]) -> Iterator[type[PipelineKitError]]:
    yield kind
    for each in kind.__subclasses__():
        yield from tree(each)


def sent(error: PipelineKitError) -> PipelineKitError:
    other: PipelineKitError = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    return other


@pytest.mark.parametrize("kind", tuple(tree(PipelineKitError)))
def test_an_error_can_be_pickled_and_copied(kind: type[PipelineKitError]) -> None:
    fault = Fault("InvalidStructureException", ("stages", 1, "name"), "is odd", "change it")
    told = ("shop", (fault,)) if issubclass(kind, DefinitionError) else ("it is odd; change it",)
    raised = kind(*told)
    for other in (sent(raised), copy.copy(raised)):
        assert type(other) is kind
        assert (str(other), vars(other)) == (str(raised), vars(raised))
