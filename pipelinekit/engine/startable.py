"""With which values and revisions an execution starts. Source: codepipeline.md 3.1."""

import re
from collections.abc import Iterable, Mapping

from pipelinekit.model.action import Action, Category
from pipelinekit.model.errors import ValidationError
from pipelinekit.model.execution import Revision
from pipelinekit.model.noun import SHORT
from pipelinekit.model.pipeline import Pipeline

Values = Mapping[str, str]
LONGEST = 1000
ONE_LINE = re.compile(r".*")

OBJECT_KEY = "S3_OBJECT_KEY"
REVISION_TYPES: Mapping[str, frozenset[str]] = {
    "CodeCommit": frozenset({"COMMIT_ID"}),
    "CodeStarSourceConnection": frozenset({"COMMIT_ID"}),
    "GitHub": frozenset({"COMMIT_ID"}),
    "ECR": frozenset({"IMAGE_DIGEST"}),
    "S3": frozenset({"S3_OBJECT_VERSION_ID", OBJECT_KEY}),
}
"""What can be chosen of a source, by its provider; of others whatever their authors understand."""


def startable(
    definition: Pipeline, variables: Values, revisions: Values, object_keys: Values
) -> tuple[Values, Mapping[str, Revision]]:
    """Give the values of all pipeline variables, and the revisions that sources are to take.

    Raises:
        ValidationError: A variable or a revision does not fit the definition.
    """
    asked = f"pipeline {definition.name!r} was to be started with"
    _refuse_unnamed(f"{asked} variables=", variables)
    _refuse_unnamed(f"{asked} revisions=", revisions)
    _refuse_unnamed(f"{asked} object_keys=", object_keys)
    _check_object_keys(definition, object_keys)
    return _values(definition, variables), _revisions(definition, revisions)


def _refuse_unnamed(asked: str, given: object) -> None:
    if not isinstance(given, Mapping):
        raise ValidationError(
            f"{asked}{SHORT.repr(given)}, which is no mapping; write a value for each name, such "
            f'as {{"name": "value"}}'
        )


def check_revision_types(definition: Pipeline, chosen: Iterable[tuple[str, str]]) -> None:
    """Refuse types of revisions that the sources do not have, and two revisions of one source.

    Args:
        definition: The pipeline.
        chosen: The source action of each revision, and its type; an object's key stands beside
            its version. A name that is no source is left to `startable`.

    Raises:
        ValidationError: Some do not fit.
    """
    sources = _sources(definition)
    asked = f"pipeline {definition.name!r} was to be started on"
    taken: set[tuple[str, bool]] = set()
    for name, kind in chosen:
        provider = sources[name].type.provider if name in sources else ""
        known = REVISION_TYPES.get(provider, {kind})
        if kind not in known:
            raise ValidationError(
                f"{asked} a {kind} of {name}, which is an action of {provider}; choose its "
                f"revision by {' or '.join(sorted(known))}"
            )
        place = (name, kind == OBJECT_KEY)
        if place in taken:
            raise ValidationError(f"{asked} two revisions of {name}; choose one of them")
        taken.add(place)


def _values(definition: Pipeline, given: Mapping[str, str]) -> Mapping[str, str]:
    declared = {variable.name: variable.default for variable in definition.variables}
    asked = f"pipeline {definition.name!r} was to be started "
    unknown = ", ".join(sorted(set(given) - set(declared)))
    if unknown:
        raise ValidationError(
            f"{asked}with the variables {unknown}, which it does not declare; leave them "
            f"out: it declares {', '.join(declared) or 'none'}"
        )
    wrong = ", ".join(f"{name} {why}" for name, value in given.items() if (why := _misfit(value)))
    if wrong:
        raise ValidationError(
            f"{asked}with values that do not fit: {wrong}; give a line of 1 to 1000 characters as "
            f"text"
        )
    values = {**declared, **given}
    missing = ", ".join(name for name, value in values.items() if value is None)
    if missing:
        raise ValidationError(
            f"{asked}without values for {missing}, which have no default; give them values"
        )
    return {name: value for name, value in values.items() if value is not None}


def _misfit(value: object) -> str | None:
    """Tell why a value cannot be that of a variable; not the value, which may be a secret."""
    if not isinstance(value, str):
        return f"is of type {type(value).__name__}, which is no text"
    if not value:
        return "is empty"
    if len(value) > LONGEST:
        return f"is too long with {len(value)} characters"
    return None if ONE_LINE.fullmatch(value) else "has several lines"


def _revisions(definition: Pipeline, given: Mapping[str, str]) -> Mapping[str, Revision]:
    sources = _sources(definition)
    unknown = ", ".join(sorted(set(given) - set(sources)))
    if unknown:
        raise ValidationError(
            f"pipeline {definition.name!r} was to be started on revisions of {unknown}, which "
            f"are no source actions of it; name some of its sources: {', '.join(sorted(sources))}"
        )
    for name, revision in given.items():
        if not isinstance(revision, str):
            raise ValidationError(
                f"pipeline {definition.name!r} was to be started on revision {revision!r} of "
                f"{name}, which is no text; write it in quotes"
            )
    return {action: Revision(revision) for action, revision in given.items()}


def _check_object_keys(definition: Pipeline, given: Mapping[str, str]) -> None:
    sources = _sources(definition)
    for name, key in given.items():
        source = sources.get(name)
        if source is None or source.type.provider != "S3":
            raise ValidationError(
                f"pipeline {definition.name!r} was to be started on another object for {name}, "
                f"which is no S3 source of it; name one of its S3 sources"
            )
        if not isinstance(key, str):
            raise ValidationError(
                f"pipeline {definition.name!r} was to be started on another object for {name}, "
                f"and {SHORT.repr(key)} is no key; write it in quotes"
            )
        if source.configuration.get("AllowOverrideForS3ObjectKey") != "true":
            raise ValidationError(
                f"pipeline {definition.name!r} was to be started on another object for {name}, "
                f"which does not allow that; set its AllowOverrideForS3ObjectKey to true"
            )


def _sources(definition: Pipeline) -> Mapping[str, Action]:
    return {
        action.name: action
        for stage in definition.stages
        for action in stage.actions
        if action.type.category is Category.SOURCE
    }
