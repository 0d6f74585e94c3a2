"""Drawings show every fact with an icon and a word, and foreign text never becomes markup."""

from collections.abc import Iterator
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest
from msgspec.structs import replace

from pipelinekit.kit.logs import TAIL_BYTES
from pipelinekit.model.action import Action
from pipelinekit.model.execution import ErrorDetails, Revision, Stop
from pipelinekit.model.pipeline import Pipeline, Stage
from pipelinekit.model.status import ActionStatus, PipelineStatus, StageStatus
from pipelinekit.model.testreport import FailedCase, ReportFormat, TestReport
from pipelinekit.widgets import (
    action_html,
    action_text,
    pipeline_html,
    pipeline_text,
    run_html,
    run_text,
    stage_html,
)
from pipelinekit.wire.words import MARKS, WAITING
from tests.build import approval, build, deploy, full, pipeline, source
from tests.widgets.runs import START, Book, attempted, entered, execution

HOSTILE = (
    "</div><script>alert(1)</script><img src=x onerror=alert(2)>\"' onclick='x' "
    "\x1b]8;;javascript:alert(3)\x07go\x1b[31m\x00\u202e"
)
VOID = {"br"}
ALLOWED = {"div", "span", "ol", "ul", "li", "pre", "code", "a", "br"}


class Page(HTMLParser):
    """A drawing, read as a browser would."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += f"{data}\n"

    @property
    def links(self) -> list[str | None]:
        """List where the links lead."""
        return [attributes["href"] for tag, attributes in self.tags if tag == "a"]


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    """Give a store, closed in the end."""
    book = Book(tmp_path)
    yield book
    book.store.close()


def gated() -> Pipeline:
    """Make a pipeline whose last stage asks before it deploys."""
    live = Stage("Live", actions=(approval(), deploy(run_order=2)))
    return pipeline(Stage("Source", source()), Stage("Build", build()), live)


def assert_safe(html: str) -> None:
    page = Page(html)
    assert {tag for tag, _ in page.tags} <= ALLOWED
    for _, attributes in page.tags:
        assert not [name for name in attributes if name.startswith("on") or name == "src"]
        assert "url(" not in (attributes.get("style") or "")
    assert all(str(link).startswith(("http://", "https://")) for link in page.links)
    assert not {"\x1b", "\x00", "\x07", "\u202e"} & set(html)


@pytest.mark.parametrize("status", PipelineStatus)
def test_every_status_of_a_run_is_drawn_with_its_icon_and_word(
    book: Book, status: PipelineStatus
) -> None:
    shop = pipeline()
    run = book.run(shop, execution(shop, status=status))
    mark = MARKS[status]
    heading = Page(run_html(run)).text.split("StartPipelineExecution")[0]
    assert mark.icon in heading
    assert mark.word in heading
    assert f"{mark.icon} {mark.word}" in run_text(run).splitlines()[0]


@pytest.mark.parametrize("status", StageStatus)
def test_every_status_of_a_stage_is_drawn_with_its_icon_and_word(
    book: Book, status: StageStatus
) -> None:
    shop = pipeline()
    run = book.run(shop, execution(shop), entered(shop, "Source", status))
    mark = MARKS[status]
    stage = Page(run_html(run)).text.split("\nSource\n")[1].split("\nFetch\n")[0]
    assert mark.icon in stage
    assert mark.word in stage
    assert f"\n{mark.icon} Source  {mark.word}" in run_text(run)


@pytest.mark.parametrize("status", ActionStatus)
def test_every_status_of_an_action_is_drawn_with_its_icon_and_word(
    book: Book, status: ActionStatus
) -> None:
    shop = pipeline()
    row = attempted(shop, "Source", "Fetch", status=status)
    run = book.run(shop, execution(shop), row)
    mark = MARKS[status]
    card = Page(run_html(run)).text.split("\nFetch\n")[1].split("\nBuild\n")[0]
    assert mark.icon in card
    assert mark.word in card
    assert f"{mark.icon} Fetch" in run_text(run)


def test_what_has_not_begun_is_drawn_as_not_started(book: Book) -> None:
    shop = pipeline()
    run = book.run(shop, execution(shop, status=PipelineStatus.FAILED))
    assert Page(run_html(run)).text.count("Not started") == 6
    assert run_text(run).count("Not started") == 6


def test_a_run_in_front_of_a_stage_waits_to_enter_it(book: Book) -> None:
    shop = pipeline()
    done = entered(shop, "Source", StageStatus.SUCCEEDED)
    run = book.run(shop, execution(shop, stage="Build"), done)
    assert "○ Build  Waiting to enter" in run_text(run)
    assert Page(run_html(run)).text.count("Waiting to enter") == 1


def test_an_approval_that_waits_says_what_it_asks_since_when_and_how_to_answer(
    book: Book,
) -> None:
    shop = gated()
    asked = {"CustomData": "Version 1.4\nis ready", "ExternalEntityLink": "https://example.org/x"}
    row = attempted(
        shop, "Live", "Ask", token="t", resolved=asked, deadline=START + timedelta(days=7)
    )
    stage = entered(shop, "Live", StageStatus.IN_PROGRESS)
    run = book.run(shop, execution(shop, stage="Live"), stage, row)
    page = Page(run_html(run))
    facts = (
        "Version 1.4",
        "is ready",
        "since 2026-01-05 14:03 UTC · until 2026-01-12 14:03 UTC",
        "run.approve(action='Ask')",
        "run.reject(action='Ask')",
        "https://example.org/x",
    )
    for fact in facts:
        assert fact in page.text
        assert fact in run_text(run)
    assert page.links == ["https://example.org/x"]
    assert page.text.count("Waiting for approval") == 4  # the run, the stage, the card, the panel
    assert run_text(run).splitlines()[0].startswith(f"shop #1  {WAITING}")


def test_an_answered_approval_says_who_answered_and_what_was_said(book: Book) -> None:
    shop = gated()
    answered = {"status": ActionStatus.SUCCEEDED, "by": "carol", "summary": "looks good"}
    run = book.run(shop, execution(shop), attempted(shop, "Live", "Ask", **answered))
    assert "by carol · looks good" in Page(run_html(run)).text
    assert "by carol · looks good" in run_text(run)


def test_a_failure_is_told_with_its_error_and_the_last_five_lines_of_its_log(
    book: Book,
) -> None:
    shop = pipeline()
    row = attempted(
        shop,
        "Build",
        "Make",
        status=ActionStatus.FAILED,
        attempt=2,
        error=ErrorDetails("JobFailed", "exit code 1"),
    )
    log = "".join(f"\x1b[32mline {number}\x1b[0m <b>\n" for number in range(8))
    run = book.run(shop, execution(shop), row, logs={row.id: log})
    page = Page(run_html(run))
    assert "JobFailed: exit code 1" in page.text
    assert "attempt 2" in page.text
    assert "line 3 <b>\nline 4 <b>\nline 5 <b>\nline 6 <b>\nline 7 <b>" in page.text
    assert "line 2" not in page.text
    assert "    JobFailed: exit code 1\n    | line 3 <b>\n" in run_text(run)


def test_the_tests_of_a_build_are_summed_up_and_the_failed_ones_are_named(book: Book) -> None:
    shop = pipeline()
    failures = (FailedCase("cart.total"), FailedCase(HOSTILE))
    reports = (
        TestReport("unit", ReportFormat.JUNIT_XML, 41, 2, failures=failures),
        TestReport("more", ReportFormat.NUNIT_XML, 1, skipped=3),
    )
    row = attempted(
        shop,
        "Build",
        "Make",
        status=ActionStatus.FAILED,
        error=ErrorDetails("JobFailed", "exit code 1"),
        place="sandbox",
        reports=reports,
    )
    run = book.run(shop, execution(shop), row)
    assert_safe(run_html(run))
    for shown in (Page(run_html(run)).text, run_text(run)):
        assert "ran in sandbox · 42 passed, 2 failed, 3 skipped" in shown
        assert "failed: cart.total\n" in shown
        assert shown.count("failed: ") == 2


def test_a_log_of_long_lines_and_progress_bars_stays_short(book: Book) -> None:
    shop = pipeline()
    row = attempted(shop, "Build", "Make")
    log = "z" * (3 * TAIL_BYTES) + "\n" + "y" * 300 + "\n 10 %\r 50 %\r100 %\r\n"
    run = book.run(shop, execution(shop), row, logs={row.id: log})
    lines = [line for line in run_text(run).splitlines() if line.startswith("    | ")]
    assert lines == ["    | " + "z" * 199 + "…", "    | " + "y" * 199 + "…", "    | 100 %"]
    assert len(run_html(run)) < 20_000


def test_an_action_without_a_log_yet_has_none_drawn(book: Book) -> None:
    shop = pipeline()
    run = book.run(shop, execution(shop), attempted(shop, "Build", "Make"))
    assert "pre" not in {tag for tag, _ in Page(run_html(run)).tags}


def test_a_revision_is_drawn_with_its_short_id_and_the_first_line_of_its_message(
    book: Book,
) -> None:
    shop = pipeline()
    found = Revision(
        "4f9d1c27ab33aa90", "Add a cart\n\nand more", "https://example.org/c/4f9d1c27"
    )
    run = book.run(shop, execution(shop, revisions={"Fetch": found}))
    page = Page(run_html(run))
    assert "4f9d1c27\n Add a cart\n" in page.text
    assert "and more" not in page.text
    assert page.links == ["https://example.org/c/4f9d1c27"]
    assert "\nFetch 4f9d1c27 Add a cart\n" in run_text(run)


@pytest.mark.parametrize(("url", "links"), [("https://b.org/12", 1), ("build 12", 0)])
def test_the_page_of_an_actions_doer_is_linked_where_it_is_one(
    book: Book, url: str, links: int
) -> None:
    shop = pipeline()
    run = book.run(shop, execution(shop), attempted(shop, "Build", "Make", external_url=url))
    page = Page(run_html(run))
    assert page.links == [url] * links
    assert page.text.count("details") == links


def test_a_stopped_run_says_who_stopped_it_and_why(book: Book) -> None:
    shop = pipeline()
    stop = Stop("ben", "wrong branch")
    run = book.run(shop, execution(shop, status=PipelineStatus.STOPPED, stop=stop, summary="-"))
    assert "stopped by ben: wrong branch" in Page(run_html(run)).text
    assert "stopped by ben: wrong branch" in run_text(run)


def test_hostile_text_in_a_definition_never_becomes_markup() -> None:
    action = replace(build(), name=HOSTILE, inputs=(HOSTILE,), namespace=HOSTILE)
    bad = replace(pipeline(Stage(HOSTILE, action)), name=HOSTILE)
    for html in (pipeline_html(bad), stage_html(bad.stages[0]), action_html(action)):
        assert_safe(html)
        assert "<script>alert(1)</script>" in Page(html).text
    assert not {"\x1b", "\x00"} & set(pipeline_text(bad) + action_text(action))


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "https://x y", "//x"])
def test_hostile_text_in_a_run_never_becomes_markup(book: Book, url: str) -> None:
    shop = gated()
    asked = {"CustomData": HOSTILE, "ExternalEntityLink": url}
    failed = attempted(
        shop,
        "Build",
        "Make",
        status=ActionStatus.FAILED,
        error=ErrorDetails(HOSTILE, HOSTILE),
        summary=HOSTILE,
        external_id=HOSTILE,
        external_url=url,
    )
    run = book.run(
        shop,
        execution(
            shop,
            summary=HOSTILE,
            variables={HOSTILE: HOSTILE},
            revisions={"Fetch": Revision(HOSTILE, HOSTILE, url)},
            stop=Stop(HOSTILE, HOSTILE),
        ),
        failed,
        attempted(shop, "Live", "Ask", token="t", resolved=asked),
        logs={failed.id: HOSTILE},
    )
    html = run_html(run)
    assert_safe(html)
    assert Page(html).links == []
    assert url in Page(html).text
    assert not {"\x1b", "\x00"} & set(run_text(run))


def test_actions_of_one_run_order_stand_side_by_side_and_the_others_below() -> None:
    first = (build(name="One"), build(name="Two"))
    stage = Stage("Stage", actions=(*first, deploy(name="Three", run_order=2)))
    lists, depth = [], 0
    for tag, attributes in Page(stage_html(stage)).tags:
        depth += tag in {"ol", "ul"}
        if tag == "ul":
            lists.append(attributes.get("aria-label"))
    assert depth == 3
    assert lists == ["side by side", None]
    assert Page(stage_html(stage)).text.split("↓")[0].count("Two") == 1
    assert Page(stage_html(stage)).text.split("↓")[1].count("Three") == 1
    text = pipeline_text(pipeline(stage))
    assert [line[2:9].rstrip() for line in text.splitlines()[3:]] == ["┌ One", "└ Two", "  Three"]


def test_stages_stand_in_their_order_joined_by_arrows() -> None:
    shop = pipeline()
    text = Page(pipeline_html(shop)).text
    first, second, third = text.split("\n→\n")
    assert "Source\n" in first
    assert "Build\n" in second
    assert "Deploy\n" in third


def test_a_drawing_shows_type_artifacts_namespace_and_gates() -> None:
    page, text = Page(pipeline_html(full())).text, pipeline_text(full())
    for fact in (
        "Build · CodeBuild",
        "Code → Program",
        "writes Code",
        "reads Program",
        "namespace bld",
        "entered if OnMain",
        "left if Built, AtWork",
        "on failure RETRY",
        "V2 · QUEUED · version 7",
        "variables level=info, target",
        "started by changes of Fetch",
    ):
        assert fact in page
        assert fact in text


def test_a_drawing_stands_alone_and_clashes_with_no_other() -> None:
    drawn = pipeline_html(full())
    assert_safe(drawn)
    assert not [attributes for _, attributes in Page(drawn).tags if "id" in attributes]
    outer = Page(drawn).tags[0][1]
    assert outer["role"] == "group"
    assert outer["aria-label"] == "Pipeline shop"
    assert "mathjax_ignore" in str(outer["class"])


def test_a_stage_without_actions_can_be_drawn() -> None:
    empty = Stage("Later")
    assert "Later" in Page(stage_html(empty)).text
    assert "Later" in pipeline_text(pipeline(empty))


def test_a_single_action_is_drawn_as_a_card() -> None:
    action: Action = build()
    assert "Make" in Page(action_html(action)).text
    assert action_text(action) == "Make  Build · CodeBuild  Code → Program    namespace bld"
