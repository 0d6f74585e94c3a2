"""Translates between the bucket of an action and the folder that stands for it."""

import json
from pathlib import Path
from typing import Final

from pipelinekit.model.order import Failed, FailureType
from pipelinekit.model.settings import Settings
from pipelinekit.tools.aws.bucket import Bucket, BucketError, BucketFault

_CODES: Final = {
    BucketFault.KEY: FailureType.CONFIGURATION_ERROR,
    BucketFault.FOLDER: FailureType.CONFIGURATION_ERROR,
    BucketFault.OBJECT: FailureType.REVISION_UNAVAILABLE,
    BucketFault.VERSION: FailureType.REVISION_UNAVAILABLE,
    BucketFault.DISK: FailureType.JOB_FAILED,
}


def find(name: str, settings: Settings) -> Bucket:
    """Give the folder that stands for a bucket.

    Args:
        name: The bucket's name.
        settings: What the project says; a relative folder starts from its own.

    Raises:
        BucketError: FOLDER, where the project does not name one.
    """
    folder = settings.buckets.get(name)
    if folder is None:
        line = f"{json.dumps(name)} = {json.dumps(f'buckets/{name}')}"
        raise BucketError(
            BucketFault.FOLDER,
            f"bucket {name!r} is to be used",
            "pipelinekit.toml does not say which folder stands for it",
            f"name one, such as\n\n[s3]\n{line}",
        )
    return Bucket(Path(settings.folder, folder))


def failed(error: BucketError, external_id: str = "") -> Failed:
    """Tell why an action could not use a bucket.

    Args:
        error: What went wrong.
        external_id: What S3 calls the run.
    """
    return Failed(str(error), code=_CODES[error.fault], external_id=external_id)
