"""The bounds of every member of a pipeline as data, and how they are judged.

Source: codepipeline.md, sections 2.1 to 2.7.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence, Sized
from functools import cache
from operator import attrgetter
from typing import TypeAlias

from pipelinekit.engine.declaration import Finding
from pipelinekit.model.errors import Place, path_of
from pipelinekit.model.noun import Noun
from pipelinekit.model.pipeline import Pipeline

ANY = r"(?s:.*)"


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
    pattern: str = ANY
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
COMMAND = Text(1, 1000)
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


def misshapen(pipeline: Pipeline) -> Iterable[Finding]:
    """Find every value of a pipeline that lies outside its bound."""
    found: list[Finding] = []
    _pipeline()(pipeline, (), found)
    return found


_Judge = Callable[[object, Place, list[Finding]], None]
_LISTS = (tuple, list)


@cache
def _pipeline() -> _Judge:
    return _judge(PIPELINE)


def _judge(bound: Bound) -> _Judge:
    match bound:
        case Text():
            return _text(bound)
        case Word():
            return _word(bound)
        case Whole():
            return _whole(bound)
        case Each():
            return _each(bound)
        case ByKey():
            return _by_key(bound)
        case _:
            return _members(bound)


def _members(members: tuple[Member, ...]) -> _Judge:
    parts = [
        (
            attrgetter(first),
            rest.split(".") if rest else [],
            each.name.split("."),
            _judge(each.bound),
        )
        for each in members
        for first, _, rest in [each.attribute.partition(".")]
    ]

    def judge(noun: object, place: Place, found: list[Finding]) -> None:
        for get, rest, names, judge_member in parts:
            value = get(noun)
            for step in rest:
                value = None if value is None else getattr(value, step)
            if value is not None:
                inside = place
                for name in names:
                    inside = (inside, name)
                judge_member(value, inside, found)

    return judge


def _text(bound: Text) -> _Judge:
    anything = bound.pattern == ANY
    matches = re.compile(bound.pattern).fullmatch

    def judge(text: object, place: Place, found: list[Finding]) -> None:
        if not isinstance(text, str):
            told = f"it is {text!r}, which is no text"
            found.append(Finding(path_of(place), told, _as_text(text)))
        elif not bound.least <= len(text) <= bound.most:
            told = f"it has {len(text)} characters"
            advice = f"write {bound.least} to {bound.most} characters"
            found.append(Finding(path_of(place), told, advice))
        elif not anything and not matches(text):
            # What may hold any character may be a secret, and is not told.
            subject = "it" if bound.pattern == ONE_LINE else f'"{text}"'
            told = f"{subject} does not match {bound.pattern}"
            found.append(Finding(path_of(place), told, f"write {bound.words}"))

    return judge


def _as_text(value: object) -> str:
    if isinstance(value, Sequence):
        return "write each of them as a text of its own, none inside of another list"
    return f'write it in quotes: "{value}"'


def _word(bound: Word) -> _Judge:
    def judge(value: object, place: Place, found: list[Finding]) -> None:
        if value not in (bound.one, bound.other):
            found.append(Finding(path_of(place), f'it is "{value}"', f'write "{bound.one}"'))

    return judge


def _whole(bound: Whole) -> _Judge:
    def judge(value: object, place: Place, found: list[Finding]) -> None:
        if isinstance(value, int) and not bound.least <= value <= bound.most:
            advice = f"write a whole number from {bound.least} to {bound.most}"
            found.append(Finding(path_of(place), f"it is {value}", advice))

    return judge


def _each(bound: Each) -> _Judge:
    judge_item, names = _judge(bound.item), bound.name.split()

    def judge(items: object, place: Place, found: list[Finding]) -> None:
        if not isinstance(items, _LISTS):
            told = f"it is {items!r}, which is no list"
            found.append(Finding(path_of(place), told, "write a list, also of a single one"))
            return
        _count(bound, items, place, found)
        for index, item in enumerate(items):
            inside: Place = (place, index)
            for name in names:
                inside = (inside, name)
            if item is not None:
                judge_item(item, inside, found)

    return judge


def _count(bound: Each, items: Sized, place: Place, found: list[Finding]) -> None:
    if len(items) < bound.least:
        advice = f"put at least {bound.least} into it"
        found.append(Finding(path_of(place), "it is empty", advice))
    if bound.most is not None and len(items) > bound.most:
        told = f"it has {len(items)} items"
        found.append(Finding(path_of(place), told, f"keep at most {bound.most}"))


def _by_key(bound: ByKey) -> _Judge:
    judge_key, judge_value = _judge(bound.key), _judge(bound.value)

    def judge(values: object, place: Place, found: list[Finding]) -> None:
        if not isinstance(values, Mapping):
            return
        if bound.most is not None and len(values) > bound.most:
            told = f"it has {len(values)} keys"
            found.append(Finding(path_of(place), told, f"keep at most {bound.most}"))
        for key, value in values.items():
            inside = (place, str(key))
            judge_key(key, inside, found)
            if value is not None:
                judge_value(value, inside, found)

    return judge
