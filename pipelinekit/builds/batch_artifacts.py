"""The artifacts of a batch: by the names of its builds, or all of them in one."""

import filecmp
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from pipelinekit.builds.task import BuildFailed, Built
from pipelinekit.model.order import FailureType
from pipelinekit.ports.provider import Job
from pipelinekit.tools.globs import Selection, stage
from pipelinekit.wire.buildspec import Batch


def refuse_outputs(job: Job, batch: Batch, *, combine: bool) -> None:
    """Refuse an action whose output artifacts cannot come from its batch.

    Args:
        job: The attempt of the action.
        batch: Its builds.
        combine: Whether their artifacts become one.

    Raises:
        BuildFailed: There are several for combined artifacts, or one is named after no build.
    """
    names = [output.name for output in job.order.outputs]
    if combine and len(names) > 1:
        raise BuildFailed(
            f"the artifacts of the batch are to be combined, which makes one, and the action "
            f"writes {', '.join(names)}; keep one of them, or take CombineArtifacts out"
        )
    builds = [build.identifier for build in batch.builds]
    for name in () if combine else names:
        if not any(name == build or name.startswith(f"{build}_") for build in builds):
            raise BuildFailed(
                f"the action is to write {name}, and the builds of its batch are "
                f"{', '.join(builds)}; name an output artifact after a build, as in {builds[0]}, "
                f"or after a secondary artifact of one, as in {builds[0]}_docs, or set "
                f"CombineArtifacts"
            )


def apart(job: Job, built: Mapping[str, Built]) -> dict[str, Path]:
    """Find the folder of each output artifact: `build` or `build_secondary` is its name.

    Args:
        job: The attempt of the action.
        built: What each build has made, by its identifier.

    Raises:
        BuildFailed: No build has made one of them.

    Source:
        The CodePipeline samples of the CodeBuild user guide, batch build with individual
        artifacts.
    """
    made = {
        f"{name}_{artifact}" if artifact else name: folder
        for name, each in built.items()
        for artifact, folder in each.artifacts.items()
    }
    names = [output.name for output in job.order.outputs]
    absent = [name for name in names if name not in made]
    if absent:
        raise BuildFailed(
            f"the action is to write {', '.join(absent)}, and the builds have made "
            f"{', '.join(made) or 'no artifacts'}; list its files in the buildspec of its build",
            FailureType.JOB_FAILED,
        )
    return {name: made[name] for name in names}


def combined(job: Job, built: Mapping[str, Built]) -> dict[str, Path]:
    """Put the primary artifacts of all builds into one folder, for the one output artifact.

    CHOICE: the user guide does not say what becomes of a file that two builds have made. It is
    taken once where both are the same, and refused where they are not.

    Args:
        job: The attempt of the action.
        built: What each build has made, by its identifier.

    Raises:
        BuildFailed: Two builds have made different files of one name, or none has made any.

    Source:
        The CodePipeline samples of the CodeBuild user guide, batch build with combined artifacts.
    """
    if not job.order.outputs:
        return {}
    name = job.order.outputs[0].name
    files = _put_together(name, built)
    if not files:
        raise BuildFailed(
            f"the action is to write {name}, and no build has made a primary artifact; list its "
            f"files in the buildspec, under artifacts",
            FailureType.JOB_FAILED,
        )
    folder = job.folder / "combined"
    stage(Selection(files), folder)
    return {name: folder}


def _put_together(name: str, built: Mapping[str, Built]) -> dict[str, Path]:
    files: dict[str, Path] = {}
    makers: dict[str, str] = {}
    for build, relative, path in _primary_files(built):
        other = _in_the_way(relative, files)
        if other is None:
            files[relative] = path
            makers[relative] = build
        elif other != relative or not _is_same(path, files[relative]):
            raise BuildFailed(
                f"the builds {makers[other]} and {build} have each made {relative}, which differ, "
                f"and artifact {name} can hold only one; give them names of their own, or take "
                f"CombineArtifacts out",
                FailureType.JOB_FAILED,
            )
    return files


def _primary_files(built: Mapping[str, Built]) -> Iterator[tuple[str, str, Path]]:
    for build, each in built.items():
        if (folder := each.artifacts.get("")) is None:
            continue
        for path in sorted(folder.rglob("*")):
            if path.is_symlink() or not path.is_dir():
                yield build, path.relative_to(folder).as_posix(), path


def _in_the_way(relative: str, files: Mapping[str, Path]) -> str | None:
    above = (str(parent) for parent in PurePosixPath(relative).parents)
    below = (each for each in files if each.startswith(f"{relative}/"))
    return next((each for each in (relative, *above, *below) if each in files), None)


def _is_same(one: Path, other: Path) -> bool:
    if one.is_symlink() or other.is_symlink():
        return one.is_symlink() and other.is_symlink() and one.readlink() == other.readlink()
    return filecmp.cmp(one, other, shallow=False)
