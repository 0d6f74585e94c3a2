"""CodeDeploy's rules of how many targets at once, and how many may fail."""

import pytest

from pipelinekit.tools.deployments.health import Health, rank
from pipelinekit.tools.deployments.revision import CONFIGURATION_ERROR, DeploymentError


@pytest.mark.parametrize(
    ("config", "minimum", "total", "expected"),
    [
        # The guide's example of nine instances.
        ("CodeDeployDefault.AllAtOnce", None, 9, (0, 9)),
        ("CodeDeployDefault.HalfAtATime", None, 9, (5, 4)),
        ("CodeDeployDefault.OneAtATime", None, 9, (8, 1)),
        ("OneAtATime", None, 1, (0, 1)),
        ("HalfAtATime", None, 2, (1, 1)),
        # The guide's examples of ten instances, and of nine for the API.
        ("OneAtATime", "9", 10, (9, 1)),
        ("OneAtATime", "8", 10, (8, 2)),
        ("OneAtATime", "0", 10, (0, 10)),
        ("OneAtATime", "85%", 10, (9, 1)),
        ("OneAtATime", "40%", 9, (4, 5)),
        ("OneAtATime", "70%", 10, (7, 3)),
    ],
)
def test_a_configuration_says_how_many_stay_and_how_many_go_at_once(
    config: str, minimum: str | None, total: int, expected: tuple[int, int]
) -> None:
    health = Health.configured(config, minimum, total)
    assert (health.minimum, health.at_once) == expected


@pytest.mark.parametrize(
    ("config", "minimum", "total", "words"),
    [
        ("OneAtATime", "95%", 10, "wants 10 of 10 targets to stay healthy"),
        ("HalfAtATime", None, 1, "wants 1 of 1 targets to stay healthy"),
        ("OneAtATime", "11", 10, "none can be deployed to"),
        ("TwoAtATime", None, 9, "CodeDeployDefault.OneAtATime"),
        ("OneAtATime", "half", 9, "such as 3 or 75%"),
        ("OneAtATime", "101%", 9, "such as 3 or 75%"),
        ("OneAtATime", "-1", 9, "such as 3 or 75%"),
    ],
)
def test_a_configuration_that_lets_none_be_deployed_to_is_refused(
    config: str, minimum: str | None, total: int, words: str
) -> None:
    with pytest.raises(DeploymentError) as refusal:
        Health.configured(config, minimum, total)
    assert words in str(refusal.value)
    assert refusal.value.code == CONFIGURATION_ERROR


def test_each_target_that_failed_takes_room_from_the_next() -> None:
    health = Health.configured("OneAtATime", "8", 10)
    assert [health.room(failed) for failed in (0, 1, 2)] == [2, 1, 0]


def test_one_target_at_least_must_succeed_even_where_none_must_stay_healthy() -> None:
    health = Health.configured("AllAtOnce", None, 9)
    assert not health.is_enough(0)
    assert health.is_enough(1)


def test_the_turn_is_of_the_unhealthy_then_the_unknown_the_old_and_the_current() -> None:
    turns = [
        rank("d-1", "d-1", is_healthy=False),
        rank("", "d-1", is_healthy=True),
        rank("d-0", "d-1", is_healthy=True),
        rank("d-1", "d-1", is_healthy=True),
    ]
    assert turns == [0, 1, 2, 3]
