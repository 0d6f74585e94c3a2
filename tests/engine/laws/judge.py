"""Judges a history, decision by decision, against the promises; it knows nothing of the engine.

What is promised: codepipeline.md section 3, 4, 5 and 10. The order of work: what the event itself
says, then every change of status in its order, then the rows as they stand after it.
"""

from tests.engine.laws import causes, refusals, standing
from tests.engine.laws.attempts import action_moved, rules_began, rules_ended
from tests.engine.laws.ledger import OPEN, ROWS, Data, Ledger, Plan, Step, demand
from tests.engine.laws.runs import run_moved
from tests.engine.laws.stages import stage_moved


class Judge:
    """Remembers what it was told, and raises Broken at the first promise that is not kept."""

    def __init__(self) -> None:
        self.ledger = Ledger()

    def refused(self, event: Data, error: str) -> None:
        """Judge a refusal; nothing has changed by it."""
        refusals.check(self.ledger, event, error)

    def decided(self, record: Data) -> None:
        """Judge a decision, and remember what it changed."""
        step = Step(record)
        ledger = self.ledger
        if record["deleted"]:
            under_way = {attempt for each in ledger.open.values() for attempt in each}
            demand(step.halted == under_way, "what runs for a deleted pipeline is ended")
            self.ledger = Ledger()
            return
        if step.kind == "Defined":
            _adopt(ledger, step)
        causes.check(ledger, step)
        rules_ended(ledger, step)
        for move in step.moves:
            if move["action"]:
                action_moved(ledger, step, move)
            elif move["stage"]:
                stage_moved(ledger, step, move)
            else:
                run_moved(ledger, step, move)
        rules_began(ledger, step)
        _write_down(ledger, step)
        standing.check(ledger, step)

    def all_ended(self) -> None:
        """Hold that nothing is under way any more."""
        demand(not self.ledger.live, "everything ends", self.ledger.live)


def _adopt(ledger: Ledger, step: Step) -> None:
    version = int(step.answer)
    if version == ledger.version:
        demand(step.event["unless_same"] and not step.moves, "a new definition is a new version")
        return
    demand(version == ledger.version + 1, "versions count up", version)
    known = ledger.plans.get(ledger.version)
    plan = ledger.plans[version] = Plan(step.event["definition"])
    ledger.version = version
    gone = set(known.names) - set(plan.names) if known else set()
    for stage in gone:  # its switches went with it
        ledger.closed.pop((stage, True), None)
        ledger.closed.pop((stage, False), None)
    ledger.editors[version] = step.event["by"]


def _write_down(ledger: Ledger, step: Step) -> None:
    for kind in ROWS:
        rows = step.rows[kind]
        known = ledger.rows[kind]
        step.before[kind] = {key: known.get(key) for key in rows}
        known.update(rows)
    for (run,) in step.rows["PipelineExecution"]:
        if ledger.status[run, "", ""] in OPEN:
            ledger.live.add(run)
        else:
            ledger.live.discard(run)
