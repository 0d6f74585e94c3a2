"""What a database must be able to do so that a store can lie in it."""

from contextlib import AbstractContextManager
from typing import Protocol

from sqlalchemy import Connection

from pipelinekit.ports.store import Hints, Leases


class Database(Protocol):
    """A database that is open, with all tables as they are to be."""

    @property
    def leases(self) -> Leases | None:
        """Tell who is alive; None where all engines are on one host."""
        ...

    @property
    def hints(self) -> Hints | None:
        """Tell who waits that there is something; None where looking costs next to nothing."""
        ...

    def reading(self) -> AbstractContextManager[Connection]:
        """Give a connection for one question."""
        ...

    def snapshot(self) -> AbstractContextManager[Connection]:
        """Give a connection that sees one moment, however many questions it is asked."""
        ...

    def writing(self) -> AbstractContextManager[Connection]:
        """Give a connection that writes all or nothing, while no other process writes."""
        ...

    def at_once(self, connection: Connection) -> AbstractContextManager[object]:
        """Send all that is written in the block at once; nothing can be read in it."""
        ...

    def wrote(self, connection: Connection) -> None:
        """Let other processes know, with what is being written, that something is."""
        ...

    def hint(self, connection: Connection) -> None:
        """Have engines that wait look, once what is being written is committed."""
        ...

    def version(self) -> int:
        """Give a number that changes whenever another process has written."""
        ...

    def change(self) -> int:
        """Give a number that changes whenever anybody has written."""
        ...

    def close(self) -> None:
        """Close every connection."""
        ...
