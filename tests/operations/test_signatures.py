"""Who is let in over HTTP: signed calls of known callers, of the last five minutes, once."""

import hashlib
import http.client
import io
import itertools
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

import pipelinekit as pk
from pipelinekit.endpoint.callers import Caller
from pipelinekit.endpoint.gate import Admitted
from pipelinekit.endpoint.replays import Replays
from pipelinekit.endpoint.server import Server, is_loopback
from pipelinekit.model.errors import ValidationError
from pipelinekit.tools.aws.loopback import Reply
from pipelinekit.tools.aws.signature import digest_of
from tests.operations.conftest import KEY, SECRET, newest, over_http, stage_state, until
from tests.operations.declarations import usual
from tests.operations.fuzz_signed import Forger, Signatures
from tests.operations.session import declared

TYPE = "application/x-amz-json-1.1"
PREFIX = "CodePipeline_20150709"
ARN = "arn:aws:codepipeline:us-east-1:000000000000:shop"


class Wire:
    """Sends requests as they are, and has them signed by botocore."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.host = urlsplit(url).netloc

    def signed(
        self,
        operation: str,
        body: bytes = b"{}",
        *,
        late: timedelta = timedelta(),
        service: str = "codepipeline",
        secret: str = SECRET,
        **more: str,
    ) -> dict[str, str]:
        """Give the headers of a signed call."""
        headers = {"X-Amz-Target": f"{PREFIX}.{operation}", "Content-Type": TYPE, **more}
        request = AWSRequest("POST", f"{self.url}/", headers=headers, data=body)
        signer = SigV4Auth(Credentials(KEY, secret), service, "us-east-1")
        at = f"{datetime.now(UTC) - late:%Y%m%dT%H%M%SZ}"
        request.context["timestamp"] = at
        signer._modify_request_before_signing(request)  # noqa: SLF001 - to sign at another time
        request.headers.replace_header("X-Amz-Date", at)
        canonical = signer.canonical_request(request)
        signature = signer.signature(signer.string_to_sign(request, canonical), request)
        signer._inject_signature_to_request(request, signature)  # noqa: SLF001 - likewise
        return {name: str(value) for name, value in request.headers.items()}

    def send_all(self, headers: list[tuple[str, str]], body: bytes = b"{}") -> int:
        """Send headers some of which come twice; give the status."""
        connection = http.client.HTTPConnection(self.host, timeout=10)
        try:
            connection.putrequest("POST", "/", skip_host=True, skip_accept_encoding=True)
            for name, value in [*headers, ("Content-Length", str(len(body)))]:
                connection.putheader(name, value)
            connection.endheaders(body)
            return connection.getresponse().status
        finally:
            connection.close()

    def send(self, headers: dict[str, str], body: bytes = b"{}", path: str = "/") -> Any:
        """Send a call; give its status and answer."""
        connection = http.client.HTTPConnection(self.host, timeout=10)
        try:
            own_host = "Host" in headers
            connection.putrequest("POST", path, skip_host=own_host, skip_accept_encoding=True)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                connection.putheader(name, value.encode("latin-1", "replace"))
            connection.endheaders(body)
            answer = connection.getresponse()
            text = answer.read()
            return answer.status, json.loads(text) if text.startswith(b"{") else text
        finally:
            connection.close()


@pytest.fixture
def wire(server: Server) -> Wire:
    return Wire(server.url)


def test_a_call_signed_just_now_is_answered(wire: Wire) -> None:
    assert wire.send(wire.signed("ListPipelines")) == (200, {"pipelines": []})


@pytest.mark.parametrize("minutes", [-4.9, 4.9])
def test_clocks_may_differ_by_five_minutes(wire: Wire, minutes: float) -> None:
    late = timedelta(minutes=minutes)
    assert wire.send(wire.signed("ListPipelines", late=late))[0] == 200


@pytest.mark.parametrize("minutes", [-5.1, 5.1, 100_000])
def test_a_call_of_another_time_is_refused(wire: Wire, minutes: float) -> None:
    status, told = wire.send(wire.signed("ListPipelines", late=timedelta(minutes=minutes)))
    assert (status, told["__type"]) == (403, "InvalidSignatureException")


def test_a_wrong_secret_and_an_unknown_key_are_refused(wire: Wire) -> None:
    status, told = wire.send(wire.signed("ListPipelines", secret="guessed"))
    assert (status, told["__type"]) == (403, "InvalidSignatureException")
    headers = wire.signed("ListPipelines")
    headers["Authorization"] = headers["Authorization"].replace(KEY, "AKIAOTHER")
    status, told = wire.send(headers)
    assert (status, told["__type"]) == (403, "UnrecognizedClientException")


def test_a_call_that_is_not_signed_is_refused_before_its_body_is_read(wire: Wire) -> None:
    headers = {"X-Amz-Target": f"{PREFIX}.ListPipelines", "Content-Type": TYPE}
    status, told = wire.send(headers, b"{{{{")
    assert (status, told["__type"]) == (403, "MissingAuthenticationTokenException")


def test_the_operation_cannot_be_swapped_nor_left_out_of_the_signature(wire: Wire) -> None:
    headers = wire.signed("ListPipelines")
    headers["X-Amz-Target"] = f"{PREFIX}.DeletePipeline"
    assert wire.send(headers)[0] == 403
    headers = wire.signed("ListPipelines")
    headers["Authorization"] = headers["Authorization"].replace(";x-amz-target", "")
    status, told = wire.send(headers)
    assert (status, told["__type"]) == (403, "IncompleteSignatureException")


def test_a_body_that_was_changed_is_refused_whatever_the_header_says(wire: Wire) -> None:
    headers = wire.signed("GetPipeline", b'{"name": "a"}')
    assert wire.send(headers, b'{"name": "b"}')[0] == 403
    unsigned = {"X-Amz-Content-SHA256": "UNSIGNED-PAYLOAD"}
    headers = wire.signed("GetPipeline", b'{"name": "a"}', **unsigned)
    assert wire.send(headers, b'{"name": "a"}')[0] == 403


def test_a_signature_for_another_service_is_refused(wire: Wire) -> None:
    status, told = wire.send(wire.signed("ListPipelines", service="sqs"))
    assert (status, told["__type"]) == (403, "InvalidSignatureException")


def test_a_second_attempt_at_a_call_gets_the_answer_of_the_first(
    wire: Wire, server: Server
) -> None:
    client = over_http(server.url)
    client.create_pipeline(pipeline=usual())
    body = b'{"name": "shop"}'
    headers = wire.signed("StartPipelineExecution", body)
    one = {**headers, "amz-sdk-invocation-id": "one"}
    first = wire.send(one, body)
    assert first[0] == 200
    assert wire.send(one, body) == first
    listed = client.list_pipeline_executions(pipelineName="shop")["pipelineExecutionSummaries"]
    assert len(listed) == 2  # the one that CreatePipeline starts, and this one
    assert newest(client)["trigger"]["triggerDetail"] == "ben"


@pytest.mark.slow
@pytest.mark.parametrize("attempt", [{}, {"amz-sdk-invocation-id": "two"}])
def test_a_replay_does_nothing_and_is_told_to_sign_again(
    wire: Wire, server: Server, attempt: dict[str, str]
) -> None:
    client = over_http(server.url)
    client.create_pipeline(pipeline=usual())
    body = b'{"name": "shop"}'
    headers = wire.signed("StartPipelineExecution", body)
    assert wire.send(headers, body)[0] == 200
    status, told = wire.send({**headers, **attempt}, body)
    assert (status, told["__type"]) == (400, "ThrottlingException")
    assert "sign this one again" in told["message"]
    listed = client.list_pipeline_executions(pipelineName="shop")["pipelineExecutionSummaries"]
    assert len(listed) == 2


@pytest.mark.slow
def test_equal_calls_of_one_second_are_all_done_for_a_client_of_boto3(server: Server) -> None:
    client = over_http(server.url)
    client.create_pipeline(pipeline=usual())
    gate = {"pipelineName": "shop", "stageName": "Live", "transitionType": "Inbound"}
    found = []
    for _ in range(2):
        client.disable_stage_transition(**gate, reason="a freeze")
        found.append(_open(client))
        client.enable_stage_transition(**gate)
        found.append(_open(client))
    assert found == [False, True, False, True]
    with pytest.raises(client.exceptions.PipelineNameInUseException):
        client.create_pipeline(pipeline=usual())


def _open(client: Any) -> bool:
    open_now: bool = stage_state(client, "Live")["inboundTransitionState"]["enabled"]
    return open_now


def test_who_reads_the_same_many_times_a_second_sees_each_change(server: Server) -> None:
    client = over_http(server.url)
    client.create_pipeline(pipeline=usual())
    seen = [client.list_tags_for_resource(resourceArn=ARN)["tags"] for _ in range(3)]
    client.tag_resource(resourceArn=ARN, tags=[{"key": "team", "value": "blue"}])
    seen.append(client.list_tags_for_resource(resourceArn=ARN)["tags"])
    assert seen == [[], [], [], [{"key": "team", "value": "blue"}]]


def test_a_poll_that_is_replayed_gets_no_job(wire: Wire, server: Server) -> None:
    client = over_http(server.url)
    none, one = ({"minimumCount": n, "maximumCount": n} for n in (0, 1))
    shelf = {"category": "Source", "provider": "Shelf", "version": "1"}
    client.create_custom_action_type(**shelf, inputArtifactDetails=none, outputArtifactDetails=one)
    body = json.dumps({"actionTypeId": {**shelf, "owner": "Custom"}}).encode()
    headers = wire.signed("PollForJobs", body)
    assert wire.send(headers, body) == (200, {"jobs": []})
    client.create_pipeline(pipeline=declared())
    jobs = until(lambda: wire.send(headers, body)[1]["jobs"])  # what gave nothing may give more
    assert len(jobs) == 1
    assert wire.send(headers, body) == (200, {"jobs": []})


def test_signatures_are_remembered_as_long_as_they_hold() -> None:
    present = [datetime(2026, 1, 1, tzinfo=UTC)]
    replays = Replays(lambda: present[0])
    done: list[int] = []

    def admitted(at: datetime, signature: str) -> Admitted:
        return Admitted(Caller("ann", ""), signature, at)

    def do() -> Reply:
        done.append(1)
        return Reply(body=b"once")

    ahead = admitted(present[0] + timedelta(minutes=5), "s")
    assert replays.once(ahead, do)
    for minutes in range(10):
        present[0] += timedelta(minutes=1)
        replays.once(admitted(present[0], f"other {minutes}"), do)
        assert replays.once(ahead, do)
    assert len(done) == 11
    assert replays.once(admitted(present[0] - timedelta(hours=1), "old"), do) is None


def test_no_mutation_of_a_signed_call_is_accepted(tmp_path: Path, wire: Wire) -> None:
    forger = Forger(tmp_path)
    for forged in forger.forgeries(seed=11, count=1_000):
        assert forger.fault(forged) is None, forged
    forger.close()
    assert {400, 403, 404} >= forger.statuses.keys()
    for forged in itertools.islice(Signatures(wire.host).forgeries(seed=12), 150):
        assert forged.over_http(wire.host) in {400, 403, 404, 411, 501}, forged


def test_a_header_that_comes_twice_is_not_the_one_that_was_signed(wire: Wire) -> None:
    headers = wire.signed("ListPipelines")
    for name in ("X-Amz-Target", "X-Amz-Date", "Content-Type", "Authorization", "Host"):
        first = headers.get(name, wire.host)
        both = [*headers.items(), (name, first), *([(name, first)] if name == "Host" else [])]
        assert wire.send_all(both) in {400, 403}, name


@pytest.fixture
def open_server(kit: pk.Kit) -> Iterator[Server]:
    with Server(kit, None, "127.0.0.1", 0) as running:
        yield running


def test_without_authentication_everybody_on_this_machine_may_call(open_server: Server) -> None:
    assert over_http(open_server.url, "any", "thing").list_pipelines()["pipelines"] == []
    wire = Wire(open_server.url)
    headers = {"X-Amz-Target": f"{PREFIX}.ListPipelines", "Content-Type": TYPE}
    assert wire.send({**headers, "Host": wire.host})[0] == 200
    assert wire.send({**headers, "Host": "evil.example"})[0] == 403
    assert wire.send({**headers, "Host": wire.host, "Content-Type": "text/plain"})[0] == 415


def test_off_loopback_callers_have_to_be_known(kit: pk.Kit) -> None:
    with pytest.raises(ValidationError, match="others than this machine"):
        Server(kit, None, "0.0.0.0", 0)  # noqa: S104 - it is to be refused
    assert is_loopback("::1")
    assert not is_loopback("10.0.0.1")
    assert not is_loopback("example.org")


def test_an_address_in_use_is_refused_with_advice(kit: pk.Kit, server: Server) -> None:
    port = urlsplit(server.url).port
    assert port
    with pytest.raises(ValidationError, match="choose another --port"):
        Server(kit, {}, "127.0.0.1", port)


@pytest.mark.parametrize("host", ["[x", "[::1", "a,b", ""])
def test_a_host_that_cannot_be_read_is_refused(wire: Wire, host: str) -> None:
    scope = f"{KEY}/20260101/us-east-1/s3/aws4_request"
    signature = f"SignedHeaders=host;x-amz-date, Signature={'0' * 64}"
    headers = {"Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, {signature}"}
    assert wire.send({**headers, "Host": host}, path="/a/b")[0] == 400
    assert wire.send({**wire.signed("ListPipelines"), "Host": host})[0] == 400


def test_a_path_that_is_none_is_refused(wire: Wire) -> None:
    headers = wire.signed("ListPipelines", service="s3")
    del headers["X-Amz-Target"]
    for path in ("[x", "http://x/", "*"):
        assert wire.send(headers, path=path)[0] == 400, path


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", TYPE])
def test_what_is_too_large_is_refused_before_it_is_asked_who_sent_it(
    wire: Wire, kind: str
) -> None:
    most = 8 * 1024 * 1024 if kind == TYPE else 64 * 1024
    headers = {"Content-Type": kind}
    if kind == TYPE:
        headers["X-Amz-Target"] = f"{PREFIX}.ListPipelines"
    assert wire.send(headers, b"x" * most)[0] == 403
    assert wire.send(headers, b"x" * (most + 1))[0] == 413


def test_a_large_body_is_digested_in_pieces() -> None:
    class Body(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            assert size is not None
            assert 0 < size <= 1024 * 1024
            return super().read(size)

    large = b"x" * 3_000_000
    assert digest_of(Body(large)) == hashlib.sha256(large).hexdigest()


def test_the_server_tells_how_it_is(server: Server) -> None:
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=10)
    connection.request("GET", "/health")
    assert json.load(connection.getresponse()) == {"engine": "at work"}
    connection.close()
