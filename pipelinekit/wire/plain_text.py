"""Writes plain data as JSON or YAML text for people."""

import json
from collections.abc import Mapping

import yaml

from pipelinekit.tools.documents.document import JSON, Form


def write_text(data: Mapping[str, JSON], form: Form) -> str:
    """Write data as text that ends with its line; scripts stay readable in YAML.

    Args:
        data: What is written.
        form: JSON or YAML.
    """
    if form is Form.JSON:
        return json.dumps(data, indent=2, ensure_ascii=False) + "\n"
    return yaml.dump(dict(data), Dumper=_Dumper, sort_keys=False, allow_unicode=True)


class _Dumper(yaml.SafeDumper):
    """Writes scripts line by line, and keeps the line breaks that YAML would turn into blanks."""

    def represent_text(self, text: str) -> yaml.ScalarNode:
        folded = any(mark in text for mark in "\x85\u2028\u2029")
        style = '"' if folded else "|" if "\n" in text else None
        return self.represent_scalar("tag:yaml.org,2002:str", text, style)

    def ignore_aliases(self, _data: object) -> bool:
        return True


_Dumper.add_representer(str, _Dumper.represent_text)
