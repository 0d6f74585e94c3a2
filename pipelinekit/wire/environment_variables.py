"""The text of a CodeBuild action's key EnvironmentVariables, written from a mapping and read."""

import json
from collections.abc import Mapping

from msgspec import field

from pipelinekit.model.noun import Noun
from pipelinekit.tools.documents.document import Form, Node, parse

KINDS = ("PLAINTEXT", "PARAMETER_STORE", "SECRETS_MANAGER")


class Variables(Noun):
    """Environment variables by where their values come from; a name is in one of them only.

    Attributes:
        plain: The values themselves.
        parameters: The parameter of Parameter Store for each variable.
        secrets: The reference into Secrets Manager for each variable, such as `name:json-key`.
    """

    plain: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)

    @property
    def names(self) -> frozenset[str]:
        """Name all of them."""
        return frozenset({*self.plain, *self.parameters, *self.secrets})

    def over(self, others: "Variables") -> "Variables":
        """Add these to others; they prevail, wherever a value comes from."""
        mine = self.names

        def left(theirs: Mapping[str, str]) -> dict[str, str]:
            return {name: value for name, value in theirs.items() if name not in mine}

        return Variables(
            {**left(others.plain), **self.plain},
            {**left(others.parameters), **self.parameters},
            {**left(others.secrets), **self.secrets},
        )


def write_variables(variables: Mapping[str, str]) -> str:
    """Write values by name as the JSON array that CodePipeline wants."""
    return json.dumps(
        [{"name": name, "value": value, "type": "PLAINTEXT"} for name, value in variables.items()]
    )


def read_variables(text: str) -> Variables:
    """Read the JSON array.

    Args:
        text: An array of objects with `name`, `value` and perhaps `type`.

    Raises:
        DocumentError: It is no such array, or gives a variable twice; says the place.

    Source:
        codepipeline.md 7.7.
    """
    return variables_of(parse(text, "EnvironmentVariables", Form.JSON).root)


def variables_of(node: Node) -> Variables:
    """Take environment variables out of a list of mappings with `name`, `value` and `type`.

    Raises:
        DocumentError: It is no such list, or gives a variable twice; says the place.
    """
    found: dict[str, dict[str, str]] = {kind: {} for kind in KINDS}
    for item in node.list():
        name = item.only({"name", "value", "type"}).need("name")
        if any(name.text() in values for values in found.values()):
            raise name.error("give each variable once", f"{name.text()} a second time")
        kind = item.get("type")
        found[kind.choice(KINDS) if kind else "PLAINTEXT"][name.text()] = item.need("value").text()
    return Variables(*(found[kind] for kind in KINDS))
