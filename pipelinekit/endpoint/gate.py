"""Lets in what is signed by somebody who may call, was signed just now, and is not a replay.

Source: reliability.md 4.3, of which nothing is looked at in a body before its signature is right.
"""

import hmac
import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

from pipelinekit.endpoint.callers import Caller, Callers
from pipelinekit.model.noun import Noun
from pipelinekit.runtime.clock import now
from pipelinekit.tools.aws.loopback import TARGET, Call
from pipelinekit.tools.aws.signature import Flaw, Signed, digest_of, flaw, signed

WITHIN: Final = timedelta(minutes=5)
STAMP: Final = "%Y%m%dT%H%M%SZ"
TOKEN: Final = "x-amz-security-token"  # noqa: S105 - the name of a header

_MUST: Final = frozenset({"host", "x-amz-date"})
_DIGEST: Final = "x-amz-content-sha256"
_OF_NO_DIGEST: Final = ("UNSIGNED-PAYLOAD", "STREAMING-")
_INVOCATION: Final = "amz-sdk-invocation-id"


class Scope(Noun):
    """What signatures have to be for to hold here and now.

    Attributes:
        service: The service, such as `s3`.
        secrets: The secret key for each access key that is accepted.
        present: The time, UTC.
    """

    service: str
    secrets: Mapping[str, str]
    present: datetime


class Admitted(Noun):
    """A call that was let in.

    Attributes:
        caller: Who made it.
        signature: Its signature.
        at: When it was signed, UTC, by the caller's clock.
        attempt_of: The id that an SDK gives to all attempts at one call; no signature covers it.
    """

    caller: Caller
    signature: str
    at: datetime
    attempt_of: str = ""


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
        # Whoever guesses at access keys learns nothing from how long the answer takes.
        caller = self._callers.get(said.key, self._nobody)
        scope = Scope(self._service, {said.key: caller.secret}, self._clock())
        found = flaw_within(scope, call, url)
        if caller is self._nobody:
            return Flaw.UNKNOWN_KEY
        at = _signed_at(call)
        if found is not None or at is None:
            return found or Flaw.EXPIRED
        return Admitted(caller, said.signature, at, call.headers.get(_INVOCATION, ""))


def flaw_within(scope: Scope, call: Call, url: str) -> Flaw | None:
    """Say what keeps a signed call from holding: its age, what it covers, its scope or its body.

    The body is looked at last, when its signature is right.

    Args:
        scope: What it has to be signed for.
        call: The call.
        url: All of it, as it was asked for.
    """
    said = signed(call.headers)
    if said is None:
        return Flaw.MISSING
    return (
        _loose(scope, said, call)
        or flaw(call.method, url, call.headers, call.body, scope.secrets)
        or _altered(scope, call)
    )


def _loose(scope: Scope, said: Signed, call: Call) -> Flaw | None:
    must = _MUST | ({TOKEN, TARGET} & call.headers.keys())
    if not must.issubset(said.names) or not must <= call.headers.keys():
        return Flaw.LOOSE
    at = _signed_at(call)
    if at is None or abs(scope.present - at) > WITHIN:
        return Flaw.EXPIRED
    if said.service != scope.service or said.day != call.headers["x-amz-date"][:8]:
        return Flaw.FOREIGN
    return None


def _altered(scope: Scope, call: Call) -> Flaw | None:
    digest = call.headers.get(_DIGEST)
    if digest is None or (scope.service == "s3" and digest.startswith(_OF_NO_DIGEST)):
        return None
    same = hmac.compare_digest(digest.encode(), digest_of(call.body).encode())
    return None if same else Flaw.ALTERED


def _signed_at(call: Call) -> datetime | None:
    return _stamp(call.headers.get("x-amz-date", ""))


@lru_cache(64)
def _stamp(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, STAMP).replace(tzinfo=UTC)
    except ValueError:
        return None
