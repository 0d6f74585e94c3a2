"""How environments are put into words, the same on terminals and in drawings."""

from collections.abc import Iterator
from datetime import datetime

from pipelinekit.model.environment import Environment, Freeze
from pipelinekit.tools.freezes import Frozen, calendar
from pipelinekit.wire.words import one_line

HEADINGS = ("Environment", "After", "Parameters", "Account", "Approval", "Freezes")


def cells(environment: Environment, present: datetime) -> tuple[str, ...]:
    """Tell what an environment is and demands, in the columns of `HEADINGS`.

    Args:
        environment: The environment.
        present: The time now, UTC.
    """
    return (
        environment.name,
        ", ".join(environment.after),
        one_line(", ".join(f"{key}={value!r}" for key, value in environment.parameters.items())),
        _account(environment),
        _approval(environment),
        "; ".join(_freezes(environment, present)),
    )


def frozen(environment: Environment, present: datetime) -> Frozen | None:
    """Tell whether nothing is released to an environment now, until when and why."""
    freezes = [(each.begin, each.end, each.weekly, each.reason) for each in environment.freezes]
    return calendar(freezes, environment.zone).frozen(present)


def _account(environment: Environment) -> str:
    account = environment.account
    if account is None:
        return ""
    return " ".join(filter(None, (account.profile, account.region, account.endpoint)))


def _approval(environment: Environment) -> str:
    if not environment.asks:
        return ""
    who = ", ".join(environment.approvers) or "anybody"
    count = f"{environment.asks} of " if environment.asks > 1 else ""
    return f"{count}{who}{' but the author, with a comment' if environment.protected else ''}"


def _freezes(environment: Environment, present: datetime) -> Iterator[str]:
    now = frozen(environment, present) if environment.freezes else None
    if now is not None:
        until = f"until {now.until:%Y-%m-%d %H:%M}" if now.until else "for ever"
        yield f"FROZEN {until}"
    for each in environment.freezes:
        yield one_line(_freeze(each))
    if environment.freezes:
        yield environment.zone


def _freeze(freeze: Freeze) -> str:
    when = freeze.weekly or f"{freeze.begin} to {freeze.end}"
    return f"{when}{f' ({freeze.reason})' if freeze.reason else ''}"
