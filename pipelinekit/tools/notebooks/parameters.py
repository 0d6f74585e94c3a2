"""The parameters of a notebook: read from its own cell, and values checked against them.

```python
for each in parameters(Path("release.ipynb")):
    print(each.name, each.type, each.default, each.help)
typed = check(Path("release.ipynb"), {"replicas": "3"})  # {"replicas": 3}
```
"""

import ast
import re
import tokenize
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from io import StringIO
from pathlib import Path
from typing import Final

from pipelinekit.tools.documents.places import printable
from pipelinekit.tools.notebooks.document import (
    PARAMETERS,
    NotebookError,
    language,
    read_notebook,
    runs,
    source,
    tags,
)
from pipelinekit.tools.notebooks.types import WrongTypeError, fit, type_of

TYPE_COMMENT: Final = re.compile(r"type:\s*(\S+)\s*(.*)")
MAGIC: Final = re.compile(r"^(\s*)[%!].*$", re.MULTILINE)
SHOWN: Final = 60


class ParameterError(NotebookError):
    """Values that do not fit the parameters of a notebook.

    Attributes:
        faults: One for each value, in the words of the message.
    """

    def __init__(self, what: str, faults: list[str]) -> None:
        super().__init__("\n  ".join((what, *faults)) if len(faults) > 1 else what + faults[0])
        self.faults = tuple(faults)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter, as a notebook declares it.

    Attributes:
        name: Of the variable.
        type: Its hint, else the type of its default; None where neither can be told.
        default: The default, where it is written out; None otherwise.
        code: The default as it stands there; None where there is none, and a value is needed.
        help: The comment on its line.
        cell: Which of the cells with code declares it, counted from 1 as Jupyter does.
        line: Which line of that cell, counted from 1.
        hinted: Whether the type is a hint of the author.
    """

    name: str
    type: str | None
    default: object
    code: str | None
    help: str
    cell: int
    line: int
    hinted: bool = False

    @property
    def required(self) -> bool:
        """Tell whether it has no default."""
        return self.code is None

    @property
    def place(self) -> str:
        """Say where it is declared."""
        return f"cell {self.cell}, line {self.line}"


def parameters(path: Path) -> tuple[Parameter, ...]:
    """List what a notebook declares in its cell tagged `parameters`, in order.

    Args:
        path: The notebook; one that is not written in Python is not looked into.

    Raises:
        NotebookError: It cannot be read, or the cell is no Python.
    """
    declared = _declared(path)
    return () if declared is None else declared.parameters


def check(path: Path, given: Mapping[str, object]) -> dict[str, object]:
    """Check values against the parameters of a notebook before anything of it is executed.

    Text that says a value of the declared type counts as that value: `"3"` for an `int`. Values
    of a notebook in another language than Python are handed back as they are.

    Args:
        path: The notebook.
        given: Values by name.

    Returns:
        The values, typed. Defaults that were not given are left out.

    Raises:
        ParameterError: One is unknown, wrongly typed or missing; the message names the cell and
            the line for each.
        NotebookError: The notebook cannot be read, or has no such cell though values are given.
    """
    declared = _declared(path)
    if declared is None:
        return dict(given)
    if not declared.cell and given:
        fault = (
            f"{', '.join(given)}, and has no cell tagged `{PARAMETERS}`; tag the cell that holds "
            f"the defaults, or give it no parameters"
        )
        raise ParameterError(f"{path.name} was given ", [fault])
    return declared.checked(given, path.name)


@dataclass(frozen=True, slots=True)
class _Declared:
    parameters: tuple[Parameter, ...]
    cell: int

    def checked(self, given: Mapping[str, object], notebook: str) -> dict[str, object]:
        known = {each.name: each for each in self.parameters}
        values: dict[str, object] = {}
        faults = [self._unknown(name, known) for name in given if name not in known]
        for name, parameter in known.items():
            if name not in given:
                faults += [_missing(parameter)] if parameter.required else []
                continue
            try:
                values[name] = fit(given[name], parameter.type)
            except WrongTypeError:
                faults.append(_wrong(parameter, given[name]))
        if faults:
            raise ParameterError(f"{notebook} cannot take its parameters: ", faults)
        return values

    def _unknown(self, name: str, known: Mapping[str, Parameter]) -> str:
        where = f"cell {self.cell}, tagged `{PARAMETERS}`"
        if near := get_close_matches(name, known, n=1):
            place = known[near[0]]
            return f"{name} is unknown: {where}, has {near[0]} in line {place.line}"
        return f"{name} is unknown: {where}, declares {', '.join(known) or 'nothing'}"


def _missing(parameter: Parameter) -> str:
    return (
        f"{parameter.name} needs a value: {parameter.place} declares it without a default; give "
        f"it one"
    )


def _wrong(parameter: Parameter, value: object) -> str:
    shown = printable(repr(value), SHOWN)
    told = f"{parameter.name} was given {shown} ({type_of(value)}), and {parameter.place} "
    if parameter.hinted:
        return f"{told}declares {parameter.type}"
    hint = f"{parameter.name}: {type_of(value)} = {parameter.code}"
    return (
        f"{told}has the {parameter.type} {parameter.code}; give such a value, or write `{hint}` "
        f"there"
    )


# ------------------------------------------------------------------ reading the cell


def _declared(path: Path) -> _Declared | None:
    document = read_notebook(path)
    if language(document) != "python":
        return None
    running = [cell for cell in document["cells"] if runs(cell)]
    for number, cell in enumerate(running, 1):
        if PARAMETERS in tags(cell):
            return _Declared(_read(source(cell), number, path.name), number)
    return _Declared((), 0)


def _read(text: str, cell: int, notebook: str) -> tuple[Parameter, ...]:
    plain = MAGIC.sub(r"\1pass", text)
    try:
        body = ast.parse(plain).body
    except SyntaxError as error:
        raise NotebookError(
            f"{notebook}, cell {cell}, tagged `{PARAMETERS}`, line {error.lineno}: "
            f"{error.msg}; mend it"
        ) from None
    comments = _comments(plain)
    found: dict[str, Parameter] = {}
    for statement in body:
        comment = comments.get(statement.end_lineno or 0, "")
        for each in _assigned(statement, cell, comment):
            found[each.name] = each
    return tuple(found.values())


def _comments(text: str) -> dict[int, str]:
    tokens = tokenize.generate_tokens(StringIO(text).readline)
    return {
        each.start[0]: each.string.lstrip("# \t").rstrip()
        for each in tokens
        if each.type == tokenize.COMMENT
    }


def _assigned(statement: ast.stmt, cell: int, comment: str) -> Iterator[Parameter]:
    place = (cell, statement.lineno)
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
        hint = _unquoted(statement.annotation)
        yield _parameter(statement.target.id, statement.value, comment, hint, place)
    elif isinstance(statement, ast.Assign):
        typed = TYPE_COMMENT.fullmatch(comment)
        told = typed[2] if typed else comment
        for target in statement.targets:
            for name, value in _pairs(target, statement.value):
                yield _parameter(name, value, told, typed and typed[1], place)


def _pairs(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(target, ast.Name):
        yield target.id, value
    elif isinstance(target, ast.Tuple | ast.List):
        values = value.elts if isinstance(value, ast.Tuple | ast.List) else []
        if len(values) != len(target.elts):  # what each name is shows at run time only
            values = [ast.Constant(...)] * len(target.elts)
        for name, part in zip(target.elts, values, strict=True):
            yield from _pairs(name, part)


def _unquoted(annotation: ast.expr) -> str:
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        return annotation.value
    return ast.unparse(annotation)


def _parameter(
    name: str, value: ast.expr | None, comment: str, hint: str | None, place: tuple[int, int]
) -> Parameter:
    default, kind = _default(value)
    return Parameter(
        name=name,
        type=hint or kind,
        default=default,
        code=None if value is None else ast.unparse(value),
        help=comment,
        cell=place[0],
        line=place[1],
        hinted=hint is not None,
    )


def _default(value: ast.expr | None) -> tuple[object, str | None]:
    if value is None:
        return None, None
    try:
        default: object = ast.literal_eval(value)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None, None
    if default is None or default is ...:
        return None, None
    return default, type(default).__name__
