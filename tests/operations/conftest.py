"""What the tests of the API share: a kit, and clients that reach it in both ways."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

import pipelinekit as pk
from pipelinekit.endpoint.callers import Caller
from pipelinekit.endpoint.server import Server
from tests.operations.declarations import usual
from tests.operations.shapes import watch

KEY, SECRET = "AKIATEST", "correct horse battery staple"
WAIT = 20.0


@pytest.fixture
def kit(tmp_path: Path) -> Iterator[pk.Kit]:
    """Open a kit on a fresh store."""
    with pk.Kit(tmp_path / "home", settings=pk.Settings(folder=str(tmp_path)), by="ann") as made:
        yield made


@pytest.fixture
def server(kit: pk.Kit) -> Iterator[Server]:
    """Serve the kit at a free port, to one caller."""
    with Server(kit, {KEY: Caller("ben", SECRET)}, "127.0.0.1", 0) as running:
        yield running


@pytest.fixture(params=["in this process", "over HTTP"])
def client(request: pytest.FixtureRequest, kit: pk.Kit) -> Any:
    """Give a real boto3 client, every answer to which is checked by the model."""
    if request.param == "in this process":
        return watch(kit.client())
    served: Server = request.getfixturevalue("server")
    return watch(over_http(served.url))


def over_http(url: str, key: str = KEY, secret: str = SECRET) -> Any:
    """Make a client of the session that all tests share, since a session takes long to make."""
    keys = {"aws_access_key_id": key, "aws_secret_access_key": secret}
    return boto3.client("codepipeline", endpoint_url=url, region_name="us-east-1", **keys)


@pytest.fixture
def shop(client: Any) -> str:
    """Create a pipeline whose first execution waits for an approval; give its name."""
    client.create_pipeline(pipeline=usual())
    until(lambda: action_state(client, "Live", "Ask").get("token"))
    return "shop"


def until(found: Callable[[], Any], seconds: float = WAIT) -> Any:
    """Wait until something is found."""
    limit = time.monotonic() + seconds
    while not (value := found()):
        assert time.monotonic() < limit, "it did not come"
        time.sleep(0.02)
    return value


def stage_state(client: Any, stage: str, name: str = "shop") -> Any:
    """Read where a stage stands."""
    states = client.get_pipeline_state(name=name)["stageStates"]
    return next(each for each in states if each["stageName"] == stage)


def action_state(client: Any, stage: str, action: str, name: str = "shop") -> Any:
    """Read where the last attempt of an action stands; empty where there was none."""
    states = stage_state(client, stage, name)["actionStates"]
    return next(each for each in states if each["actionName"] == action).get("latestExecution", {})


def newest(client: Any, name: str = "shop") -> Any:
    """Give the newest execution of a pipeline."""
    return client.list_pipeline_executions(pipelineName=name)["pipelineExecutionSummaries"][0]
