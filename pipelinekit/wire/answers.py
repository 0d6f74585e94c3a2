"""What the answers of the API have in common: absent members, times, bounds, ARNs."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from pipelinekit.model.action import ActionTypeId
from pipelinekit.model.execution import ErrorDetails
from pipelinekit.tools.commands.surroundings import REGION

Json = dict[str, object]

ACCOUNT_ID: Final = "000000000000"
MESSAGE, SUMMARY, URL, EXTERNAL_ID = 5_000, 2_048, 2_048, 1_500


def present(**members: object) -> Json:
    """Give the members that say something: none that is None or an empty text."""
    return {name: value for name, value in members.items() if value is not None and value != ""}


def epoch(at: datetime | None) -> float | None:
    """Give a time as seconds since 1970 with a fraction, as every SDK takes it."""
    return None if at is None else round(at.timestamp(), 3)


def cut(text: str, most: int) -> str | None:
    """Give a text within the bounds of its shape; None where there is nothing to say."""
    return text[:most] or None


def arn(resource: str) -> str:
    """Give the ARN of a pipeline by its name, or of what else a resource names."""
    return f"arn:aws:codepipeline:{REGION}:{ACCOUNT_ID}:{resource}"


def action_type_id(kind: ActionTypeId) -> Json:
    """Write the name of an action type."""
    return {
        "category": kind.category.value,
        "owner": kind.owner.value,
        "provider": kind.provider,
        "version": kind.version,
    }


def error_details(error: ErrorDetails | None) -> Json | None:
    """Write why something failed."""
    if error is None:
        return None
    return present(code=error.code, message=cut(error.message, MESSAGE))


def tag_list(tags: Mapping[str, str]) -> list[Json]:
    """Write tags in the order of their names."""
    return [{"key": name, "value": tags[name]} for name in sorted(tags)]
