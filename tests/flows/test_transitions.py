"""Transitions between stages are closed and opened: who waits there, and what is kept of it."""

from pathlib import Path

import pytest

import pipelinekit as pk
from pipelinekit.model.errors import PipelineNotFound, StageNotFound, ValidationError
from pipelinekit.model.execution import StageState
from pipelinekit.model.pipeline import Stage
from pipelinekit.ports.store import Query
from tests.flows.ledger import WAIT, Site, stages, until


def waits_for(run: pk.Run, stage: str) -> bool:
    return run.execution.stage == stage and stage not in stages(run)


def state(kit: pk.Kit, stage: str) -> StageState:
    (row,) = (row for row in kit.store.find(StageState, Query()) if row.stage == stage)
    return row


def test_a_closed_stage_lets_nobody_in_until_it_is_opened(kit: pk.Kit, site: Site) -> None:
    pipeline = site.line(Stage("Prod", site.ship("live")))
    kit.define(pipeline)
    kit.disable("shop", "Prod", "fair on Monday")
    run = kit.start(pipeline)
    until(lambda: waits_for(run, "Prod"))
    transition = state(kit, "Prod").inbound
    assert (transition.enabled, transition.reason) == (False, "fair on Monday")
    assert transition.by == "ann"
    assert site.ledger == []
    kit.enable("shop", "Prod")
    assert run.wait(timeout=WAIT).status == "Succeeded"
    assert site.ledger == ["live one one"]


def test_whoever_is_inside_goes_on_when_the_stage_is_closed(kit: pk.Kit, site: Site) -> None:
    steps = pk.approval("ok") >> site.ship("live")
    run = kit.start(site.line(Stage("Prod", steps))).wait("approval", WAIT)
    kit.disable("shop", "Prod", "enough")
    assert run.approve().wait(timeout=WAIT).status == "Succeeded"


def test_the_way_out_of_a_stage_is_closed_too(kit: pk.Kit, site: Site) -> None:
    pipeline = site.line(Stage("Beta", site.ship("beta")), Stage("Prod", site.ship("live")))
    kit.define(pipeline)
    kit.disable("shop", "Beta", "not further", outbound=True)
    run = kit.start(pipeline)
    until(lambda: waits_for(run, "Prod"))
    assert site.ledger == ["beta one one"]
    kit.enable("shop", "Beta", outbound=True)
    assert run.wait(timeout=WAIT).status == "Succeeded"


def test_of_those_who_wait_at_a_closed_stage_the_newest_goes_in(kit: pk.Kit, site: Site) -> None:
    pipeline = site.line(Stage("Prod", site.ship("live")))
    kit.define(pipeline)
    kit.disable("shop", "Prod", "later")
    runs = []
    for number in range(3):
        site.writes(str(number))
        runs.append(kit.start(pipeline))
        until(lambda: waits_for(runs[-1], "Prod"))
    assert [run.status for run in runs] == ["Superseded", "Superseded", "InProgress"]
    kit.enable("shop", "Prod")
    runs[2].wait(timeout=WAIT)
    assert site.ledger == ["live 2 2"]


def test_a_closed_stage_stays_closed_in_the_next_kit(tmp_path: Path, site: Site) -> None:
    home, settings = tmp_path / "home", pk.Settings()
    pipeline = site.line(Stage("Prod", site.ship("live")))
    with pk.Kit(home, settings=settings) as kit:
        kit.define(pipeline)
        kit.disable("shop", "Prod", "over night")
        run = kit.start(pipeline)
        until(lambda: waits_for(run, "Prod"))
    with pk.Kit(home, settings=settings) as kit:
        again = kit.run(run.id)
        with pytest.raises(TimeoutError):
            again.wait(timeout=0.3)
        assert state(kit, "Prod").inbound.reason == "over night"
        kit.enable("shop", "Prod")
        assert again.wait(timeout=WAIT).status == "Succeeded"


def test_a_new_definition_leaves_a_closed_stage_closed(kit: pk.Kit, site: Site) -> None:
    kit.define(site.line(Stage("Prod", site.ship("live"))))
    kit.disable("shop", "Prod", "later")
    run = kit.start(site.line(Stage("Prod", site.ship("other"))))
    until(lambda: waits_for(run, "Prod"))
    assert state(kit, "Prod").inbound.reason == "later"


@pytest.mark.parametrize("reason", ["", "x" * 301, "semi;colon"])
def test_a_reason_that_codepipeline_refuses_changes_nothing(
    kit: pk.Kit, site: Site, reason: str
) -> None:
    kit.define(site.line(Stage("Prod", site.ship("live"))))
    with pytest.raises(ValidationError):
        kit.disable("shop", "Prod", reason)
    assert kit.start("shop").wait(timeout=WAIT).status == "Succeeded"


def test_what_is_not_there_cannot_be_closed(kit: pk.Kit, site: Site) -> None:
    kit.define(site.line(Stage("Prod", site.ship("live"))))
    with pytest.raises(StageNotFound):
        kit.disable("shop", "Nowhere", "why not")
    with pytest.raises(PipelineNotFound):
        kit.disable("nowhere", "Prod", "why not")
