"""A webhook out: signed JSON, and an error for everything that is not an acceptance."""

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from pipelinekit.tools.webhook import SIGNATURE, Webhook, WebhookError


@contextmanager
def receiver(status: int) -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    """Run a receiver that answers with a status; give its URL and what it got."""
    got: list[tuple[str, bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.append((self.headers.get(SIGNATURE, ""), body))
            self.send_response(status)
            self.send_header("Location", "/elsewhere")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hook", got
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_what_is_sent_arrives_as_json_with_a_signature_that_holds() -> None:
    with receiver(204) as (url, got):
        Webhook(url, "s3cret").send({"state": "FAILED"})
    ((signature, body),) = got
    assert json.loads(body) == {"state": "FAILED"}
    assert signature == "sha256=" + hmac.new(b"s3cret", body, hashlib.sha256).hexdigest()


def test_without_a_secret_nothing_is_signed() -> None:
    with receiver(200) as (url, got):
        Webhook(url).send({})
    assert got == [("", b"{}")]


@pytest.mark.parametrize("status", [302, 400, 500])
def test_everything_but_an_acceptance_is_an_error(status: int) -> None:
    with receiver(status) as (url, got), pytest.raises(WebhookError, match=str(status)):
        Webhook(url).send({})
    assert len(got) == 1


def test_a_receiver_that_is_not_there_is_an_error() -> None:
    with receiver(200) as (url, _):
        pass
    with pytest.raises(WebhookError, match="cannot be reached"):
        Webhook(url).send({})
