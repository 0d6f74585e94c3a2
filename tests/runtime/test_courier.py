"""The courier tells subscribers what has changed: at least once, in order, from where it was."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

import pipelinekit as pk
from pipelinekit.runtime.courier import Place
from pipelinekit.wire.eventbridge import Member

WAIT = 20.0


@pk.action("Source", "CourierFetch")
def fetch(job: pk.Job) -> pk.Outcome:
    """Do nothing."""
    del job
    return pk.Succeeded()


SHOP = (
    pk.Pipeline("shop")
    >> pk.Stage("Source", fetch("fetch"))
    >> pk.Stage("Gate", pk.approval("ok"))
)


def until(true: Callable[[], bool]) -> None:
    """Wait until something is true."""
    limit = time.monotonic() + WAIT
    while not true():
        assert time.monotonic() < limit, "it did not come true"
        time.sleep(0.01)


def told(event: Member) -> tuple[str, ...]:
    """Give what an event is about."""
    detail = event["detail"]
    assert isinstance(detail, dict)
    names = [detail[key] for key in ("stage", "action") if key in detail]
    return (*map(str, names), str(detail["state"]))


def test_a_subscriber_is_told_every_change_in_order(tmp_path: Path) -> None:
    events: list[Member] = []
    with pk.Kit(tmp_path / "home", settings=pk.Settings(), by="ann") as kit:
        kit.subscribe(events.append)
        run = kit.start(SHOP).wait("approval", WAIT).reject("not today").wait(timeout=WAIT)
        until(lambda: told(events[-1]) == ("FAILED",) if events else False)
    assert [told(event) for event in events] == [
        ("STARTED",),
        ("Source", "STARTED"),
        ("Source", "fetch", "STARTED"),
        ("Source", "fetch", "SUCCEEDED"),
        ("Source", "SUCCEEDED"),
        ("Gate", "STARTED"),
        ("Gate", "ok", "STARTED"),
        ("Gate", "ok", "FAILED"),
        ("Gate", "FAILED"),
        ("FAILED",),
    ]
    assert len({event["id"] for event in events}) == len(events)
    first = events[0]["detail"]
    assert isinstance(first, dict)
    assert first["execution-id"] == run.id
    assert first["execution-trigger"] == {
        "trigger-type": "StartPipelineExecution",
        "trigger-detail": "ann",
    }


def test_a_subscriber_that_raises_is_told_the_same_event_again(tmp_path: Path) -> None:
    heard: list[Member] = []
    failures = [RuntimeError("no"), RuntimeError("not yet")]

    def hear(event: Member) -> None:
        heard.append(event)
        if failures:
            raise failures.pop()

    with pk.Kit(tmp_path / "home", settings=pk.Settings()) as kit:
        kit.subscribe(hear)
        kit.start(SHOP).wait("approval", WAIT)
        until(lambda: len(heard) > 4)
    assert heard[0]["id"] == heard[1]["id"] == heard[2]["id"] != heard[3]["id"]


def test_a_named_subscriber_goes_on_where_it_was_in_the_next_process(tmp_path: Path) -> None:
    events: list[Member] = []
    with pk.Kit(tmp_path / "home", settings=pk.Settings()) as kit:
        kit.subscribe(events.append, "mail")
        run = kit.start(SHOP).wait("approval", WAIT)
        until(lambda: len(events) == 7)
    with pk.Kit(tmp_path / "home", settings=pk.Settings(), work=False) as kit:
        kit.run(run.id).stop("enough", abandon=True)
    with pk.Kit(tmp_path / "home", settings=pk.Settings()) as kit:
        kit.subscribe(events.append, "mail")
        until(lambda: told(events[-1]) == ("STOPPED",))
    assert [told(event)[-1] for event in events[7:]] == [
        "STOPPING",
        "STOPPING",
        "ABANDONED",
        "STOPPED",
        "STOPPED",
    ]


def test_a_place_belongs_to_one_process_at_a_time(tmp_path: Path) -> None:
    first = Place.kept(tmp_path / "mail.json", 3)
    assert first is not None
    assert Place.kept(tmp_path / "mail.json", 9) is None
    first.move(5)
    first.close()
    second = Place.kept(tmp_path / "mail.json", 9)
    assert second is not None
    assert second.number == 5
    second.close()


def test_a_log_file_of_the_settings_gets_a_line_for_each_event(tmp_path: Path) -> None:
    settings = pk.Settings(folder=str(tmp_path), events=pk.Events(log="events.jsonl"))
    file = tmp_path / "events.jsonl"
    with pk.Kit(tmp_path / "home", settings=settings) as kit:
        kit.start(SHOP).wait("approval", WAIT)
        until(lambda: file.exists() and len(file.read_text().splitlines()) == 7)


def test_a_webhook_without_its_secret_is_refused_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SHOP_SECRET", raising=False)
    receiver = pk.Receiver("http://127.0.0.1:9", secret_variable="SHOP_SECRET")
    settings = pk.Settings(events=pk.Events(webhooks={"chat": receiver}))
    with pytest.raises(pk.PipelineKitError, match="SHOP_SECRET"):
        pk.Kit(tmp_path / "home", settings=settings)
