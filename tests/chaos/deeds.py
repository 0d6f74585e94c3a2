"""The actions of the workloads, of all kinds that matter; each says in the ledger what it does.

A runner imports this module too, so that a mutant is at work there as well.
"""

import os
import signal
import subprocess
import time
from collections.abc import Mapping
from uuid import uuid4

from pipelinekit.kit.errand import bench
from pipelinekit.model.action import Category
from pipelinekit.model.execution import Revision
from pipelinekit.model.order import Outcome, Succeeded, Waiting
from pipelinekit.ports.provider import DECLARED, Job, Traits, provider
from pipelinekit.providers import approval as _approval
from pipelinekit.runtime.bench import carry_out
from pipelinekit.wire.record import answer_data
from tests.chaos import mutants, syncs
from tests.chaos.ledger import note

TARGET = "tests.chaos.deeds:work"
"""What a runner calls."""

APPROVAL = _approval.approval
POLLS = 3
GROWTH_SECONDS = 0.3
RUN_FILE = "run"


def work(given: Mapping[str, str]) -> dict[str, object]:
    """Carry out an order in a runner."""
    job = bench(given)
    report = carry_out(DECLARED[job.order.type], job)
    return answer_data(report.outcome, report.artifacts)


def _type(category: Category, name: str, **more: bool) -> Traits:
    return Traits(category=category, provider=name, **more)


def _begin(job: Job, kind: str) -> str:
    run = uuid4().hex
    order = job.order
    inputs = {
        each.name: {"digest": each.digest, "run": _read(job, each.name)} for each in order.inputs
    }
    place = {"execution": order.execution, "stage": order.stage, "action": order.action}
    note("start", order=order.id, run=run, kind=kind, inputs=inputs, **place)
    return run


def _read(job: Job, name: str) -> str:
    return (job.read(name) / RUN_FILE).read_text(encoding="utf-8")


def _end(job: Job, run: str) -> Succeeded:
    for output in job.order.outputs:
        folder = job.folder / f"made-{run}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / RUN_FILE).write_text(run, encoding="utf-8")
        job.write(folder, output.name)
    note("end", order=job.order.id, run=run, action=job.order.action)
    revision = Revision(run) if job.order.type.category is Category.SOURCE else None
    return Succeeded(variables={"run": run}, revision=revision)


def _whole(job: Job, kind: str, seconds: float) -> Outcome:
    run = _begin(job, kind)
    time.sleep(seconds)
    return _end(job, run)


@provider(_type(Category.SOURCE, "Found", detached=True, repeatable=True))
def found(job: Job, seconds: float = 0) -> Outcome:
    """Find a revision, in a process of its own."""
    return _whole(job, "detached-again", seconds)


@provider(_type(Category.SOURCE, "Seen", repeatable=True))
def seen(job: Job, seconds: float = 0) -> Outcome:
    """Find a revision, in a thread."""
    return _whole(job, "inline-again", seconds)


@provider(_type(Category.BUILD, "Detached", detached=True))
def detached(job: Job, seconds: float = 0) -> Outcome:
    """Work in a process of its own, and once only."""
    return _whole(job, "detached", seconds)


@provider(_type(Category.TEST, "DetachedAgain", detached=True, repeatable=True))
def detached_again(job: Job, seconds: float = 0) -> Outcome:
    """Work in a process of its own, again where it was lost."""
    return _whole(job, "detached-again", seconds)


@provider(_type(Category.INVOKE, "Inline"))
def inline(job: Job, seconds: float = 0) -> Outcome:
    """Work in a thread, and once only."""
    return _whole(job, "inline", seconds)


@provider(_type(Category.TEST, "InlineAgain", repeatable=True))
def inline_again(job: Job, seconds: float = 0) -> Outcome:
    """Work in a thread, again where it was lost."""
    return _whole(job, "inline-again", seconds)


@provider(_type(Category.DEPLOY, "Polled", repeatable=True))
def polled(job: Job, seconds: float = 0) -> Outcome:
    """Work elsewhere, and be asked now and then."""
    token = job.order.token or f"{_begin(job, 'polled')}:0"
    run, _, polls = token.partition(":")
    if int(polls) < POLLS:
        return Waiting(f"{run}:{int(polls) + 1}", seconds=seconds)
    return _end(job, run)


@provider(_type(Category.TEST, "Fragile", detached=True, repeatable=True))
def fragile(job: Job) -> Outcome:
    """Work in a process of its own that is killed the first time."""
    run = _begin(job, "detached-again")
    mark = job.folder.parents[1] / f"broken-{job.order.id}"
    if not mark.exists():
        mark.touch()
        note("gone", gone=os.getpid())
        os.kill(os.getpid(), signal.SIGKILL)
    return _end(job, run)


@provider(_type(Category.DEPLOY, "Forking", detached=True))
def forking(job: Job, seconds: float = 0) -> Outcome:
    """Work in a process of its own with a child that is forked off it and does not exec."""
    if os.fork() == 0:
        time.sleep(seconds)
        os._exit(0)
    _begin(job, "detached")  # only now: whoever reads that it started may kill it at once
    time.sleep(seconds)
    raise AssertionError(f"{job.order.action} was to be killed")


SHAPES: Mapping[str, str] = {
    "plain": "sleep $M",
    "deaf": "trap '' TERM; sleep $M",
    "session": "setsid sleep $M & setsid sleep $M",
    "bare": "env -i setsid sleep $M & sleep $M",
    "daemon": "(setsid sh -c 'trap \"\" TERM; env -i sleep '$M &) & sleep $M",
    "hydra": "trap 'setsid sleep '$M' &' TERM; while :; do sleep 0.1; done",
}
"""Shell commands that grow trees of processes; `$M` marks each of them."""


@provider(_type(Category.DEPLOY, "Hostile", detached=True))
def hostile(job: Job, shape: str, marker: str) -> Outcome:
    """Grow a tree of processes that does not want to end."""
    _begin(job, "detached")
    grown = subprocess.Popen(["sh", "-c", f"M={marker}; {SHAPES[shape]}", marker])
    time.sleep(GROWTH_SECONDS)
    note("grown", order=job.order.id, marker=marker)
    grown.wait()
    raise AssertionError(f"the tree of {job.order.action} was to be cut down")


mutants.apply_wanted()
syncs.record_wanted()
