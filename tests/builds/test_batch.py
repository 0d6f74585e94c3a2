"""Batches that really run: their order, their copies of the sources, their logs and artifacts."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from pipelinekit.model.action import OutputArtifact
from pipelinekit.model.order import Failed, FailureType, Outcome, Succeeded
from pipelinekit.model.settings import Compute, Project, Settings, Where
from pipelinekit.providers.codebuild import codebuild
from tests.fakes import FolderJob, order

pytestmark = pytest.mark.slow

HERE = Compute(where=Where.HOST)


@dataclass
class Site:
    """A source with a buildspec, and what came of the batches that it was built in."""

    folder: Path
    files: dict[str, str] = field(default_factory=dict)
    project: Project = field(default_factory=lambda: Project(compute=HERE))
    log: tuple[str, ...] = ()
    job: FolderJob | None = None

    @property
    def shared(self) -> Path:
        """A folder outside of every copy of the source, known to the builds as `$SHARED`."""
        return self.folder / "shared"

    def run(self, buildspec: Mapping[str, Any], *outputs: str, **keys: Any) -> Outcome:
        source = self.folder / "source"
        for name, content in {"buildspec.yml": json.dumps(buildspec), **self.files}.items():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_text(content, encoding="utf-8")
        self.shared.mkdir(exist_ok=True)
        env = {"SHARED": str(self.shared), **keys.pop("env", {})}
        action = codebuild("build", project="shop", env=env, batch=True, **keys).reads("app")
        written = tuple(OutputArtifact(name) for name in outputs)
        self.job = FolderJob(
            order(replace(action, outputs=written)),
            self.folder / "job",
            Settings(projects={"shop": self.project}),
            inputs={"app": source},
        )
        self.job.folder.mkdir()
        outcome = codebuild.carry_out(self.job)
        self.log = tuple(self.job.said)
        return outcome

    def written(self, artifact: str) -> dict[str, str]:
        assert self.job
        root = self.job.written[artifact]
        return {
            path.relative_to(root).as_posix(): path.read_text(encoding="utf-8")
            for path in root.rglob("*")
            if path.is_file()
        }

    def trace(self) -> list[str]:
        return (self.shared / "trace").read_text(encoding="utf-8").split()


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def batch(kind: str, builds: Any, *commands: str, **more: Any) -> dict[str, Any]:
    """Write a buildspec of a batch whose builds run the commands in the phase build."""
    fast_fail = more.pop("fast_fail", False)
    phases = {"build": {"commands": list(commands)}}
    return {
        "version": 0.2,
        "batch": {"fast-fail": fast_fail, kind: builds},
        "phases": phases,
        **more,
    }


def named(*identifiers: str) -> list[dict[str, Any]]:
    return [{"identifier": identifier} for identifier in identifiers]


ME = "$CODEBUILD_BATCH_BUILD_IDENTIFIER"
TRACE = f"echo {ME} >> $SHARED/trace"


@pytest.mark.parametrize("where", [Where.HOST, None])
def test_each_build_has_a_copy_of_the_source(site: Site, where: Where | None) -> None:
    site.project = Project(compute=Compute(where=where))
    spec = batch(
        "build-list",
        named("one", "two"),
        f"test ! -e made && mkdir made && echo {ME} > made/by",
        artifacts={"files": "made/by", "secondary-artifacts": {"docs": {"files": ["made/*"]}}},
    )
    outcome = site.run(spec, "one", "two_docs")
    assert isinstance(outcome, Succeeded), outcome
    assert site.written("one") == {"made/by": "one\n"}
    assert site.written("two_docs") == {"made/by": "two\n"}
    assert not (site.folder / "job/in/app/made").exists()
    assert not list((site.folder / "job/batch").glob("*/sources"))


def test_the_variables_of_a_build_prevail_over_all_others(site: Site) -> None:
    builds = [
        {"identifier": "one", "env": {"variables": {"LEVEL": "build"}}},
        {"identifier": "two"},
    ]
    spec = batch(
        "build-list",
        builds,
        "echo $LEVEL > level",
        env={"variables": {"LEVEL": "buildspec"}},
        artifacts={"files": ["level"]},
    )
    outcome = site.run(spec, "one", "two", env={"LEVEL": "action"})
    assert isinstance(outcome, Succeeded), outcome
    assert (site.written("one"), site.written("two")) == (
        {"level": "build\n"},
        {"level": "action\n"},
    )


def test_a_build_may_have_a_buildspec_of_its_own(site: Site) -> None:
    site.files["ci/other.yml"] = (
        "version: 0.2\nphases: {build: {commands: [echo other > kind]}}\n"
        "artifacts: {files: kind}\n"
    )
    inline = "version: 0.2\nphases: {build: {commands: [echo inline > kind]}}\n"
    spec = batch(
        "build-list",
        [
            {"identifier": "one"},
            {"identifier": "two", "buildspec": "ci/other.yml"},
            {"identifier": "three", "buildspec": f"{inline}artifacts: {{files: kind}}\n"},
        ],
        "echo usual > kind",
        artifacts={"files": ["kind"]},
    )
    outcome = site.run(spec, "one", "two", "three")
    assert isinstance(outcome, Succeeded), outcome
    kinds = {name: site.written(name)["kind"] for name in ("one", "two", "three")}
    assert kinds == {"one": "usual\n", "two": "other\n", "three": "inline\n"}


def test_a_graph_runs_in_the_order_of_its_dependencies(site: Site) -> None:
    graph = [
        {"identifier": "pack", "depend-on": ["compile", "test"]},
        {"identifier": "test", "depend-on": ["compile"]},
        {"identifier": "compile"},
        {"identifier": "ship", "depend-on": ["pack"]},
    ]
    outcome = site.run(batch("build-graph", graph, TRACE))
    assert isinstance(outcome, Succeeded), outcome
    assert site.trace() == ["compile", "test", "pack", "ship"]


def test_builds_that_do_not_depend_on_each_other_run_side_by_side(site: Site) -> None:
    meet = (
        f"touch $SHARED/{ME}; "
        "for i in $(seq 200); do test -e $SHARED/one -a -e $SHARED/two && exit 0; sleep 0.05; "
        "done; exit 1"
    )
    outcome = site.run(batch("build-list", named("one", "two"), meet))
    assert isinstance(outcome, Succeeded), outcome


def test_a_matrix_runs_once_for_each_combination(site: Site) -> None:
    matrix = {"dynamic": {"env": {"variables": {"A": ["1", "2"], "B": ["x", "y"]}}}}
    spec = batch("build-matrix", matrix, "echo $A$B >> $SHARED/trace")
    outcome = site.run(spec)
    assert isinstance(outcome, Succeeded), outcome
    assert sorted(site.trace()) == ["1x", "1y", "2x", "2y"]


def test_the_log_tells_what_each_build_printed(
    site: Site, capfd: pytest.CaptureFixture[str]
) -> None:
    spec = batch("build-list", named("a", "longer"), f"printf 'I am\\n%s' {ME}; echo err >&2")
    assert isinstance(site.run(spec), Succeeded)
    assert "I am" not in capfd.readouterr().out
    for name in ("a", "longer"):
        mine = [line for line in site.log if line.startswith(f"{name:<6} | ")]
        texts = [line.removeprefix(f"{name:<6} | ") for line in mine]
        assert texts[0] == "-- build begins --"
        at = texts.index("I am")
        assert texts[at + 1] == f"{name}err"
        assert texts[-1].startswith("-- build succeeded, ")


def test_a_failed_build_fails_the_batch_and_keeps_back_what_follows_it(site: Site) -> None:
    graph = [
        {"identifier": "bad", "env": {"variables": {"STATUS": "3"}}},
        {"identifier": "after", "depend-on": ["bad"]},
        {"identifier": "last", "depend-on": ["after"]},
        {"identifier": "good"},
        {"identifier": "beside", "depend-on": ["good"]},
    ]
    outcome = site.run(batch("build-graph", graph, TRACE, "exit ${STATUS:-0}"))
    assert isinstance(outcome, Failed)
    assert outcome.code == FailureType.JOB_FAILED
    assert outcome.message == (
        "1 of the 5 builds of the batch failed: bad: command `exit ${STATUS:-0}` of phase build "
        "exited with 3; see the log; not started: after, last"
    )
    assert sorted(site.trace()) == ["bad", "beside", "good"]


def test_a_failure_that_is_ignored_fails_nothing(site: Site) -> None:
    graph = [
        {
            "identifier": "bad",
            "env": {"variables": {"STATUS": "3"}},
            "ignore-failure": True,
        },
        {"identifier": "after", "depend-on": ["bad"]},
    ]
    spec = batch("build-graph", graph, TRACE, "exit ${STATUS:-0}", fast_fail=True)
    outcome = site.run(spec)
    assert isinstance(outcome, Succeeded), outcome
    assert site.trace() == ["bad", "after"]
    assert any(line.endswith("; see the log; ignore-failure is set") for line in site.log)


def test_a_fast_failure_ends_what_runs_and_starts_nothing_more(site: Site) -> None:
    wait = "for i in $(seq 200); do test -e $SHARED/begun && exit 1; sleep 0.05; done; exit 0"
    graph = [
        {"identifier": "bad", "env": {"variables": {"DO": wait}}},
        {"identifier": "long", "env": {"variables": {"DO": "touch $SHARED/begun; sleep 600"}}},
        *({"identifier": f"more{number}", "depend-on": ["bad"]} for number in range(2)),
    ]
    began = time.monotonic()
    outcome = site.run(batch("build-graph", graph, TRACE, 'eval "$DO"', fast_fail=True))
    assert isinstance(outcome, Failed)
    assert outcome.message.startswith("1 of the 4 builds of the batch failed: bad: ")
    assert outcome.message.endswith("; stopped: long; not started: more0, more1")
    assert time.monotonic() - began < 60
    assert sorted(site.trace()) == ["bad", "long"]
    assert any("-- build was stopped, " in line for line in site.log)


def test_builds_that_wait_for_their_turn_are_not_started_after_a_fast_failure(site: Site) -> None:
    builds = named(*(f"b{number}" for number in range(12)))
    outcome = site.run(batch("build-list", builds, TRACE, "exit 1", fast_fail=True))
    assert isinstance(outcome, Failed)
    assert "; not started: " in outcome.message
    assert "b11" not in site.trace()


def test_artifacts_are_combined_into_one(site: Site) -> None:
    spec = batch(
        "build-list",
        named("one", "two"),
        f"mkdir out; echo same > out/common; echo {ME} > out/{ME}",
        artifacts={"files": ["**/*"], "base-directory": "out"},
    )
    outcome = site.run(spec, "all", combine=True)
    assert isinstance(outcome, Succeeded), outcome
    assert site.written("all") == {"common": "same\n", "one": "one\n", "two": "two\n"}


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (f"echo {ME} > out", "the builds one and two have each made out, which differ"),
        (
            f"test {ME} = one && touch out || {{ mkdir out; touch out/x; }}",
            "the builds one and two have each made out/x, which differ",
        ),
    ],
)
def test_files_that_cannot_be_combined_are_refused(site: Site, command: str, words: str) -> None:
    spec = batch("build-list", named("one", "two"), command, artifacts={"files": ["out", "out/*"]})
    outcome = site.run(spec, "all", combine=True)
    assert isinstance(outcome, Failed)
    assert words in outcome.message
    assert outcome.code == FailureType.JOB_FAILED


def test_what_no_build_has_made_is_not_written(site: Site) -> None:
    outcome = site.run(batch("build-list", named("one"), TRACE), "one_docs")
    assert isinstance(outcome, Failed)
    assert "to write one_docs, and the builds have made no artifacts" in outcome.message
    assert outcome.place == "host"


@pytest.mark.parametrize(
    ("spec", "outputs", "keys", "words"),
    [
        ({"version": 0.2, "phases": {"build": {"commands": ["true"]}}}, (), {}, "has no section"),
        (
            batch("build-list", [{"env": {"type": "WINDOWS_SERVER_2022_CONTAINER"}}], TRACE),
            (),
            {},
            "build build0 of the batch asks for WINDOWS_SERVER_2022_CONTAINER",
        ),
        (batch("build-list", named("one"), TRACE), ("dist",), {}, "to write dist, and the builds"),
        (batch("build-list", named("one"), TRACE), ("a", "b"), {"combine": True}, "writes a, b"),
    ],
)
def test_a_batch_that_cannot_run_is_refused_before_it_begins(
    site: Site, spec: dict[str, Any], outputs: tuple[str, ...], keys: dict[str, Any], words: str
) -> None:
    outcome = site.run(spec, *outputs, **keys)
    assert isinstance(outcome, Failed)
    assert outcome.code == FailureType.CONFIGURATION_ERROR
    assert words in outcome.message
    assert not (site.shared / "trace").exists()


def test_a_build_that_cannot_begin_fails_the_batch(site: Site) -> None:
    builds = [{"identifier": "one", "buildspec": "none.yml"}]
    outcome = site.run(batch("build-list", builds, TRACE))
    assert isinstance(outcome, Failed)
    assert outcome.code == FailureType.CONFIGURATION_ERROR
    assert "1 of the 1 builds of the batch failed: one: YAML_FILE_ERROR" in outcome.message


def test_the_reports_of_all_builds_are_told_also_of_those_that_failed(site: Site) -> None:
    suite = '<testsuite><testcase name="t"/></testsuite>'
    graph = [{"identifier": "good"}, {"identifier": "bad", "depend-on": ["good"]}]
    spec = batch(
        "build-graph",
        graph,
        f"echo '{suite}' > junit.xml; test {ME} = good",
        reports={"unit": {"files": ["junit.xml"]}},
    )
    outcome = site.run(spec)
    assert isinstance(outcome, Failed)
    assert [(each.group, each.passed) for each in outcome.reports] == [("unit", 1), ("unit", 1)]


@pytest.mark.parametrize(
    ("where", "image", "told"),
    [
        (Where.HOST, "python:3.12", "image python:3.12 is not used"),
        (None, "aws/codebuild/standard:7.0", "image aws/codebuild/standard:7.0 cannot be had"),
    ],
)
def test_an_image_that_is_not_used_is_told(
    site: Site, where: Where | None, image: str, told: str
) -> None:
    site.project = Project(compute=Compute(where=where))
    builds = [{"identifier": "one", "env": {"image": image}}]
    assert isinstance(site.run(batch("build-list", builds, "true")), Succeeded)
    assert any(line.startswith(f"one | {told}") for line in site.log)
