"""CodePipeline's own model, as botocore brings it: operations, shapes, errors."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Final, Protocol, cast

PREFIX: Final = "CodePipeline_20150709"


class Shape(Protocol):
    """A shape of the model; structures have `members`, lists `member`, maps `key` and `value`."""

    name: str
    type_name: str
    metadata: Mapping[str, object]
    members: Mapping[str, "Shape"]
    required_members: Sequence[str]
    member: "Shape"
    key: "Shape"
    value: "Shape"


class OperationModel(Protocol):
    """An operation of the model."""

    name: str
    input_shape: Shape
    output_shape: Shape | None
    error_shapes: Sequence[Shape]


class ServiceModel(Protocol):
    """The model of the service."""

    operation_names: Sequence[str]

    def operation_model(self, name: str) -> OperationModel:
        """Give an operation by its name."""
        ...


@cache
def service() -> ServiceModel:
    """Load the model, once."""
    from botocore.loaders import Loader  # noqa: PLC0415 - only who answers a call needs it
    from botocore.model import ServiceModel as Loaded  # noqa: PLC0415

    data = Loader().load_service_model("codepipeline", "service-2")
    return cast("ServiceModel", Loaded(data, "codepipeline"))


@cache
def declared_errors(operation: str) -> frozenset[str]:
    """Name the errors that an operation declares."""
    return frozenset(shape.name for shape in service().operation_model(operation).error_shapes)
