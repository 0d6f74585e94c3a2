"""What an engine asks the desk about its orders: their deadlines, their reports, and refusals."""

from datetime import datetime

from pipelinekit.model.event import AnswerRefused, Expired, Progressed, Reported
from pipelinekit.model.order import Order, Waiting
from pipelinekit.runtime.bench import Report
from pipelinekit.runtime.clock import new_id
from pipelinekit.runtime.desk import Asked
from pipelinekit.runtime.progress import Progress


def expired(order: Order, at: datetime) -> Asked:
    """Ask what follows from it that an order's deadline has passed."""
    event = Expired(
        id=new_id(),
        pipeline=order.pipeline,
        at=at,
        by="clock",
        execution=order.execution,
        stage=order.stage,
        action=order.action,
        action_execution=order.id,
        condition=order.condition,
    )
    return Asked(event)


def progressed(order: Order, progress: Progress, at: datetime) -> Asked:
    """Have it kept how far the work of an order is."""
    event = Progressed(
        id=new_id(),
        pipeline=order.pipeline,
        at=at,
        by=str(order.type),
        execution=order.execution,
        stage=order.stage,
        action=order.action,
        action_execution=order.id,
        percent=progress.percent,
        summary=progress.text,
    )
    return Asked(event)


def refused(order: Order, engine: str, reason: str, at: datetime) -> Asked:
    """Have it kept that what came of an order does not count, since an engine no longer had it."""
    event = AnswerRefused(
        id=new_id(),
        pipeline=order.pipeline,
        at=at,
        by=engine,
        execution=order.execution,
        stage=order.stage,
        action=order.action,
        action_execution=order.id,
        fence=order.fence,
        reason=reason,
        condition=order.condition,
    )
    return Asked(event)


def told(order: Order, why: object) -> str:
    """Say that what comes of an order does not count."""
    place = f"{order.stage}/{order.action} of {order.execution}"
    return (
        f"what comes of order {order.id} ({place}, fence {order.fence}) does not count, since it "
        f"is done or another engine holds it now: {why}"
    )


def reported(order: Order, report: Report, at: datetime) -> Asked:
    """Ask what follows from the report of whoever carried an order out."""
    event = Reported(
        id=new_id(),
        pipeline=order.pipeline,
        at=at,
        by=str(order.type),
        execution=order.execution,
        stage=order.stage,
        action=order.action,
        action_execution=order.id,
        outcome=report.outcome,
        artifacts=report.artifacts,
        condition=order.condition,
    )
    return Asked(event, None if isinstance(report.outcome, Waiting) else order)
