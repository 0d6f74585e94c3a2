"""What the commands of a build see, and what is said of that."""

import json
import os
import sys
import time

import pytest
from msgspec.structs import replace

from pipelinekit.model.order import FailureType
from pipelinekit.model.settings import Aws, Compute, Project, Settings, Where
from pipelinekit.providers.codebuild import codebuild
from pipelinekit.tools.commands.surroundings import user
from tests.builds.sites import ID, Site, phases

HOST = Compute(where=Where.HOST)


def test_the_environment_is_small_and_says_what_is_built(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("MY_OWN", "x")
    monkeypatch.setenv("HTTPS_PROXY", "proxy")
    monkeypatch.setenv("PIP_INDEX_URL", "index")
    monkeypatch.setenv("NPM_CONFIG_REGISTRY", "registry")
    monkeypatch.setenv("NPM_CONFIG__AUTHTOKEN", "token")
    monkeypatch.setenv("npm_config__password", "password")
    monkeypatch.setenv("NPM_CONFIG_KEY", "key")
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
            "TMPDIR": str(built.job.folder / "build/tmp"),
            "HTTPS_PROXY": "proxy",
            "PIP_INDEX_URL": "index",
            "NPM_CONFIG_REGISTRY": "registry",
            "PATH": os.environ["PATH"],
        }.items()
    )
    withheld = {"NPM_CONFIG__AUTHTOKEN", "npm_config__password", "NPM_CONFIG_KEY"}
    assert not {"AWS_SECRET_ACCESS_KEY", "MY_OWN", *withheld} & seen.keys()
    assert abs(int(seen["CODEBUILD_START_TIME"]) / 1000 - time.time()) < 60
    assert seen.keys() >= {"CODEBUILD_KMS_KEY_ID", "CODEBUILD_LOG_PATH"}


def test_a_build_knows_where_the_account_of_the_settings_is(site: Site) -> None:
    where = Aws(region="eu-west-1", endpoint="http://127.0.0.1:5000")
    site.settings = replace(site.settings, aws=where)
    show = (
        "echo $AWS_REGION $AWS_DEFAULT_REGION $AWS_ENDPOINT_URL ${CODEBUILD_BUILD_ARN%%:0*} > out"
    )
    told = "eu-west-1 eu-west-1 http://127.0.0.1:5000 arn:aws:codebuild:eu-west-1\n"
    assert site.build(phases(build=[show])).text("out") == told


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
        ('[{"name": "A", "value": "k", "type": "PARAMETER_STORE"}]', "A: the parameter k was"),
        ('[{"name": "A", "value": "k", "type": "SECRETS_MANAGER"}]', "A: the secret k was"),
        ('[{"name": "A=B", "value": "1"}]', "cannot be given to a process"),
        ('[{"name": "A", "value": "\\u0000"}]', "cannot be given to a process"),
        (json.dumps([{"name": "A", "value": "x" * 200_000}]), "200002 bytes"),
    ],
)
def test_variables_that_cannot_be_given_are_refused(site: Site, env: str, words: str) -> None:
    failed = site.build(phases(build=["touch never"]), env=env).failed
    assert failed.code == FailureType.CONFIGURATION_ERROR
    assert words in failed.message


def test_secrets_that_are_not_there_fail_the_build_with_what_to_configure(site: Site) -> None:
    text = json.loads(phases(build=["echo $TOKEN$PASSWORD > out"]))
    text["env"] = {"parameter-store": {"TOKEN": "/t"}, "secrets-manager": {"PASSWORD": "p:k"}}
    failed = site.build(json.dumps(text), env={"TOKEN": "1"}).failed
    assert failed.code == FailureType.CONFIGURATION_ERROR
    assert "PASSWORD: the secret p:k was asked for" in failed.message
    assert "TOKEN" not in failed.message
    assert "under [secrets]" in failed.message
    assert site.build(env={"TOKEN": "1", "PASSWORD": "2"}).text("out") == "12\n"


@pytest.fixture
def secretive(site: Site) -> Site:
    kept = site.folder / "secrets.toml"
    kept.touch(mode=0o600)
    kept.write_text(
        '[parameter-store]\n"/t" = "token-1234"\n[secrets-manager]\np = { k = "pass-5678" }\n',
        encoding="utf-8",
    )
    site.settings = Settings(folder=str(site.folder), secrets="secrets.toml", compute=HOST)
    return site


def test_secrets_are_given_and_nowhere_shown(
    secretive: Site, capfd: pytest.CaptureFixture[str]
) -> None:
    lines = ["echo $TOKEN$PASSWORD$OTHER | tee out", "export COPY=x$TOKEN", "WORD=fine"]
    text = json.loads(phases(build=[*lines, "echo pass-5678"]))
    text["env"] = {
        "parameter-store": {"TOKEN": "/t"},
        "secrets-manager": {"PASSWORD": "p:k"},
        "exported-variables": ["TOKEN", "PASSWORD", "COPY", "WORD"],
    }
    text["artifacts"] = {"files": "out", "name": "n-$TOKEN"}
    action = codebuild(
        "build", "shop", env='[{"name": "OTHER", "value": "/t", "type": "PARAMETER_STORE"}]'
    )
    built = secretive.build(json.dumps(text), action.reads("app").writes("out"))
    assert built.text("out") == "token-1234pass-5678token-1234\n"
    assert built.succeeded.variables == {"WORD": "fine"}
    assert built.succeeded.summary.endswith("; out is called n-***")
    shown = "\n".join((capfd.readouterr().out, *built.job.said))
    assert "token-1234" not in shown
    assert "pass-5678" not in shown
    assert "*********" in shown
    assert "$ echo ***" in shown


def test_passwords_of_indexes_and_proxies_are_given_and_not_shown(
    site: Site, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "https://ann:pass%2Fword@index.example/simple")
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "https://a.example https://t0ken@b.example:8443/x")
    monkeypatch.setenv("HTTPS_PROXY", "http://ann:letmein@proxy.example:3128")
    build = ['echo "$PIP_INDEX_URL" > out', "env", "echo pass/word t0ken letmein"]
    built = site.build(phases(build=build))
    assert built.text("out") == "https://ann:pass%2Fword@index.example/simple\n"
    shown = "\n".join((capfd.readouterr().out, *built.job.said))
    assert "PIP_INDEX_URL=https://ann:***@index.example/simple" in shown
    assert not [each for each in ("pass%2Fword", "pass/word", "t0ken", "letmein") if each in shown]


def test_a_failure_does_not_tell_a_secret(secretive: Site) -> None:
    text = json.loads(phases(build=["test token-1234 = x"]))
    text["env"] = {"parameter-store": {"TOKEN": "/t"}}
    failed = secretive.build(json.dumps(text)).failed
    assert "command `test *** = x` of phase build exited with 1" in failed.message


def test_secrets_of_the_project_prevail_over_values_of_the_buildspec(secretive: Site) -> None:
    project = Project(secrets={"A": "p:k"}, parameters={"B": "/t"}, environment={"C": "project"})
    secretive.settings = replace(secretive.settings, projects={"shop": project})
    text = json.loads(phases(build=["echo $A $B $C > out"]))
    text["env"] = {"variables": {"A": "spec", "B": "spec"}, "parameter-store": {"C": "/no"}}
    built = secretive.build(json.dumps(text), env={"B": "action"})
    assert built.text("out") == "pass-5678 action project\n"


def test_another_user_is_refused_and_this_one_is_not(site: Site) -> None:
    text = json.loads(phases(build=["true"]))
    failed = site.build(json.dumps({**text, "run-as": "somebody-else"})).failed
    assert "phase build is to run as somebody-else" in failed.message
    assert "take run-as out" in failed.message
    assert failed.code == FailureType.CONFIGURATION_ERROR
    assert site.build(json.dumps({**text, "run-as": user()})).succeeded.summary


def test_the_log_tells_what_is_different_here(site: Site) -> None:
    text = json.loads(phases(install=["true"]))
    text["phases"]["install"]["runtime-versions"] = {"python": 3.9, "cobol": 85}
    text |= {"odd": 1}
    said = "\n".join(site.build(json.dumps(text)).job.said)
    assert "python 3.9 asked; python3 is 3." in said
    assert "cobol 85 asked; there is no cobol here" in said
    assert "does not know the key odd" in said


@pytest.mark.root
@pytest.mark.slow
def test_root_really_becomes_the_user_of_a_phase(site: Site) -> None:
    site.settings = Settings(compute=Compute(where=Where.SANDBOX))
    told = (
        "id -un >> $TMPDIR/who; test -r buildspec.yml && touch mine; echo $HOME $CI >> $TMPDIR/who"
    )
    text = json.loads(
        phases(install=["id -un"], build=[told], post_build=["cat $TMPDIR/who > who"])
    )
    text["phases"]["build"] |= {"run-as": "nobody", "on-failure": "CONTINUE"}
    built = site.build(json.dumps(text))
    assert built.text("who").split()[0] == "nobody"
    assert built.text("who").split()[2] == "true"
    assert not (built.job.folder / "in/app/mine").exists()


@pytest.mark.root
def test_a_user_who_cannot_reach_the_source_is_refused(site: Site) -> None:
    site.folder.chmod(0o700)
    text = json.loads(phases(build=["touch never"]))
    failed = site.build(json.dumps({**text, "run-as": "nobody"})).failed
    assert failed.code == FailureType.CONFIGURATION_ERROR
    assert "nobody, who cannot reach" in failed.message


def test_what_a_shell_exported_is_not_left_behind(site: Site) -> None:
    built = site.build(phases(build=["export KEY=hunter22", "true"]))
    left = (path for path in (built.job.folder / "build").rglob("*") if path.is_file())
    assert not any("hunter22" in path.read_text(encoding="utf-8") for path in left)


@pytest.mark.parametrize("asked", ["yes", "no"])
def test_git_finds_the_credentials_of_the_user_only_when_asked(
    site: Site, asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = site.folder / "home"
    home.mkdir()
    (home / ".gitconfig").write_text("[credential]\n\thelper = mine\n", encoding="utf-8")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("SSH_AUTH_SOCK", "/agent")
    text = json.loads(phases(build=["git config credential.helper > out; env > env"]))
    text["env"] = {"git-credential-helper": asked}
    built = site.build(json.dumps(text))
    assert built.text("out").strip() == ("mine" if asked == "yes" else "")
    assert ("SSH_AUTH_SOCK=/agent" in built.text("env")) == (asked == "yes")


def test_an_image_that_cannot_be_had_is_said(site: Site) -> None:
    project = Project(compute=Compute(where=Where.HOST, image="aws/codebuild/standard:7.0"))
    site.settings = Settings(projects={"shop": project})
    said = site.build(phases(build=["true"])).job.said
    assert "image aws/codebuild/standard:7.0 cannot be had outside of AWS" in said[1]


def test_an_image_that_the_settings_pass_over_is_said(site: Site) -> None:
    project = Project(compute=Compute(where=Where.HOST, image="node:18"))
    site.settings = Settings(projects={"shop": project})
    said = site.build(phases(build=["true"])).job.said
    assert "image node:18 is not used: builds run in the host by the settings" in said[1]


def test_another_machine_than_the_one_that_was_asked_for_is_said(site: Site) -> None:
    project = Project(environment_type="LINUX_GPU_CONTAINER", compute=Compute(where=Where.HOST))
    site.settings = Settings(projects={"shop": project})
    said = site.build(phases(build=["true"])).job.said
    assert said[1].startswith("environment type LINUX_GPU_CONTAINER: builds run on what this")


def test_a_build_of_windows_is_refused_before_anything_runs(site: Site) -> None:
    project = Project(environment_type="WINDOWS_CONTAINER")
    site.settings = Settings(projects={"shop": project})
    failed = site.build(phases(build=["touch never"])).failed
    assert "this machine is no Windows" in failed.message
    assert failed.code == FailureType.CONFIGURATION_ERROR


def test_what_the_place_cannot_hold_is_refused_before_anything_runs(site: Site) -> None:
    site.settings = Settings(compute=Compute(where=Where.HOST, memory_mb=100))
    failed = site.build(phases(build=["touch never"])).failed
    assert failed.code == FailureType.CONFIGURATION_ERROR
    assert "take the limits out" in failed.message


@pytest.mark.slow
def test_a_sandbox_is_told_and_keeps_its_home_for_the_build(site: Site) -> None:
    site.settings = Settings(compute=Compute(where=Where.SANDBOX))
    text = phases(
        build=["echo kept > ~/note; exit 0", "cat ~/note > note", "touch /usr/x || true"]
    )
    built = site.build(text)
    assert built.succeeded.place == "sandbox"
    assert built.text("note") == "kept\n"
    assert built.job.said[0] == "Build of shop, which runs in: sandbox"
