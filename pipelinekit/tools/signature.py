"""Checks the signature of a request to a service of AWS: Signature Version 4, in its header."""

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import IO, Final

_AUTHORIZATION: Final = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/,]+)/(\d{8})/([^/,]+)/([^/,]+)/aws4_request, ?"
    r"SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})"
)


class Flaw(Enum):
    """What can be wrong with the signature of a request."""

    LOOSE = "its signature leaves out a header that it has to cover"
    FOREIGN = "its signature is for another service, or for another day"
    EXPIRED = "its signature is more than five minutes old, or of a time to come"
    ALTERED = "its body is not the one that was signed"

    MISSING = "it is not signed with Signature Version 4 in its Authorization header"
    UNKNOWN_KEY = "the access key it is signed with is not known here"
    WRONG = "its signature is not what its secret key gives"


@dataclass(frozen=True, slots=True)
class Signed:
    """What a request says of its signature.

    Attributes:
        key: The access key.
        day: Of the scope, as `20150830`.
        names: The headers that are covered, in lower case.
    """

    key: str
    day: str
    service: str
    names: frozenset[str]
    signature: str


def signed(headers: Mapping[str, str]) -> Signed | None:
    """Read what a request says of its signature; None where it says nothing that can be read.

    Args:
        headers: By their names in lower case.
    """
    given = _AUTHORIZATION.fullmatch(headers.get("authorization", ""))
    if given is None:
        return None
    key, day, _, service, names, signature = given.groups()
    return Signed(key, day, service, frozenset(names.split(";")), signature)


def flaw(
    method: str, url: str, headers: Mapping[str, str], body: IO[bytes], secrets: Mapping[str, str]
) -> Flaw | None:
    """Say what is wrong with the signature of a request; None when it is right.

    The signature is computed anew by botocore's own signer. Its age does not matter.

    Args:
        method: Of the request, such as `PUT`.
        url: All of it, as it was asked for.
        headers: By their names in lower case.
        body: What was sent; read where no header names its digest.
        secrets: The secret key for each access key that is accepted.
    """
    from botocore.auth import S3SigV4Auth, SigV4Auth  # noqa: PLC0415 - only a call needs it
    from botocore.awsrequest import AWSRequest  # noqa: PLC0415
    from botocore.credentials import Credentials  # noqa: PLC0415

    given = _AUTHORIZATION.fullmatch(headers.get("authorization", ""))
    if given is None:
        return Flaw.MISSING
    key, _, region, service, names, signature = given.groups()
    if key not in secrets:
        return Flaw.UNKNOWN_KEY
    signed = {name: headers.get(name, "") for name in names.split(";")}
    request = AWSRequest(method=method, url=url, headers=signed, data=body)
    request.context["timestamp"] = headers.get("x-amz-date", "")
    kind = S3SigV4Auth if service == "s3" else SigV4Auth
    signer = kind(Credentials(key, secrets[key]), service, region)
    text = signer.string_to_sign(request, signer.canonical_request(request))
    right = hmac.compare_digest(signer.signature(text, request), signature)
    return None if right else Flaw.WRONG
