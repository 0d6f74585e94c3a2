"""Facts are put into few words."""

from pipelinekit.widgets import wording


def test_a_paragraph_keeps_its_lines_and_says_where_some_are_missing() -> None:
    assert wording.paragraph("a\nb\n") == ("a", "b")
    assert wording.paragraph("a\nb\nc\nd", most=3) == ("a", "b", "…")
    assert wording.paragraph("") == ()
