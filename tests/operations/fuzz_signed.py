"""Sends forgeries of signed calls: `python -m tests.operations.fuzz_signed --n 20000`.

Each is a call that was signed as it should be, and of which something was changed afterwards: the
body, a header, the signature, its date or scope, the headers that it covers, the method, the path.
"""

import argparse
import http.client
import itertools
import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import NamedTuple

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

import pipelinekit as pk
from pipelinekit.endpoint.app import UNREADABLE, Endpoint
from pipelinekit.endpoint.callers import Caller
from pipelinekit.operations.answer import PREFIX, TYPE
from pipelinekit.tools.aws.signature import signed
from tests.operations.declarations import usual
from tests.operations.in_process import Request, ask
from tests.operations.requests import operations, shape_of, valid

HOST = "127.0.0.1:8642"
CALLERS = {"AKIATEST": Caller("ben", "correct horse"), "AKIAOTHER": Caller("eve", "battery")}
ODD = ["", "a", "Z", "0", "9", "=", "/", ";", ",", " ", "\xff", "\t", "x" * 300]
EVERY = 200
"""After how many forgeries a call as it should be is sent, which has to be let in."""

Headers = Mapping[str, str]


class Forged(NamedTuple):
    """A call of which something was changed.

    Attributes:
        how: What was changed.
    """

    how: str
    request: Request

    def over_http(self, host: str) -> int:
        """Send it to a server; give the status of the answer."""
        method, uri, headers, body = self.request
        connection = http.client.HTTPConnection(host, timeout=10)
        try:
            connection.putrequest(method, uri, skip_host="Host" in headers)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                connection.putheader(name, value.encode("latin-1", "replace"))
            connection.endheaders(body)
            return connection.getresponse().status
        finally:
            connection.close()


class Signatures:
    """Signs calls of all operations, and changes something of each.

    Args:
        host: Whom the calls are for.
    """

    def __init__(self, host: str = HOST) -> None:
        self._host = host
        self._bodies = {
            name: json.dumps(valid(shape_of(name), whole=True)).encode() for name in operations()
        }

    def call(self, operation: str, key: str = "AKIATEST", secret: str | None = None) -> Request:
        """Sign a call as it should be, or with a secret that is not the caller's."""
        body = self._bodies[operation]
        headers = {"X-Amz-Target": f"{PREFIX}.{operation}", "Content-Type": TYPE}
        request = AWSRequest("POST", f"http://{self._host}/", headers=headers, data=body)
        keys = Credentials(key, secret or CALLERS[key].secret)
        SigV4Auth(keys, "codepipeline", "us-east-1").add_auth(request)
        told = {name: str(value) for name, value in request.headers.items()}
        return Request("POST", "/", {"Host": self._host, **told}, body)

    def forgeries(self, seed: int) -> Iterator[Forged]:
        """Make forgeries; the same kinds in the same order for the same seed."""
        dice = random.Random(seed)
        hows = [*_CHANGES, self._of_two, self._with_another_secret, self._in_anothers_name]
        while True:
            call = self.call(dice.choice(operations()))
            how = dice.choice(hows)
            forged = how(dice, call)
            if _meaning(forged) != _meaning(call):
                yield Forged(how.__name__.strip("_"), forged)

    def _of_two(self, dice: random.Random, call: Request) -> Request:
        mine = call.headers["X-Amz-Target"].rpartition(".")[2]
        others = [each for each in operations() if each != mine]
        other = self.call(dice.choice(others), dice.choice(list(CALLERS)))
        name = dice.choice([*call.headers, "body"])
        if name == "body":
            return call._replace(body=other.body)
        return _with(call, name, other.headers[name])

    def _with_another_secret(self, dice: random.Random, call: Request) -> Request:
        operation = call.headers["X-Amz-Target"].rpartition(".")[2]
        secret = dice.choice([CALLERS["AKIAOTHER"].secret, "guessed", "x", " "])
        return self.call(operation, secret=secret)

    def _in_anothers_name(self, dice: random.Random, call: Request) -> Request:
        key = dice.choice(["AKIAOTHER", "AKIANOBODY", "akiatest", "AKIATEST\x00", ""])
        return _authorized(call, "AKIATEST", key)


def _meaning(call: Request) -> object:
    """Give all that a signature covers, as it is understood: spaces do not count in headers."""
    told = {name.lower(): " ".join(value.split()) for name, value in call.headers.items()}
    authorization = told.pop("authorization", "")
    scope = signed({"authorization": authorization}) or authorization
    return (call.method, call.uri.removesuffix("?"), call.body, scope, told)


def _with(call: Request, name: str, value: str) -> Request:
    return call._replace(headers={**call.headers, name: value})


def _authorized(call: Request, old: str, new: str) -> Request:
    return _with(call, "Authorization", call.headers["Authorization"].replace(old, new, 1))


def _changed(dice: random.Random, text: str) -> str:
    place = dice.randrange(len(text) + 1)
    return text[:place] + dice.choice(ODD) + text[place + dice.randrange(3) :]


def _body(dice: random.Random, call: Request) -> Request:
    text = _changed(dice, call.body.decode("latin-1"))
    return call._replace(body=dice.choice([text, "", "{}", f" {text}"]).encode("latin-1"))


def _header(dice: random.Random, call: Request) -> Request:
    name = dice.choice(list(call.headers))
    return _with(call, name, _changed(dice, call.headers[name]))


def _missing_header(dice: random.Random, call: Request) -> Request:
    left = dict(call.headers)
    del left[dice.choice(list(left))]
    return call._replace(headers=left)


def _unsigned_header(dice: random.Random, call: Request) -> Request:
    name = dice.choice(["X-Amz-Security-Token", "X-Amz-Content-SHA256"])
    return _with(call, name, dice.choice(["UNSIGNED-PAYLOAD", "", "token", "0" * 64]))


def _target(dice: random.Random, call: Request) -> Request:
    named = [*operations(), "", "getPipeline", "ListPipelines\x00"]
    prefix = dice.choice([PREFIX, PREFIX.lower(), "", "CodePipeline"])
    return _with(call, "X-Amz-Target", f"{prefix}.{dice.choice(named)}")


def _date(dice: random.Random, call: Request) -> Request:
    seconds = dice.choice([1, -1, 60, -299, 301, -301, 86_400, -86_400, 10**8])
    at = datetime.now(UTC) + timedelta(seconds=seconds)
    form = dice.choice(["%Y%m%dT%H%M%SZ", "%Y-%m-%dT%H:%M:%SZ", "%Y%m%d", "%a, %d %b %Y"])
    other = _with(call, "X-Amz-Date", f"{at:{form}}")
    return _authorized(other, _scope(call)[1], f"{at:%Y%m%d}") if dice.random() < 0.5 else other


def _credential_scope(dice: random.Random, call: Request) -> Request:
    part = dice.choice(_scope(call))
    odd = ["", "eu-west-1", "sqs", "s3", "sts", "20200101", "aws4", "*", _changed(dice, part)]
    return _authorized(call, f"/{part}", f"/{dice.choice(odd)}")


def _scope(call: Request) -> list[str]:
    credential = call.headers["Authorization"].partition("Credential=")[2].partition(",")[0]
    return credential.split("/")


def _signature(dice: random.Random, call: Request) -> Request:
    old = call.headers["Authorization"].rpartition("=")[2]
    place = dice.randrange(len(old))
    digit = dice.choice("0123456789abcdef")
    odd = [old[:place] + digit + old[place + 1 :], old.upper(), old[:-1], f"{old}0", "", "0" * 64]
    return _authorized(call, old, dice.choice(odd))


def _covered_headers(dice: random.Random, call: Request) -> Request:
    names = call.headers["Authorization"].partition("SignedHeaders=")[2].partition(",")[0]
    listed = names.split(";")
    fewer = ";".join(each for each in listed if each != dice.choice(listed))
    odd = [fewer, ";".join(reversed(listed)), f"{names};{listed[-1]}", f"{names};x-none", ""]
    return _authorized(call, names, dice.choice([*odd, names.title()]))


def _algorithm(dice: random.Random, call: Request) -> Request:
    odd = ["AWS4-HMAC-SHA1", "AWS4-ECDSA-P256-SHA256", "Bearer", "Basic", "", "aws4-hmac-sha256"]
    return _authorized(call, "AWS4-HMAC-SHA256", dice.choice(odd))


def _method(dice: random.Random, call: Request) -> Request:
    return call._replace(method=dice.choice(["GET", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"]))


def _path(dice: random.Random, call: Request) -> Request:
    return call._replace(
        uri=dice.choice(["/?x=y", "//", "/a", "/./", "/%2f", "/?", "/codepipeline"])
    )


_CHANGES: list[Callable[[random.Random, Request], Request]] = [
    _body,
    _header,
    _missing_header,
    _unsigned_header,
    _target,
    _date,
    _credential_scope,
    _signature,
    _covered_headers,
    _algorithm,
    _method,
    _path,
]


class Forger:
    """Sends forgeries to one kit, and looks whether one is let in.

    Args:
        folder: Where the kit's state is kept.
    """

    def __init__(self, folder: Path) -> None:
        settings = pk.Settings(folder=str(folder))
        self._kit = pk.Kit(folder / "forged", settings=settings, work=False, by="fuzz")
        self._endpoint = Endpoint(self._kit, CALLERS)
        self._kit.client().create_pipeline(pipeline=usual())
        self._signatures = Signatures()
        self._seen = self._last()
        self.statuses: Counter[int] = Counter()
        self.kinds: Counter[str] = Counter()

    def forgeries(self, seed: int, count: int) -> Iterator[Forged]:
        """Make forgeries, and see now and then that what is none is let in."""
        for number, forged in enumerate(itertools.islice(self._signatures.forgeries(seed), count)):
            if number % EVERY == 0:
                status, told = ask(self._endpoint, self._signatures.call("ListPipelines"))
                assert status in {200, 400}, told  # its token is of nobody's list
            yield forged

    def fault(self, forged: Forged) -> str | None:
        """Send a forgery; say what should not have been."""
        status, told = ask(self._endpoint, forged.request)
        self.statuses[status] += 1
        self.kinds[forged.how] += 1
        unread = status == HTTPStatus.BAD_REQUEST and UNREADABLE.encode() in told
        if status not in {403, 404} and not unread:
            return f"{status}: {told[:300]!r}"
        before, self._seen = self._seen, self._last()
        return None if self._seen == before else f"{status} has changed the state"

    def close(self) -> None:
        """Close the kit."""
        self._kit.close()

    def _last(self) -> int:
        return sum(record.number for record in self._kit.store.tail(None))


def main() -> None:
    """Send forgeries, and print what should not have been."""
    parser = argparse.ArgumentParser(prog="python -m tests.operations.fuzz_signed")
    parser.add_argument("--n", type=int, default=20_000, help="how many forgeries")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    given = parser.parse_args()
    began, failures = time.monotonic(), 0
    with tempfile.TemporaryDirectory() as folder:
        forger = Forger(Path(folder))
        for forged in forger.forgeries(given.seed, given.n):
            fault = forger.fault(forged)
            if fault is not None:
                failures += 1
                sys.stdout.write(f"{forged}\n  {fault}\n")
        forger.close()
    told = ", ".join(f"{status}: {count}" for status, count in sorted(forger.statuses.items()))
    seconds = time.monotonic() - began
    sys.stdout.write(
        f"seed {given.seed}: {given.n} forgeries of {len(forger.kinds)} kinds in {seconds:.0f} s, "
        f"{failures} failures ({told})\n"
    )
    sys.exit(failures > 0)


if __name__ == "__main__":
    main()
