"""A plan is drawn as a table that stands alone, and written down as text."""

from datetime import UTC, datetime
from uuid import UUID

from msgspec.structs import replace

from pipelinekit.engine.catalog import TYPES
from pipelinekit.engine.plan import Aim, plan
from pipelinekit.engine.planned import Closed, Occupant, Plan
from pipelinekit.model.event import Started
from pipelinekit.model.execution import Cause, Transition
from pipelinekit.model.state import State
from pipelinekit.model.status import TriggerType
from pipelinekit.widgets import plan_html, plan_text
from tests.build import full
from tests.widgets.test_drawing import HOSTILE, Page

OTHER = Occupant("9b2d6f0a-2c1f", 3, "Live", ("Ask",))
TABLE = {"div", "span", "br", "table", "thead", "tbody", "tr", "th", "td"}


def made() -> Plan:
    cause = Cause(TriggerType.START_PIPELINE_EXECUTION, "ann")
    at = datetime(2026, 1, 5, tzinfo=UTC)
    start = Started(
        id=str(UUID(int=1)),
        pipeline="shop",
        at=at,
        by="ann",
        cause=cause,
        variables={"target": "prod"},
    )
    return plan(State(), Aim(full(), start, TYPES))


def busy() -> Plan:
    found = made()
    turned = Transition(enabled=False, by="ann", reason="Freeze")
    live = replace(found.stages[-1], holder=OTHER, waiting=(OTHER,), closed=(Closed(turned),))
    return replace(found, stages=(*found.stages[:-1], live), superseded=(OTHER,), enters=False)


def test_a_plan_is_drawn_with_every_stage_action_value_and_gate() -> None:
    page, text = Page(plan_html(made())).text.replace("\n", " "), plan_text(made())
    for fact in (
        "would start",
        "version 1, it would be defined first · QUEUED",
        "level = info (default), target = prod (given)",
        "ProjectName shop-info",
        "reads Code of Source/Fetch",
        "where src.CommitId comes from Source/Fetch",
        "entered if OnMain: VariableCheck(",
        "known after Source/Fetch",
        "after a failure RETRY ALL_ACTIONS",
        "waits for anybody, at most 10 h",
        "a rollback would find nothing to go back to",
        "$ make check",
    ):
        assert fact in page, fact
        assert fact in text, fact


def test_what_is_in_the_way_is_drawn() -> None:
    page, text = Page(plan_html(busy())).text, plan_text(busy())
    for fact in (
        "closed now: the transition is disabled by ann: Freeze",
        "busy now: #3 (9b2d6f0a, at Live, waits for approval Ask) is in it",
        "waits in front of it now, ahead of it",
        "it would supersede #3",
        "it would wait in front of Source at once",
    ):
        assert fact in page, fact
        assert fact in text, fact


def test_a_refusal_is_drawn_with_its_reason() -> None:
    refused = replace(made(), obstacles=("there is no time",))
    for shown in (Page(plan_html(refused)).text, plan_text(refused)):
        assert "would be refused" in shown
        assert "✗ there is no time" in shown


def test_hostile_text_in_a_plan_never_becomes_markup() -> None:
    found = busy()
    stage = replace(found.stages[0], name=HOSTILE, holder=replace(OTHER, stage=HOSTILE))
    html = plan_html(replace(found, pipeline=HOSTILE, stages=(stage,), obstacles=(HOSTILE,)))
    assert {tag for tag, _ in Page(html).tags} <= TABLE
    assert not {"\x1b", "\x00", "\u202e"} & set(html)
