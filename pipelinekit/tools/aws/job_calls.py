"""Answers the calls by which a job of CodePipeline is looked at and ended."""

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Final

from pipelinekit.tools.aws.loopback import TARGET, Call, CallRefused, Reply
from pipelinekit.tools.aws.service_model import service
from pipelinekit.tools.aws.shape_check import checked
from pipelinekit.tools.aws.signature import Flaw

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
        percent: How much of the work is done, 0 to 100.
    """

    token: str | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    summary: str = ""
    external_id: str = ""
    percent: int | None = None


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
        try:
            given = json.loads(body)
        except ValueError:
            raise CallRefused("SerializationException", "the body is no JSON") from None
        found, faults = checked(service("codepipeline").operation_model(operation), given)
        if faults:
            raise CallRefused("ValidationException", faults)
        return found


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
        percent=percent if isinstance(percent := details.get("percentComplete"), int) else None,
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
