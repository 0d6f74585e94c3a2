"""The guarded git command against servers: smart HTTP, ssh, slow and hostile ones."""

import base64
import http.server
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from pipelinekit.tools.git.checkout import Wanted, clone
from pipelinekit.tools.git.repository import (
    Access,
    GitError,
    GitFault,
    export,
    fetch,
    head,
)
from tests.tools.git_repositories import (
    IDENTITY,
    commit_file,
    fault,
    new_shop,
    tree,
)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return new_shop(tmp_path / "shop")


class Backend(http.server.BaseHTTPRequestHandler):
    """Real smart HTTP: git's own backend behind the standard library's server."""

    protocol_version = "HTTP/1.1"
    root: Path
    seen: list[str]

    def do_GET(self) -> None:
        """Answer a request with what git's backend says."""
        path, _, query = self.path.partition("?")
        self.seen.append(self.headers.get("Authorization", ""))
        if path.startswith("/redirect"):
            self.send_response(302)
            self.send_header("Location", f"file://{self.root}/shop/.git")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if path.startswith("/slow"):
            time.sleep(5)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        environment = IDENTITY | {
            "GIT_PROJECT_ROOT": str(self.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }
        done = subprocess.run(
            ["git", "http-backend"], env=environment, input=body, capture_output=True, check=True
        )
        head_lines, _, content = done.stdout.partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head_lines.decode().split("\r\n"))
        self.send_response(int(fields.pop("Status", "200").split()[0]))
        for name, value in fields.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_POST = do_GET  # noqa: N815 - the server looks for this name

    def log_message(self, *_: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture
def served(shop: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    kind = getattr(request, "param", Backend)
    handler = type("Handler", (kind,), {"root": shop.parent, "seen": []})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.slow
def test_smart_http_is_fetched(served: str, shop: Path, tmp_path: Path) -> None:
    commit = commit_file(shop, "app.py", "print(3)\n")
    url = f"{served}/shop/.git"
    assert head(url, "main") == commit
    assert fetch(url, branch="main", into=tmp_path / "cache").id == commit
    export(tmp_path / "cache", commit, tmp_path / "out")
    assert tree(tmp_path / "out") == {"app.py": "print(3)\n"}
    with fault(GitFault.REPOSITORY, "not found"):
        head(f"{served}/none", "main")


class Guarded(Backend):
    """Serves who logs in; `shown` is set where the list of processes shows the password."""

    login = "bob:to/k3n@SECRET"
    shown = threading.Event()

    def do_GET(self) -> None:
        """Ask for a login first."""
        told = base64.b64encode(self.login.encode()).decode()
        if any(b"SECRET" in words for words in command_lines()):
            self.shown.set()
        if self.headers.get("Authorization") == f"Basic {told}":
            super().do_GET()
            return
        self.send_response(401)
        self.send_header("WWW-Authenticate", "Basic")
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_POST = do_GET  # noqa: N815 - the server looks for this name


def command_lines() -> Iterator[bytes]:
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            yield (process / "cmdline").read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("served", [Guarded], indirect=True)
def test_a_password_of_a_url_reaches_its_site_and_no_list_of_processes(
    served: str, shop: Path, tmp_path: Path
) -> None:
    commit = commit_file(shop, "app.py", "print(3)\n")
    url = f"{served}/shop/.git".replace("://", "://bob:to%2Fk3n%40SECRET@")
    assert fetch(url, branch="main", into=tmp_path / "cache").id == commit
    clone(Wanted(url, "main", commit), served, tmp_path / "clone", lambda _: None)
    assert not Guarded.shown.is_set()
    assert "SECRET" not in (tmp_path / "cache/config").read_text(encoding="utf-8")
    with fault(GitFault.REPOSITORY, "Authentication failed"):
        head(url.replace("k3n", "k4n"), "main")


@pytest.mark.slow
@pytest.mark.parametrize("served", [type("Token", (Guarded,), {"login": "t0ken:"})], indirect=True)
def test_a_token_that_stands_in_the_place_of_the_user_is_enough(served: str, shop: Path) -> None:
    commit = commit_file(shop, "app.py", "print(3)\n")
    assert head(f"{served}/shop/.git".replace("://", "://t0ken@"), "main") == commit


@pytest.mark.slow
def test_a_server_cannot_send_us_to_our_own_files(served: str) -> None:
    with fault(GitFault.REPOSITORY):
        head(f"{served}/redirect", "main")


@pytest.mark.slow
def test_a_slow_server_is_given_up_and_its_processes_are_killed(served: str) -> None:
    began = time.monotonic()
    with fault(GitFault.REPOSITORY, "no answer within 1 seconds"):
        head(f"{served}/slow", "main", access=Access(seconds=1))
    assert time.monotonic() - began < 4


@pytest.mark.slow
def test_a_time_out_kills_the_whole_group(tmp_path: Path) -> None:
    tool = tmp_path / "ssh"
    tool.write_text(
        f"#!{sys.executable}\nimport os, time\n"
        f"open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))\ntime.sleep(60)\n",
        encoding="utf-8",
    )
    tool.chmod(0o755)
    access = Access({"GIT_SSH_COMMAND": str(tool), "GIT_SSH_VARIANT": "simple"}, seconds=1)
    with fault(GitFault.REPOSITORY, "no answer within 1 seconds"):
        head("git@example.org:x", "main", access=access)
    pid = int((tmp_path / "pid").read_text(encoding="utf-8"))
    deadline = time.monotonic() + 5
    while Path(f"/proc/{pid}/cmdline").exists() and time.monotonic() < deadline:
        if not Path(f"/proc/{pid}/cmdline").read_bytes():
            break  # killed, and waiting to be reaped
        time.sleep(0.05)
    assert time.monotonic() < deadline


def test_ssh_gets_the_agent_of_the_user_and_no_prompt(tmp_path: Path) -> None:
    tool, told = tmp_path / "ssh", tmp_path / "told"
    tool.write_text(f'#!/bin/sh\necho "$SSH_AUTH_SOCK $@" > {told}\nexit 1\n', encoding="utf-8")
    tool.chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    with fault(GitFault.REPOSITORY):
        head("git@example.org:x", "main", access=Access({"SSH_AUTH_SOCK": "/a/b", "PATH": path}))
    words = told.read_text(encoding="utf-8")
    assert words.startswith("/a/b -o BatchMode=yes")
    assert words.rstrip().endswith("git@example.org git-upload-pack 'x'")


def test_a_password_in_a_url_is_never_shown() -> None:
    with pytest.raises(GitError) as caught:
        head("http://me:s3cret@127.0.0.1:9/x.git", "main")
    assert caught.value.code is GitFault.REPOSITORY
    assert "s3cret" not in str(caught.value)
    with pytest.raises(GitError) as caught:
        head("http://me:s3cret@example.org/x.git", "main")
    assert "s3cret" not in str(caught.value)
