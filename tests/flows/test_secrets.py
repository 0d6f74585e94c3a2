"""Secret values reach the commands of a build, and nothing that is kept of it."""

import base64
import json
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

import pipelinekit as pk
from pipelinekit.model.errors import CannotRunHere
from pipelinekit.model.settings import Compute, Project, Where
from pipelinekit.model.testreport import FailedCase

WAIT = 30.0
TOKEN = 'it\'s a "token" of 50% & é/+ more'
PASSWORD = "correct-horse-battery-staple"
SECRETS = (TOKEN, PASSWORD)
OWN = "own.xml"
"""What the build itself keeps of a secret, in its source."""

BUILDSPEC = f"""\
version: 0.2
env:
  parameter-store: {{TOKEN: /shop/token}}
  secrets-manager: {{PASSWORD: "database:password"}}
  exported-variables: [LENGTH, LEAK]
phases:
  build:
    commands:
      - export LENGTH=${{#PASSWORD}} LEAK="$TOKEN"
      - printf '%s\\n' "$TOKEN" "$PASSWORD" > kept-by-the-build; rm kept-by-the-build
      - |
        {sys.executable} - <<'END'
        import base64, json, os, sys, urllib.parse
        for name in ("TOKEN", "PASSWORD"):
            value = os.environ[name]
            data = value.encode()
            print("raw", value, flush=True)
            print("json", json.dumps(value), file=sys.stderr, flush=True)
            print("url", urllib.parse.quote(value, safe=""), flush=True)
            print("base64", base64.b64encode(b"user:" + data).decode(), flush=True)
            print("hex", data.hex(), repr(value), flush=True)
            for piece in (value[:5], value[5:]):
                sys.stdout.write(piece)
                sys.stdout.flush()
            print()
        END
      - set -x; test "$PASSWORD" = "$TOKEN" || true; set +x; env
      - |
        printf '<testsuite><testcase name="%s"><failure>%s</failure></testcase></testsuite>' \
          "$PASSWORD" "it is $PASSWORD" > {OWN}
      - echo made > made.txt
reports:
  unit:
    files: {OWN}
artifacts:
  files: made.txt
"""


@pk.action("Source", "SecretsFetch")
def fetch(job: pk.Job) -> pk.Outcome:
    """Write an artifact with a file."""
    folder = job.folder / "written"
    folder.mkdir(parents=True)
    (folder / "file.txt").write_text("hello", encoding="utf-8")
    job.write(folder)
    return pk.Succeeded()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    file = tmp_path / "secrets.toml"
    file.write_text(
        f'[parameter-store]\n"/shop/token" = {json.dumps(TOKEN)}\n'
        f'[secrets-manager]\ndatabase = {{ password = "{PASSWORD}" }}\n',
        encoding="utf-8",
    )
    file.chmod(0o600)
    return tmp_path


def settings(folder: Path, buildspec: str) -> pk.Settings:
    # A sandbox would not see the Python of these tests.
    project = Project(buildspec=buildspec, compute=Compute(Where.HOST))
    return pk.Settings(folder=str(folder), projects={"shop": project}, secrets="secrets.toml")


def line() -> pk.Pipeline:
    source = fetch("src").writes("code")
    build = pk.codebuild("make", project="shop").reads("code").writes("made")
    return pk.Pipeline("shop") >> pk.Stage("Source", source) >> pk.Stage("Build", build)


def forms(secret: str) -> Iterator[bytes]:
    yield from (secret.encode(), json.dumps(secret)[1:-1].encode())
    yield from (quote(secret, safe="").encode(), secret.encode().hex().encode())
    for before in range(3):
        yield base64.b64encode(bytes(before) + secret.encode())[4:-8]


def kept(home: Path) -> Iterator[tuple[str, bytes]]:
    for file in home.rglob("*"):
        if file.is_fifo() or not file.is_file():
            continue
        yield str(file.relative_to(home)), file.read_bytes()
        if zipfile.is_zipfile(file):
            with zipfile.ZipFile(file) as archive:
                yield from (
                    (f"{file.name}: {each}", archive.read(each)) for each in archive.namelist()
                )


def leaks(home: Path) -> list[str]:
    files = dict(kept(home))
    assert any(name.endswith("pipelinekit.db") for name in files)
    assert any(name.endswith(("made.txt", "file.txt")) for name in files)
    return [
        name
        for name, data in files.items()
        if not name.endswith(OWN)
        and any(
            form in data or form in name.encode() for secret in SECRETS for form in forms(secret)
        )
    ]


@pytest.mark.slow
@pytest.mark.parametrize("last", ["", "      - sh -c 'echo fails with $PASSWORD; exit 3'\n"])
def test_nothing_that_is_kept_of_a_build_holds_a_secret(folder: Path, last: str) -> None:
    home = folder / "home"
    buildspec = BUILDSPEC.replace("reports:", f"{last}reports:")
    with pk.Kit(home, settings=settings(folder, buildspec), by="ann") as kit:
        run = kit.start(line()).wait(timeout=WAIT)
        assert run.status == ("Failed" if last else "Succeeded"), run.logs("make")
        log = run.logs("make")
        for kind in ("raw", "json", "url", "base64", "hex"):
            assert f"\n{kind} " in log
        assert log.count("***") >= 14
        assert run.attempts[-1].reports[0].failures == (FailedCase("***", "it is ***"),)
        if not last:
            assert run.actions[1].variables == {"LENGTH": str(len(PASSWORD))}
    assert leaks(home) == []


@pytest.mark.slow
def test_a_build_that_is_stopped_leaves_no_secret_behind(folder: Path) -> None:
    home = folder / "home"
    buildspec = BUILDSPEC.replace("reports:", "      - touch waits; sleep 60\nreports:")
    with pk.Kit(home, settings=settings(folder, buildspec), by="ann") as kit:
        run = kit.start(line())
        patience = time.monotonic() + WAIT
        while not list(home.rglob("waits")):
            assert time.monotonic() < patience
            time.sleep(0.05)
        run.stop(abandon=True)
        run.wait(timeout=WAIT)
    assert leaks(home) == []


def test_a_build_whose_secrets_cannot_be_had_says_all_of_them_and_is_not_started(
    folder: Path,
) -> None:
    buildspec = BUILDSPEC.replace("/shop/token", "/shop/tokn").replace(":password", ":pasword")
    with pk.Kit(folder / "home", settings=settings(folder, buildspec), by="ann") as kit:
        with pytest.raises(CannotRunHere) as refused:
            kit.start(line())
        told = str(refused.value)
        assert "TOKEN: the parameter /shop/tokn was asked for" in told
        assert "PASSWORD: the secret database:pasword was asked for" in told
        assert not any(kit.runs())
    assert TOKEN not in told
    assert PASSWORD not in told
