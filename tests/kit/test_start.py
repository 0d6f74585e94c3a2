"""What an engine does and loads as it starts."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import pipelinekit as pk
from pipelinekit.kit.runners import TRIAL, needed
from pipelinekit.model.settings import Compute, Project, Settings, Where
from pipelinekit.ports.store import Store
from pipelinekit.providers import BUILDS
from pipelinekit.runtime.desk import Desk
from pipelinekit.tools.jobs import proctree

HOST, SANDBOX = Compute(where=Where.HOST), Compute(where=Where.SANDBOX)


def helpers() -> set[int]:
    return {each.pid for each in proctree.processes() if each.parent == os.getpid()}


def loaded_of(
    unneeded: set[str], home: Path, before: str = "", given: str = "settings=pk.Settings()"
) -> str:
    code = (
        f"import sys, pipelinekit as pk\n{before}\n"
        f"with pk.Kit({str(home)!r}, {given}) as kit: kit.pipelines()\n"
        f"sys.exit(' '.join({unneeded} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    return done.stderr.strip()


def test_an_engine_on_sqlite_loads_nothing_of_postgresql_and_no_planner(tmp_path: Path) -> None:
    unneeded = {"sqlalchemy", "asyncio", "pipelinekit.kit.plan"}
    seldom = {
        "importlib.metadata",
        "difflib",
        "tarfile",
        "tomllib",
        "pipelinekit.tools.jobs.runner",
    }
    assert loaded_of(unneeded | seldom, tmp_path) == ""


def test_a_kit_that_only_looks_loads_no_engine(tmp_path: Path) -> None:
    unneeded = {"pipelinekit.runtime.worker", "pipelinekit.engine.decide"}
    assert loaded_of(unneeded, tmp_path, given="work=False") == ""
    assert set(loaded_of(unneeded, tmp_path, given="work=True").split()) == unneeded


def test_all_who_act_through_a_kit_without_an_engine_share_what_it_knows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Desk] = []

    def desk(store: Store) -> Desk:
        made.append(Desk(store))
        return made[-1]

    monkeypatch.setattr("pipelinekit.runtime.desk.Desk", desk)
    with pk.Kit(tmp_path, settings=pk.Settings(), work=False) as kit:
        for who in ("ann", "bob"):
            kit.acting(who).delete("nothing")
        assert len(made) == 1


def test_an_engine_loads_nothing_that_runs_builds_where_they_are_only_written_down(
    tmp_path: Path,
) -> None:
    written = "pk.commands('a'), pk.codebuild('b', 'x'), pk.codebuild_check('c', 'x')"
    unneeded = {"pipelinekit.builds.build", "pipelinekit.builds.compute", *BUILDS}
    assert loaded_of(unneeded, tmp_path, f"{written}, pk.commands_check('d')") == ""
    asked = loaded_of(unneeded, tmp_path, "from pipelinekit import builds; builds.build_project")
    assert set(asked.split()) == unneeded - {"pipelinekit.builds.commands"}


@pytest.mark.slow
def test_an_engine_starts_its_helper_at_once_only_where_one_has_worked(tmp_path: Path) -> None:
    before = helpers()
    with pk.Kit(tmp_path, settings=pk.Settings()):
        assert helpers() == before
    (tmp_path / "jobs" / "some").mkdir(parents=True)
    with pk.Kit(tmp_path, settings=pk.Settings()):
        assert len(helpers() - before) == 1
    assert helpers() == before


@pytest.mark.parametrize(
    ("settings", "tried"),
    [
        (Settings(), True),
        (Settings(compute=SANDBOX), True),
        (Settings(compute=HOST), False),
        (Settings(compute=HOST, projects={"a": Project(compute=Compute(network=False))}), False),
        (Settings(compute=HOST, projects={"a": Project(compute=SANDBOX)}), True),
    ],
)
def test_a_sandbox_is_tried_beforehand_only_where_commands_may_run_in_one(
    settings: Settings, *, tried: bool
) -> None:
    assert (TRIAL in needed(settings)) is tried
