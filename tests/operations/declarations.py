"""Pipelines as clients write them down, of actions that do next to nothing."""

from typing import Any

import pipelinekit as pk

Json = dict[str, Any]

ROLE = "arn:aws:iam::111122223333:role/shop"
STORE = {"type": "S3", "location": "shop-artifacts"}


@pk.action("Source", "ApiFetch")
def fetch(job: pk.Job, text: str = "hello", token: str = "") -> pk.Outcome:
    """Write a file with a text into the artifact."""
    del token
    folder = job.folder / "written"
    folder.mkdir(parents=True)
    (folder / "file.txt").write_text(text, encoding="utf-8")
    job.write(folder)
    return pk.Succeeded({"CommitId": "c0ffee"})


@pk.action("Test", "ApiLook")
def look(job: pk.Job, wanted: str = "hello") -> pk.Outcome:
    """Compare the artifact's text with what is wanted."""
    found = (job.read() / "file.txt").read_text(encoding="utf-8")
    return pk.Succeeded({"Found": found}) if found == wanted else pk.Failed(f"found {found}")


def kind(category: str, provider: str, owner: str = "Custom") -> Json:
    """Name an action type."""
    return {"category": category, "owner": owner, "provider": provider, "version": "1"}


def source(**more: Any) -> Json:
    """Declare a source."""
    return {
        "name": "Fetch",
        "actionTypeId": kind("Source", "ApiFetch"),
        "outputArtifacts": [{"name": "Code"}],
        "namespace": "src",
        **more,
    }


def test(**more: Any) -> Json:
    """Declare a test of what the source fetched."""
    reads = [{"name": "Code"}]
    return {
        "name": "Look",
        "actionTypeId": kind("Test", "ApiLook"),
        "inputArtifacts": reads,
        **more,
    }


test.__test__ = False  # type: ignore[attr-defined]  # pytest is not to take it for one


def approval(**more: Any) -> Json:
    """Declare an approval."""
    return {"name": "Ask", "actionTypeId": kind("Approval", "Manual", "AWS"), **more}


def stage(name: str, *actions: Json, **more: Any) -> Json:
    """Declare a stage."""
    return {"name": name, "actions": list(actions), **more}


def pipeline(*stages: Json, name: str = "shop", **more: Any) -> Json:
    """Declare a pipeline that begins with a source."""
    return {
        "name": name,
        "roleArn": ROLE,
        "artifactStore": STORE,
        "stages": [stage("Source", source()), *stages],
        "pipelineType": "V2",
        **more,
    }


def usual(**more: Any) -> Json:
    """Declare a pipeline of a source, a test and an approval."""
    return pipeline(stage("Test", test()), stage("Live", approval()), **more)
