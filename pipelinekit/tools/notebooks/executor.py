"""What the engine of papermill does, from papermill's notebook to the kernel and back."""

import os
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from nbformat import NotebookNode, from_dict
from papermill import engines
from papermill.engines import NBClientEngine, NotebookExecutionManager
from papermill.log import logger

from pipelinekit.tools.notebooks.client import Client, Task
from pipelinekit.tools.notebooks.kernels import Place
from pipelinekit.tools.notebooks.kernelspec import find_spec
from pipelinekit.tools.notebooks.limits import Advance, Caps, Limits, Record, Say
from pipelinekit.tools.notebooks.outputs import Outputs
from pipelinekit.tools.notebooks.resume import Before
from pipelinekit.tools.notebooks.secrets import Resolve, references, resolver, values

SAVE_SECONDS: Final = 0.5
OURS: Final = ("input_path", "kernel_manager_class", "timeout", "startup_timeout", "km")


def _unheard(*_: object) -> None:
    return


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the engine can be told besides papermill's own options.

    Attributes:
        place: Where the kernel runs; in papermill's folder, with this process's variables,
            when None.
        caps: How much each cell may put out.
        limits: How long it may take; papermill's own options prevail.
        resolve: Looks up secrets by reference.
        say: Is given a line for each cell that begins, and what the cells print.
        advance: Is told how far it is.
        before: An execution that failed, to go on from.
        record: Where it is noted what comes of it.
        counts_injected: Whether the notebook has a cell of injected parameters of its own.
    """

    place: Place | None = None
    caps: Caps = field(default_factory=Caps)
    limits: Limits = field(default_factory=Limits)
    resolve: Resolve = field(default_factory=resolver)
    say: Say | None = None
    advance: Advance | None = None
    before: Before | None = None
    record: Record = field(default_factory=Record)
    counts_injected: bool = False


class Manager(NotebookExecutionManager):  # type: ignore[misc]  # papermill has no types
    """papermill's manager, which saves without secrets and not at every move."""

    def __init__(self, nb: NotebookNode, outputs: Outputs, **given: Any) -> None:  # noqa: ANN401 - papermill's
        super().__init__(nb, **given)
        self.outputs = outputs
        self._saved = 0.0

    def save(self, **given: object) -> None:
        """Save the notebook unless it was saved just now."""
        if isinstance(nb := given.get("nb"), NotebookNode):
            self.nb = nb
        if time.monotonic() - self._saved > SAVE_SECONDS:
            self._write()

    def notebook_complete(self, **given: object) -> None:
        """Save the notebook for the last time."""
        super().notebook_complete(**given)
        self._write()

    def shown(self) -> NotebookNode:
        """Give the notebook as anybody may see it."""
        shown: NotebookNode = from_dict(self.outputs.redacted(self.nb))  # type: ignore[no-untyped-call]  # it has half its types
        return shown

    def _write(self) -> None:
        if self.output_path:
            engines.write_ipynb(self.shown(), self.output_path)
        self.last_save_time = self.now()
        self._saved = time.monotonic()


class Executor(NBClientEngine):  # type: ignore[misc]  # papermill has no types
    """Executes notebooks in kernels on loan."""

    @classmethod
    def execute_notebook(  # noqa: PLR0913 - papermill's signature
        cls,
        nb: NotebookNode,
        kernel_name: str,
        output_path: str | None = None,
        *,
        progress_bar: bool | Mapping[str, object] = True,
        log_output: bool = False,
        autosave_cell_every: int = 30,
        pipelinekit: Options | None = None,
        **given: Any,  # noqa: ANN401 - options of nbclient
    ) -> NotebookNode:
        """Execute a notebook, and give it with its outputs."""
        options = pipelinekit or Options()
        hidden = values(nb.metadata.papermill.get("parameters", {}), options.resolve)
        outputs = Outputs(options.caps, tuple(hidden.values()), options.say)
        manager = Manager(
            nb,
            outputs,
            output_path=output_path,
            progress_bar=progress_bar,
            log_output=log_output,
            autosave_cell_every=autosave_cell_every,
        )
        manager.notebook_start()
        try:
            with closing(outputs):
                task = _task(manager, kernel_name, options, hidden, given)
                left = {key: each for key, each in given.items() if key not in LEFT_OUT}
                Client(manager, task, log=logger, log_output=log_output, **left).execute()
        finally:
            manager.cleanup_pbar()
            manager.notebook_complete()
        return manager.shown()


LEFT_OUT: Final = {*OURS, "start_timeout", "execution_timeout"}


def _task(
    manager: Manager,
    kernel_name: str,
    options: Options,
    hidden: Mapping[str, str],
    given: Mapping[str, Any],
) -> Task:
    limits = Limits(
        start=given.get("start_timeout") or options.limits.start,
        cell=given.get("execution_timeout") or given.get("timeout") or options.limits.cell,
        notebook=options.limits.notebook,
        keep=options.limits.keep,
    )
    folder = given.get("resources", {}).get("metadata", {}).get("path") or Path.cwd()
    parameters = manager.nb.metadata.papermill.get("parameters", {})
    return Task(
        spec=find_spec(kernel_name, Path(str(given.get("input_path") or "the notebook")).name),
        place=options.place or Place(Path(folder), dict(os.environ)),
        outputs=manager.outputs,
        record=options.record,
        caps=options.caps,
        limits=limits,
        say=options.say or _unheard,
        advance=options.advance or _unheard,
        hidden=hidden,
        named=tuple(name for name, value in parameters.items() if any(references(value))),
        before=options.before,
        counts_injected=options.counts_injected,
    )
