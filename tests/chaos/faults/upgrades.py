"""Stores of an older version with work in flight, and of a newer one than an engine knows."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, text

from pipelinekit.store.migrations import CURRENT
from tests.chaos.ledger import note
from tests.chaos.stores import engine
from tests.chaos.trial import Trial

SHORT, LONG = 0.05, 0.9
TRIED_SECONDS = 0.6
OLD = 3
OLDER = (
    "DROP TABLE engines",
    "DROP TABLE writes",
    "ALTER TABLE orders DROP COLUMN fence",
    "ALTER TABLE orders DROP COLUMN place",
    "UPDATE meta SET version = 3",
)
"""What makes of a store one that the engines before leases and fences have left."""


def upgraded(trial: Trial, count: int) -> None:
    """Have an older engine leave its work to this one so often, or this one to a newer one."""
    for number in range(count):
        known = len(trial.said("alive"))
        child = trial.live(starts=trial.starts(0.5))
        trial.until(known + 1, 20, "alive")
        time.sleep(trial.dice.uniform(SHORT, LONG))
        if number % 2:
            _make_newer(trial)
            child.kill()
            _say(trial, "UPDATE writes SET needs = needs - 1")
        else:
            child.kill()
            _say(trial, *OLDER)
            if trial.dice.random() < 0.5:
                step = trial.dice.randint(1, CURRENT - OLD)
                killing = {"PIPELINEKIT_FAILPOINT": f"store.migrate.written:kill:{step}"}
                trial.live(killing).wait(10)
    trial.settle()


def _make_newer(trial: Trial) -> None:
    _say(trial, "UPDATE writes SET needs = needs + 1")
    before = _records(trial)
    time.sleep(TRIED_SECONDS)
    if _records(trial) != before:
        note("violation", text="an engine wrote to a store that is newer than it knows")


def _records(trial: Trial) -> int:
    with _connection(trial) as connection:
        return int(connection.execute(text("SELECT count(*) FROM journal")).scalar_one())


def _say(trial: Trial, *statements: str) -> None:
    with _connection(trial) as connection, connection.begin():
        for each in statements:
            connection.execute(text(each))


@contextmanager
def _connection(trial: Trial) -> Iterator[Connection]:
    asking = engine(trial.site.url)
    with asking.connect() as connection:
        yield connection
    asking.dispose()
