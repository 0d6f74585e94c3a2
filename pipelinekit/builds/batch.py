"""Carries out a batch: builds in the order of their dependencies, some of them side by side."""

import os
import shutil
import time
from collections.abc import Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from functools import partial
from graphlib import TopologicalSorter
from pathlib import Path
from threading import Event, Lock
from typing import Final

from msgspec.structs import replace

from pipelinekit.builds.batch_artifacts import apart, combined, refuse_outputs
from pipelinekit.builds.build import carry_out, prepare
from pipelinekit.builds.place import foreign_system
from pipelinekit.builds.source import copied
from pipelinekit.builds.task import BuildFailed, Built, Request, Sources
from pipelinekit.model.order import FailureType
from pipelinekit.model.settings import Compute
from pipelinekit.model.testreport import TestReport
from pipelinekit.wire.buildspec import Batch, BatchBuild
from pipelinekit.wire.environment_variables import Variables

AT_ONCE: Final = min(4, max(2, os.cpu_count() or 1))
"""How many builds run side by side at most."""


def carry_out_batch(
    request: Request, sources: Sources, batch: Batch, *, combine: bool = False
) -> Built:
    """Run the builds of a batch, each in a copy of the sources, and gather what they made.

    What a build prints stands in the log behind its identifier. A build that fails fails the
    batch, unless it has `ignore-failure`; with `fast-fail` it also ends the builds that run.

    CHOICE, where the user guide is silent: what follows a failed build is not started, unless its
    failure is ignored; an ignored failure ends no other build; the variables of a build prevail
    over those of the action; a batch gives no variables away, as CodeBuild's `BuildBatch` has
    none.

    Args:
        request: What is asked for, as for a single build.
        sources: The inputs, in which nothing has run.
        batch: The batch of the buildspec.
        combine: Whether the primary artifacts of all builds become one artifact.

    Returns:
        The artifacts by the names that the action gives them.

    Raises:
        BuildFailed: A build failed whose failure counts, an artifact was not made, or the batch
            cannot run here.

    Source:
        The pages on batch builds of the CodeBuild user guide; codepipeline.md 7.7.
    """
    _refuse_foreign(batch.builds)
    refuse_outputs(request.job, batch, combine=combine)
    group = _Group(request, sources, batch)
    group.run()
    group.judge()
    return group.gathered(combine=combine)


class _Stopped(Exception):
    """A build was ended, or not even begun, because another one had failed."""

    def __init__(self, *, begun: bool) -> None:
        super().__init__()
        self.begun = begun


class _Group:
    """The builds of one batch, and what has become of each of them."""

    def __init__(self, request: Request, sources: Sources, batch: Batch) -> None:
        self._built: dict[str, Built] = {}
        self._request = request
        self._sources = sources
        self._fast_fail = batch.fast_fail
        self._builds = {build.identifier: build for build in batch.builds}
        self._width = max(map(len, self._builds))
        self._failed: dict[str, BuildFailed] = {}
        self._stopped: list[str] = []
        self._ended = Event()
        self._log = Lock()

    def run(self) -> None:
        """Run every build whose turn comes."""
        order = TopologicalSorter({name: each.depends_on for name, each in self._builds.items()})
        order.prepare()
        running: dict[Future[Built], str] = {}
        with ThreadPoolExecutor(AT_ONCE, "build") as pool:
            try:
                while order.is_active():
                    ready = () if self._ended.is_set() else order.get_ready()
                    running |= {pool.submit(self._build, name): name for name in ready}
                    if not running:
                        break
                    for future in wait(running, return_when=FIRST_COMPLETED).done:
                        name = running.pop(future)
                        if self._settle(name, future):
                            order.done(name)
            finally:
                self._ended.set()

    def judge(self) -> None:
        """Raise BuildFailed when the batch has failed, saying what became of its builds."""
        counted = [
            name
            for name, build in self._builds.items()
            if name in self._failed and not build.ignore_failure
        ]
        if not counted:
            return
        told = "; ".join(f"{name}: {self._failed[name]}" for name in counted)
        known = {*self._built, *self._failed, *self._stopped}
        left = [name for name in self._builds if name not in known]
        more = "".join(
            f"; {what}: {', '.join(names)}"
            for what, names in (("stopped", self._stopped), ("not started", left))
            if names
        )
        codes = {self._failed[name].code for name in counted}
        raise BuildFailed(
            f"{len(counted)} of the {len(self._builds)} builds of the batch failed: {told}{more}",
            codes.pop() if len(codes) == 1 else FailureType.JOB_FAILED,
            place=self._place,
            reports=self._reports,
        )

    def gathered(self, *, combine: bool) -> Built:
        """Give what the builds have made, as the output artifacts of the action.

        Raises:
            BuildFailed: One of these was not made, or cannot be made of what was.
        """
        try:
            artifacts = (combined if combine else apart)(self._request.job, self._in_order)
        except BuildFailed as failed:
            failed.place, failed.reports = self._place, self._reports
            raise
        return Built(artifacts=artifacts, place=self._place, reports=self._reports)

    @property
    def _place(self) -> str:
        return ", ".join(sorted({each.place for each in self._results if each.place}))

    @property
    def _reports(self) -> tuple[TestReport, ...]:
        return tuple(report for each in self._results for report in each.reports)

    @property
    def _results(self) -> tuple[Built | BuildFailed, ...]:
        return (*self._in_order.values(), *self._failed.values())

    @property
    def _in_order(self) -> dict[str, Built]:
        return {name: self._built[name] for name in self._builds if name in self._built}

    def _settle(self, name: str, future: Future[Built]) -> bool:
        ignored = self._builds[name].ignore_failure
        try:
            self._built[name] = future.result()
        except _Stopped as stopped:
            if stopped.begun:
                self._stopped.append(name)
            return False
        except BuildFailed as failed:
            self._failed[name] = failed
            self._say(name, f"{failed}{'; ignore-failure is set' * ignored}")
            if self._fast_fail and not ignored:
                self._ended.set()
        return name in self._built or ignored

    def _build(self, name: str) -> Built:
        if self._ended.is_set():
            raise _Stopped(begun=False)
        folder = self._request.job.folder / "batch" / name
        self._say(name, "-- build begins --")
        began = time.monotonic()
        came = "failed"
        try:
            sources = copied(self._sources, folder / "sources")
            built = carry_out(prepare(self._asked(name, folder), sources))
            came = "succeeded"
        except BuildFailed:
            if self._ended.is_set():
                came = "was stopped"
                raise _Stopped(begun=True) from None
            raise
        finally:
            shutil.rmtree(folder / "sources", ignore_errors=True)
            self._say(name, f"-- build {came}, {time.monotonic() - began:.1f} s --")
        return built

    def _asked(self, name: str, folder: Path) -> Request:
        build = self._builds[name]
        project = self._request.project
        if build.image:
            compute = replace(project.compute or Compute(), image=build.image)
            project = replace(project, compute=compute)
        return replace(
            self._request,
            project=project,
            buildspec=build.buildspec or self._request.buildspec,
            variables=Variables(build.environment).over(self._request.variables),
            identifier=name,
            folder=folder,
            say=partial(self._say, name),
            ended=self._ended.is_set,
        )

    def _say(self, name: str, text: str) -> None:
        with self._log:
            for line in text.splitlines() or [""]:
                self._request.job.say(f"{name:<{self._width}} | {line}")


def _refuse_foreign(builds: Iterable[BatchBuild]) -> None:
    for build in builds:
        if system := foreign_system(build.type or ""):
            raise BuildFailed(
                f"build {build.identifier} of the batch asks for {build.type}, and {system} does "
                f"not run on this machine; take it out of the batch"
            )
