"""Real buildspecs of others really run; what is not on this machine is answered by stand-ins.

A stand-in is a small program that writes down how it was called, and does as little as the
buildspec needs to go on. A build finds nothing else but its stand-ins and a few harmless programs.
"""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from msgspec.structs import replace

from pipelinekit.model.action import OutputArtifact
from pipelinekit.model.order import Failed, Outcome, Succeeded
from pipelinekit.model.settings import Compute, Project, Settings, Where
from pipelinekit.providers.codebuild import codebuild
from tests.conftest import CORPUS
from tests.fakes import FolderJob, order

pytestmark = [pytest.mark.corpus, pytest.mark.slow]

TABLE = Path(__file__).with_name("corpus_builds.yml")
PROGRAMS = """
    awk base64 basename bash cat chmod cp cut date dirname env find grep head ls mkdir printenv
    printf rm sed seq sh sleep sort tail tee timeout touch tr true uname wc whoami
"""
STAND_IN = """\
#!/bin/sh
case " $* " in *" --password-stdin"*) cat > /dev/null ;; esac
printf '%s' "${0##*/} $*" | tr '\\n' ' ' >> "$LEDGER"
echo >> "$LEDGER"
"""


@dataclass(frozen=True)
class Case:
    """One run of one buildspec of the corpus; the table says what its members mean."""

    file: str
    keys: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    given: Mapping[str, str] = field(default_factory=dict)
    stand_ins: Mapping[str, str] = field(default_factory=dict)
    ran: str = ""
    artifacts: Mapping[str, list[str]] = field(default_factory=dict)
    contents: Mapping[str, str] = field(default_factory=dict)
    failed: str | None = None
    says: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()
    reports: Mapping[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.file}{'-fails' * (self.failed is not None)}"


CASES = [Case(**entry) for entry in yaml.safe_load(TABLE.read_text(encoding="utf-8"))]


class Bench:
    """A machine on which there is little, and the job of building a case on it."""

    def __init__(self, case: Case, folder: Path) -> None:
        self.case = case
        self.folder = folder
        self.ledger = folder / "ledger"
        self.job = self._job(1)
        spec = (CORPUS / "buildspec" / case.file).read_text(encoding="utf-8")
        _write(folder / "source", {"buildspec.yml": spec, **case.files})
        _install(case.stand_ins, folder / "programs")

    def build(self, number: int = 1) -> Outcome:
        self.job = self._job(number)
        return codebuild.carry_out(self.job)

    def ran(self) -> str:
        text = self.ledger.read_text(encoding="utf-8") if self.ledger.exists() else ""
        told = text.replace(str(self.job.folder / "in/app"), "{src}")
        return "".join(f"{line.rstrip()}\n" for line in told.splitlines())

    def files(self) -> dict[str, list[str]]:
        return {
            name: sorted(
                path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()
            )
            for name, root in self.job.written.items()
        }

    def content(self, place: str) -> str:
        artifact, _, path = place.partition("/")
        return (self.job.written[artifact] / path).read_text(encoding="utf-8").strip()

    def _job(self, number: int) -> FolderJob:
        environment = {
            "PATH": str(self.folder / "programs"),
            "HOME": str(self.folder),
            "LEDGER": str(self.ledger),
            **self.case.given,
        }
        project = Project(environment=environment, compute=Compute(where=Where.HOST))
        action = codebuild("build", project="shop", **self.case.keys).reads("app")
        outputs = tuple(OutputArtifact(name) for name in self.case.artifacts)
        wanted = order(replace(action, outputs=outputs))
        inputs = tuple(replace(each, revision="4f1c2d9e8a7b") for each in wanted.inputs)
        job = FolderJob(
            replace(wanted, inputs=inputs),
            self.folder / "jobs" / str(number),
            Settings(projects={"shop": project}),
            inputs={"app": self.folder / "source"},
        )
        job.folder.mkdir(parents=True, exist_ok=True)
        return job


def _write(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def _install(stand_ins: Mapping[str, str], folder: Path) -> None:
    folder.mkdir()
    for name in PROGRAMS.split():
        if name not in stand_ins and (found := shutil.which(name)):
            (folder / name).symlink_to(found)
    for name, text in stand_ins.items():
        (folder / name).write_text(f"{STAND_IN}{text}\n", encoding="utf-8")
        (folder / name).chmod(0o755)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_real_buildspec_runs_as_its_author_meant(
    case: Case, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    bench = Bench(case, tmp_path)
    outcome = bench.build()
    log = capfd.readouterr().out + "\n".join(bench.job.said)
    assert bench.ran() == case.ran, log
    if case.failed is None:
        assert isinstance(outcome, Succeeded), f"{outcome}\n{log}"
        assert bench.files() == {name: sorted(files) for name, files in case.artifacts.items()}
    else:
        assert isinstance(outcome, Failed), log
        assert case.failed in outcome.message
        assert not bench.job.written
    assert {place: bench.content(place) for place in case.contents} == case.contents
    assert {each.group: each.passed for each in outcome.reports} == case.reports
    assert [words for words in case.says if words not in log] == [], log
    assert [words for words in case.silent if words in log] == [], log


def test_what_a_real_buildspec_wants_kept_is_there_in_the_next_build(tmp_path: Path) -> None:
    npm = """
        case "$*" in
            install) echo "node_modules: $(ls node_modules 2>/dev/null)" >> "$LEDGER" ;;
            "run build") mkdir -p node_modules; echo > node_modules/a.js ;;
        esac
    """
    bench = Bench(
        Case("KshitijKanse__nodejs-cicd-demo__buildspec.yml", stand_ins={"npm": npm}), tmp_path
    )
    for number in (1, 2):
        assert isinstance(bench.build(number), Succeeded)
    found = [line for line in bench.ran().splitlines() if line.startswith("node_modules:")]
    assert found == ["node_modules:", "node_modules: a.js"]


def test_at_least_forty_buildspecs_of_the_corpus_are_run() -> None:
    files = {case.file for case in CASES}
    assert len(files) >= 40
    assert all((CORPUS / "buildspec" / name).is_file() for name in files)
