"""Drawings tell what holds an execution up: who, which switch, which rule, how many votes."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from pipelinekit.kit.facts import ActionFacts, RunFacts
from pipelinekit.kit.observe import observed
from pipelinekit.kit.run import Run
from pipelinekit.model.action import Action, ActionTypeId, Category, Owner
from pipelinekit.model.check import ConditionExecution, ConditionStatus, RuleExecution
from pipelinekit.model.condition import Condition, ConditionType, Result, Rule
from pipelinekit.model.execution import (
    ActionExecution,
    StageExecution,
    StageState,
    Transition,
    Vote,
)
from pipelinekit.model.pipeline import ExecutionMode, Pipeline, Stage
from pipelinekit.model.status import (
    ActionStatus,
    ApprovalStatus,
    ExecutionType,
    PipelineStatus,
    StageStatus,
)
from pipelinekit.widgets import run_html, run_text
from tests.build import approval, deploy, pipeline, rule, source, window
from tests.widgets.runs import ID, START, Book, attempted, entered, execution
from tests.widgets.test_drawing import HOSTILE, Page, assert_safe

TYPE = ActionTypeId(Category.RULE, Owner.AWS, "VariableCheck")
ENTRY = ConditionType.BEFORE_ENTRY
LATER = START + timedelta(minutes=10)


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    """Give a store, closed in the end."""
    book = Book(tmp_path)
    yield book
    book.store.close()


def gated(*rules: Rule, result: Result | None = None) -> Pipeline:
    """Make a pipeline whose last stage is entered if rules say so."""
    conditions = (Condition(rules, result),) if rules else ()
    live = Stage("Live", deploy(), before_entry=conditions)
    return pipeline(Stage("Source", source()), live, mode=ExecutionMode.QUEUED)


def checked(status: ConditionStatus, **changes: object) -> ConditionExecution:
    """Make the row of a check of the entry of Live."""
    row = ConditionExecution("shop", ID, "Live", ENTRY, Result.FAIL, START, START, status)
    return replace(row, **changes)  # type: ignore[arg-type]


def ruled(name: str, status: ActionStatus, summary: str = "") -> RuleExecution:
    """Make the row of a rule of that check."""
    row = RuleExecution(name, "shop", ID, "Live", ENTRY, name, TYPE, 1, START, START, status)
    return replace(row, summary=summary)


def tells(run: Run) -> Callable[[str], bool]:
    """Give a question: whether a text stands in the drawing and in its twin."""
    html, text = run_html(run), run_text(run)
    assert_safe(html)
    page = Page(html).text.replace("\n", " ")

    def told(words: str) -> bool:
        return words in page and words in text

    return told


def facts(run: Run) -> RunFacts:
    return observed(run, LATER)


def other(shop: Pipeline, number: int, stage: str) -> tuple[str, object]:
    identity = f"{number}0000000-0000-4000-8000-000000000000"
    return identity, execution(shop, id=identity, number=number, stage=stage)


# ---------------------------------------- between the stages


def test_who_waits_in_line_is_told_whom_it_waits_for_and_who_goes_first(book: Book) -> None:
    shop = gated()
    holder, in_it = other(shop, 2, "Live")
    first, ahead = other(shop, 3, "Live")
    me = execution(shop, number=4, stage="Live")
    state = StageState("shop", "Live", holder, holder, (first, ID))
    run = book.run(shop, in_it, ahead, me, state)  # type: ignore[arg-type]
    told = tells(run)
    assert told("waits for #2 (20000000), which is in it, after #3, since 2026-01-05 14:12 UTC")
    assert facts(run).mark.word == "Waiting to enter"
    assert not facts(run).waits_for_people


def test_who_is_in_a_stage_is_told_who_waits_in_front_of_it(book: Book) -> None:
    shop = gated()
    second, two = other(shop, 2, "Live")
    third, three = other(shop, 3, "Live")
    state = StageState("shop", "Live", ID, ID, (second, third))
    inside = entered(shop, "Live", StageStatus.IN_PROGRESS)
    run = book.run(shop, execution(shop, stage="Live"), two, three, state, inside)  # type: ignore[arg-type]
    assert tells(run)("#2, #3 wait in front of it")


@pytest.mark.parametrize(
    ("stage", "inbound", "told"),
    [
        ("Live", True, "transition disabled by ann since 2026-01-05 14:03 UTC: Freeze"),
        ("Source", False, "way out of Source disabled by ann since 2026-01-05 14:03 UTC: Freeze"),
    ],
)
def test_a_disabled_transition_is_told_with_who_why_and_since_when(
    book: Book, stage: str, *, inbound: bool, told: str
) -> None:
    shop = gated()
    turned = Transition(enabled=False, by="ann", at=START, reason="Freeze")
    closed = StageState("shop", stage, waiting=(ID,) if inbound else ())
    closed = replace(closed, inbound=turned) if inbound else replace(closed, outbound=turned)
    line = () if inbound else (StageState("shop", "Live", waiting=(ID,)),)
    run = book.run(shop, execution(shop, stage="Live"), closed, *line)
    assert tells(run)(told)
    assert tells(run)("waits until it is enabled")
    assert facts(run).waits_for_people


def test_who_waited_too_long_is_told_to_stay_out(book: Book) -> None:
    shop = gated()
    line = StageState("shop", "Live", waiting=(ID,))
    run = book.run(shop, execution(shop, stage="Live", stale=True), line)
    assert tells(run)("waited too long for the transition and will not enter")


def test_an_old_run_says_nothing_of_what_is_between_the_stages_now(book: Book) -> None:
    shop = gated()
    turned = Transition(enabled=False, by="ann", at=START, reason="Freeze")
    state = StageState("shop", "Live", latest="another", inbound=turned)
    ended = execution(shop, stage="Live", status=PipelineStatus.SUCCEEDED)
    assert "Freeze" not in run_text(book.run(shop, ended, state))


# ---------------------------------------- conditions


def test_a_rule_that_waits_says_what_for(book: Book) -> None:
    shop = gated(window())
    rows = (
        entered(shop, "Live", StageStatus.IN_PROGRESS),
        checked(ConditionStatus.IN_PROGRESS),
        ruled("AtWork", ActionStatus.IN_PROGRESS, "the window opens at 2026-01-06T09:00+00:00"),
    )
    run = book.run(shop, execution(shop, stage="Live"), *rows)
    told = tells(run)
    assert told("entry: AtWork")
    assert told("the window opens at 2026-01-06T09:00+00:00")
    assert not told("entered if AtWork")


def test_a_skipped_stage_says_which_rule_failed_and_its_actions_were_skipped(book: Book) -> None:
    shop = gated(rule(), result=Result.SKIP)
    rows = (
        entered(shop, "Live", StageStatus.SKIPPED),
        checked(ConditionStatus.FAILED, result=Result.SKIP),
        ruled("OnMain", ActionStatus.FAILED, "it was to be true"),
    )
    run = book.run(shop, execution(shop, stage="Live"), *rows)
    told = tells(run)
    assert told("its entry rule OnMain failed")
    assert told("it was to be true; result SKIP")
    assert [each.mark.word for each in facts(run).stages[1].actions if each.mark] == ["Skipped"]


def test_an_overridden_condition_says_by_whom(book: Book) -> None:
    shop = gated(window())
    rows = (
        entered(shop, "Live", StageStatus.IN_PROGRESS),
        checked(ConditionStatus.OVERRIDDEN, summary="Overridden by ben"),
        ruled("AtWork", ActionStatus.ABANDONED),
    )
    run = book.run(shop, execution(shop, stage="Live"), *rows)
    assert tells(run)("Overridden by ben")
    assert facts(run).stages[1].conditions[0].mark.word == "Overridden"


def test_a_retry_by_itself_is_told_apart_from_one_by_hand(book: Book) -> None:
    shop = gated()
    row: StageExecution = entered(shop, "Live", StageStatus.IN_PROGRESS)
    row = replace(row, auto_retries=1, retries=2)
    told = tells(book.run(shop, execution(shop, stage="Live"), row))
    assert told("retried by itself, then 2 times by hand")


# ---------------------------------------- rollbacks and reviews


def test_a_rollback_says_what_it_goes_back_to_and_shows_its_stage_alone(book: Book) -> None:
    shop = gated(rule())
    target, back = other(shop, 3, "Live")
    me = execution(shop, number=9, stage="Live", type=ExecutionType.ROLLBACK, target=target)
    run = book.run(shop, back, me)  # type: ignore[arg-type]
    assert tells(run)("rolls Live back to #3 (30000000)")
    assert [stage.name for stage in facts(run).stages] == ["Live"]
    assert "entered if" not in run_text(run)  # it is not checked


def reviewed(book: Book, **changes: object) -> Run:
    ask: Action = approval(configuration={"RequiredApprovals": "2"})
    shop = pipeline(Stage("Source", source()), Stage("Live", actions=(ask,)))
    row: ActionExecution = attempted(shop, "Live", "Ask", token="t", **changes)
    return book.run(shop, execution(shop, stage="Live"), row)


def test_a_review_says_who_has_approved_of_how_many_and_what_did_not_count(book: Book) -> None:
    approved = ApprovalStatus.APPROVED
    votes = (
        Vote("ben", START, approved, refused="ben has started the execution"),
        Vote("ann", START, approved),
    )
    told = tells(reviewed(book, votes=votes))
    assert told("1 of 2: ann")
    assert told("an answer of ben did not count: ben has started the execution")


def test_a_review_says_what_is_to_be_filled_in_and_how(book: Book) -> None:
    inputs = '{"size": {"type": "number"}, "color": {"choices": ["red"], "default": "red"}}'
    told = tells(reviewed(book, resolved={"Inputs": inputs}))
    assert told("to be filled in: size (number)")
    assert told("to be filled in: color (one of red, red unless it is given)")
    assert told("run.approve(action='Ask', inputs={'size': ...})")


def test_hostile_text_of_rules_and_votes_never_becomes_markup(book: Book) -> None:
    votes = (Vote(HOSTILE, START, ApprovalStatus.APPROVED, refused=HOSTILE),)
    assert_safe(run_html(reviewed(book, votes=votes)))


def test_hostile_text_of_a_switch_and_a_rule_never_becomes_markup(book: Book) -> None:
    shop = gated(window(name=HOSTILE))
    turned = Transition(enabled=False, by=HOSTILE, at=START, reason=HOSTILE)
    rows = (
        entered(shop, "Live", StageStatus.IN_PROGRESS),
        checked(ConditionStatus.IN_PROGRESS),
        ruled(HOSTILE, ActionStatus.IN_PROGRESS, HOSTILE),
        StageState("shop", "Live", ID, ID, inbound=turned),
    )
    run = book.run(shop, execution(shop, stage="Live"), *rows)
    assert_safe(run_html(run))
    assert not {"\x1b", "\x00"} & set(run_text(run))


# ---------------------------------------- freezes of environments


def frozen(summary: str) -> tuple[Pipeline, list[object]]:
    """Make a stage in which a freeze holds up one action, and the rows of it."""
    calm = Action("calm", ActionTypeId(Category.APPROVAL, Owner.CUSTOM, "Freeze"))
    live = Stage("Live", calm, replace(deploy(), name="us"))
    shop = pipeline(Stage("Source", source()), live)
    row = attempted(shop, "Live", "calm", token="t", summary=summary)
    return shop, [
        execution(shop, stage="Live"),
        entered(shop, "Live", StageStatus.IN_PROGRESS),
        row,
    ]


def test_a_freeze_is_told_with_how_it_is_overridden(book: Book) -> None:
    shop, rows = frozen(f"frozen until Monday: {HOSTILE}")
    run = book.run(shop, *rows)
    told = tells(run)
    assert told("❄")
    assert told("Frozen")
    assert told("frozen until Monday")
    assert told("run.override(action='calm', reason=\"...\")")
    assert facts(run).asked == []
    assert facts(run).waits_for_people
    assert [each.name for each in facts(run).frozen if isinstance(each, ActionFacts)] == ["calm"]


def test_a_freeze_that_was_not_looked_at_yet_is_just_under_way(book: Book) -> None:
    shop, rows = frozen("")
    found = facts(book.run(shop, *rows))
    assert found.mark.word == "In progress"
    assert (found.frozen, found.waits_for_people) == ([], False)


def test_a_freeze_beside_which_something_runs_keeps_nobody_waiting(book: Book) -> None:
    shop, rows = frozen("frozen until Monday")
    found = facts(book.run(shop, *rows, attempted(shop, "Live", "us")))
    assert len(found.frozen) == 1
    assert not found.waits_for_people
    assert found.stages[1].mark is not None
    assert found.stages[1].mark.word == "In progress"
