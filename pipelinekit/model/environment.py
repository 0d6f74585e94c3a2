"""A place that something is released to, with the values and demands that make it that place."""

from collections.abc import Mapping

from msgspec import field

from pipelinekit.model.noun import Noun
from pipelinekit.model.settings import Aws


class Freeze(Noun):
    """A time in which nothing is released to an environment.

    Attributes:
        begin: Its first day, or its first moment, such as `2026-12-20` or `2026-12-20 16:00`.
        end: Its last day, which belongs to it, or the moment of its end.
        weekly: Instead of both: days of every week, such as `SAT - SUN` or
            `FRI 16:00 - MON 07:00`.
        reason: What whoever is held up is told.
    """

    begin: str = ""
    end: str = ""
    weekly: str = ""
    reason: str = ""


class Environment(Noun):
    """A named environment, such as `staging`.

    Attributes:
        name: 1 to 80 of letters, digits and `. @ - _`; stages and files are named after it.
        parameters: Values for the parameters of a notebook, plain JSON data.
        after: The environments that come before it.
        account: The AWS account, or what stands for it, that notebooks find as the usual one.
        approvers: Who may let a release in; anybody when empty.
        approvals: How many of them have to; 0 is one where approvers are named or it is
            protected, and nobody elsewhere.
        protected: Whether somebody has to approve, with a comment, what is not their own work.
        freezes: When nothing is released to it.
        zone: Where the freezes are read off a clock.
    """

    name: str
    parameters: Mapping[str, object] = field(default_factory=dict)
    after: tuple[str, ...] = ()
    account: Aws | None = None
    approvers: tuple[str, ...] = ()
    approvals: int = 0
    protected: bool = False
    freezes: tuple[Freeze, ...] = ()
    zone: str = "UTC"

    @property
    def asks(self) -> int:
        """Tell how many have to approve a release to it."""
        return self.approvals or int(self.protected or bool(self.approvers))
