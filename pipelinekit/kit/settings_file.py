"""Reads what a project says about its surroundings: `pipelinekit.toml`, and CodeBuild's export.

The nouns of `model.settings` tell the keys and what each may be: a new field is read as it is
declared.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from inspect import Parameter, signature
from pathlib import Path
from typing import Any, Final, get_type_hints

from msgspec.structs import replace

from pipelinekit.model.errors import ValidationError
from pipelinekit.model.near import nearest
from pipelinekit.model.settings import (
    Aws,
    Compute,
    DeploymentGroup,
    Events,
    Function,
    GitHub,
    Project,
    Receiver,
    Settings,
    Where,
)
from pipelinekit.tools.documents.document import Document, DocumentError, Node, read
from pipelinekit.tools.documents.places import Place
from pipelinekit.wire.codebuild_project import read_projects
from pipelinekit.wire.environment_variables import Variables

FILE: Final = "pipelinekit.toml"
PROJECTS: Final = ("codebuild.yaml", "codebuild.yml", "codebuild.json")
TABLES: Final = (
    "repositories",
    "connections",
    "codebuild",
    "compute",
    "codedeploy",
    "s3",
    "lambda",
    "ecr",
    "secrets",
    "aws",
    "events",
    "github",
    "environments",  # these are read when something is released to them
)
VARIABLES: Final = ("environment", "parameters", "secrets")
NOTHING_SAID: Final = Compute()
NONE_IMPORTED: Final[Mapping[str, Project]] = {}


class SettingsError(ValidationError):
    """The settings file cannot be read, or says something that has no meaning."""


def load_settings(folder: Path, imported: Mapping[str, Project] = NONE_IMPORTED) -> Settings:
    """Read `pipelinekit.toml`, else `[tool.pipelinekit]` of `pyproject.toml`, else take defaults.

    A `codebuild.yaml`, `.yml` or `.json` beside them holds what `aws codebuild
    batch-get-projects` prints. Where `[codebuild.<project>]` gives a key too, it prevails; of
    variables and of `compute` it prevails one by one.

    Without settings, a `codebuild.yaml` that holds projects is read nevertheless.

    Args:
        folder: The project's folder.
        imported: Projects by name that are taken as though `codebuild.yaml` held them.

    Raises:
        SettingsError: A file cannot be read, has an unknown key or a value of another kind.
    """
    try:
        document = settings_document(folder)
        if document is None:
            return Settings(folder=str(folder), projects={**_lone_projects(folder), **imported})
        return _settings(folder, document.root, imported)
    except DocumentError as error:
        raise SettingsError(str(error)) from None


# ------------------------------------------------------------------ the files


def settings_document(folder: Path) -> Document | None:
    """Read the document that a project's settings stand in; None where there is none.

    Raises:
        DocumentError: It cannot be read.
    """
    own, project = folder / FILE, folder / "pyproject.toml"
    if own.exists():
        return _as_document(FILE, _parsed(own))
    table = _parsed(project).get("tool", {}).get("pipelinekit") if project.exists() else None
    return None if table is None else _as_document("pyproject.toml [tool.pipelinekit]", table)


def _parsed(file: Path) -> dict[str, Any]:
    import tomllib  # noqa: PLC0415 - many a kit has no file to read

    try:
        return tomllib.loads(file.read_text(encoding="utf-8"), parse_float=_Float)
    except ValueError as error:
        found, advice = f"no valid TOML: {error}", "mend it there"
    except OSError as error:
        found, advice = f"no file that can be read: {error.strerror}", "look what it is"
    raise DocumentError(file.name, 0, 0, found, advice)


class _Float(float):
    """A number that remembers how it is written, as `1.10` is a version too."""

    def __init__(self, written: str) -> None:
        self.written = written


def _as_document(name: str, data: dict[str, Any]) -> Document:
    place = _place(data)
    document = Document(data, name, lambda: place)
    _refuse_dates(document.root)
    return document


def _place(data: object) -> Place:
    match data:
        case dict():
            return Place(0, 0, inside={key: _place(value) for key, value in data.items()})
        case list():
            return Place(0, 0, inside={key: _place(value) for key, value in enumerate(data)})
        case _Float():
            return Place(0, 0, data.written)
        case bool():
            return Place(0, 0, str(data).lower())
        case _:
            return Place(0, 0, str(data))


def _refuse_dates(node: Node) -> None:
    match node.data:
        case dict():
            for child in node.mapping().values():
                _refuse_dates(child)
        case list():
            for child in node.list():
                _refuse_dates(child)
        case bool() | int() | float() | str():
            return
        case _:
            raise node.error("put it in quotes", found=f"a date at {node.where}")


def _lone_projects(folder: Path) -> dict[str, Project]:
    # Where nothing says that this is a project of ours, a file of that name may be anything.
    try:
        return _foreign_projects(folder)
    except DocumentError:
        return {}


def _foreign_projects(folder: Path) -> dict[str, Project]:
    files = [folder / name for name in PROJECTS if (folder / name).exists()]
    if not files:
        return {}
    if len(files) > 1:
        names = " and ".join(file.name for file in files)
        raise DocumentError(names, 0, 0, "projects in several files", "keep one of them")
    try:
        return read_projects(read(files[0]))
    except DocumentError as error:
        advice = f"{error.expected}; if it holds no projects, give it another name"
        raise DocumentError(error.name, error.line, 0, error.found, advice) from None


# ------------------------------------------------------------------ the tables


def _settings(folder: Path, root: Node, imported: Mapping[str, Project]) -> Settings:
    tables = _members(root, TABLES)
    foreign = {**_foreign_projects(folder), **imported}
    own = {
        name: _project(node, foreign.get(name, Project()))
        for name, node in _inside(tables, "codebuild")
    }
    return Settings(
        folder=str(folder),
        repositories=dict(_named_texts(tables, "repositories")),
        connections=dict(_named_texts(tables, "connections")),
        projects=foreign | own,
        groups={
            f"{application}/{group}": DeploymentGroup(**_values(node, DeploymentGroup))
            for application, groups in _inside(tables, "codedeploy")
            for group, node in _table(groups).items()
        },
        buckets=dict(_named_texts(tables, "s3")),
        functions={
            name: Function(**_values(node, Function)) for name, node in _inside(tables, "lambda")
        },
        images=dict(_named_texts(tables, "ecr")),
        compute=_compute(tables["compute"]) if "compute" in tables else NOTHING_SAID,
        secrets=_secrets_file(tables["secrets"]) if "secrets" in tables else None,
        aws=_aws(tables["aws"]) if "aws" in tables else None,
        events=Events(**_values(tables["events"], Events)) if "events" in tables else Events(),
        github=GitHub(**_values(tables["github"], GitHub)) if "github" in tables else GitHub(),
    )


def _project(node: Node, foreign: Project) -> Project:
    given = _values(node, Project)
    names = [name for table in VARIABLES for name in given.get(table, ())]
    if twice := [name for name in names if names.count(name) > 1]:
        expected = f"keep one of it in {', '.join(VARIABLES)}"
        raise node.error(expected, found=f"{twice[0]} more than once at {node.where}")
    own = Variables(*(given.get(table, {}) for table in VARIABLES))
    variables = own.over(Variables(foreign.environment, foreign.parameters, foreign.secrets))
    given |= zip(
        VARIABLES, (variables.plain, variables.parameters, variables.secrets), strict=True
    )
    if "compute" in given:
        given["compute"] = _compute(node.need("compute"), foreign.compute or NOTHING_SAID)
    return replace(foreign, **given)


def _compute(node: Node, foreign: Compute = NOTHING_SAID) -> Compute:
    return replace(foreign, **_values(node, Compute))


def _secrets_file(node: Node) -> str:
    return _members(node, ("file",), needed=("file",))["file"].text()


def _aws(node: Node) -> Aws:
    found = Aws(**_values(node, Aws))
    if found == Aws():
        raise node.error("write a region, a profile or an endpoint there, or take it out")
    return found


# ------------------------------------------------------------------ members and values


# In an environment all is text, so that it may be written without quotes.
TEXTS_OF_ALL_KINDS: Final = "environment"


def _values(node: Node, noun: Callable[..., object]) -> dict[str, Any]:
    hints = {name: kind for name, kind in get_type_hints(noun).items() if kind in READERS}
    parameters = signature(noun).parameters
    needed = [name for name, each in parameters.items() if each.default is Parameter.empty]
    return {
        name: _written(child) if name == TEXTS_OF_ALL_KINDS else READERS[hints[name]](child)
        for name, child in _members(node, hints, needed).items()
    }


def _members(node: Node, known: Iterable[str], needed: Iterable[str] = ()) -> dict[str, Node]:
    members = _table(node)
    for key, child in members.items():
        if key not in known:
            near = nearest(key, known)
            advice = f"write {near}" if near else f"known here: {', '.join(sorted(known))}"
            found = f"{child.where}, which has no meaning"
            raise child.misnamed(advice, found)
    for key in needed:
        node.need(key)
    return members


def _inside(tables: Mapping[str, Node], name: str) -> Iterable[tuple[str, Node]]:
    return _table(tables[name]).items() if name in tables else ()


def _table(node: Node) -> dict[str, Node]:
    if not isinstance(node.data, dict):
        raise node.error(f"a table such as [{node.where}] is expected there")
    return node.mapping()


def _named_texts(tables: Mapping[str, Node], name: str) -> Iterable[tuple[str, str]]:
    return ((key, node.text()) for key, node in _inside(tables, name))


def _texts(node: Node) -> dict[str, str]:
    return {name: each.text() for name, each in _table(node).items()}


def _written(node: Node) -> dict[str, str]:
    return {name: each.written() for name, each in _table(node).items()}


def _count(node: Node) -> int:
    if node.whole() < 1:
        raise node.error("a whole number, 1 or more, is expected there")
    return node.whole()


def _seconds(node: Node) -> float:
    if not 0 <= node.number() < math.inf:
        raise node.error("a number of seconds, 0 or more, is expected there")
    return float(node.number())


def _receivers(node: Node) -> dict[str, Receiver]:
    return {name: Receiver(**_values(each, Receiver)) for name, each in _table(node).items()}


def _where(node: Node) -> Where:
    return Where(node.choice(tuple(Where)))


READERS: Final[Mapping[object, Callable[[Node], object]]] = {
    str: Node.text,
    str | None: Node.text,
    bool: Node.flag,
    int: _count,
    int | None: _count,
    float: _seconds,
    tuple[str, ...]: Node.texts,
    Mapping[str, str]: _texts,
    Where | None: _where,
    Compute | None: _compute,
    Mapping[str, Receiver]: _receivers,
}
"""How a field of each kind is read; one of another kind is no key of the file."""
