"""An action of a stage, and the algebra by which actions are set beside and after each other."""

from collections.abc import Mapping
from enum import StrEnum

from msgspec import field
from msgspec.structs import replace

from pipelinekit.model.errors import ValidationError
from pipelinekit.model.noun import SHORT, Noun, shown


class Category(StrEnum):
    """What an action is for."""

    SOURCE = "Source"
    BUILD = "Build"
    TEST = "Test"
    DEPLOY = "Deploy"
    INVOKE = "Invoke"
    APPROVAL = "Approval"
    COMPUTE = "Compute"
    RULE = "Rule"


class Owner(StrEnum):
    """Who offers an action type."""

    AWS = "AWS"
    THIRD_PARTY = "ThirdParty"
    CUSTOM = "Custom"


class SecretType(StrEnum):
    """How the value of an environment variable is given."""

    PLAINTEXT = "PLAINTEXT"
    SECRETS_MANAGER = "SECRETS_MANAGER"


class ActionTypeId(Noun, cache_hash=True):
    """The type of an action, by which its provider is found."""

    category: Category
    owner: Owner
    provider: str
    version: str = "1"

    def __str__(self) -> str:
        return f"{self.category}/{self.owner}/{self.provider}/{self.version}"


class EnvironmentVariable(Noun):
    """A variable of the shell of a compute action."""

    name: str
    value: str
    type: SecretType | None = None


class OutputArtifact(Noun):
    """An artifact that an action writes.

    Attributes:
        name: Its name, unique in the pipeline.
        files: Which files it takes in, for Commands actions only.
    """

    name: str
    files: tuple[str, ...] = ()


class Action(Noun):
    """One thing to do in a stage.

    Args:
        name: Unique in the stage, 1 to 100 of letters, digits and `. @ - _`.
        type: By which its provider is found.
        configuration: The provider's keys; all values are text.
        run_order: 1 to 999; equal numbers run side by side, a higher one runs after.
        inputs: Names of artifacts it reads.
        outputs: Artifacts it writes.
        namespace: Under which its output variables are referred to.
        commands: Shell lines, for Commands actions only.
        output_variables: Names of shell variables to export, for Commands actions only.
        environment: Shell variables of compute actions.
        role_arn: The role it acts under.
        region: The region it runs in.
        timeout_minutes: 5 to 86400; the type's own limit when absent.
    """

    name: str
    type: ActionTypeId
    configuration: Mapping[str, str] = field(default_factory=dict)
    run_order: int = 1
    inputs: tuple[str, ...] = ()
    outputs: tuple[OutputArtifact, ...] = ()
    namespace: str | None = None
    commands: tuple[str, ...] = ()
    output_variables: tuple[str, ...] = ()
    environment: tuple[EnvironmentVariable, ...] = ()
    role_arn: str | None = None
    region: str | None = None
    timeout_minutes: int | None = None

    def __getitem__(self, variable: str) -> str:
        """Refer to one of the action's output variables: `test["VERSION"]`.

        Raises:
            TypeError: An item was asked for by its place, of which an action has none.
            ValidationError: The action has no namespace, so nobody can refer to its variables.
        """
        if not isinstance(variable, str):
            raise TypeError(
                f"{self.name}[{variable!r}] was asked for, and an action holds nothing but output "
                f'variables; name one of them: {self.name}["NAME"]'
            )
        if self.namespace is None:
            raise ValidationError(
                f"{self.name}[{variable!r}] was asked for, but action {self.name} has no "
                f"namespace; give it one with msgspec.structs.replace(action, namespace=...)"
            )
        return f"#{{{self.namespace}.{variable}}}"

    # Python would ask for one item after the other, for ever.
    __iter__ = None
    __contains__ = None

    def reads(self, *sources: "Action | str") -> "Action":
        """Give a copy that reads artifacts besides those it reads already.

        Args:
            sources: Names of artifacts, or actions that write exactly one.

        Raises:
            ValidationError: One is neither, or an action that writes no artifact, or several.
        """
        return replace(self, inputs=(*self.inputs, *map(artifact, sources)))

    def writes(self, *names: str) -> "Action":
        """Give a copy that writes exactly these artifacts.

        Raises:
            ValidationError: One is no name.
        """
        for name in names:
            if not isinstance(name, str):
                raise ValidationError(
                    f"writes({SHORT.repr(name)}) was asked for, which is no name; name the "
                    f'artifacts that {self.name} writes: writes("app")'
                )
        return replace(self, outputs=tuple(OutputArtifact(name) for name in names))

    def within(self, minutes: int) -> "Action":
        """Give a copy that fails when it takes longer than `minutes` (5 to 86400)."""
        return replace(self, timeout_minutes=minutes)

    def __add__(self, other: "Action | Steps") -> "Steps":
        return Steps.of(self) + other

    def __rshift__(self, other: "Action | Steps") -> "Steps":
        return Steps.of(self) >> other


class Steps(Noun):
    """Groups of actions: those of a group run side by side, the groups one after the other."""

    groups: tuple[tuple[Action, ...], ...]

    @staticmethod
    def of(part: "Action | Steps") -> "Steps":
        """Take an action as a single step; leave steps as they are.

        Raises:
            ValidationError: It is neither.
        """
        if isinstance(part, Steps):
            return part
        if isinstance(part, Action):
            return Steps(((part,),))
        raise ValidationError(
            f"{shown(part)} was given where an action is expected; write actions down one by one, "
            f'each with its name, such as commands("test", "make test"), and join them by + or >>'
        )

    def __add__(self, other: "Action | Steps") -> "Steps":
        beside = Steps.of(other)
        if len(self.groups) > 1 or len(beside.groups) > 1:
            raise ValidationError(
                f"({self}) + ({beside}) was asked for: a sequence cannot stand beside something "
                f"else, since CodePipeline orders a stage by run order alone; put single actions "
                f"side by side with +, then groups after each other with >>"
            )
        return Steps((self.groups[0] + beside.groups[0],))

    def __rshift__(self, other: "Action | Steps") -> "Steps":
        return Steps(self.groups + Steps.of(other).groups)

    def __str__(self) -> str:
        return " >> ".join(" + ".join(action.name for action in group) for group in self.groups)

    @property
    def actions(self) -> tuple[Action, ...]:
        """Give the actions with the run orders that the groups mean.

        Actions that are in no sequence keep the run orders that they bear; a sequence numbers its
        groups 1, 2, 3.
        """
        if len(self.groups) == 1:
            return self.groups[0]
        return tuple(
            replace(action, run_order=order)
            for order, group in enumerate(self.groups, start=1)
            for action in group
        )


def artifact(source: Action | str) -> str:
    """Name an artifact that is to be read: by its name, or by the action that writes no other.

    Raises:
        ValidationError: It is neither, or the action writes none, or several.
    """
    if isinstance(source, str):
        return source
    if not isinstance(source, Action):
        raise ValidationError(
            f"reads({SHORT.repr(source)}) was asked for, which is no artifact; give names of "
            f"artifacts, or actions that write one, each by itself: reads(build, test)"
        )
    if len(source.outputs) == 1:
        return source.outputs[0].name
    written = ", ".join(output.name for output in source.outputs) or "none"
    raise ValidationError(
        f"reads({source.name}) was asked for, but action {source.name} writes {written}; "
        f"name the artifact instead"
    )
