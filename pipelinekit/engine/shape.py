"""The bounds of every member of a pipeline as data, and how they are judged.

Source: codepipeline.md, sections 2.1 to 2.7.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from pipelinekit.engine.declaration import Finding
from pipelinekit.model.errors import Path
from pipelinekit.model.noun import Noun
from pipelinekit.model.pipeline import Pipeline


class Text(Noun):
    """A text of so many characters, all of which match the pattern.

    Attributes:
        least: The fewest characters.
        most: The most characters.
        pattern: A regular expression for the whole of it.
        words: What the pattern means, for people.
    """

    least: int
    most: int
    pattern: str = r"(?s:.*)"
    words: str = ""


class Word(Noun):
    """A text that can only be this one, or the other."""

    one: str
    other: str | None = None


class Whole(Noun):
    """A whole number of at least and at most so much."""

    least: int
    most: int


class Member(Noun):
    """A member of a noun.

    Attributes:
        name: What CodePipeline calls it, with dots where objects lie within each other.
        attribute: What the model calls it, likewise.
        bound: What its value must be; None is always allowed.
    """

    name: str
    attribute: str
    bound: "Bound"


class Each(Noun):
    """A list of so many items, each within its bound; an item of a noun has members."""

    item: "Text | tuple[Member, ...]"
    least: int = 0
    most: int | None = None
    name: str = ""


class ByKey(Noun):
    """A mapping of so many keys, with bounds for keys and values."""

    key: Text
    value: "Text | tuple[Member, ...]"
    most: int | None = None


Bound: TypeAlias = "Text | Word | Whole | Each | ByKey | tuple[Member, ...]"

ONE_LINE = ".*"

NAME = Text(1, 100, r"[A-Za-z0-9.@\-_]+", "letters, digits and . @ - _")
NAMESPACE = Text(1, 100, r"[A-Za-z0-9@\-_]+", "letters, digits and @ - _")
ARTIFACT = Text(1, 100, r"[a-zA-Z0-9_\-]+", "letters, digits, _ and -")
PROVIDER = Text(1, 35, r"[0-9A-Za-z_-]+", "letters, digits, _ and -")
VERSION = Text(1, 9, r"[0-9A-Za-z_-]+", "letters, digits, _ and -")
ROLE = Text(1, 1024, r"arn:aws(-[\w]+)*:iam::[0-9]{12}:role/.*", "the ARN of a role")
REGION = Text(4, 30)
COMMAND = Text(1, 1000, ONE_LINE, "one line")
TIMEOUT = Whole(5, 86400)
PATTERN = Text(1, 255)

KEY = (Member("id", "id", Text(1, 400)), Member("type", "type", Word("KMS")))

STORE = (
    Member("type", "type", Word("S3")),
    Member(
        "location",
        "location",
        Text(3, 63, r"[a-zA-Z0-9\-.]+", "the letters, digits, - and . of a bucket"),
    ),
    Member("encryptionKey", "encryption_key", KEY),
)

VARIABLE = (
    Member("name", "name", Text(1, 128, r"[A-Za-z0-9@\-_]+", "letters, digits and @ - _")),
    Member("defaultValue", "default", Text(1, 1000, ONE_LINE, "one line")),
    Member("description", "description", Text(0, 200)),
)

PATTERNS = (
    Member("includes", "includes", Each(PATTERN, most=8)),
    Member("excludes", "excludes", Each(PATTERN, most=8)),
)

PUSH = (
    Member("tags", "tags", PATTERNS),
    Member("branches", "branches", PATTERNS),
    Member("filePaths", "file_paths", PATTERNS),
)

PULL_REQUEST = (
    Member("events", "events", Each(Text(1, 10), most=3)),
    Member("branches", "branches", PATTERNS),
    Member("filePaths", "file_paths", PATTERNS),
)

GIT = (
    Member("sourceActionName", "source_action_name", NAME),
    Member("push", "push", Each(PUSH, most=3)),
    Member("pullRequest", "pull_request", Each(PULL_REQUEST, most=3)),
)

TRIGGER = (
    Member("providerType", "provider_type", Word("CodeStarSourceConnection")),
    Member("gitConfiguration", "git_configuration", GIT),
)

RULE = (
    Member("name", "name", NAME),
    Member("ruleTypeId.category", "type.category", Word("Rule")),
    Member("ruleTypeId.owner", "type.owner", Word("AWS", "Custom")),
    Member("ruleTypeId.provider", "type.provider", PROVIDER),
    Member("ruleTypeId.version", "type.version", VERSION),
    Member("configuration", "configuration", ByKey(Text(1, 50), Text(1, 10000), most=200)),
    Member("commands", "commands", Each(COMMAND, most=50)),
    Member("inputArtifacts", "inputs", Each(ARTIFACT, name="name")),
    Member("roleArn", "role_arn", ROLE),
    Member("region", "region", REGION),
    Member("timeoutInMinutes", "timeout_minutes", TIMEOUT),
)

CONDITIONS = Each((Member("rules", "rules", Each(RULE, 1, 5)),), most=1)

ENVIRONMENT_VARIABLE = (
    Member("name", "name", Text(1, 128, r"[A-Za-z0-9_]+", "letters, digits and _")),
    Member("value", "value", Text(1, 2000)),
)

OUTPUT = (
    Member("name", "name", ARTIFACT),
    Member("files", "files", Each(Text(1, 128), most=10)),
)

ACTION = (
    Member("name", "name", NAME),
    Member("actionTypeId.provider", "type.provider", PROVIDER),
    Member("actionTypeId.version", "type.version", VERSION),
    Member("runOrder", "run_order", Whole(1, 999)),
    # The limit counts the text before its variables are put in.
    Member("configuration", "configuration", ByKey(Text(1, 50), Text(1, 1000))),
    Member("commands", "commands", Each(COMMAND, most=50)),
    Member("inputArtifacts", "inputs", Each(ARTIFACT, name="name")),
    Member("outputArtifacts", "outputs", Each(OUTPUT)),
    Member("outputVariables", "output_variables", Each(Text(1, 128), most=15)),
    Member("environmentVariables", "environment", Each(ENVIRONMENT_VARIABLE, most=10)),
    Member("roleArn", "role_arn", ROLE),
    Member("region", "region", REGION),
    Member("namespace", "namespace", NAMESPACE),
    Member("timeoutInMinutes", "timeout_minutes", TIMEOUT),
)

STAGE = (
    Member("name", "name", NAME),
    Member(
        "blockers",
        "blockers",
        Each((Member("name", "name", Text(1, 100)), Member("type", "type", Word("Schedule")))),
    ),
    Member("actions", "actions", Each(ACTION)),
    Member("beforeEntry.conditions", "before_entry", CONDITIONS),
    Member("onSuccess.conditions", "on_success", CONDITIONS),
    Member("onFailure.conditions", "on_failure.conditions", CONDITIONS),
)

PIPELINE = (
    Member("name", "name", NAME),
    Member("roleArn", "role_arn", ROLE),
    Member("artifactStore", "artifact_store", STORE),
    Member("artifactStores", "artifact_stores", ByKey(REGION, STORE)),
    Member("stages", "stages", Each(STAGE)),
    Member("version", "version", Whole(1, 2**31 - 1)),
    Member("variables", "variables", Each(VARIABLE, most=50)),
    Member("triggers", "triggers", Each(TRIGGER, most=50)),
)


def misshapen(pipeline: Pipeline) -> Iterator[Finding]:
    """Find every value of a pipeline that lies outside its bound."""
    return _judge(pipeline, PIPELINE, ())


def _judge(value: object, bound: Bound, path: Path) -> Iterator[Finding]:
    match bound:
        case Text() if value is not None:
            yield from _judge_text(value, bound, path)
        case Word() if value not in (None, bound.one, bound.other):
            yield Finding(path, f'it is "{value}"', f'write "{bound.one}"')
        case Whole() if isinstance(value, int) and not bound.least <= value <= bound.most:
            advice = f"write a whole number from {bound.least} to {bound.most}"
            yield Finding(path, f"it is {value}", advice)
        case Each() if isinstance(value, Sequence):
            yield from _judge_each(value, bound, path)
        case ByKey() if isinstance(value, Mapping):
            yield from _judge_by_key(value, bound, path)
        case tuple() if value is not None:
            for member in bound:
                inside = (*path, *member.name.split("."))
                yield from _judge(_value(value, member.attribute), member.bound, inside)


def _value(noun: object, attribute: str) -> object:
    value = noun
    for step in attribute.split("."):
        value = None if value is None else getattr(value, step)
    return value


def _judge_text(text: object, bound: Text, path: Path) -> Iterator[Finding]:
    if not isinstance(text, str):
        yield Finding(path, f"it is {text!r}, which is no text", f'write it in quotes: "{text}"')
    elif not bound.least <= len(text) <= bound.most:
        found = f"it has {len(text)} characters"
        yield Finding(path, found, f"write {bound.least} to {bound.most} characters")
    elif not re.fullmatch(bound.pattern, text):
        # What may hold any character may be a secret, and is not told.
        subject = "it" if bound.pattern == ONE_LINE else f'"{text}"'
        found = f"{subject} does not match {bound.pattern}"
        yield Finding(path, found, f"write {bound.words}")


def _judge_each(items: Sequence[object], bound: Each, path: Path) -> Iterator[Finding]:
    if len(items) < bound.least:
        yield Finding(path, "it is empty", f"put at least {bound.least} into it")
    if bound.most is not None and len(items) > bound.most:
        found = f"it has {len(items)} items"
        yield Finding(path, found, f"keep at most {bound.most}")
    for index, item in enumerate(items):
        yield from _judge(item, bound.item, (*path, index, *bound.name.split()))


def _judge_by_key(values: Mapping[object, object], bound: ByKey, path: Path) -> Iterator[Finding]:
    if bound.most is not None and len(values) > bound.most:
        found = f"it has {len(values)} keys"
        yield Finding(path, found, f"keep at most {bound.most}")
    for key, value in values.items():
        yield from _judge(key, bound.key, (*path, str(key)))
        yield from _judge(value, bound.value, (*path, str(key)))
