"""What a provider is asked to do, and the three ways in which it can answer."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from msgspec import field

from pipelinekit.model.action import ActionTypeId, EnvironmentVariable
from pipelinekit.model.condition import ConditionType
from pipelinekit.model.execution import Artifact, Revision
from pipelinekit.model.noun import TAG, Noun
from pipelinekit.model.testreport import TestReport


class FailureType(StrEnum):
    """The kinds of failure that CodePipeline tells apart."""

    JOB_FAILED = "JobFailed"
    CONFIGURATION_ERROR = "ConfigurationError"
    PERMISSION_ERROR = "PermissionError"
    REVISION_OUT_OF_SYNC = "RevisionOutOfSync"
    REVISION_UNAVAILABLE = "RevisionUnavailable"
    SYSTEM_UNAVAILABLE = "SystemUnavailable"
    RUNNER_LOST = "RunnerLost"


class Order(Noun):
    """One attempt of an action or of a rule, with everything that is needed to carry it out.

    Attributes:
        id: The action execution's id, the same however often it is asked.
        action: The action's name, or the rule's.
        configuration: The provider's keys with their variables put in.
        inputs: The artifacts to read, in the order of the declaration.
        outputs: The artifacts to write, with the places assigned to them.
        revision: The revision that a start asked a source to take.
        object_key: The S3 object that a start asked a source to take instead of its own.
        token: What the provider said when it answered `Waiting`; None the first time.
        due: When to ask it; at once when None.
        deadline: When the action fails for want of time.
        commands: Shell lines, of a Commands action.
        exported: Names of the shell variables that a Commands action gives away.
        files: Which files an output artifact of a Commands action takes, by its name.
        environment: Shell variables of the action, with pipeline variables put in.
        condition: Where the rule stands that is to be checked; None for an action.
        fence: Rises each time that another engine takes it; an answer counts only under the last.
    """

    id: str
    pipeline: str
    execution: str
    stage: str
    action: str
    type: ActionTypeId
    configuration: Mapping[str, str] = field(default_factory=dict)
    inputs: tuple[Artifact, ...] = ()
    outputs: tuple[Artifact, ...] = ()
    revision: str | None = None
    object_key: str | None = None
    number: int = 1
    token: str | None = None
    due: datetime | None = None
    deadline: datetime | None = None
    commands: tuple[str, ...] = ()
    exported: tuple[str, ...] = ()
    files: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    environment: tuple[EnvironmentVariable, ...] = ()
    condition: ConditionType | None = None
    fence: int = 1


class Succeeded(Noun, tag=True, tag_field=TAG):
    """The action did what it was asked.

    Args:
        variables: Output variables, all text.
        summary: One line for people.
        external_id: What the doer calls this run.
        external_url: Where to look at it.
        revision: What a source action found.
        place: Where it was done, such as `sandbox`.
        reports: What the tests of a build came to.
    """

    variables: Mapping[str, str] = field(default_factory=dict)
    summary: str = ""
    external_id: str = ""
    external_url: str = ""
    revision: Revision | None = None
    place: str = "here"
    reports: tuple[TestReport, ...] = ()


class Failed(Noun, tag=True, tag_field=TAG):
    """The action said no.

    Args:
        message: Why, in words that help.
        code: The kind of failure, or the doer's own code.
        summary: One line for people.
        external_id: What the doer calls this run.
        external_url: Where to look at it.
        place: Where it was tried, such as `sandbox`.
        reports: What the tests of a build came to.
    """

    message: str
    code: str = FailureType.JOB_FAILED
    summary: str = ""
    external_id: str = ""
    external_url: str = ""
    place: str = "here"
    reports: tuple[TestReport, ...] = ()


class Waiting(Noun, tag=True, tag_field=TAG):
    """The action is under way elsewhere; ask again with `token`.

    Args:
        token: Whatever the provider needs to find its work again (CodePipeline's continuation
            token, up to 2048 characters).
        seconds: When to ask again; never by itself when None, for then somebody answers.
        summary: One line for people.
        percent: How much of it is done, 0 to 100.
        external_id: What the doer calls this run.
        external_url: Where to look at it.
    """

    token: str
    seconds: float | None = None
    summary: str = ""
    percent: int | None = None
    external_id: str = ""
    external_url: str = ""


Outcome = Succeeded | Failed | Waiting
