"""What is found in a template: pipelines as CodePipeline has them, and what belongs to them."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from msgspec import field

from pipelinekit.model.noun import Noun
from pipelinekit.tools.documents.document import Document, DocumentError
from pipelinekit.wire.templates.gaps import Gaps, is_open
from pipelinekit.wire.templates.pieces import NOWHERE, Piece, at, document, listing, mapping

WHOLE: Final = frozenset({"runOrder", "timeoutInMinutes"})
_BUCKET: Final = 63
_SHORT: Final = 40
ROLE: Final = "arn:aws:iam::000000000000:role/"
_ROLE_ARN = re.compile(r"arn:aws(-\w+)*:iam::\d{12}:role/.*")
_NAMES: Final = frozenset({"roleArn", "location", "name"})
"""Members that have a form, in which no reference to another place can stand."""


class Declared(Noun, gc=True):
    """A pipeline of a template.

    Attributes:
        id: What the template calls it.
        name: Its own name.
        source: Its declaration, with the lines of the template.
        notes: What cannot be said in a declaration.
        stack: The stack that it is in, where there are several.
        fault: Why it cannot be read; None where it can.
    """

    id: str
    name: str
    source: Document
    notes: tuple[str, ...] = ()
    stack: str = ""
    fault: DocumentError | None = None

    @property
    def address(self) -> str:
        """Give what no other pipeline of the file is called."""
        return f"{self.stack}/{self.id}" if self.stack else self.id

    def is_called(self, name: str) -> bool:
        """Tell whether a user may mean this one by a name."""
        return name in {self.name, self.id, self.address, self.stack}

    def __str__(self) -> str:
        return self.name if self.name == self.address else f"{self.name} ({self.address})"


class Assembly(Noun, gc=True):
    """What is found in one file, in the files of one folder, or in one stack of several.

    Attributes:
        pipelines: Its pipelines.
        projects: Its CodeBuild projects, as `batch-get-projects` prints them.
        webhooks: Its webhooks, as PutWebhook takes them.
        notes: What was assumed, and what could not be read.
        left: Names of resources that are not brought along, by their types.
        unmade: Pipelines that are not made, with the reason of each.
    """

    pipelines: tuple[Declared, ...]
    projects: Document
    webhooks: tuple[Piece, ...] = ()
    notes: tuple[str, ...] = ()
    left: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unmade: tuple[str, ...] = ()


def choose(found: Sequence[Assembly], name: str | None, file: str) -> tuple[Assembly, Declared]:
    """Give the pipeline of a name, or the only one, with what it was found in.

    Args:
        found: Where to look.
        name: What the pipeline, its resource or its stack is called; None for the only one.
        file: For the error.

    Raises:
        DocumentError: There is none, it is not clear which, or it cannot be read.
    """
    all_of_them = [(each, one) for each in found for one in each.pipelines]
    meant = [pair for pair in all_of_them if name is None or pair[1].is_called(name)]
    if len(meant) != 1:
        unmade = ", ".join(reason for each in found for reason in each.unmade)
        raise _unclear([one for _, one in all_of_them], unmade, file)
    ((assembly, declared),) = meant
    if declared.fault is not None:
        raise declared.fault
    return assembly, declared


def _unclear(pipelines: Sequence[Declared], unmade: str, file: str) -> DocumentError:
    besides = f" ({unmade})" if unmade else ""
    if pipelines:
        told = f"{len(pipelines)} pipelines: {', '.join(map(str, pipelines))}{besides}"
        return DocumentError(file, 0, 0, told, "name one of them with --pipeline")
    advice = "give a file that has one; for Terraform modules, what `terraform show -json` prints"
    if unmade:
        advice = "give --parameter KEY=VALUE for what decides it"
    return DocumentError(file, 0, 0, f"no pipeline{besides}", advice)


def projects_document(projects: Iterable[Piece], name: str) -> Document:
    """Put CodeBuild projects together as `batch-get-projects` prints them."""
    return document(mapping({"projects": listing(projects, NOWHERE)}, NOWHERE), name)


def standing_in(member: str, piece: Piece, gaps: Gaps) -> Piece:
    """Give a placeholder the form that its member must have, and numbers theirs.

    Args:
        member: The name of the member that the value is for.
        piece: The value, which is text.
        gaps: Which keeps why it is not known.
    """
    text = piece.data
    if not isinstance(text, str):
        return piece
    if member in WHOLE and text.isdecimal():
        return at(piece.place, int(text))
    if member in _NAMES:
        text = gaps.named(text)
    if member == "roleArn" and is_open(text) and not _ROLE_ARN.fullmatch(text):
        text = ROLE + "/".join(gaps.text(each.key, each.why) for each in gaps.explain(text))
    if member == "location" and is_open(text) and len(text) > _BUCKET:
        gap = next(gaps.explain(text))
        text = gaps.text(gap.key, gap.why, _SHORT)
    return at(piece.place, text)
