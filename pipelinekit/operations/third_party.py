"""Calls of partners of AWS's marketplace, of which there are none here.

Source: codepipeline.md 11.5.
"""

from collections.abc import Mapping
from typing import NoReturn, cast

from pipelinekit.model.errors import ActionTypeNotFound, JobNotFound
from pipelinekit.operations.reading import Answer, Given, text
from pipelinekit.ports.control import Control


def poll(control: Control, given: Given) -> Answer:
    """Refuse: no partner has an action type here."""
    del control
    raise _no_type(cast("Mapping[str, str]", given["actionTypeId"]))


def get_type(control: Control, given: Given) -> Answer:
    """Refuse: action types of partners are not kept here."""
    del control
    raise _no_type(cast("Mapping[str, str]", given))


def update_type(control: Control, given: Given) -> Answer:
    """Refuse: action types of partners are not kept here."""
    del control
    declared = cast("Mapping[str, object]", given["actionType"])
    raise _no_type(cast("Mapping[str, str]", declared["id"]))


def job(control: Control, given: Given) -> NoReturn:
    """Refuse: no job was ever given to a partner."""
    del control
    raise JobNotFound(
        f"job {text(given, 'jobId')} of a partner was asked for, and jobs are given to partners "
        f"at AWS only; use a custom action type, whose workers call PollForJobs"
    )


def _no_type(kind: Mapping[str, str]) -> ActionTypeNotFound:
    name = "/".join(kind[part] for part in ("category", "owner", "provider", "version"))
    return ActionTypeNotFound(
        f"action type {name} was asked for as a partner's own, and partners offer theirs at AWS "
        f"only; create a custom action type instead"
    )
