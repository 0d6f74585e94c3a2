"""Takes one commit of a repository into a folder: fetched once for all, exported for one."""

import hashlib
import os
import re
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from pipelinekit.tools.git.command import Login, Remote, check_commit, guarded, run, shown
from pipelinekit.tools.git.repository import (
    ANONYMOUS,
    Access,
    Commit,
    GitError,
    GitFault,
    check_url,
    export,
    fetch,
    head,
    no_such_commit,
)

MAX_TITLE: Final = 2048
_ID_LENGTHS: Final = {40, 64}
_SHORTENED = re.compile(r"[0-9a-f]{7,64}")
_SSH_HOST = re.compile(r"(?:[^@:/]+@)?([^@:/]+):")
_PAGES: Final = {
    "github.com": "commit",
    "gitlab.com": "-/commit",
    "bitbucket.org": "commits",
}
# What git needs of the user's to get through a firewall, and to be known over ssh.
_OF_THE_USER: Final = (
    "SSH_AUTH_SOCK",
    "HTTPS_PROXY",
    "https_proxy",
    "NO_PROXY",
    "no_proxy",
    "GIT_SSL_CAINFO",
    "SSL_CERT_FILE",
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which commit of which repository is wanted.

    Attributes:
        url: The repository, as `address` gives it.
        branch: The branch whose last commit is wanted.
        commit: The id of a commit of any branch or tag instead, 7 hexadecimal digits or more.
        token: What the repository's site asks for; unused where the URL is not HTTP.
    """

    url: str
    branch: str
    commit: str | None = None
    token: str = ""


@dataclass(frozen=True, slots=True)
class Checkout:
    """A commit whose files lie in a folder.

    Attributes:
        commit: The commit.
        folder: Its files, without `.git`.
        title: The first line of its message, fit to be shown.
        page: Where people look at it; empty where its host is not known.
    """

    commit: Commit
    folder: Path
    title: str
    page: str


def check_out(wanted: Wanted, cache: Path, beneath: Path, say: Callable[[str], None]) -> Checkout:
    """Fetch a commit and write its files into a new folder.

    Args:
        wanted: The commit.
        cache: The folder of our bare repositories, which may be shared by many at once.
        beneath: Where the new folder is made.
        say: Told in single lines what is looked for, and what was found.

    Raises:
        GitError: As `fetch` and `export` say.
    """
    found = find(wanted, cache, beneath, say)
    folder = Path(tempfile.mkdtemp(prefix="source-", dir=beneath))
    written = export(_bare(wanted, cache), found.commit.id, folder)
    say(f"{written.files} files, {written.size} bytes")
    for path in written.submodules:
        say(f"Submodule {shown(path)} is left out, as CodePipeline does")
    return replace(found, folder=folder)


def find(wanted: Wanted, cache: Path, folder: Path, say: Callable[[str], None]) -> Checkout:
    """Fetch a commit, and write no file.

    Args:
        wanted: The commit.
        cache: The folder of our bare repositories, which may be shared by many at once.
        folder: Where its files are to lie.
        say: Told in single lines what is looked for, and what was found.

    Raises:
        GitError: As `fetch` says.
    """
    say(f"Repository {shown(wanted.url)}, {_what(wanted)}")
    commit = _fetch(wanted, _bare(wanted, cache))
    title = shown(commit.message.strip().partition("\n")[0])[:MAX_TITLE]
    say(f"Commit {commit.id} by {shown(commit.author_name)}: {title}")
    return Checkout(commit, folder, title, page(wanted.url, commit.id))


def seek(wanted: Wanted) -> None:
    """Look whether a repository on this machine has a commit that `find` would fetch.

    Args:
        wanted: The commit; nothing is looked for where its repository is elsewhere.

    Raises:
        GitError: As `fetch` would say.
    """
    remote = check_url(wanted.url)
    if remote.folder is None:
        return
    if wanted.commit is None:
        head(wanted.url, wanted.branch)
        return
    commit = wanted.commit.lower()
    if not _SHORTENED.fullmatch(commit):
        check_commit(commit)
    store = remote.folder / ".git" if remote.is_worked_in else remote.folder
    look = ["for-each-ref", "--count=1", f"--contains={commit}", "refs/heads", "refs/tags"]
    with guarded(ANONYMOUS, remote) as environment:
        code, output, words = run([f"--git-dir={store}", *look], environment, ANONYMOUS.seconds)
    if "not a git repository" in words:
        do = "check that it exists, and that you may read it"
        raise GitError(GitFault.REPOSITORY, f"repository {remote.address}", words, do)
    if code or not output:
        raise _not_found(commit, remote, words)


def clone(wanted: Wanted, origin: str, folder: Path, say: Callable[[str], None]) -> None:
    """Clone a repository with all of its history, and check a commit out.

    Args:
        wanted: The repository, and the full id of the commit.
        origin: What the clone is to take for the address of the repository; no password is in it.
        folder: Where the clone is made; it must not exist.
        say: Told in a single line what is cloned.

    Raises:
        GitError: The repository cannot be read, or no branch or tag leads to the commit.
    """
    commit = check_commit(wanted.commit or "")
    say(f"Clone of {shown(origin)}, commit {commit}")
    git = [f"--git-dir={folder / '.git'}", f"--work-tree={folder}"]
    refs = ["+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*"]
    quietly = ["--quiet", "--no-recurse-submodules", "--no-write-fetch-head"]
    remote = check_url(wanted.url)
    access = _access(wanted)
    with guarded(access, remote) as environment:
        for step in (
            ["init", "--quiet", "--template=", "--", str(folder)],
            [*git, "remote", "add", "--", "origin", origin],
            [*git, "fetch", *quietly, "--end-of-options", remote.address, *refs],
            [*git, "checkout", "--quiet", "--detach", commit, "--"],
        ):
            if words := _failed(step, environment, access.seconds):
                asked = f"a clone of {wanted.url} at commit {commit}"
                do = "check that it can be read, and that a branch or tag leads to the commit"
                raise GitError(GitFault.REPOSITORY, asked, words, do)


def address(url: str, folder: str) -> str:
    """Give the address of a repository, a relative path being taken from a folder.

    Args:
        url: As the user wrote it.
        folder: Where relative paths start.

    Raises:
        GitError: URL, when it is refused.
    """
    remote = check_url(url)
    path = Path(folder, Path(url).expanduser()).absolute()
    is_path = remote.protocol == "file" and "://" not in url
    return str(path.resolve()) if is_path or path.exists() else url


def without_secret(url: str) -> str:
    """Give the address of a repository without the user and password that http may have in it.

    Args:
        url: As `address` gives it.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"https", "http"}:
        return url
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def host(url: str) -> str:
    """Give the name of the machine that a repository is on; empty for this one."""
    if "://" in url:
        return urlsplit(url).hostname or ""
    ssh = _SSH_HOST.match(url)
    return ssh[1] if ssh else ""


def page(url: str, commit: str) -> str:
    """Give the web page of a commit; empty unless the repository is on a host that we know."""
    site = host(url)
    if site not in _PAGES:
        return ""
    path = urlsplit(url).path if "://" in url else url.partition(":")[2]
    repository = path.strip("/").removesuffix(".git")
    return f"https://{site}/{repository}/{_PAGES[site]}/{commit}"


def _failed(arguments: list[str], environment: Mapping[str, str], seconds: float) -> str:
    try:
        code, _, words = run(arguments, environment, seconds)
    except TimeoutError as error:
        return str(error)
    return (words or f"git ended with {code}") if code else ""


def _bare(wanted: Wanted, cache: Path) -> Path:
    return cache / hashlib.sha256(os.fsencode(wanted.url)).hexdigest()[:32]


def _what(wanted: Wanted) -> str:
    return f"commit {shown(wanted.commit)}" if wanted.commit else f"branch {shown(wanted.branch)}"


def _fetch(wanted: Wanted, bare: Path) -> Commit:
    access = _access(wanted)
    if wanted.commit is None:
        return fetch(wanted.url, branch=wanted.branch, into=bare, access=access)
    commit = wanted.commit.lower()
    if len(commit) not in _ID_LENGTHS and _SHORTENED.fullmatch(commit):
        commit = _whole_id(commit, wanted.url, bare, access)
    return fetch(wanted.url, commit=commit, into=bare, access=access)


def _whole_id(shortened: str, url: str, bare: Path, access: Access) -> str:
    # No commit has this id, and so every branch and tag is brought in the search for it.
    with suppress(GitError):
        fetch(url, commit=shortened.ljust(40, "0"), into=bare, access=access)
    look = [f"--git-dir={bare}", "rev-parse", "--verify", f"{shortened}^{{commit}}"]
    with guarded(access) as environment:
        code, output, words = run(look, environment, access.seconds)
    if code == 0:
        return output.strip()
    raise _not_found(shortened, check_url(url), words)


def _not_found(commit: str, remote: Remote, words: str) -> GitError:
    if "ambiguous" not in words:
        return no_such_commit(commit, remote)
    asked, do = f"commit {commit} of {remote.address}", "give more digits of its id"
    return GitError(GitFault.COMMIT, asked, "several commits begin so", do)


def _access(wanted: Wanted) -> Access:
    mine = {name: os.environ[name] for name in _OF_THE_USER if name in os.environ}
    access = Access(environment=mine)
    site = urlsplit(wanted.url)
    if not wanted.token or site.scheme not in {"https", "http"}:
        return access
    if not wanted.token.isascii() or not wanted.token.isprintable():
        do = "write it down again, without line breaks"
        raise GitError(GitFault.URL, f"a token for {wanted.url}", "it is no plain text", do)
    place = f"{site.scheme}://{site.netloc.rpartition('@')[2]}"
    return Login(place, "x-access-token", wanted.token).added_to(access)
