"""Executes the cells of a notebook in a kernel on loan, as papermill's own client does."""

import asyncio
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from jupyter_core.utils import run_sync
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode, from_dict
from papermill.clientwrap import PapermillNotebookClient

from pipelinekit.tools.notebooks.document import Cell, NotebookError, first_line, runs, tags
from pipelinekit.tools.notebooks.kernels import Lease, Place, drop, resume
from pipelinekit.tools.notebooks.kernelspec import Spec
from pipelinekit.tools.notebooks.limits import (
    PUT_IN,
    Advance,
    Caps,
    Limits,
    Record,
    Say,
    resumed,
)
from pipelinekit.tools.notebooks.outputs import Message, Outputs, OutputTooLarge
from pipelinekit.tools.notebooks.resume import INJECTED, Before, Kept, Plan, numbers, plan
from pipelinekit.tools.notebooks.session import (
    NUDGE_SECONDS,
    Session,
    how_ended,
    open_session,
)
from pipelinekit.tools.on_error import on_error

LAST_SECONDS: Final = 0.2
LONG_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """All that the execution of one notebook needs.

    Attributes:
        spec: The kernel.
        place: Where it runs.
        outputs: Lets its outputs through.
        record: Where it is noted what comes of it.
        caps: How much a cell may put out.
        limits: How long it may take.
        say: Is told which cell begins.
        advance: Is told how far it is.
        hidden: The values of references to secrets.
        named: Parameters in which there are such.
        before: The execution that failed before this one.
        counts_injected: Whether the notebook has a cell of injected parameters of its own.
    """

    spec: Spec
    place: Place
    outputs: Outputs
    record: Record
    caps: Caps
    limits: Limits
    say: Say
    advance: Advance
    hidden: Mapping[str, str] = field(default_factory=dict)
    named: tuple[str, ...] = ()
    before: Before | None = None
    counts_injected: bool = False


class Client(PapermillNotebookClient):  # type: ignore[misc]  # papermill has no types
    """papermill's client, with a kernel on loan."""

    def __init__(self, nb_man: Any, task: Task, **given: Any) -> None:  # noqa: ANN401 - papermill's
        super().__init__(nb_man, **{**given, "timeout_func": self._seconds})
        self._task = task
        self._plan = Plan()
        self._failed: int | None = None
        self._trouble: OutputTooLarge | None = None
        self._ends: float | None = None
        self._is_quiet = True
        self._session: Session
        self._watch: asyncio.Future[None]
        task.record.numbers = numbers(self.nb.cells, counts_injected=task.counts_injected)

    # -------------------------------------------------------------- the kernel

    @contextmanager
    def setup_kernel(self, **_: object) -> Iterator[None]:
        """Borrow a kernel until the notebook is executed."""
        self._session = run_sync(self._open)()
        self._task.record.warm = self._session.lease.warm
        self.kc = self._session.client
        if self._task.limits.notebook is not None:
            self._ends = time.monotonic() + self._task.limits.notebook
        try:
            yield
            if self._failed is None:
                self._session.end()
        finally:
            if self._failed is not None:
                self._keep(self._failed)
            self._session.close()
            del self.kc

    async def _open(self) -> Session:
        task = self._task
        if before := task.before:
            lease = resume(before.kept.token) if before.kernel_may_live else None
            self._plan = plan(self.nb.cells, before, kernel_lives=lease is not None)
            if lease and self._plan.first:
                return await self._reopened(lease)
            if lease:
                lease.close()
        return await open_session(task.spec, task.place, task.caps, task.limits.start)

    async def _reopened(self, lease: Lease) -> Session:
        session = Session(self._task.spec, lease)
        with on_error(session.close):
            await session.ready(self._task.limits.start)
            await session.settle_again(self._task.place)
        self._task.record.same_kernel = True
        return session

    def _keep(self, failed: int) -> None:
        seconds = self._task.limits.keep
        token = secrets.token_urlsafe(24)
        if seconds and self._session.lease.is_alive() and self._session.lease.keep(token, seconds):
            self._task.record.kept = Kept(failed, token, time.time() + seconds)
            return
        self._task.record.kept = Kept(failed)
        if self._trouble is None and run_sync(self._session.interrupt)():
            self._session.end()

    # -------------------------------------------------------------- the cells

    def papermill_execute_cells(self) -> None:
        """Execute the cells until one fails, and mark in each what came of it."""
        self._take_over()
        for index, cell in enumerate(self.nb.cells):
            if not self._plan.runs(index):
                continue
            self._begin(index, cell)
            began = time.monotonic()
            try:
                self.nb_man.cell_start(cell, index)
                self.execute_cell(cell, index)
            except CellExecutionError as error:
                self._fail(index, error)
                break
            except (DeadKernelError, CellTimeoutError, NotebookError) as error:
                told = self._told(error)
                self._fail(index, told)
                cell.outputs.append(_error(told))
                raise told from None
            finally:
                self.nb_man.cell_complete(self.nb.cells[index], cell_index=index)
            self._end(index, cell, time.monotonic() - began)

    def _begin(self, index: int, cell: Cell) -> None:
        if not runs(cell):
            return
        record = self._task.record
        record.index = index
        record.line = self._task.outputs.redacted(first_line(cell))
        again = ", again" if index in self._plan.replayed else ""
        number = record.numbers.get(index)
        if number is None:
            self._task.say(f"-- {PUT_IN}{again}")
            return
        record.ran += 1
        self._task.say(f"-- cell {number} of {record.cells}{again}: {record.line}")
        self._task.advance(number, record.cells, record.line)

    def _end(self, index: int, cell: Cell, seconds: float) -> None:
        number = self._task.record.numbers.get(index)
        if number and seconds > LONG_SECONDS:
            self._task.say(f"-- cell {number} took {seconds:.1f} s")
        if self._task.named and INJECTED in tags(cell):
            names = list(self._task.named)
            run_sync(self._session.run)("reveal", names, dict(self._task.hidden))

    def _fail(self, index: int, error: Exception) -> None:
        self._failed = index
        self.nb_man.cell_exception(self.nb.cells[index], cell_index=index, exception=error)

    def _told(self, error: Exception) -> Exception:
        if self._trouble:
            return self._trouble
        if isinstance(error, DeadKernelError):
            return DeadKernelError(f"the kernel died: {how_ended(self._session.lease.code)}")
        if isinstance(error, CellTimeoutError):
            run_sync(self._session.interrupt)()
            if self._ends is not None and time.monotonic() >= self._ends:
                whole = self._task.limits.notebook
                return CellTimeoutError(f"the {whole:g} seconds of the notebook are over")
            return CellTimeoutError(f"it did not end within {self._task.limits.cell} seconds")
        return error

    def _seconds(self, _: Cell) -> float | None:
        left = None if self._ends is None else max(self._ends - time.monotonic(), 0.001)
        given = [each for each in (self._task.limits.cell, left) if each is not None]
        return min(given, default=None)

    def _take_over(self) -> None:
        before, record = self._task.before, self._task.record
        if before is None:
            return
        if not self._plan.first:
            drop(before.kept.token)
            self._task.say("-- it starts over: its parameters or what is before them changed")
            return
        for index in range(self._plan.first):
            _copy_outcome(before.cells[index], self.nb.cells[index])
        at = (number for index, number in record.numbers.items() if index >= self._plan.first)
        record.first = min(at, default=record.cells)
        again = (index for index in self._plan.replayed if index in record.numbers)
        record.replayed = tuple(sorted(record.numbers[index] for index in again))
        self._task.say(f"-- {resumed(record)}")

    # -------------------------------------------------------------- the messages

    def process_message(self, message: Message, *place: Any) -> Any:  # noqa: ANN401 - nbclient's
        """Take a message of the kernel, without secrets and as far as there is room."""
        result = None
        if message["msg_type"] == "status":
            self._is_quiet = message["content"]["execution_state"] == "idle"
        try:
            for each in self._task.outputs.passed(message):
                result = super().process_message(each, *place)
        except OutputTooLarge as error:
            self._trouble = error
            self._watch.cancel()
            self._session.lease.close()
            if self.task_poll_for_reply:
                self.task_poll_for_reply.cancel()
        return result

    async def _nudge(self) -> None:
        while True:
            await asyncio.sleep(NUDGE_SECONDS)
            if self._is_quiet:
                self._session.nudge()

    async def _async_check_alive(self) -> None:
        if not self._session.lease.is_alive():
            raise DeadKernelError(how_ended(self._session.lease.code))

    async def _async_poll_kernel_alive(self) -> None:
        self._watch = asyncio.ensure_future(self._session.death())
        nudging = asyncio.ensure_future(self._nudge())
        try:
            await self._watch
        finally:
            nudging.cancel()
        await asyncio.sleep(LAST_SECONDS)  # what it said last is still under way
        if self.task_poll_for_reply:
            self.task_poll_for_reply.cancel()


def _error(error: Exception) -> NotebookNode:
    told = {"ename": type(error).__name__, "evalue": str(error), "traceback": []}
    node: NotebookNode = _nodes({"output_type": "error", **told})
    return node


def _nodes(value: object) -> Any:  # noqa: ANN401 - NotebookNode, or a list of them
    return from_dict(value)  # type: ignore[no-untyped-call]  # nbformat has half its types


def _copy_outcome(old: Cell, new: NotebookNode) -> None:
    if new.cell_type == "code":
        new.outputs = _nodes(old.get("outputs", []))
        new.execution_count = old.get("execution_count")
    if "papermill" in old["metadata"]:
        new.metadata["papermill"] = dict(old["metadata"]["papermill"])
