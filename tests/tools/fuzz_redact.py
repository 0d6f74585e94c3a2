"""Random secrets in random forms, cut at random places: `python -m tests.tools.fuzz_redact`."""

import argparse
import base64
import json
import random
import shlex
import string
import sys
from collections.abc import Callable, Iterator
from urllib.parse import quote, quote_plus

from pipelinekit.tools.redact import SHORTEST, Redactor

NOISE = "#"  # stands in no secret of these, and in no form of one
ALPHABETS = (
    string.ascii_letters + string.digits,
    string.printable.replace(NOISE, ""),
    "ab",
    "aé𝄞\\\"'/+ %\n",
)
ENCODERS: tuple[Callable[[str], str], ...] = (
    str,
    lambda text: json.dumps(text)[1:-1],
    lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    quote,
    lambda text: quote(text, safe=""),
    quote_plus,
    lambda text: shlex.quote(f" {text}")[2:-1],
    lambda text: repr(f"'\"{text}")[4:-1],
    lambda text: repr(text.encode())[2:-1],
    lambda text: text.encode().hex(),
    lambda text: text.encode().hex().upper(),
)


def chunks(stream: bytes, dice: random.Random) -> Iterator[bytes]:
    most = dice.choice((1, 3, 17, 400))
    while stream:
        size = dice.randint(1, most)
        yield stream[:size]
        stream = stream[size:]


def streamed(redactor: Redactor, stream: bytes, dice: random.Random) -> bytes:
    return b"".join(map(redactor.feed, chunks(stream, dice))) + redactor.close()


def secret_of(dice: random.Random) -> str:
    alphabet = dice.choice(ALPHABETS)
    secret = "".join(dice.choices(alphabet, k=dice.randint(SHORTEST, 60))).strip()
    return secret if len(secret) >= SHORTEST else "fallback"


def check_forms(dice: random.Random) -> None:
    secrets = [secret_of(dice) for _ in range(dice.randint(1, 3))]
    written = [dice.choice(ENCODERS)(secret) for secret in secrets]
    stream = NOISE.join(("", *written, "")).encode()
    shown = streamed(Redactor(secrets), stream, dice).decode()
    assert len(shown) == shown.count(NOISE) + shown.count("*")
    assert shown.count(NOISE) == len(secrets) + 1
    assert "" not in shown.split(NOISE)[1:-1]


def check_base64(dice: random.Random) -> None:
    secret = secret_of(dice).encode()
    before = dice.randbytes(dice.randint(0, 50))
    encode = dice.choice((base64.b64encode, base64.urlsafe_b64encode))
    stream = encode(before + secret + dice.randbytes(dice.randint(0, 50)))
    inner = stream[-(-len(before) * 8 // 6) : (len(before) + len(secret)) * 8 // 6]
    shown = streamed(Redactor([secret]), stream, dice)
    assert inner not in shown
    assert b"***" in shown


def check_cuts(dice: random.Random) -> None:
    secrets = ["".join(dice.choices("ab", k=dice.randint(4, 9))) for _ in range(3)]
    stream = "".join(dice.choices("ab", k=300)).encode()
    redactor = Redactor(secrets)
    whole = redactor.redacted(stream.decode())
    assert streamed(redactor, stream, dice).decode() == whole
    assert not any(secret in whole for secret in secrets)


CHECKS = (check_forms, check_base64, check_cuts)


def main() -> None:
    """Look at random streams of each kind; a secret that gets through ends it."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--n", type=int, default=20_000, help="how many streams of each kind")
    asked.add_argument("--seed", type=int, default=1_000, help="the first seed")
    given = asked.parse_args()
    for check in CHECKS:
        for seed in range(given.seed, given.seed + given.n):
            check(random.Random(seed))
        sys.stdout.write(f"{check.__name__}: {given.n} streams from seed {given.seed}, no leak\n")


if __name__ == "__main__":
    main()
