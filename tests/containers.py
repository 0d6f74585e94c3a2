"""Containers for tests: podman with a storage and settings of its own, and one small image."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipelinekit.tools.commands.containers import container_engine, forget_engine

IMAGE = "localhost/pipelinekit-test:1"
PROGRAMS = (
    "awk",
    "cat",
    "chmod",
    "env",
    "false",
    "grep",
    "hostname",
    "id",
    "ls",
    "mkdir",
    "printf",
)
MORE_PROGRAMS = (
    "ps",
    "rm",
    "setsid",
    "sh",
    "sleep",
    "tail",
    "test",
    "touch",
    "true",
    "wc",
    "wget",
)
SETTINGS = """\
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
[engine]
runtime = "{runtime}"
cgroup_manager = "cgroupfs"
events_logger = "file"
"""
STORAGE = """\
[storage]
driver = "vfs"
runroot = "{sockets}"
graphroot = "{folder}/graph"
"""


def obstacle() -> str | None:
    """Say what is missing for tests with containers; None when nothing is."""
    missing = [name for name in ("podman", "busybox") if shutil.which(name) is None]
    return f"{' and '.join(missing)} are not installed" if missing else None


@contextmanager
def own_containers(folder: Path) -> Iterator[str]:
    """Let podman keep everything in a folder while the block lasts, and give an image's name."""
    # crun refuses the mixture of both versions of control groups.
    unified = Path("/sys/fs/cgroup/cgroup.controllers").exists()
    found = [name for name in ("crun", "runc") if shutil.which(name)]
    settings, storage = folder / "containers.conf", folder / "storage.conf"
    runtime = found[0] if unified or len(found) == 1 else found[-1]
    # The path of a socket has at most 107 bytes, which the folder of a test may have by itself.
    with (
        tempfile.TemporaryDirectory(prefix="pods-", ignore_cleanup_errors=True) as sockets,
        pytest.MonkeyPatch.context() as patch,
    ):
        settings.write_text(SETTINGS.format(runtime=runtime), encoding="utf-8")
        storage.write_text(STORAGE.format(folder=folder, sockets=sockets), encoding="utf-8")
        patch.setenv("CONTAINERS_CONF", str(settings))
        patch.setenv("CONTAINERS_STORAGE_CONF", str(storage))
        forget_engine()
        try:
            _import_image(folder)
            yield IMAGE
        finally:
            subprocess.run(["podman", "rm", "--all", "--force"], capture_output=True, check=False)
            forget_engine()


def refuse_to_start(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Let podman ask for more open files of each container than any kernel allows."""
    settings = Path(os.environ["CONTAINERS_CONF"]).read_text(encoding="utf-8")
    changed = folder / "refusing.conf"
    changed.write_text(re.sub("nofile=[0-9:]+", "nofile=2000000000", settings), encoding="utf-8")
    monkeypatch.setenv("CONTAINERS_CONF", str(changed))


def container_names() -> list[str]:
    """Name all containers that there are, running or not."""
    engine = container_engine()
    assert engine is not None
    return engine.containers()


def _import_image(folder: Path) -> None:
    root = folder / "root"
    for name in ("bin", "etc", "tmp"):
        (root / name).mkdir(parents=True)
    shutil.copy2(os.path.realpath(shutil.which("busybox") or ""), root / "bin/busybox")
    for name in (*PROGRAMS, *MORE_PROGRAMS):
        (root / "bin" / name).symlink_to("busybox")
    (root / "etc/passwd").write_text(
        "root:x:0:0:root:/root:/bin/sh\nworker:x:4321:4321:worker:/tmp:/bin/sh\n", encoding="utf-8"
    )
    archive = folder / "root.tar"
    # An ordinary user has no other number than root's in a container of its own.
    owned = ("--owner=0", "--group=0", "--numeric-owner")
    subprocess.run(["tar", *owned, "-C", root, "-cf", archive, "."], check=True)
    subprocess.run(["podman", "import", "--quiet", archive, IMAGE], check=True)
