"""Between the model and what the store keeps: one compact JSON text for each noun.

What equals its default is left out, so a default of the model must not change without a migration.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Final, TypeVar, get_args

import orjson
from cattrs.preconf.orjson import OrjsonConverter, make_converter
from cattrs.strategies import configure_tagged_union

from pipelinekit.model.event import Event
from pipelinekit.model.execution import Artifact
from pipelinekit.model.move import Move
from pipelinekit.model.order import Outcome

T = TypeVar("T")

TAG: Final = "is"
"""The member that names the class of an event or of an outcome."""

EVENTS: Final[Mapping[str, type[Event]]] = {each.__name__: each for each in get_args(Event)}


@cache
def _rows() -> OrjsonConverter:
    return make_converter(omit_if_default=True)


@cache
def _unions() -> OrjsonConverter:
    converter = make_converter(omit_if_default=True)
    configure_tagged_union(Outcome, converter, tag_name=TAG)
    return converter


def text(noun: object) -> str:
    """Give a row or an order as one line of JSON."""
    return _line(_rows().unstructure(noun))


def read(line: str, kind: type[T]) -> T:
    """Give the noun that a line of JSON stands for; the other way of `text`."""
    return _rows().structure(orjson.loads(line), kind)


def artifacts_in(line: str) -> Iterator[Artifact]:
    """Give the artifacts that a row or an order refers to, without reading the rest of it."""
    data = orjson.loads(line)
    own = data.get("artifact")
    for each in (*([own] if own else ()), *data.get("inputs", ()), *data.get("outputs", ())):
        yield Artifact(each["name"], each["bucket"], each["object_key"])


def record_text(event: Event, moves: tuple[Move, ...] = ()) -> str:
    """Give an event as one line of JSON, with the changes of status that it brought."""
    # Not as a union: that prepares all kinds of events, which costs each start 10 ms.
    data = _unions().unstructure(event) | {TAG: type(event).__name__}
    if moves:
        data["moves"] = _rows().unstructure(moves)
    return _line(data)


def read_record(line: str) -> tuple[Event, tuple[Move, ...]]:
    """Give what a line of JSON stands for; the other way of `record_text`."""
    data = orjson.loads(line)
    moves = _rows().structure(data.pop("moves", ()), tuple[Move, ...])
    event = _unions().structure(data, EVENTS[data.pop(TAG)])
    return event, moves


def answer_data(outcome: Outcome, artifacts: tuple[Artifact, ...]) -> dict[str, object]:
    """Give an outcome and what was written with it as plain JSON data."""
    data = {
        "outcome": _unions().unstructure(outcome, Outcome),
        "artifacts": _unions().unstructure(artifacts),
    }
    plain: dict[str, object] = orjson.loads(_line(data))
    return plain


def read_answer(data: Mapping[str, object]) -> tuple[Outcome, tuple[Artifact, ...]]:
    """Give what plain JSON data stands for; the other way of `answer_data`."""
    outcome: Outcome = _unions().structure(data["outcome"], Outcome)  # type: ignore[arg-type]  # a union
    return outcome, _unions().structure(data["artifacts"], tuple[Artifact, ...])


def _line(data: object) -> str:
    try:
        return orjson.dumps(data, option=orjson.OPT_SORT_KEYS).decode()
    except orjson.JSONEncodeError:
        return orjson.dumps(_valid(data), option=orjson.OPT_SORT_KEYS).decode()


def _valid(data: object) -> object:
    """Replace what came of bytes that are no UTF-8, as those of a file's name need not be."""
    match data:
        case str():
            return data.encode(errors="replace").decode()
        case dict():
            return {_valid(key): _valid(value) for key, value in data.items()}
        case list() | tuple():
            return [_valid(value) for value in data]
        case _:
            return data
