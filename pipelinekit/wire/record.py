"""Between the model and what the store keeps: one compact JSON text for each noun.

What equals its default is left out, so a default of the model must not change without a migration.

All decoders are made while this module is loaded, by one thread: msgspec (0.22) takes the types of
a struct apart when it first needs them, and two threads that have it do so at once may crash the
process.
"""

from collections.abc import Iterator, Mapping
from typing import Final, TypeVar, cast, get_args

from msgspec import Struct, convert, to_builtins
from msgspec.json import Decoder, Encoder

from pipelinekit.model.event import Event
from pipelinekit.model.execution import Artifact
from pipelinekit.model.move import Move
from pipelinekit.model.order import Order, Outcome
from pipelinekit.model.row import Row
from pipelinekit.model.settings import Settings

T = TypeVar("T")

_ENCODER: Final = Encoder()


class Referring(Struct):
    """What a row or an order may hold of artifacts."""

    artifact: Artifact | None = None
    inputs: tuple[Artifact, ...] = ()
    outputs: tuple[Artifact, ...] = ()


class Moved(Struct):
    """What a record holds besides its event."""

    moves: tuple[Move, ...] = ()


class Answer(Struct):
    """What a doer said, and what was written with it."""

    outcome: Outcome
    artifacts: tuple[Artifact, ...]


_DECODERS: Final[Mapping[object, Decoder[object]]] = {
    kind: Decoder(kind)
    for kind in (*get_args(Row), Order, Event, Settings, Referring, Moved, Answer)
}


def text(noun: object) -> str:
    """Give a row or an order as one line of JSON."""
    try:
        return _ENCODER.encode(noun).decode()
    except UnicodeEncodeError:
        return _ENCODER.encode(_valid(to_builtins(noun))).decode()


def read(line: str, kind: type[T]) -> T:
    """Give the row, order, event or settings that a line of JSON stands for; see `text`."""
    return cast("T", _DECODERS[kind].decode(line))


def artifacts_in(line: str) -> Iterator[Artifact]:
    """Give the artifacts that a row or an order refers to, without reading the rest of it."""
    found = read(line, Referring)
    yield from (*([found.artifact] if found.artifact else ()), *found.inputs, *found.outputs)


def record_text(event: Event, moves: tuple[Move, ...] = ()) -> str:
    """Give an event as one line of JSON, with the changes of status that it brought."""
    line = text(event)
    return f'{line[:-1]},"moves":{text(moves)}}}' if moves else line


def read_record(line: str) -> tuple[Event, tuple[Move, ...]]:
    """Give what a line of JSON stands for; the other way of `record_text`."""
    event = read(line, cast("type[Event]", Event))
    return event, read(line, Moved).moves


def answer_data(outcome: Outcome, artifacts: tuple[Artifact, ...]) -> dict[str, object]:
    """Give an outcome and what was written with it as plain JSON data."""
    plain = _valid(to_builtins(Answer(outcome, artifacts)))
    return cast("dict[str, object]", plain)


def read_answer(data: Mapping[str, object]) -> tuple[Outcome, tuple[Artifact, ...]]:
    """Give what plain JSON data stands for; the other way of `answer_data`."""
    found = convert(data, Answer)
    return found.outcome, found.artifacts


def can_be_kept(outcome: Outcome, artifacts: tuple[Artifact, ...]) -> bool:
    """Tell whether an outcome, of whatever a foreign function put into it, is read as written."""
    answer = Answer(outcome, artifacts)
    try:
        return _DECODERS[Answer].decode(_ENCODER.encode(answer)) == answer
    except (TypeError, ValueError):
        return False


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
