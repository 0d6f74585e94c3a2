"""Calls of real boto3 clients to the server of one job."""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.request import ProxyHandler, build_opener

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from pipelinekit.tools.aws.job_calls import JobCalls, JobFailed, JobSucceeded
from pipelinekit.tools.aws.job_objects import JobObjects
from pipelinekit.tools.aws.loopback import Call, CallRefused, Loopback, copied

KEY, SECRET = "ASIAJOB", "secret"
JOB = "11111111-abcd-1111-abcd-111111abcdef"
OTHER = "22222222-abcd-1111-abcd-111111abcdef"
INPUT, OUTPUT = {"Bucket": "store", "Key": "shop/in/a b"}, {"Bucket": "store", "Key": "shop/out"}
LARGE = bytes(range(256)) * 70_000


@dataclass
class Served:
    """A server with one job, an input and an output."""

    folder: Path
    url: str = ""
    calls: JobCalls = field(default_factory=JobCalls)

    def client(self, service: str, key: str = KEY, secret: str = SECRET) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name="eu-west-1",
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            aws_session_token="token",
            config=Config(proxies={}, retries={"total_max_attempts": 1}),
        )


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    made = Served(tmp_path)
    (tmp_path / "in").write_bytes(LARGE)
    (tmp_path / "parts").mkdir()
    objects = JobObjects(
        {"store/shop/in/a b": tmp_path / "in"},
        {"store/shop/out": tmp_path / "out"},
        tmp_path / "parts",
    )
    made.calls.offer(JOB, {"id": JOB, "data": {}, "accountId": "000000000000"})
    with Loopback(made.calls, objects, {KEY: SECRET}) as server:
        made.url = server.url
        yield made


def code(call: Callable[..., object], **given: object) -> str:
    with pytest.raises(ClientError) as raised:
        call(**given)
    return str(raised.value.response["Error"]["Code"])


# ------------------------------------------------------------------ the calls of the job


@pytest.mark.slow
def test_a_job_ends_once(served: Served) -> None:
    client = served.client("codepipeline")
    assert client.get_job_details(jobId=JOB)["jobDetails"]["id"] == JOB
    assert served.calls.ended(JOB) is None
    client.put_job_success_result(
        jobId=JOB,
        outputVariables={"a": "b"},
        executionDetails={"summary": "done", "externalExecutionId": "x", "percentComplete": 100},
    )
    assert served.calls.ended(JOB) == JobSucceeded(None, {"a": "b"}, "done", "x", 100)
    failure = {"type": "JobFailed", "message": "too late"}
    late = code(client.put_job_failure_result, jobId=JOB, failureDetails=failure)
    assert late == "InvalidJobStateException"


@pytest.mark.slow
def test_after_a_continuation_token_there_is_another_job(served: Served) -> None:
    client = served.client("codepipeline")
    client.put_job_success_result(jobId=JOB, continuationToken="t")
    assert served.calls.ended(JOB) == JobSucceeded("t")
    served.calls.offer(OTHER, {"id": OTHER})
    failure = {"type": "JobFailed", "message": "no", "externalExecutionId": "x"}
    client.put_job_failure_result(jobId=OTHER, failureDetails=failure)
    assert served.calls.ended(OTHER) == JobFailed("JobFailed", "no", "x")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({"jobId": OTHER}, "JobNotFoundException"),
        ({"jobId": "7"}, "ValidationException"),
        ({"continuationToken": "t", "outputVariables": {"a": "b"}}, "ValidationException"),
        ({"continuationToken": "t" * 2049}, "ValidationException"),
        ({"outputVariables": {"a b": "c"}}, "ValidationException"),
        ({"outputVariables": {"a": "x" * 122_880}}, "OutputVariablesSizeExceededException"),
    ],
)
def test_a_call_that_codepipeline_refuses_is_refused_by_the_same_name(
    served: Served, given: dict[str, object], wanted: str
) -> None:
    put = served.client("codepipeline").put_job_success_result
    assert code(put, **{"jobId": JOB, **given}) == wanted
    assert served.calls.ended(JOB) is None


@pytest.mark.slow
def test_a_failure_of_no_known_type_is_refused(served: Served) -> None:
    put = served.client("codepipeline").put_job_failure_result
    failure = {"type": "Bad", "message": "no"}
    assert code(put, jobId=JOB, failureDetails=failure) == "ValidationException"


@pytest.mark.slow
def test_other_operations_are_refused(served: Served) -> None:
    found = code(served.client("codepipeline").get_pipeline, name="shop")
    assert found == "AccessDeniedException"


@pytest.mark.slow
def test_a_call_with_another_key_is_refused(served: Served) -> None:
    stranger = served.client("codepipeline", key="AKIA").put_job_success_result
    assert code(stranger, jobId=JOB) == "UnrecognizedClientException"
    wrong = served.client("codepipeline", secret="guessed").put_job_success_result
    assert code(wrong, jobId=JOB) == "InvalidSignatureException"
    assert code(served.client("s3", key="AKIA").get_object, **INPUT) == "InvalidAccessKeyId"
    assert code(served.client("s3", secret="x").get_object, **INPUT) == "SignatureDoesNotMatch"
    assert served.calls.ended(JOB) is None


def test_a_call_without_a_signature_is_refused(served: Served) -> None:
    with pytest.raises(OSError, match="403"):
        build_opener(ProxyHandler({})).open(f"{served.url}/store/shop/in/a%20b", timeout=5)


def test_who_is_refused_is_told_that_the_connection_ends(served: Served) -> None:
    calling = HTTPConnection(served.url.removeprefix("http://"), timeout=5)
    calling.request("GET", "/store/shop/other")
    assert calling.getresponse().headers["Connection"] == "close"
    calling.close()


# ------------------------------------------------------------------ the objects of the job


@pytest.mark.slow
def test_an_input_is_read_whole_in_parts_and_to_a_file(served: Served) -> None:
    client = served.client("s3")
    whole = client.get_object(**INPUT)
    assert whole["Body"].read() == LARGE
    assert client.head_object(**INPUT)["ETag"] == whole["ETag"]
    for asked, wanted in (("0-9", LARGE[:10]), ("-5", LARGE[-5:]), ("100-", LARGE[100:])):
        part = client.get_object(**INPUT, Range=f"bytes={asked}")
        assert part["Body"].read() == wanted
        assert part["ContentRange"].endswith(f"/{len(LARGE)}")
    assert code(client.get_object, **INPUT, Range=f"bytes={len(LARGE)}-") == "InvalidRange"
    client.download_file(INPUT["Bucket"], INPUT["Key"], str(served.folder / "copy"))
    assert (served.folder / "copy").read_bytes() == LARGE


@pytest.mark.slow
def test_an_output_is_written_whole_or_in_parts(served: Served) -> None:
    client = served.client("s3")
    assert code(client.get_object, **OUTPUT) == "NoSuchKey"
    client.put_object(**OUTPUT, Body=b"small", ServerSideEncryption="aws:kms")
    assert client.get_object(**OUTPUT)["Body"].read() == b"small"
    client.upload_file(str(served.folder / "in"), OUTPUT["Bucket"], OUTPUT["Key"])
    assert (served.folder / "out").read_bytes() == LARGE
    assert list((served.folder / "parts").iterdir()) == []


@pytest.mark.slow
def test_an_upload_that_is_given_up_writes_nothing(served: Served) -> None:
    client = served.client("s3")
    upload = {**OUTPUT, "UploadId": client.create_multipart_upload(**OUTPUT)["UploadId"]}
    etag = client.upload_part(**upload, PartNumber=1, Body=b"part")["ETag"]
    parts = {"Parts": [{"PartNumber": 2, "ETag": etag}]}
    missing = code(client.complete_multipart_upload, **upload, MultipartUpload=parts)
    assert missing == "InvalidPart"
    client.abort_multipart_upload(**upload)
    assert code(client.upload_part, **upload, PartNumber=1, Body=b"part") == "NoSuchUpload"
    assert not (served.folder / "out").exists()


@pytest.mark.slow
def test_nothing_else_is_read_or_written(served: Served) -> None:
    client = served.client("s3")
    assert code(client.get_object, Bucket="store", Key="shop/other") == "AccessDenied"
    assert code(client.put_object, **INPUT, Body=b"x") == "AccessDenied"
    assert code(client.list_objects_v2, Bucket="store") == "AccessDenied"
    assert code(client.list_buckets) == "AccessDenied"
    assert code(client.delete_object, **OUTPUT) == "MethodNotAllowed"
    assert code(client.copy_object, **OUTPUT, CopySource="store/shop/in/a b") == "NotImplemented"
    assert (served.folder / "in").read_bytes() == LARGE


def test_a_body_in_pieces_is_put_together(tmp_path: Path) -> None:
    pieces = b"5;chunk-signature=ab\r\nhello\r\n6\r\n world\r\n0\r\nx-amz-checksum-crc32:y\r\n\r\n"
    headers = {"content-encoding": "aws-chunked"}
    copied(Call("PUT", "/", "", headers, io.BytesIO(pieces)), tmp_path / "whole")
    assert (tmp_path / "whole").read_bytes() == b"hello world"


@pytest.mark.parametrize("pieces", [b"", b"x\r\n", b"5\r\nhel", b"5\r\nhello\r\n"])
def test_a_body_with_a_piece_missing_is_refused(tmp_path: Path, pieces: bytes) -> None:
    headers = {"content-encoding": "aws-chunked"}
    with pytest.raises(CallRefused, match="piece"):
        copied(Call("PUT", "/", "", headers, io.BytesIO(pieces)), tmp_path / "whole")
