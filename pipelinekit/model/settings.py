"""What a project says about its surroundings: where repositories, builds and deployments are."""

from collections.abc import Mapping
from enum import StrEnum

from msgspec import field

from pipelinekit.model.noun import Noun


class Where(StrEnum):
    """What the commands of a build run in."""

    HOST = "host"
    SANDBOX = "sandbox"
    CONTAINER = "container"


class Compute(Noun):
    """Where commands run, and how much of the machine they may have.

    Attributes:
        where: When None: a container if there is an image, else the sandbox where bubblewrap is
            installed, else the host.
        image: The container image; None for none.
        network: Whether commands reach the network; a sandbox or a container can keep them off.
        memory_mb: The most memory of all processes together, in MiB; unlimited when None.
        processes: How many processes there may be at once; unlimited when None.
    """

    where: Where | None = None
    image: str | None = None
    network: bool = True
    memory_mb: int | None = None
    processes: int | None = None


class Project(Noun):
    """A CodeBuild project that runs here.

    Attributes:
        buildspec: A path in the source, or inline YAML; `buildspec.yml` when absent.
        environment: Shell variables of every build of the project.
        timeout_minutes: How long a build may take.
        parameters: The Parameter Store name for each shell variable that is to come from there.
        secrets: The Secrets Manager reference for each shell variable that is to come from there.
        compute: Where its builds run; what it leaves open, the settings' own `compute` says.
        cache: Paths that are kept between builds, besides those of the buildspec.
        environment_type: The type of its environment at AWS, such as LINUX_CONTAINER.
        rest: What else CodeBuild says of it, as `batch-get-projects` prints it: builds here do
            not read it, exports write it.
    """

    buildspec: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    timeout_minutes: int | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    compute: Compute | None = None
    cache: tuple[str, ...] = ()
    environment_type: str | None = None
    rest: Mapping[str, object] = field(default_factory=dict)


class DeploymentGroup(Noun):
    """A CodeDeploy deployment group whose hosts are folders of this machine or hosts over SSH.

    A target is a folder, or `ssh://user@host:port/folder`; a destination of the appspec lies
    beneath that folder. A group has either `targets`, which are deployed to in place, or `blue`
    and `green`, of which the one without traffic is deployed to and then gets the traffic.

    Attributes:
        targets: Where revisions are deployed in place.
        environment: Shell variables of every hook and of the traffic command.
        rollback: Whether a failed deployment puts the last good revision back, and the traffic.
        keep: How many revisions stay on a target.
        config: `CodeDeployDefault.OneAtATime`, `.HalfAtATime` or `.AllAtOnce`, also without the
            first word: how many targets are deployed to at once, and how many may fail.
        minimum_healthy: How many targets must stay healthy, such as `3` or `75%`, in place of
            what `config` says of it.
        blue: One of two sets of targets; it has the traffic before the first switch.
        green: The other set.
        traffic: A shell command that moves the traffic, run in the project's folder; needed for
            blue and green.
        traffic_seconds: How long one run of that command may take.
        python: The Python, 3.11 or later, of hosts over SSH.
    """

    targets: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    rollback: bool = True
    keep: int = 5
    config: str = "CodeDeployDefault.OneAtATime"
    minimum_healthy: str | None = None
    blue: tuple[str, ...] = ()
    green: tuple[str, ...] = ()
    traffic: str | None = None
    traffic_seconds: int = 300
    python: str = "python3"


class Function(Noun):
    """A Lambda function whose code is a folder of this machine.

    Attributes:
        folder: Where its code lies; the function starts there.
        handler: `module.function`, as Lambda writes it.
        runtime: Such as `python3.12` or `nodejs20.x`; what is installed here is used instead.
        timeout_seconds: How long one invocation may take.
        memory_mb: The most memory an invocation may have, in MiB.
        environment: Its environment variables.
        continue_seconds: How long after a continuation token it is invoked again.
    """

    folder: str
    handler: str
    runtime: str = "python3"
    timeout_seconds: int = 900
    memory_mb: int = 512
    environment: Mapping[str, str] = field(default_factory=dict)
    continue_seconds: float = 30


class Aws(Noun):
    """An AWS account, or an endpoint that stands for one.

    Attributes:
        profile: A profile of the AWS configuration; the usual search for credentials when None.
        region: The region; the profile's own when None.
        endpoint: A URL for all services; those of AWS when None.
    """

    profile: str | None = None
    region: str | None = None
    endpoint: str | None = None


class GitHub(Noun):
    """Where and by what right webhooks are registered with GitHub.

    Attributes:
        api: The URL of its REST API; `https://<host>/api/v3` for an Enterprise Server.
        token_variable: The environment variable that holds a token; the `OAuthToken` of the
            webhook's target is taken when None.
    """

    api: str = "https://api.github.com"
    token_variable: str | None = None


class Receiver(Noun):
    """A URL that is told every change of state.

    Attributes:
        url: Where it listens for POST requests.
        secret_variable: The environment variable that holds the key of the signature.
    """

    url: str
    secret_variable: str | None = None


class Events(Noun):
    """Who is told every change of state, as CodePipeline tells EventBridge.

    Attributes:
        log: A file that gets one line of JSON for each.
        webhooks: Receivers by name.
    """

    log: str | None = None
    webhooks: Mapping[str, Receiver] = field(default_factory=dict)


class Settings(Noun):
    """The settings of one project folder.

    Attributes:
        folder: The folder that relative paths start from.
        repositories: Clone URLs by CodeCommit repository name or `owner/repository`.
        connections: Clone URL patterns by connection ARN, `{repository}` standing for its full id.
        projects: CodeBuild projects by name.
        groups: Deployment groups by `application/group`.
        buckets: The folder that stands for each S3 bucket, by its name.
        functions: Lambda functions by name.
        images: Names of local container images, without a tag, by ECR repository name.
        compute: Where builds and Commands actions run, unless their project says otherwise.
        secrets: The file that stands for Parameter Store and Secrets Manager.
        aws: The account that is asked for what is not here; none is asked when None.
        events: Who is told every change of state.
        github: Where webhooks are registered.
    """

    folder: str = "."
    repositories: Mapping[str, str] = field(default_factory=dict)
    connections: Mapping[str, str] = field(default_factory=dict)
    projects: Mapping[str, Project] = field(default_factory=dict)
    groups: Mapping[str, DeploymentGroup] = field(default_factory=dict)
    buckets: Mapping[str, str] = field(default_factory=dict)
    functions: Mapping[str, Function] = field(default_factory=dict)
    images: Mapping[str, str] = field(default_factory=dict)
    compute: Compute = field(default_factory=Compute)
    secrets: str | None = None
    aws: Aws | None = None
    events: Events = field(default_factory=Events)
    github: GitHub = field(default_factory=GitHub)
