"""Approval/Custom/Review: an approval that knows who may give it, and how many must."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Annotated

from pipelinekit.engine.review import APPROVERS, COMMENT, INPUTS, NO_SELF, REQUIRED, read_inputs
from pipelinekit.engine.variables import KEY
from pipelinekit.model.action import Action, Category
from pipelinekit.model.order import Outcome, Waiting
from pipelinekit.model.settings import Settings
from pipelinekit.ports.forms import Names
from pipelinekit.ports.provider import Job, Key, Traits, provider


def _check(action: Action, _: Settings) -> str | None:
    given = action.configuration
    count, names = given.get(REQUIRED, "1"), Names().read(given.get(APPROVERS, ""))
    if "#{" in "".join(given.get(key, "") for key in (APPROVERS, REQUIRED, INPUTS)):
        return None
    if not count.isdecimal() or int(count) < 1:
        return f"{REQUIRED} is {count!r}; write how many people have to approve, 1 or more"
    if names and len(set(names)) < int(count):
        return f"{REQUIRED} is {count}, and {APPROVERS} names only {len(set(names))}; name more"
    try:
        inputs = read_inputs(given.get(INPUTS, "{}"))
    except ValueError as error:
        return f"{INPUTS} cannot be read: {error}"
    return _misnamed(inputs)


def _misnamed(inputs: Iterable[str]) -> str | None:
    wrong = ", ".join(repr(name) for name in inputs if not KEY.fullmatch(name))
    if wrong:
        return f"{INPUTS} has {wrong}; give a name of letters, digits, @, - and _ to each"
    return None


@provider(
    Traits(
        category=Category.APPROVAL,
        provider="Review",
        inputs=(0, 0),
        outputs=(0, 0),
        repeatable=True,
        timeout=timedelta(days=7),
        check=_check,
    )
)
def review(  # noqa: PLR0913 - a parameter for each thing that a review can demand
    job: Job,
    approvers: Annotated[Sequence[str] | None, Key(APPROVERS, form=Names())] = None,
    required: Annotated[int, Key(REQUIRED)] = 1,
    *,
    no_self_approval: Annotated[bool, Key(NO_SELF)] = False,
    comment_required: Annotated[bool, Key(COMMENT)] = False,
    inputs: Annotated[Mapping[str, Mapping[str, object]] | None, Key(INPUTS)] = None,
    note: Annotated[str | None, Key("CustomData")] = None,
    link: Annotated[str | None, Key("ExternalEntityLink")] = None,
) -> Outcome:
    """Wait until enough people approve, or one rejects; CodePipeline has no such type.

    It expires like every approval, after 7 days or `action.within(minutes)`. What is filled in
    becomes output variables: `review["size"]`.

    Args:
        job: What is to be done.
        approvers: Who may answer; anybody when None or empty.
        required: How many have to approve, each a different person.
        no_self_approval: Whether the author of a revision, whoever started the execution and the
            last editor of the definition may not approve.
        comment_required: Whether an answer needs a comment.
        inputs: What the approver fills in, by name: `type` (string, number, boolean, choice),
            `default`, `choices`, `pattern`, `description`.
        note: What the reviewers should know.
        link: A URL of what is to be reviewed.
    """
    who = ", ".join(approvers or ()) or "anybody"
    summary = f"Waiting for {required} of {who}" if required > 1 else f"Waiting for {who}"
    job.say(summary)
    if no_self_approval:
        job.say("Not by the author of the revision, who started it, or who edited the pipeline")
    if comment_required:
        job.say("A comment is wanted")
    for name, demand in (inputs or {}).items():
        job.say(f"To be filled in: {name} ({demand.get('type', 'string')})")
    for line in (*(note or "").splitlines(), *((f"To review: {link}",) if link else ())):
        job.say("".join(letter if letter.isprintable() else " " for letter in line))
    return Waiting(token=job.order.id, summary=summary)
