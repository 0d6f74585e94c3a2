"""The rule that holds executions off while something is frozen."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from pipelinekit.model.condition import Rule
from pipelinekit.model.errors import ValidationError
from pipelinekit.model.order import Failed, Outcome, Succeeded, Waiting
from pipelinekit.providers.freeze import freeze
from tests.providers.test_rules import Site, refusal

TODAY = datetime.now(UTC).date()
LATER = TODAY + timedelta(days=10)


def looked_at(folder: Path, rule: Rule) -> Outcome:
    return Site(folder).check(freeze, rule)


def test_outside_of_a_freeze_it_succeeds(tmp_path: Path) -> None:
    ahead = {"from": str(LATER), "to": str(LATER)}
    assert isinstance(looked_at(tmp_path, freeze("quiet", [ahead])), Succeeded)


def test_in_a_freeze_it_waits_until_that_is_over_and_says_why(tmp_path: Path) -> None:
    now = {"from": str(TODAY - timedelta(days=1)), "to": str(LATER), "reason": "the fair"}
    waiting = looked_at(tmp_path, freeze("quiet", [now], "Europe/Berlin"))
    assert isinstance(waiting, Waiting)
    over = LATER + timedelta(days=1)
    assert waiting.summary == f"frozen until {over} 00:00 Europe/Berlin: the fair"
    assert waiting.seconds is not None
    assert 9 * 86400 < waiting.seconds < 12 * 86400


def test_what_is_always_frozen_fails_instead_of_waiting_for_ever(tmp_path: Path) -> None:
    whole_week = [{"weekly": "MON - WED"}, {"weekly": "THU - SUN"}]
    outcome = looked_at(tmp_path, freeze("quiet", whole_week))
    assert isinstance(outcome, Failed)
    assert "frozen for ever" in outcome.message


@pytest.mark.parametrize("text", ["never", '"never"', '[{"from": 3}]'])
def test_freezes_that_are_no_list_are_refused_in_words(text: str) -> None:
    rule = freeze("quiet", [])
    said = replace(rule, configuration={**rule.configuration, "Freezes": text})
    assert "Freezes is a JSON list of objects" in refusal(said)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (freeze("quiet", [{"weekly": "SONNTAG"}]), "SONNTAG"),
        (freeze("quiet", [{"weekly": "SUN"}], "Mars"), "'Mars' is no time zone"),
    ],
)
def test_a_freeze_that_cannot_be_understood_is_refused_before_anything_starts(
    rule: Rule, words: str
) -> None:
    assert words in refusal(rule)


def test_a_freeze_of_unknown_members_is_refused_while_it_is_written() -> None:
    with pytest.raises(ValidationError, match=r"freezes of .* JSON list of objects"):
        freeze("quiet", [{"week": "SUN"}])
