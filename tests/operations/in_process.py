"""Asks the endpoint as a server does, without one."""

import io
from collections.abc import Mapping
from typing import NamedTuple

from pipelinekit.endpoint.app import Endpoint


class Request(NamedTuple):
    """A request of HTTP.

    Attributes:
        uri: Path and query.
        headers: By name.
    """

    method: str
    uri: str
    headers: Mapping[str, str]
    body: bytes


def ask(endpoint: Endpoint, request: Request) -> tuple[int, bytes]:
    """Give the status and the body of an answer."""
    told: list[str] = []
    environ = {
        "REQUEST_METHOD": request.method,
        "REQUEST_URI": request.uri,
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(request.body),
    }
    for name, value in request.headers.items():
        word = name.upper().replace("-", "_")
        environ[word if word == "CONTENT_TYPE" else f"HTTP_{word}"] = value
    pieces = endpoint(environ, lambda status, _headers: told.append(status))  # type: ignore[arg-type,func-returns-value]  # nobody writes
    return int(told[0].split()[0]), b"".join(pieces)
