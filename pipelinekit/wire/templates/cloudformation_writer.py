"""Writes a pipeline and its CodeBuild projects as a CloudFormation template."""

import re
from collections.abc import Iterable
from typing import Final

from pipelinekit.model.pipeline import Pipeline
from pipelinekit.tools.documents.document import JSON, Form
from pipelinekit.wire.declaration_writer import write_pipeline
from pipelinekit.wire.plain_text import write_text
from pipelinekit.wire.templates.template import PIPELINE, PROJECT

VERSION: Final = "2010-09-09"
SAME: Final = {"buildspec": "BuildSpec"}


def write_cloudformation(pipeline: Pipeline, projects: Iterable[dict[str, JSON]] = ()) -> str:
    """Write a template in YAML, which is read back equal.

    Args:
        pipeline: The pipeline; its version is what CodePipeline counts, and not in templates.
        projects: CodeBuild projects, as `batch-get-projects` prints them.
    """
    taken: dict[str, JSON] = {}
    _add(taken, pipeline.name, PIPELINE, _pipeline(pipeline))
    for each in projects:
        _add(taken, str(each["name"]), PROJECT, _pascal(each))
    return write_text({"AWSTemplateFormatVersion": VERSION, "Resources": taken}, Form.YAML)


def _add(resources: dict[str, JSON], name: str, kind: str, properties: JSON) -> None:
    # A logical id has letters and digits only.
    words = re.findall(r"[A-Za-z0-9]+", name) or ["Resource"]
    base = "".join(word[:1].upper() + word[1:] for word in words) + kind.rpartition("::")[2]
    key = next(
        each
        for each in (base, *(f"{base}{number}" for number in range(2, len(resources) + 3)))
        if each not in resources
    )
    resources[key] = {"Type": kind, "Properties": properties}


def _pipeline(pipeline: Pipeline) -> JSON:
    declaration = write_pipeline(pipeline)
    del declaration["version"]
    stores = declaration.pop("artifactStores", None)
    written = _pascal(declaration)
    if isinstance(written, dict) and isinstance(stores, dict):
        written["ArtifactStores"] = [
            {"Region": region, "ArtifactStore": _pascal(store)} for region, store in stores.items()
        ]
    return written


def _pascal(data: JSON) -> JSON:
    match data:
        case dict():
            return {
                SAME.get(key, key[:1].upper() + key[1:]): (
                    value if key == "configuration" else _pascal(value)
                )
                for key, value in data.items()
                if not (key == "configuration" and not value)
            }
        case list():
            return [_pascal(each) for each in data]
        case _:
            return data
