"""Which property names a resource of CloudFormation, and what is assumed of where it is made."""

from typing import Final

from pipelinekit.model.noun import Noun

PSEUDO: Final = {
    "AWS::AccountId": "000000000000",
    "AWS::NotificationARNs": "",
    "AWS::Partition": "aws",
    "AWS::Region": "us-east-1",
    "AWS::StackId": "arn:aws:cloudformation:us-east-1:000000000000:stack/local/0",
    "AWS::StackName": "local",
    "AWS::URLSuffix": "amazonaws.com",
}
"""What the names that every template knows are taken for, unless it is told."""


class Reference(Noun):
    """What `Ref` gives for a type.

    Attributes:
        member: The property that names it; empty where nothing does.
        comes_along: Whether it is imported too, so that its logical id can be its name.
        by_ref: Whether `Ref` gives the name, and not an id or an ARN.
    """

    member: str = ""
    comes_along: bool = False
    by_ref: bool = True


NAMES: Final = {
    "AWS::CodeBuild::Project": Reference("Name", comes_along=True),
    "AWS::CodePipeline::Pipeline": Reference("Name", comes_along=True),
    "AWS::CodePipeline::Webhook": Reference("Name", comes_along=True),
    "AWS::CodeCommit::Repository": Reference("RepositoryName", by_ref=False),
    "AWS::CodeDeploy::Application": Reference("ApplicationName"),
    "AWS::CodeDeploy::DeploymentGroup": Reference("DeploymentGroupName"),
    "AWS::ECR::Repository": Reference("RepositoryName"),
    "AWS::ECS::Cluster": Reference("ClusterName"),
    "AWS::ECS::Service": Reference("ServiceName", by_ref=False),
    "AWS::ElasticBeanstalk::Application": Reference("ApplicationName"),
    "AWS::ElasticBeanstalk::Environment": Reference("EnvironmentName"),
    "AWS::IAM::Role": Reference("RoleName"),
    "AWS::KMS::Alias": Reference("AliasName"),
    "AWS::Lambda::Function": Reference("FunctionName"),
    "AWS::S3::Bucket": Reference("BucketName"),
    "AWS::SSM::Parameter": Reference("Name"),
}

ATTRIBUTES: Final = {
    ("AWS::CodeBuild::Project", "Name"): "{name}",
    ("AWS::CodeCommit::Repository", "Name"): "{name}",
    ("AWS::ECS::Service", "Name"): "{name}",
    ("AWS::IAM::Role", "Arn"): "arn:{partition}:iam::{account}:role{path}{name}",
    ("AWS::S3::Bucket", "Arn"): "arn:{partition}:s3:::{name}",
}
"""Attributes that follow from the name of a resource."""
