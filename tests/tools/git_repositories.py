"""Makes real git repositories for the tests, good ones and hostile ones."""

import hashlib
import os
import subprocess
import zlib
from pathlib import Path

import pytest

from pipelinekit.tools.git.repository import GitError, GitFault

IDENTITY = {
    "PATH": os.environ["PATH"],
    "GIT_AUTHOR_NAME": "Ada Ünal",
    "GIT_AUTHOR_EMAIL": "ada@example.org",
    "GIT_AUTHOR_DATE": "2024-03-01T10:00:00+0200",
    "GIT_COMMITTER_NAME": "Bob",
    "GIT_COMMITTER_EMAIL": "bob@example.org",
    "GIT_COMMITTER_DATE": "2024-03-02T10:00:00-0500",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
}


def git(folder: Path, *arguments: str, text: str | None = None) -> str:
    done = subprocess.run(
        ["git", *arguments],
        cwd=folder,
        env=IDENTITY,
        check=True,
        capture_output=True,
        input=text,
        text=True,
    )
    return done.stdout.strip()


def commit_file(folder: Path, name: str, text: str, message: str = "change") -> str:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "-m", message)
    return git(folder, "rev-parse", "HEAD")


def fault(code: GitFault, words: str = ".") -> "pytest.RaisesExc[GitError]":
    return pytest.raises(GitError, match=words, check=lambda error: error.code is code)


def tree(folder: Path) -> dict[str, str]:
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_symlink():
            found[name] = f"-> {path.readlink()}"
        elif path.is_file():
            found[name] = path.read_text(encoding="utf-8")
    return found


def store(repository: Path, kind: str, body: bytes) -> str:
    """Put an object into a repository as it is: git itself would refuse most of these."""
    content = f"{kind} {len(body)}\0".encode() + body
    name = hashlib.sha1(content, usedforsecurity=False).hexdigest()
    path = repository / "objects" / name[:2] / name[2:]
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(zlib.compress(content))
    return name


def hostile_commit(repository: Path, *entries: tuple[str, bytes, str]) -> str:
    body = b"".join(
        f"{mode} ".encode() + name + b"\0" + bytes.fromhex(found) for mode, name, found in entries
    )
    tree_id = store(repository, "tree", body)
    line = "A <a@b> 1700000000 +0000"
    text = f"tree {tree_id}\nauthor {line}\ncommitter {line}\n\nevil\n"
    return store(repository, "commit", text.encode())


def new_shop(folder: Path) -> Path:
    folder.mkdir()
    git(folder, "init", "--quiet", "-b", "main")
    commit_file(folder, "app.py", "print(1)\n", "first")
    return folder


def new_bare(folder: Path) -> Path:
    folder.mkdir()
    git(folder, "init", "--quiet", "--bare", "-b", "main")
    return folder
