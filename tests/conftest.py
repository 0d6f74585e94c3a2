"""What holds for every test: what cannot be tried here is left out aloud, and CI skips nothing."""

import os
from pathlib import Path

import pytest

CORPUS = Path(__file__).parents[2] / "shared" / "corpus"
ABSENT = {
    "corpus": (not CORPUS.is_dir(), "the folder of real definitions is not beside the checkout"),
    "root": (os.geteuid() != 0, "only root can become another user"),
}
LEFT_OUT = pytest.StashKey[list[str]]()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what cannot be tried here, and remember why."""
    told = config.stash.setdefault(LEFT_OUT, [])
    for marker, (absent, why) in ABSENT.items():
        left_out = [item for item in items if absent and item.get_closest_marker(marker)]
        if left_out:
            told.append(f"{len(left_out)} tests are left out: {why}")
            config.hook.pytest_deselected(items=left_out)
            items[:] = [item for item in items if item not in left_out]


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say what was left out."""
    for line in config.stash.get(LEFT_OUT, []):
        terminalreporter.write_line(line, yellow=True)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the run when a test was skipped where everything has to be there."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or not os.environ.get("CI"):
        return
    skipped = reporter.stats.get("skipped", [])
    if skipped:
        reporter.write_line(f"{len(skipped)} tests were skipped, and CI may skip none", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
