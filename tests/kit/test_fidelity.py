"""The report on a pipeline says the same as a start of it, of each action and of each rule."""

import re
from pathlib import Path

import pytest
from msgspec.structs import replace

import pipelinekit as pk
from pipelinekit.kit.ability import runs_here
from pipelinekit.kit.plan import Ground, planned, wish
from pipelinekit.kit.registry import action_types
from pipelinekit.model.action import Action, Category, EnvironmentVariable, SecretType
from pipelinekit.model.condition import Condition, Result, Rule, RuleTypeId
from pipelinekit.model.errors import CannotRunHere
from pipelinekit.model.pipeline import Pipeline, Stage
from pipelinekit.model.settings import Aws, Project, Settings
from pipelinekit.model.state import State
from tests.build import CONNECTION, aws, build, commands, pipeline, source

HERE = Settings(connections={CONNECTION: "https://git.example.org/{repository}.git"})
SPEC = "version: 0.2\nphases: {build: {commands: [make]}}\nartifacts: {files: [a]}\n"
STORED = "version: 0.2\nenv: {parameter-store: {A: /a}}\nphases: {build: {commands: [make]}}\n"
BATCH = f"{SPEC}batch: {{build-list: [{{identifier: a}}]}}\n"


def line(action: Action) -> Pipeline:
    return pipeline(Stage("Source", source()), Stage("Next", action))


def reason(shop: Pipeline, settings: Settings = HERE) -> str:
    """Give why the pipeline does not run, by the report, the plan and the start alike."""
    told = {each.place: each.why for each in pk.fidelity(shop, settings) if each.why}
    plan = planned(
        Ground(State(), None, settings, action_types()), shop, wish("shop", "me", {}, {}, {})
    )
    assert plan.obstacles == tuple(f"{place}: {why}" for place, why in told.items())
    if not told:
        runs_here(shop, settings)
        return ""
    (place, why), *_ = told.items()
    with pytest.raises(CannotRunHere) as refused:
        runs_here(shop, settings)
    assert f"  {place}: {why}" in str(refused.value)
    return why


def built(project: Project, settings: Settings = HERE, **configuration: str) -> str:
    """Give why a build of a project does not run."""
    given = {"ProjectName": "shop", **configuration}
    found = replace(settings, projects={"shop": project})
    return reason(line(build(configuration=given, outputs=())), found)


@pytest.mark.parametrize(
    ("kind", "system"),
    [
        ("WINDOWS_SERVER_2019_CONTAINER", "Windows"),
        ("WINDOWS_EC2", "Windows"),
        ("MAC_ARM", "macOS"),
    ],
)
def test_builds_of_another_system_do_not_run_here(
    kind: str, system: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.system", lambda: "Linux")
    why = built(Project(environment_type=kind))
    assert f"is a {kind}, and this machine is no {system}" in why
    assert "environment_type = 'LINUX_CONTAINER' under [codebuild.shop]" in why


@pytest.mark.parametrize(
    "kind", ["ARM_CONTAINER", "LINUX_GPU_CONTAINER", "LINUX_LAMBDA_CONTAINER"]
)
def test_other_machines_of_the_same_system_are_this_machine(kind: str) -> None:
    assert built(Project(environment_type=kind)) == ""


@pytest.mark.parametrize(
    ("buildspec", "words"),
    [
        ("version: 0.2\nphases: {bild: {commands: [ls]}}\n", "the inline buildspec.*bild"),
        ("not yaml: [", "the inline buildspec, line 2"),
        ("version: 0.2\nnot yaml: [", "the inline buildspec, line 3"),
        ("version: 0.2\nphases: {build: {commands: []}}\n", "has no command"),
        ("arn:aws:s3:::b/buildspec.yml", "lies in S3.* add it to the source"),
        ("UNRESOLVED-Spec", " UNRESOLVED-Spec, which an import left"),
    ],
)
def test_a_buildspec_that_no_build_could_use_is_told(buildspec: str, words: str) -> None:
    assert match(words, built(Project(buildspec=buildspec)))
    assert match(words, built(Project(buildspec=SPEC), BuildspecOverride=buildspec))
    assert built(Project(buildspec=buildspec), BuildspecOverride=SPEC) == ""


def match(words: str, text: str) -> bool:
    return re.search(words, text) is not None


def test_a_buildspec_that_writes_no_artifact_or_has_no_batch_is_told() -> None:
    settings = replace(HERE, projects={"shop": Project(buildspec=STORED)}, aws=Aws("dev"))
    assert "the buildspec has no artifacts for it" in reason(line(build()), settings)
    assert reason(line(build(outputs=())), settings) == ""
    assert "has no section batch" in built(Project(buildspec=SPEC), BatchEnabled="true")
    assert built(Project(buildspec=BATCH), BatchEnabled="true") == ""


@pytest.mark.parametrize(
    ("project", "what"),
    [
        (Project(parameters={"A": "/a"}), "A: the parameter /a was asked for"),
        (Project(secrets={"A": "s:k"}), "A: the secret s:k was asked for"),
        (Project(buildspec=STORED), "A: the parameter /a was asked for"),
    ],
)
def test_values_that_nothing_can_look_up_are_told(
    project: Project, what: str, tmp_path: Path
) -> None:
    why = built(project)
    assert what in why
    assert "neither a file of secrets nor an AWS account is configured" in why
    assert "\n" not in why
    own = '[{"name": "A", "value": "plain"}]'
    assert built(project, EnvironmentVariables=own) == ""
    assert built(project, EnvironmentVariables='[{"name": "A", "value": #{src.CommitId}}]') == ""
    assert built(project, replace(HERE, aws=Aws("dev"))) == ""

    file = tmp_path / "secrets.toml"
    stored = replace(HERE, secrets=str(file))
    assert "cannot be read" in built(project, stored)
    file.write_text('[parameter-store]\n"/b" = "1"\n', encoding="utf-8")
    file.chmod(0o600)
    assert "is not in" in built(project, stored)
    text = '[parameter-store]\n"/a" = "1"\n[secrets-manager]\ns = {k = "1"}\n'
    file.write_text(text, encoding="utf-8")
    assert built(project, stored) == ""


@pytest.mark.parametrize(("reference", "known"), [("s:k", False), ("#{src.CommitId}", True)])
def test_secrets_of_commands_that_nothing_can_look_up_are_told(
    reference: str, *, known: bool
) -> None:
    variable = EnvironmentVariable("A", reference, SecretType.SECRETS_MANAGER)
    shop = line(commands(environment=(variable,)))
    assert bool(reason(shop)) is not known
    assert reason(shop, replace(HERE, aws=Aws("dev"))) == ""


def test_a_pipeline_that_starts_itself_is_told() -> None:
    start = Action("Again", aws(Category.INVOKE, "CodePipeline"), {"PipelineName": "shop"})
    assert "is to start itself" in reason(line(start))
    assert reason(line(replace(start, configuration={"PipelineName": "other"}))) == ""


def test_what_cannot_read_the_name_of_a_commit_is_told() -> None:
    form = {**source().configuration, "OutputArtifactFormat": "CODEBUILD_CLONE_REF"}
    refers = Stage("Source", source(configuration=form))
    check = commands(environment=())
    assert "set OutputArtifactFormat of Fetch" in reason(pipeline(refers, Stage("Next", check)))
    assert reason(pipeline(refers, Stage("Next", build()))) == ""

    lint = Rule("Lint", RuleTypeId("Commands"), commands=("make",), inputs=("Code",))
    guarded = Stage("Next", build(), before_entry=(Condition((lint,), Result.FAIL),))
    (told,) = (each for each in pk.fidelity(pipeline(refers, guarded), HERE) if each.why)
    assert told.place == "rule Next/Lint"
    assert "only CodeBuild actions can read" in reason(pipeline(refers, guarded))
