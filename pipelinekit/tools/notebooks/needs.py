"""Which cells have to be executed again, so that a later one finds what it needs."""

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from pipelinekit.tools.notebooks.document import Cell, source, tags

CHECKPOINT: Final = "checkpoint"
"""The tag of a cell that is always replayed: it loads what the ones before it have computed."""

ONCE: Final = "once"
"""The tag of a cell that is never replayed, since what it does must not be done twice."""

WORD: Final = re.compile(r"[^\W\d]\w*")
TRANSPARENT: Final = re.compile(r"\s*%%(time|timeit|capture|prun)\b.*\n")
ASSIGNED_MAGIC: Final = re.compile(r"^(\s*)([\w, ]+=\s*)[!%](.*)$", re.MULTILINE)
MAGIC: Final = re.compile(r"^(\s*)([!%].*)$", re.MULTILINE)
ANYTHING: Final = {"exec", "eval", "globals", "locals", "vars", "get_ipython"}

CHANGING: Final = frozenset(
    {
        *("add", "append", "appendleft", "clear", "discard", "extend", "fit", "insert", "pop"),
        *("popitem", "remove", "reverse", "setdefault", "sort", "update"),
    }
)
"""Methods that change what they are called on, and do nothing else: others might deploy."""


class NotReplayableError(Exception):
    """A cell that is needed again and must not be executed twice."""

    def __init__(self, index: int, names: Sequence[str]) -> None:
        super().__init__(index, names)
        self.index = index
        self.names = tuple(names)


@dataclass(frozen=True, slots=True)
class _Facts:
    binds: frozenset[str] = frozenset()
    reads: frozenset[str] = frozenset()
    is_opaque: bool = False


def needed(cells: Sequence[Cell], first: int) -> frozenset[int]:
    """Choose the cells before `first` that a fresh kernel has to execute before it goes on.

    Those are the ones tagged `checkpoint`, and those that bind or change a name that is read
    from `first` on, or in another one of them. What a cell does to files and to others is not
    done again by itself; nor is the call of a method that is none of Python's own containers.

    Args:
        cells: Of the notebook.
        first: The index of the cell at which it goes on.

    Raises:
        NotReplayableError: One of them is tagged `once`.
    """
    facts = [_facts(cell) for cell in cells]
    wanted = {name for each in facts[first:] for name in each.reads}
    chosen: set[int] = set()
    seen = -1
    while seen != len(chosen):  # a function may read what is bound after it
        seen = len(chosen)
        for index in reversed(range(first)):
            if index not in chosen and _is_needed(index, cells[index], facts[index], wanted):
                chosen.add(index)
                wanted |= facts[index].reads
    return frozenset(chosen)


def _is_needed(index: int, cell: Cell, facts: _Facts, wanted: set[str]) -> bool:
    bound = sorted(facts.binds & wanted)
    if ONCE in tags(cell):
        if bound:
            raise NotReplayableError(index, bound)
        return False
    return bool(bound) or facts.is_opaque or CHECKPOINT in tags(cell)


def _facts(cell: Cell) -> _Facts:
    if cell["cell_type"] != "code":
        return _Facts()
    text = TRANSPARENT.sub("", source(cell), count=1)
    if text.lstrip().startswith("%%"):
        return _Facts(reads=frozenset(WORD.findall(text)))
    magics = " ".join(line for _, line in MAGIC.findall(text))
    plain = MAGIC.sub(r"\1pass", ASSIGNED_MAGIC.sub(r"\1\2None", text))
    try:
        tree = ast.parse(plain)
    except SyntaxError:
        return _Facts(reads=frozenset(WORD.findall(text)), is_opaque=True)
    nodes = list(ast.walk(tree))
    reads = {node.id for node in nodes if isinstance(node, ast.Name)}
    binds = {name for node in nodes for name in _bound(node)}
    is_opaque = "*" in binds or "%" in magics or bool(ANYTHING & reads)
    return _Facts(frozenset(binds), frozenset(reads | set(WORD.findall(magics))), is_opaque)


def _bound(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
            yield name
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            yield name
        case ast.ClassDef(name=name):
            yield name
        case ast.alias(name=name, asname=other):
            yield other or name.partition(".")[0]
        case (
            ast.Attribute(ctx=ast.Store() | ast.Del()) | ast.Subscript(ctx=ast.Store() | ast.Del())
        ):
            yield from _base(node)
        case ast.Call(func=ast.Attribute(attr=method) as called) if method in CHANGING:
            yield from _base(called)
        case _:
            return


def _base(node: ast.AST) -> Iterator[str]:
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    if isinstance(node, ast.Name):
        yield node.id
