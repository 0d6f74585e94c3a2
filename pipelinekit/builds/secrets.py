"""Gives builds the secret values that their variables ask for."""

from collections.abc import Callable, Mapping
from pathlib import Path

from pipelinekit.builds.task import BuildFailed
from pipelinekit.model.settings import Aws, Settings
from pipelinekit.tools.vault import SecretError, Vault, open_vault

HINT = (
    '  in pipelinekit.toml, write `file = "secrets.toml"` under [secrets], or the region of the '
    "account under [aws]"
)


def fetch(
    settings: Settings, parameters: Mapping[str, str], secrets: Mapping[str, str]
) -> dict[str, str]:
    """Look up the value of each variable that is to come from a store of secrets.

    Args:
        settings: Of the project; its `secrets` file is asked first, then the account of `aws`.
        parameters: The Parameter Store name of each variable.
        secrets: The Secrets Manager reference of each variable.

    Returns:
        The value of each variable. They are for the build's environment, and to be written
        nowhere.

    Raises:
        BuildFailed: Some cannot be had; the message has a line for every one of them.
    """
    try:
        place = vault(settings)
    except SecretError as error:
        raise BuildFailed(str(error)) from None
    values: dict[str, str] = {}
    missing: list[str] = []
    ways: tuple[tuple[Callable[[str], str], Mapping[str, str]], ...] = (
        (place.parameter, parameters),
        (place.secret, secrets),
    )
    for look_up, asked in ways:
        for variable, name in asked.items():
            try:
                values[variable] = look_up(name)
            except SecretError as error:
                missing.append(f"  {variable}: {error}")
    if missing:
        if not settings.secrets and not settings.aws:
            missing.append(HINT)
        raise BuildFailed("\n".join(("secret values of the build cannot be had:", *missing)))
    return values


def vault(settings: Settings, environment: Mapping[str, str] | None = None) -> Vault:
    """Open the places where a project keeps its secrets.

    Args:
        settings: Of the project.
        environment: Variables such as `AWS_PROFILE`; where they name an account, it is asked
            instead of the project's.

    Raises:
        SecretError: Its file of secrets is not there, or is not what it is to be.
    """
    file = None
    if settings.secrets:
        file = Path(settings.folder, Path(settings.secrets).expanduser())
    account = _named(environment or {}) or settings.aws or Aws()
    return open_vault(file, account.profile, account.region, account.endpoint)


def _named(environment: Mapping[str, str]) -> Aws | None:
    account = Aws(
        environment.get("AWS_PROFILE"),
        environment.get("AWS_REGION"),
        environment.get("AWS_ENDPOINT_URL"),
    )
    return None if account == Aws() else account
