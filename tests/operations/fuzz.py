"""Asks the API thousands of wrong things: `python -m tests.operations.fuzz --n 100000`."""

import argparse
import json
import random
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pipelinekit as pk
from pipelinekit.endpoint.app import Endpoint
from pipelinekit.operations.answer import PREFIX, TYPE
from pipelinekit.tools.aws.service_model import service
from tests.operations.declarations import usual
from tests.operations.in_process import Request, ask
from tests.operations.requests import Site, mutated, operations, put, shape_of, sites, valid
from tests.operations.shapes import misfits

SYSTEMATIC = 0.6
"""The part of all requests that comes from the constraints of the model; the rest is random."""


class Asked(NamedTuple):
    """A request.

    Attributes:
        fits: Whether the model has nothing against it; None where it is no JSON that it knows.
    """

    operation: str
    body: bytes
    fits: bool | None
    type: str = TYPE
    prefix: str = PREFIX


class Failure(NamedTuple):
    """What should not have been."""

    asked: Asked
    what: str


def asked(seed: int, count: int) -> Iterator[Asked]:
    """Make so many requests; the same for the same seed."""
    dice = random.Random(seed)
    found = [(operation, site) for operation in operations() for site in _sites(operation)]
    dice.shuffle(found)
    systematic = found[: int(count * SYSTEMATIC)]
    for operation, site in systematic:
        yield _asked(operation, put(_whole(operation), site))
    for _ in range(count - len(systematic)):
        yield _random(dice)


@cache
def _sites(operation: str) -> list[Site]:
    return list(sites(shape_of(operation)))


@cache
def _whole(operation: str) -> Any:
    return valid(shape_of(operation), whole=True)


def _asked(operation: str, request: Any) -> Asked:
    shape = shape_of(operation)
    fits = not any(misfits(shape, _cleaned(shape, request), ""))
    return Asked(operation, json.dumps(request).encode(), fits)


def _random(dice: random.Random) -> Asked:
    operation = dice.choice(operations())
    request = _mixed(dice, operation)
    body = json.dumps(request).encode()
    match dice.randrange(8):
        case 0:
            return Asked(operation, body, None, type=dice.choice(("", "text/plain", f"{TYPE};x")))
        case 1:
            odd = dice.choice((operation.lower(), "", f"{operation}\x00", "é", "A.B"))
            return Asked(odd, body, None)
        case 2:
            return Asked(operation, body, None, prefix=dice.choice(("", "Code", PREFIX.lower())))
        case 3:
            return Asked(operation, body[: dice.randrange(len(body))], None)
        case 4:
            return _asked(operation, request)
        case _:
            return Asked(operation, mutated(dice, body), None)


def _mixed(dice: random.Random, operation: str) -> Any:
    """Make a request in which several things may be odd."""
    request = valid(shape_of(operation), whole=dice.random() < 0.5)
    for site in dice.sample(_sites(operation), dice.randrange(3)):
        with suppress(AttributeError, KeyError, IndexError, TypeError):  # the place is not there
            request = put(request, site)
    return request


def _cleaned(shape: Any, value: Any) -> Any:
    """Leave out what a service does not look at: what is null, and what it does not know."""
    if shape.type_name == "structure" and isinstance(value, dict):
        known = {k: v for k, v in value.items() if v is not None and k in shape.members}
        return {name: _cleaned(shape.members[name], each) for name, each in known.items()}
    if shape.type_name == "list" and isinstance(value, list):
        return [_cleaned(shape.member, each) for each in value]
    if shape.type_name == "map" and isinstance(value, dict):
        return {name: _cleaned(shape.value, each) for name, each in value.items()}
    return value


class Fuzz:
    """Asks one kit, whose pipeline waits for an approval.

    Args:
        folder: Where its state is kept.
    """

    def __init__(self, folder: Path) -> None:
        settings = pk.Settings(folder=str(folder))
        self.kit = pk.Kit(folder / "home", settings=settings, work=False, by="fuzz")
        self.endpoint = Endpoint(self.kit, None)
        self.kit.client().create_pipeline(pipeline=usual())
        self.statuses: Counter[int] = Counter()

    def ask(self, request: Asked) -> Failure | None:
        """Ask, and tell what should not have been."""
        before = self._last()
        try:
            status, answer = self._call(request)
        except Exception:  # noqa: BLE001 - whatever it is, it is what is looked for
            return Failure(request, traceback.format_exc())
        self.statuses[status] += 1
        fault = self._fault(request, status, answer)
        if fault is None and self._last() != before and not (status == 200 and request.fits):
            changing = request.fits is None and status == 200
            fault = None if changing else f"{status} has changed the state"
        return Failure(request, fault) if fault else None

    def _fault(self, request: Asked, status: int, answer: bytes) -> str | None:
        if status >= 500:
            return f"{status}: {answer[:500]!r}"
        told = json.loads(answer)
        if status == 200 and request.fits is False:
            return f"it was taken, and the model has something against it: {told}"
        if status == 200:
            model = service("codepipeline").operation_model(request.operation)
            return next(misfits(model.output_shape, told, request.operation), None)
        if set(told) != {"__type", "message"} or not told["message"]:
            return f"an error without type and message: {told}"
        if request.fits and "validation error" in told["message"]:
            return f"it was refused, and the model has nothing against it: {told}"
        return None

    def _call(self, request: Asked) -> tuple[int, bytes]:
        target = f"{request.prefix}.{request.operation}"
        headers = {"Host": "127.0.0.1", "Content-Type": request.type, "X-Amz-Target": target}
        return ask(self.endpoint, Request("POST", "/", headers, request.body))

    def _last(self) -> int:
        return sum(record.number for record in self.kit.store.tail(None))


def say(line: str) -> None:
    """Print a line."""
    sys.stdout.write(f"{line}\n")


def main() -> None:
    """Ask, and print what should not have been."""
    parser = argparse.ArgumentParser(prog="python -m tests.operations.fuzz", description=__doc__)
    parser.add_argument("--n", type=int, default=5_000, help="how many requests")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    given = parser.parse_args()
    began, failures = time.monotonic(), 0
    with tempfile.TemporaryDirectory() as folder:
        fuzz = Fuzz(Path(folder))
        for request in asked(given.seed, given.n):
            failure = fuzz.ask(request)
            if failure is not None:
                failures += 1
                say(f"{failure.asked.operation} {failure.asked.body[:300]!r}\n  {failure.what}")
        fuzz.kit.close()
    told = ", ".join(f"{status}: {count}" for status, count in sorted(fuzz.statuses.items()))
    seconds = time.monotonic() - began
    say(f"seed {given.seed}: {given.n} requests in {seconds:.0f} s, {failures} failures ({told})")
    sys.exit(failures > 0)


if __name__ == "__main__":
    main()
