"""Releases a notebook to environments: `pk.release`."""

import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryFile
from typing import Self

from pipelinekit.engine.review import APPROVERS, asks
from pipelinekit.kit.environments import Environments, environments, find_environments
from pipelinekit.kit.fact_words import votes
from pipelinekit.kit.facts import ActionFacts, RunFacts, StageFacts
from pipelinekit.kit.kit import Kit
from pipelinekit.kit.observe import observed
from pipelinekit.kit.promotion import APPROVE, FREEZE, Promotion, Waves, released_to
from pipelinekit.kit.run import Run, Until
from pipelinekit.model.errors import ValidationError
from pipelinekit.model.execution import ActionExecution
from pipelinekit.model.noun import Noun
from pipelinekit.model.status import ActionStatus
from pipelinekit.runtime.clock import now
from pipelinekit.wire.words import AT_THE_DOOR, NOT_STARTED, SUCCEEDED, Mark

OUT = Path("runs")
EXECUTED = "executed"


class Released(Noun):
    """What became of a release in one environment.

    Attributes:
        environment: Its name.
        mark: How it stands.
        seconds: How long the notebook was executed; None where it was not.
        digest: SHA-256 of the artifact that it was executed from; empty where it was not.
        notebook: The executed notebook; None where there is none.
        told: Why it failed, whom it waits for, who let it in.
        started: When it was begun, UTC.
    """

    environment: str
    mark: Mark
    seconds: float | None = None
    digest: str = ""
    notebook: Path | None = None
    told: str = ""
    started: datetime | None = None


class Release:
    """A notebook on its way through environments; at the end of a cell it is a table.

    Attributes:
        run: The execution of its pipeline.
        promotion: What is released where.
    """

    def __init__(self, run: Run, promotion: Promotion, own: Kit | None = None) -> None:
        self.run = run
        self.promotion = promotion
        self._own = own
        self._kept: tuple[Mark, tuple[Released, ...]] | None = None

    def __repr__(self) -> str:
        told = (f"{each.environment}: {each.mark.word}" for each in self.results)
        return f"Release({self.promotion.path!r}, {', '.join(told)})"

    @property
    def results(self) -> tuple[Released, ...]:
        """Tell what became of it in each environment, in order."""
        return self._standing()[1]

    @property
    def mark(self) -> Mark:
        """Tell how the whole of it stands."""
        return self._standing()[0]

    def wait(self, until: Until = "end", timeout: float | None = None) -> Self:
        """Wait until it has ended, or waits for people; see `Run.wait`.

        A kit that was opened for this release alone is closed when it has ended.
        """
        self.run.wait(until, timeout)
        if self._own is not None and self.run.execution.ended:
            self._kept = self._standing()
            self._own.close()
            self._own = None
        return self

    def approve(self, comment: str = "", action: str | None = None) -> Self:
        """Approve what waits for approval, and wait again; see `Run.approve`."""
        self.run.approve(comment, action)
        return self.wait("approval")

    def override(self, reason: str, action: str | None = None) -> Self:
        """Go on in spite of a freeze, and wait again; see `Run.override`."""
        self.run.override(action=action, reason=reason)
        return self.wait("approval")

    def resume(self) -> Self:
        """Go on from the cell that failed, and wait again; see `Run.resume`."""
        if self._kept is None:
            self.run.resume()
            return self.wait("approval")
        with ExitStack() as opened:
            own = opened.enter_context(Kit())  # the one that it had was closed
            self.run = own.run(self.run.id).resume()
            opened.pop_all()
        self._own, self._kept = own, None
        return self.wait("approval")

    def keep(self, out: Path | str = OUT) -> list[Path]:
        """Copy the executed notebooks.

        Args:
            out: The folder for the copies, each named after the notebook, the environment and
                the time.
        """
        return copied(self.results, Path(out))

    def _standing(self) -> tuple[Mark, tuple[Released, ...]]:
        if self._kept is not None:
            return self._kept
        return standing(self.run)


def standing(run: Run) -> tuple[Mark, tuple[Released, ...]]:
    """Tell how a release stands: the whole of it, and each environment in order."""
    facts = observed(run, now())
    places = ((stage, name) for stage in facts.stages for name in released_to(stage.stage))
    return facts.mark, tuple(_released(facts, *place) for place in places)


def copied(results: Iterable[Released], out: Path) -> list[Path]:
    """Copy the executed notebooks into a folder; see `Release.keep`."""
    copies = []
    for each in results:
        if each.notebook is not None and each.started is not None:
            name = f"{each.notebook.stem}-{each.environment}-{each.started:%Y%m%dT%H%M%S.%fZ}"
            out.mkdir(parents=True, exist_ok=True)
            copies.append(Path(shutil.copy(each.notebook, out / f"{name}.ipynb")))
    return copies


def make_ready(out: Path) -> None:
    """Make the folder that executed notebooks are to be copied into.

    Raises:
        ValidationError: It cannot be made, or not written.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=out):
            pass
    except OSError as error:
        raise ValidationError(
            f"executed notebooks were to be copied into {out}, and that folder cannot be made or "
            f"written: {error.strerror}; name another one with --out"
        ) from None


def release(
    notebook: Path | str,
    *names: str,
    parameters: Mapping[str, object] | None = None,
    environments: Environments | Path | str | None = None,
    files: Iterable[str] = (),
    kit: Kit | None = None,
) -> Release:
    """Release a notebook to environments, one after the other, until one fails.

    The notebook and the files of its project are taken once, and each environment gets the same
    artifact, with parameters of its own. Nothing is executed before all parameters are checked
    against the notebook's cell tagged `parameters`. It comes back when the release has ended, or
    waits for approval or the end of a freeze.

    ```python
    pk.release("report.ipynb", "staging", "production", parameters={"rows": 10})
    ```

    Args:
        notebook: A `.ipynb` file.
        names: The environments; all when there are none. Their order is that of the file.
        parameters: Values that prevail over those of all environments.
        environments: Where these are described, when not in the usual places.
        files: Patterns of the files that go along; all of the project when empty.
        kit: Where it runs; one of its own when None.

    Raises:
        ValidationError: The notebook or the environments are not fit for it; nothing was done.
    """
    with ExitStack() as opened:
        used = kit or opened.enter_context(Kit())
        source, folder = Path(notebook), Path(used.settings.folder)
        waves = chosen(source, names, environments)
        promotion = Promotion(source, waves, parameters or {}, folder, tuple(files), OUT)
        own = None if kit else used
        released = Release(start(used, promotion), promotion, own).wait("approval")
        opened.pop_all()
    return released


def chosen(
    notebook: Path, names: Iterable[str], known: Environments | Path | str | None = None
) -> Waves:
    """Find the environments that a notebook is to be released to.

    Args:
        notebook: The notebook, beside which they may be described.
        names: Those that are wanted; all when there are none.
        known: Where they are described, when not in the usual places.

    Raises:
        ValidationError: The notebook is missing, or an environment.
    """
    if not notebook.is_file():
        raise ValidationError(
            f"notebook {notebook} was to be released, and there is no such file; check its path"
        )
    if known is None:
        known = find_environments(Path.cwd(), notebook.parent)
    elif not isinstance(known, Environments):
        known = environments(known)
    return known.waves(tuple(names))


def start(kit: Kit, promotion: Promotion) -> Run:
    """Start a release.

    Raises:
        ValidationError: The notebook cannot take its parameters, or another release of it with
            other ones is under way, which this one would cancel.
    """
    pipeline = promotion.pipeline()
    if cancelled := kit.plan(pipeline).cancelled:
        under_way = ", ".join(f"#{each.number} in {each.stage}" for each in cancelled)
        raise ValidationError(
            f"{promotion.path} was to be released, and another release of it, to other "
            f"environments or with other parameters, is under way: {under_way}; let it end, or "
            f"end it with `pipelinekit stop {pipeline.name}`"
        )
    return kit.start(pipeline)


def _released(facts: RunFacts, stage: StageFacts, name: str) -> Released:
    action = next(each for each in stage.actions if each.name == name)
    row = action.attempt
    names = {f"{APPROVE}{name}", f"{FREEZE}{name}"}
    gates = [each for each in stage.actions if each.name in names]
    if row is None:
        return Released(name, *_held(facts, stage, gates))
    executed = _executed(action)
    digest = row.inputs[0].digest if row.inputs else ""
    told = row.error.message if row.error else "; ".join(_history(gates, row))
    mark = action.mark or NOT_STARTED
    return Released(name, mark, action.seconds, digest, executed, told, row.started)


def _held(
    facts: RunFacts, stage: StageFacts, gates: Sequence[ActionFacts]
) -> tuple[Mark, None, str, None, str]:
    mark, told = NOT_STARTED, ""
    for gate in gates:
        if gate.attempt is not None:
            told = _asked(gate.attempt)
            # Where its last gate is open, it is just about to begin, or others have failed.
            mark = gate.mark if gate.mark and gate.mark is not SUCCEEDED else NOT_STARTED
    if mark is NOT_STARTED and not facts.execution.ended and stage.queue is not None:
        mark = AT_THE_DOOR
    return mark, None, "", None, told


def _asked(row: ActionExecution) -> str:
    if row.error is not None:
        return row.error.message
    if not asks(row.type):
        return f"freeze overridden by {row.by}: {row.summary}" if row.by else row.summary
    if row.status is ActionStatus.IN_PROGRESS:
        return " ".join(
            filter(None, (f"asks {row.resolved.get(APPROVERS, 'anybody')}", votes(row)))
        )
    if row.status is ActionStatus.ABANDONED:
        return row.summary
    return f"approved by {row.by}{f': {row.summary}' if row.summary else ''}"


def _history(gates: Sequence[ActionFacts], row: ActionExecution) -> Iterator[str]:
    decided = (each.attempt for each in gates if each.attempt and each.attempt.by)
    yield from map(_asked, decided)
    if row.attempt > 1 and row.summary:  # it says what was executed again
        yield row.summary


def _executed(action: ActionFacts) -> Path | None:
    if action.log is None:
        return None
    return next(iter(sorted((action.log.parent / EXECUTED).glob("*.ipynb"))), None)
