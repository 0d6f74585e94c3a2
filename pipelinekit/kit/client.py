"""Real boto3 clients: one that is answered in this process, and one over the wire."""

from collections.abc import Iterator
from functools import cache
from typing import Any, Final

from pipelinekit.operations.answer import TYPE, answer
from pipelinekit.ports.control import Control
from pipelinekit.tools.commands.surroundings import REGION

SERVICE: Final = "codepipeline"
NOWHERE: Final = "http://in-this-process.invalid"
TARGET: Final = "X-Amz-Target"


def client(control: Control) -> Any:  # noqa: ANN401 - boto3 makes the class of a client at run time
    """Give a boto3 client of CodePipeline whose requests never leave this process.

    Checks of parameters, paginators and exception classes are botocore's own.

    Args:
        control: The engine that answers.
    """
    from botocore import UNSIGNED  # noqa: PLC0415 - only who asks for a client waits for it
    from botocore.awsrequest import AWSPreparedRequest, AWSResponse  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415

    def send(request: AWSPreparedRequest, **_: object) -> AWSResponse:
        target = request.headers[TARGET]
        named = target.decode() if isinstance(target, bytes) else target
        body = request.body.encode() if isinstance(request.body, str) else request.body or b""
        answered = answer(control, named, body)
        headers = {"Content-Type": TYPE}
        return AWSResponse(request.url, answered.status, headers, _Raw(answered.body))

    config = Config(region_name=REGION, signature_version=UNSIGNED)
    made = _session().client(SERVICE, endpoint_url=NOWHERE, config=config)
    made.meta.events.register(f"before-send.{SERVICE}", send)
    return made


def connect(endpoint: str, access_key: str | None = None, secret_key: str | None = None) -> Any:  # noqa: ANN401 - boto3 makes the class of a client at run time
    """Give a boto3 client of CodePipeline for a server such as `pipelinekit serve` runs.

    Args:
        endpoint: Its URL, such as `http://127.0.0.1:8642`.
        access_key: By which the server knows the caller; boto3's own credentials when None.
        secret_key: The secret that goes with it.
    """
    import boto3  # noqa: PLC0415 - only who asks for a client waits for it

    session = boto3.session.Session(access_key, secret_key)
    return session.client(
        SERVICE, endpoint_url=endpoint, region_name=session.region_name or REGION
    )


@cache
def _session() -> Any:  # noqa: ANN401 - boto3 brings no types
    import boto3  # noqa: PLC0415 - only who asks for a client waits for it

    return boto3.session.Session()


class _Raw:
    """A body as botocore reads it from a connection."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, **_: object) -> Iterator[bytes]:
        yield self._body
