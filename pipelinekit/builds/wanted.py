"""What an action or a rule says of the build of a project; it loads nothing that builds."""

from collections.abc import Mapping
from typing import Annotated

from pipelinekit.model.noun import Noun
from pipelinekit.ports.keys import Key
from pipelinekit.wire.environment_variables import write_variables


class VariablesForm:
    """Writes a mapping as CodeBuild's JSON; text is read later, where it can be refused."""

    def write(self, value: object) -> str:
        """Give the JSON for a mapping, and text as it is."""
        return write_variables(value) if isinstance(value, Mapping) else str(value)

    def read(self, text: str) -> object:
        """Give the text."""
        return text


Env = Annotated[Mapping[str, str] | str | None, Key("EnvironmentVariables", form=VariablesForm())]
"""The values of environment variables, as a setting of actions and rules."""


class Wanted(Noun):
    """What an action or a rule says of its build; the keys of its configuration.

    Attributes:
        project: The project, by which `[codebuild.<project>]` is found.
        buildspec: A path in the primary source, or YAML, in place of the project's own.
        env: Values of environment variables by name, or CodeBuild's JSON array.
        primary: The input artifact in which the build starts.
        batch: Whether the builds of the buildspec's section `batch` are run.
        combine: Whether the artifacts of a batch build become one.
    """

    project: str
    buildspec: str | None = None
    env: Mapping[str, str] | str | None = None
    primary: str | None = None
    batch: bool = False
    combine: bool = False
