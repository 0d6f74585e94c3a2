"""A server that speaks the part of GitHub's REST API by which webhooks are looked after."""

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

TOKEN = "gho_16C7e42F292c6912E7710c838347Ae178B4a"
REPOSITORY = "/repos/acme/shop/hooks"

Json = dict[str, Any]


@dataclass
class GitHub:
    """A site with one repository, `acme/shop`.

    Attributes:
        api: The URL of its API.
        hooks: The webhooks of the repository, by id.
        asked: The method and the path of each request.
    """

    api: str = ""
    hooks: dict[int, Json] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def push(self, branch: str) -> list[int]:
        """Tell the webhooks that a branch was pushed to; give the statuses of their answers."""
        return [_delivered(hook, "push", {"ref": f"refs/heads/{branch}"}) for hook in self._active]

    @property
    def _active(self) -> list[Json]:
        return [hook for hook in self.hooks.values() if hook["active"]]

    def answer(self, method: str, path: str, token: str, data: Json) -> tuple[int, Any]:
        """Do what a request asks."""
        self.asked.append(f"{method} {path}")
        place, _, number = path.partition("?")[0].partition(f"{REPOSITORY}/")
        if token != f"Bearer {TOKEN}":
            return 401, {"message": "Bad credentials"}
        if place not in {REPOSITORY, ""} or (number and int(number) not in self.hooks):
            return 404, {"message": "Not Found"}
        return self._change(method, int(number or 0), data)

    def _change(self, method: str, number: int, data: Json) -> tuple[int, Any]:
        match method:
            case "GET":
                return 200, list(self.hooks.values())
            case "DELETE":
                del self.hooks[number]
                return 204, None
            case "PATCH":
                self.hooks[number] |= data
                return 200, self.hooks[number]
        if any(each["config"]["url"] == data["config"]["url"] for each in self.hooks.values()):
            return 422, {"message": "Validation Failed"}
        made = {"id": 100 + len(self.asked), **data}
        self.hooks[made["id"]] = made
        _delivered(made, "ping", {"zen": "Keep it logically awesome."})
        return 201, made


def _delivered(hook: Json, event: str, data: Json) -> int:
    config, body = hook["config"], json.dumps(data).encode()
    headers = {"Content-Type": "application/json", "X-GitHub-Event": event}
    if secret := config.get("secret"):
        digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        headers["X-Hub-Signature-256"] = f"sha256={digest}"
    request = Request(config["url"], body, headers)  # noqa: S310 - http, as it was registered
    try:
        with build_opener(ProxyHandler({})).open(request, timeout=10) as answer:
            return int(answer.status)
    except HTTPError as error:
        return error.code


@contextmanager
def serving() -> Iterator[GitHub]:
    """Run the site while the block lasts."""
    site = GitHub()

    class Handler(BaseHTTPRequestHandler):
        def do(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            told = self.headers.get("Authorization", "")
            data = json.loads(body or b"{}")
            status, answer = site.answer(self.command, self.path, told, data)
            sent = b"" if answer is None else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        do_GET = do_POST = do_PATCH = do_DELETE = do  # noqa: N815 - the server looks for these

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        site.api = f"http://127.0.0.1:{server.server_port}"
        yield site
        server.shutdown()
        thread.join()
