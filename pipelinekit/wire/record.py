"""Between the model and what the store keeps: one compact JSON text for each noun.

What equals its default is left out, so a default of the model must not change without a migration.
"""

import json
from collections.abc import Mapping
from functools import cache
from typing import TypeVar

from cattrs.preconf.json import JsonConverter, make_converter
from cattrs.strategies import configure_tagged_union

from pipelinekit.model.event import Event
from pipelinekit.model.execution import Artifact
from pipelinekit.model.order import Outcome

T = TypeVar("T")


@cache
def _rows() -> JsonConverter:
    return make_converter(omit_if_default=True)


@cache
def _unions() -> JsonConverter:
    converter = make_converter(omit_if_default=True)
    configure_tagged_union(Outcome, converter, tag_name="is")
    configure_tagged_union(Event, converter, tag_name="is")
    return converter


def text(noun: object) -> str:
    """Give a row or an order as one line of JSON."""
    return _line(_rows().unstructure(noun))


def read(line: str, kind: type[T]) -> T:
    """Give the noun that a line of JSON stands for; the other way of `text`."""
    return _rows().structure(json.loads(line), kind)


def event_text(event: Event) -> str:
    """Give an event as one line of JSON that says which event it is."""
    return _line(_unions().unstructure(event, Event))


def read_event(line: str) -> Event:
    """Give the event that a line of JSON stands for; the other way of `event_text`."""
    event: Event = _unions().structure(json.loads(line), Event)  # type: ignore[arg-type]  # a union
    return event


def answer_data(outcome: Outcome, artifacts: tuple[Artifact, ...]) -> dict[str, object]:
    """Give an outcome and what was written with it as plain JSON data."""
    return {
        "outcome": _unions().unstructure(outcome, Outcome),
        "artifacts": _unions().unstructure(artifacts),
    }


def read_answer(data: Mapping[str, object]) -> tuple[Outcome, tuple[Artifact, ...]]:
    """Give what plain JSON data stands for; the other way of `answer_data`."""
    outcome: Outcome = _unions().structure(data["outcome"], Outcome)  # type: ignore[arg-type]  # a union
    return outcome, _unions().structure(data["artifacts"], tuple[Artifact, ...])


def _line(data: object) -> str:
    return json.dumps(data, sort_keys=True, separators=(",", ":"))
