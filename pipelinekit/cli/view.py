"""What there is to see of an execution, as plain data for programs: the shape of `--json`."""

from msgspec.structs import asdict

from pipelinekit.kit.fact_words import wanted
from pipelinekit.kit.facts import (
    ActionFacts,
    ConditionFacts,
    RuleFacts,
    RunFacts,
    StageFacts,
    Switch,
)
from pipelinekit.model.execution import ActionExecution, ErrorDetails
from pipelinekit.wire.report_words import totals

Data = dict[str, object]


def data(facts: RunFacts) -> Data:
    """Put an execution with all that it consists of into plain data."""
    row = facts.execution
    return {
        "pipeline": row.pipeline,
        "execution": row.id,
        "number": row.number,
        "version": row.version,
        "mode": row.mode,
        "type": row.type,
        "target": asdict(facts.target) if facts.target else None,
        "status": row.status,
        "ended": row.ended,
        "trigger": row.cause.type,
        "by": row.cause.detail,
        "started": row.started,
        "seconds": facts.seconds,
        "attempts": row.attempts,
        "summary": row.summary,
        "variables": dict(row.variables),
        "revisions": {name: found.id for name, found in sorted(row.revisions.items())},
        "engine": facts.engine,
        "stages": [_stage(stage) for stage in facts.stages],
    }


def _stage(facts: StageFacts) -> Data:
    row = facts.entered
    return {
        "name": facts.name,
        "status": row.status if row else None,
        "started": row.started if row else None,
        "seconds": facts.seconds,
        "retries": row.retries if row else 0,
        "auto_retries": row.auto_retries if row else 0,
        "queue": asdict(facts.queue) if facts.queue else None,
        "disabled": [_switch(each) for each in facts.switches],
        "waiting": [asdict(each) for each in facts.behind],
        "conditions": [_condition(each) for each in facts.conditions],
        "actions": [_action(each) for each in facts.actions],
    }


def _switch(switch: Switch) -> Data:
    turned = switch.transition
    return {
        "leaving": switch.leaving,
        "by": turned.by,
        "at": turned.at,
        "reason": turned.reason,
    }


def _condition(facts: ConditionFacts) -> Data:
    return {
        "condition": facts.place,
        "result": facts.result,
        "status": facts.check.status,
        "attempt": facts.check.attempt,
        "summary": facts.check.summary,
        "rules": [_rule(each) for each in facts.rules],
    }


def _rule(facts: RuleFacts) -> Data:
    row = facts.attempt
    return {
        "name": facts.rule.name,
        "type": facts.rule.type.provider,
        "status": row.status if row else None,
        "id": row.id if row else None,
        "attempt": row.attempt if row else 0,
        "started": row.started if row else None,
        "seconds": facts.seconds,
        "summary": row.summary if row else "",
        "error": _error(row.error) if row else "",
    }


def _action(facts: ActionFacts) -> Data:
    row = facts.attempt
    return {
        "name": facts.name,
        "stage": facts.stage,
        "type": str(facts.action.type),
        "status": row.status if row else None,
        "id": row.id if row else None,
        "attempt": row.attempt if row else 0,
        "started": row.started if row else None,
        "seconds": facts.seconds,
        "percent": row.percent if row else None,
        "place": row.place if row else "here",
        "by": row.by if row else "",
        "summary": told(row.summary, row) if row else "",
        "url": row.external_url if row else "",
        "error": failure(row) if row else "",
        "approval": _approval(row) if row and facts.waits else None,
        "votes": [asdict(each) for each in row.votes] if row else [],
        "reports": [asdict(each) for each in row.reports] if row else [],
    }


def _approval(row: ActionExecution) -> Data:
    return {
        "token": row.token,
        "note": row.resolved.get("CustomData", ""),
        "link": row.resolved.get("ExternalEntityLink", ""),
        "since": row.started,
        "until": row.deadline,
        "inputs": dict(wanted(row)),
    }


def told(text: str, row: ActionExecution) -> str:
    """Add to a text what the tests of an action came to."""
    return "; ".join(filter(None, (text, totals(row.reports))))


def failure(row: ActionExecution) -> str:
    """Say why an action failed, with what its tests came to."""
    return told(_error(row.error), row) if row.error else ""


def _error(error: ErrorDetails | None) -> str:
    return f"{error.code}: {error.message}" if error else ""
