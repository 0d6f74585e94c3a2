"""The rules of conditions that are providers here: VariableCheck and DeploymentWindow."""

import queue
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from pipelinekit.engine.ruletypes import rule_type
from pipelinekit.model.action import Action
from pipelinekit.model.condition import Rule
from pipelinekit.model.errors import ValidationError
from pipelinekit.model.order import Failed, Outcome, Succeeded, Waiting
from pipelinekit.model.settings import Settings
from pipelinekit.ports.provider import RuleProvider, rule
from pipelinekit.providers.deployment_window import deployment_window
from pipelinekit.providers.variable_check import variable_check
from pipelinekit.tools import patterns
from tests.fakes import FolderJob, order


def written(declared: Rule) -> Action:
    """Write a rule down as the action that its order looks like."""
    return Action(declared.name, rule_type(declared), declared.configuration)


def check(provider: RuleProvider[...], folder: Path, *args: str) -> tuple[Outcome, list[str]]:
    """Let a rule be checked; give what came of it, and its log."""
    job = FolderJob(order(written(provider("r", *args))), folder)
    return provider.carry_out(job), job.said


def fault(provider: RuleProvider[...], *args: str) -> str | None:
    """Give what the provider says against a rule before anything runs."""
    return provider.traits.check(written(provider("r", *args)), Settings())


# ---------------------------------------- VariableCheck


@pytest.mark.parametrize(
    ("variable", "operator", "value", "holds"),
    [
        ("main", "EQ", "main", True),
        ("main", "EQ", "Main", False),
        ("1.0", "EQ", "1", False),
        ("main", "NE", "Main", True),
        ("main", "NE", "main", False),
        ("release/7", "CONTAINS", "lease", True),
        ("release/7", "CONTAINS", "Release", False),
        ("release/7", "MATCHES", r"release/\d", True),
        ("release/77", "MATCHES", r"release/\d", False),
        ("my release/7", "MATCHES", r"release/\d", False),
        ("two\nlines", "CONTAINS", "lines", True),
    ],
)
def test_a_variable_is_compared_as_text_and_by_case(
    tmp_path: Path, variable: str, operator: str, value: str, *, holds: bool
) -> None:
    """8: VariableCheck knows EQ, NE, CONTAINS and MATCHES on the whole value (CHOICE)."""
    outcome, said = check(variable_check, tmp_path, variable, value, operator)
    assert isinstance(outcome, Succeeded if holds else Failed)
    assert said[0].endswith(str(holds))


def test_a_pattern_that_takes_for_ever_fails_its_rule_and_stops_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """8: the value may be a stranger's commit message, and Python's matching holds all threads."""
    monkeypatch.setattr(patterns, "SECONDS", 1.0)
    ticks: queue.SimpleQueue[float] = queue.SimpleQueue()
    over = threading.Event()

    def tick() -> None:
        while not over.wait(0.01):
            ticks.put(time.monotonic())

    with ThreadPoolExecutor(1) as clock:
        clock.submit(tick)
        outcome, _ = check(variable_check, tmp_path, "a" * 40, "(a+)+b", "MATCHES")
        over.set()
    assert isinstance(outcome, Failed)
    assert "nested repetitions" in outcome.message
    assert ticks.qsize() > 20


def test_a_long_value_is_told_in_short(tmp_path: Path) -> None:
    outcome, (said,) = check(variable_check, tmp_path, "x" * 100_000, "y", "CONTAINS")
    assert isinstance(outcome, Failed)
    assert max(len(said), len(outcome.message)) < 1_000


def test_a_pattern_that_is_none_fails_the_rule_and_says_so(tmp_path: Path) -> None:
    """8: a regular expression that cannot be read is a ConfigurationError (CHOICE)."""
    outcome, _ = check(variable_check, tmp_path, "main", "(", "MATCHES")
    assert isinstance(outcome, Failed)
    assert (outcome.code, "regular expression" in outcome.message) == ("ConfigurationError", True)


def test_an_operator_that_does_not_exist_is_refused_before_anything_runs(tmp_path: Path) -> None:
    """8: there is no "greater than", although a sentence of the guide names it."""
    with pytest.raises(ValidationError, match="one of EQ, NE, CONTAINS, MATCHES is expected"):
        variable_check("c", "1", "2", "GT")  # type: ignore[arg-type] # a user's mistake
    imported = replace(
        written(variable_check("c", "1", "2")),
        configuration={"Variable": "1", "Value": "2", "Operator": "GT"},
    )
    refuse = variable_check.traits.check
    assert refuse is not None
    assert "EQ, NE, CONTAINS, MATCHES" in (refuse(imported, Settings()) or "")
    with pytest.raises(ValidationError, match="Operator is 'GT'; one of EQ, NE"):
        variable_check.carry_out(FolderJob(order(imported), tmp_path))
    assert fault(variable_check, "1", "2", "#{variables.operator}") is None


# ---------------------------------------- DeploymentWindow


def only_at(moment: datetime) -> str:
    """Write the window that is open for the hour of a moment, on its day."""
    return f"0 0 {moment.hour} {moment.day} {moment.month} ?"


def test_a_window_that_is_open_lets_the_execution_go_on(tmp_path: Path) -> None:
    """8: DeploymentWindow succeeds when now lies inside the window."""
    outcome, _ = check(deployment_window, tmp_path, "* * * * * ?")
    assert isinstance(outcome, Succeeded)


def test_a_window_that_is_closed_is_waited_for_until_it_opens(tmp_path: Path) -> None:
    """8: outside the window the rule waits; its stage stays locked meanwhile."""
    later = datetime.now(UTC) + timedelta(hours=2)
    outcome, said = check(deployment_window, tmp_path, only_at(later))
    assert isinstance(outcome, Waiting)
    assert outcome.seconds is not None
    assert 3600 - 1 <= outcome.seconds <= 7200
    assert "opens at" in said[0]


def test_the_window_of_another_zone_opens_by_its_clock(tmp_path: Path) -> None:
    """8: TimeZone tells where the hours of the window are read off."""
    now = datetime.now(UTC)
    ahead = now + timedelta(hours=5)
    outcome, _ = check(deployment_window, tmp_path, only_at(ahead), "UTC+05:00")
    assert isinstance(outcome, Succeeded) or datetime.now(UTC).hour != now.hour


def test_a_window_that_never_opens_fails_at_once(tmp_path: Path) -> None:
    """8: a rule that would wait for nothing fails and says so (CHOICE)."""
    outcome, _ = check(deployment_window, tmp_path, "0 0 0 ? * * 2199")
    assert isinstance(outcome, Failed)
    assert "within a year" in outcome.message


@pytest.mark.parametrize(("cron", "zone"), [("0 0 25 ? * *", "UTC"), ("* * * * * ?", "Mars")])
def test_a_window_that_cannot_be_read_is_refused_before_anything_runs(
    tmp_path: Path, cron: str, zone: str
) -> None:
    """8: Cron and TimeZone are checked with the definition, and once more at run time."""
    assert fault(deployment_window, cron, zone)
    assert fault(deployment_window, "#{variables.cron}", zone) is None
    outcome, _ = check(deployment_window, tmp_path, cron, zone)
    assert isinstance(outcome, Failed)
    assert outcome.code == "ConfigurationError"


# ---------------------------------------- a rule of one's own


def test_a_predicate_is_a_rule_of_one_s_own(tmp_path: Path) -> None:
    """8: rules beyond AWS: a function that answers True, False or an outcome."""

    @rule("Answer")
    def answers(_: object, word: str) -> bool | Outcome:
        """Answer by a word."""
        return Waiting("t", 5) if word == "later" else word == "yes"

    assert isinstance(check(answers, tmp_path, "yes")[0], Succeeded)
    outcome = check(answers, tmp_path, "no")[0]
    assert isinstance(outcome, Failed)
    assert "answered False" in outcome.message
    assert check(answers, tmp_path, "later")[0] == Waiting("t", 5)
