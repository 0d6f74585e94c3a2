"""What a review demands of those who answer it, beyond CodePipeline's approvals.

An approval of type Review may name its approvers, want several of them, keep people from approving
what is their own, want a comment, and ask for values that later actions read as variables.
"""

import json
import re
from collections.abc import Iterator, Mapping

from pipelinekit.engine.draft import Draft
from pipelinekit.model.action import ActionTypeId, Category
from pipelinekit.model.event import Answered
from pipelinekit.model.execution import ActionExecution
from pipelinekit.model.noun import Noun
from pipelinekit.model.status import ApprovalStatus

APPROVERS = "Approvers"
REQUIRED = "RequiredApprovals"
NO_SELF = "PreventSelfApproval"
COMMENT = "CommentRequired"
INPUTS = "Inputs"
FREEZE = "Freeze"
"""What holds releases up while an environment is frozen; see `providers.freeze`."""

KINDS = ("string", "number", "boolean", "choice")


class Input(Noun):
    """A value that the approver fills in.

    Attributes:
        type: `string`, `number`, `boolean` or `choice`.
        default: What it is when nobody fills it in; it must be filled in when None.
        choices: The values of a choice.
        pattern: A regular expression for the whole of a string.
    """

    type: str = "string"
    default: str | None = None
    choices: tuple[str, ...] = ()
    pattern: str = ""

    def fault(self, value: str) -> str | None:
        """Say what is wrong with a value; None when nothing is."""
        if self.type == "number" and not re.fullmatch(r"[+-]?\d+(\.\d+)?", value):
            return "is no number"
        if self.type == "boolean" and value not in {"true", "false"}:
            return "is neither true nor false"
        if self.type == "choice" and value not in self.choices:
            return f"is none of {', '.join(self.choices)}"
        if self.pattern and not re.fullmatch(self.pattern, value):
            return f"does not match {self.pattern}"
        return None


def read_inputs(text: str) -> dict[str, Input]:
    """Read the key Inputs: a JSON object of descriptions by name.

    Raises:
        ValueError: It is none, or describes something in a way that has no meaning.
    """
    data = json.loads(text)
    if not isinstance(data, dict):
        raise ValueError('a JSON object is expected, such as {"size": {"type": "number"}}')  # noqa: TRY004 - it is the value of a text
    return {name: _input(name, each) for name, each in data.items()}


def _input(name: str, data: object) -> Input:
    if not isinstance(data, dict):
        raise ValueError(f"{name}: an object with a type is expected")  # noqa: TRY004 - as above
    unknown = set(data) - {"type", "default", "choices", "pattern", "description"}
    kind, choices = data.get("type", "string"), data.get("choices", [])
    if unknown or kind not in KINDS or not isinstance(choices, list):
        raise ValueError(
            f"{name}: type string, number, boolean or choice is expected, with default, a list of "
            f"choices, pattern and description"
        )
    default, pattern = data.get("default"), str(data.get("pattern", ""))
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{name}: {pattern!r} is no regular expression: {error}") from None
    words = None if default is None else _word(default)
    read = Input(kind, words, tuple(map(_word, choices)), pattern)
    fault = None if words is None else read.fault(words)
    if fault is not None:
        raise ValueError(f"{name}: its default {words!r} {fault}")
    return read


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def asks(kind: ActionTypeId) -> bool:
    """Tell whether actions of a type wait for people; a freeze ends by itself."""
    return kind.category is Category.APPROVAL and kind.provider != FREEZE


def objection(draft: Draft, row: ActionExecution, event: Answered) -> str | None:
    """Say why an answer does not count; None when it does."""
    approves = event.status is ApprovalStatus.APPROVED
    return next(_objections(draft, row, event, approves=approves), None)


def is_decided(row: ActionExecution) -> bool:
    """Tell whether as many have approved as it takes."""
    count = sum(not vote.refused for vote in row.votes)
    return count >= int(row.resolved.get(REQUIRED, "1"))


def values(row: ActionExecution, event: Answered) -> Mapping[str, str]:
    """Give the value of every input, the given ones and the defaults."""
    defaults = {name: each.default for name, each in _inputs(row).items()}
    given = {**defaults, **event.inputs}
    return {name: value for name, value in given.items() if value is not None}


def _objections(
    draft: Draft, row: ActionExecution, event: Answered, *, approves: bool
) -> Iterator[str]:
    if (fault := _unreadable(row)) is not None:
        yield fault
    me = event.by.casefold()
    names = (name.strip() for name in row.resolved.get(APPROVERS, "").split(","))
    entitled = [name for name in names if name]
    if entitled and me not in {name.casefold() for name in entitled}:
        yield f"{event.by} is none of its approvers, who are {', '.join(entitled)}"
    if approves and row.resolved.get(NO_SELF) == "true":
        own = {name.casefold(): why for name, why in _own(draft, row)}
        if me in own:
            yield f"{event.by} {own[me]}, and must not approve that; somebody else has to"
    before = (vote for vote in row.votes if not vote.refused)
    if approves and any(vote.by.casefold() == me for vote in before):
        yield f"{event.by} has approved it already; somebody else has to"
    if not event.summary.strip():
        yield from _unsaid(row)
    if approves:
        yield from _faults(row, event)


def _unsaid(row: ActionExecution) -> Iterator[str]:
    if row.type.provider == FREEZE:
        yield "it is a freeze and no reason was given; say why it must not wait"
    if row.resolved.get(COMMENT) == "true":
        yield "it wants a comment, and none was given"


def _unreadable(row: ActionExecution) -> str | None:
    """Say what variables made of its demands that nobody can fulfil."""
    count = row.resolved.get(REQUIRED, "1")
    if not count.isdecimal() or int(count) < 1:
        return f"its {REQUIRED} is {count!r}, which is no number of people"
    try:
        _inputs(row)
    except ValueError as error:
        return f"its {INPUTS} cannot be read: {error}"
    return None


def _own(draft: Draft, row: ActionExecution) -> Iterator[tuple[str, str]]:
    execution = draft.execution(row.execution)
    yield draft.editor(execution.version), "has edited the pipeline last"
    for revision in execution.revisions.values():
        yield from ((name, "is the author of the revision") for name in revision.authors)
    yield execution.cause.detail, "has started the execution"


def _faults(row: ActionExecution, event: Answered) -> Iterator[str]:
    asked = _inputs(row)
    for name, value in event.inputs.items():
        if not asked:
            yield f"it asks for no values, and {name} was given; leave it out"
        elif name not in asked:
            yield f"it asks for no value {name}, but for {', '.join(asked)}"
        elif fault := asked[name].fault(value):
            yield f"the value of {name}, {value!r}, {fault}"
    for name in asked.keys() - values(row, event).keys():
        yield f"it asks for a value of {name}, and none was given"


def _inputs(row: ActionExecution) -> dict[str, Input]:
    text = row.resolved.get(INPUTS)
    return read_inputs(text) if text else {}
