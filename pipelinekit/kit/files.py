"""Reads a definition from a file: JSON, YAML or Python."""

import re
import sys
import traceback
from collections.abc import Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from hashlib import sha256
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType, TracebackType

from pipelinekit.engine.validate import faults
from pipelinekit.kit.registry import action_types, own
from pipelinekit.model.action import ActionTypeId, Owner
from pipelinekit.model.errors import DefinitionError, Fault, ValidationError
from pipelinekit.model.noun import Noun
from pipelinekit.model.pipeline import Pipeline
from pipelinekit.tools.documents import document
from pipelinekit.tools.documents.document import Document, DocumentError, Form
from pipelinekit.wire import codepipeline
from pipelinekit.wire.codepipeline import locate, read, text
from pipelinekit.wire.templates.gaps import leaves, placeholders
from pipelinekit.wire.templates.template import SHORT_FORMS, is_template

DOCUMENTS = (".json", ".yaml", ".yml")
SUFFIXES = (".py", *DOCUMENTS)
NAME = "pipeline"
FOREIGN = "A2"
"""The rule that an action type is known."""


class UnreadableFile(ValidationError):
    """A file that holds no definition, or none that can be read.

    Attributes:
        file: The file, as it was asked for.
        line: From 1; None where it is about the whole file.
        found: What is there.
        advice: What to do about it.
    """

    def __init__(self, file: str, line: int | None, found: str, advice: str) -> None:
        place = file if line is None else f"{file}, line {line}"
        super().__init__(f"{place}: found {found}; {advice}")
        self.file = file
        self.line = line
        self.found = found
        self.advice = advice

    def __reduce__(self) -> "tuple[type[UnreadableFile], tuple[str, int | None, str, str]]":
        return type(self), (self.file, self.line, self.found, self.advice)


class Left(Noun):
    """A placeholder that an import left.

    Attributes:
        place: Where it is, such as `stages[0].actions[0].configuration.BranchName`.
        text: The placeholder.
        line: Its line, from 1; None where there is none.
    """

    place: str
    text: str
    line: int | None


@dataclass(frozen=True, slots=True)
class Written:
    """A definition with the file that it was read from.

    Attributes:
        pipeline: The definition.
        file: Where it stands.
        functions: The action types that only this file's own functions carry out.
        source: The document, with the line of every value; None for Python.
    """

    pipeline: Pipeline
    file: Path
    functions: frozenset[ActionTypeId] = frozenset()
    source: Document | None = field(default=None, repr=False)

    @property
    def own(self) -> list[str]:
        """List the actions of the pipeline that are functions of the file."""
        return [
            f"{stage.name}/{action.name}"
            for stage in self.pipeline.stages
            for action in stage.actions
            if action.type in self.functions
        ]

    @property
    def faults(self) -> tuple[Fault, ...]:
        """Give everything that CodePipeline would refuse, with lines where there are any."""
        found = faults(self.pipeline, action_types())
        return found if self.source is None else locate(found, self.source)

    @property
    def placeholders(self) -> list[Left]:
        """List what an import left in the place of values."""
        data = codepipeline.write(self.pipeline)["pipeline"]
        found = [
            (Fault("", path, text, ""), text)
            for path, value in leaves(data)
            for text in placeholders(value)
        ]
        if self.source is None:
            return [Left(fault.place, text, None) for fault, text in found]
        located = locate((fault for fault, _ in found), self.source)
        return [Left(fault.place, fault.found, fault.line) for fault in located]

    def checked(self, *, foreign: bool = False) -> Pipeline:
        """Give the pipeline.

        Args:
            foreign: Whether custom action types may stand in it that are not known here.

        Raises:
            DefinitionError: It has faults; the error bears all of them.
        """
        wrong = tuple(
            fault for fault in self.faults if not (foreign and is_foreign(fault, self.pipeline))
        )
        if wrong:
            raise DefinitionError(str(self.file), wrong)
        return self.pipeline


def is_foreign(fault: Fault, pipeline: Pipeline) -> bool:
    """Tell whether a fault is only that a custom action type is not known here."""
    if fault.rule != FOREIGN:
        return False
    _, stage, _, action, *_ = fault.path
    return pipeline.stages[int(stage)].actions[int(action)].type.owner is not Owner.AWS


def read_definition(file: Path) -> Written:
    """Read the pipeline that a file defines.

    A Python file is executed, with its folder on the module path. Its pipeline is what it calls
    `pipeline`, or else the only one at its top level.

    Args:
        file: A `.json`, `.yaml`, `.yml` or `.py` file.

    Raises:
        UnreadableFile: The file cannot be read or executed, or holds no pipeline.
        DefinitionError: The document is no pipeline; each fault bears its line.
    """
    if file.suffix == ".py":
        return _execute(file)
    if file.suffix in DOCUMENTS:
        return _parse(file)
    advice = f"give a file that ends in one of {', '.join(SUFFIXES)}"
    if file.suffix == ".ipynb":
        advice = "start the pipeline in a cell of it, or move the definition to a .py file"
    raise UnreadableFile(str(file), None, f"a file of kind {file.suffix or 'unknown'!r}", advice)


def load(file: Path | str) -> Pipeline:
    """Read the pipeline that a file defines, and check it by the rules of CodePipeline.

    Args:
        file: A `.json`, `.yaml`, `.yml` or `.py` file; see `read_definition`.

    Raises:
        UnreadableFile: The file cannot be read or executed, or holds no pipeline.
        DefinitionError: The definition has faults; the error bears all of them, with lines.
    """
    return read_definition(Path(file)).checked()


def save(pipeline: Pipeline, file: Path | str) -> Path:
    """Write a pipeline as CodePipeline has it; `aws codepipeline create-pipeline` takes the JSON.

    Args:
        pipeline: The definition.
        file: Where it goes: JSON where the name ends in `.json`, YAML for `.yaml` and `.yml`.

    Raises:
        UnreadableFile: The name ends otherwise.
    """
    target = Path(file)
    if target.suffix not in DOCUMENTS:
        advice = f"give a name that ends in one of {', '.join(DOCUMENTS)}"
        raise UnreadableFile(str(file), None, f"a file of kind {target.suffix!r}", advice)
    form = Form.JSON if target.suffix == ".json" else Form.YAML
    target.write_text(text(pipeline, form), encoding="utf-8")
    return target


def read_document(file: Path) -> Document:
    """Read a YAML or JSON file, in which short forms of CloudFormation may stand.

    Raises:
        UnreadableFile: It is missing, or no YAML or JSON.
    """
    try:
        text = document.read_text(file, str(file))
        form = Form.JSON if file.suffix == ".json" else Form.YAML
        return document.parse(text, str(file), form, forms=SHORT_FORMS)
    except DocumentError as error:
        raise unreadable(error) from None


def unreadable(error: DocumentError) -> UnreadableFile:
    """Give the error of a document as one that a kit may raise."""
    return UnreadableFile(error.name, error.line or None, error.found, error.expected)


def _parse(file: Path) -> Written:
    source = read_document(file)
    if is_template(source):
        advice = f"bring it here with `pipelinekit import {file}`"
        raise UnreadableFile(str(file), None, "a CloudFormation template", advice)
    try:
        return Written(read(source.data), file, source=source)
    except DefinitionError as error:
        raise DefinitionError(str(file), locate(error.faults, source)) from None


def _execute(file: Path) -> Written:
    before = own()
    module = _module(file)
    declared = {key for key, found in own().items() if before.get(key) is not found}
    pipeline = _pipeline(file, vars(module))
    return Written(pipeline, file, frozenset(declared))


def _module(file: Path) -> ModuleType:
    path = file.resolve()
    name = (
        f"_pipelinekit_{re.sub(r'[^a-z]', '_', path.stem)}_{sha256(bytes(path)).hexdigest()[:8]}"
    )
    spec = spec_from_file_location(name, path)
    if not path.is_file() or spec is None or spec.loader is None:
        raise UnreadableFile(str(file), None, "no such file", "check its path")
    module = module_from_spec(spec)
    sys.modules[name] = module
    folder = str(path.parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        with redirect_stdout(sys.stderr):
            spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise _raised(file, path, error) from error
    return module


def _raised(file: Path, path: Path, error: BaseException) -> UnreadableFile:
    line = _line(path, error.__traceback__)
    if isinstance(error, SyntaxError) and error.filename == str(path):
        line = error.lineno
        found = f"{type(error).__name__}: {error.msg}"
    else:
        found = f"{type(error).__name__}: {error}"
    return UnreadableFile(str(file), line, found, "correct that line, then ask again")


def _line(path: Path, trace: TracebackType | None) -> int | None:
    inside = [each.lineno for each in traceback.extract_tb(trace) if each.filename == str(path)]
    return inside[-1] if inside else None


def _pipeline(file: Path, names: Mapping[str, object]) -> Pipeline:
    named = names.get(NAME)
    if isinstance(named, Pipeline):
        return named
    found = {name: value for name, value in names.items() if isinstance(value, Pipeline)}
    if len(found) == 1:
        return next(iter(found.values()))
    what = f"{len(found)} pipelines, {', '.join(found)}," if found else "no pipeline"
    advice = f"call the one that is meant `{NAME}`, as in: {NAME} = pk.Pipeline(...) >> ..."
    raise UnreadableFile(str(file), None, f"{what} at the top level", advice)
