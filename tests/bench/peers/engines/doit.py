"""doit with its SQLite backend: marks of a whole run, written in one commit when the run ends."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from doit.cmd_base import TaskLoader2
from doit.doit_cmd import DoitMain
from doit.task import dict_to_task
from doit.tools import run_once

from tests.bench.peers import talk

Action = tuple[object, ...]
Task = dict[str, object]


class Tasks(TaskLoader2):
    """Gives doit tasks that are there already."""

    def __init__(self, tasks: list[Task], database: Path) -> None:
        super().__init__()
        self._tasks = tasks
        self._database = database

    def setup(self, opt_values: object) -> None:
        """Need nothing."""

    def load_doit_config(self) -> dict[str, object]:
        """Say where the marks are."""
        quiet = {"reporter": "zero", "verbosity": 0}
        return {"backend": "sqlite3", "dep_file": str(self._database), **quiet}

    def load_tasks(self, cmd: object, pos_args: object) -> list[object]:
        """Give the tasks."""
        del cmd, pos_args
        return [dict_to_task(task) for task in self._tasks]


def nothing(name: str) -> None:
    """Do nothing."""
    del name


def risky(name: str, effects: str) -> None:
    """Have an effect."""
    talk.happen(Path(effects), name)


def tasks(stages: int, actions: int, function: object, *arguments: str) -> list[Task]:
    """Give tasks that run once, each after all of the stage before."""
    return [
        {
            "name": f"{stage}.{each}",
            "actions": [(function, [f"{stage}.{each}", *arguments])],
            "task_dep": [f"{stage - 1}.{other}" for other in range(actions)] if stage else [],
            "uptodate": [run_once],
        }
        for stage in range(stages)
        for each in range(actions)
    ]


class Doit:
    """doit on a folder of databases."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._numbers = count()

    def run(self, stages: int, actions: int) -> None:
        """Run tasks in this thread: the fastest of its ways."""
        self._main(tasks(stages, actions, nothing), f"{next(self._numbers)}.db")

    def many(self, executions: int, stages: int) -> None:
        """Run one after the other."""
        for _ in range(executions):
            self.run(stages, 1)

    def risk(self, effects: Path) -> None:
        """Run tasks in threads."""
        stages, actions = talk.RISKED
        risked = tasks(stages, actions, risky, str(effects))
        self._main(risked, "risk.db", "-n", str(actions), "-P", "thread")

    resume = risk

    def _main(self, made: list[Task], database: str, *options: str) -> None:
        if DoitMain(Tasks(made, self._home / database)).run(["run", *options]):
            raise RuntimeError("doit could not run the tasks; its output says why")


@contextmanager
def opened(home: Path) -> Iterator[Doit]:
    """Use it."""
    yield Doit(home)


if __name__ == "__main__":
    talk.serve(opened)
