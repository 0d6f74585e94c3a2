"""The logs of actions, read for people: never more of them at once than people can read."""

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from pipelinekit.model.check import RuleExecution
from pipelinekit.model.errors import ActionNotFound
from pipelinekit.model.execution import ActionExecution
from pipelinekit.model.pipeline import Pipeline
from pipelinekit.wire.words import clean

TAIL_BYTES = 16 * 1024
SHOWN_BYTES = 1024 * 1024


def tail(log: Path, lines: int) -> list[str]:
    """Give the last lines of a log, clean, without empty ones; none where there is no log.

    Args:
        log: The file; no more than its last `TAIL_BYTES` are read.
        lines: At most so many.
    """
    end, _ = _end(log, TAIL_BYTES)
    text = clean(end.decode("utf-8", "replace"))
    return [line for line in text.split("\n") if line.strip()][-lines:]


def shown(log: Path, most: int = SHOWN_BYTES) -> str:
    """Give a log as text; of a long one the end, after a line that says where the rest is.

    Args:
        log: The file; it may not be there, which is an empty log.
        most: How many bytes of it are read.
    """
    end, left_out = _end(log, most)
    if not left_out:
        return end.decode("utf-8", "replace")
    begin = end.find(b"\n", 0, -1) + 1
    text = end[begin:].decode("utf-8", "replace")
    return f"[the first {left_out + begin} bytes are not shown; the whole log is {log}]\n{text}"


def of_tries(
    tries: Iterable[ActionExecution | RuleExecution],
    file: Callable[[ActionExecution | RuleExecution], Path],
) -> Iterator[str]:
    """Give the logs of attempts, with a heading for each.

    Args:
        tries: Attempts of actions and rules.
        file: Gives the file of an attempt's log.
    """
    for row in tries:
        attempt = f", attempt {row.attempt}" if row.attempt > 1 else ""
        yield f"== {row.stage}/{row.action}{attempt}: {row.status} =="
        if log := shown(file(row)):
            yield log
        if row.error is not None:
            yield f"{row.error.code}: {row.error.message}"


def refuse_unknown(pipeline: Pipeline, action: str) -> None:
    """Refuse to look for the logs of what a pipeline does not have.

    Raises:
        ActionNotFound: It has no action or rule of that name.
    """
    names = [each.name for stage in pipeline.stages for each in stage.actions]
    rules = [each.name for stage in pipeline.stages for each in stage.rules]
    if action not in {*names, *rules}:
        besides = f", and its rules {', '.join(rules)}" if rules else ""
        raise ActionNotFound(
            f"the logs of action {action!r} were asked for and pipeline {pipeline.name} has no "
            f"such action or rule; its actions are {', '.join(names)}{besides}"
        )


def news(log: Path, read: dict[Path, int], *, rest: bool) -> Iterator[str]:
    """Give the whole lines that are new in a log, reading `SHOWN_BYTES` at a time.

    Args:
        log: The file; it may not be there yet.
        read: How many bytes of each log were given before; kept up to date here.
        rest: Whether a line that is not finished is given too.
    """
    if not log.exists():
        return
    with log.open("rb") as file:
        is_last = False
        while not is_last:
            file.seek(read.get(log, 0))
            new = file.read(SHOWN_BYTES)
            is_last = len(new) < SHOWN_BYTES
            end = new.rfind(b"\n") + 1
            if rest if is_last else not end:
                end = len(new)
            read[log] = read.get(log, 0) + end
            yield from new[:end].decode("utf-8", "replace").splitlines()


def _end(log: Path, most: int) -> tuple[bytes, int]:
    try:
        with log.open("rb") as file:
            left_out = max(0, file.seek(0, os.SEEK_END) - most)
            file.seek(left_out)
            return file.read(most), left_out
    except FileNotFoundError:
        return b"", 0
