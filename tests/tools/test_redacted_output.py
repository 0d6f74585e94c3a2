"""What a process and its children print goes through the redactor, whole and in order."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipelinekit.tools.gate import JSON, Standing
from pipelinekit.tools.process import Spawner, look
from pipelinekit.tools.redact import redacted_output
from pipelinekit.tools.runner import LOG
from pipelinekit.tools.shell import Shell

HERE = __name__
HEAD = """
import os, shlex, subprocess, sys, time
from threading import active_count
from pipelinekit.tools.redact import redacted_output
def sh(text):
    return subprocess.run(["sh", "-c", text])
"""


def ran(
    text: str, *, stderr: int = subprocess.STDOUT, stdout: int = subprocess.PIPE
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", HEAD + text],
        stdout=stdout,
        stderr=stderr,
        text=True,
        check=False,
        timeout=60,
    )


def test_the_process_its_children_and_their_children_are_redacted_in_order() -> None:
    done = ran("""
print("before hunter22")
with redacted_output(["hunter22"]):
    print("print hunter22")
    sys.stdout.flush()
    os.write(2, b"write hunter22\\n")
    sh("echo child hunter22; sh -c 'echo grandchild hunter22 >&2'")
    print("and print hunter22", end="")
print(" after hunter22")
""")
    assert done.stdout.splitlines() == [
        "before hunter22",
        "print ***",
        "write ***",
        "child ***",
        "grandchild ***",
        "and print *** after hunter22",
    ]


def test_output_and_errors_stay_apart_where_they_were_apart() -> None:
    done = ran(
        """
with redacted_output(["hunter22"]) as redactor:
    sh("echo out hunter22; echo err hunter22 >&2")
print(redactor.redacted("hunter22"))
""",
        stderr=subprocess.PIPE,
    )
    assert (done.stdout, done.stderr) == ("out ***\n***\n", "err ***\n")


def test_without_values_nothing_is_done() -> None:
    done = ran("""
same = os.fstat(1)
with redacted_output(["", "no"]):
    print(os.path.samestat(os.fstat(1), same), active_count())
""")
    assert done.stdout == "True 1\n"


def test_an_error_inside_goes_on_and_the_output_is_as_before() -> None:
    done = ran("""
same, files = os.fstat(1), os.listdir("/proc/self/fd")
try:
    with redacted_output(["hunter22"]):
        print("hunter22")
        raise LookupError
except LookupError:
    print(os.path.samestat(os.fstat(1), same), active_count())
print(os.listdir("/proc/self/fd") == files)
""")
    assert done.stdout == "***\nTrue 1\nTrue\n"


@pytest.mark.slow
def test_nothing_is_lost_of_what_a_child_prints_last() -> None:
    lines = 200_000
    done = ran(f"""
with redacted_output(["hunter22"]):
    sh("seq {lines}; printf hunter2")
""")
    assert done.stdout.split() == [*map(str, range(1, lines + 1)), "hunter2"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "child", ["sleep 30", "yes hunter22", "sh -c 'while echo hunter22; do sleep 0.01; done'"]
)
def test_a_child_that_lives_on_is_not_waited_for(child: str) -> None:
    done = ran(f"""
with redacted_output(["hunter22"]):
    living = subprocess.Popen(["setsid", *shlex.split({child!r})])
    time.sleep(0.2)
    began = time.monotonic()
    print("\\nown hunter22")
print("\\n%.1f" % (time.monotonic() - began))
living.kill()
""")
    lines = done.stdout.splitlines()
    assert [line[:7] for line in lines if "own" in line] == ["own ***"]
    assert "hunter22" not in done.stdout
    assert 0.9 < float(lines[-1]) < 5


def test_what_cannot_be_written_on_is_an_error_and_stops_the_child() -> None:
    listen, tell = os.pipe()
    os.close(listen)
    done = ran(
        """
try:
    with redacted_output(["hunter22"]):
        os.write(2, b"...")
        status = sh("yes").returncode
except OSError as error:
    os._exit(17 if status and isinstance(error, BrokenPipeError) else 1)
""",
        stdout=tell,
    )
    os.close(tell)
    assert done.returncode == 17


@pytest.mark.slow
def test_the_memory_does_not_grow_with_the_output() -> None:
    done = ran(
        """
with redacted_output(["hunter22", "another-secret"]):
    sh("yes 'hunter22 or not' | head -c 100000000")
print(open("/proc/self/status").read().split("VmHWM:")[1].split()[0], file=sys.stderr)
""",
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    assert int(done.stderr) < 60 * 1024


# ------------------------------------------------------------------ in a job


def talk(payload: dict[str, JSON]) -> dict[str, JSON]:
    secret = str(payload["secret"])
    environment = {"PATH": os.environ["PATH"], "SECRET": secret}
    with (
        redacted_output([secret]),
        Shell("/bin/sh", environment, start=Path.cwd(), folder=Path("shell")) as shell,
    ):
        sys.stdout.write(f"the target {secret}\n")
        sys.stdout.flush()
        status = shell.run('echo "the shell $SECRET"; (sleep 60; echo late) & false', "one.sh")
    sys.stdout.write("and after\n")
    return {"status": status}


@pytest.mark.slow
def test_in_a_runner_the_log_is_redacted(tmp_path: Path) -> None:
    folder = tmp_path / "job"
    with Spawner() as spawner:
        began = time.monotonic()
        spawner.start(folder, f"{HERE}:talk", {"secret": "hunter22"})
        while look(folder).standing is not Standing.DONE:
            assert time.monotonic() - began < 20
            time.sleep(0.01)
    assert look(folder).result == {"status": 1}
    log = (folder / LOG).read_text(encoding="utf-8")
    assert log == "the target ***\nthe shell ***\nand after\n"


def test_it_works_beside_a_capture_of_the_descriptors(capfd: pytest.CaptureFixture[str]) -> None:
    with redacted_output(["hunter22"]):
        os.write(1, b"hunter22\n")
    assert capfd.readouterr().out == "***\n"
