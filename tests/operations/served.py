"""Runs `pipelinekit serve` as people do, in a process of its own."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

ROOT = Path(__file__).parents[2]
FORGOTTEN = ("AWS_", "PIPELINEKIT_")


@contextmanager
def serving(folder: Path, *options: str) -> Iterator[dict[str, str]]:
    """Serve a fresh state; give the environment by which clients reach it."""
    own = {k: v for k, v in os.environ.items() if not k.startswith(FORGOTTEN)}
    own["PYTHONPATH"] = str(ROOT)
    own["HOME"] = str(folder)
    command = [sys.executable, "-m", "pipelinekit", "--json", "serve", "--port", "0", *options]
    with (
        (folder / "server.log").open("wb") as log,
        subprocess.Popen(
            command, cwd=folder, env=own, stdout=subprocess.PIPE, stderr=log
        ) as server,
    ):
        assert server.stdout is not None
        try:
            told = json.loads(_object(server.stdout))
            yield own | reached(told)
        finally:
            server.terminate()
            server.stdout.close()
    assert server.returncode == 0


def _object(stream: IO[bytes]) -> bytes:
    lines = b""
    watch = threading.Timer(120, stream.close)  # it shall not be waited for in vain
    watch.start()
    for line in stream:
        lines += line
        if line.startswith(b"}"):
            break
    watch.cancel()
    return lines


def reached(told: dict[str, str]) -> dict[str, str]:
    """Give the variables by which every SDK finds a server."""
    assert urlsplit(told["url"]).hostname == "127.0.0.1"
    return {
        "AWS_SHARED_CREDENTIALS_FILE": told["credentials"] or "",
        "AWS_PROFILE": told["caller"],
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL_CODEPIPELINE": told["url"],
        "AWS_ENDPOINT_URL_STS": told["url"],
        "AWS_ENDPOINT_URL_S3": told["url"],
        "AWS_PAGER": "",
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
    }
