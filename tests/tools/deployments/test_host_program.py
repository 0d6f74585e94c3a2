"""The program that is sent to hosts: it needs only Python, and answers every message."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import pytest

from pipelinekit.tools.deployments.host_program import STARTER, program
from pipelinekit.tools.deployments.revision import (
    AppSpec,
    FileExistsBehavior,
    FileMapping,
    FileType,
    Permission,
    Script,
    as_json,
    from_json,
)

SPEC = AppSpec(
    files=(FileMapping(PurePosixPath("app"), PurePosixPath("/srv")),),
    file_exists_behavior=FileExistsBehavior.RETAIN,
    permissions=(
        Permission(PurePosixPath("/srv"), "*", ("no*",), frozenset({FileType.FILE}), mode=0o640),
        Permission(PurePosixPath("/etc"), acls=("u:a:rw",), context={"user": "a"}, line=7),
    ),
    hooks={"AfterInstall": (Script(PurePosixPath("go"), 30, "nobody", line=9),), "Install": ()},
    ignored=("a key",),
)
LOCK = {"do": "lock", "with": {"deployment": "d-1"}}


def test_an_appspec_comes_back_from_json_as_it_was() -> None:
    assert from_json(as_json(SPEC)) == SPEC
    assert from_json(as_json(AppSpec())) == AppSpec()


def ask(target: Path, *messages: Mapping[str, object] | bytes) -> list[dict[str, object]]:
    """Run the program as a host would, and give its answers.

    It has no module of this project or of another within reach.
    """
    sent = program()
    words = [sys.executable, "-I", "-S", "-c", STARTER, str(len(sent)), str(target)]
    for message in messages:
        sent += message if isinstance(message, bytes) else json.dumps(message).encode() + b"\n"
    done = subprocess.run(words, cwd="/", input=sent, capture_output=True, timeout=60, check=False)
    assert not done.stderr, done.stderr.decode()
    assert done.returncode == 0
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    return [answer for answer in answers if answer != {"beat": True}]


@pytest.mark.slow
def test_the_program_runs_where_there_is_nothing_but_python(tmp_path: Path) -> None:
    bare = as_json(AppSpec())
    prepare = {"do": "prepare", "with": {"spec": bare, "environment": "{}"}}
    succeed = {"do": "succeed", "with": {"deployment": "d-1"}}
    stop = {"do": "run", "with": {"event": "ApplicationStop", "deployment": ""}}
    answers = ask(tmp_path / "live", prepare, LOCK, succeed, stop)
    assert answers[0] == {"answer": ""}
    assert json.loads(str(answers[1]["answer"])) == {"last": "", "is_healthy": False, "note": ""}
    assert answers[2] == {"answer": ""}
    assert "skipped, for no deployment" in str(answers[3]["say"])
    assert answers[4] == {"answer": "Skipped"}


@pytest.mark.slow
def test_an_errand_that_fails_is_answered_and_the_next_one_carried_out(tmp_path: Path) -> None:
    bundle = tmp_path / "live" / ".codedeploy" / "bundle.zip"
    given = {"deployment": "d-1", "spec": as_json(SPEC), "bundle": str(bundle)}
    damaged = {"do": "DownloadBundle", "with": given}
    begin = {"do": "begin", "with": {"deployment": "d-1"}}
    answers = ask(tmp_path / "live", LOCK, {"receive": 5}, b"hello", damaged, begin)
    assert answers[1] == {"answer": str(bundle)}
    assert bundle.read_bytes() == b"hello"
    failure = next(answer for answer in answers if "error" in answer)
    assert "no ends of a zip archive" in str(failure["error"])
    assert failure["code"] == "JobFailed"
    assert answers[-1] == {"answer": ""}


@pytest.mark.root
@pytest.mark.slow
def test_a_bundle_that_finds_no_room_is_an_answer_and_leaves_none_taken(tmp_path: Path) -> None:
    live = tmp_path / "live"
    live.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", live], check=True)
    try:
        begin = {"do": "begin", "with": {"deployment": "d-1"}}
        answers = ask(live, LOCK, {"receive": 3_000_000}, bytes(3_000_000), begin)
        assert "No space left on device" in str(answers[1]["error"])
        assert answers[2] == {"answer": ""}
        assert not (live / ".codedeploy" / "bundle.zip").exists()
    finally:
        subprocess.run(["umount", live], check=True)
