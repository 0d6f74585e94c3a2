"""Whether a definition can be started, and with which values. Source: codepipeline.md 3.1."""

from collections.abc import Mapping

from pipelinekit.model.action import Category
from pipelinekit.model.errors import CannotRunHere, ValidationError
from pipelinekit.model.execution import Revision
from pipelinekit.model.pipeline import ExecutionMode, Pipeline

Values = Mapping[str, str]


def startable(
    definition: Pipeline, variables: Values, revisions: Values
) -> tuple[Values, Mapping[str, Revision]]:
    """Give the values of all pipeline variables, and the revisions that sources are to take.

    Raises:
        CannotRunHere: The definition uses what this engine does not run.
        ValidationError: A variable or a revision does not fit the definition.
    """
    _runs_here(definition)
    return _values(definition, variables), _revisions(definition, revisions)


def _runs_here(definition: Pipeline) -> None:
    if definition.mode is not ExecutionMode.SUPERSEDED:
        raise CannotRunHere(
            f"pipeline {definition.name!r} has executionMode {definition.mode}, and this engine "
            f"runs SUPERSEDED; set that mode to run it here"
        )
    for stage in definition.stages:
        if stage.before_entry or stage.on_success or stage.on_failure:
            raise CannotRunHere(
                f"stage {stage.name!r} of pipeline {definition.name!r} declares conditions "
                f"(beforeEntry, onSuccess or onFailure), which this engine does not evaluate; "
                f"take them out to run it here"
            )


def _values(definition: Pipeline, given: Mapping[str, str]) -> Mapping[str, str]:
    declared = {variable.name: variable.default for variable in definition.variables}
    asked = f"pipeline {definition.name!r} was to be started "
    unknown = ", ".join(sorted(set(given) - set(declared)))
    if unknown:
        raise ValidationError(
            f"{asked}with the variables {unknown}, which it does not declare; it declares "
            f"{', '.join(declared) or 'none'}"
        )
    empty = ", ".join(name for name, value in given.items() if not _text(value))
    if empty:
        raise ValidationError(f"{asked}with empty values for {empty}; give at least one character")
    values = {**declared, **given}
    missing = ", ".join(name for name, value in values.items() if value is None)
    if missing:
        raise ValidationError(
            f"{asked}without values for {missing}, which have no default; give them values"
        )
    return {name: value for name, value in values.items() if value is not None}


def _text(value: object) -> bool:
    return isinstance(value, str) and value != ""


def _revisions(definition: Pipeline, given: Mapping[str, str]) -> Mapping[str, Revision]:
    sources = {
        action.name
        for stage in definition.stages
        for action in stage.actions
        if action.type.category is Category.SOURCE
    }
    unknown = ", ".join(sorted(set(given) - sources))
    if unknown:
        raise ValidationError(
            f"pipeline {definition.name!r} was to be started on revisions of {unknown}, which "
            f"are no source actions of it; its sources are {', '.join(sorted(sources))}"
        )
    return {action: Revision(revision) for action, revision in given.items()}
