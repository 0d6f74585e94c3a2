"""The exit code says what is shown, whatever happens while an execution is looked at."""

import io
from pathlib import Path

import pytest

import pipelinekit as pk
from pipelinekit.cli import follow
from pipelinekit.cli.follow import Follower, Manner
from pipelinekit.cli.screen import screen
from pipelinekit.cli.surroundings import Exit
from pipelinekit.kit.observe import observed
from pipelinekit.runtime.clock import now
from tests.bench.nothing import source

WAIT = 20.0


def test_what_is_dealt_with_while_it_is_looked_at_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch, gate = pk.Stage("Source", source("Fetch")), pk.Stage("Gate", pk.approval("ok"))
    with pk.Kit(tmp_path, settings=pk.Settings()) as kit:
        run = kit.start(pk.Pipeline("shop") >> fetch >> gate).wait("approval", WAIT)
        looks = [observed(run, now())]
        assert looks[0].waits_for_people
        run.reject("no")
        run.wait(timeout=WAIT)
        monkeypatch.setattr(
            follow, "observed", lambda *now: looks.pop() if looks else observed(*now)
        )
        stream = io.StringIO()
        assert Follower(run, kit.worker, Manner(screen(stream))).follow() is Exit.FAILED
    assert "Failed" in stream.getvalue()
