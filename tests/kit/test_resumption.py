"""A release that failed goes on from the cell that failed, and then to the environments behind."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import pipelinekit as pk
from pipelinekit.kit.promotion import Promotion
from pipelinekit.kit.release import Release
from pipelinekit.kit.resumption import failed_release
from pipelinekit.model.environment import Environment
from pipelinekit.model.errors import StageNotRetryable, ValidationError
from tests.kit.test_release import begun, kit, known, notebook, output

__all__ = ["kit"]  # a fixture

WAIT = 60
LINE = known(
    Environment("dev"), Environment("us", after=("dev",)), Environment("live", after=("us",))
)
GO = "assert environment == 'dev' or os.path.exists(f'{here}/go'), 'not yet'"


def failing(kit: pk.Kit) -> tuple[Release, Path]:
    """Release a notebook that fails in the second environment until there is a file `go`."""
    project = Path(kit.settings.folder)
    file = notebook(
        project,
        f"import os\nhere = {str(project.parent)!r}",
        "open(f'{here}/pid', 'w').write(str(os.getpid())); x = 41 + rows",
        "print('costly')",
        GO,
        "print(environment, x)",
    )
    release = begun(kit, file, LINE).wait("end", WAIT)
    assert marks(release) == {"dev": "Succeeded", "us": "Failed", "live": "Not started"}
    return release, project.parent


def marks(release: Release) -> dict[str, str]:
    return {each.environment: each.mark.word for each in release.results}


def promotion(kit: pk.Kit) -> Promotion:
    folder = Path(kit.settings.folder)
    return Promotion(folder / "report.ipynb", (), folder=folder)


def done(release: Release) -> str:
    """Tell of a release that has gone on what was executed again."""
    assert marks(release) == dict.fromkeys(("dev", "us", "live"), "Succeeded")
    assert len({each.digest for each in release.results}) == 1
    _, us, live = release.results
    assert us.notebook is not None
    assert live.notebook is not None
    assert (output(us.notebook), output(live.notebook)) == ("us 42\n", "live 42\n")
    return us.told


@pytest.mark.slow
def test_it_goes_on_in_the_kernel_that_was_kept(kit: pk.Kit) -> None:
    release, folder = failing(kit)
    (folder / "go").touch()
    release.resume()
    assert done(release).endswith("it goes on at cell 5, in the kernel that was kept")


@pytest.mark.slow
def test_it_goes_on_in_a_fresh_kernel_when_the_other_one_is_gone(kit: pk.Kit) -> None:
    release, folder = failing(kit)
    os.kill(int((folder / "pid").read_text(encoding="utf-8")), signal.SIGKILL)
    time.sleep(0.2)
    (folder / "go").touch()
    release.run.resume()
    release.wait("end", WAIT)
    told = done(release)
    assert told.endswith("it goes on at cell 5, in a fresh kernel, after cells 1, 2, 3 again")
    assert "costly" not in release.run.logs("us").partition("attempt 2")[2]


@pytest.mark.slow
def test_it_may_fail_again_and_be_resumed_again(kit: pk.Kit) -> None:
    release, folder = failing(kit)
    assert marks(release.resume()) == {"dev": "Succeeded", "us": "Failed", "live": "Not started"}
    (folder / "go").touch()
    assert "in the kernel that was kept" in done(release.resume())


@pytest.mark.slow
def test_side_by_side_only_the_failed_one_goes_on(kit: pk.Kit) -> None:
    folder = Path(kit.settings.folder)
    file = notebook(
        folder, f"import os\nassert environment == 'eu' or os.path.exists({str(folder / 'go')!r})"
    )
    wave = known(Environment("eu"), Environment("us"), Environment("live", after=("eu", "us")))
    release = begun(kit, file, wave).wait("end", WAIT)
    assert marks(release) == {"eu": "Succeeded", "us": "Failed", "live": "Not started"}
    (folder / "go").touch()
    assert set(marks(release.resume()).values()) == {"Succeeded"}
    tries = [row.action for row in release.run.attempts]
    assert (tries.count("eu"), tries.count("us"), tries.count("live")) == (1, 2, 1)


@pytest.mark.slow
def test_a_release_whose_own_kit_was_closed_opens_another_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PIPELINEKIT_HOME", raising=False)
    notebook(tmp_path, f"import os\nassert os.path.exists({str(tmp_path / 'go')!r})")
    (tmp_path / "environments.yaml").write_text("dev: {}\n", encoding="utf-8")
    release = pk.release("report.ipynb")
    assert marks(release) == {"dev": "Failed"}
    (tmp_path / "go").touch()
    assert marks(release.resume()) == {"dev": "Succeeded"}
    with pytest.raises(StageNotRetryable):
        release.resume()
    assert not list((tmp_path / ".pipelinekit" / "engines").glob("*.lock"))


# ------------------------------------------------------------------ what cannot go on


def test_what_was_never_released_is_not_resumed(kit: pk.Kit) -> None:
    notebook(Path(kit.settings.folder), "1")
    with pytest.raises(StageNotRetryable, match="never released here; begin a new release"):
        failed_release(kit, promotion(kit))


@pytest.mark.slow
def test_what_has_succeeded_is_not_resumed(kit: pk.Kit) -> None:
    file = notebook(Path(kit.settings.folder), "1")
    begun(kit, file, known(Environment("dev"))).wait("end", WAIT)
    with pytest.raises(StageNotRetryable, match="#1, the latest, has not failed: it is Succeeded"):
        failed_release(kit, promotion(kit))


@pytest.mark.slow
def test_what_is_under_way_is_not_resumed(kit: pk.Kit) -> None:
    file = notebook(Path(kit.settings.folder), "1")
    begun(kit, file, known(Environment("live", approvals=1))).wait("approval", WAIT)
    with pytest.raises(StageNotRetryable, match="#1 of it is still under way, in live; follow"):
        failed_release(kit, promotion(kit))


@pytest.mark.slow
def test_what_no_notebook_failed_in_is_not_resumed(kit: pk.Kit) -> None:
    file = notebook(Path(kit.settings.folder), "1")
    release = begun(kit, file, known(Environment("live", approvals=1))).wait("approval", WAIT)
    release.run.reject("no").wait("end", WAIT)
    run = failed_release(kit, promotion(kit))
    with pytest.raises(StageNotRetryable, match="no notebook of the stage live has left one"):
        run.resume()


def _edited(file: Path) -> None:
    file.write_text(file.read_text(encoding="utf-8").replace("not yet", "never"), encoding="utf-8")


def _shortened(file: Path) -> None:
    notebook(file.parent, "1")


def _broken(file: Path) -> None:
    file.write_text("{", encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_edited, "its cell 5, `assert environment .*`, is not as #1 took it"),
        (_shortened, "its cell 2, `1`, is not as #1 took it, .*; undo the change, or begin a new"),
        (_broken, r"report\.ipynb was to be read and is no notebook"),
    ],
)
def test_a_notebook_that_has_changed_since_is_not_resumed(
    kit: pk.Kit, change: Callable[[Path], None], words: str
) -> None:
    release, _ = failing(kit)
    change(release.promotion.notebook)
    with pytest.raises(ValidationError, match=words):
        failed_release(kit, promotion(kit))


@pytest.mark.slow
def test_other_environments_are_not_resumed(kit: pk.Kit) -> None:
    release, _ = failing(kit)
    asked = release.promotion
    assert failed_release(kit, asked).id == release.run.id
    other = Promotion(asked.notebook, LINE.waves(("dev", "us")), folder=asked.folder)
    with pytest.raises(StageNotRetryable, match="#1 went to other environments, or with other"):
        failed_release(kit, other)
