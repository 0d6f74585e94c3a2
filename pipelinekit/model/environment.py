"""A place that a notebook is released to, with the values that make it that place."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Environment:
    """A named environment, such as `staging`.

    Attributes:
        name: 1 to 100 of letters, digits and `. @ - _`; it becomes part of file names.
        parameters: Values for the parameters of a notebook, plain JSON data.
    """

    name: str
    parameters: Mapping[str, object] = field(default_factory=dict)
