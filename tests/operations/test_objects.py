"""The artifacts of jobs over HTTP: what is signed for them, and what a refused request leaves."""

import http.client
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

import pipelinekit as pk
from pipelinekit.endpoint.server import Server
from pipelinekit.tools.aws.job_objects import JobObjects
from pipelinekit.tools.aws.signature import Flaw
from tests.operations.test_jobs import at, baking_over_http, worker

__all__ = ["baking_over_http", "worker"]

CUT_OFF = b"FFFFFFFF\r\nabc"


class Bench(NamedTuple):
    """The output of a job, and what requests for it are signed with."""

    host: str
    path: str
    grant: dict[str, str]
    s3: Any
    place: dict[str, str]

    def signed(
        self,
        method: str = "PUT",
        body: bytes = b"",
        query: str = "",
        *,
        late: timedelta = timedelta(),
        service: str = "s3",
        **more: str,
    ) -> dict[str, str]:
        """Give the headers of a request, signed as botocore does."""
        stamp = f"{datetime.now(UTC) - late:%Y%m%dT%H%M%SZ}"
        headers = {name.replace("_", "-"): value for name, value in more.items()}
        headers |= {"X-Amz-Security-Token": self.grant["sessionToken"], "X-Amz-Date": stamp}
        keys = Credentials(self.grant["accessKeyId"], self.grant["secretAccessKey"])
        signer = S3SigV4Auth(keys, service, "us-east-1")
        url = f"http://{self.host}{self.path}{query}"
        request = AWSRequest(method, url, headers=headers, data=body)
        request.context["timestamp"] = stamp
        if "X-Amz-Content-SHA256" not in request.headers:
            request.headers["X-Amz-Content-SHA256"] = signer.payload(request)
        canonical = signer.canonical_request(request)
        signature = signer.signature(signer.string_to_sign(request, canonical), request)
        signer._inject_signature_to_request(request, signature)  # noqa: SLF001 - for any time
        return {name: str(value) for name, value in request.headers.items()}

    def send(
        self, headers: dict[str, str], method: str = "PUT", body: bytes = b"", query: str = ""
    ) -> tuple[int, str]:
        """Send a request; give its status and answer."""
        connection = http.client.HTTPConnection(self.host, timeout=10)
        try:
            connection.request(method, f"{self.path}{query}", body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def ask(self, method: str, body: bytes = b"", query: str = "", **more: str) -> tuple[int, str]:
        """Send a request that is signed as it should be."""
        signed = self.signed(method, body, query, **more)
        return self.send(signed, method, body, query)

    def lies_there(self) -> bytes:
        """Read the object."""
        found: bytes = self.s3.get_object(**self.place)["Body"].read()
        return found


@pytest.fixture
def bench(worker: Any, server: Server) -> Bench:
    _, job, s3 = worker
    place = at(job["data"]["outputArtifacts"][0])
    path = f"/{place['Bucket']}/{place['Key']}"
    return Bench(urlsplit(server.url).netloc, path, job["data"]["artifactCredentials"], s3, place)


@pytest.mark.parametrize("upload", ["..", ".", "", "0.zip", "../..", "A" * 32])
def test_an_upload_that_was_not_begun_here_is_none_whatever_it_is_called(
    bench: Bench, kit: pk.Kit, upload: str
) -> None:
    bench.s3.put_object(**bench.place, Body=b"mine")
    others = kit.uploads / "another job" / "0.zip"
    others.parent.mkdir()
    others.write_bytes(b"another's")
    before = sorted(kit.uploads.rglob("*"))
    for method, query in (("DELETE", ""), ("PUT", "&partNumber=1"), ("POST", "")):
        status, told = bench.ask(
            method, b"<PartNumber>1</PartNumber>", f"?uploadId={upload}{query}"
        )
        assert (status, "NoSuchUpload" in told) == (404, True)
    assert sorted(kit.uploads.rglob("*")) == before


def test_a_request_for_an_object_holds_for_five_minutes(bench: Bench) -> None:
    late = timedelta(minutes=4.9)
    assert bench.send(bench.signed("PUT", b"new", late=late), "PUT", b"new")[0] == 200
    for minutes in (5.1, -5.1, 3_000_000):
        headers = bench.signed("PUT", b"old", late=timedelta(minutes=minutes))
        status, told = bench.send(headers, "PUT", b"old")
        assert (status, "RequestTimeTooSkewed" in told) == (403, True)
    assert bench.lies_there() == b"new"


def test_an_object_is_the_one_whose_digest_was_signed(bench: Bench) -> None:
    headers = bench.signed("PUT", b"good")
    status, told = bench.send(headers, "PUT", b"evil")
    assert (status, "XAmzContentSHA256Mismatch" in told) == (403, True)
    assert bench.send(headers, "PUT", b"good")[0] == 200
    assert bench.ask("PUT", b"any", X_Amz_Content_SHA256="UNSIGNED-PAYLOAD")[0] == 200
    status, told = bench.ask("PUT", b"any", X_Amz_Content_SHA256="no digest")
    assert (status, "XAmzContentSHA256Mismatch" in told) == (403, True)


def test_an_object_in_pieces_that_checksums_follow_is_taken(bench: Bench) -> None:
    pieces = b"5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n"
    form = {
        "Content_Encoding": "aws-chunked",
        "X_Amz_Content_SHA256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
    }
    assert bench.ask("PUT", pieces, **form)[0] == 200
    assert bench.lies_there() == b"hello"


def test_a_large_file_goes_up_in_parts_with_boto3(
    bench: Bench, kit: pk.Kit, tmp_path: Path
) -> None:
    large = bytes(range(256)) * 70_000
    (tmp_path / "large").write_bytes(large)
    bench.s3.upload_file(str(tmp_path / "large"), bench.place["Bucket"], bench.place["Key"])
    (uploaded,) = kit.uploads.rglob("*.zip")
    assert uploaded.read_bytes() == large


def test_a_request_for_an_object_is_signed_for_s3_with_its_token(bench: Bench) -> None:
    status, told = bench.send(bench.signed("PUT", b"x", service="codepipeline"), "PUT", b"x")
    assert (status, "SignatureDoesNotMatch" in told) == (403, True)
    headers = bench.signed("PUT", b"x")
    headers["Authorization"] = headers["Authorization"].replace(";x-amz-security-token", "")
    status, told = bench.send(headers, "PUT", b"x")
    assert (status, "AccessDenied" in told) == (403, True)


def test_each_flaw_has_a_code_of_s3() -> None:
    assert set(JobObjects.flaws) == set(Flaw)


def test_a_put_that_breaks_off_leaves_the_object_that_was_there(bench: Bench, kit: pk.Kit) -> None:
    bench.s3.put_object(**bench.place, Body=b"whole")
    before = sorted(kit.uploads.rglob("*"))
    status, told = bench.ask("PUT", CUT_OFF, Content_Encoding="aws-chunked")
    assert (status, "IncompleteBody" in told) == (400, True)
    assert bench.lies_there() == b"whole"
    assert sorted(kit.uploads.rglob("*")) == before


def test_a_part_that_breaks_off_leaves_the_part_that_was_there(bench: Bench) -> None:
    upload = {
        **bench.place,
        "UploadId": bench.s3.create_multipart_upload(**bench.place)["UploadId"],
    }
    part = bench.s3.upload_part(**upload, PartNumber=1, Body=b"whole")
    query = f"?partNumber=1&uploadId={upload['UploadId']}"
    assert bench.ask("PUT", CUT_OFF, query, Content_Encoding="aws-chunked")[0] == 400
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    bench.s3.complete_multipart_upload(**upload, MultipartUpload=parts)
    assert bench.lies_there() == b"whole"


def test_parts_are_joined_once_each_in_their_order(bench: Bench) -> None:
    upload = bench.s3.create_multipart_upload(**bench.place)["UploadId"]
    for number in (1, 2):
        assert bench.ask("PUT", b"x", f"?partNumber={number}&uploadId={upload}")[0] == 200
    for numbers in ("11", "21"):
        joined = "".join(f"<PartNumber>{number}</PartNumber>" for number in numbers)
        status, told = bench.ask("POST", joined.encode(), f"?uploadId={upload}")
        assert (status, "InvalidPartOrder" in told) == (400, True)


def test_numbers_of_very_many_digits_are_refused(bench: Bench) -> None:
    many = "1" * 5_000
    bench.s3.put_object(**bench.place, Body=b"mine")
    for asked in (f"{many}-", f"-{many}", f"0-{many}"):
        status, told = bench.ask("GET", Range=f"bytes={asked}")
        assert (status, "InvalidRange" in told) == (416, True)
    upload = bench.s3.create_multipart_upload(**bench.place)["UploadId"]
    for number in (many, "0", "10001", "%D9%A3", "x"):
        status, told = bench.ask("PUT", b"x", f"?partNumber={number}&uploadId={upload}")
        assert (status, "InvalidArgument" in told) == (400, True)
        joined = f"<PartNumber>{number}</PartNumber>".encode()
        status, told = bench.ask("POST", joined, f"?uploadId={upload}")
        assert (status, "InvalidArgument" in told) == (400, True)
    assert bench.lies_there() == b"mine"
