"""The environments of a project in notebooks: a row for each, in the order of promotion."""

from collections.abc import Iterator

from pipelinekit.kit.environment_words import HEADINGS, cells
from pipelinekit.kit.environments import Environments
from pipelinekit.runtime.clock import now
from pipelinekit.widgets.table import table_html, table_text, titled


def environments_html(known: Environments) -> str:
    """Draw environments as a table."""
    return table_html(titled("Environments", known.source), HEADINGS, list(_rows(known)))


def environments_text(known: Environments) -> str:
    """Write environments as a table."""
    return table_text(f"Environments of {known.source}", HEADINGS, list(_rows(known)))


def _rows(known: Environments) -> Iterator[tuple[str, ...]]:
    return (cells(each, now()) for each in known.values())
