"""Reads pipelines as others keep them: CodePipeline, CloudFormation, the CDK, Terraform."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pipelinekit.kit import import_checks
from pipelinekit.kit.cloud_assembly import MANIFEST, read_cloud_assembly, read_template_file
from pipelinekit.kit.files import UnreadableFile, unreadable
from pipelinekit.kit.import_checks import Placeholder
from pipelinekit.kit.settings_file import PROJECTS
from pipelinekit.model.errors import ValidationError
from pipelinekit.model.pipeline import Pipeline
from pipelinekit.model.settings import Project
from pipelinekit.tools.documents.document import (
    JSON,
    Document,
    DocumentError,
    Form,
    read_text,
)
from pipelinekit.wire import codepipeline
from pipelinekit.wire.plain_text import write_text
from pipelinekit.wire.templates import pieces
from pipelinekit.wire.templates.assembly import Assembly, Declared, choose, projects_document
from pipelinekit.wire.templates.cloudformation import read_cloudformation
from pipelinekit.wire.templates.gaps import Gaps
from pipelinekit.wire.templates.hcl import Source
from pipelinekit.wire.templates.hcl_types import Value
from pipelinekit.wire.templates.pieces import NOWHERE, listing, mapping
from pipelinekit.wire.templates.template import is_template
from pipelinekit.wire.templates.terraform import read_module
from pipelinekit.wire.templates.terraform_module import NOTHING_TOLD, Module
from pipelinekit.wire.templates.terraform_state import is_shown, read_shown
from pipelinekit.wire.templates.terraform_variables import given_values

PIPELINE_FILE: Final = "pipeline.json"
WEBHOOKS_FILE: Final = "webhooks.json"
PRIVATE: Final = 0o600
NO_PARAMETERS: Final[Mapping[str, str]] = {}


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
    _secret: bool = field(default=False, repr=False)

    def save(self, folder: Path | str, *, force: bool = False) -> list[Path]:
        """Write the pipeline and what belongs to it as files that are read here.

        Where a secret stands in one of them, nobody else may read them.

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
            _write(target / name, text, private=self._secret)
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
        pipeline: The name of the pipeline, of its resource or of its stack, where there are
            several; `stack/resource` leaves no doubt.

    Raises:
        UnreadableFile: It cannot be read, or holds no pipeline or several, or a function in it
            cannot be resolved.
        DefinitionError: The pipeline is one that CodePipeline would refuse.
        ValidationError: A parameter was given that nothing asks for.
    """
    place = Path(path)
    gaps = Gaps(dict(parameters))
    try:
        found = _assemblies(place, gaps)
        own, declared = choose(found, pipeline, str(place))
    except DocumentError as error:
        raise unreadable(error) from None
    imported = _imported(place, declared, own, found, gaps)
    _refuse_unused(parameters, gaps, place)
    return imported


def _imported(
    file: Path, declared: Declared, own: Assembly, found: list[Assembly], gaps: Gaps
) -> Imported:
    definition, masked = import_checks.definition(declared, gaps)
    projects = import_checks.projects_for(definition, own, found, gaps)
    webhooks = listing(own.webhooks, NOWHERE)
    hooks = pieces.document(mapping({"webhooks": webhooks}, NOWHERE), str(file))
    written = {"projects": projects.written, "webhooks": webhooks.data}
    secret = tuple(import_checks.in_clear(definition, written, gaps))
    foreign = import_checks.foreign_notes(definition)
    sources = (declared.source, projects.source, hooks)
    return Imported(
        pipeline=definition,
        file=file,
        projects=projects.by_name,
        webhooks=tuple(each.data for each in own.webhooks),
        placeholders=(*import_checks.placeholders(sources, gaps), *masked),
        notes=(*own.notes, *projects.notes, *declared.notes, *foreign, *secret),
        left=own.left,
        _projects=projects.written,
        _secret=bool(secret),
    )


def _refuse_unused(parameters: Mapping[str, str], gaps: Gaps, place: Path) -> None:
    if unused := [key for key in parameters if key not in gaps.used]:
        raise ValidationError(
            f"a value was given for {', '.join(unused)}, and nothing in {place} asks for it; look "
            f"at its name"
        )


def _write(file: Path, text: str, *, private: bool) -> None:
    if private:
        file.touch(mode=PRIVATE)
        file.chmod(PRIVATE)
    file.write_text(text, encoding="utf-8")


def _refuse_to_overwrite(folder: Path, names: Mapping[str, str]) -> None:
    there = [name for name in names if (folder / name).exists()]
    if there:
        raise ValidationError(
            f"{', '.join(there)} was to be written into {folder}, where it is already; give "
            f"another folder, or force=True (--force)"
        )


# ------------------------------------------------------------------ what kind of file


def _assemblies(path: Path, gaps: Gaps) -> list[Assembly]:
    if path.is_dir():
        if (path / MANIFEST).exists():
            return read_cloud_assembly(path, gaps)
        if files := sorted(path.glob("*.tf")):
            return [_terraform(files, path, gaps, _told(path))]
        raise UnreadableFile(
            str(path), None, "a folder without manifest.json or .tf files", "give a file in it"
        )
    if path.suffix in {".py", ".ipynb"}:
        advice = "give it to `pipelinekit run` as it is"
        raise UnreadableFile(str(path), None, "a definition in Python", advice)
    if path.suffix == ".tf":
        return [_terraform([path], path.parent, gaps, NOTHING_TOLD)]
    return [_document(read_template_file(path), gaps)]


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
    filled = pieces.document(pieces.changed(document.root, gaps.filled), document.name)
    return Assembly((Declared(name, name, filled),), projects_document((), document.name))


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
