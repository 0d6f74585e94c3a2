"""Reads pipelines as others keep them: CodePipeline, CloudFormation, the CDK, Terraform."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from pipelinekit.engine.validate import faults
from pipelinekit.kit.files import UnreadableFile, unreadable
from pipelinekit.kit.registry import action_types
from pipelinekit.kit.settings_file import PROJECTS
from pipelinekit.model.action import Owner
from pipelinekit.model.errors import DefinitionError, Fault, ValidationError
from pipelinekit.model.noun import Noun
from pipelinekit.model.pipeline import Pipeline
from pipelinekit.model.settings import Project
from pipelinekit.tools.documents.document import (
    JSON,
    Document,
    DocumentError,
    Form,
    Node,
    parse,
    read_text,
)
from pipelinekit.wire import codepipeline
from pipelinekit.wire.codebuild_project import read_projects
from pipelinekit.wire.plain_text import write_text
from pipelinekit.wire.templates import pieces
from pipelinekit.wire.templates.assembly import Assembly, Declared, projects_document
from pipelinekit.wire.templates.cloudformation import exports_of, read_cloudformation
from pipelinekit.wire.templates.gaps import Gaps, is_open, leaves
from pipelinekit.wire.templates.hcl import Source
from pipelinekit.wire.templates.hcl_types import Value
from pipelinekit.wire.templates.template import SHORT_FORMS, is_template
from pipelinekit.wire.templates.terraform import read_module
from pipelinekit.wire.templates.terraform_module import NOTHING_TOLD, Module
from pipelinekit.wire.templates.terraform_state import is_shown, read_shown
from pipelinekit.wire.templates.terraform_variables import given_values

LARGEST: Final = 16 * 1024 * 1024
PIPELINE_FILE: Final = "pipeline.json"
WEBHOOKS_FILE: Final = "webhooks.json"
STACK: Final = "aws:cloudformation:stack"
NESTED: Final = "cdk:cloud-assembly"
FOREIGN: Final = "A2"
"""The rule that an action type is known."""
MASKED: Final = "A18"
"""The rule that a secret is told, and not its mask."""
NO_PARAMETERS: Final[Mapping[str, str]] = {}


class Placeholder(Noun):
    """A value that the file does not tell, and what stands for it.

    Attributes:
        place: Where it is, such as `stages[0].actions[0].configuration.BranchName`.
        key: What would tell it: `--parameter KEY=VALUE`.
        why: Why it is not known.
        line: The line of the file, from 1; None where there is none.
    """

    place: str
    key: str
    why: str
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Imported:
    """A pipeline as it was found, and what belongs to it.

    Attributes:
        pipeline: Its definition, without a fault.
        file: Where it was found.
        projects: The CodeBuild projects of the file, by name.
        webhooks: Its webhooks, as PutWebhook takes them.
        placeholders: What has to be told before it means the same here.
        notes: What was assumed or cannot be said in a definition.
        left: Names of resources that were not brought along, by their types.
    """

    pipeline: Pipeline
    file: Path
    projects: Mapping[str, Project] = field(default_factory=dict)
    webhooks: tuple[JSON, ...] = ()
    placeholders: tuple[Placeholder, ...] = ()
    notes: tuple[str, ...] = ()
    left: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    _projects: JSON = field(default=None, repr=False)

    def save(self, folder: Path | str, *, force: bool = False) -> list[Path]:
        """Write the pipeline and what belongs to it as files that are read here.

        Args:
            folder: Where pipeline.json, codebuild.yaml and webhooks.json go; made if missing.
            force: Whether files that are there already are written anew.

        Raises:
            ValidationError: One is there already.
        """
        target = Path(folder)
        texts = dict(self._texts())
        if not force:
            _refuse_to_overwrite(target, texts)
        target.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (target / name).write_text(text, encoding="utf-8")
        return [target / name for name in texts]

    def _texts(self) -> Iterator[tuple[str, str]]:
        yield PIPELINE_FILE, codepipeline.text(self.pipeline)
        if self.projects:
            yield PROJECTS[0], write_text({"projects": self._projects}, Form.YAML)
        if self.webhooks:
            hooks: list[JSON] = [{"webhook": each} for each in self.webhooks]
            yield WEBHOOKS_FILE, json.dumps(hooks, indent=2, ensure_ascii=False) + "\n"


def import_file(
    path: Path | str,
    parameters: Mapping[str, str] = NO_PARAMETERS,
    pipeline: str | None = None,
) -> Imported:
    """Read a pipeline as CodePipeline, CloudFormation, the CDK or Terraform keep it.

    Args:
        path: A JSON or YAML file of CodePipeline or CloudFormation, what `terraform show -json`
            prints, a `.tf` file, or a folder: a `cdk.out`, or one of `.tf` files.
        parameters: Values of parameters and variables by name, and of anything else that the
            file does not tell, by the keys of the placeholders.
        pipeline: The name of the pipeline, or of its resource, where there are several.

    Raises:
        UnreadableFile: It cannot be read, or holds no pipeline or several, or a function in it
            cannot be resolved.
        DefinitionError: The pipeline is one that CodePipeline would refuse.
        ValidationError: A parameter was given that nothing asks for.
    """
    place = Path(path)
    gaps = Gaps(dict(parameters))
    try:
        assembly = _assembly(place, gaps)
        declared = assembly.choose(pipeline, str(place))
        projects = read_projects(assembly.projects)
    except DocumentError as error:
        raise unreadable(error) from None
    definition, masked = _definition(declared, gaps)
    _refuse_unused(parameters, gaps, place)
    return Imported(
        pipeline=definition,
        file=place,
        projects=projects,
        webhooks=assembly.webhooks,
        placeholders=(*_placeholders(declared.source, assembly.projects, gaps), *masked),
        notes=(*assembly.notes, *declared.notes),
        left=assembly.left,
        _projects=assembly.projects.root.need("projects").data,
    )


def _refuse_unused(parameters: Mapping[str, str], gaps: Gaps, place: Path) -> None:
    if unused := [key for key in parameters if key not in gaps.used]:
        raise ValidationError(
            f"a value was given for {', '.join(unused)}, and nothing in {place} asks for it; look "
            f"at its name"
        )


def _refuse_to_overwrite(folder: Path, names: Mapping[str, str]) -> None:
    there = [name for name in names if (folder / name).exists()]
    if there:
        raise ValidationError(
            f"{', '.join(there)} was to be written into {folder}, where it is already; give "
            f"another folder, or force=True (--force)"
        )


# ------------------------------------------------------------------ what kind of file


def _assembly(path: Path, gaps: Gaps) -> Assembly:
    if path.is_dir():
        if (path / "manifest.json").exists():
            return _cdk(path, gaps)
        if files := sorted(path.glob("*.tf")):
            return _terraform(files, path, gaps, _told(path))
        raise UnreadableFile(
            str(path), None, "a folder without manifest.json or .tf files", "give a file in it"
        )
    if path.suffix in {".py", ".ipynb"}:
        advice = "give it to `pipelinekit run` as it is"
        raise UnreadableFile(str(path), None, "a definition in Python", advice)
    if path.suffix == ".tf":
        return _terraform([path], path.parent, gaps, NOTHING_TOLD)
    return _document(_read(path, str(path)), gaps)


def _read(path: Path, name: str) -> Document:
    text = read_text(path, name, max_bytes=LARGEST)
    braces = path.suffix == ".json" or text.lstrip()[:1] == "{"
    form = Form.JSON if braces else Form.YAML
    return parse(text, name, form, max_bytes=LARGEST, forms=SHORT_FORMS)


def _document(document: Document, gaps: Gaps) -> Assembly:
    if is_shown(document):
        return read_shown(document, gaps)
    if is_template(document):
        return read_cloudformation(document, gaps)
    given = document.data
    inside = given.get("pipeline", given) if isinstance(given, dict) else None
    if not isinstance(inside, dict) or "stages" not in inside:
        raise DocumentError(
            document.name,
            0,
            0,
            "no pipeline, neither of CodePipeline nor of a template",
            "give a file that has one",
        )
    name = str(inside.get("name", "pipeline"))
    return Assembly((Declared(name, name, document),), projects_document((), document.name))


# ------------------------------------------------------------------ folders


def _terraform(files: list[Path], folder: Path, gaps: Gaps, told: Mapping[str, Value]) -> Assembly:
    sources = [Source(str(file), read_text(file, str(file))) for file in files]
    module = Module(sources, gaps, _reader(folder), told)
    return read_module(module, str(files[0] if len(files) == 1 else folder))


def _told(folder: Path) -> dict[str, Value]:
    """Read the values of variables that a folder tells; what comes later prevails."""
    more = [*folder.glob("*.auto.tfvars"), *folder.glob("*.auto.tfvars.json")]
    files = [folder / "terraform.tfvars", folder / "terraform.tfvars.json", *sorted(more)]
    told: dict[str, Value] = {}
    for file in files:
        if file.exists():
            told |= given_values(Source(str(file), read_text(file, str(file))))
    return told


def _reader(folder: Path) -> Callable[[str], str | None]:
    """Let templates name files of their own repository, and no others."""
    base = folder.resolve()
    root = next((each for each in (base, *base.parents) if (each / ".git").exists()), base)

    def read(name: str) -> str | None:
        file = (base / name).resolve()
        if not file.is_relative_to(root) or not file.is_file():
            return None
        return read_text(file, name)

    return read


def _cdk(folder: Path, gaps: Gaps) -> Assembly:
    stacks = list(_stacks(folder, gaps))
    exports: dict[str, str] = {}
    for document, known in stacks:
        if is_template(document):
            exports |= exports_of(document, known)
    found = [
        read_cloudformation(document, known, exports)
        for document, known in stacks
        if is_template(document)
    ]
    left: dict[str, tuple[str, ...]] = {}
    for each in found:
        for kind, names in each.left.items():
            left[kind] = (*left.get(kind, ()), *names)
    projects = [pieces.piece_of(node) for each in found for node in _projects_of(each)]
    return Assembly(
        pipelines=tuple(one for each in found for one in each.pipelines),
        projects=projects_document(projects, str(folder)),
        webhooks=tuple(one for each in found for one in each.webhooks),
        notes=tuple(dict.fromkeys(note for each in found for note in each.notes)),
        left=left,
    )


def _projects_of(assembly: Assembly) -> tuple[Node, ...]:
    return assembly.projects.root.need("projects").list()


def _stacks(folder: Path, gaps: Gaps) -> Iterator[tuple[Document, Gaps]]:
    manifest = _read(folder / "manifest.json", str(folder / "manifest.json"))
    listed: set[Path] = set()
    for name, artifact in manifest.root.need("artifacts").mapping().items():
        kind, properties = artifact.need("type").text(), artifact.get("properties")
        if properties is None:
            continue
        if kind == NESTED:
            yield from _stacks(_below(folder, properties.need("directoryName")), gaps)
        elif kind == STACK:
            file = _below(folder, properties.need("templateFile"))
            listed.add(file)
            yield _read(file, str(file)), gaps.within(_known_of(name, artifact, properties))
    for file in sorted(folder.glob("*.template.json")):  # nested stacks are not listed
        if file not in listed:
            yield _read(file, str(file)), gaps


def _below(folder: Path, node: Node) -> Path:
    path = folder / node.text()
    if not path.resolve().is_relative_to(folder.resolve()):
        raise node.error("name something in the folder of the assembly")
    return path


def _known_of(name: str, artifact: Node, properties: Node) -> dict[str, str]:
    stack, given = properties.get("stackName"), properties.get("parameters")
    known = {"AWS::StackName": stack.text() if stack else name}
    environment = artifact.get("environment")
    account, _, region = (
        environment.text().removeprefix("aws://").partition("/") if environment else ("", "", "")
    )
    known |= {
        key: value
        for key, value in (("AWS::AccountId", account), ("AWS::Region", region))
        if value and not value.startswith("unknown-")
    }
    values = given.mapping() if given is not None else {}
    return known | {key: node.data for key, node in values.items() if isinstance(node.data, str)}


# ------------------------------------------------------------------ what was found


def _definition(declared: Declared, gaps: Gaps) -> tuple[Pipeline, list[Placeholder]]:
    source = declared.source
    try:
        pipeline = codepipeline.read(source.data)
    except DefinitionError as error:
        found = codepipeline.locate(error.faults, source)
        raise DefinitionError(source.name, found) from None
    judged = faults(pipeline, action_types())
    masks = codepipeline.locate((fault for fault in judged if fault.rule == MASKED), source)
    wrong = tuple(
        fault for fault in judged if fault.rule != MASKED and not _is_foreign(fault, pipeline)
    )
    if wrong:
        raise DefinitionError(source.name, codepipeline.locate(wrong, source))
    left: list[Placeholder] = []
    for fault in masks:
        pipeline, key, open_still = _unmasked(pipeline, fault, gaps)
        if open_still:
            left.append(Placeholder(fault.place, key, "CodePipeline masks it", fault.line))
    return pipeline, left


def _unmasked(pipeline: Pipeline, fault: Fault, gaps: Gaps) -> tuple[Pipeline, str, bool]:
    """Put what was given, or a placeholder, in the place of a secret that was masked."""
    stage, action, name = int(fault.path[1]), int(fault.path[3]), str(fault.path[-1])
    stages = list(pipeline.stages)
    actions = list(stages[stage].actions)
    key = f"{stages[stage].name}.{actions[action].name}.{name}"
    value = gaps.text(key, "CodePipeline masks it")
    changed = {**actions[action].configuration, name: value}
    actions[action] = replace(actions[action], configuration=changed)
    stages[stage] = stages[stage].with_actions(actions)
    return replace(pipeline, stages=tuple(stages)), key, is_open(value)


def _is_foreign(fault: Fault, pipeline: Pipeline) -> bool:
    """Tell whether the fault is only that a custom action type is not known here."""
    if fault.rule != FOREIGN:
        return False
    _, stage, _, action, *_ = fault.path
    found = pipeline.stages[int(stage)].actions[int(action)]
    return found.type.owner is not Owner.AWS


def _placeholders(declared: Document, projects: Document, gaps: Gaps) -> Iterator[Placeholder]:
    start = codepipeline.inner(declared)
    for source, skipped in ((declared, len(start)), (projects, 0)):
        for path, text in leaves(source.data):
            for gap in gaps.explain(text):
                place = Node(source, path[skipped:], text).where
                yield Placeholder(place, gap.key, gap.why, source.line(path) or None)
