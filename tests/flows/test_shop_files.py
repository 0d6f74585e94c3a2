"""The files of the example shop are what they claim to be, each by itself."""

import json
import os
import shutil
import socket
import subprocess
import sys
import tomllib
from pathlib import Path
from urllib.request import urlopen

import pytest

from pipelinekit.model.order import Failed, Outcome, Succeeded
from pipelinekit.model.settings import DeploymentGroup, Settings
from pipelinekit.providers.codedeploy import codedeploy
from pipelinekit.tools.documents.document import read
from pipelinekit.wire import appspec
from pipelinekit.wire.buildspec import read_buildspec
from tests.fakes import FolderJob, order

SHOP = Path(__file__).parents[2] / "examples" / "shop"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return shutil.copytree(SHOP, tmp_path / "source", ignore=shutil.ignore_patterns(".*", "dist"))


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number: int = free.getsockname()[1]
        return number


def _run(shop: Path, *arguments: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=shop,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["unit", "acceptance"])
def test_the_shop_passes_its_own_tests(shop: Path, kind: str) -> None:
    where = f"--start-directory=tests/{kind}"
    told = _run(shop, "-W", "error", "-m", "unittest", "discover", where)
    assert "\nOK\n" in told


@pytest.mark.slow
def test_the_shop_that_was_built_passes_the_acceptance_test(shop: Path) -> None:
    _run(shop, "ci/package.py", "dist", VERSION="1.0.0", COMMIT="c1")
    built = shutil.move(shop / "dist" / "shop.pyz", shop.parent)
    shutil.rmtree(shop / "shop")
    where = "--start-directory=tests/acceptance"
    assert "\nOK\n" in _run(shop, "-m", "unittest", "discover", where, SHOP=str(built))


@pytest.mark.parametrize("name", ["buildspec.yml", "ci/unit.yml", "ci/acceptance.yml"])
def test_its_buildspecs_have_nothing_that_codebuild_ignores(name: str) -> None:
    spec = read_buildspec(read(SHOP / name))
    assert spec.version == "0.2"
    assert spec.notes == ()


def test_its_build_gives_away_version_and_commit() -> None:
    spec = read_buildspec(read(SHOP / "buildspec.yml"))
    assert spec.exported_variables == ("VERSION", "COMMIT")
    assert spec.artifacts is not None
    assert spec.artifacts.base_directory == "dist"


def test_its_appspec_names_scripts_that_are_there_and_executable() -> None:
    spec = appspec.read(read(SHOP / "appspec.yml"))
    assert spec.ignored == ()
    scripts = [SHOP / script.location for event in spec.hooks.values() for script in event]
    assert {script.name for script in scripts} == {
        path.name for path in (SHOP / "scripts").iterdir()
    }
    assert all(os.access(script, os.X_OK) for script in scripts)


def test_its_two_shops_never_meet() -> None:
    settings = tomllib.loads((SHOP / "pipelinekit.toml").read_text(encoding="utf-8"))
    groups = settings["codedeploy"]["shop"]
    assert set(groups) == {"staging", "production"}
    assert all(groups[name]["environment"]["ENVIRONMENT"] == name for name in groups)
    assert len({group["environment"]["PORT"] for group in groups.values()}) == 2
    assert len({target for group in groups.values() for target in group["targets"]}) == 2


def _deploy(shop: Path, home: Path, port: int, number: int) -> Outcome:
    environment = {"PORT": str(port), "ENVIRONMENT": "staging", "PYTHON": sys.executable}
    group = DeploymentGroup(targets=("staging",), environment=environment)
    settings = Settings(folder=str(home), groups={"shop/staging": group})
    action = codedeploy("deploy", application="shop", group="staging").reads("dist")
    folder = home / f"job-{number}"
    folder.mkdir()
    asked = order(action, id=f"order-{number}")
    return codedeploy.carry_out(FolderJob(asked, folder, settings, {"dist": shop / "dist"}))


def _health(port: int) -> dict[str, str]:
    with urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
        health: dict[str, str] = json.load(answer)
        return health


@pytest.mark.slow
def test_a_release_opens_the_next_one_takes_over_and_a_broken_one_is_put_back(
    shop: Path, tmp_path: Path, port: int
) -> None:
    try:
        for number, version in enumerate(("1.0.0", "1.1.0"), start=1):
            _run(shop, "ci/package.py", "dist", VERSION=version, COMMIT=f"c{number}")
            assert isinstance(_deploy(shop, tmp_path, port, number), Succeeded)
            assert _health(port) == {
                "status": "ok",
                "version": version,
                "commit": f"c{number}",
                "environment": "staging",
            }
        start = shop / "scripts" / "start.sh"
        misspelt = start.read_text(encoding="utf-8").replace(" serve ", " srve ")
        start.write_text(misspelt, encoding="utf-8")
        check = shop / "scripts" / "check.sh"
        hasty = check.read_text(encoding="utf-8").replace("monotonic() + 10", "monotonic() + 1")
        check.write_text(hasty, encoding="utf-8")
        _run(shop, "ci/package.py", "dist", VERSION="2.0.0", COMMIT="c3")
        failed = _deploy(shop, tmp_path, port, 3)
        assert isinstance(failed, Failed)
        assert "scripts/check.sh failed" in failed.message
        assert _health(port)["version"] == "1.1.0"
    finally:
        _run(shop, "-m", "shop", "stop", f"--pid-file={tmp_path}/staging/run/shop.pid")
