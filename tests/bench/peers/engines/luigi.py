"""Luigi with its local scheduler: a mark for each task, a file that is renamed and not synced."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import luigi

from tests.bench.peers import talk


class Mark(luigi.Task):
    """A task that leaves a mark; those of a stage require all of the stage before."""

    folder = luigi.Parameter()
    stage = luigi.IntParameter()
    action = luigi.IntParameter()
    actions = luigi.IntParameter()

    def requires(self) -> list["Mark"]:
        """Name the tasks of the stage before."""
        if self.stage == 0:
            return []
        return [self.clone(stage=self.stage - 1, action=each) for each in range(self.actions)]

    def output(self) -> luigi.LocalTarget:
        """Name the mark."""
        return luigi.LocalTarget(f"{self.folder}/{self.stage}.{self.action}")

    def run(self) -> None:
        """Leave the mark."""
        with self.output().open("w") as mark:
            mark.write("done")


class Risky(Mark):
    """A task that has an effect."""

    effects = luigi.Parameter()

    def run(self) -> None:
        """Have the effect, and leave the mark."""
        talk.happen(Path(self.effects), f"{self.stage}.{self.action}")
        super().run()


class Luigi:
    """Luigi on a folder of marks."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._numbers = count()

    def run(self, stages: int, actions: int) -> None:
        """Build the tasks of the last stage, in this process: the fastest of its ways."""
        folder = f"{self._home}/{next(self._numbers)}"
        self._build([Mark(folder, stages - 1, each, actions) for each in range(actions)])

    def many(self, executions: int, stages: int) -> None:
        """Build one after the other."""
        for _ in range(executions):
            self.run(stages, 1)

    def risk(self, effects: Path) -> None:
        """Build in as many processes as there are actions side by side."""
        stages, actions = talk.RISKED
        last = [
            Risky(f"{self._home}/risk", stages - 1, each, actions, str(effects))
            for each in range(actions)
        ]
        self._build(last, workers=actions)

    resume = risk

    def _build(self, tasks: list[Mark], workers: int = 1) -> None:
        if not luigi.build(tasks, local_scheduler=True, workers=workers, log_level="ERROR"):
            raise RuntimeError("Luigi could not build the tasks; its log says why")


@contextmanager
def opened(home: Path) -> Iterator[Luigi]:
    """Use it."""
    yield Luigi(home)


if __name__ == "__main__":
    talk.serve(opened)
