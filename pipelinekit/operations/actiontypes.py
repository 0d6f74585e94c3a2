"""Action types and rule types. Source: codepipeline.md 8, 11.1, 12.5."""

from collections.abc import Mapping
from typing import Final, cast

from pipelinekit.engine.customtypes import resource
from pipelinekit.engine.ruletypes import RULES
from pipelinekit.model.account import ACCOUNT, CustomType
from pipelinekit.model.action import ActionTypeId, Category, Owner
from pipelinekit.model.actiontype import Property
from pipelinekit.model.errors import ValidationError
from pipelinekit.model.event import TypeCreated, TypeDeleted
from pipelinekit.operations.pages import last_of
from pipelinekit.operations.reading import Answer, Given, custom_types, tags_given, tags_of, text
from pipelinekit.ports.control import Control
from pipelinekit.runtime.clock import now
from pipelinekit.wire.answers import present, tag_list
from pipelinekit.wire.type_answers import action_type, properties

READING_RULES: Final = frozenset({"CodeBuild", "Commands"})
"""The rules that take artifacts."""


def list_all(control: Control, given: Given) -> Answer:
    """List the action types that a definition may use."""
    if token := text(given, "nextToken"):  # all are on the first page, so no token was given out
        last_of(control, "ListActionTypes", given, token)
    owner = given.get("actionOwnerFilter")
    custom = custom_types(control)
    kinds = sorted(control.types().values(), key=lambda kind: str(kind.id))
    listed = [
        action_type(kind, custom[kind.id].urls if kind.id in custom else {})
        for kind in kinds
        if kind.id.category is not Category.RULE and owner in {None, kind.id.owner}
    ]
    return {"actionTypes": listed}


def list_rules(control: Control, given: Given) -> Answer:
    """List the rule types that a condition may use."""
    del control, given
    return {
        "ruleTypes": [
            {
                "id": {
                    "category": "Rule",
                    "owner": "AWS",
                    "provider": rule.provider,
                    "version": "1",
                },
                "settings": {},
                "ruleConfigurationProperties": properties(rule.properties),
                "inputArtifactDetails": {
                    "minimumCount": 0,
                    "maximumCount": 5 if rule.provider in READING_RULES else 0,
                },
            }
            for rule in RULES
        ]
    }


def create(control: Control, given: Given) -> Answer:
    """Create a custom action type, whose jobs workers poll for."""
    kind = _named(given)
    if kind in control.declared():
        raise ValidationError(
            f"action type {kind} was to be created, and a provider that is installed here "
            f"carries it out; use another version"
        )
    custom = CustomType(
        id=kind,
        at=now(),
        inputs=_bounds(given, "inputArtifactDetails"),
        outputs=_bounds(given, "outputArtifactDetails"),
        properties=tuple(
            map(_property, cast("list[Given]", given.get("configurationProperties", [])))
        ),
        urls=cast("Mapping[str, str]", given.get("settings") or {}),
    )
    control.ask(TypeCreated, ACCOUNT, type=custom, tags=tags_given(given))
    tags = tags_of(control, resource(kind))
    return present(actionType=action_type(custom.type, custom.urls), tags=tag_list(tags))


def delete(control: Control, given: Given) -> Answer:
    """Mark a custom action type as deleted; one that is not there is no fault."""
    control.ask(TypeDeleted, ACCOUNT, type=_named(given))
    return {}


def _named(given: Given) -> ActionTypeId:
    category = Category(text(given, "category"))
    return ActionTypeId(category, Owner.CUSTOM, text(given, "provider"), text(given, "version"))


def _bounds(given: Given, side: str) -> tuple[int, int]:
    told = cast("Mapping[str, int]", given[side])
    return told["minimumCount"], told["maximumCount"]


def _property(told: Given) -> Property:
    return Property(
        name=text(told, "name"),
        required=bool(told["required"]),
        secret=bool(told["secret"]),
        queryable=bool(told.get("queryable")),
        description=text(told, "description"),
        key=bool(told["key"]),
        type=text(told, "type"),
    )
