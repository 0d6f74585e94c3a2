"""What job workers have to know besides their job: whether it goes on, and with which key."""

from typing import Any

import pytest

from tests.operations.conftest import until
from tests.operations.declarations import STORE, Json, pipeline, stage
from tests.operations.test_jobs import bake, baking, declared, polled, taken

__all__ = ["baking"]

KEY = {"id": "arn:aws:kms:us-east-1:111122223333:key/k1", "type": "KMS"}


def test_who_acknowledges_again_learns_that_the_execution_was_stopped(
    client: Any, baking: str
) -> None:
    """11.2: a worker must go on only if its job is InProgress."""
    job = taken(client)
    again = {"jobId": job["id"], "nonce": job["nonce"]}
    assert client.acknowledge_job(**again)["status"] == "InProgress"
    stopped = {"pipelineName": "shop", "pipelineExecutionId": baking}
    client.stop_pipeline_execution(**stopped, abandon=True)
    assert client.acknowledge_job(**again)["status"] == "Failed"


@pytest.mark.parametrize(
    "stores",
    [
        {"artifactStore": {**STORE, "encryptionKey": KEY}},
        {
            "artifactStore": None,
            "artifactStores": {"us-east-1": {**STORE, "encryptionKey": KEY}},
        },
    ],
)
def test_a_worker_is_told_the_key_of_the_artifacts(client: Any, stores: Json) -> None:
    """11.3: encryptionKey, wherever the definition has it."""
    client.create_custom_action_type(**declared())
    made = {**pipeline(stage("Bake", bake())), **stores}
    client.create_pipeline(
        pipeline={name: value for name, value in made.items() if value is not None}
    )
    (job,) = until(lambda: polled(client))
    assert job["data"]["encryptionKey"] == KEY
