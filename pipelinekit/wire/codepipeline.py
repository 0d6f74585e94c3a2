"""Turns the JSON that create-pipeline takes and get-pipeline gives into nouns, and back.

Source: codepipeline.md, sections 2.1 to 2.7 (members) and 2.10 (what GetPipeline fills in).
"""

from collections.abc import Iterable

from msgspec.structs import replace

from pipelinekit.model.errors import DefinitionError, Fault, Path
from pipelinekit.model.pipeline import Pipeline
from pipelinekit.tools.documents import document
from pipelinekit.tools.documents.document import JSON, Document, Form
from pipelinekit.wire.declaration_reader import read_pipeline
from pipelinekit.wire.declaration_writer import write_pipeline
from pipelinekit.wire.members import Faults, Members
from pipelinekit.wire.plain_text import write_text


def read(data: JSON) -> Pipeline:
    """Read a pipeline from CodePipeline's JSON.

    Args:
        data: The answer of get-pipeline, the input of create-pipeline, or the bare declaration.

    Raises:
        DefinitionError: A member is missing, unknown, of the wrong type or no known word; the
            error holds all such faults.
    """
    faults = Faults()
    inside = _wrapped(data)
    pipeline = faults.read(data if inside is None else inside["pipeline"], (), read_pipeline)
    if inside is not None:
        faults.read(inside, (), _skip_what_stands_beside)
    if faults.found:
        raise DefinitionError(pipeline.name or "the pipeline", tuple(faults.found))
    return pipeline


def write(pipeline: Pipeline) -> dict[str, JSON]:
    """Write a pipeline as GetPipeline gives it: with its defaults filled in."""
    return {"pipeline": write_pipeline(pipeline)}


def parse(text: str, name: str) -> Pipeline:
    """Read a pipeline from JSON or YAML text.

    Args:
        text: The definition.
        name: The name of the text for errors; JSON when it ends in `.json`, else YAML.

    Raises:
        DocumentError: The text is no JSON or YAML.
        DefinitionError: It is, but not a pipeline; each fault bears its line.
    """
    source = document.parse(text, name)
    try:
        return read(source.data)
    except DefinitionError as error:
        raise DefinitionError(name, locate(error.faults, source)) from None


def locate(faults: Iterable[Fault], source: Document) -> tuple[Fault, ...]:
    """Give the faults of a pipeline the lines of the document that it was read from."""
    beside = _wrapped(source.data) or {}
    return tuple(replace(fault, line=source.line(_path(fault, beside))) for fault in faults)


def inner(source: Document) -> Path:
    """Give the path of the declaration in the document that it was read from."""
    return () if _wrapped(source.data) is None else ("pipeline",)


def text(pipeline: Pipeline, form: Form = Form.JSON) -> str:
    """Write a pipeline as JSON or YAML text, which `parse` reads back."""
    return write_text(write(pipeline), form)


def _wrapped(data: JSON) -> dict[str, JSON] | None:
    return data if isinstance(data, dict) and "pipeline" in data else None


def _skip_what_stands_beside(given: Members) -> None:
    given.skip("pipeline", "metadata", "tags", "ResponseMetadata")


def _path(fault: Fault, wrapped: dict[str, JSON]) -> Path:
    inside = bool(wrapped) and not any(step in wrapped for step in fault.path[:1])
    return ("pipeline", *fault.path) if inside else fault.path
