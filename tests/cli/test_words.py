"""Words for people: durations, and text of strangers made harmless."""

from pathlib import Path

import pytest

from pipelinekit.cli.words import SIGNS, harmless, one_line, span, tail
from pipelinekit.model.execution import ActionStatus, PipelineStatus, StageStatus


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
    assert span(seconds) == words


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07after", "after"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1bPstring\x1b\\after", "after"),
        ("a\x1b", "a"),
        ("back\x08wards\x7f\u202e", "backwards"),
        ("10 %\r50 %\r100 %\r\nnext", "100 %\nnext"),
        ("a\tb", "a   b"),
        ("[bold]✓ ünï[/bold]", "[bold]✓ ünï[/bold]"),
    ],
)
def test_what_a_terminal_would_obey_is_taken_out(text: str, shown: str) -> None:
    assert harmless(text) == shown


def test_text_is_put_into_one_line_that_is_not_too_long() -> None:
    assert one_line("a\nb  c", 80) == "a b c"
    assert one_line("abcdef", 4) == "abc…"


def test_the_end_of_a_long_log_is_read_without_its_empty_lines(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("x" * 100_000 + "\nlast but one\n\nlast\n\n", encoding="utf-8")
    assert tail(log, 2) == ["last but one", "last"]


def test_a_log_that_is_not_there_has_no_lines(tmp_path: Path) -> None:
    assert tail(tmp_path / "log", 2) == []


@pytest.mark.parametrize("status", [*PipelineStatus, *StageStatus, *ActionStatus])
def test_every_status_has_an_icon_and_a_word(status: str) -> None:
    assert len(SIGNS[status].icon) == 1
    assert SIGNS[status].word
