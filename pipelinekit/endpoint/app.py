"""The whole of what is answered over HTTP, as a WSGI application."""

import json
from collections.abc import Iterable, Iterator
from functools import partial
from http import HTTPStatus
from typing import IO, Final, cast
from urllib.parse import urlsplit
from wsgiref.types import StartResponse, WSGIEnvironment

from pipelinekit.endpoint.api import Api
from pipelinekit.endpoint.callers import Callers
from pipelinekit.endpoint.gate import Gate
from pipelinekit.endpoint.identity import FORM, Identity
from pipelinekit.endpoint.kept import Kept
from pipelinekit.endpoint.objects import Objects
from pipelinekit.endpoint.replays import Replays
from pipelinekit.kit.kit import Kit
from pipelinekit.operations.deliveries import Delivery, deliver
from pipelinekit.operations.webhooks import FOLDER
from pipelinekit.tools.aws.loopback import CHUNK, TARGET, Call, CallRefused, Reply

HEALTH: Final = "/health"
HOOKS: Final = f"/{FOLDER}/"
JSON: Final = {"Content-Type": "application/json"}
LOCAL: Final = frozenset({"127.0.0.1", "localhost", "::1"})
UNREADABLE: Final = "the Host header or the path cannot be read: send a name, and a path with /"
MOST_DELIVERED: Final = 25 * 1024 * 1024
"""Bytes of a delivery; GitHub sends no more."""


class Endpoint:
    """Answers the API, deliveries to webhooks, artifacts of jobs, and how it is.

    Args:
        kit: What is asked.
        callers: Who may call the API, by access key; None to let everybody on this machine.
    """

    def __init__(self, kit: Kit, callers: Callers | None) -> None:
        self._kit = kit
        self._open = callers is None
        kept = Kept(partial(kit.store.version, own=True))
        self._api = Api(kit, _gate(callers, "codepipeline"), Replays(), kept)
        self._identity = Identity(kit.by, _gate(callers, "sts"))
        self._objects = Objects(kit)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request of HTTP."""
        call = _call(environ)
        reply = self._answer(call, environ)
        headers = [*reply.headers.items(), ("Content-Length", str(reply.size))]
        start_response(f"{reply.status} {HTTPStatus(reply.status).phrase}", headers)
        return () if call.method == "HEAD" else _body(reply)

    def _answer(self, call: Call, environ: WSGIEnvironment) -> Reply:
        host = call.headers.get("host", "")
        if self._open and _name(host) not in LOCAL:
            # A page in a browser may call this machine by a name of its own.
            return _told(403, error="nobody is asked who they are here: ask at 127.0.0.1")
        if call.path == HEALTH:
            return _told(200, engine="at work" if self._kit.engine_alive() else "none")
        if call.path.startswith(HOOKS):
            return self._deliver(call, environ)
        if not _name(host) or not call.path.startswith("/"):
            return _told(400, error=UNREADABLE)
        service = self._service(call)
        url = f"{environ['wsgi.url_scheme']}://{host}{environ['REQUEST_URI']}"
        try:
            return service.answer(call, url)
        except CallRefused as error:
            return service.refusal(error)

    def _service(self, call: Call) -> Api | Identity | Objects:
        if TARGET in call.headers:
            return self._api
        form = call.headers.get("content-type", "").startswith(FORM)
        return self._identity if form and call.path == "/" else self._objects

    def _deliver(self, call: Call, environ: WSGIEnvironment) -> Reply:
        if call.method != "POST":
            return _told(405, error="deliveries are posted")
        body = call.body.read(MOST_DELIVERED + 1)
        if len(body) > MOST_DELIVERED:
            return _told(413, error=f"a delivery has at most {MOST_DELIVERED} bytes")
        path = call.path.removeprefix(HOOKS)
        taken = deliver(
            self._kit.acting("webhook"),
            Delivery(path, call.headers, environ["REMOTE_ADDR"], body),
        )
        told = {"pipelineExecutionId": taken.execution, "ignored": taken.reason}
        return _told(taken.status, **{name: said for name, said in told.items() if said})


def _gate(callers: Callers | None, service: str) -> Gate | None:
    return None if callers is None else Gate(callers, service)


def _call(environ: WSGIEnvironment) -> Call:
    headers = {
        name.removeprefix("HTTP_").replace("_", "-").lower(): value
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(name):
            headers[name.replace("_", "-").lower()] = environ[name]
    path, _, query = environ["REQUEST_URI"].partition("?")
    body = cast("IO[bytes]", environ["wsgi.input"])
    return Call(environ["REQUEST_METHOD"], path, query, headers, body)


def _name(host: str) -> str:
    try:
        return "" if "," in host else urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _told(status: int, **said: str) -> Reply:
    return Reply(status, JSON, json.dumps(said).encode())


def _body(reply: Reply) -> Iterable[bytes]:
    return (reply.body,) if reply.file is None else _pieces(reply)


def _pieces(reply: Reply) -> Iterator[bytes]:
    assert reply.file is not None  # noqa: S101 - as it was asked just now
    with reply.file.open("rb") as file:
        file.seek(reply.start)
        left = reply.length
        while left and (part := file.read(min(left, CHUNK))):
            left -= len(part)
            yield part
