"""What is done at AWS only, and what does the same from here."""

from collections.abc import Mapping
from typing import Final

from pipelinekit.model.action import ActionTypeId

COMMANDS: Final[Mapping[str, str]] = {
    "Deploy/AWS/AppConfig/1": "aws appconfig start-deployment",
    "Deploy/AWS/CloudFormation/1": "aws cloudformation deploy",
    "Deploy/AWS/CloudFormationStackInstances/1": "aws cloudformation create-stack-instances",
    "Deploy/AWS/CloudFormationStackSet/1": "aws cloudformation update-stack-set",
    "Deploy/AWS/CodeDeployToECS/1": "aws deploy create-deployment",
    "Deploy/AWS/ECS/1": "aws ecs update-service",
    "Deploy/AWS/EKS/1": "kubectl apply",
    "Deploy/AWS/ElasticBeanstalk/1": "aws elasticbeanstalk update-environment",
    "Deploy/AWS/Lambda/1": "aws lambda update-function-code",
    "Deploy/AWS/ServiceCatalog/1": "aws servicecatalog create-provisioning-artifact",
    "Invoke/AWS/InspectorScan/1": "aws inspector-scan scan-sbom",
    "Invoke/AWS/StepFunctions/1": "aws stepfunctions start-execution",
    "Test/AWS/DeviceFarm/1": "aws devicefarm schedule-run",
}
"""A command that does what the actions of a type do."""

ENDED: Final = ("Deploy/AWS/OpsWorks/1",)
"""Types whose service AWS has closed."""


def elsewhere(type_id: ActionTypeId) -> str | None:
    """Say what an action needs that this version calls no service for, and what does it instead.

    Returns:
        A sentence, and lines of pipelinekit.toml; None for a type that is not done at AWS.
    """
    name = str(type_id)
    if name in ENDED:
        return f"{name} was to run, and AWS has closed that service; take the action out"
    command = COMMANDS.get(name)
    if command is None:
        return None
    return (
        f"{name} is done by AWS, in an account or at an endpoint that stands for one, and this "
        f"version does not call it; write a CodeBuild action in its place that runs "
        f"`{command}`, and give its project the account, or the endpoint, in pipelinekit.toml:\n\n"
        f"[codebuild.PROJECT.environment]\n"
        f'AWS_ENDPOINT_URL = "http://127.0.0.1:4566"\n'
        f'AWS_ACCESS_KEY_ID = "..."\n'
        f'AWS_SECRET_ACCESS_KEY = "..."'
    )
