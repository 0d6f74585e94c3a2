"""Builds that really run: real shells, real files, and the sentences in which they fail."""

import json
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from pipelinekit.model.action import Action, Category
from pipelinekit.model.order import Failed, FailureType, Outcome, Succeeded
from pipelinekit.model.settings import Project, Settings
from pipelinekit.providers.codebuild import codebuild, codebuild_test
from pipelinekit.tools.surroundings import user
from tests.fakes import FolderJob, order

ID = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"


@dataclass
class Site:
    """A source folder, and what came of the build of it."""

    folder: Path
    settings: Settings = field(default_factory=Settings)
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


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def phases(**commands: list[str]) -> str:
    """Write a buildspec of phases; `build_finally` names the finally block of build."""
    given: dict[str, dict[str, list[str]]] = {}
    for name, lines in commands.items():
        phase = name.removesuffix("_finally")
        key = "commands" if phase == name else "finally"
        given.setdefault(phase, {})[key] = lines
    return json.dumps({"version": 0.2, "phases": given})


# ------------------------------------------------------------------ phases and commands


def test_a_build_runs_its_phases_in_one_shell(site: Site) -> None:
    built = site.build(
        phases(
            post_build=["echo post >> $TRACE"],
            install=[
                "export TRACE=$PWD/trace",
                "mkdir deep; cd deep",
                "f() { echo $1 >> $TRACE; }",
            ],
            pre_build=["f pre"],
            build=["f ${PWD##*/}", "f line1\nf line2"],
        )
    )
    assert built.text("trace") == "pre\ndeep\nline1\nline2\npost\n"
    assert built.succeeded.external_id == f"shop:{ID}"
    assert built.succeeded.summary.startswith("Build succeeded in 0.")


def test_the_log_names_phases_and_commands(site: Site) -> None:
    said = site.build(phases(pre_build=["true"], build=["false"])).job.said
    assert said[:2] == ["-- phase pre_build --", "$ true"]
    assert said[2].startswith("-- phase pre_build succeeded, 0.")
    assert said[-1].startswith("-- phase build failed, 0.")


@pytest.mark.parametrize(
    ("failing", "ran"),
    [
        ("install", "install"),
        ("pre_build", "install pre_build"),
        ("build", "install pre_build build post_build"),
        ("post_build", "install pre_build build post_build"),
    ],
)
def test_what_runs_after_a_failure_is_as_in_codebuild(site: Site, failing: str, ran: str) -> None:
    names = ["install", "pre_build", "build", "post_build"]
    commands = {
        name: [f"echo {name} >> $CODEBUILD_SRC_DIR/trace"] + ["exit 3"] * (name == failing)
        for name in names
    }
    built = site.build(phases(**commands))
    assert built.text("trace").split() == ran.split()
    assert built.failed.code == FailureType.JOB_FAILED
    assert built.failed.message == (
        f"command `exit 3` of phase {failing} exited with 3; see the log"
    )
    assert built.failed.external_id == f"shop:{ID}"


@pytest.mark.parametrize(
    ("phase", "word", "ran"),
    [
        ("build", "ABORT", ""),
        ("build", "RETRY-2", ""),
        ("install", "CONTINUE", "build post_build"),
        ("build", "CONTINUE", "post_build"),
    ],
)
def test_on_failure_decides_but_the_build_has_failed(
    site: Site, phase: str, word: str, ran: str
) -> None:
    text = json.loads(phases(install=["true"], build=["echo build >> trace"]))
    text["phases"]["post_build"] = {"commands": ["echo post_build >> trace"]}
    text["phases"][phase] = {"commands": ["touch trace; false"], "on-failure": word}
    built = site.build(json.dumps(text))
    assert built.text("trace").split() == ran.split()
    assert built.failed.message.startswith("command `touch trace; false` of phase")
    assert any("not retried" in line for line in built.job.said) == word.startswith("RETRY")


def test_finally_always_runs_and_knows_how_it_went(site: Site) -> None:
    told = "echo $CODEBUILD_BUILD_SUCCEEDING >> trace"
    built = site.build(
        phases(
            pre_build=["true"],
            pre_build_finally=[told],
            build=["false", "echo skipped >> trace"],
            build_finally=[told],
            post_build=[told],
        )
    )
    assert built.text("trace").split() == ["1", "0", "0"]
    assert "`false` of phase build" in built.failed.message


def test_a_failing_finally_fails_the_build(site: Site) -> None:
    built = site.build(phases(build=["true"], build_finally=["false", "touch reached"]))
    assert "`false` of phase build exited with 1" in built.failed.message
    assert built.text("reached") == ""


def test_exit_zero_ends_its_command_alone(site: Site) -> None:
    built = site.build(phases(build=["exit 0", "touch reached"]))
    assert built.succeeded.summary
    assert built.text("reached") == ""


def test_set_e_fails_the_command_and_post_build_still_runs(site: Site) -> None:
    built = site.build(
        phases(build=["set -e", "false; touch never"], post_build=["touch reached"])
    )
    assert "`false; touch never` of phase build exited with 1" in built.failed.message
    assert built.text("reached") == ""
    assert not (built.job.folder / "in/app/never").exists()


def test_a_syntax_error_names_the_command(site: Site) -> None:
    built = site.build(phases(build=["if true; then echo", "touch never"]))
    assert "`if true; then echo` of phase build exited with" in built.failed.message


def test_reading_input_and_background_processes_do_not_hang(site: Site) -> None:
    began = time.monotonic()
    built = site.build(phases(build=["cat", "sleep 50 &", "sleep 51 & sleep 52 &\ntrue"]))
    assert built.succeeded.summary
    assert time.monotonic() - began < 5


def test_version_0_1_gives_each_command_its_own_shell(site: Site) -> None:
    text = phases(build=["mkdir deep; cd deep; export LEVEL=info", 'echo "$LEVEL" > out'])
    built = site.build(text.replace("0.2", "0.1"))
    assert built.succeeded.summary
    assert built.text("out") == "\n"


@pytest.mark.slow
def test_the_time_of_the_project_ends_the_build(site: Site) -> None:
    # A minute is the least that pipelinekit.toml can say; none at all is enough for a test.
    site.settings = Settings(projects={"shop": Project(timeout_minutes=0)})
    began = time.monotonic()
    built = site.build(phases(build=["sleep 60"], post_build=["touch never"]))
    assert time.monotonic() - began < 5
    assert "within 0 minutes" in built.failed.message
    assert "timeout_minutes in [codebuild.shop]" in built.failed.message
    assert not (built.job.folder / "in/app/never").exists()


@pytest.mark.parametrize("shell", ["bash", "sh", "/bin/sh"])
def test_the_shell_of_the_buildspec_is_used(site: Site, shell: str) -> None:
    text = json.loads(phases(build=["echo ${BASH_VERSION:+bash} > out"]))
    built = site.build(json.dumps({**text, "env": {"shell": shell}}))
    assert built.succeeded.summary
    if Path("/bin/sh").resolve().name != "bash":
        assert built.text("out").strip() == ("bash" if shell == "bash" else "")


# ------------------------------------------------------------------ environment


def test_the_environment_is_small_and_says_what_is_built(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("MY_OWN", "x")
    monkeypatch.setenv("HTTPS_PROXY", "proxy")
    monkeypatch.setenv("PIP_INDEX_URL", "index")
    monkeypatch.delenv("AWS_REGION", raising=False)
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    show = f"{sys.executable} -c 'import json, os; print(json.dumps(dict(os.environ)))' > env"
    built = site.build(phases(build=[show]))
    assert built.succeeded.summary
    seen = json.loads(built.text("env"))
    source = str(built.job.folder / "in/app")
    assert (
        seen.items()
        >= {
            "CODEBUILD_BUILD_ID": f"shop:{ID}",
            "CODEBUILD_BUILD_ARN": f"arn:aws:codebuild:us-east-1:000000000000:build/shop:{ID}",
            "CODEBUILD_BUILD_NUMBER": "1",
            "CODEBUILD_BUILD_IMAGE": "host",
            "CODEBUILD_BUILD_SUCCEEDING": "1",
            "CODEBUILD_INITIATOR": "codepipeline/shop",
            "CODEBUILD_RESOLVED_SOURCE_VERSION": "4f1c2d9",
            "CODEBUILD_SOURCE_VERSION": "arn:aws:s3:::bucket/shop/app/0",
            "CODEBUILD_SRC_DIR": source,
            "PIPELINEKIT_ACTION_EXECUTION_ID": ID,
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "CI": "true",
            "PWD": source,
            "TMPDIR": str(built.job.folder / "tmp"),
            "HTTPS_PROXY": "proxy",
            "PIP_INDEX_URL": "index",
            "PATH": os.environ["PATH"],
        }.items()
    )
    assert not {"AWS_SECRET_ACCESS_KEY", "MY_OWN"} & seen.keys()
    assert abs(int(seen["CODEBUILD_START_TIME"]) / 1000 - time.time()) < 60
    assert seen.keys() >= {"CODEBUILD_KMS_KEY_ID", "CODEBUILD_LOG_PATH"}


def test_the_action_prevails_over_the_project_and_that_over_the_buildspec(site: Site) -> None:
    site.settings = Settings(
        projects={"shop": Project(environment={"A": "project", "B": "project"})}
    )
    text = json.loads(phases(build=["echo $A $B $C > out"]))
    text["env"] = {"variables": {"A": "spec", "B": "spec", "C": "spec"}}
    assert site.build(json.dumps(text), env={"A": "action"}).text("out") == "action project spec\n"


def test_reserved_variables_cannot_be_faked(site: Site) -> None:
    built = site.build(
        phases(build=["echo $CODEBUILD_INITIATOR > out"]), env={"CODEBUILD_INITIATOR": "me"}
    )
    assert built.text("out") == "codepipeline/shop\n"


def test_hostile_values_arrive_literally(site: Site) -> None:
    hostile = 'it\'s "quoted"\n$(touch canary) `touch canary`; touch canary #{x} \\ é'
    built = site.build(
        phases(build=['printf %s "$MESSAGE" > out', "true", "exit 0", 'printf %s "$MESSAGE" > 2']),
        env={"MESSAGE": hostile},
    )
    assert built.text("out") == built.text("2") == hostile
    assert not (built.job.folder / "in/app/canary").exists()


@pytest.mark.parametrize(
    ("env", "words"),
    [
        ('[{"name": "A" "value": "1"}]', "column 15"),
        ('[{"name": "A", "value": "k", "type": "PARAMETER_STORE"}]', "not read on this machine"),
        ('[{"name": "A", "value": "k", "type": "SECRETS_MANAGER"}]', "not read on this machine"),
        ('[{"name": "A=B", "value": "1"}]', "cannot be given to a process"),
        ('[{"name": "A", "value": "\\u0000"}]', "cannot be given to a process"),
        (json.dumps([{"name": "A", "value": "x" * 200_000}]), "200002 bytes"),
    ],
)
def test_variables_that_cannot_be_given_are_refused(site: Site, env: str, words: str) -> None:
    failed = site.build(phases(build=["touch never"]), env=env).failed
    assert failed.code == FailureType.CONFIGURATION_ERROR
    assert words in failed.message


def test_secrets_of_the_buildspec_are_refused_until_they_are_given(site: Site) -> None:
    text = json.loads(phases(build=["echo $TOKEN$PASSWORD > out"]))
    text["env"] = {"parameter-store": {"TOKEN": "/t"}, "secrets-manager": {"PASSWORD": "p:k"}}
    failed = site.build(json.dumps(text), env={"TOKEN": "1"}).failed
    assert failed.code == FailureType.CONFIGURATION_ERROR
    assert "PASSWORD (secrets-manager p:k)" in failed.message
    assert "TOKEN" not in failed.message
    assert "[codebuild.shop.environment]" in failed.message
    assert site.build(env={"TOKEN": "1", "PASSWORD": "2"}).text("out") == "12\n"


def test_another_user_is_refused_and_this_one_is_not(site: Site) -> None:
    text = json.loads(phases(build=["true"]))
    failed = site.build(json.dumps({**text, "run-as": "somebody-else"})).failed
    assert "phase build is to run as somebody-else" in failed.message
    assert failed.code == FailureType.CONFIGURATION_ERROR
    assert site.build(json.dumps({**text, "run-as": user()})).succeeded.summary


def test_the_log_tells_what_is_different_here(site: Site) -> None:
    text = json.loads(phases(install=["true"]))
    text["phases"]["install"]["runtime-versions"] = {"python": 3.9, "cobol": 85}
    text |= {"reports": {"unit": {"files": "x"}}, "cache": {"paths": ["y"]}, "odd": 1}
    said = "\n".join(site.build(json.dumps(text)).job.said)
    assert "python 3.9 asked; python3 is 3." in said
    assert "cobol 85 asked; there is no cobol here" in said
    assert "reports: not collected on this machine (unit)" in said
    assert "cache: not collected on this machine (y)" in said
    assert "does not know the key odd" in said


# ------------------------------------------------------------------ the buildspec and its place


def test_a_missing_buildspec_says_where_it_was_looked_for(site: Site) -> None:
    site.source({"Makefile": "", "ci/build.yml": ""})
    failed = site.build().failed
    assert failed.code == FailureType.CONFIGURATION_ERROR
    assert failed.message.startswith(
        "YAML_FILE_ERROR: the buildspec buildspec.yml of project shop"
    )
    assert "which holds Makefile, ci/; " in failed.message
    assert "[codebuild.shop]" in failed.message


@pytest.mark.parametrize("outside", ["../other/buildspec.yml", "/etc/passwd", "link"])
def test_a_buildspec_outside_of_the_source_is_not_read(site: Site, outside: str) -> None:
    site.source({"a": ""})
    (site.folder / "sources/app/link").symlink_to("/etc/passwd")
    assert "outside of the source" in site.build(override=outside).failed.message


def test_an_invalid_buildspec_is_refused_with_its_line(site: Site) -> None:
    failed = site.build("version: 0.2\nphases:\n  biuld: {commands: [make]}\n").failed
    assert failed.code == FailureType.CONFIGURATION_ERROR
    assert "buildspec.yml, line 3: found the phase biuld; a phase is one of" in failed.message


def test_a_buildspec_without_commands_is_no_success(site: Site) -> None:
    assert "nothing would be built" in site.build("version: 0.2\nphases: {build: }").failed.message


@pytest.mark.parametrize("where", ["settings", "action"])
@pytest.mark.parametrize("inline", [False, True])
def test_the_buildspec_may_be_elsewhere(site: Site, where: str, *, inline: bool) -> None:
    text = "version: 0.2\nphases: {build: {commands: [touch reached]}}\n"
    site.source({"buildspec.yml": phases(build=["false"]), "ci/build.yml": text})
    given = text if inline else "ci/build.yml"
    if where == "settings":
        site.settings = Settings(projects={"shop": Project(buildspec=given)})
        built = site.build()
    else:
        site.settings = Settings(projects={"shop": Project(buildspec="missing.yml")})
        built = site.build(override=given)
    assert built.succeeded.summary
    assert built.text("reached") == ""


# ------------------------------------------------------------------ inputs


def test_several_inputs_lie_in_folders_of_their_own(site: Site) -> None:
    show = 'cat "$CODEBUILD_SRC_DIR/name" "$CODEBUILD_SRC_DIR_tool_s/name" > out'
    site.source({"name": "app\n", "buildspec.yml": phases(build=[show])})
    site.source({"name": "tools\n"}, "tool-s")
    action = codebuild("build", project="shop", primary="app").reads("tool-s", "app")
    assert site.build(action=action).text("out") == "app\ntools\n"


@pytest.mark.parametrize("primary", [None, "other"])
def test_the_primary_source_must_be_known(site: Site, primary: str | None) -> None:
    site.source({"a": ""})
    site.source({"a": ""}, "tools")
    action = codebuild("build", project="shop", primary=primary).reads("app", "tools")
    failed = site.build(action=action).failed
    assert failed.code == FailureType.CONFIGURATION_ERROR
    assert "inputs are app, tools; set PrimarySource" in failed.message
    check = codebuild.traits.check
    assert check
    assert check(action, Settings()) == failed.message


# ------------------------------------------------------------------ artifacts and variables


def artifacts(text: str, section: Mapping[str, object], **more: object) -> str:
    return json.dumps({**json.loads(text), "artifacts": section, **more})


def test_one_output_takes_the_artifacts_section(site: Site) -> None:
    text = artifacts(
        phases(build=["mkdir -p dist/css; touch dist/a.js dist/css/b.css dist/a.map; cd /"]),
        {"files": ["**/*"], "base-directory": "dist", "exclude-paths": "*.map"},
    )
    action = codebuild("build", project="shop").reads("app").writes("site")
    built = site.build(text, action)
    assert built.succeeded.summary
    assert built.files("site") == {"a.js", "css/b.css"}
    assert "artifact site: 2 files" in built.job.said


def test_several_outputs_take_the_secondary_artifacts_of_their_names(site: Site) -> None:
    section = {
        "files": "a",
        "secondary-artifacts": {
            "one": {"files": ["a", "deep/b"], "discard-paths": "yes"},
            "two": {"files": ["**/*.txt"]},
        },
    }
    text = artifacts(phases(build=["mkdir deep; touch a deep/b x.txt"]), section)
    action = codebuild("build", project="shop").reads("app").writes("one", "two")
    built = site.build(text, action)
    assert built.succeeded.summary
    assert (built.files("one"), built.files("two")) == ({"a", "b"}, {"x.txt"})
    lacking = codebuild("build", project="shop").reads("app").writes("one", "three")
    failed = site.build(text, lacking).failed
    assert "is to write three, but the buildspec has no secondary-artifacts" in failed.message


def test_patterns_know_the_variables_of_the_build(site: Site) -> None:
    text = artifacts(
        phases(build=["export TARGET=out; mkdir out; touch out/app-1.2.jar; VERSION=1.2"]),
        {"files": "app-${VERSION}.jar", "base-directory": "$CODEBUILD_SRC_DIR/$TARGET"},
    )
    action = codebuild("build", project="shop").reads("app").writes("jar")
    assert site.build(text, action).files("jar") == {"app-1.2.jar"}


@pytest.mark.parametrize(
    ("section", "words"),
    [
        (None, "has no artifacts"),
        ({"files": ["*.jar", "x/**/*"]}, "matches *.jar, x/**/* in the base directory ."),
        ({"files": "*", "base-directory": "dist"}, "base directory dist"),
        ({"files": "../x"}, "leads out of the source"),
        ({"files": "/etc/passwd"}, "outside of the source"),
    ],
)
def test_an_output_without_files_fails(
    site: Site, section: Mapping[str, object] | None, words: str
) -> None:
    text = phases(build=["touch made"])
    action = codebuild("build", project="shop").reads("app").writes("site")
    built = site.build(artifacts(text, section) if section else text, action)
    assert words in built.failed.message
    assert built.job.written == {}


def test_a_failed_build_publishes_nothing(site: Site) -> None:
    text = artifacts(phases(build=["touch made; false"]), {"files": "**/*"})
    action = codebuild("build", project="shop").reads("app").writes("site")
    built = site.build(text, action)
    assert built.failed.message
    assert built.job.written == {}


def test_exported_variables_are_those_of_the_end(site: Site) -> None:
    text = phases(
        install=["VERSION=0"], build=["export NOTE='a \"b\"\nc'"], post_build=["VERSION=2"]
    )
    exported = {
        "exported-variables": ["VERSION", "NOTE", "UNSET", "AWS_REGION", "CODEBUILD_BUILD_ID"]
    }
    built = site.build(json.dumps({**json.loads(text), "env": exported}))
    assert built.succeeded.variables == {
        "VERSION": "2",
        "NOTE": 'a "b"\nc',
        "CODEBUILD_BUILD_ID": f"shop:{ID}",
    }
    assert "UNSET is not exported: no command has set it" in built.job.said


# ------------------------------------------------------------------ as an action


def test_written_down_in_a_cell_it_has_codebuilds_keys() -> None:
    action = codebuild(
        "build", project="shop", buildspec="ci.yml", env={"A": "1"}, primary="app", batch=False
    )
    assert action.configuration == {
        "ProjectName": "shop",
        "BuildspecOverride": "ci.yml",
        "EnvironmentVariables": '[{"name": "A", "value": "1", "type": "PLAINTEXT"}]',
        "PrimarySource": "app",
        "BatchEnabled": "false",
    }
    assert action["VERSION"] == "#{build.VERSION}"


def test_it_is_a_build_and_a_test_action() -> None:
    assert codebuild.type.id.category is Category.BUILD
    assert codebuild.type.timeout == timedelta(hours=36)
    assert codebuild_test.type.id.category is Category.TEST
    assert codebuild_test.type.timeout == timedelta(hours=8)
    assert codebuild_test("test", project="shop").type == codebuild_test.type.id


def test_a_batch_build_is_refused(site: Site) -> None:
    built = site.build(phases(build=["touch never"]), batch=True)
    assert built.failed.code == FailureType.CONFIGURATION_ERROR
    assert "take BatchEnabled and CombineArtifacts out" in built.failed.message
    assert codebuild.traits.check
    action = codebuild("build", project="shop", batch=True).reads("app")
    assert codebuild.traits.check(action, Settings()) == built.failed.message


def test_the_check_leaves_variables_with_references_to_the_run() -> None:
    check = codebuild.traits.check
    assert check
    fine = codebuild("build", project="shop", env={"A": "#{app.CommitMessage}"}).reads("app")
    assert check(fine, Settings()) is None
    odd = codebuild("build", project="shop", env="[").reads("app")
    assert "EnvironmentVariables, line 1" in (check(odd, Settings()) or "")
