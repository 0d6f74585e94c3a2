"""What holds for every test: in continuous integration none may be skipped."""

import os

import pytest


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the run when a test was skipped where everything has to be there."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or not os.environ.get("CI"):
        return
    skipped = reporter.stats.get("skipped", [])
    if skipped:
        reporter.write_line(f"{len(skipped)} tests were skipped, and CI may skip none", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
