"""The loss of a runner is dealt with once, whoever notices it and however late."""

import queue
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipelinekit.artifacts.folder import FolderArtifacts
from pipelinekit.model.action import ActionTypeId, Category, Owner
from pipelinekit.model.order import Order
from pipelinekit.model.settings import Settings
from pipelinekit.ports.provider import DECLARED, Job, Traits, provider
from pipelinekit.runtime import hands
from pipelinekit.runtime.bench import Report
from pipelinekit.runtime.hands import VANISHED, Hands, Place
from pipelinekit.tools.jobs.process import Spawner, Standing

AGAIN = ActionTypeId(Category.TEST, Owner.CUSTOM, "HandsAgain")
ORDER = Order(
    id="00000000-0000-0000-0000-000000000001",
    pipeline="shop",
    execution="e",
    stage="Work",
    action="weak",
    type=AGAIN,
)


@provider(Traits(category=Category.TEST, provider="HandsAgain", detached=True, repeatable=True))
def again(job: Job) -> None:
    """Do nothing."""


class Told:
    """Hands of which it is written down what they do, and which start nothing."""

    def __init__(self, jobs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._said: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.folder = jobs / ORDER.id
        monkeypatch.setattr(Hands, "_start", lambda *_: self._said.put("started"))
        monkeypatch.setattr(hands, "_standing", lambda _: Standing.LOST)
        place = Place(
            jobs=jobs,
            artifacts=FolderArtifacts(jobs.parent / "artifacts"),
            settings=Settings(),
            target="none:none",
            payload={},
            spawner=Spawner(),
        )
        self.hands = Hands(place, DECLARED, self._done)

    def _done(self, _: Order, report: Report | None) -> None:
        self._said.put("vanished" if report is VANISHED else "lost")

    def recover(self, still: Callable[[], bool] = lambda: True) -> str:
        """Deal with the loss, and tell what was done."""
        self.hands.recover(ORDER, still)
        return self._said.get(timeout=10)


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Told]:
    made = Told(tmp_path / "jobs", monkeypatch)
    yield made
    made.hands.close()


def lose(folder: Path, whose: str = "mine") -> None:
    (folder / "ctl").mkdir(parents=True)
    (folder / "ctl" / "whose").write_text(whose)


def test_a_lost_job_is_put_aside_and_begun_again_twice_and_then_it_is_lost(told: Told) -> None:
    for _ in range(2):
        lose(told.folder)
        assert told.recover() == "started"
        assert not told.folder.exists()
    lose(told.folder)
    assert told.recover() == "lost"
    assert told.folder.exists()


def test_what_others_have_begun_meanwhile_is_left_to_them(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    def others(folder: Path) -> None:  # while this engine is stopped in the midst of it
        folder.rename(folder.with_name(f"{folder.name}.lost1"))
        lose(folder, "theirs")

    lose(told.folder)
    monkeypatch.setattr(hands, "sweep", others)
    assert told.recover() == "vanished"  # although it still takes the order for its own
    assert (told.folder / "ctl" / "whose").read_text() == "theirs"


def test_an_order_that_is_not_held_any_more_is_not_touched(told: Told) -> None:
    lose(told.folder)
    assert told.recover(lambda: False) == "vanished"
    assert (told.folder / "ctl" / "whose").read_text() == "mine"
