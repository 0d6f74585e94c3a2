"""The colours of statuses on a terminal, by the names that click and rich both know."""

from pipelinekit.wire.words import Mark, Tone

_COLOURS = {
    Tone.GOOD: "green",
    Tone.BAD: "red",
    Tone.BUSY: "blue",
    Tone.ASKING: "yellow",
    Tone.OVER: "bright_black",
    Tone.AHEAD: "bright_black",
}


def colour(mark: Mark) -> str:
    """Give the colour in which a status is shown."""
    return _COLOURS[mark.tone]
