"""What an action type demands and offers: its artifacts, keys, variables and time limit."""

from datetime import timedelta

from pipelinekit.model.action import ActionTypeId
from pipelinekit.model.noun import Noun

DEFAULT_TIMEOUT = timedelta(hours=1)


class Property(Noun):
    """A configuration key of an action type.

    Attributes:
        queryable: Whether job workers may ask for jobs by its value.
        key: Whether it tells actions apart.
        type: String, Number or Boolean; empty where nobody said.
    """

    name: str
    required: bool = False
    secret: bool = False
    queryable: bool = False
    description: str = ""
    key: bool = False
    type: str = ""


class ActionType(Noun):
    """An action type, as ListActionTypes describes it.

    Attributes:
        id: Its name.
        inputs: The fewest and the most artifacts it reads.
        outputs: The fewest and the most artifacts it writes.
        properties: Its configuration keys.
        open: Whether it takes keys that `properties` does not name.
        variables: The output variables it always writes; None when they are open.
        v2_only: Whether a V1 pipeline may not use it.
        timeout: How long an action may take.
        description: One sentence on what it does.
    """

    id: ActionTypeId
    inputs: tuple[int, int] = (0, 0)
    outputs: tuple[int, int] = (0, 0)
    properties: tuple[Property, ...] = ()
    open: bool = False
    variables: frozenset[str] | None = frozenset()
    v2_only: bool = False
    timeout: timedelta = DEFAULT_TIMEOUT
    description: str = ""
