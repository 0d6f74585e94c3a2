"""Answers the calls by which a job of CodePipeline is looked at and ended."""

import json
import re
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Final, Protocol

from pipelinekit.tools.loopback import TARGET, Call, CallRefused, Reply
from pipelinekit.tools.signature import Flaw

OUTPUT_VARIABLES_BYTES: Final = 122_880
OPERATIONS: Final = ("GetJobDetails", "PutJobSuccessResult", "PutJobFailureResult")

JsonObject = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class JobSucceeded:
    """What PutJobSuccessResult has told.

    Attributes:
        token: With it the work goes on in another job; None when it is done.
        variables: Output variables.
        summary: One line for people.
        external_id: What the worker calls this run.
    """

    token: str | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    summary: str = ""
    external_id: str = ""


@dataclass(frozen=True, slots=True)
class JobFailed:
    """What PutJobFailureResult has told.

    Attributes:
        type: The kind of failure.
        message: Why.
        external_id: What the worker calls this run.
    """

    type: str
    message: str
    external_id: str = ""


class _Shape(Protocol):
    """A shape of botocore's model; structures have `members`, maps `key` and `value`."""

    type_name: str
    metadata: Mapping[str, object]
    members: Mapping[str, "_Shape"]
    key: "_Shape"
    value: "_Shape"


class JobCalls:
    """The calls for one job, and after a continuation token for the next.

    Each answer is refused as AWS does it: an unknown job, one that has ended, a parameter that
    is missing or out of its bounds by botocore's model of the service.
    """

    flaws: ClassVar[Mapping[Flaw, str]] = {
        Flaw.MISSING: "MissingAuthenticationTokenException",
        Flaw.UNKNOWN_KEY: "UnrecognizedClientException",
        Flaw.WRONG: "InvalidSignatureException",
    }

    def __init__(self) -> None:
        import botocore.session  # noqa: PLC0415 - only a job needs it

        self._model = botocore.session.get_session().get_service_model("codepipeline")
        self._jobs: dict[str, JsonObject] = {}
        self._answers: dict[str, JobSucceeded | JobFailed] = {}
        self._lock = threading.Lock()

    def offer(self, job: str, details: JsonObject) -> None:
        """Let a job begin.

        Args:
            job: Its id.
            details: What GetJobDetails gives, as JSON values.
        """
        with self._lock:
            self._jobs[job] = details

    def ended(self, job: str) -> JobSucceeded | JobFailed | None:
        """Give what a job was ended with; None while it is in progress."""
        with self._lock:
            return self._answers.get(job)

    def answer(self, call: Call) -> Reply:
        """Do what is asked.

        Raises:
            CallRefused: With CodePipeline's own code.
        """
        operation = call.headers[TARGET].rpartition(".")[2]
        if operation not in OPERATIONS:
            raise CallRefused(
                "AccessDeniedException",
                f"{operation} was called, and a function may call {', '.join(OPERATIONS)} here",
            )
        given = self._given(operation, call.body.read())
        job = str(given["jobId"])
        with self._lock:
            if job not in self._jobs:
                raise CallRefused("JobNotFoundException", f"there is no job {job}")
            if operation == "GetJobDetails":
                return _json({"jobDetails": self._jobs[job]})
            if job in self._answers:
                raise CallRefused("InvalidJobStateException", f"job {job} has ended already")
            self._answers[job] = (_success if operation == OPERATIONS[1] else _failure)(given)
        return _json({})

    def refusal(self, error: CallRefused) -> Reply:
        """Write an error as CodePipeline does."""
        return _json({"__type": error.code, "message": str(error)}, error.status)

    def _given(self, operation: str, body: bytes) -> dict[str, object]:
        from botocore.validate import ParamValidator  # noqa: PLC0415

        try:
            given = json.loads(body)
        except ValueError:
            raise CallRefused("SerializationException", "the body is no JSON") from None
        shape = self._model.operation_model(operation).input_shape
        report = ParamValidator().validate(given, shape)
        faults = report.generate_report() or "\n".join(_out_of_bounds(shape, given, "input"))
        if faults:
            raise CallRefused("ValidationException", faults)
        return dict(given)


def _out_of_bounds(shape: _Shape, value: object, place: str) -> Iterator[str]:
    if isinstance(value, dict):
        for name, each in value.items():
            inside = shape.value if shape.type_name == "map" else shape.members[name]
            yield from _out_of_bounds(inside, each, f"{place}.{name}")
            if shape.type_name == "map":
                yield from _out_of_bounds(shape.key, name, f"the name {name} in {place}")
    elif isinstance(value, str):
        yield from _odd_text(shape.metadata, value, place)


def _odd_text(bounds: Mapping[str, object], value: str, place: str) -> Iterator[str]:
    allowed, most, pattern = (bounds.get(name) for name in ("enum", "max", "pattern"))
    if isinstance(allowed, list) and value not in allowed:
        yield f"{place} is {value!r}; it must be one of {', '.join(allowed)}"
    if isinstance(most, int) and len(value) > most:
        yield f"{place} has {len(value)} characters; it may have {most}"
    if isinstance(pattern, str) and not re.fullmatch(pattern, value):
        yield f"{place} is {value!r}; it must match {pattern}"


def _success(given: JsonObject) -> JobSucceeded:
    variables, details = _object(given, "outputVariables"), _object(given, "executionDetails")
    token = given.get("continuationToken")
    if token is not None and variables:
        found = "outputVariables are given with a continuationToken; give them with the last call"
        raise CallRefused("ValidationException", found)
    size = sum(len(f"{name}{value}".encode()) for name, value in variables.items())
    if size > OUTPUT_VARIABLES_BYTES:
        found = f"outputVariables have {size} bytes; they may have {OUTPUT_VARIABLES_BYTES}"
        raise CallRefused("OutputVariablesSizeExceededException", found)
    return JobSucceeded(
        token=None if token is None else str(token),
        variables={name: str(value) for name, value in variables.items()},
        summary=str(details.get("summary", "")),
        external_id=str(details.get("externalExecutionId", "")),
    )


def _failure(given: JsonObject) -> JobFailed:
    told = _object(given, "failureDetails")
    external = str(told.get("externalExecutionId", ""))
    return JobFailed(str(told["type"]), str(told["message"]), external)


def _object(given: JsonObject, name: str) -> JsonObject:
    found = given.get(name)
    return found if isinstance(found, dict) else {}


def _json(data: JsonObject, status: int = 200) -> Reply:
    headers = {"Content-Type": "application/x-amz-json-1.1"}
    return Reply(status, headers, json.dumps(data).encode())
