"""What a sandbox shows of this machine's files, as options of bubblewrap."""

import os
import pwd
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

from pipelinekit.tools.commands.confinement import entry

SYSTEM: Final = (
    *("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc", "/opt", "/nix"),
    *("/run/current-system", "/sys/devices/system"),
)
FIXED: Final = ("/usr", "/bin", "/sbin", "/etc", "/nix", "/sys", "/dev", "/proc")
CERTIFICATES: Final = (
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
    *("NODE_EXTRA_CA_CERTS", "PIP_CERT", "PIP_CONFIG_FILE"),
)
SETTINGS_OF_PIP: Final = (".config/pip/pip.conf", ".pip/pip.conf")
SIGNS_OF_A_PREFIX: Final = ("lib", "libexec", "versions", "installs", "tools")
# What programs look for beside their `bin`. A project may have one too, so that what else lies
# there (its state, its secrets) is left out.
PARTS_OF_A_PREFIX: Final = (
    *SIGNS_OF_A_PREFIX,
    *("lib64", "include", "share", "pyvenv.cfg"),
    *("shims", "plugins", "version"),  # of pyenv and its kind
)
# Nothing but a toolchain has these, of which every part is needed: conda, Go, the JDK, Maven, gcc.
SIGNS_OF_A_TOOLCHAIN: Final = (
    *("conda-meta", "pkg/tool", "lib/modules", "jre/lib", "boot/plexus-classworlds.license"),
    *("lib/gcc", "lib/googlecloudsdk"),
)
OPEN_TO_ALL: Final = "1777"


class Mount(NamedTuple):
    """One thing in the view; sorted, so that what lies deeper covers what lies above it."""

    depth: int
    rank: int
    words: tuple[str, ...]


def view(
    writable: Sequence[Path],
    readable: Sequence[Path],
    hidden: Sequence[Path],
    scratch: Path | None,
    user: str | None,
) -> list[str]:
    """Give the options that show the system, the programs of the PATH and what is named.

    Args:
        writable: Folders and files that may be changed.
        readable: Folders and files that may be read.
        hidden: Folders that are empty, but for what else is named beneath them.
        scratch: A folder for what is written to `/tmp` and the home; in memory when None.
        user: Whose home it is; this process's user when None.
    """
    programs = _needed(os.environ.get("PATH", ""), tuple(hidden))
    mounts = {
        *_system(),
        *_private(scratch, user),
        *(each for path in hidden if path.is_dir() for each in _empty(path)),
        *(each for path in programs for each in _shown(path)),
        *(each for path in readable for each in _shown(path)),
        *(each for path in writable for each in _shown(path, writable=True)),
        # Also without another user: what is kept of the home may serve one later.
        *_passages([*programs, *readable, *writable]),
    }
    options = [word for mount in sorted(mounts) for word in mount.words]
    return [*options, "--remount-ro", "/"]


def look_anew() -> None:
    """Forget who may read which settings, for a process that lives on while that changes."""
    _closed.cache_clear()


def _system() -> Iterator[Mount]:
    for path in map(Path, SYSTEM):
        if path.is_symlink():
            yield _mount(path, 0, "--symlink", str(path.readlink()), str(path))
        elif path.exists():
            yield _mount(path, 0, "--ro-bind", str(path), str(path))
    resolver = Path("/etc/resolv.conf").resolve()
    if resolver.is_file() and not _is_below(resolver, SYSTEM):
        yield from _shown(resolver)
    yield from _closed()


@cache
def _closed() -> tuple[Mount, ...]:
    # What is not for everyone is still root's own when root has no capabilities.
    return tuple(_closed_below("/etc")) if os.geteuid() == 0 else ()


def _closed_below(folder: str) -> Iterator[Mount]:
    with os.scandir(folder) as entries:
        for each in entries:
            if each.is_symlink():
                continue
            mode = each.stat(follow_symlinks=False).st_mode
            if stat.S_ISDIR(mode) and mode & stat.S_IXOTH:
                yield from _closed_below(each.path)
            elif stat.S_ISDIR(mode):
                yield _mount(Path(each.path), 1, "--tmpfs", each.path)
            elif stat.S_ISREG(mode) and not mode & stat.S_IROTH:
                yield _mount(Path(each.path), 1, "--ro-bind", os.devnull, each.path)


def _private(scratch: Path | None, user: str | None) -> Iterator[Mount]:
    yield from _own(Path("/tmp"), scratch and scratch / "tmp")  # noqa: S108 - a mount of its own
    names = [pwd.getpwuid(os.geteuid()).pw_name, *([user] if user else [])]
    for home in {Path.home(), *(Path(entry(name).pw_dir) for name in names)}:
        if home.is_absolute() and not _is_fixed(home):
            yield from _own(home, scratch and scratch / "home")


def _is_fixed(home: Path) -> bool:
    return any(home.is_relative_to(each) or Path(each).is_relative_to(home) for each in FIXED)


def _own(path: Path, kept: Path | None) -> Iterator[Mount]:
    if kept is None:
        yield from _empty(path)
        return
    kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    kept.mkdir(exist_ok=True)
    kept.chmod(0o1777)  # for whomever the commands become; outside, the folder above is closed
    yield from _shown(path, kept, writable=True, rank=2)


def _passages(paths: Iterable[Path]) -> Iterator[Mount]:
    # Made by the way, as a place to mount on, a folder is closed to everyone else.
    for folder in {above for path in paths for above in path.absolute().parents[:-1]}:
        yield _mount(folder, -1, "--perms", "0755", "--dir", str(folder))


def _needed(search: str, hidden: tuple[Path, ...]) -> Iterable[Path]:
    names = (os.environ.get(name, "") for name in CERTIFICATES)
    files = [*map(Path, filter(None, names)), *(Path.home() / name for name in SETTINGS_OF_PIP)]
    folders = tuple(map(Path, search.split(os.pathsep)))
    programs = _programs(folders, Path.home(), hidden, tuple(map(_changed, folders)))
    return [*programs, *(path for path in files if os.access(path, os.R_OK))]


@cache
def _programs(
    folders: tuple[Path, ...],
    home: Path,
    hidden: tuple[Path, ...],
    changed: tuple[int, ...],  # noqa: ARG001 - with another content, another answer
) -> tuple[Path, ...]:
    found: list[Path] = []
    for folder in folders:
        if _is_below(folder, SYSTEM) or not _can_be_listed(folder):
            continue
        found += _prefix(folder, home, hidden) or [folder]
        for target in _targets(folder):
            if not _is_below(target, (*SYSTEM, *found)) and target.is_file():
                found += _prefix(target.parent, home, hidden) or [target]
    rustup = home / ".rustup"
    return (*found, *([rustup] if _can_be_listed(rustup) else []))


def _changed(folder: Path) -> int:
    with suppress(OSError):
        return folder.stat().st_mtime_ns
    return 0


def _targets(folder: Path) -> list[Path]:
    with os.scandir(folder) as entries:
        return [Path(each.path).resolve() for each in entries if each.is_symlink()]


def _can_be_listed(folder: Path) -> bool:
    return folder.is_absolute() and os.access(folder, os.R_OK | os.X_OK)


def _prefix(folder: Path, home: Path, hidden: Iterable[Path]) -> list[Path]:
    above = folder.parent
    if above == home / ".local":
        return [folder, above / "lib"] if (above / "lib").is_dir() else [folder]
    made = any((above / sign).is_dir() for sign in SIGNS_OF_A_PREFIX)
    if not made or home.is_relative_to(above):
        return []
    whole = any((above / sign).exists() for sign in SIGNS_OF_A_TOOLCHAIN)
    if whole and not any(each.is_relative_to(above.resolve()) for each in hidden):
        return [above]
    return [folder, *(path for part in PARTS_OF_A_PREFIX if (path := above / part).exists())]


def _is_below(path: Path, folders: Iterable[Path | str]) -> bool:
    return any(path.is_relative_to(folder) for folder in folders)


def _shown(
    path: Path, source: Path | None = None, *, writable: bool = False, rank: int | None = None
) -> Iterator[Mount]:
    option, usual = ("--bind", 3) if writable else ("--ro-bind", 2)
    for name in {path.absolute(), path.resolve()}:
        yield _mount(name, usual if rank is None else rank, option, str(source or path), str(name))


def _empty(path: Path) -> Iterator[Mount]:
    for name in {path.absolute(), path.resolve()}:
        yield _mount(name, 1, "--perms", OPEN_TO_ALL, "--tmpfs", str(name))


def _mount(path: Path, rank: int, *words: str) -> Mount:
    return Mount(len(path.parts), rank, words)
