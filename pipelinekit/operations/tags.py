"""Tags of pipelines, custom action types and webhooks. Source: codepipeline.md 12.1, 12.5."""

import re
from typing import cast

from pipelinekit.engine.customtypes import resource
from pipelinekit.model.account import ACCOUNT, Webhook
from pipelinekit.model.errors import InvalidArn, ResourceNotFound
from pipelinekit.model.event import Tagged
from pipelinekit.model.execution import PipelineRecord
from pipelinekit.operations.pages import last_of, next_token
from pipelinekit.operations.reading import Answer, Given, custom_types, tags_given, tags_of, text
from pipelinekit.ports.control import Control
from pipelinekit.ports.store import Query
from pipelinekit.wire.answers import present, tag_list

PAGE = 100
_LIST = "ListTagsForResource"
_ARN = re.compile(r"arn:[^:]+:codepipeline:[^:]+:\d{12}:(.+)", re.DOTALL)


def tag(control: Control, given: Given) -> Answer:
    """Give a resource tags."""
    owner, named = _resource(control, given)
    control.ask(Tagged, owner, resource=named, values=tags_given(given))
    return {}


def untag(control: Control, given: Given) -> Answer:
    """Take tags away from a resource; those that it does not have are no fault."""
    owner, named = _resource(control, given)
    removed = tuple(cast("list[str]", given["tagKeys"]))
    control.ask(Tagged, owner, resource=named, removed=removed)
    return {}


def list_all(control: Control, given: Given) -> Answer:
    """List the tags of a resource by their names."""
    _, named = _resource(control, given)
    tags = tag_list(tags_of(control, named))
    if token := text(given, "nextToken"):
        last = last_of(control, _LIST, given, token)
        tags = [each for each in tags if str(each["key"]) > last]
    size = cast("int", given.get("maxResults", PAGE))
    page = tags[:size]
    more = next_token(control, _LIST, given, str(page[-1]["key"])) if tags[size:] else None
    return present(tags=page, nextToken=more)


def _resource(control: Control, given: Given) -> tuple[str, str]:
    """Find whose a resource is, and what its ARN ends in."""
    asked = text(given, "resourceArn")
    found = _ARN.fullmatch(asked)
    named = found[1] if found else ""
    kind, _, name = named.rpartition(":")
    if "/" in named and kind.lower() != "actiontype":
        raise _no_arn(asked)
    match kind.lower():
        case "":
            owner, there = named, bool(control.find(PipelineRecord, Query(pipeline=named)))
        case "webhook":
            rows = control.find(Webhook, Query(id=name))
            owner, there = ACCOUNT, any(not row.deleted for row in rows)
        case "actiontype":
            named = f"actiontype:{name}"
            owner, there = ACCOUNT, named in map(resource, custom_types(control))
        case _:
            raise _no_arn(asked)
    if not there:
        raise ResourceNotFound(
            f"the tags of {asked} were asked for, and nothing here has that ARN; give the ARN of "
            f"a pipeline, a custom action type or a webhook of this account"
        )
    return owner, named


def _no_arn(asked: str) -> InvalidArn:
    return InvalidArn(
        f"the tags of {asked!r} were asked for, and only pipelines, custom action types and "
        f"webhooks have some; give the ARN of one of these"
    )
