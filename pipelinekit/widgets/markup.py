"""HTML that is safe by the way it is made: whatever is not markup yet is cleaned and escaped."""

import re
from html import escape

from pipelinekit.wire.words import flat

_WEB_ADDRESS = re.compile(r"https?://[^\s<>\"'`\\]+", re.IGNORECASE)


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


def tag(name: str, *content: str, style: str = "", **attributes: str) -> Html:
    """Make an element.

    Args:
        name: The element's name.
        content: What stands in it: `Html` as it is, any other text escaped.
        style: Its declarations.
        attributes: Others, with `_` for `-`; those without a value are left out.
    """
    given = {"style": style, **attributes}
    written = "".join(
        f' {key.replace("_", "-")}="{_escaped(value)}"' for key, value in given.items() if value
    )
    return Html(f"<{name}{written}>{joined(*content)}</{name}>")


def joined(*parts: str) -> Html:
    """Put parts after each other: `Html` as it is, any other text escaped."""
    return Html("".join(part if isinstance(part, Html) else _escaped(part) for part in parts))


def link(text: str, url: str, *, style: str = "") -> Html:
    """Make a link to a web page; a URL of any other scheme is not followed, so it is left out."""
    if not web_address(url):
        return tag("span", text)
    return tag("a", text, style=style, href=url, target="_blank", rel="noopener noreferrer")


def web_address(url: str) -> bool:
    """Tell whether a text is an http or https URL and nothing else."""
    return url.isprintable() and _WEB_ADDRESS.fullmatch(url) is not None


def _escaped(text: str) -> str:
    return escape(flat(text))
