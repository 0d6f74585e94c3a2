"""A folder for one job: its inputs unpacked, its outputs packed, its provider called."""

import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from msgspec.structs import replace

from pipelinekit.model.errors import ValidationError
from pipelinekit.model.execution import Artifact
from pipelinekit.model.noun import Noun
from pipelinekit.model.order import Failed, FailureType, Order, Outcome, Succeeded, Waiting
from pipelinekit.model.settings import Settings
from pipelinekit.ports.artifacts import ArtifactCorruptedError, Artifacts
from pipelinekit.ports.provider import Declared
from pipelinekit.runtime.progress import Progress
from pipelinekit.tools.archives.archive import ArchiveError, pack, unpack
from pipelinekit.tools.archives.shared_tree import SharedTrees
from pipelinekit.tools.failpoint import failpoint
from pipelinekit.wire.record import can_be_kept

LOG = "log"
PRIVATE = "private"
"""The folder of a job that is removed when the job has ended, in whatever way."""

SMALL = 256 * 1024
"""Up to how many bytes an archive is unpacked sooner than its tree is copied."""

Starter = Callable[[str, Mapping[str, str], Mapping[str, str], str], str]
"""Starts a pipeline by name, with variables, revisions and a token; gives the execution's id."""


class Report(Noun):
    """What became of an order.

    Attributes:
        outcome: The provider's answer.
        artifacts: The objects that were written.
    """

    outcome: Outcome
    artifacts: tuple[Artifact, ...] = ()


@dataclass(slots=True)
class Bench:
    """The job that a provider holds in its hands; see `ports.provider.Job`.

    Attributes:
        order: What is to be done.
        settings: What the project says about its surroundings.
        folder: A folder of this attempt alone; it holds the log.
        artifacts: Where artifacts are kept.
        aloud: Whether standard output is the log already, as it is in a runner.
        starter: How another pipeline is started; None in a runner, which cannot.
        written: The artifacts that were published so far.
    """

    order: Order
    settings: Settings
    folder: Path
    artifacts: Artifacts
    aloud: bool = False
    starter: Starter | None = None
    written: list[Artifact] = field(default_factory=list)

    @property
    def private(self) -> Path:
        """Give the folder that goes when the attempt has ended."""
        return self.folder / PRIVATE

    @property
    def cache(self) -> Path:
        """Give the folder that all jobs share."""
        return self.folder.parents[1] / "cache"

    def read(self, artifact: str | None = None) -> Path:
        """Unpack an input artifact, once, and give its folder."""
        position = _position(self.order.inputs, artifact, f"{self.order.action} read")
        target = self.folder / "in" / str(position)
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            given = self.order.inputs[position]
            packed = self.artifacts.get(given)
            with tempfile.TemporaryDirectory(dir=target.parent) as draft:
                whole = Path(draft, "tree")  # half of it must look like none
                with _told_of(given):
                    self._unpack(given.digest, packed, whole)
                failpoint("input.rename.before")
                try:
                    whole.rename(target)
                except OSError:  # of an engine that lost the attempt, or took it, the same tree
                    if not target.exists():
                        raise
                failpoint("input.rename.after")
        return target

    def _unpack(self, digest: str, packed: Path, target: Path) -> None:
        if packed.stat().st_size <= SMALL:
            unpack(packed, target)
        else:
            trees = SharedTrees(self.cache / "trees")
            trees.put(digest, target, lambda folder: unpack(packed, folder))

    def write(self, folder: Path, artifact: str | None = None) -> None:
        """Pack a folder and publish it as an output artifact."""
        if artifact is None and not self.order.outputs:
            return
        position = _position(self.order.outputs, artifact, f"{self.order.action} wrote")
        self.folder.mkdir(parents=True, exist_ok=True)
        # Of its own: an engine that lost the attempt, or took it, may be writing just now.
        with tempfile.TemporaryDirectory(dir=self.folder, prefix="out-") as draft:
            packed = Path(draft, f"{position}.zip")
            output = self.order.outputs[position]
            with _told_of(output):
                output = replace(output, digest=pack(folder, packed).digest)
            self.written.append(self.artifacts.put(output, packed))

    def say(self, text: str) -> None:
        """Write a line into the action's log."""
        if self.aloud:
            sys.stdout.write(f"{text}\n")
            sys.stdout.flush()
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        log_file = self.folder / LOG  # a name of a file that is no UTF-8 can be said, too
        with log_file.open("a", encoding="utf-8", errors="backslashreplace") as log:
            log.write(f"{text}\n")

    def progress(self, percent: int, text: str) -> None:
        """Tell how far it is."""
        Progress(percent, text).write(self.folder)

    def start(
        self, pipeline: str, variables: Mapping[str, str], revisions: Mapping[str, str]
    ) -> str:
        """Start another pipeline, once however often this attempt asks."""
        if self.starter is None:
            raise ValidationError(
                f"pipeline {pipeline!r} was to be started by a provider that runs in a process "
                f"of its own, which cannot; declare the provider without detached"
            )
        return self.starter(pipeline, variables, revisions, self.order.id)


@contextmanager
def _told_of(artifact: Artifact) -> Iterator[None]:
    try:
        yield
    except ArchiveError as error:  # which names a file or a folder that is gone soon
        found, do = error.found, error.do
        raise ArchiveError(f"artifact {artifact.name}", error.entry, found, do) from None


def carry_out(provider: Declared[...], bench: Bench) -> Report:
    """Have a provider do what its job asks, whatever it throws and whatever it gives back."""
    try:
        outcome = provider.carry_out(bench)
        report = _sound(Report(outcome, tuple(bench.written)))
    except (ValidationError, ArtifactCorruptedError, ArchiveError) as error:
        return _refused(bench, str(error), str(error), FailureType.CONFIGURATION_ERROR)
    except BaseException as error:  # noqa: BLE001 - the one place where foreign code is called
        said = traceback.TracebackException.from_exception(error)  # whose text never raises
        told = f"{type(error).__name__}: {said}; its log has the traceback"
        return _refused(bench, told, traceback.format_exc(), FailureType.JOB_FAILED)
    if not isinstance(report.outcome, Succeeded):
        return Report(report.outcome)
    revision = report.outcome.revision.id if report.outcome.revision else ""
    written = tuple(replace(artifact, revision=revision) for artifact in report.artifacts)
    return Report(report.outcome, written)


def _sound(report: Report) -> Report:
    if not isinstance(report.outcome, Succeeded | Failed | Waiting):
        raise ValidationError(
            f"the provider was to answer Succeeded, Failed or Waiting, and answered "
            f"{report.outcome!r}; return one of the three"
        )
    if can_be_kept(report.outcome, report.artifacts):
        return report
    raise ValidationError(
        f"the provider answered {report.outcome!r}, which cannot be kept as it is; names, values "
        f"and summaries are text, seconds are a finite number"
    )


def _refused(bench: Bench, told: str, logged: str, code: FailureType) -> Report:
    with suppress(OSError):  # a log that cannot be written is no reason to keep silent
        bench.say(logged)
    return Report(Failed(told.encode(errors="backslashreplace").decode(), code))


def _position(artifacts: tuple[Artifact, ...], name: str | None, what: str) -> int:
    names = [artifact.name for artifact in artifacts]
    wanted = name if name is not None or not names else names[0]
    if wanted in names:
        return names.index(wanted)
    raise ValidationError(
        f"{what} artifact {wanted!r}, and the action declares {', '.join(names) or 'none'}; "
        f"declare it in the action's artifacts"
    )
