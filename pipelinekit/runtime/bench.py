"""A folder for one job: its inputs unpacked, its outputs packed, its provider called."""

import sys
import traceback
from dataclasses import dataclass, field, replace
from pathlib import Path

from pipelinekit.model.errors import ValidationError
from pipelinekit.model.execution import Artifact
from pipelinekit.model.order import Failed, FailureType, Order, Outcome, Succeeded
from pipelinekit.model.settings import Settings
from pipelinekit.ports.artifacts import ArtifactCorruptedError, Artifacts
from pipelinekit.ports.provider import Provider
from pipelinekit.tools.archive import ArchiveError, pack, unpack

LOG = "log"


@dataclass(frozen=True, slots=True)
class Report:
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
        written: The artifacts that were published so far.
    """

    order: Order
    settings: Settings
    folder: Path
    artifacts: Artifacts
    aloud: bool = False
    written: list[Artifact] = field(default_factory=list)

    def read(self, artifact: str | None = None) -> Path:
        """Unpack an input artifact, once, and give its folder."""
        position = _position(self.order.inputs, artifact, f"{self.order.action} read")
        target = self.folder / "in" / str(position)
        if not target.exists():
            unpack(self.artifacts.get(self.order.inputs[position]), target)
        return target

    def write(self, folder: Path, artifact: str | None = None) -> None:
        """Pack a folder and publish it as an output artifact."""
        if artifact is None and not self.order.outputs:
            return
        position = _position(self.order.outputs, artifact, f"{self.order.action} wrote")
        packed = self.folder / f"out-{position}.zip"
        packed.parent.mkdir(parents=True, exist_ok=True)
        pack(folder, packed)
        self.written.append(self.artifacts.put(self.order.outputs[position], packed))
        packed.unlink()

    def say(self, text: str) -> None:
        """Write a line into the action's log."""
        if self.aloud:
            sys.stdout.write(f"{text}\n")
            sys.stdout.flush()
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / LOG).open("a", encoding="utf-8") as log:
            log.write(f"{text}\n")


def carry_out(provider: Provider[...], bench: Bench) -> Report:
    """Have a provider do what its job asks, whatever it throws."""
    try:
        outcome = provider.carry_out(bench)
    except (ValidationError, ArtifactCorruptedError, ArchiveError) as error:
        bench.say(str(error))
        return Report(Failed(str(error), FailureType.CONFIGURATION_ERROR))
    except Exception as error:  # noqa: BLE001 - the one place where foreign code is called
        bench.say(traceback.format_exc())
        return Report(Failed(f"{type(error).__name__}: {error}; its log has the traceback"))
    if not isinstance(outcome, Succeeded):
        return Report(outcome)
    revision = outcome.revision.id if outcome.revision else ""
    written = tuple(replace(artifact, revision=revision) for artifact in bench.written)
    return Report(outcome, written)


def _position(artifacts: tuple[Artifact, ...], name: str | None, what: str) -> int:
    names = [artifact.name for artifact in artifacts]
    wanted = name if name is not None or not names else names[0]
    if wanted in names:
        return names.index(wanted)
    raise ValidationError(
        f"{what} artifact {wanted!r}, and the action declares {', '.join(names) or 'none'}; "
        f"declare it in the action's artifacts"
    )
