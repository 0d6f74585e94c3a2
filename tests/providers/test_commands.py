"""Commands actions: written down in a cell, and really run."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from pipelinekit.engine.catalog import TYPES
from pipelinekit.model.action import Action, EnvironmentVariable, OutputArtifact, SecretType
from pipelinekit.model.errors import ValidationError
from pipelinekit.model.order import Failed, FailureType, Outcome, Succeeded
from pipelinekit.model.settings import Settings
from pipelinekit.providers.commands import commands, commands_action, secret
from tests.fakes import FolderJob, order


def job(action: Action, folder: Path, sources: Mapping[str, Mapping[str, str]]) -> FolderJob:
    inputs = {}
    for name, files in sources.items():
        inputs[name] = folder / "sources" / name
        for path, content in files.items():
            target = inputs[name] / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(content, encoding="utf-8")
    made = FolderJob(order(action), folder / "job", inputs=inputs)
    made.folder.mkdir()
    return made


def succeeded(outcome: Outcome) -> Succeeded:
    assert isinstance(outcome, Succeeded), outcome
    return outcome


def failed(outcome: Outcome) -> Failed:
    assert isinstance(outcome, Failed), outcome
    return outcome


def files(folder: Path) -> set[str]:
    return {str(each.relative_to(folder)) for each in folder.rglob("*") if each.is_file()}


# ------------------------------------------------------------------ written down


def test_written_down_it_has_everything_that_codepipeline_keeps() -> None:
    action = commands(
        "smoke.test",
        "make test",
        "export V=1",
        env={"A": "b", "TOKEN": secret("shop:token")},
        variables=("V",),
        files=("dist/**/*",),
    )
    assert action == Action(
        "smoke.test",
        commands_action.type.id,
        outputs=(OutputArtifact("smoke_test_artifact", ("dist/**/*",)),),
        namespace="smoke_test",
        commands=("make test", "export V=1"),
        output_variables=("V",),
        environment=(
            EnvironmentVariable("A", "b"),
            EnvironmentVariable("TOKEN", "shop:token", SecretType.SECRETS_MANAGER),
        ),
    )
    assert action["V"] == "#{smoke_test.V}"


def test_the_artifact_can_be_named_and_left_out() -> None:
    assert commands("a", "true").outputs == ()
    assert commands("a", "true", artifact="all").outputs == (OutputArtifact("all"),)
    named = commands("a", "true", artifact="dist", files=("x",)).outputs
    assert named == (OutputArtifact("dist", ("x",)),)


def test_its_type_is_that_of_codepipeline() -> None:
    theirs, ours = TYPES[commands_action.type.id], commands_action.type
    assert (ours.inputs, ours.outputs) == (theirs.inputs, theirs.outputs)
    assert {each.name for each in ours.properties} == {each.name for each in theirs.properties}
    assert ours.timeout == timedelta(minutes=55)


# ------------------------------------------------------------------ run


def test_commands_share_one_shell_and_the_first_input_is_their_folder(tmp_path: Path) -> None:
    action = commands(
        "check",
        "cat name > out",
        'cd sub; export V="$(cat ../name)-$(cat "$CODEBUILD_SRC_DIR_tools/name")-$A"',
        'test "${PWD##*/}" = sub && test "$CODEBUILD_SRC_DIR" = "${PWD%/*}"',
        env={"A": "b c"},
        variables=("V", "CODEBUILD_BUILD_ID", "CODEBUILD_INITIATOR"),
    ).reads("app", "tools")
    done = job(action, tmp_path, {"app": {"name": "app", "sub/x": ""}, "tools": {"name": "tools"}})
    answer = succeeded(commands_action.carry_out(done))
    assert answer.variables == {
        "V": "app-tools-b c",
        "CODEBUILD_BUILD_ID": f"shop-check:{done.order.id}",
        "CODEBUILD_INITIATOR": "codepipeline/shop",
    }
    assert answer.external_id == f"shop-check:{done.order.id}"
    assert answer.place
    assert done.written == {}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("exit 3", "`exit 3` of phase build exited with 3"),
        ("no-such-program --now", "`no-such-program --now` of phase build exited with 127"),
    ],
)
def test_the_first_failure_is_the_end(tmp_path: Path, line: str, words: str) -> None:
    action = commands("check", "true", line, "touch never", files=("**/*",)).reads("app")
    done = job(action, tmp_path, {"app": {"a": ""}})
    answer = failed(commands_action.carry_out(done))
    assert answer.code == FailureType.JOB_FAILED
    assert words in answer.message
    assert files(done.folder / "in/app") == {"a"}
    assert done.written == {}


def test_the_artifact_takes_the_files_that_are_named(tmp_path: Path) -> None:
    action = commands("pack", "mkdir -p dist/x; touch dist/a dist/x/b c", files=("dist/**/*",))
    done = job(action.reads("app"), tmp_path, {"app": {"a": ""}})
    succeeded(commands_action.carry_out(done))
    assert files(done.written["pack_artifact"]) == {"dist/a", "dist/x/b"}


def test_the_artifact_takes_all_files_where_none_are_named(tmp_path: Path) -> None:
    action = commands("pack", "touch made", artifact="all").reads("app")
    done = job(action, tmp_path, {"app": {"a": "", "deep/b": ""}})
    succeeded(commands_action.carry_out(done))
    assert files(done.written["all"]) == {"a", "deep/b", "made"}


def test_files_that_match_nothing_fail_the_action(tmp_path: Path) -> None:
    action = commands("pack", "true", files=("*.jar",)).reads("app")
    answer = failed(commands_action.carry_out(job(action, tmp_path, {"app": {"a": ""}})))
    assert "no file for artifact pack_artifact matches *.jar" in answer.message


def test_a_secret_that_is_not_there_says_what_to_configure(tmp_path: Path) -> None:
    action = commands("check", "touch never", env={"TOKEN": secret("shop:token")}).reads("app")
    done = job(action, tmp_path, {"app": {"a": ""}})
    answer = failed(commands_action.carry_out(done))
    assert answer.code == FailureType.CONFIGURATION_ERROR
    assert "TOKEN" in answer.message
    assert "shop" in answer.message
    assert files(done.folder / "in/app") == {"a"}


def test_windows_cannot_be_had(tmp_path: Path) -> None:
    action = replace(
        commands("check", "dir").reads("app"),
        configuration={"EnvironmentType": "WINDOWS_SERVER_2022_CONTAINER"},
    )
    answer = failed(commands_action.carry_out(job(action, tmp_path, {"app": {"a": ""}})))
    assert answer.code == FailureType.CONFIGURATION_ERROR
    assert "no Windows containers" in answer.message
    assert commands_action.traits.check
    assert commands_action.traits.check(action, Settings()) == answer.message


@pytest.mark.parametrize(
    ("configuration", "told"),
    [
        ({"VpcId": "vpc-1"}, "VpcId vpc-1"),
        ({"Subnets": "s-1,s-2", "SecurityGroupIds": "g"}, "Subnets s-1,s-2, SecurityGroupIds g"),
    ],
)
def test_a_vpc_has_no_meaning_here_and_that_is_said(
    tmp_path: Path, configuration: dict[str, str], told: str
) -> None:
    action = replace(commands("check", "true").reads("app"), configuration=configuration)
    done = job(action, tmp_path, {"app": {"a": ""}})
    succeeded(commands_action.carry_out(done))
    assert f"{told}: commands run in this machine's network, not in a VPC" in done.said


def test_a_key_that_the_type_does_not_have_is_no_setting() -> None:
    with pytest.raises(TypeError, match="image"):
        commands_action("x", image="y")  # type: ignore[call-arg]  # that is what is tried
    with pytest.raises(ValidationError):
        commands("x", "true").reads(commands("y", "true"))
