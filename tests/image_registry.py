"""A registry of container images for tests: what is pushed to it can be pulled from it."""

import hashlib
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


@contextmanager
def served_registry() -> Iterator[str]:
    """Serve a registry, and give its host and port."""

    class Handler(_Registry):
        kept = _Kept()

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@dataclass
class _Kept:
    blobs: dict[str, bytes] = field(default_factory=dict)
    manifests: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    uploads: dict[str, bytes] = field(default_factory=dict)


class _Registry(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    kept: _Kept

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        name = self.path.rpartition("/")[2]
        if self.path == "/v2/":
            self._answer(200)
        elif "/blobs/" in self.path and name in self.kept.blobs:
            self._answer(200, self.kept.blobs[name], digest=name)
        elif "/manifests/" in self.path and self.path in self.kept.manifests:
            kind, content = self.kept.manifests[self.path]
            self._answer(200, content, kind, _digest(content))
        else:
            self._answer(404)

    def do_POST(self) -> None:
        self._body()
        place = f"{self.path}{len(self.kept.uploads)}"
        self.kept.uploads[place] = b""
        self._answer(202, location=place)

    def do_PATCH(self) -> None:
        self.kept.uploads[self.path] += self._body()
        self._answer(202, location=self.path)

    def do_PUT(self) -> None:
        content = self._body()
        if "/manifests/" in self.path:
            digest = _digest(content)
            manifest = (self.headers["Content-Type"], content)
            self.kept.manifests[self.path] = manifest
            self.kept.manifests[self.path.rpartition("/")[0] + f"/{digest}"] = manifest
        else:
            parts = urlsplit(self.path)
            digest = parse_qs(parts.query)["digest"][0]
            self.kept.blobs[digest] = self.kept.uploads.pop(parts.path) + content
        self._answer(201, location=self.path, digest=digest)

    def _body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while size := int(re.split(rb"[;\r]", self.rfile.readline())[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _answer(
        self,
        status: int,
        content: bytes = b"",
        kind: str = "",
        digest: str = "",
        location: str = "",
    ) -> None:
        self.send_response(status)
        told = {"Content-Type": kind, "Docker-Content-Digest": digest, "Location": location}
        for name, value in told.items():
            if value:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
