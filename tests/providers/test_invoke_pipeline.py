"""A pipeline that starts another one."""

import json
from pathlib import Path
from typing import Any

import pytest

import pipelinekit as pk
from pipelinekit.model.action import Action
from pipelinekit.model.order import Failed, FailureType, Succeeded
from pipelinekit.model.settings import Settings
from pipelinekit.providers.invoke_pipeline import invoke
from tests.fakes import FolderJob, order

WAIT = 20.0


@pk.action("Source", "InvokeFetch")
def fetch(job: pk.Job, text: str = "hello") -> pk.Outcome:
    """Write a file, and tell the revision that was asked for."""
    folder = job.folder / "written"
    folder.mkdir(parents=True)
    (folder / "file.txt").write_text(text, encoding="utf-8")
    job.write(folder)
    return pk.Succeeded({"Revision": job.order.revision or "none"})


@pk.action("Test", "InvokeTell")
def tell(job: pk.Job, text: str) -> pk.Outcome:
    """Give a text back."""
    del job
    return pk.Succeeded({"Text": text})


def job(action: Action, folder: Path, **changes: Any) -> FolderJob:
    return FolderJob(order(action, **changes), folder)


def refusal(action: Action) -> str | None:
    check = invoke.traits.check
    assert check is not None
    return check(action, Settings())


def test_an_action_is_written_down_as_aws_has_it() -> None:
    action = invoke("next", "other", variables={"A": "b"}, revisions={"src": "c0ffee"})
    assert str(action.type) == "Invoke/AWS/CodePipeline/1"
    assert action.configuration["PipelineName"] == "other"
    assert json.loads(action.configuration["Variables"]) == [{"name": "A", "value": "b"}]
    assert json.loads(action.configuration["SourceRevisions"]) == [
        {"actionName": "src", "revisionType": "COMMIT_ID", "revisionValue": "c0ffee"}
    ]
    assert action.namespace is None


def test_another_pipeline_is_started_with_variables_and_revisions(tmp_path: Path) -> None:
    action = invoke("next", "other", variables={"A": "b"}, revisions={"src": "c0ffee"})
    asked = job(action, tmp_path)
    outcome = invoke.carry_out(asked)
    assert outcome == Succeeded(summary="Started other", external_id="execution-1")
    assert asked.started == [("other", {"A": "b"}, {"src": "c0ffee"})]
    assert asked.said == ["started pipeline other, execution execution-1"]


def test_a_pipeline_that_starts_itself_is_refused(tmp_path: Path) -> None:
    asked = job(invoke("next", "shop"), tmp_path)
    failed = invoke.carry_out(asked)
    assert isinstance(failed, Failed)
    assert failed.code == FailureType.CONFIGURATION_ERROR
    assert "start itself" in failed.message
    assert asked.started == []


@pytest.mark.parametrize(
    ("key", "text", "words"),
    [
        ("Variables", '{"A": "b"}', "Variables"),
        ("Variables", '[{"name": "A"}]', "value"),
        ("Variables", "[", "Variables"),
        ("SourceRevisions", '[{"actionName": "a", "revisionValue": "b"}]', "revisionType"),
        (
            "SourceRevisions",
            '[{"actionName": "a", "revisionType": "S3_OBJECT_KEY", "revisionValue": "b"}]',
            "S3_OBJECT_KEY",
        ),
    ],
)
def test_a_text_that_cannot_be_read_is_refused(
    tmp_path: Path, key: str, text: str, words: str
) -> None:
    written = {"PipelineName": "other", key: text}
    action = Action("next", invoke.traits.id, written)
    told = refusal(action)
    assert told is not None
    assert words in told
    failed = invoke.carry_out(job(action, tmp_path))
    assert isinstance(failed, Failed)
    assert words in failed.message


def test_a_text_with_references_is_looked_at_later() -> None:
    assert refusal(invoke("next", "other", variables="#{build.VARIABLES}")) is None
    assert refusal(invoke("next", "other", variables={"A": "b"})) is None


def pipelines(**given: Any) -> tuple[pk.Pipeline, pk.Pipeline]:
    source = fetch("src").writes("code")
    first = (
        pk.Pipeline("first", variables=(pk.Variable("level", "info"),))
        >> pk.Stage("Source", source)
        >> pk.Stage("Go", invoke("next", "second", **given))
    )
    second = (
        pk.Pipeline("second", variables=(pk.Variable("level", "none"),))
        >> pk.Stage("Source", source)
        >> pk.Stage("Tell", tell("tell", "#{variables.level} #{src.Revision}"))
    )
    return first, second


@pytest.mark.slow
def test_a_pipeline_starts_another_and_its_id_is_kept(tmp_path: Path) -> None:
    given = {"variables": {"level": "#{variables.level}!"}, "revisions": {"src": "abc"}}
    first, second = pipelines(**given)
    with pk.Kit(tmp_path / "home", settings=Settings(folder=str(tmp_path)), by="ann") as kit:
        kit.define(second)
        run = kit.start(first, variables={"level": "debug"}).wait(timeout=WAIT)
        assert run.status == "Succeeded"
        (child,) = kit.runs("second")
        assert run.actions[-1].external_id == child.id
        child.wait(timeout=WAIT)
        assert child.actions[-1].variables == {"Text": "debug! abc"}


@pytest.mark.slow
def test_a_pipeline_that_does_not_exist_fails_the_action(tmp_path: Path) -> None:
    with pk.Kit(tmp_path / "home", settings=Settings(folder=str(tmp_path)), by="ann") as kit:
        run = kit.start(pipelines()[0]).wait(timeout=WAIT)
        assert run.status == "Failed"
        assert "pipeline 'second' was asked for and is not in" in run.execution.summary
        assert "ConfigurationError" in run.logs()
