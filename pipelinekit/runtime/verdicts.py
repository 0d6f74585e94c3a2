"""What an engine asks the desk about its orders: their deadlines, their reports, and refusals."""

from collections.abc import Callable
from datetime import datetime

from pipelinekit.model.event import AnswerRefused, Event, Expired, Progressed, Reported
from pipelinekit.model.order import Order, Waiting
from pipelinekit.runtime.bench import Report
from pipelinekit.runtime.clock import new_id
from pipelinekit.runtime.desk import Asked
from pipelinekit.runtime.progress import Progress


def expired(order: Order, at: datetime) -> Asked:
    """Ask what follows from it that an order's deadline has passed."""
    return Asked(_about(Expired, order, at, "clock", condition=order.condition))


def progressed(order: Order, progress: Progress, at: datetime) -> Asked:
    """Have it kept how far the work of an order is."""
    members = {"percent": progress.percent, "summary": progress.text}
    return Asked(_about(Progressed, order, at, str(order.type), **members))


def refused(order: Order, engine: str, reason: str, at: datetime) -> Asked:
    """Have it kept that what came of an order does not count, since an engine no longer had it."""
    members = {"fence": order.fence, "reason": reason, "condition": order.condition}
    return Asked(_about(AnswerRefused, order, at, engine, **members))


def told(order: Order, why: object) -> str:
    """Say that what comes of an order does not count."""
    place = f"{order.stage}/{order.action} of {order.execution}"
    return (
        f"what comes of order {order.id} ({place}, fence {order.fence}) does not count, since it "
        f"is done or another engine holds it now: {why}"
    )


def reported(order: Order, report: Report, at: datetime) -> Asked:
    """Ask what follows from the report of whoever carried an order out."""
    event = _about(
        Reported,
        order,
        at,
        str(order.type),
        outcome=report.outcome,
        artifacts=report.artifacts,
        condition=order.condition,
    )
    return Asked(event, None if isinstance(report.outcome, Waiting) else order)


def _about(
    kind: Callable[..., Event], order: Order, at: datetime, by: str, **members: object
) -> Event:
    return kind(
        id=new_id(),
        pipeline=order.pipeline,
        at=at,
        by=by,
        execution=order.execution,
        stage=order.stage,
        action=order.action,
        action_execution=order.id,
        **members,
    )
