"""What the store keeps comes back as it was, and is always JSON that others can read."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone

from pipelinekit.model.execution import Artifact, Cause, PipelineExecution
from pipelinekit.model.order import Failed, Succeeded
from pipelinekit.model.pipeline import ExecutionMode
from pipelinekit.model.status import TriggerType
from pipelinekit.wire.record import answer_data, read, read_answer, text

AT = datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)


def execution(summary: str = "", at: datetime = AT) -> PipelineExecution:
    """Make an execution."""
    cause = Cause(TriggerType.START_PIPELINE_EXECUTION, "ann")
    return PipelineExecution(
        "e", "shop", 1, 1, ExecutionMode.QUEUED, cause, at, at, "Source", summary=summary
    )


def test_a_row_comes_back_as_it_was() -> None:
    for row in (execution("ü \0 \n"), execution(at=AT.replace(microsecond=0))):
        assert read(text(row), PipelineExecution) == row


def test_a_time_of_another_zone_comes_back_as_the_same_moment() -> None:
    row = execution(at=AT.astimezone(timezone(timedelta(hours=-3))))
    assert read(text(row), PipelineExecution).started == AT


def test_a_row_is_one_line_and_always_the_same() -> None:
    line = text(execution("a\nb"))
    assert "\n" not in line
    assert text(read(line, PipelineExecution)) == line


def test_what_equals_its_default_is_left_out() -> None:
    assert "status" not in json.loads(text(execution("")))


def test_the_name_of_a_file_that_is_no_utf_8_does_not_keep_a_row_from_being_written() -> None:
    name = b"caf\xe9".decode(errors="surrogateescape")
    assert read(text(execution(name)), PipelineExecution).summary == "caf?"


def test_an_answer_goes_through_plain_json() -> None:
    for outcome in (Succeeded(variables={"a": "b"}), Failed("no")):
        written = json.loads(json.dumps(answer_data(outcome, (Artifact("app", "local", "k"),))))
        assert read_answer(written) == (outcome, (Artifact("app", "local", "k"),))


AT_ONCE = """
import sys, threading
from concurrent.futures import ThreadPoolExecutor
sys.setswitchinterval(1e-6)
from pipelinekit.model.order import Succeeded
from pipelinekit.wire.record import answer_data, can_be_kept, read_answer
meeting = threading.Barrier(8)
answer = Succeeded({"a": "b"}), ()

def first(_):
    meeting.wait()
    return can_be_kept(*answer) and read_answer(answer_data(*answer)) == answer

with ThreadPoolExecutor(8) as threads:
    sys.exit(not all(threads.map(first, range(8))))
"""


def test_threads_that_read_and_write_for_the_first_time_at_once_do_not_end_the_process() -> None:
    for _ in range(3):
        done = subprocess.run(
            [sys.executable, "-c", AT_ONCE], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
