"""Two ways of showing an execution while it goes on: a live picture, and plain lines."""

from collections.abc import Iterator
from typing import Protocol, TextIO

import click
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from pipelinekit.cli.board import Line, advice, detail, lines, origin, stage_detail, title
from pipelinekit.cli.colours import colour
from pipelinekit.cli.view import UNDER_WAY, ActionView, ExecutionView, Lens, StageView
from pipelinekit.kit.logs import tail
from pipelinekit.model.execution import ActionStatus
from pipelinekit.wire.report_words import failed_names
from pipelinekit.wire.words import IN_PROGRESS, clean, clock, duration

FAILURE_LINES = 15
FRAMES_A_SECOND = 8
FRAME_LINES = 4


class Screen(Protocol):
    """Where an execution is shown while it goes on."""

    def show(self, view: ExecutionView) -> None:
        """Show how it stands."""
        ...

    def pause(self) -> None:
        """Leave the terminal to somebody else, until the next `show`."""
        ...

    def close(self, view: ExecutionView) -> None:
        """Show how it stands at last."""
        ...


class Picture:
    """A live picture on a terminal: stages, actions, durations, the last line of each log.

    Args:
        lens: What looks at the execution.
        stream: The terminal.
    """

    def __init__(self, lens: Lens, stream: TextIO) -> None:
        self._lens = lens
        self._console = Console(file=stream, highlight=False)
        self._live: Live | None = None
        self._view: ExecutionView | None = None
        self._spinner = Spinner("dots", style="blue")

    def show(self, view: ExecutionView) -> None:
        """Draw it, over the last drawing."""
        frame = self._frame(view)
        self._view = view
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
        if self._live is not None and self._view is not None:
            self._wipe()
            self._console.print(_picture(self._view, lines(self._view)), soft_wrap=False)

    def close(self, view: ExecutionView) -> None:
        """Leave the whole last drawing on the terminal."""
        self._wipe()
        self._console.print(_picture(view, lines(view)), soft_wrap=False)
        for line in (*_failures(self._lens, view), *advice(view)):
            self._console.print(Text(line))

    def _wipe(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _frame(self, view: ExecutionView) -> RenderableType:
        full = [self._with_log(line) for line in lines(view)]
        if len(full) + FRAME_LINES > self._console.height:
            full = [self._with_log(line) for line in lines(view, short=True)]
        self._spinner.update(text=Text(f" {duration(view.seconds)}, Ctrl-C leaves"))
        return Group(_picture(view, iter(full)), self._spinner)

    def _with_log(self, line: Line) -> Line:
        action = line.action
        if action is None or action.mark is not IN_PROGRESS:
            return line
        last = tail(self._lens.log(action), 1)
        told = "; ".join([*([line.detail] if line.detail else []), *last])
        return Line(line.depth, line.mark, line.name, line.time, told, action)


class Lines:
    """Plain lines, one for each change, for files and for pipes.

    Args:
        lens: What looks at the execution.
        stream: Where they go.
    """

    def __init__(self, lens: Lens, stream: TextIO) -> None:
        self._lens = lens
        self._stream = stream
        self._shown: dict[str, str] = {}

    def show(self, view: ExecutionView) -> None:
        """Print what has changed."""
        if not self._shown:
            self._shown["begun"] = "yes"
            self._print(f"{title(view)}  {origin(view)}")
        for stage in view.stages:
            if stage.status is None and stage.queue is None:
                continue
            self._change(stage.name, f"{stage.mark}{stage.retries}", _of_stage(stage))
            for action in stage.actions:
                if action.status is not None:
                    state = f"{action.mark}{action.attempt}"
                    self._change(f"{stage.name}/{action.name}", state, self._of_action(action))

    def pause(self) -> None:
        """Do nothing: no line is drawn over."""

    def close(self, view: ExecutionView) -> None:
        """Print how it stands."""
        self.show(view)
        self._print(f"{view.mark}: {title(view)} after {duration(view.seconds)}")
        for line in advice(view):
            self._print(line)

    def _change(self, key: str, state: str, told: Iterator[str]) -> None:
        if self._shown.get(key) != state:
            self._shown[key] = state
            for line in told:
                self._print(line)

    def _of_action(self, action: ActionView) -> Iterator[str]:
        over = action.status is not ActionStatus.IN_PROGRESS and action.seconds is not None
        time = f"  {duration(action.seconds or 0)}" if over else ""
        told = detail(action)
        yield f"  {action.mark}: {action.stage}/{action.name}{time}{f'  {told}' if told else ''}"
        if action.approval is not None:
            since = f"since {clock(action.approval.since)}"
            for part in (since, action.approval.note, action.approval.link):
                yield from (f"    {line}" for line in clean(part).split("\n") if line)
        if action.status is ActionStatus.FAILED:
            yield from (f"    {line}" for line in _trouble(self._lens, action))

    def _print(self, line: str) -> None:
        click.echo(line, file=self._stream)


def screen(lens: Lens, stream: TextIO) -> Screen:
    """Choose the way of showing that a stream is fit for."""
    return Picture(lens, stream) if stream.isatty() else Lines(lens, stream)


def _of_stage(stage: StageView) -> Iterator[str]:
    over = stage.status is not None and stage.status not in UNDER_WAY
    time = f"  {duration(stage.seconds or 0)}" if over else ""
    line = stage_detail(stage)
    yield f"{stage.mark}: {stage.name}{time}{f'  {line}' if line else ''}"


def _picture(view: ExecutionView, shown: Iterator[Line]) -> RenderableType:
    heading = Text.assemble((title(view), "bold"), "  ", (str(view.mark), colour(view.mark)))
    table = Table.grid(padding=(0, 2))
    for _ in range(3):
        table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
    parts: list[RenderableType] = [heading, Text(f"  {origin(view)}", style="bright_black")]
    for line in shown:
        indent = "  " * line.depth
        if line.mark is None:
            table.add_row("", "", "", Text(line.detail))
            continue
        name = Text(f"{indent}{line.mark.icon} {line.name}", style=colour(line.mark))
        table.add_row(name, line.mark.word, Text(line.time, justify="right"), Text(line.detail))
    return Group(*parts, table)


def _failures(lens: Lens, view: ExecutionView) -> Iterator[str]:
    for action in view.actions:
        if action.status is ActionStatus.FAILED:
            yield f"{action.mark.icon} {action.stage}/{action.name}: {clean(action.error)}"
            yield from (f"  {line}" for line in _trouble(lens, action))


def _trouble(lens: Lens, action: ActionView) -> Iterator[str]:
    yield from (f"failed: {name}" for name in failed_names(action.reports))
    yield from (f"| {line}" for line in tail(lens.log(action), FAILURE_LINES))
