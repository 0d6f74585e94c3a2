"""How resources get tags and lose them. Source: codepipeline.md 2.8, 12.5."""

import re
from collections.abc import Mapping

from msgspec.structs import replace

from pipelinekit.engine.draft import Draft
from pipelinekit.model.account import ACCOUNT, Tags
from pipelinekit.model.errors import InvalidTags, TooManyTags
from pipelinekit.model.event import Tagged

MOST_TAGS = 50
RESERVED = "aws:"
LEGAL = re.compile(r"[\w +\-=.:/@]*")
"""Letters, digits, spaces and some marks."""


def tag(draft: Draft, event: Tagged) -> None:
    """Give a resource tags, or take some away; names that it does not have are no fault."""
    if event.pipeline != ACCOUNT:
        draft.record()
    before = draft.get(Tags, event.resource)
    kept = before.values if before else {}
    after = {**kept, **event.values}
    _refuse_reserved(event.resource, (*event.values, *event.removed))
    _refuse_illegal(event.resource, event.values)
    _set(draft, event.resource, {k: v for k, v in after.items() if k not in event.removed})


def give_tags(draft: Draft, resource: str, values: Mapping[str, str]) -> None:
    """Let a resource have these tags and no others.

    Args:
        draft: The decision.
        resource: What its ARN ends in.
        values: Its tags.

    Raises:
        InvalidTags: A name is reserved, or a name or value has characters that it may not have.
        TooManyTags: There are more than 50.
    """
    _refuse_reserved(resource, tuple(values))
    _refuse_illegal(resource, values)
    _set(draft, resource, values)


def _set(draft: Draft, resource: str, values: Mapping[str, str]) -> None:
    if len(values) > MOST_TAGS:
        raise TooManyTags(
            f"{resource} was to have {len(values)} tags, and {MOST_TAGS} is the most; take some "
            f"away first"
        )
    before = draft.get(Tags, resource) or Tags(draft.event.pipeline, resource)
    if values != before.values:
        draft.put(replace(before, values=values))


def _refuse_reserved(resource: str, names: tuple[str, ...]) -> None:
    reserved = [name for name in names if name.lower().startswith(RESERVED)]
    if reserved:
        raise InvalidTags(
            f"tags {', '.join(reserved)} of {resource} were to be changed, and names that begin "
            f"with {RESERVED} are AWS's own; use other names"
        )


def _refuse_illegal(resource: str, values: Mapping[str, str]) -> None:
    for name, value in values.items():
        if name.endswith(" ") or not (LEGAL.fullmatch(name) and LEGAL.fullmatch(value)):
            raise InvalidTags(
                f"{resource} was to have the tag {name!r}: {value!r}; write letters, digits, "
                f"spaces and + - = . _ : / @, and no space at a name's end"
            )
