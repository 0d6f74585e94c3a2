"""The three execution modes through the public face: who waits, who goes first, who gives way."""

import pytest

import pipelinekit as pk
from pipelinekit.model.errors import DefinitionError, UnableToRollback
from pipelinekit.model.gate import gate
from pipelinekit.model.pipeline import Stage
from tests.flows.ledger import WAIT, Site, stages, until


def gated(site: Site) -> tuple[Stage, Stage]:
    """Make a stage in which a person is asked, and one that ships."""
    return Stage("Gate", pk.approval("ok")), Stage("Prod", site.ship("live"))


def at_the_gate(run: pk.Run) -> bool:
    return run.execution.stage == "Gate"


def test_queued_runs_go_through_one_after_the_other_in_order(kit: pk.Kit, site: Site) -> None:
    pipeline = site.line(*gated(site), mode="QUEUED")
    runs = []
    for number in range(5):
        site.writes(str(number))
        runs.append(kit.start(pipeline))
        if number:
            until(lambda: at_the_gate(runs[-1]))
        else:
            runs[0].wait("approval", WAIT)
    assert ["Gate" in stages(run) for run in runs] == [True, False, False, False, False]
    for run in runs:
        run.wait("approval", WAIT)
        waiting = [each for each in runs if each.waiting]
        assert [each.id for each in waiting] == [run.id]
        run.approve().wait(timeout=WAIT)
    assert [run.status for run in runs] == ["Succeeded"] * 5
    assert site.ledger == [f"live {number} {number}" for number in range(5)]


def test_a_queued_run_that_fails_lets_the_next_one_in(kit: pk.Kit, site: Site) -> None:
    pipeline = site.line(*gated(site), mode="QUEUED")
    first = kit.start(pipeline).wait("approval", WAIT)
    second = kit.start(pipeline)
    until(lambda: at_the_gate(second))
    first.reject("no").wait(timeout=WAIT)
    second.wait("approval", WAIT).approve().wait(timeout=WAIT)
    assert (first.status, second.status) == ("Failed", "Succeeded")


def test_a_queued_run_that_is_stopped_while_it_waits_leaves_the_queue(
    kit: pk.Kit, site: Site
) -> None:
    pipeline = site.line(*gated(site), mode="QUEUED")
    runs = [kit.start(pipeline).wait("approval", WAIT)]
    for _ in range(2):
        runs.append(kit.start(pipeline))
        until(lambda: at_the_gate(runs[-1]))
    runs[1].stop("changed my mind").wait(timeout=WAIT)
    runs[0].approve()
    runs[2].wait("approval", WAIT).approve().wait(timeout=WAIT)
    assert [run.status for run in runs] == ["Succeeded", "Stopped", "Succeeded"]


def test_parallel_runs_are_side_by_side_in_one_stage(kit: pk.Kit, site: Site) -> None:
    pipeline = site.line(*gated(site), mode="PARALLEL")
    runs = []
    for number in range(3):
        site.writes(str(number))
        runs.append(kit.start(pipeline).wait("approval", WAIT))
    assert [len(run.waiting) for run in runs] == [1, 1, 1]
    for run in reversed(runs):
        run.approve().wait(timeout=WAIT)
    assert site.ledger == ["live 2 2", "live 1 1", "live 0 0"]


def test_a_parallel_pipeline_cannot_be_rolled_back(kit: pk.Kit, site: Site) -> None:
    pipeline = site.line(Stage("Prod", site.ship("live")), mode="PARALLEL")
    runs = [kit.start(pipeline).wait(timeout=WAIT) for _ in range(2)]
    with pytest.raises(UnableToRollback):
        kit.rollback("shop", "Prod", runs[0])
    undone = Stage("Prod", site.ship("live"), on_success=gate(site.opened(), result="ROLLBACK"))
    with pytest.raises(DefinitionError, match="PARALLEL pipeline cannot"):
        kit.define(site.line(undone, mode="PARALLEL"))


def test_a_parallel_run_goes_on_by_its_own_definition(kit: pk.Kit, site: Site) -> None:
    first = kit.start(site.line(*gated(site), mode="PARALLEL")).wait("approval", WAIT)
    asked, prod = gated(site)
    later = site.line(asked, Stage(prod.name, site.ship("other")), mode="PARALLEL")
    second = kit.start(later).wait("approval", WAIT)
    for run in (first, second):
        assert run.approve().wait(timeout=WAIT).status == "Succeeded"
    assert site.ledger == ["live one one", "other one one"]


def test_a_newer_run_supersedes_those_that_wait_and_not_the_one_inside(
    kit: pk.Kit, site: Site
) -> None:
    pipeline = site.line(*gated(site))
    runs = [kit.start(pipeline).wait("approval", WAIT)]
    for number in range(3):
        site.writes(f"newer {number}")
        runs.append(kit.start(pipeline))
        until(lambda: at_the_gate(runs[-1]))
    assert [run.status for run in runs] == [
        "InProgress",
        "Superseded",
        "Superseded",
        "InProgress",
    ]
    runs[0].approve()
    runs[3].wait("approval", WAIT).approve().wait(timeout=WAIT)
    assert site.ledger == ["live one one", "live newer 2 newer 2"]
    assert stages(runs[1]) == {"Source": "Succeeded"}
