"""Writes plain data as JSON or YAML text for people."""

import json
from collections.abc import Mapping

from pipelinekit.tools.documents.document import JSON, Form


def write_text(data: Mapping[str, JSON], form: Form) -> str:
    """Write data as text that ends with its line; scripts stay readable in YAML.

    Args:
        data: What is written.
        form: JSON or YAML.
    """
    if form is Form.JSON:
        return json.dumps(data, indent=2, ensure_ascii=False) + "\n"
    from pipelinekit.wire.plain_yaml import yaml_text  # noqa: PLC0415 - brings PyYAML along

    return yaml_text(data)
