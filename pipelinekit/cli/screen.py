"""Two ways of showing an execution while it goes on: a live picture, and plain lines."""

from collections.abc import Iterator
from typing import Protocol, TextIO

import click
from msgspec.structs import replace
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from pipelinekit.cli.board import (
    Line,
    action_detail,
    advice,
    asked,
    lines,
    origin,
    rules,
    stage_details,
    title,
)
from pipelinekit.cli.colours import colour
from pipelinekit.cli.view import failure
from pipelinekit.kit.facts import BUSY, ActionFacts, RunFacts, StageFacts
from pipelinekit.kit.logs import tail
from pipelinekit.model.status import ActionStatus
from pipelinekit.wire.report_words import failed_names
from pipelinekit.wire.words import FAILED, IN_PROGRESS, clean, duration

FAILURE_LINES = 15
FRAMES_A_SECOND = 8
FRAME_LINES = 4


class Screen(Protocol):
    """Where an execution is shown while it goes on."""

    def show(self, facts: RunFacts) -> None:
        """Show how it stands."""
        ...

    def pause(self) -> None:
        """Leave the terminal to somebody else, until the next `show`."""
        ...

    def close(self, facts: RunFacts) -> None:
        """Show how it stands at last."""
        ...


class Picture:
    """A live picture on a terminal: stages, actions, durations, the last line of each log.

    Args:
        stream: The terminal.
        advise: Whether to say at the end what one can do then.
    """

    def __init__(self, stream: TextIO, *, advise: bool) -> None:
        self._advise = advise
        self._console = Console(file=stream, highlight=False)
        self._live: Live | None = None
        self._facts: RunFacts | None = None
        self._spinner = Spinner("dots", style="blue")

    def show(self, facts: RunFacts) -> None:
        """Draw it, over the last drawing."""
        frame = self._frame(facts)
        self._facts = facts
        if self._live is None:
            self._live = Live(
                frame,
                console=self._console,
                refresh_per_second=FRAMES_A_SECOND,
                transient=True,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._live.start()
        self._live.update(frame)

    def pause(self) -> None:
        """Leave the last drawing as it is, and the lines below it to somebody else."""
        if self._live is not None and self._facts is not None:
            self._wipe()
            self._console.print(_picture(self._facts, lines(self._facts)), soft_wrap=False)

    def close(self, facts: RunFacts) -> None:
        """Leave the whole last drawing on the terminal."""
        self._wipe()
        self._console.print(_picture(facts, lines(facts)), soft_wrap=False)
        for line in (*_failures(facts), *(advice(facts) if self._advise else ())):
            self._console.print(Text(line))

    def _wipe(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _frame(self, facts: RunFacts) -> RenderableType:
        full = [_with_log(line) for line in lines(facts)]
        if len(full) + FRAME_LINES > self._console.height:
            full = [_with_log(line) for line in lines(facts, short=True)]
        self._spinner.update(text=Text(f" {duration(facts.seconds)}, Ctrl-C leaves"))
        return Group(_picture(facts, iter(full)), self._spinner)


class Lines:
    """Plain lines, one for each change, for files and for pipes.

    Args:
        stream: Where they go.
        advise: Whether to say at the end what one can do then.
    """

    def __init__(self, stream: TextIO, *, advise: bool) -> None:
        self._advise = advise
        self._stream = stream
        self._shown: dict[str, str] = {}

    def show(self, facts: RunFacts) -> None:
        """Print what has changed."""
        if not self._shown:
            self._shown["begun"] = "yes"
            self._print(f"{title(facts)}  {origin(facts)}")
        for stage in facts.stages:
            self._show_stage(stage)

    def pause(self) -> None:
        """Do nothing: no line is drawn over."""

    def close(self, facts: RunFacts) -> None:
        """Print how it stands."""
        self.show(facts)
        self._print(f"{facts.mark}: {title(facts)} after {duration(facts.seconds)}")
        for line in advice(facts) if self._advise else ():
            self._print(line)

    def _show_stage(self, stage: StageFacts) -> None:
        details = stage_details(stage)
        if stage.entered is None and not details:
            return
        self._change(stage.name, f"{stage.mark}{details}", _of_stage(stage, details))
        self._show_rules(stage, entry=True)
        for action in stage.actions:
            row = action.attempt
            if row is not None:
                state = f"{action.mark}{row.attempt}{len(row.votes)}{row.percent}"
                self._change(f"{stage.name}/{action.name}", state, _of_action(action))
        self._show_rules(stage, entry=False)

    def _show_rules(self, stage: StageFacts, *, entry: bool) -> None:
        for line in rules(stage, entry=entry):
            told = f"  {line.mark}: {stage.name}/{line.name}  {line.detail}"
            self._change(f"{stage.name}/{line.name}", told, iter((told,)))

    def _change(self, key: str, state: str, told: Iterator[str]) -> None:
        if self._shown.get(key) != state:
            self._shown[key] = state
            for line in told:
                self._print(line)

    def _print(self, line: str) -> None:
        click.echo(line, file=self._stream)


def screen(stream: TextIO, *, advise: bool = True) -> Screen:
    """Choose the way of showing that a stream is fit for.

    Args:
        stream: Where it is shown.
        advise: Whether to say at the end what one can do then.
    """
    kind = Picture if stream.isatty() else Lines
    return kind(stream, advise=advise)


def _with_log(line: Line) -> Line:
    action = line.action
    if action is None or action.mark is not IN_PROGRESS or action.log is None:
        return line
    last = tail(action.log, 1)
    told = "; ".join([*([line.detail] if line.detail else []), *last])
    return replace(line, detail=told)


def _of_stage(stage: StageFacts, details: list[str]) -> Iterator[str]:
    over = stage.entered is not None and stage.entered.status not in BUSY
    time = f"  {duration(stage.seconds or 0)}" if over else ""
    told = "; ".join(details)
    yield f"{stage.mark}: {stage.name}{time}{f'  {told}' if told else ''}"


def _of_action(action: ActionFacts) -> Iterator[str]:
    over = action.status is not ActionStatus.IN_PROGRESS and action.seconds is not None
    time = f"  {duration(action.seconds or 0)}" if over else ""
    told = action_detail(action)
    yield f"  {action.mark}: {action.stage}/{action.name}{time}{f'  {told}' if told else ''}"
    if action.attempt is not None and action.waits:
        yield from (f"    {line}" for line in asked(action.attempt))
    if action.attempt is not None and action.mark is FAILED:
        names = failed_names(action.attempt.reports)
        yield from (f"    failed: {name}" for name in names)
        yield from (f"    {line}" for line in _log(action))


def _picture(facts: RunFacts, shown: Iterator[Line]) -> RenderableType:
    heading = Text.assemble((title(facts), "bold"), "  ", (str(facts.mark), colour(facts.mark)))
    table = Table.grid(padding=(0, 2))
    for _ in range(3):
        table.add_column(no_wrap=True)
    table.add_column(ratio=1)  # the only one that gives way
    parts: list[RenderableType] = [heading, Text(f"  {origin(facts)}", style="bright_black")]
    for line in shown:
        indent = "  " * line.depth
        detail = Text(line.detail, no_wrap=True, overflow="ellipsis")
        if line.mark is None:
            table.add_row("", "", "", detail)
            continue
        name = Text(f"{indent}{line.mark.icon} {line.name}", style=colour(line.mark))
        table.add_row(name, line.mark.word, Text(line.time, justify="right"), detail)
    return Group(*parts, table)


def _failures(facts: RunFacts) -> Iterator[str]:
    for action in facts.actions:
        if action.attempt is not None and action.mark is FAILED:
            why = clean(failure(action.attempt))
            yield f"{action.mark.icon} {action.stage}/{action.name}: {why}"
            yield from (f"  {line}" for line in _log(action))


def _log(action: ActionFacts) -> Iterator[str]:
    if action.log is not None:
        yield from (f"| {line}" for line in tail(action.log, FAILURE_LINES))
