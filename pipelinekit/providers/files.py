"""Source/Custom/Files: the files of a folder, as they lie there."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pipelinekit.model.action import Action
from pipelinekit.model.execution import Revision
from pipelinekit.model.order import Failed, FailureType, Outcome, Succeeded
from pipelinekit.model.settings import Settings
from pipelinekit.ports.provider import Job, Key, Traits, provider
from pipelinekit.tools.git.working_tree import Head, Taken, TreeError, head, take

VARIABLES = frozenset({"Changed", "CommitId", "FileCount"})
TREE = "tree"


class _Patterns:
    def write(self, value: object) -> str:
        return value if isinstance(value, str) else "\n".join(map(str, _sequence(value)))

    def read(self, text: str) -> object:
        return [line.strip() for line in text.splitlines() if line.strip()]


def _sequence(value: object) -> Sequence[object]:
    if not isinstance(value, Sequence):
        raise TypeError(f"patterns is {value!r}; give a list of patterns")
    return value


def _check(action: Action, settings: Settings) -> str | None:
    folder = Path(settings.folder, action.configuration.get("Folder", "."))
    return None if folder.is_dir() else f"{folder} is no folder; correct Folder"


@provider(Traits.source("Files", variables=VARIABLES, check=_check))
def files(
    job: Job,
    folder: str = ".",
    patterns: Annotated[Sequence[str] | None, Key("Patterns", form=_Patterns())] = None,
    *,
    besides: str | None = None,
) -> Outcome:
    """Take the files of a folder of this machine, committed or not.

    In a git repository these are the files that git knows or would add, elsewhere those whose
    names do not begin with a dot. The revision is the commit; where something is not as it was
    committed, a digest of the files follows it after `+`. Nobody else can take these files: a
    source such as `git` is what others can repeat.

    Args:
        job: What is to be done.
        folder: A path; a relative one starts from the project.
        patterns: Which files are taken instead, such as `report.ipynb` or `data/**/*.csv`.
        besides: A folder in it that is left out, where something writes its results.
    """
    root = Path(job.settings.folder, folder)
    if job.order.revision is not None:
        return _refused(
            f"revision {job.order.revision} of {root} was asked for, and files are taken as they "
            f"lie there; leave the revision out, or take them from git"
        )
    try:
        at = head(root, besides or "")
        taken = take(root, job.folder / TREE, patterns or (), besides or "")
    except TreeError as error:
        return _refused(str(error))
    for name in taken.left_out:
        job.say(f"{name} is left out: it is no file, or a link out of the folder")
    job.write(job.folder / TREE)
    revision = _revision(root, at, taken)
    job.say(f"{taken.files} files, {taken.size} bytes, {revision.id}: {revision.summary}")
    variables = _variables(at, taken)
    return Succeeded(variables, revision.summary, external_id=revision.id, revision=revision)


def _revision(root: Path, at: Head | None, taken: Taken) -> Revision:
    if at is None:
        return Revision(taken.digest, f"{taken.files} files of {root.resolve().name}")
    own = f"+{taken.digest[:12]}" if at.changed else ""
    title = f"{at.title}{', with changes that are not committed' if at.changed else ''}"
    authors = (at.author_name, at.author_email)
    return Revision(f"{at.commit}{own}", title, created=at.date, authors=authors)


def _variables(at: Head | None, taken: Taken) -> dict[str, str]:
    return {
        "Changed": "true" if at is None or at.changed else "false",
        "CommitId": at.commit if at else "",
        "FileCount": str(taken.files),
    }


def _refused(why: str) -> Failed:
    return Failed(why, code=FailureType.REVISION_UNAVAILABLE)
