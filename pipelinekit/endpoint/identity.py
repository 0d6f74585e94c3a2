"""GetCallerIdentity of STS, by which clients learn in whose account they are."""

from collections.abc import Mapping
from typing import ClassVar, Final
from urllib.parse import parse_qs
from uuid import uuid4
from xml.sax.saxutils import escape

from pipelinekit.endpoint.gate import Gate
from pipelinekit.model.noun import Noun
from pipelinekit.tools.aws.loopback import Call, CallRefused, Reply
from pipelinekit.tools.aws.signature import Flaw
from pipelinekit.wire.answers import ACCOUNT_ID

FORM: Final = "application/x-www-form-urlencoded"
MOST_BYTES: Final = 64 * 1024

_SPACE: Final = "https://sts.amazonaws.com/doc/2011-06-15/"
_XML: Final = {"Content-Type": "text/xml"}


class Identity(Noun):
    """Tells callers who they are.

    Attributes:
        by: Who everybody is where nobody is asked.
        gate: Lets callers in; None where nobody is asked who they are.
    """

    by: str
    gate: Gate | None

    flaws: ClassVar[Mapping[Flaw, str]] = {
        Flaw.MISSING: "MissingAuthenticationToken",
        Flaw.UNKNOWN_KEY: "InvalidClientTokenId",
        Flaw.LOOSE: "IncompleteSignature",
    }

    def answer(self, call: Call, url: str) -> Reply:
        """Tell who calls.

        Args:
            call: The call, its body unread.
            url: All of it, as it was asked for.

        Raises:
            CallRefused: It is nobody's who may call, or asks for something else.
        """
        if call.size > MOST_BYTES:
            said = f"the request has more than {MOST_BYTES} bytes; send less"
            raise CallRefused("RequestEntityTooLarge", said, 413)
        name = self._caller(call, url)
        call.body.seek(0)
        asked = parse_qs(call.body.read().decode(errors="replace"))
        if asked.get("Action") != ["GetCallerIdentity"]:
            raise CallRefused("InvalidAction", "of STS, only GetCallerIdentity is answered here")
        arn = f"arn:aws:iam::{ACCOUNT_ID}:user/{name}"
        told = {"Arn": arn, "UserId": name, "Account": ACCOUNT_ID}
        inside = "".join(f"<{tag}>{escape(text)}</{tag}>" for tag, text in told.items())
        result = f"<GetCallerIdentityResult>{inside}</GetCallerIdentityResult>"
        return _written("GetCallerIdentityResponse", result)

    def refusal(self, error: CallRefused) -> Reply:
        """Write an error as STS does."""
        said = f"<Code>{error.code}</Code><Message>{escape(str(error))}</Message>"
        inside = f"<Error><Type>Sender</Type>{said}</Error>"
        return _written("ErrorResponse", inside, error.status)

    def _caller(self, call: Call, url: str) -> str:
        if self.gate is None:
            return self.by
        admitted = self.gate.admit(call, url)
        if isinstance(admitted, Flaw):
            code = self.flaws.get(admitted, "SignatureDoesNotMatch")
            raise CallRefused(code, f"the call is refused: {admitted.value}", 403)
        return admitted.caller.name


def _written(kind: str, inside: str, status: int = 200) -> Reply:
    metadata = f"<ResponseMetadata><RequestId>{uuid4()}</RequestId></ResponseMetadata>"
    body = f'<{kind} xmlns="{_SPACE}">{inside}{metadata}</{kind}>'
    return Reply(status, _XML, body.encode())
