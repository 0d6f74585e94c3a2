"""Rollbacks by a person: the old artifacts and variables go where the new ones went."""

from datetime import timedelta

import pytest

import pipelinekit as pk
from pipelinekit.model.errors import (
    ExecutionNotFound,
    ExecutionOutdated,
    PipelineNotFound,
    StageNotFound,
    UnableToRollback,
)
from pipelinekit.model.gate import gate
from pipelinekit.model.pipeline import Pipeline, Stage
from pipelinekit.model.status import ExecutionType, TriggerType
from pipelinekit.providers.variable_check import variable_check
from pipelinekit.runtime.clock import now
from tests.flows.ledger import WAIT, Site, check_replay, stages


def released(kit: pk.Kit, site: Site, pipeline: Pipeline, *texts: str) -> list[pk.Run]:
    """Release one text after the other."""
    runs = []
    for text in texts:
        site.writes(text)
        runs.append(kit.start(pipeline).wait(timeout=WAIT))
    return runs


def two_stages(site: Site) -> Pipeline:
    return site.line(Stage("Beta", site.ship("beta")), Stage("Prod", site.ship("live")))


def test_a_rollback_ships_the_artifact_and_the_variables_of_its_target(
    kit: pk.Kit, site: Site
) -> None:
    old, *_ = released(kit, site, two_stages(site), "old", "middle", "new")
    back = kit.rollback("shop", "Prod", old).wait(timeout=WAIT)
    assert back.status == "Succeeded"
    assert site.ledger[-1] == "live old old"
    assert site.ledger.count("beta old old") == 1
    assert stages(back) == {"Prod": "Succeeded"}
    execution = back.execution
    assert (execution.type, execution.target) == (ExecutionType.ROLLBACK, old.id)
    assert (execution.cause.type, execution.cause.detail) == (TriggerType.MANUAL_ROLLBACK, "ann")
    assert execution.revisions == old.execution.revisions


def test_without_a_target_the_last_but_one_success_is_taken(kit: pk.Kit, site: Site) -> None:
    released(kit, site, two_stages(site), "old", "middle", "new")
    assert kit.rollback("shop", "Prod").wait(timeout=WAIT).status == "Succeeded"
    assert site.ledger[-1] == "live middle middle"


def test_a_run_that_failed_in_the_stage_is_no_default_target(kit: pk.Kit, site: Site) -> None:
    pipeline = two_stages(site)
    released(kit, site, pipeline, "old", "middle")
    site.breaks()
    released(kit, site, pipeline, "bad")
    site.mends()
    kit.rollback("shop", "Beta").wait(timeout=WAIT)
    assert site.ledger[-1] == "beta middle middle"
    released(kit, site, pipeline, "new")
    kit.rollback("shop", "Beta").wait(timeout=WAIT)
    assert site.ledger[-1] == "beta middle middle"


def test_a_run_whose_success_was_not_confirmed_is_no_default_target(
    kit: pk.Kit, site: Site
) -> None:
    fit = variable_check("fit", "#{src.Text}", "bad", "NE")
    gated = Stage("Prod", site.ship("live"), on_success=gate(fit, result="ROLLBACK"))
    released(kit, site, site.line(gated), "old", "bad")
    kit.runs("shop")[0].wait(timeout=WAIT)
    released(kit, site, site.line(gated), "new")
    assert kit.rollback("shop", "Prod").wait(timeout=WAIT).status == "Succeeded"
    assert site.ledger[-2:] == ["live new new", "live old old"]


@pytest.mark.parametrize("result", ["SKIP", "FAIL"])
def test_a_run_that_did_nothing_in_the_stage_is_not_what_is_there(
    kit: pk.Kit, site: Site, result: str
) -> None:
    fit = variable_check("fit", "#{src.Text}", "bad", "NE")
    gated = Stage("Prod", site.ship("live"), before_entry=gate(fit, result=result))
    released(kit, site, site.line(gated), "old", "new", "bad")
    kit.rollback("shop", "Prod").wait(timeout=WAIT)
    assert site.ledger == ["live old old", "live new new", "live old old"]


def test_the_target_goes_by_numbers_where_a_clock_was_set_back(
    kit: pk.Kit, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = site.line(Stage("Prod", site.ship("live")))
    with monkeypatch.context() as patched:
        ahead = timedelta(hours=2)
        patched.setattr(kit.worker, "_clock", lambda: now() + ahead)
        first = kit.start(line).wait(timeout=WAIT)
    second = kit.start(line).wait(timeout=WAIT)
    assert first.stages[-1].started > second.stages[-1].started
    assert kit.rollback("shop", "Prod").execution.target == first.id


def test_a_late_run_of_a_parallel_definition_hides_no_target(kit: pk.Kit, site: Site) -> None:
    steps = (Stage("Gate", pk.approval("ok")), Stage("Prod", site.ship("live")))
    late = kit.start(site.line(*steps, mode="PARALLEL")).wait("approval", WAIT)
    serial = site.line(*steps)
    for text in ("old", "new"):
        site.writes(text)
        kit.start(serial).wait("approval", WAIT).approve().wait(timeout=WAIT)
    late.approve().wait(timeout=WAIT)
    kit.rollback("shop", "Prod").wait(timeout=WAIT)
    assert site.ledger == ["live old old", "live new new", "live one one", "live new new"]


def test_what_cannot_be_rolled_back_is_refused(kit: pk.Kit, site: Site) -> None:
    pipeline = two_stages(site)
    (only,) = released(kit, site, pipeline, "old")
    with pytest.raises(UnableToRollback):
        kit.rollback("shop", "Prod")
    with pytest.raises(UnableToRollback, match="it is the first one"):
        kit.rollback("shop", "Source", only)
    with pytest.raises(StageNotFound):
        kit.rollback("shop", "Nowhere", only)
    site.breaks()
    (bad,) = released(kit, site, pipeline, "bad")
    with pytest.raises(UnableToRollback, match="Failed in it"):
        kit.rollback("shop", "Beta", bad)
    with pytest.raises(UnableToRollback, match="never entered the stage"):
        kit.rollback("shop", "Prod", bad)
    assert len(kit.runs("shop")) == 2


def test_a_run_of_an_older_definition_is_no_target(kit: pk.Kit, site: Site) -> None:
    (old,) = released(kit, site, two_stages(site), "old")
    changed = site.line(Stage("Beta", site.ship("beta")), Stage("Prod", site.ship("other")))
    released(kit, site, changed, "new")
    with pytest.raises(ExecutionOutdated, match="version 1"):
        kit.rollback("shop", "Prod", old)


def test_a_stage_that_somebody_is_in_is_not_rolled_back(kit: pk.Kit, site: Site) -> None:
    steps = pk.approval("ok") >> site.ship("live")
    pipeline = site.line(Stage("Prod", steps))
    site.writes("old")
    old = kit.start(pipeline).wait("approval", WAIT).approve().wait(timeout=WAIT)
    inside = kit.start(pipeline).wait("approval", WAIT)
    with pytest.raises(UnableToRollback, match=inside.id):
        kit.rollback("shop", "Prod", old)
    inside.approve().wait(timeout=WAIT)
    back = kit.rollback("shop", "Prod", old).wait("approval", WAIT)
    assert back.approve().wait(timeout=WAIT).status == "Succeeded"
    assert site.ledger[-1] == "live old old"


def test_a_rollback_can_be_retried_when_it_failed(kit: pk.Kit, site: Site) -> None:
    old, _ = released(kit, site, two_stages(site), "old", "new")
    site.breaks("once")
    back = kit.rollback("shop", "Prod", old).wait(timeout=WAIT)
    assert back.status == "Failed"
    assert back.retry().wait(timeout=WAIT).status == "Succeeded"
    assert site.ledger[-2:] == ["live old old"] * 2


def test_the_next_release_goes_on_after_a_rollback(kit: pk.Kit, site: Site) -> None:
    pipeline = two_stages(site)
    old, _ = released(kit, site, pipeline, "old", "new")
    kit.rollback("shop", "Prod", old).wait(timeout=WAIT)
    (newest,) = released(kit, site, pipeline, "newest")
    assert newest.status == "Succeeded"
    assert site.ledger[-1] == "live newest newest"
    check_replay(kit)


def test_a_deleted_pipeline_is_gone_with_its_runs_and_its_name_is_free(
    kit: pk.Kit, site: Site
) -> None:
    pipeline = two_stages(site)
    released(kit, site, pipeline, "old", "new")
    held = kit.runs("shop")[0]
    assert held.status == "Succeeded"
    kit.delete("shop")
    with pytest.raises(ExecutionNotFound, match="its pipeline was deleted"):
        held.definition  # noqa: B018 - it is asked for
    assert kit.pipelines() == []
    assert kit.runs() == []
    assert kit.history().executions.empty
    with pytest.raises(PipelineNotFound):
        kit.start("shop")
    kit.delete("shop")
    (again,) = released(kit, site, pipeline, "again")
    assert (again.status, again.execution.number) == ("Succeeded", 1)
    assert kit.definition("shop").version == 1


def test_a_pipeline_is_deleted_while_it_runs(kit: pk.Kit, site: Site) -> None:
    asked = site.line(Stage("Gate", pk.approval("ok")), Stage("Prod", site.ship("live")))
    kit.start(asked).wait("approval", WAIT)
    kit.delete("shop")
    assert (kit.runs(), site.ledger) == ([], [])
    again = kit.start(asked).wait("approval", WAIT).approve().wait(timeout=WAIT)
    assert again.status == "Succeeded"


def test_a_definition_that_was_looked_at_can_be_changed_without_changing_what_runs(
    kit: pk.Kit, site: Site
) -> None:
    run = kit.start(site.line(Stage("Prod", site.ship("live")))).wait(timeout=WAIT)
    for looked_at in (kit.definition("shop"), run.definition):
        looked_at.stages[1].actions[0].configuration["changed"] = "yes"  # type: ignore[index]
    again = kit.start("shop").wait(timeout=WAIT)
    assert "changed" not in again.definition.stages[1].actions[0].configuration
