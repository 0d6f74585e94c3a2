"""The hands that do the work of actions: one file, one function each.

A provider may import the model, the ports, the wire and the tools. It must never know another
provider, nor the store, nor the runtime: it is handed a job and gives back an outcome.
"""

from collections.abc import Mapping
from typing import Final

from pipelinekit.model.action import ActionTypeId, Category, Owner


def _of(owner: Owner, *found: tuple[Category, str, str]) -> dict[ActionTypeId, str]:
    return {ActionTypeId(category, owner, name): file for category, name, file in found}


FILES: Final[Mapping[ActionTypeId, str]] = {
    **_of(
        Owner.AWS,
        (Category.APPROVAL, "Manual", "approval"),
        (Category.BUILD, "CodeBuild", "codebuild"),
        (Category.BUILD, "ECRBuildAndPublish", "ecr_build"),
        (Category.COMPUTE, "Commands", "commands"),
        (Category.DEPLOY, "CodeDeploy", "codedeploy"),
        (Category.DEPLOY, "S3", "s3_deploy"),
        (Category.INVOKE, "CodePipeline", "invoke_pipeline"),
        (Category.INVOKE, "Lambda", "aws_lambda"),
        (Category.RULE, "CloudWatchAlarm", "cloudwatch_alarm"),
        (Category.RULE, "CodeBuild", "codebuild_rule"),
        (Category.RULE, "Commands", "commands_rule"),
        (Category.RULE, "DeploymentWindow", "deployment_window"),
        (Category.RULE, "LambdaInvoke", "lambda_rule"),
        (Category.RULE, "VariableCheck", "variable_check"),
        (Category.SOURCE, "CodeCommit", "codecommit"),
        (Category.SOURCE, "CodeStarSourceConnection", "connection"),
        (Category.SOURCE, "ECR", "ecr"),
        (Category.SOURCE, "S3", "s3_source"),
        (Category.TEST, "CodeBuild", "codebuild"),
    ),
    **_of(Owner.THIRD_PARTY, (Category.SOURCE, "GitHub", "github")),
    **_of(
        Owner.CUSTOM,
        (Category.APPROVAL, "Freeze", "freeze"),
        (Category.APPROVAL, "Review", "review"),
        (Category.BUILD, "Notebook", "notebook"),
        (Category.DEPLOY, "Notebook", "notebook"),
        (Category.INVOKE, "Notebook", "notebook"),
        (Category.RULE, "Freeze", "freeze"),
        (Category.SOURCE, "Files", "files"),
        (Category.SOURCE, "Git", "git"),
        (Category.TEST, "Notebook", "notebook"),
    ),
}
"""Which file carries out which action type, so that only what is needed is loaded."""

BUILDS: Final = ("pipelinekit.builds.project", "pipelinekit.builds.commands")
"""What runs the commands of builds: as large as the rest of an engine, which does without it."""

LIKELY: Final = ("pipelinekit.providers.commands", *BUILDS)
"""The modules that most jobs in processes of their own need."""
