"""Which providers there are: built-in ones and foreign ones, found by the same door."""

import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points

from pipelinekit import providers as rooms
from pipelinekit.engine.catalog import TYPES
from pipelinekit.model.action import ActionTypeId
from pipelinekit.model.actiontype import ActionType
from pipelinekit.ports.provider import DECLARED, Declared

GROUP = "pipelinekit.providers"


def discover() -> Mapping[ActionTypeId, Declared[...]]:
    """Give the providers that are installed and those that were declared in this process."""
    _load()
    return DECLARED


@cache
def _load() -> None:
    for module in pkgutil.iter_modules(rooms.__path__):
        import_module(f"{rooms.__name__}.{module.name}")
    for entry in entry_points(group=GROUP):
        entry.load()


def action_type(type_id: ActionTypeId) -> ActionType | None:
    """Give an action type by its name; None where nobody knows it."""
    declared = discover().get(type_id)
    return TYPES.get(type_id) or (declared.type if declared else None)


def action_types() -> dict[ActionTypeId, ActionType]:
    """Give every action type that a definition may use: CodePipeline's own and declared ones."""
    declared = {type_id: provider.type for type_id, provider in discover().items()}
    return {**declared, **TYPES}
