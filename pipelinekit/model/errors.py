"""Everything that can be refused, as one tree; each class bears its CodePipeline error code.

PipelineKitError
├── ValidationError                 a value outside its shape, an illegal combination
│   ├── DefinitionError             a definition with faults, all of them at once
│   ├── InvalidToken                a request token used for something else before
│   ├── InvalidNextToken  InvalidTags  TooManyTags  InvalidArn  OutputVariablesSizeExceeded
│   └── InvalidWebhookFilter  InvalidWebhookAuthentication
├── NotFound
│   ├── PipelineNotFound  PipelineVersionNotFound  ExecutionNotFound  StageNotFound  ActionNotFound
│   ├── ActionExecutionNotFound  ActionTypeNotFound  JobNotFound  WebhookNotFound  ResourceNotFound
├── PipelineNameInUse  LimitExceeded
├── CannotRunHere                   an action that this machine has no hands for
├── NotStoppable  DuplicatedStop
├── StageNotRetryable  NotLatestExecution
├── ConcurrentExecutionsLimitExceeded
├── UnableToRollback  ExecutionOutdated  DefinitionChanged
├── ConditionNotOverridable
├── InvalidApprovalToken  ApprovalAlreadyCompleted  NotEntitled
├── InvalidJobState  InvalidNonce   a job that is not this worker's to go on with
├── StaleReport                     a report of work that is no longer wanted
├── ExecutionFailed                 an execution that was to succeed and did not
├── StoreError                      the store cannot be read or written
│   └── EngineOutdated              the store belongs to a newer version of this package
├── EngineClosed                    an engine that is no longer at work
└── IllegalMove                     a defect of the engine itself

Every message has three parts: what was asked, what was found, what to do.
"""

from typing import ClassVar, TypeAlias

from pipelinekit.model.noun import Noun, printable

Path = tuple[str | int, ...]

Place: TypeAlias = "tuple[()] | tuple[Place, str | int]"
"""Where a value is: the place of what it is in, and its name there; made a path where needed."""


def path_of(place: Place) -> Path:
    """Give all steps to a place, from the outermost."""
    steps: list[str | int] = []
    while place:
        place, step = place
        steps.append(step)
    return tuple(reversed(steps))


class PipelineKitError(Exception):
    """Something was asked that cannot be done; nothing was changed.

    Attributes:
        code: The error code that CodePipeline gives for it.
    """

    code: ClassVar[str] = "ValidationException"


class ValidationError(PipelineKitError):
    """A value lies outside its shape, or values do not go together."""


class NotFound(PipelineKitError):
    """A name or an id that nothing bears."""


class PipelineNotFound(NotFound):
    """No pipeline of that name."""

    code = "PipelineNotFoundException"


class PipelineVersionNotFound(NotFound):
    """The pipeline has no definition of that version."""

    code = "PipelineVersionNotFoundException"


class ExecutionNotFound(NotFound):
    """The pipeline has no execution of that id."""

    code = "PipelineExecutionNotFoundException"


class StageNotFound(NotFound):
    """The pipeline has no stage of that name."""

    code = "StageNotFoundException"


class ActionNotFound(NotFound):
    """The stage has no action of that name, or none that can be answered."""

    code = "ActionNotFoundException"


class ActionExecutionNotFound(NotFound):
    """No attempt of an action has that id."""

    code = "ActionExecutionNotFoundException"


class ActionTypeNotFound(NotFound):
    """No action type of that category, owner, provider and version can be used so."""

    code = "ActionTypeNotFoundException"


class JobNotFound(NotFound):
    """No job has that id."""

    code = "JobNotFoundException"


class WebhookNotFound(NotFound):
    """No webhook has that name."""

    code = "WebhookNotFoundException"


class ResourceNotFound(NotFound):
    """Nothing here has that ARN."""

    code = "ResourceNotFoundException"


class PipelineNameInUse(PipelineKitError):
    """A pipeline of that name is there already."""

    code = "PipelineNameInUseException"


class LimitExceeded(PipelineKitError):
    """There are as many of a kind as there may be."""

    code = "LimitExceededException"


class CannotRunHere(PipelineKitError):
    """An action cannot run on this machine as it is configured; nothing was started."""

    code = "InvalidActionDeclarationException"


class InvalidToken(ValidationError):
    """A client request token was used before with other parameters."""


class InvalidNextToken(ValidationError):
    """The token of a page is none of this list."""

    code = "InvalidNextTokenException"


class InvalidTags(ValidationError):
    """A tag's name is reserved, or was given twice."""

    code = "InvalidTagsException"


class TooManyTags(ValidationError):
    """A resource would have more tags than it may."""

    code = "TooManyTagsException"


class InvalidArn(ValidationError):
    """The ARN is of a kind that has no tags."""

    code = "InvalidArnException"


class OutputVariablesSizeExceeded(ValidationError):
    """Output variables are larger than they may be."""

    code = "OutputVariablesSizeExceededException"


class InvalidWebhookFilter(ValidationError):
    """A filter's path is no JSONPath."""

    code = "InvalidWebhookFilterPatternException"


class InvalidWebhookAuthentication(ValidationError):
    """What a webhook is to check by does not go with its kind of authentication."""

    code = "InvalidWebhookAuthenticationParametersException"


class NotStoppable(PipelineKitError):
    """The execution has ended already."""

    code = "PipelineExecutionNotStoppableException"


class DuplicatedStop(PipelineKitError):
    """The same kind of stop was requested before."""

    code = "DuplicatedStopRequestException"


class StageNotRetryable(PipelineKitError):
    """Nothing in the stage failed, or the pipeline has changed since."""

    code = "StageNotRetryableException"


class NotLatestExecution(PipelineKitError):
    """Another execution has entered the stage since."""

    code = "NotLatestPipelineExecutionException"


class ConcurrentExecutionsLimitExceeded(PipelineKitError):
    """As many executions are in progress as the pipeline's mode allows."""

    code = "ConcurrentPipelineExecutionsLimitExceededException"


class UnableToRollback(PipelineKitError):
    """The stage cannot be rolled back, or not to that execution."""

    code = "UnableToRollbackStageException"


class ExecutionOutdated(PipelineKitError):
    """The execution ran on an older version of the definition."""

    code = "PipelineExecutionOutdatedException"


class DefinitionChanged(PipelineKitError):
    """The pipeline has another definition than the one that was looked at."""

    code = "ConcurrentModificationException"


class ConditionNotOverridable(PipelineKitError):
    """No check of that condition can be overridden now."""

    code = "ConditionNotOverridableException"


class InvalidApprovalToken(PipelineKitError):
    """The approval's token is unknown, or its request has expired."""

    code = "InvalidApprovalTokenException"


class ApprovalAlreadyCompleted(PipelineKitError):
    """The approval was answered before."""

    code = "ApprovalAlreadyCompletedException"


class NotEntitled(ValidationError):
    """The approval is not this person's to answer, or not so; the try is recorded."""


class InvalidJobState(PipelineKitError):
    """The job is not in progress."""

    code = "InvalidJobStateException"


class InvalidNonce(PipelineKitError):
    """The job was offered to another worker since."""

    code = "InvalidNonceException"


class StaleReport(PipelineKitError):
    """Work reported its end, but its action has ended otherwise in the meantime."""

    code = "InvalidJobStateException"


class ExecutionFailed(PipelineKitError):
    """An execution that was to succeed did not."""


class StoreError(PipelineKitError):
    """The store cannot be used as it is; nothing was acknowledged."""

    code = "ConflictException"


class EngineOutdated(StoreError):
    """The store was brought to a version that this engine does not know; it writes nothing."""


class EngineClosed(PipelineKitError):
    """The engine that was asked has been closed."""

    code = "ConflictException"


class IllegalMove(PipelineKitError):
    """The engine tried to change a status in a way that no table allows: a defect of its own."""

    code = "InternalFailure"


class Fault(Noun):
    """One thing that is wrong with a definition.

    Attributes:
        code: The error code that CodePipeline gives for it.
        path: Where it is, from the pipeline down, list positions counted from 0.
        found: What is there and why that is wrong.
        advice: What to do about it.
        rule: The number of the rule in the catalogue, such as `S3` or `A6`; `shape` for bounds.
        line: The line of the document it was read from, from 1; None where there is none.
    """

    code: str
    path: Path
    found: str
    advice: str
    rule: str = "shape"
    line: int | None = None

    @property
    def place(self) -> str:
        """Give the path as one would write it in Python: `stages[1].actions[0].name`."""
        text = ""
        for step in self.path:
            text += f"[{step}]" if isinstance(step, int) else f".{step}"
        return printable(text.removeprefix(".")) or "pipeline"

    def __str__(self) -> str:
        return printable(f"{self.place}: {self.found}; {self.advice} ({self.code})")


class DefinitionError(ValidationError):
    """A definition was refused; `faults` holds everything that is wrong with it.

    Args:
        name: The pipeline's name, or the file it was read from.
        faults: The faults, at least one, the gravest layer first.
    """

    def __init__(self, name: str, faults: tuple[Fault, ...]) -> None:
        count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
        called = printable(name)
        lines = "\n".join(
            f"  {fault}" if fault.line is None else f"  {called}, line {fault.line}: {fault}"
            for fault in faults
        )
        super().__init__(f"{called} was refused, {count} found:\n{lines}")
        self.name = name
        self.faults = faults

    def __reduce__(self) -> "tuple[type[DefinitionError], tuple[str, tuple[Fault, ...]]]":
        return type(self), (self.name, self.faults)
