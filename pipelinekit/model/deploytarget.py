"""What a deployment did at each of its targets."""

from datetime import datetime, timedelta

from pipelinekit.model.noun import Noun


class TargetEvent(Noun):
    """A lifecycle event at one target.

    Attributes:
        name: Such as `BeforeInstall`.
        status: `Succeeded`, `Failed` or `Skipped`.
        started: UTC.
        seconds: How long it took.
        message: Why it failed.
    """

    name: str
    status: str
    started: datetime
    seconds: float
    message: str = ""

    @property
    def ended(self) -> datetime:
        """Tell when it was over, UTC."""
        return self.started + timedelta(seconds=self.seconds)


class DeployTarget(Noun):
    """A place that something was deployed to.

    Attributes:
        id: Where it is, in full.
        type: What it is: `InstanceTarget` as CodeDeploy calls a host, or `FolderTarget`.
        status: `Succeeded`, `Failed`, or `Skipped` where it was not tried.
        events: What happened there, in order.
    """

    id: str
    type: str
    status: str
    events: tuple[TargetEvent, ...] = ()
