"""Makes a pipeline of a notebook and environments: taken once, promoted from one to the next."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from msgspec import field

from pipelinekit.model.action import Action, Steps
from pipelinekit.model.condition import Condition, Rule
from pipelinekit.model.environment import Environment
from pipelinekit.model.errors import ValidationError
from pipelinekit.model.gate import MAX_RULES, gate
from pipelinekit.model.noun import Noun
from pipelinekit.model.pipeline import Pipeline, Stage
from pipelinekit.model.settings import Aws
from pipelinekit.providers.files import files
from pipelinekit.providers.freeze import FREEZE_MINUTES, freeze
from pipelinekit.providers.notebook import notebook_deploy
from pipelinekit.providers.review import review
from pipelinekit.tools.notebooks import NotebookError, check, parameters, read_notebook
from pipelinekit.tools.notebooks.document import PARAMETERS, language, tags
from pipelinekit.wire.words import one_line, shortened

SOURCE: Final = "Source"
ARTIFACT: Final = "release"
NAME_LIMIT: Final = 100
NOTE_LIMIT: Final = 1000
APPROVE: Final = "approve-"

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
        inside = self.notebook.resolve().is_relative_to(self.folder.resolve())
        return self.folder if inside else self.notebook.parent

    @property
    def path(self) -> str:
        """Give the notebook's path in that folder."""
        return self.notebook.resolve().relative_to(self.root.resolve()).as_posix()

    @property
    def name(self) -> str:
        """Name the pipeline after the notebook."""
        plain = re.sub(r"[^A-Za-z0-9.@_-]+", "-", self.path.removesuffix(".ipynb"))
        return shortened(f"release-{plain}", NAME_LIMIT).replace("…", "-")

    def pipeline(self) -> Pipeline:
        """Make the pipeline, after the parameters of every environment were checked.

        Raises:
            ValidationError: The notebook is missing, is none, has no cell of parameters or cannot
                take those that it would get; the message names the environment, cell and line.
        """
        given = {each.name: _parameters(self, each) for each in self.environments}
        source = files("files", self._folder, self._files, besides=self._besides)
        pipeline = Pipeline(self.name) >> Stage(SOURCE, source.writes(ARTIFACT))
        for wave in self.waves:
            pipeline = pipeline >> self._stage(wave, given)
        return pipeline

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
        asks = [each for each in wave if each.asks]
        free = [each for each in wave if not each.asks]
        first = [*(self._approval(each, given[each.name]) for each in asks)]
        first += [self._run(each, given[each.name]) for each in free]
        steps = _beside(first)
        if asks:
            steps = steps >> _beside([self._run(each, given[each.name]) for each in asks])
        return Stage(stage_name(wave), steps, before_entry=_freezes(wave))

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


def _beside(actions: Sequence[Action]) -> Steps:
    steps = Steps.of(actions[0])
    for action in actions[1:]:
        steps = steps + action
    return steps


def _freezes(wave: tuple[Environment, ...]) -> Condition | tuple[()]:
    rules = [_freeze(each) for each in wave if each.freezes]
    if len(rules) > MAX_RULES:
        names = ", ".join(each.name for each in wave if each.freezes)
        raise ValidationError(
            f"{names} were to be released to side by side, and {len(rules)} of them have freezes "
            f"of their own, of which a stage holds {MAX_RULES}; set some of them `after` others"
        )
    return gate(*rules) if rules else ()


def _freeze(environment: Environment) -> Rule:
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
    name = shortened(f"freeze-{environment.name}", NAME_LIMIT).replace("…", "-")
    return freeze(name, periods, environment.zone).within(FREEZE_MINUTES)


def _parameters(promotion: Promotion, environment: Environment) -> dict[str, object]:
    notebook = promotion.notebook
    given = {**environment.parameters, **promotion.parameters}
    try:
        _refuse_untagged(notebook)
        if any(each.name == "environment" for each in parameters(notebook)):
            given = {"environment": environment.name, **given}
        typed = check(notebook, given)
    except NotebookError as error:
        raise ValidationError(f"environment {environment.name}: {error}") from None
    return {name: value if _is_json(value) else given[name] for name, value in typed.items()}


def _refuse_untagged(notebook: Path) -> None:
    document = read_notebook(notebook)
    tagged = any(PARAMETERS in tags(cell) for cell in document["cells"])
    if not tagged and language(document) == "python":
        raise NotebookError(
            f"{notebook.name} was to be released, and has no cell tagged `{PARAMETERS}` to take "
            f"the values of an environment; tag the cell that holds the defaults, such as "
            f'`environment = "dev"`'
        )


def _is_json(value: object) -> bool:
    try:
        json.dumps(value)
    except TypeError:
        return False
    return True
