"""Reads what a report tells of an execution."""

import hashlib
import json
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from pipelinekit.engine.review import asks
from pipelinekit.engine.secrets import Types, known_secrets, masked, masked_values
from pipelinekit.kit.fact_words import PLACES, rule
from pipelinekit.kit.facts import ActionFacts, ConditionFacts, RunFacts
from pipelinekit.kit.logs import shown
from pipelinekit.kit.observe import observed
from pipelinekit.kit.report_cells import executed
from pipelinekit.kit.report_facts import (
    Decision,
    Executed,
    Heading,
    Kept,
    Log,
    Report,
    Setting,
    Step,
    Taken,
    Written,
)
from pipelinekit.kit.run import Run
from pipelinekit.model.action import Category
from pipelinekit.model.check import ConditionStatus
from pipelinekit.model.execution import Definition
from pipelinekit.model.settings import Settings
from pipelinekit.model.status import ApprovalStatus
from pipelinekit.ports.store import Query, Store
from pipelinekit.tools.vault import values_in
from pipelinekit.wire import codepipeline
from pipelinekit.wire.words import MARKS, NOT_STARTED, Mark, duration, one_line

REFERENCE = "secret:"
"""What says where a secret is, and is none itself."""

LOG_BYTES = 256 * 1024
TOLD = 1000
MINE = re.compile(r"(?i)(secret|token|password|passwd|api_?key|credential)")
"""What a value is called that is kept out, though nobody has said that it is secret."""


def secrets_of(run: Run, settings: Settings, types: Types) -> list[str]:
    """List the values that no report of an execution may show.

    Args:
        run: The execution.
        settings: Of the project.
        types: Those of its actions, as far as they are known.

    Raises:
        SecretError: The project's file of secrets cannot be read.
    """
    found = [value for _, _, value in known_secrets(run.definition, types)]
    for name, value in run.execution.variables.items():
        found += [value] if MINE.search(name) else []
    for row in run.actions:
        found += _secret_parameters(row.resolved.get("Parameters", ""))
    if settings.secrets:
        found += values_in(Path(settings.folder, Path(settings.secrets).expanduser()))
    return found


class Reader:
    """Reads an execution.

    Args:
        store: Where it is kept.
        run: The execution.
        types: Those of its actions, as far as they are known; what others say is secret.
        present: Until when things under way have taken, UTC.
    """

    def __init__(self, store: Store, run: Run, types: Types, present: datetime) -> None:
        self._store = store
        self._run = run
        self._types = types
        self._present = present
        self._facts = observed(run, present)

    def report(self) -> Report:
        """Give what there is to tell; what is new since the last time is not looked for here."""
        return Report(
            heading=self._heading(),
            definition=self._definition(),
            made=_time(self._present),
            settings=tuple(self._settings()),
            revisions=tuple(self._revisions()),
            decisions=tuple(sorted(self._decisions(), key=lambda each: each.at)),
            steps=tuple(self._steps()),
            artifacts=tuple(self._artifacts()),
            notebooks=tuple(self._notebooks()),
            logs=tuple(self._logs()),
        )

    def _heading(self) -> Heading:
        facts: RunFacts = self._facts
        row = facts.execution
        return Heading(
            pipeline=row.pipeline,
            number=row.number,
            execution=row.id,
            status=facts.mark.word,
            tone=facts.mark.tone,
            started=_time(row.started),
            time=duration(facts.seconds),
            origin=f"{row.cause.detail or 'nobody known'} ({row.cause.type})",
            why=row.summary,
        )

    def _definition(self) -> Written:
        version = self._run.execution.version
        query = Query(pipeline=self._run.pipeline, version=version)
        row = self._store.find(Definition, query)[0]
        whole = codepipeline.text(row.body)
        digest = hashlib.sha256(whole.encode()).hexdigest()
        text = codepipeline.text(masked(row.body, self._types))
        return Written(version, digest, row.by, _time(row.at), text)

    def _settings(self) -> Iterator[Setting]:
        for name, value in self._run.execution.variables.items():
            yield Setting("pipeline", name, value)
        resolved = {(row.stage, row.action): row.resolved for row in self._run.actions}
        for stage in self._run.definition.stages:
            for action in stage.actions:
                given = resolved.get((stage.name, action.name), action.configuration)
                for key, value in masked_values(given, action, self._types).items():
                    yield Setting(f"{stage.name}/{action.name}", key, value)

    def _revisions(self) -> Iterator[Taken]:
        for name, each in self._run.execution.revisions.items():
            yield Taken(name, each.id, each.summary, " ".join(each.authors))

    def _decisions(self) -> Iterator[Decision]:
        for row in self._run.attempts:
            for vote in row.votes:
                override = vote.status is ApprovalStatus.APPROVED and not asks(row.type)
                what = "Overridden" if override else MARKS[vote.status].word
                counted = f"{what}, which did not count: {vote.refused}" if vote.refused else what
                place = f"{row.stage}/{row.action}"
                yield Decision(place, _time(vote.at), vote.by, counted, vote.summary)
            approval = row.type.category is Category.APPROVAL
            if approval and row.by and not row.votes:
                what = MARKS[row.status].word
                place = f"{row.stage}/{row.action}"
                yield Decision(place, _time(row.updated), row.by, what, row.summary)
        for check in self._run.conditions:
            if check.status is ConditionStatus.OVERRIDDEN:
                who, _, why = check.summary.removeprefix("Overridden by ").partition(": ")
                place = f"{check.stage}, {PLACES[check.condition]}"
                yield Decision(place, _time(check.updated), who, "Overridden", why)
        if stop := self._run.execution.stop:
            place = self._run.execution.stage
            at = _time(self._run.execution.updated)
            yield Decision(place, at, stop.by, "Stopped", stop.reason)

    def _steps(self) -> Iterator[Step]:
        for stage in self._facts.stages:
            started = _time(stage.entered.started) if stage.entered else ""
            time = _took(stage.seconds)
            yield Step(0, stage.name, *_shown(stage.mark), started=started, time=time)
            for condition in stage.conditions:
                yield from _rules(condition)
            yield from map(_action, stage.actions)

    def _artifacts(self) -> Iterator[Kept]:
        for row in self._run.actions:
            for each in row.outputs:
                if each.digest:
                    place = f"{row.stage}/{row.action}"
                    yield Kept(each.name, place, each.digest, each.size)

    def _notebooks(self) -> Iterator[Executed]:
        for row in self._run.actions:
            if row.type.provider == "Notebook":
                yield from executed(f"{row.stage}/{row.action}", self._run.log_file(row).parent)

    def _logs(self) -> Iterator[Log]:
        for row in self._run.tries:
            if text := shown(self._run.log_file(row), LOG_BYTES):
                attempt = f", attempt {row.attempt}" if row.attempt > 1 else ""
                yield Log(f"{row.stage}/{row.action}{attempt}", text)


def _rules(condition: ConditionFacts) -> Iterator[Step]:
    for each in condition.rules:
        name = f"{PLACES[condition.place]}: {each.rule.name}"
        started = _time(each.attempt.started) if each.attempt else ""
        told = rule(each, condition)
        yield Step(1, name, *_shown(each.mark), started, _took(each.seconds), told)


def _action(each: ActionFacts) -> Step:
    row = each.attempt
    if row is None:
        return Step(1, each.name, *_shown(each.mark))
    told = f"{row.error.code}: {row.error.message}" if row.error else row.summary
    attempt = f"attempt {row.attempt}" if row.attempt > 1 else ""
    whole = one_line("; ".join(filter(None, (attempt, told))), TOLD)
    return Step(1, each.name, *_shown(each.mark), _time(row.started), _took(each.seconds), whole)


def _shown(mark: Mark | None) -> tuple[str, str]:
    known = mark or NOT_STARTED
    return str(known), known.tone


def _took(seconds: float | None) -> str:
    return "" if seconds is None else duration(seconds)


def _secret_parameters(text: str) -> Iterator[str]:
    try:
        given = json.loads(text, strict=False)
    except ValueError:
        return
    for name, value in given.items() if isinstance(given, dict) else ():
        if MINE.search(name) and isinstance(value, str) and not value.startswith(REFERENCE):
            yield value


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"
