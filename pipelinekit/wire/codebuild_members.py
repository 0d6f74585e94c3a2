"""The members of a CodeBuild project, which AWS, CloudFormation and Terraform call differently."""

from collections.abc import Mapping
from typing import Final

from msgspec import field

from pipelinekit.model.noun import Noun
from pipelinekit.tools.documents.document import JSON

Members = dict[str, JSON]

MADE: Final = frozenset({"arn", "created", "lastModified", "publicProjectAlias", "id", "badgeUrl"})
"""What AWS adds to a project by itself."""
FLAGS: Final = frozenset(
    {
        *("badgeEnabled", "combineArtifacts", "encryptionDisabled", "fetchSubmodules"),
        *("insecureSsl", "overrideArtifactName", "privilegedMode", "reportBuildStatus"),
    }
)
WHOLE: Final = frozenset(
    {
        *("autoRetryLimit", "concurrentBuildLimit", "gitCloneDepth", "maximumBuildsAllowed"),
        *("queuedTimeoutInMinutes", "timeoutInMinutes", "timeoutInMins"),
    }
)
OBJECTS: Final = frozenset(
    {
        *("artifacts", "auth", "buildBatchConfig", "buildStatusConfig", "cache"),
        *("cloudWatchLogs", "cloudwatchLogs", "environment", "fleet", "gitSubmodulesConfig"),
        *("logsConfig", "registryCredential", "restrictions", "s3Logs", "source", "vpcConfig"),
    }
)
"""What Terraform has as blocks, which are lists, of which there is at most one."""
EMPTY: Final[tuple[JSON, ...]] = (None, {}, [])


class Words(Noun):
    """How a form of templates calls the members of a project.

    Attributes:
        names: Their names, where they are not those of CodeBuild's API.
        known: The members that it has words for; all when None.
        unknown: Those that it has none for.
    """

    names: Mapping[str, str]
    known: frozenset[str] | None = None
    unknown: frozenset[str] = field(default_factory=frozenset)

    def has(self, name: str) -> bool:
        """Tell whether there is a word for a member."""
        return name not in self.unknown and (self.known is None or name in self.known)


CLOUDFORMATION: Final = Words({"projectVisibility": "visibility"}, unknown=frozenset({"webhook"}))
TERRAFORM: Final = Words(
    names={
        "cloudWatchLogs": "cloudwatchLogs",
        "queuedTimeoutInMinutes": "queuedTimeout",
        "secondarySourceVersions": "secondarySourceVersion",
    },
    known=frozenset(
        {
            *("artifactIdentifier", "artifacts", "auth", "badgeEnabled", "bucketOwnerAccess"),
            *("buildBatchConfig", "buildspec", "buildStatusConfig", "cache", "certificate"),
            *("cloudWatchLogs", "combineArtifacts", "computeType", "computeTypesAllowed"),
            *("concurrentBuildLimit", "context", "credential", "credentialProvider"),
            *("description", "encryptionDisabled", "encryptionKey", "environment"),
            *("environmentVariables", "fetchSubmodules", "fileSystemLocations", "fleet"),
            *("fleetArn", "gitCloneDepth", "gitSubmodulesConfig", "groupName", "identifier"),
            *("image", "imagePullCredentialsType", "insecureSsl", "location", "logsConfig"),
            *("maximumBuildsAllowed", "modes", "mountOptions", "mountPoint", "name"),
            *("namespaceType", "overrideArtifactName", "packaging", "path", "privilegedMode"),
            *("projectVisibility", "queuedTimeoutInMinutes", "registryCredential"),
            *("reportBuildStatus", "resource", "resourceAccessRole", "restrictions", "s3Logs"),
            *("secondaryArtifacts", "secondarySources", "secondarySourceVersions"),
            *("securityGroupIds", "serviceRole", "source", "sourceIdentifier"),
            *("sourceVersion", "status", "streamName", "subnets", "targetUrl"),
            *("timeoutInMins", "timeoutInMinutes", "type", "value", "vpcConfig", "vpcId"),
        }
    ),
)
"""The arguments of aws_codebuild_project in Terraform's AWS provider, to 5.100."""
_NAMES: Final = {
    theirs: name for words in (CLOUDFORMATION, TERRAFORM) for name, theirs in words.names.items()
}


def members_of(project: JSON) -> Members:
    """Give the members of a project as CodeBuild's API has them, whichever form they are from.

    What is empty is left out, and what AWS adds to a project by itself.

    Args:
        project: As `batch-get-projects` prints it, or as it is in a template.
    """
    found = _plain("", project)
    assert isinstance(found, dict)  # noqa: S101 - whoever asks has looked for its name
    badge = found.pop("badge", None)
    if isinstance(badge, dict) and badge.get("badgeEnabled"):
        found["badgeEnabled"] = True
    return {name: value for name, value in found.items() if name not in MADE}


def in_words(project: Members, words: Words) -> tuple[Members, tuple[str, ...]]:
    """Give a project as a form of templates has it, and what it has no words for.

    Args:
        project: Its members as CodeBuild's API has them.
        words: Of the form.
    """
    left: list[str] = []
    written = _translated(project, words, "", left)
    assert isinstance(written, dict)  # noqa: S101 - an object is translated to one
    return written, tuple(dict.fromkeys(left))


def _plain(name: str, data: JSON) -> JSON:
    match data:
        case dict():
            plain = {_NAMES.get(key, key): _plain(key, each) for key, each in data.items()}
            return {key: each for key, each in plain.items() if each not in EMPTY}
        case [dict() as only] if name in OBJECTS:
            return _plain(name, only)
        case list():
            return [_plain("", each) for each in data]
        case "true" | "false" if name in FLAGS:
            return data == "true"
        case str() if _NAMES.get(name, name) in WHOLE and data.isdecimal():
            return int(data)
        case _:
            return data


def _translated(data: JSON, words: Words, place: str, left: list[str]) -> JSON:
    match data:
        case dict():
            written: Members = {}
            for name, each in data.items():
                if words.has(name):
                    inside = _translated(each, words, f"{place}{name}.", left)
                    written[words.names.get(name, name)] = inside
                else:
                    left.append(f"{place}{name}")
            return written
        case list():
            return [_translated(each, words, place, left) for each in data]
        case _:
            return data
