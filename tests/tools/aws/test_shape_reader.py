"""What is read at once is what the check would have given, and nothing that it refuses."""

import json
from contextlib import suppress

import pytest

from pipelinekit.tools.aws.service_model import OperationModel, service
from pipelinekit.tools.aws.shape_check import checked
from pipelinekit.tools.aws.shape_reader import read
from tests.operations.fuzz import asked
from tests.operations.requests import operations, shape_of, valid

LATER = {"PutActionRevision", "PutJobSuccessResult", "PutThirdPartyJobSuccessResult"}
"""Operations with times, which are made of the numbers that were read."""

TAG = '{"resourceArn": "arn:aws:codepipeline:us-east-1:0:shop", "tags": [%s]}'


def model(operation: str) -> OperationModel:
    return service("codepipeline").operation_model(operation)


@pytest.mark.parametrize("operation", sorted(set(operations()) - LATER))
def test_a_valid_request_is_read_at_once(operation: str) -> None:
    for whole in (False, True):
        request = valid(shape_of(operation), whole=whole)
        told, faults = checked(model(operation), request)
        for text in (json.dumps(request), json.dumps(request, indent=2)):
            assert read(model(operation), text.encode()) == (None if faults else told)
        assert bool(faults) == (whole and operation == "UpdateActionType")  # it accepts "*"


def test_nothing_is_read_at_once_that_the_check_refuses_or_reads_otherwise() -> None:
    known = set(operations())
    at_once = 0
    for request in asked(seed=1, count=4000):
        if request.operation not in known:
            continue
        found = read(model(request.operation), request.body)
        if found is not None:
            at_once += 1
            with suppress(ValueError):
                assert checked(model(request.operation), json.loads(request.body)) == (found, "")
    assert at_once > 500


@pytest.mark.parametrize(
    "tag",
    [
        '{"key": "a", "value": "b", "key": "c"}',
        '{"key": "a", "value": "b", "more": 1}',
        '{"key": "a", "value": null}',
        '{"key": "a", "value": 1}',
        '{"key": "\\u003a", "value": "b", "key": "c"}',
        '{"key": "\\ud800", "value": "b"}',
        '{"key": "", "value": "b"}',
        '{"key": "a"}',
        "[]",
        '{"key": "a", "value": "b"',
    ],
)
def test_what_is_odd_is_left_to_the_check(tag: str) -> None:
    assert read(model("TagResource"), (TAG % tag).encode()) is None


def test_lengths_are_counted_in_characters_and_patterns_are_of_ascii() -> None:
    long = {
        "resourceArn": "a:b:c:d:e:f",
        "tags": [{"key": "\N{SLICE OF PIZZA}" * 128, "value": "é"}],
    }
    for request in (long, {**long, "tags": [{"key": "ü" * 129, "value": ""}]}):
        told, faults = checked(model("TagResource"), request)
        found = read(model("TagResource"), json.dumps(request, ensure_ascii=False).encode())
        assert found == (None if faults else told)
    name = json.dumps({"name": "shop٣"}, ensure_ascii=False).encode()
    assert read(model("GetPipeline"), name) is None


def test_what_is_nested_too_deeply_is_left_to_the_check() -> None:
    assert read(model("ListPipelines"), b'{"x": ' * 5000 + b"1" + b"}" * 5000) is None
