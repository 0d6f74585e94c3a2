"""A connection of the server, which sends the head of an answer together with its body."""

from waitress.channel import HTTPChannel
from waitress.task import WSGITask


class Answer(WSGITask):  # type: ignore[misc]  # waitress has no types
    """An answer to a request; waitress itself sends its head in a packet of its own."""

    def build_response_header(self) -> bytes:
        """Leave the head to the connection, until the body begins or there is none."""
        self.channel.head = super().build_response_header()
        return b""

    def finish(self) -> None:
        """Send what is left."""
        super().finish()
        self.channel.send_head()


class Connection(HTTPChannel):  # type: ignore[misc]  # waitress has no types
    """A connection.

    Attributes:
        head: What goes out before whatever is sent next.
    """

    task_class = Answer
    head = b""

    def write_soon(self, data: bytes) -> int:
        """Send a part of an answer, and before it what has to go out first."""
        if not data:
            return 0
        head, self.head = self.head, b""
        return int(super().write_soon(head + data))

    def send_head(self) -> None:
        """Send the head of an answer that has no body."""
        head, self.head = self.head, b""
        self.write_soon(head)
