"""CodeBuild projects as `aws codebuild batch-get-projects` prints them, read and written."""

from collections.abc import Mapping
from typing import Final

from msgspec import to_builtins

from pipelinekit.model.settings import Compute, Project
from pipelinekit.tools.documents.document import JSON, Document, Node
from pipelinekit.wire.codebuild_members import EMPTY, Members, members_of
from pipelinekit.wire.environment_variables import Variables, variables_of

LEAST_MINUTES: Final = 1
UNDERSTOOD: Final = frozenset({"name", "timeoutInMinutes"})
UNDERSTOOD_OF: Final = {
    "source": frozenset({"buildspec"}),
    "environment": frozenset({"type", "image", "environmentVariables"}),
}
"""The members that builds here read; `Project.rest` keeps the others."""
USUAL_IMAGE: Final = "aws/codebuild/standard:7.0"


def read_projects(document: Document) -> dict[str, Project]:
    """Read CodeBuild projects by their names.

    Args:
        document: What `aws codebuild batch-get-projects` prints, as JSON or YAML: a mapping with
            the list `projects`. What has no meaning here is kept for exports.

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


def write_project(name: str, project: Project, role_arn: str) -> Members:
    """Write a project that builds for pipelines, so that `read_projects` reads it back.

    Args:
        name: Its name.
        project: What the settings say of it; what only this machine knows is left out.
        role_arn: The role of its builds at AWS, where the project has none.
    """
    usual: Members = {
        "source": {"type": "CODEPIPELINE"},
        "artifacts": {"type": "CODEPIPELINE"},
        "environment": {
            "type": "LINUX_CONTAINER",
            "computeType": "BUILD_GENERAL1_SMALL",
            "image": USUAL_IMAGE,
        },
        "serviceRole": role_arn,
    }
    return {"name": name, **_over(usual, _told(project))}


def assumed(project: Project) -> list[str]:
    """Name what `write_project` has to assume of a project, as nobody has told it."""
    told = _told(project)
    environment = told["environment"]
    assert isinstance(environment, dict)  # noqa: S101 - it is made here
    of_it = (name for name in ("type", "computeType", "image") if name not in environment)
    role = () if "serviceRole" in told else ("serviceRole",)
    return [*(f"environment.{name}" for name in of_it), *role]


def _told(project: Project) -> Members:
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
    environment: Members = {
        "type": project.environment_type,
        "image": project.compute.image if project.compute else None,
        "environmentVariables": variables,
    }
    understood: Members = {
        "source": _given({"buildspec": project.buildspec or None}),
        "environment": _given(environment),
        **_given({"timeoutInMinutes": project.timeout_minutes}),
    }
    return _over(to_builtins(project.rest), understood)


def _given(members: Members) -> Members:
    return {name: value for name, value in members.items() if value not in EMPTY}


def _over(under: Members, members: Members) -> Members:
    merged = {**under, **members}
    for name, beneath in under.items():
        above = merged[name]
        if isinstance(beneath, dict) and isinstance(above, dict):
            merged[name] = _over(beneath, above)
    return merged


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
        environment_type=_text(environment, "type"),
        rest=_rest(members_of(node.data)),
    )


def _rest(members: Members) -> Members:
    rest = {name: value for name, value in members.items() if name not in UNDERSTOOD}
    for name, understood in UNDERSTOOD_OF.items():
        inside = rest.get(name)
        if isinstance(inside, dict):
            rest[name] = {key: each for key, each in inside.items() if key not in understood}
    return _given(rest)


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
