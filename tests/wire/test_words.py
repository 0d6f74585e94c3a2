"""Words for people: statuses, durations, times, and text of strangers made harmless."""

from datetime import UTC, datetime

import pytest

from pipelinekit.model.status import ActionStatus, ApprovalStatus, PipelineStatus, StageStatus
from pipelinekit.wire.words import (
    AT_THE_DOOR,
    MARKS,
    NOT_STARTED,
    clean,
    clock,
    duration,
    flat,
    one_line,
    shortened,
)

STATUSES = [*PipelineStatus, *StageStatus, *ActionStatus, *ApprovalStatus]
DECISIONS = ["Approved", "Rejected", "Expired", "Abandoned", "Waiting"]


@pytest.mark.parametrize("status", [*STATUSES, *DECISIONS])
def test_every_status_and_every_decision_has_an_icon_and_a_word(status: str) -> None:
    assert len(MARKS[status].icon) == 1
    assert MARKS[status].word


def test_no_two_marks_share_their_word_and_no_icon_has_two_tones() -> None:
    every = {*MARKS.values(), NOT_STARTED, AT_THE_DOOR}
    assert len({mark.word for mark in every}) == len(every)
    assert len({(mark.icon, mark.tone) for mark in every}) == len({mark.icon for mark in every})


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0.0 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min 0 s"),
        (125, "2 min 5 s"),
        (3599.6, "1 h 0 min"),
        (3780, "1 h 3 min"),
        (86_399.9, "1 d 0 h"),
        (187_200, "2 d 4 h"),
    ],
)
def test_a_duration_is_put_in_two_units_at_most(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_a_time_is_put_as_local_time() -> None:
    at = datetime(2026, 1, 5, 14, 3, 7, tzinfo=UTC)
    assert datetime.fromisoformat(clock(at)).astimezone() == at


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07after", "after"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x07", "link"),
        ("\x1bPstring\x1b\\after", "after"),
        ("\x1b(Bplain\x1b7", "plain"),
        ("a\x1b", "a"),
        ("\x1b\x1b[31mred", "red"),
        ("back\x08wards\x7f\u202e\x00", "backwards"),
        ("a\u00a0b\u2028c", "a b c"),
        ("a\tb", "a   b"),
        ("[bold]✓ ünï[/bold]", "[bold]✓ ünï[/bold]"),
    ],
)
def test_what_a_terminal_would_obey_is_taken_out(text: str, shown: str) -> None:
    assert clean(text) == shown
    assert flat(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\n\n  b\n", "a\n\n  b\n"),
        ("10 %\r50 %\r100 %\r\nnext", "100 %\nnext"),
        ("\x1b]0;never ended\nnext\x1bPnor this\nlast", "\nnext\nlast"),
    ],
)
def test_lines_stay_lines_each_as_a_progress_bar_leaves_it(text: str, shown: str) -> None:
    assert clean(text) == shown


def test_lines_become_one_and_keep_their_columns() -> None:
    assert flat("a\nb\rc   d") == "a b c   d"


def test_text_is_put_into_one_line_that_is_not_too_long() -> None:
    assert one_line("a\nb  c", 80) == "a b c"
    assert one_line("abc def", 4) == "abc…"


def test_text_that_is_too_long_ends_in_an_ellipsis() -> None:
    assert shortened("abcd", 4) == "abcd"
    assert shortened("abcde", 4) == "abc…"
