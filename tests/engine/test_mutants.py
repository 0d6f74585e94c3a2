"""The judge of the random schedules catches every engine that is wrong on purpose."""

from pathlib import Path
from random import Random

import pytest
from hypothesis import find, settings

from tests.engine.fuzz import fault_of, fuzz, shortest
from tests.engine.mutants import MUTANTS
from tests.engine.schedule import draw
from tests.engine.test_random import SCHEDULES

WITHIN = 500
"""Within how many schedules a wrong engine has to be caught."""


def caught(name: str, patch: pytest.MonkeyPatch) -> int | None:
    """Give the seed at which a wrong engine is caught, None when it is not."""
    MUTANTS[name].let_loose(patch)
    return next((seed for seed in range(WITHIN) if fuzz([seed])[1]), None)


@pytest.mark.slow
@pytest.mark.parametrize("name", MUTANTS)
def test_a_wrong_engine_is_caught(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert caught(name, monkeypatch) is not None


@pytest.mark.slow
def test_the_right_engine_passes_the_schedules_that_catch_the_wrong_ones() -> None:
    _, violations = fuzz(range(WITHIN))
    assert violations == []


def test_an_engine_without_locks_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    assert caught("there is no lock of a stage", monkeypatch) is not None


def test_a_failing_schedule_is_cut_down_to_what_it_fails_by(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seed = caught("there is no lock of a stage", monkeypatch)
    assert seed is not None
    few = shortest(draw(seed))
    assert [throw.kind for throw in few.throws].count("start") <= 2
    assert len(few.throws) <= 2
    assert fault_of(few) is not None


@pytest.mark.slow
def test_hypothesis_cuts_a_failing_schedule_down(monkeypatch: pytest.MonkeyPatch) -> None:
    MUTANTS["there is no lock of a stage"].let_loose(monkeypatch)
    few = find(
        SCHEDULES,
        lambda schedule: fault_of(schedule) is not None,
        settings=settings(database=None),
        random=Random(1),
    )
    assert len(few.throws) <= 6  # 2 are enough, but of 6 it may be that none can be left out


def test_a_violation_names_its_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    seed = caught("there is no lock of a stage", monkeypatch)
    assert seed is not None
    _, violations = fuzz([seed])
    assert [violation.seed for violation in violations] == [seed]


def test_the_judge_knows_nothing_of_the_engine() -> None:
    files = sorted((Path(__file__).parent / "laws").glob("*.py"))
    texts = {file.name: file.read_text(encoding="utf-8") for file in files}
    assert len(texts) > 5
    assert [name for name, text in texts.items() if "pipelinekit" in text] == []
