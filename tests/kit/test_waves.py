"""Environments side by side: each is held up by its own approvers and freeze, and by no others."""

from pathlib import Path

import pytest

import pipelinekit as pk
from pipelinekit.kit.release import Release
from pipelinekit.model.environment import Environment
from pipelinekit.model.errors import ActionNotFound
from pipelinekit.model.status import ActionStatus
from tests.cli.project import until
from tests.kit.test_release import ALWAYS, begun, kit, known, notebook

__all__ = ["kit"]  # a fixture

pytestmark = pytest.mark.slow

WAIT = 60
EU = Environment("eu", approvers=("ann",))
US = Environment("us", after=())
LIVE = Environment("live", after=("eu", "us"))


def words(release: Release) -> dict[str, str]:
    return {each.environment: each.mark.word for each in release.results}


def settled(release: Release) -> None:
    """Wait until nothing but people and calendars is waited for."""
    release.run.wait("approval", WAIT)
    names = {each.environment for each in release.results}

    def at_rest() -> bool:
        rows = [row for row in release.run.actions if row.action in names]
        return all(row.status is not ActionStatus.IN_PROGRESS for row in rows)

    until(at_rest)


def test_one_that_waits_for_approval_does_not_hold_up_the_other(kit: pk.Kit) -> None:
    file = notebook(Path(kit.settings.folder), "print(environment)")
    release = begun(kit, file, known(EU, US, LIVE))
    settled(release)
    assert words(release) == {
        "eu": "Waiting for approval",
        "us": "Succeeded",
        "live": "Not started",
    }
    release.approve("fine")
    assert words(release) == dict.fromkeys(("eu", "us", "live"), "Succeeded")
    assert len({each.digest for each in release.results}) == 1


def test_a_frozen_one_does_not_hold_up_the_other(kit: pk.Kit) -> None:
    file = notebook(Path(kit.settings.folder), "print(environment)")
    frozen = Environment("eu", freezes=ALWAYS)
    release = begun(kit, file, known(frozen, US, LIVE))
    settled(release)
    assert words(release) == {"eu": "Frozen", "us": "Succeeded", "live": "Not started"}
    release.override("a hotfix")
    assert words(release) == dict.fromkeys(("eu", "us", "live"), "Succeeded")
    assert release.results[0].told == "freeze overridden by ann: a hotfix"


def test_of_two_freezes_one_says_which_is_overridden(kit: pk.Kit) -> None:
    file = notebook(Path(kit.settings.folder), "1")
    two = (Environment("eu", freezes=ALWAYS), Environment("us", after=(), freezes=ALWAYS))
    release = begun(kit, file, known(*two))
    until(lambda: len(release.run.frozen) == len(two))
    with pytest.raises(ActionNotFound, match="freeze-eu, freeze-us; say which by"):
        release.override("a hotfix")
    release.override("a hotfix", "freeze-us")
    settled(release)
    assert words(release) == {"eu": "Frozen", "us": "Succeeded"}


def test_what_was_approved_is_still_held_up_by_its_freeze(kit: pk.Kit) -> None:
    file = notebook(Path(kit.settings.folder), "1")
    release = begun(kit, file, known(Environment("live", approvers=("ann",), freezes=ALWAYS)))
    release.wait("approval", WAIT)
    assert words(release) == {"live": "Waiting for approval"}
    release.approve("fine")
    assert words(release) == {"live": "Frozen"}
    release.override("a hotfix")
    assert release.results[0].told == ("approved by ann: fine; freeze overridden by ann: a hotfix")


def test_a_failure_calls_off_what_the_other_one_asks(kit: pk.Kit) -> None:
    file = notebook(Path(kit.settings.folder), "assert environment != 'us'")
    release = begun(kit, file, known(EU, US, LIVE)).wait("end", WAIT)
    assert words(release) == {"eu": "Abandoned", "us": "Failed", "live": "Not started"}
    assert release.results[0].told.startswith("nothing waits for it any more")
