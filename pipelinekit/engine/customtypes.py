"""How custom action types come to be and go. Source: codepipeline.md 11.1."""

import re
from collections.abc import Iterator

from msgspec.structs import replace

from pipelinekit.engine.draft import Draft
from pipelinekit.engine.tags import give_tags
from pipelinekit.model.account import CustomType
from pipelinekit.model.action import ActionTypeId, Category
from pipelinekit.model.errors import LimitExceeded, ValidationError
from pipelinekit.model.event import TypeCreated, TypeDeleted

MOST_TYPES = 50

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_CONFIG = "Config:"


def resource(kind: ActionTypeId) -> str:
    """Give what the ARN of a custom action type ends in."""
    return f"actiontype:{kind.owner}/{kind.category}/{kind.provider}/{kind.version}"


def create_type(draft: Draft, event: TypeCreated) -> None:
    """Create a custom action type, or bring back a deleted one that was the same."""
    custom = event.type
    faults = [*_faults(custom)]
    if faults:
        raise ValidationError(
            f"action type {custom.id} was to be created, and {'; '.join(faults)}"
        )
    _refuse_taken(draft, custom)
    there = [each for each in draft.all(CustomType) if not each.deleted]
    if len(there) >= MOST_TYPES:
        raise LimitExceeded(
            f"action type {custom.id} was to be created, and there are {len(there)}, which is "
            f"the most; delete one"
        )
    draft.put(custom)
    give_tags(draft, resource(custom.id), event.tags)
    draft.answer = str(custom.id)


def delete_type(draft: Draft, event: TypeDeleted) -> None:
    """Mark a custom action type as deleted; one that is not there is no fault."""
    before = draft.get(CustomType, str(event.type))
    if before is None or before.deleted:
        return
    draft.put(replace(before, deleted=True))
    give_tags(draft, resource(before.id), {})


def _refuse_taken(draft: Draft, custom: CustomType) -> None:
    before = draft.get(CustomType, str(custom.id))
    if before is None:
        return
    if not before.deleted:
        raise ValidationError(
            f"action type {custom.id} was to be created, and it is there already; use another "
            f"version"
        )
    if replace(before, at=custom.at, deleted=False) != custom:
        raise ValidationError(
            f"action type {custom.id} was to be created, and a deleted one of that name had "
            f"another definition; use another version"
        )


def _faults(custom: CustomType) -> Iterator[str]:
    if custom.id.category is Category.COMPUTE:
        yield "no custom type can be of category Compute; use Build, Test, Deploy or Invoke"
    for side, (least, most) in (("input", custom.inputs), ("output", custom.outputs)):
        if least > most:
            yield (
                f"its {side}ArtifactDetails have a minimumCount of {least} above the "
                f"maximumCount of {most}; swap them"
            )
    names = [each.name for each in custom.properties]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        yield f"several configurationProperties are called {', '.join(twice)}; rename all but one"
    yield from _queryable_faults(custom)
    yield from _url_faults(custom)


def _queryable_faults(custom: CustomType) -> Iterator[str]:
    queryable = [each for each in custom.properties if each.queryable]
    if len(queryable) > 1:
        names = ", ".join(each.name for each in queryable)
        yield f"{names} are all queryable; one property may be"
    for each in queryable:
        if each.secret or not each.required:
            yield f"{each.name} is queryable; make it required, and no secret"


def _url_faults(custom: CustomType) -> Iterator[str]:
    usable = {each.name for each in custom.properties if each.required and not each.secret}
    for member, template in custom.urls.items():
        for name in _PLACEHOLDER.findall(template):
            known = name == "ExternalExecutionId" or name.removeprefix(_CONFIG) in usable
            if not known or (name in usable):
                yield (
                    f"its {member} refers to {{{name}}}; write {{ExternalExecutionId}}, or "
                    f"{{Config:NAME}} of a property that is required and no secret"
                )
