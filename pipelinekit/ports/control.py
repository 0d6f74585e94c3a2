"""The verbs by which people and programs work with pipelines, wherever those run."""

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Protocol, TypeVar

from msgspec import field

from pipelinekit.model.action import ActionTypeId
from pipelinekit.model.actiontype import ActionType
from pipelinekit.model.event import Event
from pipelinekit.model.execution import Artifact, Cause, Revision
from pipelinekit.model.noun import Noun
from pipelinekit.model.order import Order
from pipelinekit.model.pipeline import Pipeline
from pipelinekit.model.row import Row
from pipelinekit.model.settings import Settings
from pipelinekit.ports.store import Query

R = TypeVar("R", bound=Row | Order)


class StartWith(Noun):
    """What an execution starts with.

    Attributes:
        variables: Values for pipeline variables.
        revisions: Revisions that source actions are to take, by action name.
        told: What else is known of such revisions, likewise.
        object_keys: S3 objects that sources are to take instead of their own, likewise.
        token: A client request token: the same one again gives the same execution.
    """

    variables: Mapping[str, str] = field(default_factory=dict)
    revisions: Mapping[str, str] = field(default_factory=dict)
    object_keys: Mapping[str, str] = field(default_factory=dict)
    token: str | None = None
    told: Mapping[str, Revision] = field(default_factory=dict)


NOTHING = StartWith()


class Control(Protocol):
    """What the operations of the API need of the engine that they are answered by.

    Attributes:
        by: Who acts.
        url: Where the API is served; deliveries to webhooks and artifacts of jobs go there.
        settings: About its surroundings.
    """

    by: str
    url: str
    settings: Settings

    @property
    def key(self) -> bytes:
        """Give a secret of this store, by which it knows what it has given out."""
        ...

    @property
    def uploads(self) -> Path:
        """Give a folder for what job workers upload."""
        ...

    def find(self, kind: type[R], query: Query) -> Sequence[R]:
        """Look up rows of a kind, the newest first."""
        ...

    def ask(self, wish: Callable[..., Event], pipeline: str, **members: object) -> str:
        """Have a wish of the person who acts decided.

        Args:
            wish: The kind of event, such as `StopRequested`.
            pipeline: The pipeline's name.
            members: What the event says besides.

        Raises:
            PipelineKitError: It was refused, and changed nothing.
        """
        ...

    def begin(self, pipeline: Pipeline | str, cause: Cause, given: StartWith = NOTHING) -> str:
        """Start an execution of a pipeline that is defined; give its id.

        Args:
            pipeline: Its name, or its current definition.
            cause: What starts it.
            given: What it starts with.

        Raises:
            PipelineKitError: It cannot be started; the class says why.
        """
        ...

    def types(
        self, pipeline: Pipeline | None = None, *, deleted: bool = False
    ) -> Mapping[ActionTypeId, ActionType]:
        """Give every action type that a definition may use.

        Args:
            pipeline: A definition, of whose actions alone the types are wanted.
            deleted: Whether to give those too that only older definitions may use.
        """
        ...

    def declared(self) -> AbstractSet[ActionTypeId]:
        """Name the action types that are carried out here, and by no job worker."""
        ...

    def check(
        self, pipeline: Pipeline, previous: Pipeline | None, *, shaped: bool = False
    ) -> None:
        """Refuse a definition that CodePipeline would refuse.

        Args:
            pipeline: The definition.
            previous: The one before it, by which a masked secret is known to be kept.
            shaped: Whether AWS's own model has let it in.

        Raises:
            DefinitionError: It has faults; the error bears all of them.
        """
        ...

    def object_file(self, artifact: Artifact) -> Path:
        """Give a file that holds an artifact, its digest checked just now."""
        ...

    def keep(self, artifact: Artifact, file: Path) -> Artifact:
        """Take a file as an artifact's object; give the artifact with digest and size."""
        ...
