"""The demonstration: it really releases, and leaves nothing behind."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

import pytest

COMMAND = [sys.executable, "-m", "pipelinekit", "demo"]


def environment(folder: Path) -> dict[str, str]:
    path = os.pathsep.join(sys.path)
    return {**os.environ, "PYTHONPATH": path, "TMPDIR": str(folder), "NO_COLOR": "1"}


@pytest.mark.slow
def test_it_releases_to_both_environments_and_leaves_nothing(tmp_path: Path) -> None:
    done = subprocess.run(
        [*COMMAND, "--yes"],
        env=environment(tmp_path),
        check=True,
        capture_output=True,
        text=True,
    )
    urls = re.findall(r"(http://127\.0\.0\.1:\d+/health)  version 1\.", done.stdout)
    assert len(urls) == 2
    assert done.stdout.count("✓ Succeeded") >= 7
    began = [line for line in done.stdout.splitlines() if "approve  " in line and "✓" in line][-1]
    assert re.search(r" \d{4}-\d\d-\d\d \d\d:\d\d:\d\d ", began)
    assert list(tmp_path.iterdir()) == []
    for url in urls:
        with pytest.raises(OSError, match="refused"):
            build_opener(ProxyHandler({})).open(url, timeout=2)


@pytest.mark.slow
def test_without_anybody_to_approve_it_waits_for_nobody(tmp_path: Path) -> None:
    done = subprocess.run(
        COMMAND,
        env=environment(tmp_path),
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 3
    assert "Nobody has approved" in done.stdout
    assert "pipelinekit approve" not in done.stdout  # of what is gone in a moment
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_ctrl_c_or_a_closed_terminal_ends_it_and_all_that_it_began(
    tmp_path: Path, how: signal.Signals
) -> None:
    with subprocess.Popen(
        COMMAND,
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as demo:
        assert demo.stdout is not None
        while "Build/build" not in demo.stdout.readline():
            pass
        os.killpg(demo.pid, how)
        _, said = demo.communicate(timeout=30)
    assert demo.returncode == 130
    assert "Go on with" not in said
    assert list(tmp_path.iterdir()) == []
    time.sleep(0.2)
    left = subprocess.run(["pgrep", "-f", str(tmp_path)], check=False, capture_output=True)
    assert left.stdout == b""
