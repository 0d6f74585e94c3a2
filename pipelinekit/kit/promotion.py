"""Makes a pipeline of a notebook and environments: taken once, promoted from one to the next."""

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import Final

from msgspec import field
from msgspec.structs import replace

from pipelinekit.engine.precedence import START_AFTER
from pipelinekit.model.action import Action, Steps
from pipelinekit.model.environment import Environment
from pipelinekit.model.errors import ValidationError
from pipelinekit.model.noun import Noun
from pipelinekit.model.pipeline import Pipeline, Stage
from pipelinekit.model.settings import Aws
from pipelinekit.providers.files import files
from pipelinekit.providers.freeze import FREEZE_MINUTES, freeze_gate
from pipelinekit.providers.notebook import notebook_deploy
from pipelinekit.providers.review import review
from pipelinekit.tools.notebooks import NotebookError, check, parameters, read_notebook
from pipelinekit.tools.notebooks.document import PARAMETERS, kernel_name, language, tags
from pipelinekit.tools.notebooks.kernelspec import find_spec
from pipelinekit.wire.words import one_line, shortened

SOURCE: Final = "Source"
ARTIFACT: Final = "release"
PREFIX: Final = "release-"
NAME_LIMIT: Final = 100
DIGEST_LENGTH: Final = 8
SUFFIX: Final = ".ipynb"
NOTE_LIMIT: Final = 1000
APPROVE: Final = "approve-"
FREEZE: Final = "freeze-"

Waves = Sequence[tuple[Environment, ...]]


class Promotion(Noun):
    """A notebook that is to be released to environments.

    Attributes:
        notebook: The notebook.
        waves: The environments in order; those of a wave side by side.
        parameters: Values that prevail over those of all environments.
        folder: The project's folder.
        patterns: Which files go along; all of the folder when empty.
        out: The folder that results are kept in, which does not go along.
    """

    notebook: Path
    waves: Waves
    parameters: Mapping[str, object] = field(default_factory=dict)
    folder: Path = field(default_factory=Path.cwd)
    patterns: tuple[str, ...] = ()
    out: Path | None = None

    @property
    def environments(self) -> Iterator[Environment]:
        """Go through the environments in order."""
        return (environment for wave in self.waves for environment in wave)

    @property
    def root(self) -> Path:
        """Give the folder whose files go along: the project's, where the notebook is in it."""
        return self.folder if self._inside else self.notebook.parent

    @property
    def path(self) -> str:
        """Give the notebook's path in that folder."""
        return self.notebook.resolve().relative_to(self.root.resolve()).as_posix()

    @property
    def name(self) -> str:
        """Name the pipeline after the notebook, as it names that of no other notebook."""
        path = self.path if self._inside else str(self.notebook.resolve())
        plain = re.sub(r"[^A-Za-z0-9.@_-]+", "-", self.path.removesuffix(SUFFIX))
        name = f"{PREFIX}{plain}"
        if path == f"{plain}{SUFFIX}" and len(name) <= NAME_LIMIT:
            return name
        # The path is not in the name as it is, so that another one's might be the same.
        digest = sha256(os.fsencode(path)).hexdigest()[:DIGEST_LENGTH]
        return f"{name[: NAME_LIMIT - DIGEST_LENGTH - 1]}-{digest}"

    def pipeline(self) -> Pipeline:
        """Make the pipeline, after the parameters of every environment were checked.

        Raises:
            ValidationError: The notebook is missing, is none, has no cell of parameters or cannot
                take those that it would get; the message names the environment, cell and line.
                Or an environment is called as something else in the pipeline is.
        """
        given = {each.name: _parameters(self, each) for each in self.environments}
        source = files("files", self._folder, self._files, besides=self._besides)
        pipeline = Pipeline(self.name) >> Stage(SOURCE, source.writes(ARTIFACT))
        for wave in self.waves:
            pipeline = pipeline >> self._stage(wave, given)
        _refuse_alike(pipeline)
        return pipeline

    @property
    def _inside(self) -> bool:
        return self.notebook.resolve().is_relative_to(self.folder.resolve())

    @property
    def _folder(self) -> str:
        return "." if self.root == self.folder else str(self.root.resolve())

    @property
    def _files(self) -> tuple[str, ...] | None:
        return (self.path, *self.patterns) if self.patterns else None

    @property
    def _besides(self) -> str | None:
        if self.out is None:
            return None
        out, root = self.out.resolve(), self.root.resolve()
        inside = out != root and out.is_relative_to(root)
        return out.relative_to(root).as_posix() if inside else None

    def _stage(
        self, wave: tuple[Environment, ...], given: Mapping[str, Mapping[str, object]]
    ) -> Stage:
        chains = (self._chain(each, given[each.name]) for each in wave)
        # One group: in several, what one environment waits for would hold the others up.
        return Stage(stage_name(wave), Steps((tuple(chain.from_iterable(chains)),)))

    def _chain(self, environment: Environment, given: Mapping[str, object]) -> Iterator[Action]:
        # The freeze comes last: what was approved long ago must not slip into one.
        gates = [self._approval(environment, given)] if environment.asks else []
        gates += [_freeze(environment)] if environment.freezes else []
        before: Action | None = None
        for action in (*gates, self._run(environment, given)):
            yield action if before is None else _started_after(action, before)
            before = action

    def _approval(self, environment: Environment, given: Mapping[str, object]) -> Action:
        values = ", ".join(f"{name}={value!r}" for name, value in given.items())
        note = f"Release {self.path} to {environment.name}{f' with {values}' if values else ''}?"
        return review(
            f"{APPROVE}{environment.name}",
            environment.approvers or None,
            required=environment.asks,
            no_self_approval=environment.protected,
            comment_required=environment.protected,
            note=shortened(one_line(note, NOTE_LIMIT).replace("#{", "# {"), NOTE_LIMIT),
        )

    def _run(self, environment: Environment, given: Mapping[str, object]) -> Action:
        name = re.sub(r"\W", "_", environment.name)
        variables = account_variables(environment.account) or None
        action = notebook_deploy(environment.name, self.path, given, environment=variables)
        return action.reads(ARTIFACT).writes(f"{name}_executed")


def released_to(stage: Stage) -> list[str]:
    """Name the environments of a stage."""
    return [each.name for each in releases(stage)]


def releases(stage: Stage) -> list[Action]:
    """Give the actions of a stage whose notebooks read what is released, one per environment."""
    return [each for each in stage.actions if each.inputs == (ARTIFACT,)]


def stage_name(wave: Iterable[Environment]) -> str:
    """Name the stage of environments that are released to side by side."""
    return shortened("-and-".join(each.name for each in wave), NAME_LIMIT).replace("…", "-")


def account_variables(account: Aws | None) -> dict[str, str]:
    """Give the variables by which boto3 and the AWS CLI find an account, or what stands for it."""
    if account is None:
        return {}
    named = {
        "AWS_PROFILE": account.profile,
        "AWS_REGION": account.region,
        "AWS_DEFAULT_REGION": account.region,
        "AWS_ENDPOINT_URL": account.endpoint,
    }
    return {name: value for name, value in named.items() if value}


def _started_after(action: Action, before: Action) -> Action:
    return replace(action, configuration={**action.configuration, START_AFTER: before.name})


def _freeze(environment: Environment) -> Action:
    periods = [
        {
            key: text
            for key, text in (
                ("from", each.begin),
                ("to", each.end),
                ("weekly", each.weekly),
                ("reason", each.reason),
            )
            if text
        }
        for each in environment.freezes
    ]
    gate = freeze_gate(f"{FREEZE}{environment.name}", periods, environment.zone)
    return gate.within(FREEZE_MINUTES)


def _parameters(promotion: Promotion, environment: Environment) -> dict[str, object]:
    notebook = promotion.notebook
    given = {**environment.parameters, **promotion.parameters}
    try:
        _refuse_unfit(notebook)
        if any(each.name == "environment" for each in parameters(notebook)):
            given = {"environment": environment.name, **given}
        typed = check(notebook, given)
    except NotebookError as error:
        raise ValidationError(f"environment {environment.name}: {error}") from None
    return {name: value if _is_json(value) else given[name] for name, value in typed.items()}


def _refuse_unfit(notebook: Path) -> None:
    document = read_notebook(notebook)
    find_spec(kernel_name(document), notebook.name)
    tagged = any(PARAMETERS in tags(cell) for cell in document["cells"])
    if not tagged and language(document) == "python":
        raise NotebookError(
            f"{notebook.name} was to be released, and has no cell tagged `{PARAMETERS}` to take "
            f"the values of an environment; tag the cell that holds the defaults, such as "
            f'`environment = "dev"`'
        )


def _refuse_alike(pipeline: Pipeline) -> None:
    actions = [each for stage in pipeline.stages for each in stage.actions]
    groups = [
        ("stages", [stage.name for stage in pipeline.stages]),
        *(("actions", [each.name for each in stage.actions]) for stage in pipeline.stages),
        ("artifacts", [out.name for each in actions for out in each.outputs]),
    ]
    for what, names in groups:
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ValidationError(
                f"{pipeline.name} was to be released, and with environments so called it would "
                f"have two {what} of the name {twice!r}; call one of the environments otherwise"
            )


def _is_json(value: object) -> bool:
    try:
        json.dumps(value)
    except TypeError:
        return False
    return True
