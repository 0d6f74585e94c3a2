"""Lets in what is signed by somebody who may call, was signed just now, and is not a replay.

Source: reliability.md 4.3, of which nothing is looked at in a body before its signature is right.
"""

import hashlib
import hmac
import secrets
import threading
from collections.abc import Callable
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from typing import Final

from pipelinekit.endpoint.callers import Caller, Callers
from pipelinekit.model.noun import Noun
from pipelinekit.runtime.clock import now
from pipelinekit.tools.aws.loopback import TARGET, Call, Reply
from pipelinekit.tools.aws.signature import Flaw, Signed, flaw, signed

WITHIN: Final = timedelta(minutes=5)
STAMP: Final = "%Y%m%dT%H%M%SZ"

_MUST: Final = frozenset({"host", "x-amz-date"})
_TOKEN: Final = "x-amz-security-token"  # noqa: S105 - the name of a header
_DIGEST: Final = "x-amz-content-sha256"


class Admitted(Noun):
    """A call that was let in: who made it, and its signature."""

    caller: Caller
    signature: str
    at: datetime


class Gate:
    """Knows who may call.

    Args:
        callers: By access key.
        service: The service that calls are signed for.
        clock: Tells the time, UTC.
    """

    def __init__(
        self, callers: Callers, service: str, clock: Callable[[], datetime] = now
    ) -> None:
        self._callers = callers
        self._service = service
        self._clock = clock
        self._nobody = Caller("", secrets.token_urlsafe(30))

    def admit(self, call: Call, url: str) -> Admitted | Flaw:
        """Say who made a call, or what is wrong with its signature.

        Args:
            call: The call, its body unread.
            url: All of it, as it was asked for.
        """
        said = signed(call.headers)
        if said is None:
            return Flaw.MISSING
        at = _stamp(call.headers.get("x-amz-date", ""))
        # Whoever guesses at access keys learns nothing from how long the answer takes.
        caller = self._callers.get(said.key, self._nobody)
        known = {said.key: caller.secret}
        found = self._loose(said, call, at) or flaw(
            call.method, url, call.headers, call.body, known
        )
        if caller is self._nobody:
            return Flaw.UNKNOWN_KEY
        if found is not None or at is None:
            return found or Flaw.EXPIRED
        return Admitted(caller, said.signature, at)

    def _loose(self, said: Signed, call: Call, at: datetime | None) -> Flaw | None:
        must = _MUST | ({_TOKEN, TARGET} & call.headers.keys())
        if not must <= said.names or not must <= call.headers.keys():
            return Flaw.LOOSE
        if at is None or abs(self._clock() - at) > WITHIN:
            return Flaw.EXPIRED
        if said.service != self._service or said.day != f"{at:%Y%m%d}":
            return Flaw.FOREIGN
        digest = call.headers.get(_DIGEST)
        if digest is not None and not hmac.compare_digest(digest.encode(), _digest(call)):
            return Flaw.ALTERED
        return None


class Replays:
    """What was answered to calls that must not be done twice, as long as their signatures hold.

    Two equal calls of one second have the same signature, and an SDK that lost an answer may send
    one again: who comes second gets the answer of the first, and nothing is done.

    Args:
        clock: Tells the time, UTC.
    """

    def __init__(self, clock: Callable[[], datetime] = now) -> None:
        self._clock = clock
        self._answers: dict[str, Future[Reply]] = {}
        self._older: dict[str, Future[Reply]] = {}
        self._lock = threading.Lock()
        self._born = clock().replace(microsecond=0)
        self._swept = self._born

    def once(
        self,
        admitted: Admitted,
        do: Callable[[], Reply],
        counts: Callable[[Reply], bool] = lambda _: True,
    ) -> Reply | None:
        """Do something for a call, or give what was answered when it was done.

        Args:
            admitted: The call.
            do: Does it.
            counts: Tells by an answer whether something was done that must not be done again.

        Returns:
            The answer; None for a call that was signed before anything was remembered here.
        """
        if admitted.at < self._born:
            return None
        signature = admitted.signature
        with self._lock:
            self._sweep()
            known = self._answers.get(signature) or self._older.get(signature)
            if known is None:
                mine: Future[Reply] = Future()
                self._answers[signature] = mine
        if known is not None:
            return known.result()
        try:
            reply = do()
        except BaseException as error:
            mine.set_exception(error)
            raise
        mine.set_result(reply)
        if not counts(reply):
            with self._lock:
                self._answers.pop(signature, None)
        return reply

    def _sweep(self) -> None:
        present = self._clock()
        if present - self._swept > 2 * WITHIN:  # as long as a signature can hold
            self._older, self._answers = self._answers, {}
            self._swept = present


def _stamp(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, STAMP).replace(tzinfo=UTC)
    except ValueError:
        return None


def _digest(call: Call) -> bytes:
    call.body.seek(0)
    found = hashlib.sha256(call.body.read())
    call.body.seek(0)
    return found.hexdigest().encode()
