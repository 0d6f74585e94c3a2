"""Which providers there are: built-in ones and foreign ones, found by the same door.

A built-in one is loaded when it is needed: together they bring half of the package along.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module

from pipelinekit import providers as rooms
from pipelinekit.engine.catalog import TYPES
from pipelinekit.model.action import ActionTypeId
from pipelinekit.model.actiontype import ActionType
from pipelinekit.ports.provider import DECLARED, Declared
from pipelinekit.tools.installed import may_offer

GROUP = "pipelinekit.providers"


class Providers(Mapping[ActionTypeId, Declared[...]]):
    """All providers; what was declared in this process stands before a built-in one."""

    def __getitem__(self, type_id: ActionTypeId) -> Declared[...]:
        """Give a provider, which is loaded if need be."""
        if type_id not in DECLARED and type_id in rooms.FILES:
            before = dict(DECLARED)
            import_module(_built_in(type_id))
            DECLARED.update(before)
        return DECLARED[type_id]

    def __contains__(self, type_id: object) -> bool:
        """Tell whether there is one, without loading it."""
        return type_id in DECLARED or type_id in rooms.FILES

    def __iter__(self) -> Iterator[ActionTypeId]:
        """Name their types."""
        return iter({**rooms.FILES, **DECLARED})

    def __len__(self) -> int:
        """Count them."""
        return len({**rooms.FILES, **DECLARED})


class ActionTypes(Mapping[ActionTypeId, ActionType]):
    """Every action type that a definition may use: CodePipeline's own and declared ones."""

    def __getitem__(self, type_id: ActionTypeId) -> ActionType:
        """Give an action type; for one of ours its provider is loaded."""
        return TYPES[type_id] if type_id in TYPES else _PROVIDERS[type_id].type

    def __contains__(self, type_id: object) -> bool:
        """Tell whether there is one."""
        return type_id in TYPES or type_id in _PROVIDERS

    def __iter__(self) -> Iterator[ActionTypeId]:
        """Name them."""
        return iter({**dict.fromkeys(_PROVIDERS), **dict.fromkeys(TYPES)})

    def __len__(self) -> int:
        """Count them."""
        return len({*_PROVIDERS, *TYPES})


_PROVIDERS = Providers()
_TYPES = ActionTypes()


def discover() -> Providers:
    """Give the providers that are installed and those that were declared in this process."""
    _load_foreign()
    return _PROVIDERS


def provider(type_id: ActionTypeId, module: str) -> Declared[...]:
    """Give the provider that a module declares, which is loaded mostly: no other is looked at.

    Args:
        type_id: The action type.
        module: The module's name.
    """
    declared = DECLARED.get(type_id)
    if declared is not None and declared.__module__ == module:
        return declared
    return discover()[type_id]


def own() -> dict[ActionTypeId, Declared[...]]:
    """Give those that were declared in this process, and are none of ours."""
    _load_foreign()
    return {
        type_id: declared
        for type_id, declared in DECLARED.items()
        if declared.__module__ != _built_in(type_id)
    }


def _built_in(type_id: ActionTypeId) -> str:
    return f"{rooms.__name__}.{rooms.FILES.get(type_id, '')}"


@cache
def _load_foreign() -> None:
    if not may_offer(GROUP):
        return
    from importlib.metadata import entry_points  # noqa: PLC0415 - that takes its time

    for entry in entry_points(group=GROUP):
        entry.load()


def action_type(type_id: ActionTypeId) -> ActionType | None:
    """Give an action type by its name; None where nobody knows it."""
    return action_types().get(type_id)


def action_types() -> ActionTypes:
    """Give every action type that a definition may use: CodePipeline's own and declared ones."""
    _load_foreign()
    return _TYPES
