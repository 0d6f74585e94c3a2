"""Stands in for values that a template does not tell, so that none is lost or made up."""

import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from pipelinekit.model.errors import Path
from pipelinekit.model.noun import Noun
from pipelinekit.tools.documents.document import JSON

MARK = "UNRESOLVED-"
DYNAMIC = re.compile(r"\{\{resolve:[^}]*\}\}")
"""What CloudFormation itself looks up in Parameter Store or Secrets Manager."""

_ANY = re.compile(rf"{MARK}[A-Za-z0-9-]+|{DYNAMIC.pattern}")


class Gap(Noun):
    """A value that is not in the file.

    Attributes:
        key: What would tell it: `--parameter KEY=VALUE`.
        why: Why it is not known.
    """

    key: str
    why: str


@dataclass(slots=True)
class Gaps:
    """Writes a placeholder for each value that is not known, and remembers why.

    Attributes:
        known: Values that were given, by their keys.
        used: The keys that were asked for, or could have been.
        secrets: Values that were told and are secret.
    """

    known: Mapping[str, str] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    secrets: set[str] = field(default_factory=set)
    _found: dict[str, Gap] = field(default_factory=dict)

    def given(self, key: str) -> str | None:
        """Give the value that was given for a key; None where none was."""
        if key in self.known:
            self.used.add(key)
        return self.known.get(key)

    def filled(self, text: str) -> str:
        """Put what was given for the placeholders that a file itself holds in their places."""

        def told(match: re.Match[str]) -> str:
            given = self.given(match[0])
            return match[0] if given is None else given

        return _ANY.sub(told, text)

    def named(self, text: str) -> str:
        """Write placeholders, which names may consist of, for what CloudFormation looks up."""
        return DYNAMIC.sub(lambda match: self.text(match[0], _elsewhere(match[0])), text)

    def text(self, key: str, why: str, longest: int = sys.maxsize) -> str:
        """Give the value that was given for a key, or else a placeholder for it.

        Args:
            key: What would tell it.
            why: Why it is not known otherwise.
            longest: How many characters of the key a placeholder has at most, from its end.
        """
        told = self.given(key)
        if told is not None:
            return told
        base = placeholder(key[-longest:])
        for text in (base, *(f"{base}-{number}" for number in range(2, 1000))):
            if self._found.setdefault(text, Gap(key, why)).key == key:
                return text
        return base

    def within(self, known: Mapping[str, str]) -> "Gaps":
        """Give gaps for one file of several, of which more is known.

        Args:
            known: Values of that file, by their keys; those that were given prevail.
        """
        return Gaps({**known, **self.known}, self.used, self.secrets, self._found)

    def explain(self, text: str) -> Iterator[Gap]:
        """Explain each placeholder in a text."""
        names = sorted(self._found, key=len, reverse=True)
        for match in _ANY.finditer(text):
            name = next((each for each in names if match[0].startswith(each)), None)
            yield self._found[name] if name else Gap(match[0], _elsewhere(match[0]))


def placeholder(key: str) -> str:
    """Write the placeholder for a value; any name may consist of its letters, digits and `-`."""
    return MARK + re.sub(r"[^A-Za-z0-9]+", "-", key).strip("-")


def is_open(text: object) -> bool:
    """Tell whether a text holds a placeholder."""
    return isinstance(text, str) and _ANY.search(text) is not None


def placeholders(text: str) -> list[str]:
    """List the placeholders in a text."""
    return _ANY.findall(text)


def leaves(data: JSON, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Go through the texts in data, each with its path."""
    match data:
        case dict():
            for key, value in data.items():
                yield from leaves(value, (*path, key))
        case list():
            for index, value in enumerate(data):
                yield from leaves(value, (*path, index))
        case str():
            yield path, data
        case _:
            pass


def _elsewhere(text: str) -> str:
    return "CloudFormation looks it up" if text.startswith("{{") else "no file told it"
