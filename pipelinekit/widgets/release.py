"""A release in notebooks: a row for each environment."""

from collections.abc import Iterator

from pipelinekit.kit.release import Release, Released
from pipelinekit.widgets import look
from pipelinekit.widgets.markup import tag
from pipelinekit.widgets.table import table_html, table_text, titled
from pipelinekit.wire.words import duration, one_line

HEADINGS = ("Environment", "Status", "Time", "Artifact", "What was told", "Notebook")
DIGEST_SHOWN = 12
NO_EMOJI = "\N{VARIATION SELECTOR-15}"


def release_html(release: Release) -> str:
    """Draw a release as a table; what an environment waits for or failed of is told in its row."""
    rows = []
    for each in release.results:
        mark = f"{each.mark.icon}{NO_EMOJI} {each.mark.word}"
        name, _, *rest = _cells(each)
        rows.append((name, tag("span", mark, style=look.pill(each.mark.tone)), *rest))
    title = titled(f"Release of {release.promotion.path}", str(release.mark))
    return table_html(title, HEADINGS, rows)


def release_text(release: Release) -> str:
    """Write a release as a table; see `release_html`."""
    title = f"Release of {release.promotion.path}: {release.mark}"
    return table_text(title, HEADINGS, list(_rows(release)))


def _rows(release: Release) -> Iterator[tuple[str, ...]]:
    return map(_cells, release.results)


def _cells(each: Released) -> tuple[str, ...]:
    return (
        each.environment,
        str(each.mark),
        "" if each.seconds is None else duration(each.seconds),
        f"sha256:{each.digest[:DIGEST_SHOWN]}" if each.digest else "",
        one_line(each.told),
        each.notebook.name if each.notebook else "",
    )
