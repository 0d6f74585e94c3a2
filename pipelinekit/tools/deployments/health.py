"""How many targets a deployment may take at once, and how many of them may fail.

Source: the CodeDeploy user guide, "Deployment configurations" and "Instance health".
"""

import re
from dataclasses import dataclass
from math import ceil
from typing import Final, Self

from pipelinekit.tools.deployments.revision import CONFIGURATION_ERROR, DeploymentError

PREFIX: Final = "CodeDeployDefault."
ALL_AT_ONCE: Final = "AllAtOnce"
HALF_AT_A_TIME: Final = "HalfAtATime"
ONE_AT_A_TIME: Final = "OneAtATime"
_MOST_PERCENT: Final = 100


@dataclass(frozen=True, slots=True)
class Health:
    """A deployment configuration, made out for so many targets.

    Attributes:
        name: What it is called.
        total: How many targets the deployment has.
        minimum: How many of them must stay, and be at the end, healthy.
    """

    name: str
    total: int
    minimum: int

    @classmethod
    def configured(cls, config: str, minimum: str | None, total: int) -> Self:
        """Make out a configuration.

        Args:
            config: One of CodeDeploy's own, with or without `CodeDeployDefault.`.
            minimum: Minimum healthy hosts, such as `3` or `75%`, in place of it.
            total: How many targets there are.

        Raises:
            DeploymentError: There is no such configuration, or with so many targets it lets none
                be deployed to.
        """
        name = config.removeprefix(PREFIX)
        ready = {ALL_AT_ONCE: 0, HALF_AT_A_TIME: ceil(total / 2), ONE_AT_A_TIME: total - 1}
        if name not in ready:
            raise DeploymentError(
                f"There is no deployment configuration {config} here; write one of "
                f"{', '.join(PREFIX + each for each in ready)}, or minimum_healthy",
                CONFIGURATION_ERROR,
            )
        found = cls(name, total, ready[name])
        if minimum is not None:
            found = cls(f"minimum_healthy = {minimum}", total, _count(minimum, total))
        if found.at_once < 1:
            raise DeploymentError(
                f"{found.name} wants {found.minimum} of {total} targets to stay healthy, so that "
                "none can be deployed to; take OneAtATime, or a lower minimum_healthy",
                CONFIGURATION_ERROR,
            )
        return found

    @property
    def at_once(self) -> int:
        """How many targets may be out of service at once."""
        return self.total - self.minimum

    def room(self, failed: int) -> int:
        """Tell how many targets may be taken next.

        Those that were not yet deployed to count as in service, which holds since unhealthy ones
        are taken first. So the last target alone may fail under OneAtATime.

        Args:
            failed: How many have failed so far.
        """
        return self.at_once - failed

    def is_enough(self, succeeded: int) -> bool:
        """Tell whether the deployment as a whole succeeded.

        Args:
            succeeded: How many targets have the new revision, of which there must be one at least.
        """
        return succeeded >= max(self.minimum, 1)


def rank(last: str, revision: str, *, is_healthy: bool) -> int:
    """Tell when a target's turn is: unhealthy, unknown, old, current.

    Args:
        last: The last successful deployment to the target; empty for none.
        revision: The last successful deployment to the group; empty for none.
        is_healthy: Whether the last deployment to the target succeeded.
    """
    if not is_healthy:
        return 0
    if not last:
        return 1
    return 3 if last == revision else 2


def _count(minimum: str, total: int) -> int:
    found = re.fullmatch(r"\s*(\d{1,6})\s*(%?)\s*", minimum)
    if found is None or (found[2] and int(found[1]) > _MOST_PERCENT):
        raise DeploymentError(
            f"minimum_healthy is {minimum!r}; write how many targets must stay healthy, "
            "such as 3 or 75%",
            CONFIGURATION_ERROR,
        )
    number = int(found[1])
    # Whole numbers, so that 70 % of 10 is not a little more than 7.
    return -(-number * total // _MOST_PERCENT) if found[2] else number
