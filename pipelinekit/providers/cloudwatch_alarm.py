"""Rule/AWS/CloudWatchAlarm: lets an execution go on only while an alarm is calm."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

from pipelinekit.model.action import Action, Category, Owner
from pipelinekit.model.order import Failed, FailureType, Outcome, Succeeded, Waiting
from pipelinekit.model.settings import Aws, Settings
from pipelinekit.ports.provider import Job, Key, Traits, rule_provider

STATES: Final = ("ALARM", "OK", "INSUFFICIENT_DATA")
LOOK_SECONDS: Final = 30.0
LAST_SECONDS: Final = 1.0


class _Unknown(Exception):
    """The state of an alarm cannot be had; the message says why and what to do."""


def _check(action: Action, settings: Settings) -> str | None:
    given = action.configuration
    states = given.get("AlarmStates", "ALARM")
    if "#{" not in states and (odd := _odd_states(states)):
        return odd
    if settings.aws is None or settings.aws == Aws():
        return _no_account(given.get("AlarmName", ""))
    region = settings.aws.region
    if action.region and action.region != region:
        return (
            f"the rule is to ask region {action.region}, and the account in pipelinekit.toml is "
            f"that of {region or 'no certain region'}; set `region` in [aws], or leave the "
            f"rule's out"
        )
    return None


@rule_provider(
    Traits(
        category=Category.RULE,
        provider="CloudWatchAlarm",
        owner=Owner.AWS,
        inputs=(0, 0),
        outputs=(0, 0),
        repeatable=True,
        timeout=timedelta(days=1),
        check=_check,
    )
)
def cloudwatch_alarm(
    job: Job,
    alarm: Annotated[str, Key("AlarmName")],
    states: Annotated[str, Key("AlarmStates")] = "ALARM",
    minutes: Annotated[int, Key("WaitTime")] = 0,
) -> Outcome:
    """Succeed when a CloudWatch alarm is in none of the states to react to.

    Otherwise the rule waits for the alarm to recover, and fails when it has not in time. The alarm
    is asked of the account, or the endpoint, of `[aws]` in pipelinekit.toml.

    CHOICE: it is the same on success; the rule does not go on watching an alarm that is calm.

    Args:
        job: What is to be done.
        alarm: The name of the alarm, of a metric or a composite one.
        states: The states to react to, with commas: ALARM, OK, INSUFFICIENT_DATA.
        minutes: How long the rule waits for a recovery.

    Source: codepipeline.md 8.
    """
    if odd := _odd_states(states):
        return Failed(odd, FailureType.CONFIGURATION_ERROR)
    try:
        state, reason = _look(job.settings.aws, alarm)
    except _Unknown as unknown:
        return Failed(str(unknown), FailureType.CONFIGURATION_ERROR)
    told = f"alarm {alarm} is in state {state}"
    job.say(f"{told}: {reason}" if reason else told)
    if state not in _words(states):
        return Succeeded(summary=told)
    now = datetime.now(UTC)
    until = _until(job.order.token) or now + timedelta(minutes=minutes)
    left = (until - now).total_seconds()
    if left <= 0:
        waited = f" after {minutes} minutes" if minutes else ""
        return Failed(f"{told}{waited}: {reason}; see to its cause, then retry the stage")
    seconds = max(min(LOOK_SECONDS, left), LAST_SECONDS)
    return Waiting(until.isoformat(), seconds, f"{told}; it has until {until:%H:%M:%S} UTC")


def _no_account(alarm: str) -> str:
    return (
        f"the alarm {alarm} is to be asked of CloudWatch, and no AWS account is configured; name "
        f'one in pipelinekit.toml, such as\n\n[aws]\nprofile = "default"\nregion = "eu-west-1"'
    )


def _words(states: str) -> set[str]:
    return {word.strip() for word in states.split(",") if word.strip()}


def _odd_states(states: str) -> str | None:
    words = _words(states)
    if words and words <= set(STATES):
        return None
    return f"AlarmStates is {states!r}; write one or more of {', '.join(STATES)}, with commas"


def _until(token: str | None) -> datetime | None:
    return datetime.fromisoformat(token) if token else None


def _look(account: Aws | None, name: str) -> tuple[str, str]:
    import boto3  # noqa: PLC0415 - takes a fifth of a second, and few projects need it
    from botocore.config import Config  # noqa: PLC0415 - as above
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - as above

    if account is None or account == Aws():
        raise _Unknown(_no_account(name))
    patience = Config(connect_timeout=10, read_timeout=20, retries={"mode": "standard"})
    try:
        session = boto3.Session(profile_name=account.profile, region_name=account.region)
        client = session.client("cloudwatch", endpoint_url=account.endpoint, config=patience)
        kinds = ["MetricAlarm", "CompositeAlarm"]
        found = client.describe_alarms(AlarmNames=[name], AlarmTypes=kinds)
    except (BotoCoreError, ClientError, ValueError) as error:
        where = ", ".join(filter(None, (account.profile, account.region, account.endpoint)))
        raise _Unknown(
            f"the alarm {name} was asked of CloudWatch ({where}), which was answered by: {error}; "
            f"see there whether it may be read"
        ) from None
    for each in (*found["MetricAlarms"], *found["CompositeAlarms"]):
        return str(each["StateValue"]), str(each.get("StateReason", ""))
    raise _Unknown(f"there is no alarm {name} in CloudWatch; correct AlarmName, or create it")
