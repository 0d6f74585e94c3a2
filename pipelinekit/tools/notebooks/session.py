"""The talk with one kernel on loan: until it is ready, what it is told, and how it ends."""

import asyncio
import json
import os
import signal
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from queue import Empty
from typing import Any, Final

from jupyter_client.asynchronous.client import AsyncKernelClient

from pipelinekit.tools.notebooks import inside
from pipelinekit.tools.notebooks.kernels import Lease, Place, lend, told_later
from pipelinekit.tools.notebooks.kernelspec import KernelError, Spec
from pipelinekit.tools.notebooks.limits import Caps
from pipelinekit.tools.on_error import on_error

ASK_SECONDS: Final = 0.25
HEAR_SECONDS: Final = 0.05
END_SECONDS: Final = 5.0
SETTLE_SECONDS: Final = 10.0
FIRST_SECONDS: Final = 10.0
"""How long the first kernel may take to answer; one that hangs is seldom followed by another."""

NUDGE_SECONDS: Final = 1.0
"""After how much silence the kernel is asked something else. A kernel of IPython 7 may leave a
request lying until the next one comes: seen once in a few hundred runs on a busy machine."""

INSIDE: Final = Path(inside.__file__).read_text(encoding="utf-8")


class Session:
    """A kernel on loan, and the sockets to it.

    Attributes:
        lease: The kernel.
        client: What Jupyter talks to it with.
        language: What it says of the language that it runs.
    """

    def __init__(self, spec: Spec, lease: Lease) -> None:
        self.spec = spec
        self.lease = lease
        self.client = AsyncKernelClient()
        self.client.load_connection_info(lease.connection)  # type: ignore[arg-type]  # a dict of it
        self.client.allow_stdin = False
        self.client.start_channels(hb=False, stdin=False)
        self.language: Mapping[str, object] = {}

    async def ready(self, seconds: float) -> None:
        """Wait until the kernel answers and its outputs arrive.

        Args:
            seconds: How long.

        Raises:
            KernelError: It died before, or takes longer.
        """
        limit = time.monotonic() + seconds
        while not await self._answers():
            if not self.lease.is_alive():
                raise KernelError(f"the kernel {self.spec.name} did not start: {self._why()}")
            if time.monotonic() > limit:
                raise KernelError(
                    f"the kernel {self.spec.name} did not answer within {seconds:g} seconds; see "
                    f"whether the machine is busy, or allow it more"
                )

    async def settle(self, place: Place, caps: Caps) -> None:
        """Tell a kernel of IPython where it runs, and how much it may put out."""
        if self.spec.is_ipython:
            later = told_later(place.environment)
            told = {name: place.environment[name] for name in later}
            gone = [name for name in ("JPY_PARENT_PID",) if name not in place.environment]
            limits = (caps.kept, caps.most)
            await self.run("settle", str(place.folder), told, gone, limits)

    async def settle_again(self, place: Place) -> None:
        """Tell a kernel that was kept for whom it works now."""
        if self.spec.is_ipython:
            later = told_later(place.environment)
            await self.run("tell", {name: place.environment[name] for name in later})

    async def run(self, function: str, *given: object) -> None:
        """Have a function of `inside` called in the kernel, without a trace in its history.

        Raises:
            KernelError: It failed there, or the kernel died.
        """
        reply = await self._reply(self._call(function, *given))
        if reply["content"]["status"] != "ok":
            # Its traceback would show what it was given, which may be secret.
            raise KernelError(
                f"the kernel {self.spec.name} was to {function} and failed: "
                f"{reply['content'].get('ename')}; see whether its IPython is older than 8"
            )

    async def death(self) -> None:
        """Wait until the kernel is dead."""
        loop, told, line = asyncio.get_running_loop(), asyncio.Event(), self.lease.fileno()
        loop.add_reader(line, told.set)
        try:
            while self.lease.is_alive():
                await told.wait()
        finally:
            loop.remove_reader(line)

    async def interrupt(self) -> bool:
        """Interrupt what the kernel does, and tell whether it has stopped that in time."""
        if self.spec.by_message:
            message = self.client.session.msg("interrupt_request", content={})
            self.client.control_channel.send(message)
        else:
            with suppress(ProcessLookupError):
                os.killpg(self.lease.pid, signal.SIGINT)
        try:
            await asyncio.wait_for(self._reply(self.client.kernel_info()), END_SECONDS)
        except (KernelError, TimeoutError):
            return False
        return True

    def end(self) -> None:
        """Let the kernel end by itself for a moment, as its last files may be unwritten."""
        if not self.lease.is_alive():
            return
        if self.spec.is_ipython:
            self._call("finish")
        else:
            message = self.client.session.msg("shutdown_request", content={"restart": False})
            self.client.control_channel.send(message)
        limit = time.monotonic() + END_SECONDS
        while not self.lease.wait(NUDGE_SECONDS) and time.monotonic() < limit:
            self.nudge()

    def nudge(self) -> None:
        """Ask the kernel something, so that it looks at what it was asked before."""
        self.client.kernel_info()

    def close(self) -> None:
        """Give the kernel back."""
        self.client.stop_channels()
        self.lease.close()

    def _call(self, function: str, *given: object) -> str:
        call = f"{INSIDE}\n{function}(get_ipython(), *json.loads({json.dumps(given)!r}))"
        code = f"exec({call!r}, {{'__name__': 'inside', 'get_ipython': get_ipython}})"
        request: str = self.client.execute(code, silent=True, store_history=False)
        return request

    async def _answers(self) -> bool:
        request = self.client.kernel_info()
        try:
            reply = await self.client.shell_channel.get_msg(timeout=ASK_SECONDS)
            self.language = reply["content"].get("language_info", self.language)
            heard = await self.client.iopub_channel.get_msg(timeout=HEAR_SECONDS)
            while heard["parent_header"].get("msg_id") != request:
                heard = await self.client.iopub_channel.get_msg(timeout=HEAR_SECONDS)
        except Empty:
            return False
        return True

    async def _reply(self, request: str) -> dict[str, Any]:
        while True:
            try:
                reply = await self.client.shell_channel.get_msg(timeout=NUDGE_SECONDS)
            except Empty:
                self.nudge()
                if not self.lease.is_alive():
                    raise KernelError(f"the kernel {self.spec.name} died: {self._why()}") from None
                continue
            if reply["parent_header"].get("msg_id") == request:
                return dict(reply)

    def _why(self) -> str:
        return self.lease.printed or how_ended(self.lease.code)


def how_ended(code: int | None) -> str:
    """Say how a process ended.

    Args:
        code: Its exit code, or a signal's number below zero.
    """
    if code is None:
        return "it does not answer"
    if code == -signal.SIGKILL:
        return "it was killed, perhaps for want of memory"
    return f"it was ended by signal {-code}" if code < 0 else f"it ended with exit code {code}"


async def open_session(spec: Spec, place: Place, caps: Caps, seconds: float) -> Session:
    """Get a kernel that is ready for a notebook.

    Args:
        spec: Which kernel.
        place: Where it runs.
        caps: How much each cell may put out.
        seconds: How long it may take to start.

    Raises:
        KernelError: It does not start.
    """
    try:
        return await _opened(spec, lend(spec, place), place, caps, min(seconds, FIRST_SECONDS))
    except KernelError:  # it may hang, or another process may have taken one of its ports
        return await _opened(spec, lend(spec, place), place, caps, seconds)


async def _opened(spec: Spec, lease: Lease, place: Place, caps: Caps, seconds: float) -> Session:
    session = Session(spec, lease)
    with on_error(session.close):
        try:
            await session.ready(seconds)
            await asyncio.wait_for(session.settle(place, caps), SETTLE_SECONDS)
        except TimeoutError:  # some kernels of ipykernel 7 are deaf from the first request on
            raise KernelError(
                f"the kernel {spec.name} started, and was deaf to what it was told for "
                f"{SETTLE_SECONDS:g} seconds; try again, or install another version of it"
            ) from None
    return session
