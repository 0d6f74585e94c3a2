"""Whatever happens in whatever order, the engine keeps its promises."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelinekit.engine.catalog import TYPES
from pipelinekit.engine.validate import faults
from tests.engine.dice import play
from tests.engine.fuzz import fuzz
from tests.engine.plans import POOL, plan
from tests.engine.schedule import KINDS, Schedule, Throw, draw

QUICK = range(150)
MANY = range(1_000, 3_000)
THROWS = st.builds(Throw, st.sampled_from([*KINDS, "delete"]), st.integers(0, 2**60 - 1))
SCHEDULES = st.builds(Schedule, st.integers(0, POOL - 1), st.lists(THROWS, max_size=60).map(tuple))


def test_whatever_happens_the_promises_are_kept() -> None:
    _, violations = fuzz(QUICK)
    assert violations == []


@pytest.mark.slow
def test_whatever_happens_in_two_thousand_schedules_the_promises_are_kept() -> None:
    _, violations = fuzz(MANY)
    assert violations == []


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(SCHEDULES)
def test_whatever_is_made_up_the_promises_are_kept(schedule: Schedule) -> None:
    play(schedule).check_replay()


@pytest.mark.slow
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(SCHEDULES)
def test_whatever_is_made_up_many_times_the_promises_are_kept(schedule: Schedule) -> None:
    play(schedule).check_replay()


def test_a_seed_stands_for_one_schedule_of_at_least_thirty_events() -> None:
    assert draw(7) == draw(7) != draw(8)
    assert min(play(draw(seed), to_the_end=False).events for seed in range(20)) >= 30


def test_the_random_pipelines_may_be_defined() -> None:
    wrong = {number: faults(plan(number), TYPES) for number in range(0, POOL, 7)}
    unknown = {"A1", "A2"}  # the custom types of the steps are known to no account
    found = {fault.rule for each in wrong.values() for fault in each}
    assert found <= unknown
