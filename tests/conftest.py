"""What holds for every test: what cannot be tried here is left out aloud, and CI skips nothing."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

from pipelinekit.tools.jobs.cgroup import PREFIX, own_unified
from pipelinekit.tools.jobs.jobgroup import KILL
from pipelinekit.tools.notebooks.kernels import FOLDER, stop_nursery
from tests import containers, postgres, sshd
from tests.account import CREDENTIALS, serving
from tests.operations import clients

CORPUS = Path(__file__).parents[2] / "shared" / "corpus"


if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as of what a script starts with `&`
    signal.signal(signal.SIGINT, signal.default_int_handler)  # else no child hears Ctrl-C either
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # which nohup has everybody ignore

CLIENTS = {"sdk_js", "terraform"}
"""Programs of others that talk to what is tested; CI may lack them, and says so."""


@pytest.fixture(scope="session", autouse=True)
def kernels(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the kernels of the tests apart from those of people, and end them."""
    os.environ[FOLDER] = str(tmp_path_factory.mktemp("kernels", numbered=True))
    yield
    stop_nursery()


@pytest.fixture(scope="module")
def account_server() -> Iterator[str]:
    """Run a server that stands for AWS."""
    with serving() as url:
        yield url


@pytest.fixture
def account(account_server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Give the URL of a server that stands for AWS, and have credentials for it."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    return account_server


def pytest_configure(config: pytest.Config) -> None:
    """Refuse to run in CI where something would be left out."""
    del config
    left_out = {marker: why for marker, why in absent().items() if marker not in CLIENTS}
    if os.environ.get("CI") and left_out:
        pytest.exit("CI may leave nothing out: " + "; ".join(left_out.values()), returncode=1)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what cannot be tried here."""
    left_out = [item for item in items if any(map(item.get_closest_marker, absent()))]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was left out."""
    for marker, why in absent().items():
        terminalreporter.write_line(f"tests marked `{marker}` are left out: {why}", yellow=True)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the run when a test was skipped where everything has to be there."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or not os.environ.get("CI"):
        return
    skipped = reporter.stats.get("skipped", [])
    if skipped:
        reporter.write_line(f"{len(skipped)} tests were skipped, and CI may skip none", red=True)
        session.exitstatus = pytest.ExitCode.USAGE_ERROR


@cache
def absent() -> Mapping[str, str]:
    """Say by marker why its tests cannot be tried here."""
    found = {
        "corpus": None if CORPUS.is_dir() else "the real definitions are not beside the checkout",
        "root": None if os.geteuid() == 0 else "only root can become another user, or mount",
        "sandbox": _no_sandbox(),
        "cgroup": _no_group(),
        "container": containers.obstacle(),
        "sshd": None if Path(sshd.PROGRAM).exists() else "there is no OpenSSH server",
        "postgres": postgres.obstacle(),
        "sdk_js": clients.sdk_js_obstacle(),
        "terraform": clients.terraform_obstacle(),
        "node": None if shutil.which("node") else "node is not installed",
    }
    return {marker: why for marker, why in found.items() if why is not None}


def _no_group() -> str | None:
    own = own_unified()
    trial = own / f"{PREFIX}{os.getpid()}-trial" if own else None
    try:
        if trial is not None:
            trial.mkdir()
            found = (trial / KILL).exists()
            trial.rmdir()
            return None if found else "the kernel cannot kill a whole control group"
    except OSError:
        pass
    return "there is no control group of version 2 that this user may divide"


def _no_sandbox() -> str | None:
    if shutil.which("bwrap") is None:
        return "bubblewrap is not installed"
    trial = ["bwrap", "--ro-bind", "/", "/", "--unshare-all", "true"]
    failed = subprocess.run(trial, capture_output=True, check=False).returncode
    return "this kernel allows no namespaces to users" if failed else None
