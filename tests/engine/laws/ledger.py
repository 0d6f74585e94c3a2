"""What a judge has been told so far, as plain data; nothing here knows the engine."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

Data = Mapping[str, Any]
Key = tuple[str, ...]

OPEN = frozenset({"InProgress", "Stopping"})
"""The statuses of what has not ended."""

PASSED = frozenset({"Succeeded", "Overridden"})
"""The statuses of a condition that does not hold an execution up."""

ROWS = {
    "PipelineExecution": ("id",),
    "StageExecution": ("execution", "stage"),
    "ActionExecution": ("id",),
    "RuleExecution": ("id",),
    "ConditionExecution": ("execution", "stage", "condition"),
    "StageState": ("stage",),
}
"""By which members a row is found; those of an attempt are all kept."""


class Broken(AssertionError):
    """A promise was not kept."""


def demand(kept: object, promise: str, *found: object) -> None:
    """Hold that a promise is kept."""
    if not kept:
        raise Broken(f"{promise}: {', '.join(map(str, found))}")


class StagePlan:
    """A stage as it is declared, ready to be looked up."""

    def __init__(self, declared: Data) -> None:
        self.name: str = declared["name"]
        self.actions: dict[str, Data] = {each["name"]: each for each in declared["actions"]}
        orders = sorted({each["run_order"] for each in declared["actions"]})
        self.groups = [
            [name for name, each in self.actions.items() if each["run_order"] == order]
            for order in orders
        ]
        self.place = {name: at for at, group in enumerate(self.groups) for name in group}
        failure = declared["on_failure"] or {}
        self.on_failure: str | None = failure.get("result")
        self.retries_all: bool = failure.get("retry_mode") == "ALL_ACTIONS"
        self.checks: dict[str, Data] = {}
        for place, conditions in (
            ("BEFORE_ENTRY", declared["before_entry"]),
            ("ON_SUCCESS", declared["on_success"]),
            ("ON_FAILURE", failure.get("conditions")),
        ):
            if conditions:
                self.checks[place] = conditions[0]


class Plan:
    """A version of the definition, ready to be looked up."""

    def __init__(self, declared: Data) -> None:
        self.mode: str = declared["mode"]
        self.variables: dict[str, str | None] = {
            each["name"]: each["default"] for each in declared["variables"]
        }
        self.stages = {each["name"]: StagePlan(each) for each in declared["stages"]}
        self.names = list(self.stages)


class Ledger:
    """Everything that is known before a decision.

    Attributes:
        status: Of an execution by (id, "", ""), a stage by (id, stage, ""), an attempt by
            (id, stage, attempt).
        latest: The id of the latest attempt, by execution, stage and action.
        open: The ids of the attempts under way, by execution and stage.
        inside: Which execution holds the lock of a stage.
        last: Which execution entered a stage last.
        entered: The highest number that entered a stage.
        closed: Since when a switch is disabled, by stage and whether it is the inbound one.
        good: The executions that succeeded in a stage, in order.
        spent: The actions of a stage that have succeeded and are not to run again.
        stale: The executions that will not enter what they wait for, for they waited too long.
        seen: The ids of all attempts.
    """

    def __init__(self) -> None:
        self.version = 0
        self.executions = 0
        self.plans: dict[int, Plan] = {}
        self.editors: dict[int, str] = {}
        self.rows: dict[str, dict[Key, Data]] = {kind: {} for kind in ROWS}
        self.runs = self.rows["PipelineExecution"]
        self.stages = self.rows["StageExecution"]
        self.actions = self.rows["ActionExecution"]
        self.rules = self.rows["RuleExecution"]
        self.checks = self.rows["ConditionExecution"]
        self.lines = self.rows["StageState"]
        self.status: dict[Key, str] = {}
        self.latest: dict[Key, str] = {}
        self.open: dict[Key, set[str]] = defaultdict(set)
        self.live: set[str] = set()
        self.inside: dict[str, str] = {}
        self.last: dict[str, str] = {}
        self.entered: dict[str, int] = {}
        self.closed: dict[tuple[str, bool], float] = {}
        self.stale: set[str] = set()
        self.good: dict[str, list[str]] = defaultdict(list)
        self.spent: dict[Key, set[str]] = defaultdict(set)
        self.by_itself: set[Key] = set()
        self.written: dict[str, dict[str, Data]] = defaultdict(dict)
        self.values: dict[str, dict[str, Data]] = defaultdict(dict)
        self.objects: set[str] = set()
        self.tokens: dict[str, tuple[object, str, float]] = {}
        self.approvers: dict[str, set[str]] = defaultdict(set)
        self.seen: set[str] = set()

    def plan_of(self, run: Data) -> Plan:
        """Give the definition that an execution runs by."""
        return self.plans[run["version"]]

    def stage_of(self, run: Data, stage: str) -> StagePlan:
        """Give a stage as the execution's definition declares it."""
        return self.plans[run["version"]].stages[stage]

    def outdated(self, run: Data) -> bool:
        """Tell whether the definition was replaced under an execution that minds."""
        return run["mode"] != "PARALLEL" and bool(run["version"] != self.version)

    def outcome(self, run: str, stage: str, action: str) -> str | None:
        """Give the status of the latest attempt of an action."""
        attempt = self.latest.get((run, stage, action))
        return None if attempt is None else self.status[run, stage, attempt]


class Step:
    """A decision: what happened, what it changed, and what was known of that before.

    Attributes:
        checks: The checks of a condition, of which one may follow another at once.
        before: The rows that it changed, as they were.
        resumed: The stages that a person had run again.
        begun: The executions that began.
        ended: The executions that ended.
        born: The attempts that began.
        cut: The attempts that were ended from outside, whose work is of no use any more.
        lost: The actions that had failed or were abandoned before a retry.
    """

    def __init__(self, record: Data) -> None:
        self.event: Data = record["event"]
        self.kind: str = self.event["is"]
        self.at: float = self.event["at"]
        self.moves: list[Data] = record["moves"]
        self.answer: str = record["answer"]
        self.refusal: str = record["refusal"]
        self.rows: dict[str, dict[Key, Data]] = {kind: {} for kind in ROWS}
        self.checks: dict[Key, list[Data]] = defaultdict(list)
        for row in record["rows"]:
            names = ROWS.get(row["is"])
            if names is not None:
                key = tuple([row[name] for name in names])  # a list is quicker than a generator
                self.rows[row["is"]][key] = row
                if row["is"] == "ConditionExecution":
                    self.checks[key].append(row)
        self.before: dict[str, dict[Key, Data | None]] = {}
        self.orders: dict[str, Data] = {}
        self.halted: set[str] = set()
        self.asked: set[str] = set()
        self.resumed: set[Key] = set()
        self.begun: list[str] = []
        self.ended: list[str] = []
        self.born: list[Data] = []
        self.cut: set[str] = set()
        self.lost: list[str] = []
        for command in record["commands"]:
            self._take(command)

    def row(self, ledger: Ledger, kind: str, *key: str) -> Data:
        """Give a row as it stands after the decision."""
        return self.rows[kind].get(key) or ledger.rows[kind][key]

    def verdict(self, ledger: Ledger, run: str, stage: str, place: str) -> str | None:
        """Give the status of the check of a condition as it stands after the decision."""
        key = (run, stage, place)
        check = self.rows["ConditionExecution"].get(key) or ledger.checks.get(key)
        return check["status"] if check else None

    def _take(self, command: Data) -> None:
        if command["is"] == "Run":
            order = command["order"]
            demand(order["id"] not in self.orders, "an attempt is started once", order["id"])
            self.orders[order["id"]] = order
        elif command["is"] == "Halt":
            self.halted.add(command["action_execution"])
        else:
            self.asked.add(command["action_execution"])
