"""Programs that were written just now are run, though other threads start some meanwhile."""

import os
import threading
from pathlib import Path

import pytest

from pipelinekit.tools.commands import script
from pipelinekit.tools.commands.script import Command, base_environment, run


@pytest.fixture
def program(tmp_path: Path) -> Path:
    made = tmp_path / "program"
    made.write_text("#!/bin/sh\nexit 3\n", encoding="utf-8")
    made.chmod(0o755)
    return made


def code_of(program: Path) -> int | None:
    command = Command((str(program),), program.parent, base_environment())
    return run(command, 5, program.with_name("log"), lambda _line: None)


def test_a_program_that_is_open_for_writing_for_a_moment_is_waited_for(program: Path) -> None:
    held = os.open(program, os.O_WRONLY)
    threading.Timer(0.2, os.close, (held,)).start()
    assert code_of(program) == 3


def test_a_program_that_stays_open_for_writing_cannot_be_started(
    program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(script, "BUSY_SECONDS", 0.1)
    with program.open("ab"), pytest.raises(OSError, match="Text file busy"):
        code_of(program)
