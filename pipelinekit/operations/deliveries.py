"""What is delivered to a webhook, and whether it starts a pipeline.

Source: codepipeline.md 9.7.
"""

import hashlib
import hmac
import ipaddress
import json
import re
from collections.abc import Mapping
from uuid import NAMESPACE_URL, uuid5

from pipelinekit.model.account import ACCOUNT, Authentication, Webhook, WebhookFilter
from pipelinekit.model.errors import PipelineKitError
from pipelinekit.model.event import WebhookCalled
from pipelinekit.model.execution import Cause
from pipelinekit.model.noun import Noun
from pipelinekit.model.status import TriggerType
from pipelinekit.operations.reading import definition_of, record_of
from pipelinekit.ports.control import NOTHING, Control, StartWith
from pipelinekit.ports.store import Query
from pipelinekit.tools.documents.json_path import JsonPathError, values_at
from pipelinekit.wire.answers import arn

HASHES = {
    "x-hub-signature-256": ("sha256", hashlib.sha256),
    "x-hub-signature": ("sha1", hashlib.sha1),
}
"""By header, the better one first: a delivery that bears it is judged by it."""

_PLACEHOLDER = re.compile(r"\{([^{}]+)\}")


class Delivery(Noun):
    """What came in.

    Attributes:
        path: The last part of the URL.
        headers: By their names in lower case.
        address: Where it came from.
    """

    path: str
    headers: Mapping[str, str]
    address: str
    body: bytes


class Taken(Noun):
    """What became of a delivery.

    Attributes:
        status: Of HTTP.
        execution: The execution that it started; empty where it started none.
        reason: Why it started none.
    """

    status: int
    execution: str = ""
    reason: str = ""


class _Refused(Exception):
    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


def deliver(control: Control, delivery: Delivery) -> Taken:
    """Start the pipeline of a webhook, if the delivery is authentic and passes the filters."""
    found = control.find(Webhook, Query(pipeline=ACCOUNT))
    webhook = next((row for row in found if not row.deleted and row.path == delivery.path), None)
    if webhook is None:
        return Taken(404, reason="there is no such webhook")
    try:
        execution = _start(control, webhook, delivery)
    except _Refused as error:
        said = (error.code, str(error))
        if webhook.error != said:  # who cannot sign shall not fill the journal
            control.ask(WebhookCalled, ACCOUNT, name=webhook.name, error=said)
        return Taken(error.status, reason=str(error))
    control.ask(WebhookCalled, ACCOUNT, name=webhook.name)
    return Taken(200, execution)


def _start(control: Control, webhook: Webhook, delivery: Delivery) -> str:
    _authenticate(webhook, delivery)
    try:
        data = json.loads(delivery.body)
    except (ValueError, RecursionError):
        raise _Refused(400, "InvalidPayload", "the delivery's body is no JSON") from None
    try:
        definition = definition_of(control, record_of(control, webhook.target))
        action = definition.stages[0].action(webhook.action)
        values = action.configuration if action else {}
        for each in webhook.filters:
            _pass(each, values, data)
        cause = Cause(TriggerType.WEBHOOK, arn(f"webhook:{webhook.name}"))
        return control.begin(webhook.target, cause, _with(webhook, delivery))
    except PipelineKitError as error:
        raise _Refused(200, error.code, str(error)) from error


def _with(webhook: Webhook, delivery: Delivery) -> StartWith:
    """Let what was signed once start one execution, however often it is delivered."""
    if webhook.authentication is not Authentication.GITHUB_HMAC:
        return NOTHING
    digest = hashlib.sha256(delivery.body).hexdigest()
    return StartWith(token=str(uuid5(NAMESPACE_URL, f"{webhook.name}\n{digest}")))


def _authenticate(webhook: Webhook, delivery: Delivery) -> None:
    match webhook.authentication:
        case Authentication.GITHUB_HMAC:
            authentic = _is_signed(webhook.secret.encode(), delivery)
        case Authentication.IP:
            network = ipaddress.ip_network(webhook.allowed, strict=False)
            authentic = ipaddress.ip_address(delivery.address) in network
        case Authentication.UNAUTHENTICATED:
            authentic = True
    if not authentic:
        said = f"the delivery is not authentic by {webhook.authentication}"
        raise _Refused(403, "AuthenticationFailed", said)


def _is_signed(secret: bytes, delivery: Delivery) -> bool:
    for header, (name, algorithm) in HASHES.items():
        given = delivery.headers.get(header)
        if given is not None:
            right = f"{name}={hmac.new(secret, delivery.body, algorithm).hexdigest()}"
            return hmac.compare_digest(given.encode(errors="replace"), right.encode())
    return False


def _pass(wanted: WebhookFilter, values: Mapping[str, str], data: object) -> None:
    try:
        found = values_at(wanted.path, data)
    except JsonPathError as error:
        raise _Refused(200, "FilterMismatch", str(error)) from error
    equals = wanted.equals and _PLACEHOLDER.sub(
        lambda key: values.get(key[1], key[0]), wanted.equals
    )
    if not found or (equals is not None and equals not in found):
        # What is put in may be a secret, and whoever delivers reads this.
        at = f"at {wanted.path} there is not {wanted.equals}"
        raise _Refused(200, "FilterMismatch", at if equals else f"there is no {wanted.path}")
