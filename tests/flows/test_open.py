"""Commands that failed, opened as a notebook: it fails where they did, with what they had."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import pipelinekit as pk
from pipelinekit.kit.kit import Kit
from pipelinekit.kit.workbench import lay_out
from pipelinekit.model.settings import Project
from pipelinekit.model.status import PipelineStatus

pytestmark = pytest.mark.slow


@pytest.fixture
def kit(tmp_path: Path) -> Iterator[Kit]:
    (tmp_path / "secrets.toml").touch(0o600)
    (tmp_path / "secrets.toml").write_text(
        '[secrets-manager]\n"shop/key" = "hunter2 and more"\n', encoding="utf-8"
    )
    projects = {"shop": Project(environment={"LEVEL": "of the project", "STAGE": "test"})}
    settings = pk.Settings(
        folder=str(tmp_path), projects=projects, secrets=str(tmp_path / "secrets.toml")
    )
    with pk.Kit(tmp_path / "home", settings=settings) as opened:
        yield opened


@pk.action("Source", "Opened")
def take(job: pk.Job, *, spec: str | None = None) -> pk.Outcome:
    """Write a file, and perhaps a buildspec."""
    made = job.folder / "made"
    made.mkdir(parents=True)
    (made / "in.txt").write_text("some data\n", encoding="utf-8")
    if spec:
        (made / "buildspec.yml").write_text(spec, encoding="utf-8")
    job.write(made)
    return pk.Succeeded(variables={"title": "$(touch never) it's"})


def opened(kit: Kit, folder: Path, action: pk.Action, spec: str | None = None) -> Path:
    source = take("src", spec=spec).writes("code")
    line = pk.Pipeline("shop", variables=(pk.Variable("what", "hello  world"),))
    run = kit.start(line >> pk.Stage("Source", source) >> pk.Stage("Build", action))
    assert run.wait(timeout=60).status is PipelineStatus.FAILED
    return lay_out(run, folder=folder / "opened", settings=kit.settings)


def ran(notebook: Path, **environment: str) -> tuple[int, str]:
    """Run a notebook, and give its status and what its cells printed."""
    done = notebook.with_name("done.ipynb")
    command = [sys.executable, "-m", "papermill", str(notebook), str(done)]
    status = subprocess.run(
        command, env=os.environ | environment, capture_output=True, check=False
    ).returncode
    cells = json.loads(done.read_text(encoding="utf-8"))["cells"]
    outputs = [output for cell in cells for output in cell.get("outputs", ())]
    return status, "".join("".join(output.get("text", "")) for output in outputs)


def test_opened_commands_fail_where_they_failed_with_the_values_that_they_had(
    kit: Kit, tmp_path: Path
) -> None:
    action = pk.commands(
        "bad",
        "echo before #{variables.what} $FOO $CODEBUILD_SRC_DIR_code",
        "echo '#{src.title}' \"#{src.title}\"; cat",
        "cat in.txt",
        "test -f nope && echo there",
        "echo never",
        env={"FOO": "foo's #{variables.what}"},
    ).reads("code")
    made = opened(kit, tmp_path, action)
    status, printed = ran(made)
    assert status != 0
    folder = made.parent / "inputs" / "code"
    assert printed == (
        f"before hello world foo's hello world {folder}\n"
        "${PK_src_title} $(touch never) it's\n"
        "some data\n"
    )
    (folder / "nope").touch()
    status, printed = ran(made)
    assert status == 0
    assert printed.endswith("some data\nthere\nnever\n")


def test_a_secret_is_looked_up_where_commands_are_opened_and_never_written(
    kit: Kit, tmp_path: Path
) -> None:
    bad = pk.commands("bad", 'test "$KEY" = no', env={"KEY": pk.secret("shop/key")}).reads("code")
    made = opened(kit, tmp_path, bad)
    text = made.read_text(encoding="utf-8")
    assert "hunter2" not in text
    assert "os.environ['KEY'] = pk.Secret('secretsmanager:shop/key').value()" in text


SPEC = """
version: 0.2
env: {variables: {LEVEL: of the buildspec, KIND: small}}
phases:
  build:
    commands:
    - |
      for each in a b
      do echo "build $each"
      done
    - test -f nope
    finally: [echo at last]
  install:
    commands: ['cd sub || mkdir sub', 'FROM=install']
  post_build:
    commands: ['echo $FROM $LEVEL $KIND $STAGE $X']
"""


@pytest.mark.parametrize("inline", [True, False])
def test_an_opened_build_has_the_commands_of_its_phases_in_their_order(
    kit: Kit, tmp_path: Path, *, inline: bool
) -> None:
    build = pk.codebuild(
        "build", project="shop", env={"X": "#{variables.what}"}, buildspec=SPEC if inline else None
    ).reads("code")
    made = opened(kit, tmp_path, build, None if inline else SPEC)
    cell = json.loads(made.read_text(encoding="utf-8"))["cells"][-1]["source"]
    assert [line for line in cell.splitlines() if line.startswith("#")] == [
        "# install",
        "# build",
        "# finally",
        "# post_build",
    ]
    status, printed = ran(made)
    assert (status != 0, printed.endswith("build a\nbuild b\n")) == (True, True)
    (made.parent / "inputs" / "code" / "sub" / "nope").touch()
    status, printed = ran(made)
    assert status == 0
    assert printed.endswith("at last\ninstall of the project small test hello world\n")


def test_each_command_of_an_old_buildspec_has_a_shell_of_its_own(kit: Kit, tmp_path: Path) -> None:
    spec = "version: 0.1\nphases: {build: {commands: [cd /, 'echo $PWD; test -f nope']}}"
    build = pk.codebuild("build", project="shop", buildspec=spec).reads("code")
    made = opened(kit, tmp_path, build)
    status, printed = ran(made)
    assert (status != 0, printed) == (True, f"{made.parent / 'inputs' / 'code'}\n")


def test_where_the_buildspec_cannot_be_read_the_cell_says_why_and_fails(
    kit: Kit, tmp_path: Path
) -> None:
    made = opened(kit, tmp_path, pk.codebuild("build", project="shop").reads("code"))
    cell = json.loads(made.read_text(encoding="utf-8"))["cells"][-1]["source"]
    assert "# YAML_FILE_ERROR: the buildspec buildspec.yml of project shop was looked" in cell
    assert ran(made)[0] != 0


def test_where_only_the_builds_of_a_batch_have_commands_the_cell_says_so(
    kit: Kit, tmp_path: Path
) -> None:
    spec = "version: 0.2\nbatch: {build-list: [{identifier: one, buildspec: one.yml}]}"
    build = pk.codebuild("build", project="shop", buildspec=spec, batch=True).reads("code")
    made = opened(kit, tmp_path, build)
    cell = json.loads(made.read_text(encoding="utf-8"))["cells"][-1]["source"]
    assert "has none; the builds of a batch have theirs" in cell
    assert cell.endswith("\nexit 1")


def test_what_has_no_commands_says_so_and_fails(kit: Kit, tmp_path: Path) -> None:
    @pk.action("Test", "Refusing")
    def refuse(job: pk.Job) -> pk.Outcome:
        """Fail."""
        job.say("no")
        return pk.Failed("no")

    made = opened(kit, tmp_path, refuse("refuse").reads("code"))
    cell = json.loads(made.read_text(encoding="utf-8"))["cells"][-1]["source"]
    assert "an action of type Test/Custom/Refusing/1 has no commands" in cell
    assert cell.endswith("\nexit 1")
