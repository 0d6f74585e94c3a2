"""Models of AWS services, as botocore brings them: operations, shapes, errors."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Protocol, cast


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

    def __hash__(self) -> int: ...


class ServiceModel(Protocol):
    """The model of the service."""

    operation_names: Sequence[str]

    def operation_model(self, name: str) -> OperationModel:
        """Give an operation by its name."""
        ...


@cache
def service(name: str) -> ServiceModel:
    """Load the model of a service, once."""
    from botocore.loaders import Loader  # noqa: PLC0415 - only who answers a call needs it
    from botocore.model import ServiceModel as Loaded  # noqa: PLC0415

    return cast("ServiceModel", Loaded(Loader().load_service_model(name, "service-2"), name))
