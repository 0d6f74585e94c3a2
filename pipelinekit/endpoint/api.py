"""The API as one of the services that are answered here: who may call, and what was replayed."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import ClassVar, Final

import msgspec

from pipelinekit.endpoint.gate import Admitted, Gate
from pipelinekit.endpoint.kept import Kept
from pipelinekit.endpoint.replays import Replays
from pipelinekit.kit.kit import Kit
from pipelinekit.model.noun import Noun
from pipelinekit.operations.answer import TYPE, answer, refused
from pipelinekit.runtime.clock import new_id
from pipelinekit.tools.aws.loopback import TARGET, Call, CallRefused, Reply
from pipelinekit.tools.aws.signature import Flaw

MOST_BYTES: Final = 8 * 1024 * 1024
"""Of a request; the largest definition that CodePipeline takes is smaller."""

NO_JOBS: Final = b'{"jobs":[]}'
"""What a poll is answered that finds nothing."""

_READING: Final = ("Get", "List")
_POLLING: Final = frozenset({"PollForJobs", "PollForThirdPartyJobs"})
_ONCE_ANYWAY: Final = frozenset(
    {
        "AcknowledgeJob",
        "PutActionRevision",
        "PutApprovalResult",
        "PutJobFailureResult",
        "PutJobSuccessResult",
    }
)
"""What changes nothing when it comes again, because it bears a token or an id of its own.

A start does so where it has a token, which SDKs give to each.
"""


class Api(Noun, gc=True):
    """The API of a kit.

    Attributes:
        gate: Lets callers in; None where nobody is asked who they are.
        replays: What was done for calls that must not be done twice.
        kept: What was answered and still holds.
    """

    kit: Kit
    gate: Gate | None
    replays: Replays
    kept: Kept

    flaws: ClassVar[Mapping[Flaw, str]] = {
        Flaw.MISSING: "MissingAuthenticationTokenException",
        Flaw.UNKNOWN_KEY: "UnrecognizedClientException",
        Flaw.WRONG: "InvalidSignatureException",
        Flaw.LOOSE: "IncompleteSignatureException",
        Flaw.FOREIGN: "InvalidSignatureException",
        Flaw.EXPIRED: "InvalidSignatureException",
        Flaw.ALTERED: "InvalidSignatureException",
    }

    def answer(self, call: Call, url: str) -> Reply:
        """Do what a call asks.

        Args:
            call: The call, its body unread.
            url: All of it, as it was asked for.

        Raises:
            CallRefused: It is no call of this API, or nobody's who may call.
        """
        if call.method != "POST" or call.path != "/":
            raise CallRefused("UnknownOperationException", "POST / is what is answered here", 404)
        if call.size > MOST_BYTES:
            said = f"the request has more than {MOST_BYTES} bytes; send less"
            raise CallRefused("RequestEntityTooLargeException", said, 413)
        if self.gate is None:
            return self._do(call, self.kit)
        admitted = self.gate.admit(call, url)
        if isinstance(admitted, Flaw):
            said = f"the call is refused: {admitted.value}; look at your credentials and clock"
            raise CallRefused(self.flaws[admitted], said, 403)
        kit = self.kit.acting(admitted.caller.name)
        operation = call.headers[TARGET].rpartition(".")[2]
        if operation.startswith(_READING) or _is_once_anyway(operation, call):
            return self._do(call, kit)
        if operation in _POLLING:
            return self._polled(call, kit, admitted)
        return self._once(call, kit, admitted)

    def refusal(self, error: CallRefused) -> Reply:
        """Write an error as CodePipeline does."""
        said = refused(error.code, str(error), error.status)
        return _reply(said.status, said.body)

    def _once(self, call: Call, kit: Kit, admitted: Admitted) -> Reply:
        """Do what changes something once for a signature; see notebooks/decisions/api.md."""
        done = self.replays.once(admitted, lambda: self._do(call, kit))
        if done is None:
            return self._too_old()
        again = admitted.attempt_of and admitted.attempt_of == done.first.attempt_of
        if done.first is admitted or again:
            return done.answer()
        self.replays.outwait(done)
        said = "an equal call was signed in the same second and is done; sign this one again"
        raise CallRefused("ThrottlingException", said)

    def _polled(self, call: Call, kit: Kit, admitted: Admitted) -> Reply:
        """Give jobs once: whoever comes with an equal call gets none of those that it gave."""
        done = self.replays.once(admitted, lambda: self._do(call, kit), _gave_jobs)
        if done is None:
            return self._too_old()
        return done.answer() if done.first is admitted else _reply(200, NO_JOBS)

    def _too_old(self) -> Reply:
        said = "the call was signed before this server was started; sign it again"
        return self.refusal(CallRefused("InvalidSignatureException", said, 403))

    def _do(self, call: Call, kit: Kit) -> Reply:
        if not call.headers.get("content-type", "").startswith(TYPE):
            said = f"the call's content type has to be {TYPE}"
            raise CallRefused("UnsupportedMediaTypeException", said, 415)
        call.body.seek(0)
        body = call.body.read()
        target = call.headers[TARGET]
        done = self.kept.answer(target, body, lambda: answer(kit, target, body))
        return _reply(done.status, done.body)


def _is_once_anyway(operation: str, call: Call) -> bool:
    if operation != "StartPipelineExecution":
        return operation in _ONCE_ANYWAY
    call.body.seek(0)
    try:
        asked = msgspec.json.decode(call.body.read())
    except (msgspec.DecodeError, RecursionError):
        return False
    return isinstance(asked, dict) and bool(asked.get("clientRequestToken"))


def _reply(status: int, body: bytes) -> Reply:
    return Reply(status, {"Content-Type": TYPE, "x-amzn-RequestId": new_id()}, body)


def _gave_jobs(reply: Reply) -> bool:
    return reply.status == HTTPStatus.OK and reply.body != NO_JOBS
