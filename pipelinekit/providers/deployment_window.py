"""Rule/AWS/DeploymentWindow: lets an execution go on only at certain times."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from pipelinekit.model.action import Action, Category, Owner
from pipelinekit.model.order import Failed, FailureType, Outcome, Succeeded, Waiting
from pipelinekit.model.settings import Settings
from pipelinekit.ports.provider import Job, Key, Traits, rule_provider
from pipelinekit.tools.cron import CronError, window


def _check(action: Action, _: Settings) -> str | None:
    cron, zone = action.configuration.get("Cron", ""), action.configuration.get("TimeZone", "UTC")
    if "#{" in cron + zone:
        return None
    try:
        window(cron, zone)
    except CronError as error:
        return str(error)
    return None


@rule_provider(
    Traits(
        category=Category.RULE,
        provider="DeploymentWindow",
        owner=Owner.AWS,
        repeatable=True,
        timeout=timedelta(days=1),
        check=_check,
    )
)
def deployment_window(
    job: Job,
    cron: str,
    zone: Annotated[str, Key("TimeZone")] = "UTC",
) -> Outcome:
    """Succeed while a window of time is open; outside of it wait until it opens.

    The stage stays locked meanwhile. The rule fails when its time is over before the window opens.

    Args:
        job: What is to be done.
        cron: Seconds, minutes, hours, day of month, month, day of week and perhaps the year, such
            as `0 0 9-17 ? * MON-FRI *`: each matching minute is open, and where seconds and
            minutes are both 0 the whole hour is (CHOICE).
        zone: `Region/City`, `UTC`, `UTC+01:00` or an abbreviation.

    Source: codepipeline.md 8.
    """
    try:
        times = window(cron, zone)
    except CronError as error:
        return Failed(str(error), FailureType.CONFIGURATION_ERROR)
    now = datetime.now(UTC)
    if times.is_open(now):
        return Succeeded(summary="the window is open")
    opens = times.opens(now)
    if opens is None:
        return Failed(f"the window {cron} in {zone} does not open within a year; correct Cron")
    told = f"the window opens at {opens.astimezone(times.zone).isoformat(timespec='minutes')}"
    job.say(told)
    return Waiting(cron, (opens - now).total_seconds(), told)
