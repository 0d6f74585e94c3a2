"""What a build is asked to do, and what comes of it."""

from collections.abc import Callable, Mapping
from pathlib import Path

from msgspec import field

from pipelinekit.model.noun import Noun
from pipelinekit.model.order import FailureType
from pipelinekit.model.settings import Project
from pipelinekit.model.testreport import TestReport
from pipelinekit.ports.provider import Job
from pipelinekit.tools.commands.confinement import Confinement
from pipelinekit.tools.redact import Redactor
from pipelinekit.wire.buildspec import Artifacts, Buildspec
from pipelinekit.wire.environment_variables import Variables


class BuildFailed(Exception):
    """A build that failed, or that cannot be begun.

    Attributes:
        code: The kind of failure: JOB_FAILED once commands have run.
        place: Where it ran, such as `sandbox`; empty when it was not begun.
        reports: What its tests came to until then.
    """

    def __init__(
        self,
        message: str,
        code: FailureType = FailureType.CONFIGURATION_ERROR,
        *,
        place: str = "",
        reports: tuple[TestReport, ...] = (),
    ) -> None:
        super().__init__(message)
        self.code = code
        self.place = place
        self.reports = reports


class Request(Noun, gc=True):
    """What is asked for, before a source or a buildspec is looked at.

    Attributes:
        job: The attempt of the action that asks.
        name: Of the project, or what stands for it.
        project: What the settings say about it.
        buildspec: A path in the primary source or inline YAML, in place of the project's own.
        variables: Those of the action, which prevail over all others.
        primary: The input in which the build starts; needed with more than one.
        identifier: Of this build in its batch; None for a build that is in none.
        folder: For the build's own files; one in the job's own folder when None.
        say: Where the lines of its log go, those of its commands too; the job's log when None.
        ended: Tells that the build is no longer wanted.
    """

    job: Job
    name: str
    project: Project = field(default_factory=Project)
    buildspec: str | None = None
    variables: Variables = field(default_factory=Variables)
    primary: str | None = None
    identifier: str | None = None
    folder: Path | None = None
    say: Callable[[str], None] | None = None
    ended: Callable[[], bool] | None = None

    @property
    def workplace(self) -> Path:
        """Give the folder for the build's own files."""
        return self.folder or self.job.folder / "build"

    @property
    def private(self) -> Path:
        """Give the folder for what nobody may see once the build is over."""
        return self.job.private / self.workplace.name


class Sources(Noun):
    """The folders of the input artifacts.

    Attributes:
        name: The primary source, by its artifact's name.
        primary: The folder in which the build starts.
        others: The folders of the other inputs, by name.
        repository: Where the primary source was cloned from; empty unless it was cloned.
    """

    name: str
    primary: Path
    others: Mapping[str, Path] = field(default_factory=dict)
    repository: str = ""


class Task(Noun, gc=True):
    """One build, with all that is needed to run it.

    Attributes:
        request: What was asked for.
        sources: The folders it works in.
        spec: What it does.
        artifacts: Which files each artifact takes: by the name of the action's output artifact;
            in a batch by its identifier in the buildspec, `""` standing for the primary one.
        environment: All of its environment variables.
        secrets: Values that no log, variable or summary may show.
        redactor: Takes them out of texts.
        place: Where the commands run.
    """

    request: Request
    sources: Sources
    spec: Buildspec
    artifacts: Mapping[str, Artifacts]
    environment: Mapping[str, str]
    secrets: tuple[str, ...]
    redactor: Redactor
    place: Confinement

    @property
    def job(self) -> Job:
        """Give the attempt of the action that the build belongs to."""
        return self.request.job

    @property
    def folder(self) -> Path:
        """Give the folder for the build's own files."""
        return self.request.workplace

    def say(self, text: str) -> None:
        """Write a line into the build's log, without secrets."""
        (self.request.say or self.job.say)(self.redactor.redacted(text))


class Built(Noun):
    """What a build has made.

    Attributes:
        variables: Those that it exports.
        artifacts: A folder with the files of each artifact, by the names that the task gives them.
            Nothing is published yet.
        names: What the buildspec calls these artifacts, by the same names, where it says so.
        place: Where the commands ran, such as `sandbox`.
        reports: What its tests came to.
    """

    variables: Mapping[str, str] = field(default_factory=dict)
    artifacts: Mapping[str, Path] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    place: str = "here"
    reports: tuple[TestReport, ...] = ()
