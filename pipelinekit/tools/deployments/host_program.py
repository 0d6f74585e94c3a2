"""What is sent to a host over SSH and runs there: errands come in, log lines and answers go out.

Every message is one line of JSON. To the host go `{"do": errand, "with": {name: text}}` and
`{"receive": bytes}`, which so many bytes of the bundle follow. From it come `{"say": line}`,
`{"beat": true}` so that silence means death, and for each message to it one `{"answer": text}` or
`{"error": sentence, "code": kind}`.
"""

import io
import json
import os
import signal
import sys
import threading
import time
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final, NoReturn

from pipelinekit.tools.deployments.lifecycle import Lifecycle
from pipelinekit.tools.deployments.revision import DeploymentError

BEAT_SECONDS: Final = 5.0
MODULES: Final = {
    "": ("durable", "failpoint", "on_error"),
    "archives": ("archive", "tree_writer", "zip_entries"),
    "commands": ("script",),
    "deployments": ("deployment", "host_program", "installation", "lifecycle", "revision"),
    "documents": ("places",),
    "jobs": ("proctree",),
}
"""This program, by folders of tools: modules that import only each other and Python's own."""

STARTER: Final = (
    "import sys,tempfile;"
    'sys.version_info<(3,11) and sys.exit("Python 3.11 or later is needed, and this is "'
    "+sys.version.split()[0]);"
    'f=tempfile.NamedTemporaryFile(suffix=".zip");'
    "f.write(sys.stdin.buffer.read(int(sys.argv[1])));f.flush();"
    "sys.path.insert(0,f.name);"
    "from pipelinekit.tools.deployments.host_program import serve;serve(sys.argv[2])"
)
"""Starts the program that follows on standard input; takes its bytes and the target."""

_CHUNK: Final = 1024 * 1024
_PACKAGE: Final = Path(__file__).parents[2]


def program() -> bytes:
    """Pack this program as a zip that Python can import from."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for package in ("", "tools/", *(f"tools/{folder}/" for folder in MODULES if folder)):
            archive.writestr(f"pipelinekit/{package}__init__.py", "")
        for folder, names in MODULES.items():
            for name in names:
                file = Path("tools", folder, f"{name}.py")
                archive.write(_PACKAGE / file, Path("pipelinekit") / file)
    return packed.getvalue()


def serve(root: str) -> None:
    """Carry out errands on a target until standard input ends, or nobody listens any more.

    Args:
        root: The folder of the target.
    """
    signal.signal(signal.SIGTERM, _leave)
    line = _Line(os.fdopen(os.dup(1), "wb"))
    os.dup2(2, 1)  # what prints by accident must not be taken for an answer
    threading.Thread(target=line.beat, daemon=True).start()
    lifecycle = Lifecycle(Path(root), lambda text: line.write({"say": text}))
    with suppress(BrokenPipeError):
        while asked := sys.stdin.buffer.readline():
            line.write(_answer(lifecycle, json.loads(asked)))


def _leave(_number: int, _frame: object) -> NoReturn:
    raise SystemExit(1)


class _Line:
    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._one_writer = threading.Lock()

    def write(self, message: Mapping[str, object]) -> None:
        with self._one_writer:
            self._out.write(json.dumps(message).encode() + b"\n")
            self._out.flush()

    def beat(self) -> None:
        with suppress(OSError):
            while True:
                self.write({"beat": True})
                time.sleep(BEAT_SECONDS)
        # The line is cut: a script that nobody follows any more is ended, and the lock freed.
        os.kill(os.getpid(), signal.SIGTERM)


def _answer(lifecycle: Lifecycle, asked: Mapping[str, object]) -> dict[str, str]:
    try:
        match asked:
            case {"receive": int() as size}:
                return {"answer": _receive(lifecycle.inbox, size)}
            case {"do": str() as errand, "with": dict() as given}:
                return {"answer": lifecycle.carry_out(errand, given)}
            case _:
                raise ValueError(f"{asked} is no message of this program's; send both anew")
    except DeploymentError as error:
        return {"error": str(error), "code": error.code}


def _receive(path: Path, size: int) -> str:
    left = size
    try:
        with path.open("wb") as file:
            while left:
                chunk = sys.stdin.buffer.read(min(left, _CHUNK))
                if not chunk:
                    raise SystemExit(1)
                left -= len(chunk)
                file.write(chunk)
    except OSError as error:
        path.unlink(missing_ok=True)
        while left and (chunk := sys.stdin.buffer.read(min(left, _CHUNK))):
            left -= len(chunk)
        raise DeploymentError(
            f"DownloadBundle on {path.parents[1]}: {error}; check permissions and disk space"
        ) from None
    return str(path)
