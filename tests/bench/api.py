"""What calls of the API cost over HTTP, beside moto's server, which answers some of them too.

`python -m tests.bench.api` measures both on one core each, while the client has another one, and
how long GetPipelineState takes with 1,000 pipelines and 100,000 executions; with `--quick` fewer.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from urllib3 import HTTPConnectionPool

import pipelinekit as pk
from pipelinekit.model.pipeline import Pipeline
from tests.account import serving as moto_serving
from tests.bench.engine import nothing, source
from tests.bench.filling import fill
from tests.operations.declarations import Json, approval, pipeline, stage
from tests.operations.served import serving

CALLERS = 4
"""How many connections ask at once."""

AIM_TIMES = 3.0
AIM_STATE_MS = 20.0
PREFIX = "CodePipeline_20150709"


class Size(NamedTuple):
    """How much is measured: calls of each kind, and what is stored while state is read."""

    calls: int
    pipelines: int
    executions: int


FULL, QUICK = Size(1_000, 1_000, 100_000), Size(200, 100, 2_000)


class Rate(NamedTuple):
    """How many calls of an operation are answered in a second."""

    operation: str
    ours: float
    moto: float


def measure(size: Size = QUICK) -> Iterator[Rate]:
    """Compare the requests per second with moto's."""
    with tempfile.TemporaryDirectory() as folder, _on_one_core():
        with serving(Path(folder)) as environment:
            keys = _keys(Path(environment["AWS_SHARED_CREDENTIALS_FILE"]))
            ours = _rates(environment["AWS_ENDPOINT_URL_CODEPIPELINE"], keys, size.calls)
        with moto_serving() as url:
            _make_role(url)
            others = _rates(url, Credentials("any", "any"), size.calls)
    for operation, rate in ours.items():
        yield Rate(operation, rate, others[operation])


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
                began = time.perf_counter()
                ask.send(call)
                taken.append((time.perf_counter() - began) * 1000)
    hundredths = statistics.quantiles(taken, n=100, method="inclusive")
    return hundredths[49], hundredths[98]


def _made(name: str) -> Pipeline:
    return (
        pk.Pipeline(name)
        >> pk.Stage("Source", source("Fetch"))
        >> pk.Stage("Gate", pk.approval("ok"))
        >> pk.Stage("Live", replace(nothing("live-3"), run_order=1))
    )


class _Call(NamedTuple):
    headers: Mapping[str, str]
    body: bytes


class _Asker:
    """Sends signed calls over connections that stay open, where the server lets them."""

    def __init__(self, url: str, keys: Credentials) -> None:
        place = urlsplit(url)
        self._url = f"{url}/"
        self._pool = HTTPConnectionPool(str(place.hostname), place.port, maxsize=CALLERS)
        self._signer = SigV4Auth(keys, "codepipeline", "us-east-1")

    def signed(self, operation: str, given: Json) -> _Call:
        body = json.dumps(given).encode()
        headers = {
            "X-Amz-Target": f"{PREFIX}.{operation}",
            "Content-Type": "application/x-amz-json-1.1",
        }
        request = AWSRequest("POST", self._url, headers=headers, data=body)
        self._signer.add_auth(request)
        return _Call({name: str(value) for name, value in request.headers.items()}, body)

    def send(self, call: _Call) -> None:
        answer = self._pool.request("POST", "/", body=call.body, headers=dict(call.headers))
        assert answer.status == 200, answer.data


def _rates(url: str, keys: Credentials, count: int) -> dict[str, float]:
    ask = _Asker(url, keys)
    declared = [_declared(f"shop-{number}") for number in range(count)]
    few = max(1, count // 10)  # lists grow with what was made
    wanted: dict[str, Callable[[int], tuple[str, Json]]] = {
        "CreatePipeline": lambda n: ("CreatePipeline", {"pipeline": declared[n]}),
        "GetPipeline": lambda n: ("GetPipeline", {"name": f"shop-{n % few}"}),
        "ListPipelines": lambda _: ("ListPipelines", {}),
    }
    found: dict[str, float] = {}
    for name, call in wanted.items():
        times = few if name == "CreatePipeline" else count
        calls = [ask.signed(*call(number)) for number in range(times)]
        found[name] = times / _seconds(ask, calls)
    return found


def _seconds(ask: _Asker, calls: Sequence[_Call]) -> float:
    with ThreadPoolExecutor(CALLERS) as crew:
        began = time.perf_counter()
        list(crew.map(ask.send, calls))
        return time.perf_counter() - began


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


@contextmanager
def _on_one_core() -> Iterator[None]:
    """Let servers that are started meanwhile have the first core, and this process the others."""
    every = os.sched_getaffinity(0)
    first, *others = sorted(every)
    popen = subprocess.Popen

    class Pinned(popen):  # type: ignore[misc,valid-type]  # it is the real one
        def __init__(self, *args: object, **more: object) -> None:
            super().__init__(*args, **more)
            os.sched_setaffinity(self.pid, {first})

    subprocess.Popen = Pinned  # type: ignore[misc]  # a server starts its threads after this
    os.sched_setaffinity(0, set(others) or every)
    try:
        yield
    finally:
        subprocess.Popen = popen  # type: ignore[misc]  # as it was
        os.sched_setaffinity(0, every)


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.api")
    parser.add_argument("--quick", action="store_true", help="fewer calls on less that is stored")
    size = QUICK if parser.parse_args().quick else FULL
    print(f"{'operation':20} {'a second':>9} {'by moto':>9} {'times':>6}  at least {AIM_TIMES}")
    for operation, ours, moto in measure(size):
        print(f"{operation:20} {ours:9.0f} {moto:9.0f} {ours / moto:6.1f}", flush=True)
    half, most = state_milliseconds(size)
    told = f"{size.pipelines:,} pipelines, {size.executions:,} executions"
    print(f"GetPipelineState, {told}, ms: p50 {half:.1f}, p99 {most:.1f}, at most {AIM_STATE_MS}")


if __name__ == "__main__":
    sys.exit(main())
