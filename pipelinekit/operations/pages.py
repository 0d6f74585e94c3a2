"""Pages of lists: tokens that nobody can make up, and that fit one question only."""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Final, TypeVar

from pipelinekit.model.check import RuleExecution
from pipelinekit.model.errors import InvalidNextToken
from pipelinekit.model.execution import ActionExecution, PipelineExecution
from pipelinekit.ports.control import Control
from pipelinekit.ports.store import Query

DIGEST_BYTES: Final = 16
_PAGING: Final = frozenset({"maxResults", "nextToken", "MaxResults", "NextToken"})

Given = Mapping[str, object]
R = TypeVar("R", PipelineExecution, ActionExecution, RuleExecution)


def next_token(control: Control, operation: str, given: Given, last: str) -> str:
    """Make the token by which a list goes on.

    Args:
        control: Whose secret signs it.
        operation: The operation.
        given: The request: the token goes on with no other one.
        last: What the next page follows.
    """
    body = last.encode()
    return base64.urlsafe_b64encode(_digest(control, operation, given, body) + body).decode()


def last_of(control: Control, operation: str, given: Given, token: str) -> str:
    """Give what the page that a token stands for follows.

    Raises:
        InvalidNextToken: It was never given out, or for another request.
    """
    try:
        data = base64.b64decode(token.encode(), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError):
        data = b""
    signed, body = data[:DIGEST_BYTES], data[DIGEST_BYTES:]
    if not hmac.compare_digest(signed, _digest(control, operation, given, body)):
        raise InvalidNextToken(
            f"the next page of {operation} was asked for with a token that was not given out for "
            f"these parameters; ask for the first page again"
        )
    return body.decode()


def last_row(control: Control, kind: type[R], operation: str, given: Given) -> R | None:
    """Give the row that the page asked for follows; None for the first page.

    Raises:
        InvalidNextToken: The token was never given out, or for another request, or the row that
            it names has been removed.
    """
    token = str(given.get("nextToken") or "")
    if not token:
        return None
    found = control.find(kind, Query(id=last_of(control, operation, given, token)))
    if not found:
        raise InvalidNextToken(
            f"the next page of {operation} was asked for, and what it follows has been removed; "
            f"ask for the first page again"
        )
    return found[0]


def _digest(control: Control, operation: str, given: Given, body: bytes) -> bytes:
    asked = {name: value for name, value in given.items() if name not in _PAGING}
    question = json.dumps([operation, asked], sort_keys=True, default=str).encode()
    signed = hmac.new(control.key, question + b"\0" + body, hashlib.sha256)
    return signed.digest()[:DIGEST_BYTES]
