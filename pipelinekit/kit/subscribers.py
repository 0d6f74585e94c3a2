"""Who is told every change of state, because the settings say so."""

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from pipelinekit.model.errors import ValidationError
from pipelinekit.model.settings import Receiver, Settings
from pipelinekit.tools.lines import append_line
from pipelinekit.tools.webhook import Webhook
from pipelinekit.wire.eventbridge import Member, Subscriber

FOLDER = "subscribers"


def place_file(home: Path, name: str) -> Path:
    """Give the file that keeps how far a subscriber has got."""
    return home / FOLDER / f"{name}.json"


def configured(settings: Settings) -> Iterator[tuple[str, Subscriber]]:
    """Give the subscribers of the settings by name.

    Raises:
        ValidationError: A receiver's secret is in no environment variable.
    """
    if settings.events.log:
        file = Path(settings.folder, settings.events.log)
        yield "log", partial(append_line, file)
    for name, receiver in settings.events.webhooks.items():
        yield f"webhook-{name}", _sender(name, receiver)


def _sender(name: str, receiver: Receiver) -> Subscriber:
    secret = ""
    if receiver.secret_variable:
        secret = os.environ.get(receiver.secret_variable, "")
        if not secret:
            raise ValidationError(
                f"webhook {name} is to be signed with the secret in the environment variable "
                f"{receiver.secret_variable}, which is empty; set it, or take secret_variable out"
            )
    webhook = Webhook(receiver.url, secret)

    def send(event: Member) -> None:
        webhook.send(event)

    return send
