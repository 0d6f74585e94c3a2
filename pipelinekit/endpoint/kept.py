"""Answers that are kept until somebody writes to the store: whoever asks again need not wait."""

from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

from pipelinekit.operations.answer import Answered
from pipelinekit.operations.table import OF_THE_STORE

MOST_BYTES: Final = 32 * 1024 * 1024
"""Of all answers that are kept, with the requests that they are found by."""


@dataclass(slots=True)
class _Known:
    version: int
    answers: dict[tuple[str, bytes], Answered] = field(default_factory=dict)
    size: int = 0


class Kept:
    """The answers to questions about what is in the store, and about nothing else.

    A number is asked for that changes with every commit of every process: an answer is given again
    only while that number is what it was before the answer was looked up.

    Args:
        version: Gives that number.
    """

    def __init__(self, version: Callable[[], int]) -> None:
        self._version = version
        self._known = _Known(-1)

    def answer(self, target: str, body: bytes, ask: Callable[[], Answered]) -> Answered:
        """Answer as before where nothing was written since; else ask.

        Args:
            target: The header that names the operation.
            body: The request.
            ask: Answers it.
        """
        if target.rpartition(".")[2] not in OF_THE_STORE:
            return ask()
        version, known = self._version(), self._known
        if known.version != version or known.size > MOST_BYTES:
            known = self._known = _Known(version)
        found = known.answers.get((target, body))
        if found is None:
            found = ask()
            if found.status == HTTPStatus.OK:
                known.answers[target, body] = found
                known.size += len(body) + len(found.body)
        return found
