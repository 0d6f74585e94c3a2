"""What a provider holds in its hands while it works."""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from pipelinekit.model.order import Order
from pipelinekit.model.settings import Settings


class Job(Protocol):
    """What a provider holds in its hands while it works on one attempt of an action."""

    @property
    def order(self) -> Order:
        """What is to be done."""
        ...

    @property
    def settings(self) -> Settings:
        """What the project says about its surroundings."""
        ...

    @property
    def folder(self) -> Path:
        """A folder of this attempt alone."""
        ...

    @property
    def private(self) -> Path:
        """A folder of this attempt that goes when it has ended, in whatever way: for secrets."""
        ...

    @property
    def cache(self) -> Path:
        """A folder that all jobs share, for what is worth keeping between them."""
        ...

    def read(self, artifact: str | None = None) -> Path:
        """Unpack an input artifact and give its folder.

        Args:
            artifact: Its name; the first input when None.
        """
        ...

    def write(self, folder: Path, artifact: str | None = None) -> None:
        """Publish the content of a folder as an output artifact.

        Args:
            folder: What to pack.
            artifact: Its name; the first output when None. Nothing is written when the action
                declares no output and no name is given.
        """
        ...

    def say(self, text: str) -> None:
        """Write a line into the action's log."""
        ...

    def progress(self, percent: int, text: str) -> None:
        """Tell how far it is, which the history keeps at most once a second; detached ones only.

        Args:
            percent: How much of it is done, 0 to 100.
            text: What it does now, one line without secrets.
        """
        ...

    def start(
        self, pipeline: str, variables: Mapping[str, str], revisions: Mapping[str, str]
    ) -> str:
        """Start another pipeline, once however often this attempt asks; inline providers only.

        Args:
            pipeline: Its name.
            variables: Values of its pipeline variables.
            revisions: Revisions that its source actions are to take, by action name.

        Returns:
            The id of its execution.

        Raises:
            PipelineKitError: It cannot be started; the class says why.
        """
        ...
