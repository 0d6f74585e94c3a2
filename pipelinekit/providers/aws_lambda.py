"""Invoke/AWS/Lambda: unmodified handlers run here, and end their job as they do at AWS."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated

from pipelinekit.builds.function import ParametersForm, function_obstacle, invoke
from pipelinekit.model.action import Category, Owner
from pipelinekit.model.order import Outcome
from pipelinekit.ports.provider import Job, Key, Traits, provider


@provider(
    Traits(
        category=Category.INVOKE,
        owner=Owner.AWS,
        provider="Lambda",
        detached=True,
        timeout=timedelta(hours=24),
        check=function_obstacle,
    )
)
def aws_lambda(
    job: Job,
    function: Annotated[str, Key("FunctionName")],
    parameters: Annotated[
        str | Mapping[str, object] | None, Key("UserParameters", form=ParametersForm())
    ] = None,
) -> Outcome:
    """Invoke a Lambda function, whose handler runs on this machine, in Python or Node.

    The handler gets CodePipeline's event, and ends the action as at AWS: by
    `put_job_success_result` or `put_job_failure_result`; what it returns is ignored. Its SDK
    reaches CodePipeline and the artifacts in S3 at an address of this machine, with keys that
    open nothing else, and it sees no credentials of the user's. A handler that ends without such
    a call has failed, since nobody is left who could make it; at AWS the action would hang, and
    a handler that crashed would be tried twice more.

    Args:
        job: What is to be done.
        function: The function, by which `[lambda.<function>]` is found.
        parameters: A text for the handler; a mapping is written as JSON.

    Source: codepipeline.md 7.19, 11.2, 11.6.
    """
    del parameters  # the event bears the whole configuration
    return invoke(job, function)
