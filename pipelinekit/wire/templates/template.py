"""Takes the parts of a CloudFormation template apart: parameters, conditions, resources."""

from collections.abc import Iterator
from typing import Final

from pipelinekit.model.noun import Noun
from pipelinekit.tools.documents.document import Document, Node

_FUNCTIONS: Final = (
    *("And", "Or", "Not", "Equals", "If"),
    *("Base64", "Cidr", "FindInMap", "GetAZs", "GetAtt", "ImportValue", "Length"),
    *("Join", "Select", "Split", "Sub", "ToJsonString", "Transform"),
)
SHORT_FORMS: Final = {
    "!Ref": "Ref",
    "!Condition": "Condition",
    **{f"!{name}": f"Fn::{name}" for name in _FUNCTIONS},
}
"""The YAML tags of CloudFormation, and the keys that they stand for."""

PIPELINE: Final = "AWS::CodePipeline::Pipeline"
PROJECT: Final = "AWS::CodeBuild::Project"
WEBHOOK: Final = "AWS::CodePipeline::Webhook"

FOR_EACH: Final = "Fn::ForEach::"
LONGEST: Final = 100
"""The most characters that the name of a pipeline has."""


class Resource(Noun):
    """A resource of a template.

    Attributes:
        name: Its logical id.
        type: Such as `AWS::S3::Bucket`.
        node: All of it.
    """

    name: str
    type: str
    node: Node

    @property
    def properties(self) -> Node | None:
        """Give its properties; None where it has none."""
        return self.node.get("Properties")


class Template(Noun):
    """The parts of a template, by their names.

    Attributes:
        name: The file, for errors.
        parameters: What is told when it is deployed.
        mappings: Tables.
        conditions: Under which resources and values exist.
        resources: All of them, in their order.
        unexpanded: What makes resources only when CloudFormation processes the template.
        outputs: What it tells others.
        whole: Whether it is more than an excerpt, so that what it refers to must be there.
        stack: The stack that is made of it, where it is one of several.
    """

    name: str
    parameters: dict[str, Node]
    mappings: dict[str, Node]
    conditions: dict[str, Node]
    resources: dict[str, Resource]
    unexpanded: dict[str, Node]
    outputs: dict[str, Node]
    whole: bool
    stack: str = ""

    def local_name(self, resource: Resource) -> str:
        """Make up a name as CloudFormation would: of the stack's and the logical id."""
        return f"{self.stack}-{resource.name}"[-LONGEST:].lstrip("-")

    def of_type(self, type_name: str) -> Iterator[Resource]:
        """Give the resources of a type."""
        return (each for each in self.resources.values() if each.type == type_name)


def is_template(document: Document) -> bool:
    """Tell whether a document is a CloudFormation template, or resources out of one."""
    data = document.data
    if not isinstance(data, dict):
        return False
    resources = data.get("Resources", data)
    if not isinstance(resources, dict):
        return "Resources" in data
    types = [each.get("Type") for each in resources.values() if isinstance(each, dict)]
    return "Resources" in data or any(str(each).startswith("AWS::") for each in types)


def read_template(document: Document, stack: str = "") -> Template:
    """Read a template, or an excerpt that holds nothing but resources.

    Args:
        document: The template.
        stack: The stack that is made of it, where it is one of several.

    Raises:
        DocumentError: It is none.
    """
    root = document.root
    whole = root.get("Resources") is not None
    resources = (root.need("Resources") if whole else root).mapping()
    return Template(
        name=document.name,
        parameters=_section(root, "Parameters"),
        mappings=_section(root, "Mappings"),
        conditions=_section(root, "Conditions"),
        resources={
            name: Resource(name, node.need("Type").text(), node)
            for name, node in resources.items()
            if not name.startswith("Fn::")
        },
        unexpanded={name: node for name, node in resources.items() if name.startswith("Fn::")},
        outputs=_section(root, "Outputs"),
        whole=whole,
        stack=stack,
    )


def _section(root: Node, name: str) -> dict[str, Node]:
    found = root.get(name)
    return {} if found is None or found.data is None else found.mapping()
