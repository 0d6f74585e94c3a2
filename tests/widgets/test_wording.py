"""Facts are put into few words."""

import pytest

from pipelinekit.widgets import wording


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0.0 s"),
        (41.26, "41.3 s"),
        (59.97, "1 min 0 s"),
        (60, "1 min 0 s"),
        (3599.7, "1 h 0 min"),
        (4000, "1 h 6 min"),
        (86_399.9, "1 d 0 h"),
        (200_000, "2 d 7 h"),
    ],
)
def test_a_duration_is_told_in_its_two_greatest_units(seconds: float, said: str) -> None:
    assert wording.duration(seconds) == said


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]8;;https://example.org\x1b\\link\x1b]8;;\x07", "link"),
        ("\x1b(Bplain\x1b7", "plain"),
        ("a\tb\x00c\u202ed", "a b c d"),
        ("\x1b", " "),
        ("Grüße ✓", "Grüße ✓"),
    ],
)
def test_terminal_codes_are_taken_out_of_foreign_text(text: str, left: str) -> None:
    assert wording.clean(text) == left


def test_a_paragraph_keeps_its_lines_and_says_where_some_are_missing() -> None:
    assert wording.paragraph("a\nb\n") == ("a", "b")
    assert wording.paragraph("a\nb\nc\nd", most=3) == ("a", "b", "…")
    assert wording.paragraph("") == ()
