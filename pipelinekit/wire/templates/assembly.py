"""What is found in a template: pipelines as CodePipeline has them, and what belongs to them."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import field

from pipelinekit.model.noun import Noun
from pipelinekit.tools.documents.document import JSON, Document, DocumentError
from pipelinekit.wire.templates.gaps import MARK, Gaps, is_open
from pipelinekit.wire.templates.pieces import NOWHERE, Piece, at, document, listing, mapping

WHOLE: Final = frozenset({"runOrder", "timeoutInMinutes"})
_BUCKET: Final = 63
_SHORT: Final = 40
ROLE: Final = "arn:aws:iam::000000000000:role/"


class Declared(Noun):
    """A pipeline of a template.

    Attributes:
        id: What the template calls it.
        name: Its own name.
        source: Its declaration, with the lines of the template.
        notes: What cannot be said in a declaration.
    """

    id: str
    name: str
    source: Document
    notes: tuple[str, ...] = ()


class Assembly(Noun):
    """What is found in one file, or in the files of one folder.

    Attributes:
        pipelines: Its pipelines.
        projects: Its CodeBuild projects, as `batch-get-projects` prints them.
        webhooks: Its webhooks, as PutWebhook takes them.
        notes: What was assumed.
        left: Names of resources that are not brought along, by their types.
    """

    pipelines: tuple[Declared, ...]
    projects: Document
    webhooks: tuple[JSON, ...] = ()
    notes: tuple[str, ...] = ()
    left: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def choose(self, name: str | None, file: str) -> Declared:
        """Give the pipeline of a name, or the only one.

        Args:
            name: What the pipeline or its resource is called; None for the only one.
            file: For the error.

        Raises:
            DocumentError: There is none, or it is not clear which.
        """
        known = ", ".join(
            each.name if each.name == each.id else f"{each.name} ({each.id})"
            for each in self.pipelines
        )
        found = [each for each in self.pipelines if name in {None, each.name, each.id}]
        if len(found) == 1:
            return found[0]
        if not self.pipelines:
            raise DocumentError(
                file,
                0,
                0,
                "no pipeline",
                "give a file that has one; for Terraform modules, what "
                "`terraform show -json` prints",
            )
        told = f"{len(self.pipelines)} pipelines: {known}"
        raise DocumentError(file, 0, 0, told, "name one of them with --pipeline")


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
    if member == "roleArn" and text.startswith(MARK):
        return at(piece.place, f"{ROLE}{text}")
    if member == "location" and is_open(text) and len(text) > _BUCKET:
        gap = next(gaps.explain(text))
        short = re.sub(r"^[^.]*\.", "", gap.key[-_SHORT:])
        return at(piece.place, gaps.text(short, gap.why))
    return piece
