"""A project with a deployment group, and revisions whose scripts write down what they do."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from msgspec.structs import replace

from pipelinekit.model.order import Failed, Outcome
from pipelinekit.model.settings import DeploymentGroup, Settings
from pipelinekit.providers.codedeploy import codedeploy, deployment_id
from pipelinekit.tools.deployments.revision import LOAD_BALANCED, SCRIPTED
from tests.fakes import FolderJob, order

ACTION = replace(codedeploy("live", application="shop", group="production"), inputs=("app",))
EVENTS = (*SCRIPTED, *LOAD_BALANCED)
HEAD = "version: 0.0\nos: linux\n"
HOOKS = "hooks:\n" + "".join(f"  {event}:\n    - location: scripts/{event}\n" for event in EVENTS)


@dataclass
class Project:
    """A project folder with one deployment group, `shop/production`."""

    folder: Path
    group: DeploymentGroup = field(default_factory=lambda: DeploymentGroup(targets=("live",)))
    said: list[str] = field(default_factory=list)
    attempts: int = 0

    @property
    def live(self) -> Path:
        """The first target."""
        return self.folder / "live"

    @property
    def settings(self) -> Settings:
        """What pipelinekit.toml says."""
        return Settings(str(self.folder), groups={"shop/production": self.group})

    def job(self, appspec: str, files: Mapping[str, str]) -> FolderJob:
        """Write a revision, and give the job of a new attempt to deploy it."""
        self.attempts += 1
        revision = self.folder / f"revision{self.attempts}"
        for name, text in {"appspec.yml": appspec, **files}.items():
            path = revision / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return FolderJob(
            order(ACTION, id=f"attempt-{self.attempts}"),
            self.folder / f"job{self.attempts}",
            self.settings,
            {"app": revision},
            said=self.said,
        )

    def deploy(self, appspec: str, files: Mapping[str, str] | None = None) -> Outcome:
        """Deploy a new revision."""
        return codedeploy.carry_out(self.job(appspec, files or {}))

    def ids(self, target: str = "live") -> set[str]:
        """The deployments whose revisions are kept on a target."""
        archives = (self.folder / target / ".codedeploy").glob("*/deployment-archive")
        return {archive.parent.name for archive in archives}

    def last(self, target: str = "live") -> str:
        """The last successful deployment of a target."""
        path = self.folder / target / ".codedeploy" / "last-successful"
        return path.read_text(encoding="utf-8").strip()

    def ledger(self, target: str = "live") -> list[str]:
        """What the scripts have written down on a target."""
        return (self.folder / target / "ledger").read_text(encoding="utf-8").splitlines()


def scripts(version: str, **bodies: str) -> dict[str, str]:
    """Give one script for each event, which notes the event and does what `bodies` says."""
    note = f'#!/bin/sh\necho "$LIFECYCLE_EVENT {version}" >> "$PIPELINEKIT_TARGET/ledger"\n'
    return {f"scripts/{event}": note + bodies.get(event, "") for event in EVENTS}


def failed(outcome: Outcome) -> Failed:
    """Expect a failure."""
    assert isinstance(outcome, Failed), outcome
    return outcome


def attempt(number: int) -> str:
    """Give the deployment id of an attempt."""
    return deployment_id(f"attempt-{number}")
