"""Reads the text of report files, which are of strangers: XML without entities, and JSON."""

import json
import math
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from pipelinekit.tools.documents.places import JSON
from pipelinekit.wire.words import one_line

SHOWN = 60


class ReportError(ValueError):
    """A report file cannot be read, or is of another format than is said; the text tells why."""


def read_xml(content: bytes, *roots: str) -> Element:
    """Read an XML document, and take the namespaces off its names.

    Args:
        content: The document, in the encoding that it declares.
        roots: The names that its root may have.

    Raises:
        ReportError: It is no XML, declares entities, or has another root.
    """
    try:
        root: Element = fromstring(content)
    except (ParseError, LookupError, ValueError) as error:
        # An entity is refused before it is built, with a ValueError of defusedxml's own.
        declared = "it declares entities" if isinstance(error, DefusedXmlException) else str(error)
        raise ReportError(f"it is no XML that can be read: {one_line(declared)}") from None
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    if root.tag not in roots:
        found = one_line(root.tag, SHOWN)
        raise ReportError(f"its root is <{found}>, which should be <{'> or <'.join(roots)}>")
    return root


def read_json(content: bytes) -> JSON:
    """Read a JSON document.

    Args:
        content: The document, in UTF-8, UTF-16 or UTF-32.

    Raises:
        ReportError: It is no JSON, or nested too deeply.
    """
    try:
        value: JSON = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ReportError(f"it is no JSON that can be read: {one_line(str(error))}") from None
    return value


def number(text: str | None) -> float:
    """Read a number that is not negative, perhaps with commas; 0 where there is none."""
    try:
        value = float((text or "").replace(",", ""))
    except ValueError:
        return 0.0
    return value if math.isfinite(value) and value > 0 else 0.0
