"""Artifacts that are damaged after they were written."""

import tempfile
import time
from pathlib import Path

from pipelinekit.artifacts.folder import FolderArtifacts
from pipelinekit.model.execution import Artifact
from pipelinekit.ports.artifacts import ArtifactCorruptedError
from tests.chaos import deeds, workload
from tests.chaos.ledger import note
from tests.chaos.rig import Rig
from tests.chaos.trial import Trial

SIZE = 4_096


def flipped(trial: Trial, count: int) -> None:
    """Flip a bit of an artifact so often, and once under a pipeline that is about to read it."""
    with tempfile.TemporaryDirectory(dir=trial.site.folder) as folder:
        _flip_apart(trial, Path(folder), count)
    _flip_in_a_pipeline(trial)


def _flip_apart(trial: Trial, folder: Path, count: int) -> None:
    source = folder / "source"
    source.write_bytes(trial.dice.randbytes(SIZE))
    artifacts = FolderArtifacts(folder / "kept")
    kept = artifacts.put(Artifact("a", "bucket", "p/a/1"), source)
    file = artifacts.get(kept)
    whole = file.read_bytes()
    for _ in range(count):
        _damage(trial, file)
        try:
            artifacts.get(kept)
        except ArtifactCorruptedError:
            trial.measured("detected", 1)
        else:
            note("violation", text="a damaged artifact was handed out")
        file.write_bytes(whole)


def _damage(trial: Trial, file: Path) -> None:
    content = bytearray(file.read_bytes())
    bit = trial.dice.randrange(8 * len(content))
    content[bit // 8] ^= 1 << bit % 8
    file.write_bytes(content)


def _flip_in_a_pipeline(trial: Trial) -> None:
    note("tolerate", codes=["ConfigurationError"])
    reader = deeds.inline_again("reader").reads("code")
    trial.use(workload.single("damaged", *(deeds.APPROVAL("ok") >> reader).actions))

    def tend(rig: Rig) -> None:
        for run in rig.under_way():
            for row in run.waiting:
                for file in rig.home.artifacts.rglob("*"):
                    if file.is_file():
                        _damage(trial, file)
                rig.approve(run, row.action)

    engine = trial.live(
        starts=trial.starts(), answers=False, meanwhile=tend, settle=True, seconds=20
    )
    engine.wait(30)
    time.sleep(0.05)
    if any(line["action"] == "reader" for line in trial.said("start")):
        note("violation", text="an action ran on a damaged artifact")
