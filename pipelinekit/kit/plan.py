"""Plans a start: what the engine would decide, and what the hands would do, and where."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final, NoReturn

from msgspec.structs import replace

from pipelinekit.builds.compute import compute_of
from pipelinekit.builds.place import where
from pipelinekit.engine.plan import Aim
from pipelinekit.engine.plan import plan as decided
from pipelinekit.engine.planned import Plan, PlannedAction, PlannedCondition, PlannedRule
from pipelinekit.engine.validate import faults
from pipelinekit.kit.ability import limits, obstacles
from pipelinekit.kit.plan_sources import missing
from pipelinekit.kit.registry import discover
from pipelinekit.model.action import ActionTypeId, Category, Owner
from pipelinekit.model.actiontype import ActionType
from pipelinekit.model.errors import CannotRunHere
from pipelinekit.model.event import Started
from pipelinekit.model.execution import Cause
from pipelinekit.model.noun import Noun
from pipelinekit.model.order import Failed, Order, Outcome, Succeeded, Waiting
from pipelinekit.model.pipeline import Pipeline
from pipelinekit.model.settings import Project, Settings, Where
from pipelinekit.model.state import State
from pipelinekit.model.status import TriggerType
from pipelinekit.runtime.clock import new_id, now
from pipelinekit.wire import codepipeline

BUILDS: Final = frozenset({"CodeBuild", "Commands"})
"""The providers whose commands run where the settings say."""

FORESEEABLE: Final = frozenset({"VariableCheck", "DeploymentWindow"})
"""The rules that only think, so that they can be asked without anything being done."""


class Ground(Noun):
    """What a plan is made on.

    Attributes:
        state: Of the pipeline as it is stored; empty where it is not.
        stored: Its current definition, if there is one.
        settings: About the surroundings.
        types: The action types that there are.
    """

    state: State
    stored: Pipeline | None
    settings: Settings
    types: Mapping[ActionTypeId, ActionType]


Values = Mapping[str, str] | None


def wish(
    pipeline: str, by: str, variables: Values, revisions: Values, object_keys: Values
) -> Started:
    """Give the start that a plan is about.

    Args:
        pipeline: The pipeline's name.
        by: Who would start it.
        variables: Values for pipeline variables.
        revisions: Commits by source action.
        object_keys: S3 objects by source action.
    """
    return Started(
        id=new_id(),
        pipeline=pipeline,
        at=now(),
        by=by,
        cause=Cause(TriggerType.START_PIPELINE_EXECUTION, by),
        variables=variables or {},
        revisions=revisions or {},
        object_keys=object_keys or {},
    )


def planned(ground: Ground, pipeline: Pipeline, start: Started) -> Plan:
    """Tell what would happen if a pipeline were started now; nothing of it happens.

    Args:
        ground: What there is.
        pipeline: The definition.
        start: How it would be started.
    """
    found = faults(pipeline, ground.types, ground.stored)
    if not found:  # lists or tuples: the same
        pipeline = codepipeline.read(codepipeline.write(pipeline))
    start = replace(start, limits=limits(pipeline))
    plan = decided(ground.state, Aim(pipeline, start, ground.types, found))
    return _Survey(pipeline, ground).complete(plan)


class _Survey:
    """Adds to a plan what only the hands know."""

    def __init__(self, pipeline: Pipeline, ground: Ground) -> None:
        self._settings = ground.settings
        workers = {each for each in ground.types if each.owner is Owner.CUSTOM} - {*discover()}
        self._obstacles = {
            place: why for place, _, why in obstacles(pipeline, ground.settings, workers) if why
        }

    def complete(self, plan: Plan) -> Plan:
        refused = tuple(f"{place}: {why}" for place, why in self._obstacles.items())
        stages = tuple(
            replace(
                stage,
                groups=tuple(
                    tuple(self._action(stage.name, action) for action in group)
                    for group in stage.groups
                ),
                conditions=tuple(self._condition(stage.name, each) for each in stage.conditions),
            )
            for stage in plan.stages
        )
        plan = replace(plan, stages=stages, obstacles=(*plan.obstacles, *refused))
        failing = (
            f"action {stage.name}/{action.name}: {why}"
            for stage, action in plan.actions
            if (why := missing(action, self._settings))
        )
        return replace(plan, failing=tuple(failing))

    def _action(self, stage: str, action: PlannedAction) -> PlannedAction:
        obstacle = self._obstacles.get(f"action {stage}/{action.name}", "")
        declared = discover().get(_type_id(action.type))
        return replace(
            action,
            does=declared.type.description if declared else "",
            place="" if obstacle or declared is None else self._place(action),
            obstacle=obstacle,
            limit_seconds=self._limit(action),
        )

    def _place(self, action: PlannedAction) -> str:
        provider = _type_id(action.type).provider
        if provider not in BUILDS:
            return "here"
        project = self._settings.projects.get(action.setting("ProjectName"), Project())
        compute = compute_of(project, self._settings)
        kind = where(compute)
        return f"{kind} {compute.image}" if kind is Where.CONTAINER else kind

    def _limit(self, action: PlannedAction) -> float:
        project = self._settings.projects.get(action.setting("ProjectName"), Project())
        minutes = project.timeout_minutes
        is_build = _type_id(action.type).provider == "CodeBuild"
        is_batch = action.setting("BatchEnabled") == "true"  # where each build may take so long
        if minutes is None or not is_build or is_batch:
            return action.limit_seconds
        return min(action.limit_seconds, 60 * minutes)

    def _condition(self, stage: str, condition: PlannedCondition) -> PlannedCondition:
        rules = (self._rule(stage, rule, condition) for rule in condition.rules)
        return replace(condition, rules=tuple(rules))

    def _rule(self, stage: str, rule: PlannedRule, condition: PlannedCondition) -> PlannedRule:
        obstacle = self._obstacles.get(f"rule {stage}/{rule.name}", "")
        rule = replace(rule, obstacle=obstacle)
        if obstacle or rule.type not in FORESEEABLE or any(each.later for each in rule.settings):
            return rule
        match _asked(rule, self._settings):
            case Succeeded(summary=summary):
                return replace(rule, verdict=summary, blocks=False)
            case Waiting(summary=summary):
                return replace(rule, verdict=summary, blocks=True)
            case Failed(message=message):
                verdict = f"{message}: result {condition.result}"
                return replace(rule, verdict=verdict, blocks=True)


def _type_id(text: str) -> ActionTypeId:
    category, owner, provider, version = text.split("/")
    return ActionTypeId(Category(category), Owner(owner), provider, version)


# ------------------------------------------------------------------ rules that only think


def _asked(rule: PlannedRule, settings: Settings) -> Outcome:
    declared = discover()[ActionTypeId(Category.RULE, Owner.AWS, rule.type)]
    given = {each.key: each.text for each in rule.settings}
    order = Order("", "", "", "", rule.name, declared.traits.id, given)
    return declared.carry_out(_Thought(order, settings))


class _Thought(Noun):
    """A job in which nothing can be done."""

    order: Order
    settings: Settings

    @property
    def folder(self) -> Path:
        self._refuse()

    @property
    def private(self) -> Path:
        self._refuse()

    @property
    def cache(self) -> Path:
        self._refuse()

    def read(self, artifact: str | None = None) -> Path:
        del artifact
        self._refuse()

    def write(self, folder: Path, artifact: str | None = None) -> None:
        del folder, artifact
        self._refuse()

    def say(self, text: str) -> None:
        """Say nothing: there is no log."""

    def progress(self, percent: int, text: str) -> None:
        """Tell nobody."""

    def start(
        self, pipeline: str, variables: Mapping[str, str], revisions: Mapping[str, str]
    ) -> str:
        del pipeline, variables, revisions
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise CannotRunHere(
            f"rule {self.order.action} was asked what it would say, and it wants to do something; "
            f"only rules that do nothing can be asked in advance"
        )
