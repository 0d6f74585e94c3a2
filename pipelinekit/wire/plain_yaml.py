"""Writes plain data as YAML for people."""

from collections.abc import Mapping

import yaml

from pipelinekit.tools.documents.document import JSON


def yaml_text(data: Mapping[str, JSON]) -> str:
    """Write data as YAML, in which scripts stay readable.

    Args:
        data: What is written.
    """
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
