"""The lines in which an execution is shown, for text and for live pictures alike."""

from collections.abc import Iterator
from dataclasses import dataclass

import click

from pipelinekit.cli.colours import colour
from pipelinekit.cli.view import ActionView, ExecutionView, StageView
from pipelinekit.model.execution import ActionStatus, PipelineStatus, StageStatus
from pipelinekit.wire.words import SHORT_ID, Mark, clean, clock, duration, one_line

NAME_WIDTH = 28
WORD_WIDTH = 22
OPEN = {StageStatus.IN_PROGRESS, StageStatus.STOPPING, StageStatus.FAILED}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the board.

    Attributes:
        depth: 0 for a stage, 1 for an action, 2 for what belongs to an action.
        mark: Its status; None for a line that only tells something.
        name: Of the stage or the action.
        time: How long it took, or has taken.
        detail: What else there is to say, clean.
        action: The action that it shows.
    """

    depth: int
    mark: Mark | None
    name: str
    time: str = ""
    detail: str = ""
    action: ActionView | None = None


def title(view: ExecutionView) -> str:
    """Give the heading of an execution, without its status."""
    return f"{view.pipeline} #{view.number}"


def origin(view: ExecutionView) -> str:
    """Tell where an execution comes from, in one line."""
    by = f" by {one_line(view.by, 60)}" if view.by else ""
    revisions = ", ".join(
        f"{name} {clean(revision)[:SHORT_ID]}" for name, revision in view.revisions.items()
    )
    found = f"; {revisions}" if revisions else ""
    return f"{view.execution}, started {clock(view.started)}{by} ({view.trigger}){found}"


def lines(view: ExecutionView, *, short: bool = False) -> Iterator[Line]:
    """Give the lines of the stages and their actions.

    Args:
        view: What is shown.
        short: Whether the actions of stages that are over or have not begun are left out.
    """
    for stage in view.stages:
        yield Line(0, stage.mark, stage.name, _time(stage.seconds), stage_detail(stage))
        if short and stage.status not in OPEN:
            continue
        for action in stage.actions:
            yield Line(1, action.mark, action.name, _time(action.seconds), detail(action), action)
            yield from _approval(action)


def detail(action: ActionView) -> str:
    """Tell what there is to say about an action besides its status and its duration."""
    parts = [
        f"attempt {action.attempt}" if action.attempt > 1 else "",
        action.place if action.place != "here" else "",
        f"{action.percent} %" if action.percent is not None else "",
        _answer(action) or (action.error or action.summary if action.approval is None else ""),
        action.url,
    ]
    return "; ".join(one_line(part) for part in parts if part)


def stage_detail(stage: StageView) -> str:
    """Tell whom an execution waits for in front of a stage, or how often it was retried."""
    if stage.queue is not None:
        since = f"since {clock(stage.queue.since)}"
        if stage.queue.holder is None:
            return f"about to be entered, {since}"
        holder = f"#{stage.queue.number} ({stage.queue.holder[:SHORT_ID]})"
        waits = " and waits for approval" if stage.queue.approval else ""
        return f"for {holder}, which is in it{waits}, {since}"
    return f"retried {stage.retries} times" if stage.retries else ""


def advice(view: ExecutionView) -> list[str]:
    """Tell what one can do now, as lines with commands."""
    short = view.execution[:SHORT_ID]
    if not view.ended and not view.engine and not view.waits_for_people:
        return [f"No engine is at work; go on with: pipelinekit watch {short}"]
    if view.status in {PipelineStatus.FAILED, PipelineStatus.STOPPED}:
        over = {StageStatus.FAILED, StageStatus.STOPPED}
        again = any(stage.status in over for stage in view.stages)
        how = f"retry {short}" if again else f"run {view.pipeline}"
        return [f"See why: pipelinekit logs {short}; run it again: pipelinekit {how}"]
    holders = {each.queue.holder for each in view.stages if each.queue and each.queue.approval}
    if holders:
        return [
            f"It waits for {one[:SHORT_ID]}: pipelinekit approve {one[:SHORT_ID]}  (or reject)"
            for one in holders
            if one
        ]
    several = len(view.approvals) > 1
    return [
        f"Answer with: pipelinekit approve {short}{f' --action {action.name}' if several else ''}"
        f"  (or reject)"
        for action in view.approvals
    ]


def text(view: ExecutionView) -> str:
    """Give the whole board as text, coloured for a terminal that wants it."""
    status = click.style(str(view.mark), fg=colour(view.mark))
    heading = f"{click.style(title(view), bold=True)}  {status}  {duration(view.seconds)}"
    parts = [heading, f"  {origin(view)}"]
    parts += [f"  {one_line(view.summary, 500)}"] if view.summary else []
    parts += [_text(line) for line in lines(view)]
    return "\n".join([*parts, *advice(view)])


def _text(line: Line) -> str:
    indent = "  " * line.depth
    if line.mark is None:
        return f"{indent}{line.detail}"
    name = f"{indent}{line.mark.icon} {line.name}".ljust(NAME_WIDTH)
    rest = f"{line.mark.word.ljust(WORD_WIDTH)}{line.time.rjust(12)}  {line.detail}"
    return f"{click.style(name, fg=colour(line.mark))} {rest}".rstrip()


def _time(seconds: float | None) -> str:
    return "" if seconds is None else duration(seconds)


def _answer(action: ActionView) -> str:
    if not action.type.startswith("Approval/") or not action.by or action.approval is not None:
        return ""
    verb = "approved" if action.status is ActionStatus.SUCCEEDED else "rejected"
    return f"{verb} by {action.by}{f': {action.summary}' if action.summary else ''}"


def _approval(action: ActionView) -> Iterator[Line]:
    if action.approval is None:
        return
    until = f", until {clock(action.approval.until)}" if action.approval.until else ""
    yield Line(2, None, "", detail=f"waits since {clock(action.approval.since)}{until}")
    for told in (action.approval.note, action.approval.link):
        for line in clean(told).split("\n") if told else ():
            yield Line(2, None, "", detail=line)
