"""What is special about SQLite: its settings, and the traps that they avoid.

- WAL and `synchronous=FULL`: an acknowledged commit survives a power loss.
- `BEGIN IMMEDIATE`: a transaction that reads first and writes later would fail at once with
  SQLITE_BUSY_SNAPSHOT, whatever the busy timeout.
- Before 3.51.3 two processes that write and checkpoint at the same moment may corrupt the file:
  writers then share a lock that a checkpoint takes alone.
- Network file systems have no shared memory for the WAL: they are refused.
"""

import fcntl
import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import (
    AbstractContextManager,
    ExitStack,
    contextmanager,
    nullcontext,
    suppress,
)
from pathlib import Path
from typing import Any, ClassVar, Final

from pipelinekit.model.errors import StoreError
from pipelinekit.ports.store import Hints, Leases
from pipelinekit.store.database import COUNTER, MOMENT, NONE, Connection, Types, Value, Values
from pipelinekit.store.failures import MEND, damaged, is_busy, reason
from pipelinekit.store.migrations import CURRENT, NEEDS, migrate, refuse_newer, version_of
from pipelinekit.tools.on_error import on_error

SAFE_VERSION = (3, 51, 3)
BUSY_SECONDS = 5.0
AGAIN_SECONDS = 0.0002
"""How long the write lock is waited for, and how often it is tried: others commit in less than
the milliseconds, more each time, that SQLite would sleep in between."""

STATEMENTS = 512
"""How many statements a connection keeps as SQLite has prepared them."""

CHECKPOINT_EVERY, CHECKPOINT_ROWS = 1_000, 20_000
"""After how many commits, or changed rows, the write-ahead log is moved into the file."""

MOMENT_SECONDS = 0.002
"""How long a look at the file counts; each look lets every other thread go first."""

READERS = 3
"""How many connections are kept for the next question."""

READING, WRITING = "BEGIN", "BEGIN IMMEDIATE"
SETTINGS: Final = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "trusted_schema=OFF",
    f"wal_autocheckpoint={0 if sqlite3.sqlite_version_info < SAFE_VERSION else 1000}",
)
NETWORK = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "afs"})


class File:
    """A connection to a SQLite file; see `store.database.Connection`.

    Attributes:
        handle: The driver's own.
    """

    types: ClassVar[Types] = {COUNTER: "INTEGER", MOMENT: "DATETIME"}

    def __init__(self, handle: sqlite3.Connection) -> None:
        self.handle = handle

    def rows(self, sql: str, values: Values = NONE) -> Sequence[tuple[Any, ...]]:
        """Give all rows of an answer."""
        return self.handle.execute(sql, values).fetchall()

    def each(self, sql: str) -> Iterator[tuple[Any, ...]]:
        """Go through the rows of an answer that may be too many for the memory."""
        return self.handle.execute(sql)

    def run(self, sql: str, values: Values = NONE) -> int:
        """Run a statement, and tell how many rows it met."""
        return self.handle.execute(sql, values).rowcount

    def run_many(self, sql: str, rows: Sequence[Sequence[Value]]) -> int:
        """Run a statement for each of some rows, and tell how many rows of the table it met."""
        return self.handle.executemany(sql, rows).rowcount

    def columns(self, table: str) -> Sequence[str]:
        """Name the columns of a table; none where there is no such table."""
        return [name for _, name, *_ in self.rows(f"PRAGMA table_info({table})")]

    @contextmanager
    def transaction(self, begin: str) -> Iterator[None]:
        """Do all that the block does, or nothing.

        Args:
            begin: What begins it.
        """
        with on_error(self.handle.rollback):
            self._begin(begin)  # in here, since an interrupt may come right after it
            yield
            self.handle.commit()

    def _begin(self, begin: str) -> None:
        limit = time.monotonic() + BUSY_SECONDS
        while True:
            try:
                self.handle.execute(begin)
            except sqlite3.OperationalError as error:
                if not is_busy(error) or time.monotonic() > limit:
                    raise
            else:
                return
            time.sleep(AGAIN_SECONDS)


class SQLite:
    """A SQLite file, made if it is missing; see `store.database.Database`.

    Raises:
        StoreError: It cannot be opened.
    """

    leases: Leases | None = None
    hints: Hints | None = None

    def __init__(self, path: Path) -> None:
        _refuse_network(path)
        self._path = path
        try:
            with opening(path):
                self._writer = connect(path)
                with on_error(self._writer.handle.close):
                    _bring_up_to_date(self._writer)
                    self._writer.run("PRAGMA busy_timeout=0")  # the lock is waited for otherwise
        except (sqlite3.Error, OSError) as error:
            raise unopened(path, error) from error
        self._readers: list[File] = []
        self._gate = Gate(path)
        self._same = SameFile(path)
        self._watch = Watch(path)

    @contextmanager
    def reading(self) -> Iterator[File]:
        """Give a connection that asks one question."""
        self._same.check()
        try:
            connection = self._readers.pop()
        except IndexError:  # to make one costs more than a question
            connection = connect(self._path)
        with ExitStack() as stack:
            stack.callback(connection.handle.close)
            yield connection
            if len(self._readers) < READERS:
                stack.pop_all()
                self._readers.append(connection)

    @contextmanager
    def snapshot(self) -> Iterator[File]:
        """Give a connection that reads from one snapshot."""
        with self.reading() as connection, connection.transaction(READING):
            yield connection

    @contextmanager
    def writing(self) -> Iterator[File]:
        """Give the one connection that writes; it holds the file's write lock."""
        self._same.check()
        with self._gate.shared(), self._writer.transaction(WRITING):
            refuse_newer(*self._writer.handle.execute(NEEDS).fetchone())
            yield self._writer
        self._gate.checkpoint(self._writer.handle)

    def at_once(self, connection: Connection) -> AbstractContextManager[None]:
        """Do nothing: there is no way to a server that could be saved."""
        del connection
        return nullcontext()

    def wrote(self, connection: Connection) -> None:
        """Do nothing: SQLite itself lets the others know."""

    def hint(self, connection: Connection) -> None:
        """Do nothing: engines look at the file, which costs next to nothing."""

    def version(self) -> int:
        """Give the number that SQLite changes when another connection has written."""
        return _data_version(self._writer.handle)

    def change(self) -> int:
        """Give the number that a connection sees which never writes."""
        self._same.check()
        return self._watch.number()

    def close(self) -> None:
        """Close every connection."""
        while self._readers:  # nobody is to find one that is closed
            self._readers.pop().handle.close()
        self._writer.handle.close()
        self._watch.close()
        self._gate.close()


def _bring_up_to_date(file: File) -> None:
    if version_of(file) == CURRENT:  # so that whoever only looks waits for nobody who writes
        return
    with file.transaction(WRITING):
        migrate(file)


def connect(path: Path) -> File:
    """Open a SQLite file, made if it is missing.

    Raises:
        sqlite3.Error: It cannot be opened.
    """
    handle = sqlite3.connect(
        path,
        timeout=BUSY_SECONDS,
        isolation_level=None,  # transactions are begun by us
        check_same_thread=False,
        cached_statements=STATEMENTS,
    )
    with on_error(handle.close):
        for setting in SETTINGS:
            handle.execute(f"PRAGMA {setting}")
    return File(handle)


def _refuse_network(path: Path) -> None:
    kind = file_system(path.parent)
    if kind in NETWORK:
        raise StoreError(
            f"the store {path} lies on a {kind} file system, where SQLite's write-ahead log is "
            f"not safe; set PIPELINEKIT_HOME to a folder of a local disk"
        )


def file_system(folder: Path, table: Path = Path("/proc/self/mountinfo")) -> str:
    """Name the type of the file system that a folder lies on; empty where that is unknown."""
    if not table.exists():
        return ""
    found, longest, place = "", -1, folder.resolve()
    for line in table.read_text(encoding="utf-8").splitlines():
        fields, _, rest = line.partition(" - ")
        mount = Path(fields.split()[4].replace("\\040", " "))
        if place.is_relative_to(mount) and len(mount.parts) > longest:
            found, longest = rest.split()[0], len(mount.parts)
    return found


@contextmanager
def opening(path: Path) -> Iterator[None]:
    """Let one process at a time open a file; making it a WAL file waits for nobody by itself."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with path.with_name(path.name + ".opening").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        # For this user alone, which the log beside it takes over. A file that is there is not
        # opened here: to close it would end the locks that this process may have on it.
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        yield


class Gate:
    """Keeps a checkpoint apart from the writers of other processes, where SQLite needs that."""

    def __init__(self, path: Path) -> None:
        self._needed = sqlite3.sqlite_version_info < SAFE_VERSION
        self._file = path.with_name(path.name + ".checkpoint").open("w") if self._needed else None
        self._commits = 0
        self._rows = 0

    @contextmanager
    def shared(self) -> Iterator[None]:
        """Hold off checkpoints of other processes while this one commits."""
        if self._file is None:
            yield
            return
        fcntl.flock(self._file, fcntl.LOCK_SH)
        try:
            yield
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def checkpoint(self, connection: sqlite3.Connection) -> None:
        """Now and then move the write-ahead log into the file, alone.

        What was committed is safe in the log, so that a failure matters to nobody: the next
        commit tries again.
        """
        self._commits += 1
        rows = connection.total_changes - self._rows
        if self._file is None or (self._commits < CHECKPOINT_EVERY and rows < CHECKPOINT_ROWS):
            return
        fcntl.flock(self._file, fcntl.LOCK_EX)
        try:
            with suppress(sqlite3.Error):
                connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
                self._commits = 0
                self._rows = connection.total_changes
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def close(self) -> None:
        """Let go of the lock's file."""
        if self._file is not None:
            self._file.close()


class Watch:
    """Sees the commits of everybody, since its own connection makes none."""

    def __init__(self, path: Path) -> None:
        self._handle = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._lock = threading.Lock()

    def number(self) -> int:
        """Give a number that changes with each commit."""
        with self._lock:
            return _data_version(self._handle)

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._handle.close()


class SameFile:
    """Notices that the store's file was replaced, or that the process was forked."""

    def __init__(self, path: Path) -> None:
        self._path, self._pid, self._inode = path, os.getpid(), path.stat().st_ino
        self._seen = time.monotonic()

    def check(self) -> None:
        """Raise StoreError where the open handle no longer means the file of that name."""
        if os.getpid() != self._pid:
            raise StoreError(
                "the store was opened before this process was forked off; open a Kit of its own "
                "in the child process"
            )
        present = time.monotonic()
        if present - self._seen < MOMENT_SECONDS:
            return
        try:
            inode = self._path.stat().st_ino
        except FileNotFoundError:
            inode = -1
        if inode != self._inode:
            raise StoreError(
                f"the store {self._path} was deleted or replaced while it was open; close this "
                f"Kit and open a new one"
            )
        self._seen = present


def unopened(path: Path, error: Exception) -> StoreError:
    """Say that a file cannot be opened, why, and what to do."""
    if damaged(error):
        return StoreError(
            f"the store {path} was to be opened, and that file is no database of pipelinekit, or "
            f"no longer: {reason(error)}; {MEND}"
        )
    return StoreError(
        f"the store {path} cannot be opened: {reason(error)}; look whether the folder can be "
        f"written and the disk has space, or choose another one with --home or PIPELINEKIT_HOME"
    )


def _data_version(handle: sqlite3.Connection) -> int:
    return int(handle.execute("PRAGMA data_version").fetchone()[0])
