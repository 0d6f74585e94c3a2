"""The report of an execution as one page of HTML, which holds no script and asks for nothing."""

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from pipelinekit.kit.report_cells import PICTURES
from pipelinekit.kit.report_facts import Report

PAGE = "report.html.jinja"


def page(report: Report) -> str:
    """Write a report as HTML; whatever it tells is text, and escaped."""
    return _template().render(report=report, pictures=PICTURES)


@cache
def _template() -> Template:
    loader = PackageLoader("pipelinekit.kit", "pages")
    pages = Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return pages.get_template(PAGE)
