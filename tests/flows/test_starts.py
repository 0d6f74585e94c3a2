"""Starts by name while the pipeline is defined anew, by this process or by another."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from msgspec.structs import replace

import pipelinekit as pk
from pipelinekit.model.action import Action, ActionTypeId, Category, Owner
from pipelinekit.model.errors import CannotRunHere, ExecutionNotFound, PipelineNotFound

FIRST, SECOND = ("first", "second")


@pytest.fixture
def kits(tmp_path: Path) -> Iterator[tuple[pk.Kit, pk.Kit]]:
    """Open a kit with an engine, and another one as a second process would."""
    with (
        pk.Kit(tmp_path, settings=pk.Settings()) as kit,
        pk.Kit(tmp_path, settings=pk.Settings(), work=False) as other,
    ):
        yield kit, other


def gated(name: str) -> pk.Pipeline:
    """Make a pipeline that waits at an approval of a name."""
    folder = Path(__file__).parent
    source = pk.files("Fetch", str(folder)).writes("Code")
    gate = pk.Stage("Gate", pk.approval(name))
    return pk.Pipeline("shop") >> pk.Stage("Source", source) >> gate


def elsewhere() -> pk.Pipeline:
    """Make a pipeline that nothing here can run."""
    push = Action("Push", ActionTypeId(Category.DEPLOY, Owner.AWS, "ECS"))
    cluster = {"ClusterName": "c", "ServiceName": "s"}
    return gated(FIRST) >> pk.Stage("Live", replace(push, configuration=cluster).reads("Code"))


def gate_of(run: pk.Run) -> str:
    """Give the name of the approval in the definition that a run goes by."""
    return run.definition.stages[1].actions[0].name


def test_a_start_takes_what_another_process_has_defined_meanwhile(
    kits: tuple[pk.Kit, pk.Kit],
) -> None:
    kit, other = kits
    kit.define(gated(FIRST))
    assert gate_of(kit.start("shop")) == FIRST
    other.define(gated(SECOND))
    assert gate_of(kit.start("shop")) == SECOND


def test_a_pipeline_that_was_made_anew_is_looked_at_anew(kits: tuple[pk.Kit, pk.Kit]) -> None:
    kit, other = kits
    kit.define(gated(FIRST))
    kit.start("shop")
    other.delete("shop")
    with pytest.raises(PipelineNotFound):
        kit.start("shop")
    assert other.define(gated(SECOND)).version == 1
    assert gate_of(kit.start("shop")) == SECOND


def test_whether_a_pipeline_can_run_here_is_said_of_its_present_definition(
    kits: tuple[pk.Kit, pk.Kit],
) -> None:
    kit, other = kits
    other.define(gated(FIRST))
    kit.start("shop")
    other.define(elsewhere())
    with pytest.raises(CannotRunHere, match="ECS"):
        kit.start("shop")
    other.define(gated(SECOND))
    assert gate_of(kit.start("shop")) == SECOND


def test_a_start_of_what_is_as_it_was_asks_the_store_for_no_definition(
    kits: tuple[pk.Kit, pk.Kit], monkeypatch: pytest.MonkeyPatch
) -> None:
    kit, _ = kits
    kit.define(gated(FIRST))
    kit.start("shop")
    monkeypatch.setattr(kit.store, "find", None)
    kit.start("shop")


def test_a_run_that_is_no_longer_kept_says_so(kit: pk.Kit) -> None:
    run = kit.start(gated("ask")).wait("approval")
    with ThreadPoolExecutor(1) as waits:
        end = waits.submit(run.wait)
        kit.delete("shop")
        with pytest.raises(ExecutionNotFound, match="its pipeline was deleted"):
            end.result(timeout=20)
    assert repr(run) == f"Run('shop', {run.id}, no longer kept)"
    for look in (lambda: run.status, run.wait, run.raise_for_status):
        with pytest.raises(ExecutionNotFound, match="its pipeline was deleted"):
            look()
