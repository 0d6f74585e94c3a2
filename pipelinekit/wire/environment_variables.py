"""The text of a CodeBuild action's key EnvironmentVariables, written from a mapping and read."""

import json
from collections.abc import Mapping

from pipelinekit.tools.document import Form, Node, parse

KINDS = ("PLAINTEXT", "PARAMETER_STORE", "SECRETS_MANAGER")


def write_variables(variables: Mapping[str, str]) -> str:
    """Write values by name as the JSON array that CodePipeline wants."""
    return json.dumps(
        [{"name": name, "value": value, "type": "PLAINTEXT"} for name, value in variables.items()]
    )


def read_variables(text: str) -> dict[str, str]:
    """Read the JSON array, and give the values by name.

    Args:
        text: An array of objects with `name`, `value` and perhaps `type`.

    Raises:
        DocumentError: It is no such array, gives a variable twice, or wants a value from Parameter
            Store or Secrets Manager; says the place.

    Source:
        codepipeline.md 7.7.
    """
    variables: dict[str, str] = {}
    for item in parse(text, "EnvironmentVariables", Form.JSON).root.list():
        name = item.only({"name", "value", "type"}).need("name")
        if name.text() in variables:
            raise name.error("give each variable once", f"{name.text()} a second time")
        variables[name.text()] = _value(item)
    return variables


def _value(item: Node) -> str:
    kind = item.get("type")
    if kind and kind.choice(KINDS) != "PLAINTEXT":
        raise kind.error(
            "parameters and secrets are not read on this machine: give the value itself as "
            "PLAINTEXT, or in the project's environment in pipelinekit.toml"
        )
    return item.need("value").text()
