"""Writes what a worker is told of its job. Source: codepipeline.md 11.3."""

from collections.abc import Mapping

from pipelinekit.model.execution import Artifact
from pipelinekit.model.order import Order
from pipelinekit.model.pipeline import EncryptionKey
from pipelinekit.wire.answers import Json, action_type_id, arn, present


def job_data(order: Order, credentials: Mapping[str, object], key: EncryptionKey | None) -> Json:
    """Write the data of a job, secrets in clear.

    Args:
        order: The action execution.
        credentials: Those of its artifacts.
        key: By which artifacts are to be encrypted, where the pipeline names one.
    """
    return present(
        actionTypeId=action_type_id(order.type),
        actionConfiguration={"configuration": dict(order.configuration)},
        pipelineContext={
            "pipelineName": order.pipeline,
            "stage": {"name": order.stage},
            "action": {"name": order.action, "actionExecutionId": order.id},
            "pipelineArn": arn(order.pipeline),
            "pipelineExecutionId": order.execution,
        },
        inputArtifacts=[job_artifact(each) for each in order.inputs],
        outputArtifacts=[job_artifact(each) for each in order.outputs],
        artifactCredentials=dict(credentials),
        continuationToken=order.token,
        encryptionKey={"id": key.id, "type": key.type} if key else None,
    )


def job_artifact(artifact: Artifact) -> Json:
    """Write where an artifact of a job lies."""
    place = {"bucketName": artifact.bucket, "objectKey": artifact.object_key}
    return present(
        name=artifact.name,
        revision=artifact.revision,
        location={"type": "S3", "s3Location": place},
    )
