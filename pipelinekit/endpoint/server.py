"""Serves the endpoint of a kit on an address of this machine."""

import ipaddress
import logging
import socket
import threading
from typing import Final, Self

from pipelinekit.endpoint.app import Endpoint
from pipelinekit.endpoint.callers import Callers
from pipelinekit.kit.kit import Kit
from pipelinekit.model.errors import ValidationError

THREADS: Final = 16
MOST_BODY: Final = 256 * 1024 * 1024
MOST_HEADERS: Final = 64 * 1024
MOST_CONNECTIONS: Final = 512
IDLE_SECONDS: Final = 120
RECEIVED: Final = 64 * 1024
"""Bytes that are read at a time: a large body waits between two reads while calls are answered."""


class Server:
    """A server that answers in threads of its own, until it is closed.

    Args:
        kit: What is asked; it is told its URL.
        callers: Who may call, by access key; None to let everybody on this machine.
        host: The address to listen at.
        port: 0 for a free one.

    Raises:
        ValidationError: The address cannot be listened at, or nobody may listen there without
            callers.
    """

    def __init__(self, kit: Kit, callers: Callers | None, host: str, port: int) -> None:
        from waitress.server import create_server  # noqa: PLC0415 - only who serves needs it

        from pipelinekit.endpoint.connection import Connection  # noqa: PLC0415 - load waitress
        from pipelinekit.endpoint.crew import Crew  # noqa: PLC0415

        if callers is None and not is_loopback(host):
            raise ValidationError(
                f"the API was to be served at {host} to everybody, and others than this machine "
                f"reach that address; leave out --no-auth, or serve at 127.0.0.1"
            )
        logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # that calls wait is no fault
        listening = _listen(host, port)
        self._map: dict[int, object] = {}
        self._crew = Crew(THREADS, together=kit.store.hints is None)
        self._server = create_server(
            Endpoint(kit, callers),
            map=self._map,
            sockets=[listening],
            _dispatcher=self._crew,
            recv_bytes=RECEIVED,
            connection_limit=MOST_CONNECTIONS,
            channel_timeout=IDLE_SECONDS,
            max_request_body_size=MOST_BODY,
            max_request_header_size=MOST_HEADERS,
            clear_untrusted_proxy_headers=False,  # nobody here looks at them
            ident="pipelinekit",
        )
        self._server.channel_class = Connection
        shown = f"[{host}]" if ":" in host else host
        self.url = kit.url = f"http://{shown}:{listening.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, name="pipelinekit-serve", daemon=True)
        self._ending = threading.Event()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Answer what was asked, and nothing more."""
        from waitress import wasyncore  # noqa: PLC0415

        self._ending.set()
        self._server.pull_trigger()
        self._thread.join()
        self._crew.shutdown()
        wasyncore.close_all(self._map)  # by now nobody pulls the trigger, which closes with it

    def _serve(self) -> None:
        from waitress import wasyncore  # noqa: PLC0415

        while not self._ending.is_set():
            known = len(self._map)
            wasyncore.loop(timeout=1.0, map=self._map, count=1)
            while len(self._map) > known:  # one connection is taken at a time: are there more?
                known = len(self._map)
                wasyncore.loop(timeout=0.0, map=self._map, count=1)
            self._crew.begin()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise ValidationError(
            f"the API was to be served at {host}:{port}, and that failed: {error}; choose "
            f"another --port or --host"
        ) from error


def is_loopback(host: str) -> bool:
    """Tell whether only this machine reaches an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
