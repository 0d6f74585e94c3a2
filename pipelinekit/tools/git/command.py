"""Runs the git command so that no URL, ref or repository of a stranger can run anything else.

No configuration of the machine or the user is read: git sees a settings file made for one call.
It lies in a file, because git takes settings of the command line away from its own children.
"""

import contextlib
import os
import re
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from typing import Final, NoReturn
from urllib.parse import SplitResult, unquote, urlsplit

MAX_URL: Final = 2048
MAX_BRANCH: Final = 244  # a ref is a file name in the repository

_SETTINGS: Final = """\
[core]
\thooksPath = /dev/null
\tfsmonitor = false
[protocol "ext"]
\tallow = never
[transfer]
\tfsckObjects = true
\tbundleURI = false
[fetch]
\trecurseSubmodules = false
[submodule]
\trecurse = false
[gc]
\tautoDetach = false
[maintenance]
\tautoDetach = false
[init]
\tdefaultBranch = main
[credential]
\thelper =
"""
_GUARDS: Final = {
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}
_SSH_LIKE = re.compile(r"(?:(?P<user>[^@:/]+)@)?(?P<host>[^@:/\[\]]+):(?P<path>.+)")
_HOST = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+~-]*")
_ESCAPED_CONTROL = re.compile(r"%(?:[01][0-9a-f]|7f)", re.IGNORECASE)
_BAD_IN_BRANCH = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|\.lock(?:/|$)")
# A password stays in the environment, and goes to the one site that it was given for, even where
# that site redirects to another.
_CREDENTIAL_HELPER: Final = (
    '!f() { test "$1" = get || exit 0; while IFS="=" read -r key value; do case "$key" in '
    'protocol) protocol="$value";; host) host="$value";; esac; done; '
    'test "$protocol://$host" = "$GIT_LOGIN_SITE" && '
    'printf "username=%s\\npassword=%s\\n" "$GIT_LOGIN_USER" "$GIT_LOGIN_PASSWORD"; }; f'
)
_SECRET_IN_URL = re.compile(r"://[^/@\s]*@")


class GitFault(StrEnum):
    """What kind of thing went wrong."""

    REPOSITORY = "REPOSITORY"
    BRANCH = "BRANCH"
    COMMIT = "COMMIT"
    URL = "URL"
    HOSTILE = "HOSTILE"


class GitError(Exception):
    """A repository, branch or commit that cannot be had; `code` says which kind of fault it is."""

    def __init__(self, code: GitFault, asked: str, found: str, do: str) -> None:
        """Keep the kind of fault, and the three parts of the sentence.

        Args:
            code: The kind of fault.
            asked: What was asked for.
            found: What was found.
            do: What to do about it.
        """
        super().__init__(f"{shown(asked)}: {shown(found)}; {do}")
        self.code = code
        self.asked = asked
        self.found = found
        self.do = do

    def __reduce__(self) -> "tuple[type[GitError], tuple[GitFault, str, str, str]]":
        return type(self), (self.code, self.asked, self.found, self.do)


@dataclass(frozen=True, slots=True)
class Access:
    """What git may use of the user: variables such as SSH_AUTH_SOCK, and a credential helper.

    `credential_helper` is a value of git's setting `credential.helper`, and so may be a command:
    it must come from the user, never from a repository.  `seconds` limits each call.
    """

    environment: Mapping[str, str] = field(default_factory=dict)
    credential_helper: str = ""
    seconds: float = 300


ANONYMOUS: Final = Access()


@dataclass(frozen=True, slots=True)
class Login:
    """Who git is at a site of http, and how it proves that."""

    site: str
    user: str
    password: str = field(repr=False)

    def added_to(self, access: Access) -> Access:
        """Let git log in, which learns of it where no other user of the machine can look."""
        mine = {
            "GIT_LOGIN_SITE": self.site,
            "GIT_LOGIN_USER": self.user,
            "GIT_LOGIN_PASSWORD": self.password,
        }
        return replace(
            access,
            environment={**access.environment, **mine},
            credential_helper=_CREDENTIAL_HELPER,
        )


@dataclass(frozen=True, slots=True)
class Remote:
    """A checked address: what git is given, and the one protocol that it may use.

    `login` is what stood in a URL of http; the address is without it, for it is an argument of
    git, which every user of the machine can see.
    """

    address: str
    protocol: str
    login: Login | None = None

    @property
    def folder(self) -> Path | None:
        """Give the folder of a repository on this machine; None for one elsewhere."""
        if self.protocol != "file":
            return None
        return Path(self.address.removeprefix("file://localhost").removeprefix("file://"))

    @property
    def is_worked_in(self) -> bool:
        """Tell whether commits are made in it here, rather than pushed to it."""
        return self.folder is not None and (self.folder / ".git").exists()


def shown(text: str) -> str:
    """Make git's words fit to be shown: no control characters, no password of a URL."""
    lines = "".join(char if char.isprintable() else " " for char in text)
    return _SECRET_IN_URL.sub("://***@", lines).strip()


def check_url(url: str) -> Remote:
    """Accept the address of a repository, or refuse it.

    Accepted are `https://`, `ssh://`, `user@host:path`, `file://`, a path on this machine, and
    `http://` to this machine.

    Args:
        url: The address, as the user wrote it.

    Raises:
        GitError: URL, when it is of another kind, or could be taken for an option or a command.
    """
    if not url or len(url) > MAX_URL or url != url.strip() or not url.isprintable():
        _refuse(url, "it is empty, too long, or has control characters or outer spaces")
    if url.startswith("-") or re.match(r"[A-Za-z0-9+.-]*::", url):
        _refuse(url, "it would be taken for an option or a command")
    if "://" in url:
        return _checked_parts(url)
    ssh = _SSH_LIKE.fullmatch(url)
    if ssh:
        user, host, path = ssh["user"], ssh["host"], ssh["path"]
        if not _HOST.fullmatch(host) or (user and not _USER.fullmatch(user)) or path[0] == "-":
            _refuse(url, "its user, host or path has characters that do not belong there")
        return Remote(url, "ssh")
    try:
        return Remote(str(Path(url).expanduser().absolute()), "file")
    except RuntimeError:
        _refuse(url, "there is no such user")


def check_branch(branch: str) -> str:
    """Accept the name of a branch by the rules of `git check-ref-format`, or refuse it.

    Args:
        branch: The name, without `refs/heads/`.

    Raises:
        GitError: BRANCH, when no branch can have this name.
    """
    is_bad = (
        not branch
        or len(os.fsencode(branch)) > MAX_BRANCH
        or branch in {"@", "HEAD"}
        or branch[0] in "-./"
        or branch[-1] in "./"
        or _BAD_IN_BRANCH.search(branch)
    )
    if is_bad:
        do = "give the name of a branch, without refs/heads/"
        raise GitError(GitFault.BRANCH, f"branch {branch!r}", "no branch can have this name", do)
    return branch


def check_commit(commit: str) -> str:
    """Accept a full commit id, and give it in lower case, or refuse it.

    Raises:
        GitError: COMMIT, when it is not 40 (or 64) hexadecimal digits.
    """
    if not re.fullmatch(r"[0-9a-fA-F]{40}(?:[0-9a-fA-F]{24})?", commit):
        found, do = "it is no full commit id", "give all 40 hexadecimal digits"
        raise GitError(GitFault.COMMIT, f"commit {commit[:80]!r}", found, do)
    return commit.lower()


@contextlib.contextmanager
def guarded(access: Access, remote: Remote | None = None) -> Iterator[dict[str, str]]:
    """Give the environment in which git is safe, with a home of its own while the block lasts.

    Args:
        access: What of the user's it may use.
        remote: The only repository that it may ask; None where it must ask none.
    """
    # Without a password the name may be a token itself, or go with the token that is given.
    if remote and (login := remote.login) and (login.password or not access.credential_helper):
        access = login.added_to(access)
    with tempfile.TemporaryDirectory(prefix="git-") as name:
        home = Path(name).resolve()
        settings = home / "settings"
        settings.write_text(_settings(access, remote), encoding="utf-8")
        yield {
            "PATH": os.environ.get("PATH", os.defpath),
            "GIT_SSH_COMMAND": "ssh -o BatchMode=yes",
            **access.environment,
            **_GUARDS,
            "GIT_ALLOW_PROTOCOL": remote.protocol if remote else "",
            "GIT_CEILING_DIRECTORIES": str(home.parent),
            "GIT_CONFIG_GLOBAL": str(settings),
            "HOME": str(home),
        }


def run(
    arguments: list[str], environment: Mapping[str, str], seconds: float
) -> tuple[int, str, str]:
    """Run git in its own process group, and give its exit code, output and last words.

    Args:
        arguments: What follows `git`.
        environment: One of `guarded`.
        seconds: The limit; when it is over, the whole group is killed.

    Raises:
        TimeoutError: The limit was over.
    """
    process = start(arguments, environment)
    try:
        output, words = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        raise TimeoutError(f"git gave no answer within {seconds:g} seconds") from None
    finally:
        stop(process)
    return process.returncode, os.fsdecode(output), last_words(words)


def start(arguments: list[str], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start git in its own process group, with a pipe to each of its three streams."""
    return subprocess.Popen(
        ["git", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=environment["HOME"],
        env=environment,
        start_new_session=True,
    )


def stop(process: subprocess.Popen[bytes]) -> None:
    """Kill git's process group if git still runs, and close its pipes."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        with contextlib.suppress(BrokenPipeError):
            if pipe is not None:
                pipe.close()


def last_words(stderr: bytes, lines: int = 6) -> str:
    """Give the last lines that git wrote, as one line."""
    told = [line.strip() for line in stderr.decode("utf-8", "replace").splitlines()]
    kept = [line for line in told if line and not line.startswith("hint:")]
    return shown(" | ".join(kept[-lines:]))[-1000:]


def _refuse(url: str, found: str) -> NoReturn:
    do = "give an https, ssh or file address, or a path on this machine"
    raise GitError(GitFault.URL, f"repository {url[:200]!r}", found, do)


def _checked_parts(url: str) -> Remote:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        _refuse(url, "it cannot be read as a URL")
    host = parts.hostname or ""
    if parts.scheme == "file":
        if host not in {"", "localhost"} or not parts.path.startswith("/"):
            _refuse(url, "a file address needs a whole path")
        return Remote(url, "file")
    if parts.scheme not in {"https", "http", "ssh"}:
        _refuse(url, f"the protocol {parts.scheme[:20]!r} is not allowed")
    if parts.scheme == "http" and not _is_this_machine(host):
        _refuse(url, "http is not encrypted, and allowed to this machine only")
    if not _is_host(host) or port == 0 or not _is_clean(parts) or _ESCAPED_CONTROL.search(url):
        _refuse(url, "its user, host or path has characters that do not belong there")
    if parts.scheme == "ssh":
        return Remote(url, "ssh")
    return _without_login(parts)


def _without_login(parts: SplitResult) -> Remote:
    host = parts.netloc.rpartition("@")[2]
    address = parts._replace(netloc=host).geturl()
    if parts.username is None:
        return Remote(address, parts.scheme)
    user, password = unquote(parts.username), unquote(parts.password or "")
    return Remote(address, parts.scheme, Login(f"{parts.scheme}://{host}", user, password))


def _is_clean(parts: SplitResult) -> bool:
    user = parts.username
    is_user = user is None or (user != "" and not user.startswith("-"))
    if parts.scheme == "ssh" and user is not None:
        is_user = bool(_USER.fullmatch(user))
    return is_user and not parts.path.lstrip("/").startswith("-") and " " not in parts.netloc


def _is_host(host: str) -> bool:
    if ":" not in host:
        return bool(_HOST.fullmatch(host))
    try:
        return bool(ip_address(host))
    except ValueError:
        return False


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _settings(access: Access, remote: Remote | None) -> str:
    extra = ""
    if access.credential_helper:
        extra += f"[credential]\n\thelper = {_quoted(access.credential_helper)}\n"
    if remote is not None and (folder := remote.folder) is not None:
        real = os.path.realpath(folder)
        trusted = {str(folder), real, real.removesuffix("/.git"), f"{real}/.git"}
        extra += "[safe]\n" + "".join(f"\tdirectory = {_quoted(path)}\n" for path in trusted)
    return _SETTINGS + extra


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
