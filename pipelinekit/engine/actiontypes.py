"""The action types of CodePipeline as data; a star marks a key that is required."""

from datetime import timedelta
from itertools import chain

from msgspec.structs import replace

from pipelinekit.model.account import JOB_WORKER_TIMEOUT
from pipelinekit.model.action import ActionTypeId, Category, Owner
from pipelinekit.model.actiontype import ActionType, Property


def keys(text: str, secret: str = "") -> tuple[Property, ...]:
    """Make configuration keys of their names.

    Args:
        text: The names, with a blank between them and a star at the end of a required one.
        secret: Which of them hold secrets, with a blank between them.
    """
    secrets = set(secret.split())
    return tuple(
        Property(name.rstrip("*"), required=name.endswith("*"), secret=name.rstrip("*") in secrets)
        for name in text.split()
    )


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _aws(category: Category, provider: str) -> ActionTypeId:
    return ActionTypeId(category, Owner.AWS, provider)


def _third_party(category: Category, provider: str) -> ActionTypeId:
    return ActionTypeId(category, Owner.THIRD_PARTY, provider)


CODEBUILD_KEYS = "ProjectName* PrimarySource BatchEnabled CombineArtifacts EnvironmentVariables"

_SOURCES = (
    ActionType(
        _aws(Category.SOURCE, "S3"),
        outputs=(1, 1),
        properties=keys("S3Bucket* S3ObjectKey* PollForSourceChanges AllowOverrideForS3ObjectKey"),
        variables=_names("BucketName ETag ObjectKey VersionId"),
        description="Takes an archive from a versioned bucket.",
    ),
    ActionType(
        _aws(Category.SOURCE, "CodeCommit"),
        outputs=(1, 1),
        properties=keys("RepositoryName* BranchName* PollForSourceChanges OutputArtifactFormat"),
        variables=_names(
            "AuthorDate BranchName CommitId CommitMessage CommitterDate RepositoryName"
        ),
        description="Takes the head of a branch of a CodeCommit repository.",
    ),
    ActionType(
        _aws(Category.SOURCE, "ECR"),
        outputs=(1, 1),
        properties=keys("RepositoryName* ImageTag"),
        variables=_names("ImageDigest ImageTag ImageURI RegistryId RepositoryName"),
        description="Takes the description of a container image of a registry.",
    ),
    ActionType(
        _aws(Category.SOURCE, "CodeStarSourceConnection"),
        outputs=(1, 1),
        properties=keys(
            "ConnectionArn* FullRepositoryId* BranchName* OutputArtifactFormat DetectChanges"
        ),
        # The second row depends on what started the run: a branch, a tag or a pull request.
        variables=_names(
            "AuthorDate AuthorDisplayName AuthorEmail AuthorId CommitId CommitMessage "
            "ConnectionArn FullRepositoryName ProviderType "
            "BranchName TagName SourceBranchName DestinationBranchName "
            "PullRequestId PullRequestTitle"
        ),
        description="Takes a commit of a repository at a Git host.",
    ),
    ActionType(
        _third_party(Category.SOURCE, "GitHub"),
        outputs=(1, 1),
        properties=keys("Owner* Repo* Branch* OAuthToken* PollForSourceChanges", "OAuthToken"),
        variables=_names(
            "AuthorDate BranchName CommitId CommitMessage CommitterDate CommitUrl RepositoryName"
        ),
        description="Takes the head of a branch of a GitHub repository by an OAuth token.",
    ),
)

_CODEBUILD = ActionType(
    _aws(Category.BUILD, "CodeBuild"),
    inputs=(1, 5),
    outputs=(0, 5),
    properties=keys(f"{CODEBUILD_KEYS} BuildspecOverride"),
    variables=None,
    timeout=timedelta(hours=36),
    description="Runs the buildspec of a CodeBuild project.",
)

_BUILDS = (
    _CODEBUILD,
    replace(
        _CODEBUILD,
        id=_aws(Category.TEST, "CodeBuild"),
        timeout=timedelta(hours=8),
        description="Runs the tests of a CodeBuild project.",
    ),
    ActionType(
        _aws(Category.BUILD, "ECRBuildAndPublish"),
        inputs=(1, 1),
        properties=keys("ECRRepositoryName* DockerFilePath ImageTags RegistryType"),
        variables=_names("ECRImageDigestId ECRRepositoryName"),
        v2_only=True,
        description="Builds a container image and pushes it to a registry.",
    ),
    ActionType(
        _aws(Category.COMPUTE, "Commands"),
        inputs=(1, 10),
        outputs=(0, 1),
        properties=keys("EnvironmentType ComputeType VpcId Subnets SecurityGroupIds"),
        variables=None,
        v2_only=True,
        timeout=timedelta(minutes=55),
        description="Runs the shell commands that the action itself lists.",
    ),
    ActionType(
        _aws(Category.TEST, "DeviceFarm"),
        inputs=(1, 1),
        properties=keys(
            "AppType* ProjectId* App* AppiumVersion* DevicePoolArn* TestType* "
            "RadioBluetoothEnabled RadioWifiEnabled RadioNfcEnabled RadioGpsEnabled "
            "RecordAppPerformanceData RecordVideo UnmeteredDevicesOnly "
            "Test FuzzEventCount FuzzEventThrottle FuzzRandomizerSeed "
            "CustomHostMachineArtifacts CustomDeviceArtifacts JobTimeoutMinutes Latitude Longitude"
        ),
        timeout=timedelta(hours=8),
        description="Tests an application on the devices of a pool.",
    ),
)

_STACK_SET_VARIABLES = _names("StackSetId OperationId")

_STACKS = (
    ActionType(
        _aws(Category.DEPLOY, "CloudFormation"),
        inputs=(0, 10),
        outputs=(0, 1),
        properties=keys(
            "ActionMode* StackName* RoleArn TemplatePath ChangeSetName Capabilities "
            "TemplateConfiguration ParameterOverrides OutputFileName"
        ),
        variables=None,
        timeout=timedelta(days=3),
        description="Creates, updates or deletes a stack, or makes or executes a change set.",
    ),
    ActionType(
        _aws(Category.DEPLOY, "CloudFormationStackSet"),
        inputs=(1, 3),
        properties=keys(
            "StackSetName* Description TemplatePath* Parameters Capabilities PermissionModel "
            "AdministrationRoleArn ExecutionRoleName OrganizationsAutoDeployment "
            "DeploymentTargets Regions FailureTolerancePercentage MaxConcurrentPercentage"
        ),
        variables=_STACK_SET_VARIABLES,
        description="Creates or updates a stack set.",
    ),
    ActionType(
        _aws(Category.DEPLOY, "CloudFormationStackInstances"),
        inputs=(0, 2),
        properties=keys(
            "StackSetName* ParameterOverrides DeploymentTargets Regions* "
            "FailureTolerancePercentage MaxConcurrentPercentage"
        ),
        variables=_STACK_SET_VARIABLES,
        description="Creates or updates the instances of a stack set.",
    ),
)

_DEPLOYMENTS = (
    ActionType(
        _aws(Category.DEPLOY, "S3"),
        inputs=(1, 1),
        properties=keys(
            "BucketName* Extract* ObjectKey KMSEncryptionKeyARN CannedACL CacheControl"
        ),
        timeout=timedelta(minutes=90),
        description="Uploads an artifact, or the files in it, to a bucket.",
    ),
    ActionType(
        _aws(Category.DEPLOY, "CodeDeploy"),
        inputs=(1, 1),
        properties=keys("ApplicationName* DeploymentGroupName*"),
        timeout=timedelta(days=5),
        description="Deploys a revision to the hosts of a deployment group.",
    ),
    ActionType(
        _aws(Category.DEPLOY, "CodeDeployToECS"),
        inputs=(1, 5),
        properties=keys(
            "ApplicationName* DeploymentGroupName* "
            "TaskDefinitionTemplateArtifact* AppSpecTemplateArtifact* "
            "TaskDefinitionTemplatePath AppSpecTemplatePath "
            "Image1ArtifactName Image1ContainerName Image2ArtifactName Image2ContainerName "
            "Image3ArtifactName Image3ContainerName Image4ArtifactName Image4ContainerName"
        ),
        timeout=timedelta(days=5),
        description="Moves an ECS service to a new task definition, blue and green.",
    ),
    ActionType(
        _aws(Category.DEPLOY, "ECS"),
        inputs=(1, 1),
        properties=keys("ClusterName* ServiceName* FileName DeploymentTimeout"),
        description="Gives an ECS service new container images.",
    ),
    ActionType(
        _aws(Category.DEPLOY, "ElasticBeanstalk"),
        inputs=(1, 1),
        properties=keys("ApplicationName* EnvironmentName*"),
        description="Deploys a version of an application to an environment.",
    ),
    ActionType(
        _aws(Category.DEPLOY, "EC2"),
        inputs=(1, 1),
        properties=keys(
            "InstanceType* InstanceTagKey* InstanceTagValue TargetDirectory PreScript PostScript "
            "DeploySpec MaxBatch MaxError TargetGroupNameList"
        ),
        v2_only=True,
        description="Copies files to tagged instances and runs scripts there.",
    ),
    ActionType(
        _aws(Category.DEPLOY, "EKS"),
        inputs=(1, 1),
        properties=keys(
            "ClusterName* HelmReleaseName HelmChartLocation HelmValuesFiles ManifestFiles "
            "Namespace Subnets SecurityGroupIds"
        ),
        variables=_names("EKSClusterName"),
        v2_only=True,
        description="Applies a Helm chart or Kubernetes manifests to a cluster.",
    ),
    ActionType(
        _aws(Category.DEPLOY, "Lambda"),
        inputs=(0, 1),
        properties=keys(
            "FunctionName* FunctionAlias PublishedTargetVersion DeployStrategy Alarms"
        ),
        variables=_names("FunctionVersion"),
        v2_only=True,
        description="Publishes a version of a function and moves its alias there.",
    ),
    ActionType(
        _aws(Category.DEPLOY, "AppConfig"),
        inputs=(1, 1),
        properties=keys(
            "Application* Environment* ConfigurationProfile* InputArtifactConfigurationPath* "
            "DeploymentStrategy"
        ),
        description="Deploys a configuration to an AppConfig environment.",
    ),
    ActionType(
        _aws(Category.DEPLOY, "ServiceCatalog"),
        inputs=(1, 1),
        properties=keys(
            "ProductId* TemplateFilePath ProductVersionName ProductType "
            "ProductVersionDescription ConfigurationFilePath"
        ),
        description="Adds a version to a product of a catalogue.",
    ),
    ActionType(
        _aws(Category.DEPLOY, "OpsWorks"),
        inputs=(1, 1),
        properties=keys("Stack* App* Layer"),
        description="Deploys an application to a stack of a service that is retired.",
    ),
    ActionType(
        _third_party(Category.DEPLOY, "AlexaSkillsKit"),
        inputs=(1, 2),
        properties=keys(
            "ClientId* ClientSecret* RefreshToken* SkillId*", "ClientSecret RefreshToken"
        ),
        variables=None,
        description="Deploys a skill for Alexa.",
    ),
)

_INVOCATIONS = (
    ActionType(
        _aws(Category.INVOKE, "Lambda"),
        inputs=(0, 5),
        outputs=(0, 5),
        properties=keys("FunctionName* UserParameters"),
        variables=None,
        timeout=timedelta(hours=24),
        description="Calls a function, which reports its end itself.",
    ),
    ActionType(
        _aws(Category.INVOKE, "StepFunctions"),
        inputs=(0, 1),
        outputs=(0, 1),
        properties=keys("StateMachineArn* ExecutionNamePrefix InputType Input"),
        variables=_names("StateMachineArn ExecutionArn"),
        timeout=timedelta(days=7),
        description="Runs a state machine.",
    ),
    ActionType(
        _aws(Category.INVOKE, "CodePipeline"),
        properties=keys("PipelineName* SourceRevisions Variables"),
        v2_only=True,
        description="Starts another pipeline.",
    ),
    ActionType(
        _aws(Category.INVOKE, "InspectorScan"),
        inputs=(0, 1),
        outputs=(1, 1),
        properties=keys(
            "InspectorRunMode* ECRRepositoryName ImageTag "
            "CriticalThreshold HighThreshold MediumThreshold LowThreshold"
        ),
        variables=_names("HighestScannedSeverity"),
        v2_only=True,
        description="Scans source code or a container image for vulnerabilities.",
    ),
    ActionType(
        _third_party(Category.INVOKE, "Snyk"),
        inputs=(1, 1),
        outputs=(1, 1),
        open=True,
        variables=None,
        description="Scans open-source dependencies for vulnerabilities.",
    ),
)

_APPROVAL = ActionType(
    _aws(Category.APPROVAL, "Manual"),
    properties=keys("NotificationArn CustomData ExternalEntityLink"),
    timeout=timedelta(days=7),
    description="Waits until somebody approves or rejects.",
)


# What partners take is laid down between them and their users: nothing about it is checked here.
_PARTNERS = tuple(
    ActionType(
        _third_party(category, provider),
        inputs=(0, 5),
        outputs=(0, 5),
        open=True,
        variables=None,
        timeout=JOB_WORKER_TIMEOUT,
        description=f"Hands the work to {provider}.",
    )
    for category, providers in (
        (
            Category.TEST,
            "BlazeMeter GhostInspector GhostInspectorUITesting NouvolaTesting Runscope",
        ),
        (Category.BUILD, "CloudBees TeamCity"),
        (Category.DEPLOY, "XebiaLabs"),
    )
    for provider in providers.split()
)

ACTION_TYPES: tuple[ActionType, ...] = tuple(
    chain(_SOURCES, _BUILDS, _STACKS, _DEPLOYMENTS, _INVOCATIONS, (_APPROVAL,), _PARTNERS)
)
