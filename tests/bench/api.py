"""What calls of the API cost over HTTP, beside moto's server, which answers some of them too.

`python -m tests.bench.api` measures both, and how long GetPipelineState takes with 1,000 pipelines
and 100,000 executions; with `--quick` fewer.
"""

import argparse
import json
import os
import statistics
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from msgspec.structs import replace

import pipelinekit as pk
from pipelinekit.model.pipeline import Pipeline
from tests.account import serving as moto_serving
from tests.bench.asker import seconds
from tests.bench.filling import fill
from tests.bench.nothing import nothing, source
from tests.operations.declarations import Json, approval, pipeline, stage
from tests.operations.served import serving

CALLERS = 16
"""How many connections ask at once."""

ROUNDS = 5
AIM_STATE_MS = 20.0
PREFIX = "CodePipeline_20150709"


class Size(NamedTuple):
    """How much is measured: calls of each kind, and what is stored while state is read."""

    calls: int
    pipelines: int
    executions: int


FULL, QUICK = Size(1_000, 1_000, 100_000), Size(200, 100, 2_000)


class Compared(NamedTuple):
    """How many calls of an operation one core answers in a second, here and by moto's server."""

    operation: str
    here: float
    moto: float

    @property
    def times(self) -> float:
        """Give how many times as many calls are answered here."""
        return self.here / self.moto


def measure(size: Size = QUICK) -> Iterator[Compared]:
    """Compare by turns, since the machine is not always equally fast; the middle round counts."""
    with tempfile.TemporaryDirectory() as folder, _servers(Path(folder)) as servers:
        there = max(1, size.calls // 5)  # lists grow with what was made
        for server in servers:
            _rate(server, [_creation(server, f"shop-{number}") for number in range(there)])
        calls: Mapping[str, Callable[[_Asker, str], bytes]] = {
            "ListPipelines": lambda server, _: server.signed("ListPipelines", {}),
            "GetPipeline": lambda server, _: server.signed("GetPipeline", {"name": "shop-0"}),
            "CreatePipeline": _creation,
        }
        for operation, call in calls.items():
            rounds = []
            for each in range(ROUNDS):
                names = [f"new-{each}-{number}" for number in range(there)]
                rates = (
                    _rate(server, [call(server, name) for name in names]) for server in servers
                )
                rounds.append(Compared(operation, *rates))
            yield sorted(rounds, key=lambda each: each.times)[ROUNDS // 2]


@contextmanager
def _servers(folder: Path) -> Iterator[tuple["_Asker", "_Asker"]]:
    """Run both servers on one core, and whoever asks one of them on the others."""
    all_cores = os.sched_getaffinity(0)
    core, *others = sorted(all_cores)
    os.sched_setaffinity(0, {core})
    try:
        with serving(folder) as environment, moto_serving() as url:
            os.sched_setaffinity(0, others or all_cores)
            _make_role(url)
            keys = _keys(Path(environment["AWS_SHARED_CREDENTIALS_FILE"]))
            here = _Asker(environment["AWS_ENDPOINT_URL_CODEPIPELINE"], keys)
            yield here, _Asker(url, Credentials("any", "any"))
    finally:
        os.sched_setaffinity(0, all_cores)


def state_milliseconds(size: Size = QUICK) -> tuple[float, float]:
    """Give how long half of the calls, and 99 of 100, of GetPipelineState take at most."""
    names = [f"service-{number:04}" for number in range(size.pipelines)]
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder, ".pipelinekit")
        home.mkdir()
        url = f"sqlite:///{home / 'pipelinekit.db'}"
        made = [_made(name) for name in names]
        fill(url, size.executions * 3, pipelines=made)
        with serving(Path(folder)) as environment:
            keys = _keys(Path(environment["AWS_SHARED_CREDENTIALS_FILE"]))
            ask = _Asker(environment["AWS_ENDPOINT_URL_CODEPIPELINE"], keys)
            taken = []
            for number in range(size.calls):
                call = ask.signed("GetPipelineState", {"name": names[number * 7 % len(names)]})
                taken.append(ask.seconds([call], 1) * 1000)
    hundredths = statistics.quantiles(taken, n=100, method="inclusive")
    return hundredths[49], hundredths[98]


def _made(name: str) -> Pipeline:
    return (
        pk.Pipeline(name)
        >> pk.Stage("Source", source("Fetch"))
        >> pk.Stage("Gate", pk.approval("ok"))
        >> pk.Stage("Live", replace(nothing("live-3"), run_order=1))
    )


class _Asker:
    """Signs calls and sends them."""

    def __init__(self, url: str, keys: Credentials) -> None:
        place = urlsplit(url)
        self._url = f"{url}/"
        self._address = (str(place.hostname), place.port or 80)
        self._signer = SigV4Auth(keys, "codepipeline", "us-east-1")

    def signed(self, operation: str, given: Json) -> bytes:
        body = json.dumps(given).encode()
        headers = {
            "Host": f"{self._address[0]}:{self._address[1]}",
            "X-Amz-Target": f"{PREFIX}.{operation}",
            "Content-Type": "application/x-amz-json-1.1",
            "Content-Length": str(len(body)),
        }
        request = AWSRequest("POST", self._url, headers=headers, data=body)
        self._signer.add_auth(request)
        lines = (f"{name}: {value}\r\n" for name, value in request.headers.items())
        return f"POST / HTTP/1.1\r\n{''.join(lines)}\r\n".encode() + body

    def seconds(self, calls: Sequence[bytes], connections: int = CALLERS) -> float:
        return seconds(self._address, calls, connections)


def _creation(server: _Asker, name: str) -> bytes:
    return server.signed("CreatePipeline", {"pipeline": _declared(name)})


def _rate(server: _Asker, calls: Sequence[bytes]) -> float:
    return len(calls) / server.seconds(calls)


def _declared(name: str) -> Json:
    """Declare what moto takes too: a source that is polled at AWS only, and an approval."""
    role = "arn:aws:iam::123456789012:role/shop"
    made = pipeline(stage("Live", approval()), name=name, roleArn=role)
    made["stages"][0]["actions"][0]["actionTypeId"] = {
        "category": "Source",
        "owner": "AWS",
        "provider": "S3",
        "version": "1",
    }
    made["stages"][0]["actions"][0]["configuration"] = {"S3Bucket": "b", "S3ObjectKey": "k.zip"}
    return made


def _make_role(url: str) -> None:
    iam = boto3.client(
        "iam",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="any",
        aws_secret_access_key="any",
    )
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "codepipeline.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    iam.create_role(RoleName="shop", AssumeRolePolicyDocument=json.dumps(trust))


def _keys(file: Path) -> Credentials:
    words = [line.partition("=")[2].strip() for line in file.read_text("utf-8").splitlines()]
    return Credentials(words[1], words[2])


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.api")
    parser.add_argument("--quick", action="store_true", help="fewer calls on less that is stored")
    size = QUICK if parser.parse_args().quick else FULL
    print(f"{'calls a second on one core':28} {'here':>7} {'moto':>7} {'times':>6}  at least 3")
    for each in measure(size):
        rates = f"{each.here:7.0f} {each.moto:7.0f} {each.times:6.1f}"
        print(f"{each.operation:28} {rates}", flush=True)
    half, most = state_milliseconds(size)
    told = f"{size.pipelines:,} pipelines, {size.executions:,} executions"
    print(f"GetPipelineState, {told}, ms: p50 {half:.1f}, p99 {most:.1f}, at most {AIM_STATE_MS}")


if __name__ == "__main__":
    main()
