"""Rule/Custom/Freeze and Approval/Custom/Freeze: let nothing on while an environment is frozen."""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

from msgspec.structs import replace

from pipelinekit.engine.precedence import START_AFTER
from pipelinekit.engine.review import FREEZE
from pipelinekit.model.action import Action, Category
from pipelinekit.model.order import Failed, FailureType, Outcome, Succeeded, Waiting
from pipelinekit.model.settings import Settings
from pipelinekit.ports.forms import Names
from pipelinekit.ports.provider import Job, Key, Traits, provider, rule_provider
from pipelinekit.tools.freezes import Calendar, FreezeError, calendar

FREEZES: Final = "Freezes"
FREEZE_MINUTES: Final = 60 * 24 * 60
"""How long CodePipeline lets a rule wait."""

MEMBERS: Final = ("from", "to", "weekly", "reason")

Period = Mapping[str, str]


class _Periods:
    def write(self, value: object) -> str:
        return json.dumps(value)

    def read(self, text: str) -> list[Period]:
        with suppress(json.JSONDecodeError):
            found = json.loads(text)
            if isinstance(found, list) and all(map(_is_period, found)):
                return found
        raise ValueError(
            f"{FREEZES} is a JSON list of objects with texts for {', '.join(MEMBERS)}; write it so"
        )


def _is_period(data: object) -> bool:
    return isinstance(data, dict) and all(
        key in MEMBERS and isinstance(value, str) for key, value in data.items()
    )


def _check(action: Action, _: Settings) -> str | None:
    given = action.configuration
    zone = given.get("TimeZone", "UTC")
    if "#{" in zone + given.get(FREEZES, ""):
        return None
    try:
        _calendar(_Periods().read(given.get(FREEZES, "[]")), zone)
    except ValueError as error:
        return str(error)
    return None


_TRAITS: Final = Traits(
    category=Category.RULE,
    provider=FREEZE,
    repeatable=True,
    timeout=timedelta(minutes=FREEZE_MINUTES),
    check=_check,
)


@rule_provider(_TRAITS)
def freeze(
    job: Job,
    freezes: Annotated[Sequence[Period], Key(FREEZES, form=_Periods())],
    zone: Annotated[str, Key("TimeZone")] = "UTC",
) -> Outcome:
    """Succeed outside of freezes; in one wait until it is over. CodePipeline has no such rule.

    The stage stays locked meanwhile. Whoever overrides the condition has to say why.

    Args:
        job: What is to be done.
        freezes: For each `from` and `to`, dates such as `2026-12-20` or local times such as
            `2026-12-20 16:00`, or `weekly`, such as `SAT - SUN` or `FRI 16:00 - MON 07:00`; and a
            `reason`.
        zone: `Region/City`, `UTC`, `UTC+01:00` or an abbreviation.
    """
    return _looked(job, freezes, zone)


@provider(replace(_TRAITS, category=Category.APPROVAL, inputs=(0, 0), outputs=(0, 0)))
def freeze_gate(
    job: Job,
    freezes: Annotated[Sequence[Period], Key(FREEZES, form=_Periods())],
    zone: Annotated[str, Key("TimeZone")] = "UTC",
    *,
    start_after: Annotated[Sequence[str] | None, Key(START_AFTER, form=Names())] = None,
) -> Outcome:
    """Go on outside of freezes; in one wait until it is over. CodePipeline has no such type.

    It is an action, so that it holds up only what comes after it. Whoever approves it overrides
    the freeze, and has to say why in the comment.

    Args:
        job: What is to be done.
        freezes: As those of the rule `freeze`.
        zone: `Region/City`, `UTC`, `UTC+01:00` or an abbreviation.
        start_after: Actions of the same run order that have to succeed first.
    """
    del start_after  # the engine sees to it
    return _looked(job, freezes, zone)


def _looked(job: Job, freezes: Sequence[Period], zone: str) -> Outcome:
    try:
        times = _calendar(freezes, zone)
    except FreezeError as error:
        return Failed(str(error), FailureType.CONFIGURATION_ERROR)
    now = datetime.now(UTC)
    frozen = times.frozen(now)
    if frozen is None:
        return Succeeded(summary="no freeze")
    why = f": {frozen.reason}" if frozen.reason else ""
    if frozen.until is None:
        return Failed(f"frozen for ever{why}; leave some time between the freezes")
    until = frozen.until.astimezone(times.zone)
    told = f"frozen until {until:%Y-%m-%d %H:%M} {zone}{why}"
    job.say(told)
    return Waiting(told, (frozen.until - now).total_seconds(), told)


def _calendar(freezes: Sequence[Period], zone: str) -> Calendar:
    begin, end, weekly, reason = MEMBERS
    return calendar(
        [
            (each.get(begin, ""), each.get(end, ""), each.get(weekly, ""), each.get(reason, ""))
            for each in freezes
        ],
        zone,
    )
