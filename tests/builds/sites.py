"""A project's source, the builds of it, and what came of them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from pipelinekit.model.action import Action
from pipelinekit.model.order import Failed, Outcome, Succeeded
from pipelinekit.model.settings import Compute, Settings, Where
from pipelinekit.providers.codebuild import codebuild
from tests.fakes import FolderJob, order

ON_THE_HOST = Settings(compute=Compute(where=Where.HOST))
ID = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"


@dataclass
class Site:
    """A source folder, and what came of the build of it."""

    folder: Path
    settings: Settings = ON_THE_HOST
    revision: str = "4f1c2d9"
    builds: int = 0

    def source(self, files: Mapping[str, str], name: str = "app") -> None:
        for path, content in files.items():
            target = self.folder / "sources" / name / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(content, encoding="utf-8")

    def build(
        self,
        buildspec: str = "",
        action: Action | None = None,
        override: str | None = None,
        **keys: Any,
    ) -> "Built":
        self.builds += 1
        if buildspec:
            self.source({"buildspec.yml": buildspec})
        if action is None:
            action = codebuild("build", project="shop", buildspec=override, **keys)
            action = action.reads("app")
        wanted = order(action, id=ID)
        inputs = tuple(replace(each, revision=self.revision) for each in wanted.inputs)
        job = FolderJob(
            replace(wanted, inputs=inputs),
            self.folder / f"job-{self.builds}",
            self.settings,
            inputs={each.name: self.folder / "sources" / each.name for each in inputs},
        )
        job.folder.mkdir()
        return Built(codebuild.carry_out(job), job)


@dataclass
class Built:
    """What came of one build, and the job that it was."""

    outcome: Outcome
    job: FolderJob

    @property
    def succeeded(self) -> Succeeded:
        assert isinstance(self.outcome, Succeeded), self.outcome
        return self.outcome

    @property
    def failed(self) -> Failed:
        assert isinstance(self.outcome, Failed), self.outcome
        return self.outcome

    def text(self, name: str) -> str:
        return (self.job.folder / "in/app" / name).read_text(encoding="utf-8")

    def files(self, artifact: str) -> set[str]:
        root = self.job.written[artifact]
        return {str(path.relative_to(root)) for path in root.rglob("*") if not path.is_dir()}


def phases(**commands: list[str]) -> str:
    """Write a buildspec of phases; `build_finally` names the finally block of build."""
    given: dict[str, dict[str, list[str]]] = {}
    for name, lines in commands.items():
        phase = name.removesuffix("_finally")
        key = "commands" if phase == name else "finally"
        given.setdefault(phase, {})[key] = lines
    return json.dumps({"version": 0.2, "phases": given})


def artifacts(text: str, section: Mapping[str, object], **more: object) -> str:
    return json.dumps({**json.loads(text), "artifacts": section, **more})
