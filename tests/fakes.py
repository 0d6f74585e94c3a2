"""Real adapters of our own ports, for tests: they do the work, only smaller."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipelinekit.model.action import Action
from pipelinekit.model.execution import Artifact
from pipelinekit.model.order import Order
from pipelinekit.model.settings import Settings
from pipelinekit.ports.provider import Job


def order(action: Action, **changes: Any) -> Order:
    """Give an order for an action, as the engine would write it."""
    values: dict[str, Any] = {
        "id": "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
        "pipeline": "shop",
        "execution": "9b2d6f0a-2c1f-4e57-8c43-6c1a2b3c4d5e",
        "stage": "Stage",
        "action": action.name,
        "type": action.type,
        "configuration": action.configuration,
        "inputs": tuple(Artifact(name, "bucket", f"shop/{name}/0") for name in action.inputs),
        "outputs": tuple(Artifact(o.name, "bucket", f"shop/{o.name}/1") for o in action.outputs),
        "commands": action.commands,
        "exported": action.output_variables,
        "files": {o.name: o.files for o in action.outputs if o.files},
        "environment": action.environment,
    }
    return Order(**(values | changes))


@dataclass
class FolderJob:
    """A job whose inputs are folders and whose outputs are copies of folders.

    Attributes:
        inputs: A folder for each input artifact.
        written: A folder for each artifact that was written, by name.
        said: The lines of the log that were said through the job.
        started: The pipelines that were started, with variables and revisions.
        told: How far it was, and what it did then.
    """

    order: Order
    folder: Path
    settings: Settings = field(default_factory=Settings)
    inputs: Mapping[str, Path] = field(default_factory=dict)
    written: dict[str, Path] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    started: list[tuple[str, Mapping[str, str], Mapping[str, str]]] = field(default_factory=list)
    told: list[tuple[int, str]] = field(default_factory=list)

    @property
    def private(self) -> Path:
        """Give a folder in the job's own."""
        return self.folder / "private"

    @property
    def cache(self) -> Path:
        """Give a folder beside the job's own."""
        return self.folder.parents[1] / "cache"

    def read(self, artifact: str | None = None) -> Path:
        """Copy an input's folder, once."""
        name = artifact or self.order.inputs[0].name
        target = self.folder / "in" / name
        if not target.exists():
            shutil.copytree(self.inputs[name], target, symlinks=True)
        return target

    def write(self, folder: Path, artifact: str | None = None) -> None:
        """Keep a copy of the folder."""
        if artifact is None and not self.order.outputs:
            return
        name = artifact or self.order.outputs[0].name
        target = self.folder / "out" / name
        shutil.copytree(folder, target, symlinks=True)
        self.written[name] = target

    def say(self, text: str) -> None:
        """Keep the line."""
        self.said.append(text)

    def progress(self, percent: int, text: str) -> None:
        """Keep what was told."""
        self.told.append((percent, text))

    def start(
        self, pipeline: str, variables: Mapping[str, str], revisions: Mapping[str, str]
    ) -> str:
        """Keep what was asked, and give the number of the start as an id."""
        self.started.append((pipeline, variables, revisions))
        return f"execution-{len(self.started)}"


def as_job(job: FolderJob) -> Job:
    """Let mypy prove that the fake is a whole job."""
    return job
