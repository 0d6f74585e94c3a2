"""Handlers that really run, in Python and in Node, and the ways in which they end."""

import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from pipelinekit.tools.aws.handler import Handler, HandlerError, Invoked, check, invoke

MEGABYTES_300 = 300 * 1024 * 1024


@dataclass
class Site:
    """A folder of code, and what its invocations have said."""

    folder: Path
    output: Callable[[], str]
    said: list[str] = field(default_factory=list)
    number: int = 0

    def invoke(
        self, code: str, file: str = "app.py", event: object = None, **about: Any
    ) -> Invoked:
        (self.folder / file).write_text(code, encoding="utf-8")
        runtime = "python3" if file.endswith(".py") else "nodejs20.x"
        handler = replace(Handler("fn", self.folder, "app.handler", runtime, 20, 256), **about)
        self.number += 1
        return invoke(handler, event, self.folder.parent / str(self.number), self.said.append)


@pytest.fixture
def site(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Site:
    (tmp_path / "code").mkdir()
    return Site(tmp_path / "code", lambda: capfd.readouterr().out)


def ended(pid: int) -> bool:
    for _ in range(100):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
        if state == "Z":
            return True
        time.sleep(0.02)
    return False


# ------------------------------------------------------------------ Python


@pytest.mark.slow
def test_a_handler_is_told_its_event_and_its_context(site: Site) -> None:
    code = """\
import json, logging, os, sys
logging.getLogger().setLevel(logging.INFO)
def handler(event, context):
    left = context.get_remaining_time_in_millis()
    logging.info("hello")
    print(json.dumps({
        "event": event, "left": 0 < left <= 20_000, "name": context.function_name,
        "memory": context.memory_limit_in_mb, "arn": context.invoked_function_arn,
        "root": os.environ["LAMBDA_TASK_ROOT"], "cwd": os.getcwd(), "path": sys.path[0],
        "size": os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"], "own": os.environ["OWN"],
        "input": sys.stdin.read(), "id": context.aws_request_id,
    }))
"""
    done = site.invoke(
        code, event={"a": [1, "ä"]}, environment={"OWN": "1", "AWS_REGION": "eu-x-1"}
    )
    assert done.error is None
    log, line = site.output().splitlines()
    told = json.loads(line)
    request = told.pop("id")
    folder = str(site.folder)
    assert told == {
        "event": {"a": [1, "ä"]},
        "left": True,
        "name": "fn",
        "memory": "256",
        "arn": "arn:aws:lambda:eu-x-1:000000000000:function:fn",
        "root": folder,
        "cwd": folder,
        "path": folder,
        "size": "256",
        "own": "1",
        "input": "",
    }
    assert log.startswith("[INFO]\t")
    assert log.endswith(f"Z\t{request}\thello")
    start, end, report = site.said
    assert start == f"START RequestId: {request} Version: $LATEST"
    assert end == f"END RequestId: {request}"
    assert report.startswith(f"REPORT RequestId: {request}\tDuration: ")
    assert not (site.folder / "__pycache__").exists()


@pytest.mark.slow
def test_a_module_in_a_folder_is_found_by_a_path_or_by_dots(site: Site) -> None:
    (site.folder / "src").mkdir()
    code = "def run(event, context):\n    print('found')\n"
    for name in ("src/app.run", "src.app.run"):
        assert site.invoke(code, "src/app.py", name=name).error is None
        assert site.output() == "found\n"


@pytest.mark.slow
def test_an_exception_is_told_with_its_traceback(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "code").mkdir()
    site = Site(tmp_path / "code", lambda: capfd.readouterr().err)
    done = site.invoke("def handler(event, context):\n    raise ValueError('bad day')\n")
    assert done.error == "ValueError: bad day"
    printed = site.output()
    assert printed.startswith("[ERROR] ValueError: bad day\nTraceback")
    assert "python_handler" not in printed
    assert site.said[1].endswith("ValueError: bad day")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("import sys\ndef handler(e, c): sys.exit(4)\n", "exit status 4"),
        ("import os, signal\ndef handler(e, c): os.kill(os.getpid(), 11)\n", "signal: SIGSEGV"),
    ],
)
def test_a_process_that_ends_by_itself_is_an_error(site: Site, code: str, error: str) -> None:
    found = site.invoke(code).error
    assert found == f"Runtime.ExitError: the process ended before the handler returned ({error})"


@pytest.mark.slow
def test_a_thread_that_is_left_holds_nothing_up(site: Site) -> None:
    code = """\
import threading, time
def handler(event, context):
    threading.Thread(target=time.sleep, args=(30,)).start()
"""
    done = site.invoke(code)
    assert done.error is None
    assert done.seconds < 10


@pytest.mark.slow
def test_when_the_time_is_up_all_processes_end(site: Site) -> None:
    code = """\
import subprocess, time
def handler(event, context):
    child = subprocess.Popen(["sleep", "60"])
    far = subprocess.Popen(["sleep", "60"], start_new_session=True)
    print(child.pid, far.pid, flush=True)
    time.sleep(60)
"""
    done = site.invoke(code, timeout_seconds=1.5)
    assert done.error == "Task timed out after 1.50 seconds"
    assert done.seconds < 4
    assert all(ended(int(pid)) for pid in site.output().split())


@pytest.mark.slow
def test_what_a_handler_leaves_running_ends_with_it(site: Site) -> None:
    code = """\
import subprocess
def handler(event, context):
    print(subprocess.Popen(["sleep", "60"]).pid, flush=True)
"""
    assert site.invoke(code).error is None
    assert ended(int(site.output()))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "code"),
    [
        ("app.py", "import time\ndef handler(e, c):\n    x = b'x' * SIZE\n    time.sleep(30)\n"),
        (
            "app.js",
            (
                "exports.handler = async () => { const x = Buffer.alloc(SIZE, 1);"
                " await new Promise((done) => setTimeout(done, 30000)); return x.length; };"
            ),
        ),
    ],
)
def test_when_the_memory_is_used_up_the_process_ends(site: Site, file: str, code: str) -> None:
    done = site.invoke(code.replace("SIZE", str(MEGABYTES_300)), file)
    assert done.error == "Runtime.OutOfMemory: more than 256 MB were used"
    assert done.memory_mb > 256
    assert done.seconds < 10


@pytest.mark.slow
def test_the_memory_of_all_processes_counts(site: Site) -> None:
    code = f"""\
import subprocess, sys
code = "x = b'x' * {MEGABYTES_300}; import time; time.sleep(30)"
def handler(event, context):
    subprocess.run([sys.executable, "-c", code])
"""
    assert str(site.invoke(code).error).startswith("Runtime.OutOfMemory")


# ------------------------------------------------------------------ Node


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "code"),
    [
        ("app.js", "exports.handler = async (event) => { console.log(event.a); };"),
        ("app.cjs", "module.exports = {handler: async (event) => { console.log(event.a); }};"),
        ("app.mjs", "export const handler = async (event) => { console.log(event.a); };"),
        (
            "app.js",
            (
                "exports.handler = (event, context, callback) => {"
                " setTimeout(() => { console.log(event.a); callback(null, 'ok'); }, 50); };"
            ),
        ),
        (
            "app.js",
            (
                "exports.handler = (event, context, callback) => {"
                " setTimeout(() => console.log(event.a), 50); callback(null, 'ok'); };"
            ),
        ),
        (
            "app.js",
            (
                "exports.handler = (event, context) => {"
                " setInterval(() => {}, 1000);"
                " setTimeout(() => { console.log(event.a); context.succeed('ok'); }, 50); };"
            ),
        ),
    ],
    ids=["commonjs", "cjs", "esm", "callback", "work after the callback", "context"],
)
def test_a_node_handler_is_called_in_its_style(site: Site, file: str, code: str) -> None:
    done = site.invoke(code, file, event={"a": "seen"})
    assert done.error is None
    assert site.output() == "seen\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("exports.handler = async () => { throw new TypeError('no'); };", "TypeError: no"),
        ("exports.handler = () => { throw new TypeError('no'); };", "TypeError: no"),
        ("exports.handler = (e, c, callback) => callback(new Error('no'));", "Error: no"),
        ("exports.handler = (e, c, callback) => callback('no');", "Error: no"),
        ("exports.handler = (e, context) => context.fail('no');", "Error: no"),
        (
            (
                "exports.handler = (e, c, callback) => {"
                " setTimeout(() => { throw new RangeError('late'); }, 10); };"
            ),
            "RangeError: late",
        ),
        ("exports.other = 1;", "Runtime.HandlerNotFound: app.handler is undefined or no function"),
        (
            "exports.handler = () => process.exit(5);",
            "Runtime.ExitError: the process ended before the handler returned (exit status 5)",
        ),
    ],
)
def test_a_node_handler_that_fails_says_why(site: Site, code: str, error: str) -> None:
    assert site.invoke(code, "app.js").error == error


@pytest.mark.slow
def test_a_node_handler_is_told_its_context_and_finds_its_modules(site: Site) -> None:
    package = site.folder / "node_modules" / "greet"
    package.mkdir(parents=True)
    (package / "index.js").write_text("module.exports = 'hi';", encoding="utf-8")
    (site.folder / "src").mkdir()
    code = """\
const greet = require("greet");
exports.inner = {run: async (event, context) => {
  const left = context.getRemainingTimeInMillis();
  console.log(greet, context.functionName, context.memoryLimitInMB, left > 0, process.cwd());
}};
"""
    assert site.invoke(code, "src/app.js", name="src/app.inner.run").error is None
    assert site.output() == f"hi fn 256 true {site.folder}\n"


# ------------------------------------------------------------------ what is refused


def test_without_node_its_handlers_are_refused_with_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(HandlerError, match="apt install nodejs"):
        check(Handler("fn", tmp_path, "app.handler", "nodejs20.x", 1, 128))


def test_a_variable_that_no_process_can_have_is_refused(tmp_path: Path) -> None:
    handler = Handler("fn", tmp_path, "app.handler", "python3", 1, 128, {"A=B": "x"})
    with pytest.raises(HandlerError, match="'A=B'"):
        invoke(handler, {}, tmp_path / "1", print)
