"""Parses Terraform's language with python-hcl2, and takes its blocks apart."""

import re
from collections.abc import Iterator
from typing import Any, Final

from pipelinekit.model.noun import Noun
from pipelinekit.tools.documents.document import DocumentError
from pipelinekit.tools.documents.places import MAX_DEPTH, Place, printable

LARGEST: Final = 1024 * 1024
DEEPEST: Final = 200

Tree = Any  # lark's tree: lark is imported where Terraform is really read, since it is an extra
MISSING: Final = (
    "Terraform's language was to be read, and python-hcl2 is not installed; install it with "
    "`pip install 'pipelinekit[terraform]'`, or give what `terraform show -json` prints"
)


class Source(Noun):
    """The text of a file.

    Attributes:
        name: The file, for errors.
        text: What stands in it.
    """

    name: str
    text: str

    def error(self, tree: Tree, found: str, expected: str) -> DocumentError:
        """Make the error about a part of the text."""
        return DocumentError(self.name, line_of(tree), 0, found, expected)

    def words(self, tree: Tree) -> str:
        """Give a part of the text as its author wrote it, in one line."""
        meta = tree.meta
        return " ".join(self.text[meta.start_pos : meta.end_pos].split())

    def place(self, tree: Tree) -> Place:
        """Tell where a part of the text stands."""
        return Place(line_of(tree), 0, key_line=line_of(tree))


class Block(Noun):
    """A block such as `resource "aws_codepipeline" "this" { ... }`.

    Attributes:
        kind: Its first word.
        labels: The words after it.
        body: What stands in its braces.
        source: The file.
    """

    kind: str
    labels: tuple[str, ...]
    body: Tree
    source: Source

    @property
    def attributes(self) -> dict[str, Tree]:
        """Give the expressions of its attributes by name."""
        return attributes_of(self.body, self.source)

    @property
    def blocks(self) -> "list[Block]":
        """Give the blocks in it."""
        return list(blocks_of(self.body, self.source))

    def place(self) -> Place:
        """Tell where it stands."""
        return self.source.place(self.body)


def parse(source: Source) -> Tree:
    """Parse the text of a Terraform file.

    Raises:
        DocumentError: It is not Terraform's language, too large or nested too deep.
    """
    try:
        from hcl2.api import parses_to_tree  # noqa: PLC0415 - an extra, and slow to load
        from lark.exceptions import LarkError, UnexpectedInput  # noqa: PLC0415 - as above
    except ImportError:
        raise DocumentError(source.name, 0, 0, MISSING, "then ask again") from None
    _check(source)
    try:
        tree = parses_to_tree(source.text)
    except UnexpectedInput as error:
        line = error.line if error.line > 0 else source.text.count("\n") + 1
        found = "something that is not Terraform's language"
        raise DocumentError(source.name, line, 0, found, "run `terraform fmt` on it") from None
    except LarkError as error:
        found = f"Terraform's language that cannot be read ({printable(str(error))})"
        raise DocumentError(source.name, 0, 0, found, "run `terraform fmt` on it") from None
    _check_depth(tree, source)
    return tree.children[0]


def expression(text: str, source: Source, line: int) -> Tree:
    """Parse one expression, which stands in text at a line of a file.

    Raises:
        DocumentError: It is none.
    """
    inner = Source(source.name, "\n" * max(line - 1, 0) + f"x = {text}")
    (tree,) = attributes_of(parse(inner), inner).values()
    return tree


def attributes_of(body: Tree, source: Source) -> dict[str, Tree]:
    """Give the expressions of the attributes of a body by name.

    Raises:
        DocumentError: One stands there twice.
    """
    found: dict[str, Tree] = {}
    for child in body.children:
        if child.data == "attribute":
            name = str(child.children[0].children[0])
            if name in found:
                told = f"the attribute {name} a second time"
                raise source.error(
                    child, told, f"keep one: the first is in line {line_of(found[name])}"
                )
            found[name] = child.children[2]
    return found


def blocks_of(body: Tree, source: Source) -> Iterator[Block]:
    """Give the blocks of a body."""
    for child in body.children:
        if child.data == "block":
            words = [each for each in child.children if is_tree(each)]
            kind, *labels = (word(each) for each in words if each.data in _WORDS)
            (body_tree,) = (each for each in words if each.data == "body")
            # An empty body has no position of its own.
            body_tree.meta.line = child.meta.line
            body_tree.meta.empty = False
            yield Block(kind, tuple(labels), body_tree, source)


def is_tree(node: object) -> bool:
    """Tell a tree from a word."""
    return hasattr(node, "children")


def line_of(tree: Tree) -> int:
    """Tell the line of a tree, from 1; 0 where it is not known."""
    return int(getattr(tree.meta, "line", 0))


def word(tree: Tree) -> str:
    """Give a name as it is written, bare or in quotes."""
    if tree.data == "string":
        return "".join(str(part.children[0]) for part in tree.children[1:-1])
    return str(tree.children[0])


_SIGNS: Final = re.compile(r'"(?:[^"\\\n]|\\.)*"|[\[{(\]})\n]')
_WORDS: Final = ("identifier", "string", "keyword")


def _check(source: Source) -> None:
    if len(source.text) > LARGEST:
        found = f"more than {LARGEST} characters"
        raise DocumentError(source.name, 0, 0, found, "make it smaller")
    depth, line = 0, 1
    for sign in _SIGNS.findall(source.text):
        line += sign.count("\n")
        depth += (sign in "[{(") - (sign in "]})")
        if depth > MAX_DEPTH:
            found = f"more than {MAX_DEPTH} levels of nesting"
            raise DocumentError(source.name, line, 0, found, "flatten it")


def _check_depth(tree: Tree, source: Source) -> None:
    level = [tree]
    for _ in range(DEEPEST):
        level = [child for node in level for child in node.children if is_tree(child)]
        if not level:
            return
    raise source.error(level[0], f"more than {DEEPEST} levels of nesting", "flatten it")
