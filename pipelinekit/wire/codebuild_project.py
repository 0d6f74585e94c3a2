"""CodeBuild projects as `aws codebuild batch-get-projects` prints them, read and written."""

from collections.abc import Mapping
from typing import Final

from pipelinekit.model.settings import Compute, Project
from pipelinekit.tools.documents.document import JSON, Document, Node
from pipelinekit.wire.environment_variables import Variables, variables_of

LEAST_MINUTES: Final = 1
USUAL_IMAGE: Final = "aws/codebuild/standard:7.0"


def read_projects(document: Document) -> dict[str, Project]:
    """Read CodeBuild projects by their names.

    Args:
        document: What `aws codebuild batch-get-projects` prints, as JSON or YAML: a mapping with
            the list `projects`. What has no meaning here is left aside, as AWS prints much.

    Raises:
        DocumentError: Something is not of the kind that AWS prints; says the line.

    Source:
        The structure `Project` of the CodeBuild API.
    """
    projects: dict[str, Project] = {}
    for node in document.root.need("projects").list():
        name = node.need("name")
        if name.text() in projects:
            raise name.error("give each project once", f"project {name.text()} a second time")
        projects[name.text()] = _project(node)
    return projects


def write_project(name: str, project: Project, role_arn: str) -> dict[str, JSON]:
    """Write a project that builds for pipelines, so that `read_projects` reads it back.

    Args:
        name: Its name.
        project: What the settings say of it; what only this machine knows is left out.
        role_arn: The role of its builds at AWS.
    """
    image = project.compute.image if project.compute else None
    kinds: tuple[tuple[str, Mapping[str, str]], ...] = (
        ("PLAINTEXT", project.environment),
        ("PARAMETER_STORE", project.parameters),
        ("SECRETS_MANAGER", project.secrets),
    )
    variables: list[JSON] = [
        {"name": key, "value": value, "type": kind}
        for kind, table in kinds
        for key, value in table.items()
    ]
    source: dict[str, JSON] = {"type": "CODEPIPELINE"}
    environment: dict[str, JSON] = {
        "type": "LINUX_CONTAINER",
        "computeType": "BUILD_GENERAL1_SMALL",
        "image": image or USUAL_IMAGE,
    }
    if project.buildspec:
        source["buildspec"] = project.buildspec
    if variables:
        environment["environmentVariables"] = variables
    written: dict[str, JSON] = {
        "name": name,
        "source": source,
        "artifacts": {"type": "CODEPIPELINE"},
        "environment": environment,
        "serviceRole": role_arn,
    }
    if project.timeout_minutes is not None:
        written["timeoutInMinutes"] = project.timeout_minutes
    return written


def _project(node: Node) -> Project:
    environment = _present(node, "environment")
    variables = _variables(environment)
    return Project(
        buildspec=_text(_present(node, "source"), "buildspec") or None,
        environment=variables.plain,
        timeout_minutes=_minutes(_present(node, "timeoutInMinutes")),
        parameters=variables.parameters,
        secrets=variables.secrets,
        compute=_compute(environment),
    )


def _variables(environment: Node | None) -> Variables:
    given = _present(environment, "environmentVariables")
    return Variables() if given is None else variables_of(given)


def _compute(environment: Node | None) -> Compute | None:
    image = _text(environment, "image")
    return Compute(image=image) if image else None


def _minutes(node: Node | None) -> int | None:
    if node is None:
        return None
    if node.whole() < LEAST_MINUTES:
        raise node.error("a number of minutes, 1 or more, is expected there")
    return node.whole()


def _text(node: Node | None, key: str) -> str | None:
    found = _present(node, key)
    return None if found is None else found.text()


def _present(node: Node | None, key: str) -> Node | None:
    found = None if node is None else node.get(key)
    return None if found is None or found.data is None else found
