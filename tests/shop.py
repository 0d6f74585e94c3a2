"""The example shop as a git repository of its own, at free ports, for tests that release it."""

import json
import shutil
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

SHOP = Path(__file__).parents[1] / "examples" / "shop"
IDENTITY = ("-c", "user.name=Ann", "-c", "user.email=ann@example.org")
GROUPS = ("staging", "production")

SETTINGS = """\
[compute]
where = "host"  # a sandbox would not see the ledger

[codebuild.shop]
buildspec = "buildspec.yml"
timeout_minutes = 5

[codebuild.shop.environment]
PYTHON = "{python}"
"""

GROUP = """
[codedeploy.shop.{group}]
targets = ["deploy/{group}"]

[codedeploy.shop.{group}.environment]
ENVIRONMENT = "{group}"
PORT = "{port}"
PYTHON = "{python}"
"""


class Shop:
    """A copy of the example, committed, with a ledger of every Python that its actions start.

    Attributes:
        folder: The repository.
        ports: Where each group's server listens.
        ledger: One line for each start: the action execution's id and the arguments.
    """

    def __init__(self, root: Path) -> None:
        self.folder = root / "shop"
        self.ledger = root / "ledger"
        shutil.copytree(
            SHOP,
            self.folder,
            ignore=shutil.ignore_patterns("__pycache__", ".pipelinekit", "deploy"),
        )
        self.ports = {group: _free_port() for group in GROUPS}
        python = root / "python"
        python.write_text(
            "#!/bin/sh\n"
            f'echo "$PIPELINEKIT_ACTION_EXECUTION_ID $*" >> "{self.ledger}"\n'
            f'exec "{sys.executable}" "$@"\n',
            encoding="utf-8",
        )
        python.chmod(0o755)
        settings = SETTINGS.format(python=python)
        for group, port in self.ports.items():
            settings += GROUP.format(group=group, port=port, python=python)
        (self.folder / "pipelinekit.toml").write_text(settings, encoding="utf-8")
        self.git("init", "--quiet", "--initial-branch", "main")
        self.commit("First version")

    def git(self, *arguments: str) -> None:
        """Run git in the repository."""
        subprocess.run(["git", *IDENTITY, *arguments], cwd=self.folder, check=True)

    def commit(self, message: str) -> None:
        """Commit everything."""
        self.git("add", ".")
        self.git("commit", "--quiet", "--message", message)

    def health(self, group: str) -> dict[str, str]:
        """Ask a running shop how it is."""
        url = f"http://127.0.0.1:{self.ports[group]}/health"
        with build_opener(ProxyHandler({})).open(url, timeout=5) as answer:
            found: dict[str, str] = json.load(answer)
        return found

    def starts(self) -> list[str]:
        """Give the ledger's lines."""
        return self.ledger.read_text(encoding="utf-8").splitlines()

    def close(self) -> None:
        """Close the shops that run."""
        for group in GROUPS:
            target = self.folder / "deploy" / group
            program = target / "srv" / "shop" / "shop.pyz"
            with suppress(FileNotFoundError):
                pid = target / "run" / "shop.pid"
                command = [sys.executable, program, "stop", "--pid-file", pid]
                subprocess.run(command, check=False, capture_output=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
