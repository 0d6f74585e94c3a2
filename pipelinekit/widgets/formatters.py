"""Tells IPython how to show pipelines, runs, releases and the like, where it is there."""

import sys
from collections.abc import Callable
from typing import Protocol

from pipelinekit import widgets


class Page(Protocol):
    """What IPython hands to a formatter of plain text."""

    def text(self, text: str) -> None:
        """Write text down."""
        ...


SHOWN = {
    "pipeline": ("pipelinekit.model.pipeline", "Pipeline"),
    "stage": ("pipelinekit.model.pipeline", "Stage"),
    "action": ("pipelinekit.model.action", "Action"),
    "steps": ("pipelinekit.model.action", "Steps"),
    "run": ("pipelinekit.kit.run", "Run"),
    "release": ("pipelinekit.kit.release", "Release"),
    "environments": ("pipelinekit.kit.environments", "Environments"),
    "plan": ("pipelinekit.engine.planned", "Plan"),
}


def register() -> None:
    """Have IPython draw our objects when they end a cell; without a living IPython do nothing.

    Neither IPython nor the kit is imported: the types are named, and the drawing is loaded when
    the first object is shown.
    """
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is None:
        return
    formatters = shell.display_formatter.formatters
    for noun, (module, name) in SHOWN.items():
        formatters["text/html"].for_type_by_name(module, name, _drawn(noun))
        formatters["text/plain"].for_type_by_name(module, name, _written(noun))


def _drawn(noun: str) -> Callable[[object], str]:
    def draw(shown: object) -> str:
        return _form(f"{noun}_html")(shown)

    return draw


def _written(noun: str) -> Callable[[object, Page, bool], None]:
    def write(shown: object, page: Page, cycle: bool) -> None:  # noqa: ARG001, FBT001 - IPython's
        page.text(_form(f"{noun}_text")(shown))

    return write


def _form(name: str) -> Callable[[object], str]:
    form: Callable[[object], str] = getattr(widgets, name)
    return form
