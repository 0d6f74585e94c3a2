"""Credentials for the artifacts of one job: they open these, as long as its action goes on."""

import base64
import hashlib
import hmac
from typing import Final
from uuid import UUID

from pipelinekit.model.order import Order
from pipelinekit.operations.reading import Answer
from pipelinekit.ports.control import Control

PREFIX: Final = "ASIA"


def grant(control: Control, order: Order) -> Answer:
    """Give the credentials that a job bears.

    Args:
        control: Whose secret they are made of.
        order: The action execution.
    """
    key = f"{PREFIX}{UUID(order.id).hex.upper()}"
    return {
        "accessKeyId": key,
        "secretAccessKey": secret_of(control, key),
        "sessionToken": token_of(control, key),
    }


def order_of(key: str) -> str | None:
    """Give the id of the order that an access key is for; None where it is for none."""
    try:
        return str(UUID(key.removeprefix(PREFIX)))
    except ValueError:
        return None


def secret_of(control: Control, key: str) -> str:
    """Give the secret that goes with an access key."""
    return _derived(control, "secret", key)


def token_of(control: Control, key: str) -> str:
    """Give the session token that goes with an access key."""
    return _derived(control, "token", key)


def _derived(control: Control, what: str, key: str) -> str:
    made = hmac.new(control.key, f"job {what} {key}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(made).decode().rstrip("=")
