"""Sends JSON to a URL, signed so that the receiver can tell who sent it."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

SIGNATURE: Final = "X-Pipelinekit-Signature-256"
SECONDS: Final = 10.0
ACCEPTED: Final = range(200, 300)


class WebhookError(Exception):
    """The receiver could not be reached, or did not accept what it was sent."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """A receiver.

    Attributes:
        url: Where it listens.
        secret: The key of the signature, an HMAC-SHA256 of the body; unsigned when empty.
    """

    url: str
    secret: str = ""

    def send(self, data: Mapping[str, object]) -> None:
        """Send data as the JSON body of a POST request; redirections are not followed.

        Raises:
            WebhookError: It was not accepted with a status of 200 to 299 within 10 seconds.
        """
        import urllib3  # noqa: PLC0415 - only those who have webhooks need it

        body = json.dumps(data, separators=(",", ":")).encode()
        headers = {"Content-Type": "application/json"}
        if self.secret:
            digest = hmac.new(self.secret.encode(), body, hashlib.sha256).hexdigest()
            headers[SIGNATURE] = f"sha256={digest}"
        try:
            with urllib3.PoolManager(timeout=SECONDS, retries=False) as pool:
                answer = pool.request("POST", self.url, body=body, headers=headers)
        except urllib3.exceptions.HTTPError as error:
            told = f"{self.url} was to be told and cannot be reached: {error}"
            raise WebhookError(told) from None
        if answer.status not in ACCEPTED:
            raise WebhookError(f"{self.url} was told and answered {answer.status}")
