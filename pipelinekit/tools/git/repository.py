"""Asks a git repository of a stranger for commits: `head`, `fetch` and `export`.

The network is touched by the git command alone, guarded by `git_command`.  GitPython reads the
fields of a commit in our own clone, by its full id, and does nothing else.
"""

import contextlib
import fcntl
import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NoReturn

from pipelinekit.tools.git.command import (
    ANONYMOUS,
    Access,
    GitError,
    GitFault,
    Remote,
    check_branch,
    check_commit,
    check_url,
    guarded,
    run,
    shown,
)
from pipelinekit.tools.git.tree import Export, export

__all__ = [
    "ANONYMOUS",
    "Access",
    "Commit",
    "Export",
    "GitError",
    "GitFault",
    "check_branch",
    "check_url",
    "export",
    "fetch",
    "head",
    "no_such_commit",
]

_BRANCHES_SHOWN: Final = 10
_HEADS: Final = "refs/heads/"
_SIGNS_OF_HOSTILITY: Final = ("fsck error", "error in object", "error in packed object")


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit, as it was made; dates are UTC."""

    id: str
    author_name: str
    author_email: str
    author_date: datetime
    committer_date: datetime
    message: str
    parents: tuple[str, ...]


def head(url: str, branch: str, *, access: Access = ANONYMOUS) -> str:
    """Ask a repository for the id of the last commit of a branch.

    Args:
        url: The repository.
        branch: The branch, without `refs/heads/`.
        access: What git may use of the user's, and its limit of time.

    Raises:
        GitError: URL, BRANCH or REPOSITORY.
    """
    remote = check_url(url)
    with guarded(access, remote) as environment:
        return _Asked(remote, environment, access.seconds).head(check_branch(branch))


def fetch(
    url: str,
    *,
    branch: str | None = None,
    commit: str | None = None,
    into: Path,
    access: Access = ANONYMOUS,
) -> Commit:
    """Bring a bare repository of ours up to date, and read the commit that was asked for.

    Args:
        url: The repository to ask.
        branch: The branch whose last commit is wanted; give this or `commit`.
        commit: The full id of a commit of any branch or tag.
        into: Our bare repository, one for each URL; made where it is missing.
        access: What git may use of the user's, and its limit of time for each call.

    Raises:
        GitError: URL, BRANCH, COMMIT, REPOSITORY, or HOSTILE where git finds an object malformed.
    """
    if (branch is None) == (commit is None):
        raise ValueError("fetch was asked for a branch and a commit, or for neither; give one")
    remote = check_url(url)
    into = into.absolute()
    with _locked(into), guarded(access, remote) as environment:
        asked = _Asked(remote, environment, access.seconds)
        asked.prepare(into)
        if commit is not None:
            found = asked.fetch_commit(check_commit(commit), into)
        else:
            found = asked.fetch_branch(check_branch(branch or ""), into)
        return _read_commit(into, found, environment)


def no_such_commit(commit: str, remote: Remote) -> GitError:
    """Give the error that a commit is not to be had from a repository."""
    asked, found = f"commit {commit} of {remote.address}", "no branch or tag leads to it"
    deed = "put a branch or a tag on it" if remote.is_worked_in else "push it"
    return GitError(GitFault.COMMIT, asked, found, f"{deed}, or check its id")


@dataclass(frozen=True, slots=True)
class _Asked:
    remote: Remote
    environment: Mapping[str, str]
    seconds: float

    def head(self, branch: str) -> str:
        found = self._refs(f"{_HEADS}{branch}").get(f"{_HEADS}{branch}")
        if found is None:
            self._refuse_branch(branch)
        return check_commit(found)

    def prepare(self, into: Path) -> None:
        if not (into / "HEAD").exists():
            self._run(["init", "--quiet", "--bare", "--template=", "--", str(into)], str(into))

    def fetch_branch(self, branch: str, into: Path) -> str:
        # A flat name: `a` and `a/b` can be branches of different days, but not refs of one day
        kept = f"refs/branches/{hashlib.sha256(os.fsencode(branch)).hexdigest()}"
        self.head(branch)
        self._fetch(into, f"+{_HEADS}{branch}:{kept}")
        show = [f"--git-dir={into}", "rev-parse", "--verify", f"{kept}^{{commit}}"]
        return check_commit(self._run(show, str(into)).strip())

    def fetch_commit(self, commit: str, into: Path) -> str:
        if not self._has(commit, into):
            self._fetch(into, "+refs/heads/*:refs/all/heads/*", "+refs/tags/*:refs/all/tags/*")
        if not self._has(commit, into):
            raise no_such_commit(commit, self.remote)
        return commit

    def _has(self, commit: str, into: Path) -> bool:
        code, output, _ = self._git([f"--git-dir={into}", "cat-file", "-t", commit], str(into))
        return code == 0 and output.strip() == "commit"

    def _fetch(self, into: Path, *refs: str) -> None:
        arguments = [f"--git-dir={into}", "fetch", "--quiet", "--no-tags", "--prune"]
        arguments += ["--no-recurse-submodules", "--no-write-fetch-head", "--end-of-options"]
        self._run([*arguments, self.remote.address, *refs], self.remote.address)

    def _refs(self, *patterns: str) -> dict[str, str]:
        arguments = ["ls-remote", "--quiet", "--refs", "--end-of-options", self.remote.address]
        output = self._run([*arguments, *patterns], self.remote.address)
        pairs = (line.partition("\t") for line in output.split("\n"))
        return {ref: commit for commit, _, ref in pairs if ref}

    def _refuse_branch(self, branch: str) -> NoReturn:
        names = [ref.removeprefix(_HEADS) for ref in self._refs(f"{_HEADS}*")]
        few = ", ".join(shown(name) for name in names[:_BRANCHES_SHOWN])
        more = f" and {len(names) - _BRANCHES_SHOWN} more" if len(names) > _BRANCHES_SHOWN else ""
        deed = "commit something first" if self.remote.is_worked_in else "push a first commit"
        do = f"choose one of {few}{more}" if names else f"{deed}: it has no branch yet"
        asked = f"branch {branch} of {self.remote.address}"
        raise GitError(GitFault.BRANCH, asked, "there is no such branch", do)

    def _run(self, arguments: list[str], repository: str) -> str:
        code, output, words = self._git(arguments, repository)
        if code == 0:
            return output
        asked, found = f"repository {repository}", words or f"git ended with {code}"
        if any(sign in words for sign in _SIGNS_OF_HOSTILITY):
            raise GitError(GitFault.HOSTILE, asked, found, "repair it; `git fsck` shows more")
        do = "check that it exists, and that you may read it"
        raise GitError(GitFault.REPOSITORY, asked, found, do)

    def _git(self, arguments: list[str], repository: str) -> tuple[int, str, str]:
        try:
            return run(arguments, self.environment, self.seconds)
        except TimeoutError as error:
            asked, do = f"repository {repository}", "try again, or give it more time"
            raise GitError(GitFault.REPOSITORY, asked, str(error), do) from None


@contextlib.contextmanager
def _locked(into: Path) -> Iterator[None]:
    into.parent.mkdir(parents=True, exist_ok=True)
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    descriptor = os.open(into.with_name(f"{into.name}.lock"), flags, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _read_commit(into: Path, commit: str, environment: Mapping[str, str]) -> Commit:
    import git  # noqa: PLC0415 - slow to load, and needed by none but a fetch

    try:
        with git.Repo(into) as repository:
            repository.git.update_environment(**environment, GIT_DIR=str(into))
            found = repository.commit(commit)
            message = found.message
            return Commit(
                id=found.hexsha,
                author_name=found.author.name or "",
                author_email=found.author.email or "",
                author_date=datetime.fromtimestamp(found.authored_date, UTC),
                committer_date=datetime.fromtimestamp(found.committed_date, UTC),
                message=message
                if isinstance(message, str)
                else message.decode("utf-8", "replace"),
                parents=tuple(parent.hexsha for parent in found.parents),
            )
    except (ValueError, LookupError, OverflowError, OSError) as error:
        asked, do = f"commit {commit}", "make the commit again with a usual date and encoding"
        raise GitError(GitFault.HOSTILE, asked, f"it cannot be read ({error})", do) from None
