"""Rule/AWS/LambdaInvoke: a Lambda function that a condition consists of."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated

from pipelinekit.builds.function import ParametersForm, function_obstacle, invoke
from pipelinekit.model.action import Category, Owner
from pipelinekit.model.order import Outcome
from pipelinekit.ports.provider import Job, Key, Traits, rule_provider


@rule_provider(
    Traits(
        category=Category.RULE,
        provider="LambdaInvoke",
        owner=Owner.AWS,
        outputs=(0, 0),
        detached=True,
        timeout=timedelta(days=1),
        check=function_obstacle,
    )
)
def lambda_check(
    job: Job,
    function: Annotated[str, Key("FunctionName")],
    parameters: Annotated[
        str | Mapping[str, object] | None, Key("UserParameters", form=ParametersForm())
    ] = None,
) -> Outcome:
    """Succeed when a Lambda function reports success; its handler runs on this machine.

    It is invoked as by a Lambda action, with CodePipeline's event, and ends the rule by
    `put_job_success_result` or `put_job_failure_result`.

    Args:
        job: What is to be done.
        function: The function, by which `[lambda.<function>]` is found.
        parameters: A text for the handler; a mapping is written as JSON.

    Source: codepipeline.md 8, 11.2, 11.6.
    """
    del parameters  # the event bears the whole configuration
    return invoke(job, function)
