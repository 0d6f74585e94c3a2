"""Answers calls of AWS SDKs on this machine's own address, for the time that a job takes."""

import os
import re
import shutil
import tempfile
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedIOBase
from pathlib import Path
from types import MappingProxyType
from typing import IO, ClassVar, Final, NamedTuple, Protocol, Self

from pipelinekit.tools.aws.signature import Flaw, flaw
from pipelinekit.tools.durable import replaced

CHUNK: Final = 1024 * 1024
TARGET: Final = "x-amz-target"
SECONDS: Final = 60.0
_HEXADECIMAL: Final = re.compile(rb"[0-9a-fA-F]{1,8}")


class Call(NamedTuple):
    """What was asked.

    Attributes:
        method: Such as `PUT`.
        path: As it was sent, with its escapes.
        query: As it was sent; empty where there is none.
        headers: By their names in lower case.
        body: What was sent, to be read from its beginning.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: IO[bytes]

    @property
    def size(self) -> int:
        """Tell how many bytes were sent, whatever the headers say."""
        read = self.body.tell()
        size = self.body.seek(0, os.SEEK_END)
        self.body.seek(read)
        return size


class Reply(NamedTuple):
    """What is answered.

    Attributes:
        body: The bytes, where they come from no file.
        file: Where the bytes come from.
        start: The first byte of the file that is sent.
        length: How many bytes of the file are sent.
    """

    status: int = 200
    headers: Mapping[str, str] = MappingProxyType({})
    body: bytes = b""
    file: Path | None = None
    start: int = 0
    length: int = 0

    @property
    def size(self) -> int:
        """Tell how many bytes are sent."""
        return self.length if self.file else len(self.body)


class CallRefused(Exception):
    """A call that is answered with an error.

    Args:
        code: As AWS names it.
        message: Why.
        status: The HTTP status.
    """

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


class Service(Protocol):
    """A service of AWS, as far as it is answered here."""

    flaws: ClassVar[Mapping[Flaw, str]]
    """Its error code for each flaw of a signature."""

    def answer(self, call: Call) -> Reply:
        """Do what is asked, or raise CallRefused."""
        ...

    def refusal(self, error: CallRefused) -> Reply:
        """Write an error as the service does."""
        ...


class Loopback:
    """A server on 127.0.0.1, at a free port, that answers signed calls only.

    ```python
    with Loopback(calls, objects, {access_key: secret}) as server:
        environment = {"AWS_ENDPOINT_URL_CODEPIPELINE": server.url}
    ```

    Args:
        calls: The service of calls that name an operation in a header, as CodePipeline's do.
        objects: The service of all others, as S3's are.
        secrets: The secret key for each access key that is accepted.
    """

    def __init__(self, calls: Service, objects: Service, secrets: Mapping[str, str]) -> None:
        class Bound(_Handler):
            services = (calls, objects)
            known = secrets

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Bound)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = SECONDS
    services: tuple[Service, Service]
    known: Mapping[str, str]

    def __getattr__(self, name: str) -> object:
        # The base class looks for `do_GET`, `do_PUT` and so on.
        if name.startswith("do_"):
            return self._serve
        raise AttributeError(name)

    def log_message(self, *_: object) -> None:
        """Keep silent: standard error is the log of an action."""

    def _serve(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        service = self.services[0 if TARGET in headers else 1]
        with tempfile.SpooledTemporaryFile(CHUNK) as body:
            try:
                self._receive(headers, body)
                path, _, query = self.path.partition("?")
                reply = self._answer(service, Call(self.command, path, query, headers, body))
            except CallRefused as error:
                refused = service.refusal(error)
                # There may be more of the body: the caller is told to come with a new connection.
                reply = refused._replace(headers={**refused.headers, "Connection": "close"})
        self._send(reply)

    def _answer(self, service: Service, call: Call) -> Reply:
        url = f"http://{call.headers.get('host', '')}{self.path}"
        found = flaw(call.method, url, call.headers, call.body, self.known)
        if found:
            raise CallRefused(service.flaws[found], f"the call is refused: {found.value}", 403)
        call.body.seek(0)
        return service.answer(call)

    def _receive(self, headers: Mapping[str, str], body: IO[bytes]) -> None:
        if headers.get("transfer-encoding") == "chunked":
            _unchunk(self.rfile, body)
        left = int(headers.get("content-length", 0))
        while left and (part := self.rfile.read(min(left, CHUNK))):
            left -= body.write(part)
        if left:
            raise CallRefused("IncompleteBody", f"{left} bytes of the body are missing")
        body.seek(0)

    def _send(self, reply: Reply) -> None:
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(reply.size))
        self.end_headers()
        if self.command == "HEAD":
            return
        if reply.file is None:
            self.wfile.write(reply.body)
            return
        with reply.file.open("rb") as file:
            file.seek(reply.start)
            left = reply.length
            while left and (part := file.read(min(left, CHUNK))):
                left -= self.wfile.write(part)


def copied(call: Call, target: Path) -> None:
    """Write the body of a call into a file, without the marks of `aws-chunked` pieces.

    Raises:
        CallRefused: The pieces are not what they announce; the file is what it was.
    """
    with replaced(target) as file:
        if "aws-chunked" in call.headers.get("content-encoding", ""):
            _unchunk(call.body, file)
        else:
            shutil.copyfileobj(call.body, file, CHUNK)


def _unchunk(source: IO[bytes] | BufferedIOBase, target: IO[bytes]) -> None:
    # HTTP's own chunks look the same as those of `aws-chunked`, and SDKs put these into those.
    while True:
        length, _, _ = source.readline(CHUNK).strip().partition(b";")
        if not _HEXADECIMAL.fullmatch(length):
            raise CallRefused("IncompleteBody", "a piece of the body has no length")
        size = left = int(length, 16)
        while left and (part := source.read(min(left, CHUNK))):
            left -= target.write(part)
        if left:
            raise CallRefused("IncompleteBody", f"{left} bytes of a piece of {size} are missing")
        if size == 0:
            break
        source.readline(CHUNK)
    while source.readline(CHUNK).strip():  # what follows are checksums
        pass
