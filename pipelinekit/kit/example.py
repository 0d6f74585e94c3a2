"""The example shop: a small web application to release, as a git repository of its own."""

import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

from pipelinekit.model.errors import ValidationError

IDENTITY = ("-c", "user.name=Pipelinekit", "-c", "user.email=example@example.invalid")
LEFT_OUT = shutil.ignore_patterns("__pycache__", ".pipelinekit", "deploy", "dist", ".ruff_cache")


def example(folder: Path | str) -> Path:
    """Put the example shop into a folder and commit it; give the folder.

    A folder that holds the shop already is left as it is. Where a port of its `pipelinekit.toml`
    is taken, a free one is written instead.

    Args:
        folder: Where the repository is to be; made if it is missing.

    Raises:
        ValidationError: The folder holds something else, or this installation has no example.
    """
    target = Path(folder).resolve()
    if (target / "appspec.yml").exists() and (target / ".git").exists():
        return target
    if target.exists() and any(target.iterdir()):
        raise ValidationError(f"the example was to be put into {target}, which is not empty")
    shutil.copytree(_source(), target, ignore=LEFT_OUT, dirs_exist_ok=True)
    _move_ports(target / "pipelinekit.toml", target / "pipeline.py")
    _git(target, "init", "--quiet", "--initial-branch=main")
    commit(target, "Open the shop")
    return target


def close_example(folder: Path | str) -> None:
    """Close the shops that releases of the example have opened in its folder."""
    for program in sorted(Path(folder).glob("deploy/*/srv/shop/shop.pyz")):
        pid_file = program.parents[2] / "run" / "shop.pid"
        stop = [sys.executable, str(program), "stop", "--pid-file", str(pid_file)]
        subprocess.run(stop, check=False, stdout=subprocess.DEVNULL)


def commit(folder: Path, message: str) -> None:
    """Commit everything in a repository of the example."""
    _git(folder, "add", "--all")
    _git(folder, "commit", "--quiet", "--message", message)


def _source() -> Path:
    package = Path(__file__).parents[1]
    for place in (package.parent / "examples" / "shop", package / "examples" / "shop"):
        if (place / "appspec.yml").exists():
            return place
    raise ValidationError(
        "the example shop was asked for and this installation has none; clone the repository"
    )


def _git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", *IDENTITY, *arguments], cwd=folder, check=True)


def _move_ports(settings: Path, definition: Path) -> None:
    text = settings.read_text(encoding="utf-8")
    linked = definition.read_text(encoding="utf-8")
    for port in re.findall(r'(?<=PORT = ")\d+', text):
        free = _free(port)
        text = text.replace(f'"{port}"', f'"{free}"')
        linked = linked.replace(f":{port}/", f":{free}/")
    settings.write_text(text, encoding="utf-8")
    definition.write_text(linked, encoding="utf-8")


def _free(port: str) -> str:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", int(port)))
        except OSError:
            probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])
