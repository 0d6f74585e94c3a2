"""Judges what an import found: what is refused, what is left open, what is secret."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from msgspec.structs import replace

from pipelinekit.engine.secrets import known_secrets
from pipelinekit.engine.validate import faults
from pipelinekit.kit.exporting import project_names
from pipelinekit.kit.files import is_foreign
from pipelinekit.kit.registry import action_types
from pipelinekit.model.errors import DefinitionError, Fault, Path
from pipelinekit.model.noun import Noun
from pipelinekit.model.pipeline import Pipeline
from pipelinekit.model.settings import Project
from pipelinekit.tools.documents.document import JSON, Document, DocumentError, Node
from pipelinekit.wire import codepipeline
from pipelinekit.wire.codebuild_project import read_projects
from pipelinekit.wire.templates.assembly import Assembly, Declared, projects_document
from pipelinekit.wire.templates.gaps import DYNAMIC, Gaps, is_open, leaves, placeholder
from pipelinekit.wire.templates.pieces import piece_of

MASKED: Final = "A18"
"""The rule that a secret is told, and not its mask."""
TYPE: Final = "actionTypeId"
SECRET_TOKEN: Final = "SecretToken"  # noqa: S105 - the name of a member


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


class Projects(Noun):
    """The CodeBuild projects that come along with a pipeline.

    Attributes:
        by_name: What they say.
        source: As they were found.
        notes: Which cannot be read, and why.
    """

    by_name: dict[str, Project]
    source: Document
    notes: tuple[str, ...]

    @property
    def written(self) -> JSON:
        """Give them as `batch-get-projects` prints them."""
        return self.source.root.need("projects").data


# ------------------------------------------------------------------ the definition


def definition(declared: Declared, gaps: Gaps) -> tuple[Pipeline, list[Placeholder]]:
    """Give the pipeline of a declaration, and the placeholders for secrets that were masked.

    Raises:
        DefinitionError: CodePipeline would refuse it.
    """
    source = declared.source
    try:
        pipeline = codepipeline.read(source.data)
    except DefinitionError as error:
        raise DefinitionError(source.name, _located(error.faults, source, gaps)) from None
    judged = faults(pipeline, action_types())
    masks = codepipeline.locate((fault for fault in judged if fault.rule == MASKED), source)
    wrong = [fault for fault in judged if fault.rule != MASKED and not is_foreign(fault, pipeline)]
    if wrong:
        raise DefinitionError(source.name, _located(wrong, source, gaps))
    left: list[Placeholder] = []
    for fault in masks:
        pipeline, key, open_still = _unmasked(pipeline, fault, gaps)
        if open_still:
            left.append(Placeholder(fault.place, key, "CodePipeline masks it", fault.line))
    return pipeline, left


def _located(found: Iterable[Fault], source: Document, gaps: Gaps) -> tuple[Fault, ...]:
    """Give faults their lines; where a value is not known, say what tells it."""
    start = codepipeline.inner(source)
    told = []
    for fault in codepipeline.locate(found, source):
        value = _value_at(source.data, (*start, *fault.path))
        single = isinstance(value, str) or fault.path[-1:] == (TYPE,)
        texts = (text for _, text in leaves(value)) if single else ()
        advice = _option(" ".join((fault.found, *texts)), gaps) or fault.advice
        told.append(replace(fault, advice=advice))
    return tuple(told)


def _option(text: str, gaps: Gaps) -> str | None:
    """Say what tells the value that a placeholder in a text stands for."""
    for gap in gaps.explain(text):
        # A text that was shortened may end within a placeholder.
        if placeholder(gap.key) in text or DYNAMIC.fullmatch(gap.key):
            return f"give --parameter {gap.key}=VALUE"
    return None


def _value_at(data: JSON, path: Path) -> JSON:
    for step in path:
        if isinstance(data, dict) and isinstance(step, str):
            data = data.get(step)
        elif isinstance(data, list) and isinstance(step, int) and step < len(data):
            data = data[step]
        else:
            return None
    return data


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


def foreign_notes(pipeline: Pipeline) -> Iterator[str]:
    """Say of each custom action type that is not known here what to do first."""
    for fault in faults(pipeline, action_types()):
        if is_foreign(fault, pipeline):
            _, stage, _, action, *_ = fault.path
            found = pipeline.stages[int(stage)]
            one = found.actions[int(action)]
            yield (
                f"action {found.name}/{one.name}: its type {one.type} is not known here, so that "
                f"validate and run refuse it; declare it first with @pk.action in a definition "
                f"in Python, or create it with CreateCustomActionType and put the pipeline there"
            )


# ------------------------------------------------------------------ what comes along


def projects_for(
    pipeline: Pipeline, own: Assembly, found: Sequence[Assembly], gaps: Gaps
) -> Projects:
    """Give the projects beside a pipeline, and those of other stacks that it names.

    Args:
        pipeline: The pipeline.
        own: What it was found in.
        found: All that was found.
        gaps: Placeholders for what is not known.
    """
    named = project_names(pipeline)
    others = (node for each in found if each is not own for node in _nodes(each))
    by_name: dict[str, Project] = {}
    kept: list[Node] = []
    notes: list[str] = []
    for node in (*_nodes(own), *(each for each in others if _name(each) in named)):
        try:
            read = read_projects(projects_document([piece_of(node)], node.document.name))
        except DocumentError as error:
            notes.append(f"project {_name(node)} is not brought along: {_explained(error, gaps)}")
            continue
        if by_name.keys() & read.keys():
            place = f"{node.document.name}, line {node.line}"
            notes.append(f"project {_name(node)} is there a second time ({place}), and left out")
            continue
        by_name |= read
        kept.append(node)
    document = projects_document(map(piece_of, kept), own.projects.name)
    return Projects(by_name, document, tuple(notes))


def _nodes(assembly: Assembly) -> tuple[Node, ...]:
    return assembly.projects.root.need("projects").list()


def _name(node: Node) -> JSON:
    name = node.get("name")
    return name.data if name else None


def _explained(error: DocumentError, gaps: Gaps) -> DocumentError:
    advice = _option(error.found, gaps) or error.expected
    return DocumentError(error.name, error.line, error.column, error.found, advice)


# ------------------------------------------------------------------ what is open, what is secret


def placeholders(sources: Iterable[Document], gaps: Gaps) -> Iterator[Placeholder]:
    """List what stands in documents for values that are not known."""
    for source in sources:
        skipped = len(codepipeline.inner(source))
        for path, text in leaves(source.data):
            for gap in gaps.explain(text):
                place = Node(source, path[skipped:], text).where
                yield Placeholder(place, gap.key, gap.why, source.line(path) or None)


def in_clear(pipeline: Pipeline, besides: dict[str, JSON], gaps: Gaps) -> Iterator[str]:
    """Name each place in which a secret is written as it is.

    Args:
        pipeline: The pipeline.
        besides: What is written with it, by what it is.
        gaps: Which keeps what is secret.
    """
    told = [*leaves(codepipeline.write(pipeline)["pipeline"]), *leaves(besides)]
    secrets = gaps.secrets | {value for *_, value in known_secrets(pipeline, action_types())}
    secrets |= {text for path, text in told if path[-1:] == (SECRET_TOKEN,)}
    secrets = {each for each in secrets if each and not is_open(each)}
    for path, text in told:
        if any(each in text for each in secrets):
            place = Fault("", path, "", "").place
            yield (
                f"{place} is written as it is, and is secret; keep the files where nobody else "
                f"reads them"
            )
