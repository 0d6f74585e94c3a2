"""Who is let in over HTTP: signed calls of known callers, of the last five minutes, once."""

import http.client
import json
import random
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
from pipelinekit.endpoint.callers import own_callers, read_callers
from pipelinekit.endpoint.gate import Replays
from pipelinekit.endpoint.server import Server, is_loopback
from pipelinekit.model.errors import ValidationError
from tests.operations.conftest import KEY, SECRET, newest, over_http, until
from tests.operations.declarations import usual
from tests.operations.session import declared

TYPE = "application/x-amz-json-1.1"
PREFIX = "CodePipeline_20150709"


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


def test_a_replay_gets_the_first_answer_and_does_nothing(wire: Wire, server: Server) -> None:
    client = over_http(server.url)
    client.create_pipeline(pipeline=usual())
    body = b'{"name": "shop"}'
    headers = wire.signed("StartPipelineExecution", body)
    first = wire.send(headers, body)
    assert first[0] == 200
    assert wire.send(headers, body) == first
    listed = client.list_pipeline_executions(pipelineName="shop")["pipelineExecutionSummaries"]
    assert len(listed) == 2  # the one that CreatePipeline starts, and this one
    assert newest(client)["trigger"]["triggerDetail"] == "ben"


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

    def admitted(at: datetime, signature: str) -> Any:
        from pipelinekit.endpoint.callers import Caller
        from pipelinekit.endpoint.gate import Admitted

        return Admitted(Caller("ann", ""), signature, at)

    def do() -> Any:
        from pipelinekit.tools.aws.loopback import Reply

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


def test_no_mutation_of_a_signed_call_is_accepted(wire: Wire) -> None:
    dice = random.Random(11)
    body = b'{"maxResults": 5}'
    headers = wire.signed("ListPipelines", body)
    accepted = []
    for _ in range(2_000):
        changed, sent = _mutated(dice, headers, body)
        status, _answer = wire.send(changed, sent)
        assert status < 500
        if status == 200:
            accepted.append((changed, sent))
    assert accepted == []


def _mutated(
    dice: random.Random, headers: dict[str, str], body: bytes
) -> tuple[dict[str, str], bytes]:
    """Change a byte of what is signed, or of the signature."""
    name = dice.choice(["Authorization", "X-Amz-Date", "X-Amz-Target", "Content-Type", "body"])
    text = body.decode() if name == "body" else headers[name]
    place = dice.randrange(len(text))
    letters = [each for each in "aZ09=/;, \xff\t" if each != text[place]]
    changed = text[:place] + dice.choice(["", *letters]) + text[place + 1 :]
    if changed.split() == text.split():  # spaces do not count in a header
        changed = f"{text}x"
    if name == "body":
        return headers, changed.encode()
    return {**headers, name: changed}, body


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


def test_a_file_of_callers_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    file = tmp_path / "home" / "credentials"
    made = own_callers(file, "ann")
    assert own_callers(file, "ann") == made
    assert [each.name for each in made.values()] == ["ann"]
    assert file.stat().st_mode & 0o777 == 0o600
    file.chmod(0o644)
    with pytest.raises(ValidationError, match="chmod 600"):
        read_callers(file)


@pytest.mark.parametrize("text", ["", "[ann]\n", "nonsense", "[ann]\naws_access_key_id = A\n"])
def test_a_file_without_callers_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "credentials"
    file.write_text(text, encoding="utf-8")
    file.chmod(0o600)
    with pytest.raises(ValidationError, match="aws_secret_access_key"):
        read_callers(file)
    with pytest.raises(ValidationError, match="aws_secret_access_key"):
        read_callers(tmp_path / "missing")


def test_the_server_tells_how_it_is(server: Server) -> None:
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=10)
    connection.request("GET", "/health")
    assert json.load(connection.getresponse()) == {"engine": "at work"}
    connection.close()
