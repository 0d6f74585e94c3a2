"""Gives builds the secret values that their variables ask for."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from pipelinekit.builds.task import BuildFailed
from pipelinekit.model.settings import Aws, Settings
from pipelinekit.tools.vault import SecretError, Vault, open_vault
from pipelinekit.wire.environment_variables import Variables

HINT: Final = (
    'in pipelinekit.toml, write `file = "secrets.toml"` under [secrets], or the region of the '
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
    values, missing = _looked_up(settings, Variables(parameters=parameters, secrets=secrets))
    if missing:
        lines = (f"  {each}" for each in missing)
        raise BuildFailed("\n".join(("secret values of the build cannot be had:", *lines)))
    return values


def secrets_obstacle(settings: Settings, asked: Variables) -> str | None:
    """Say which secret values of a build can be had nowhere; None when all can, or AWS would know.

    Args:
        settings: Of the project's folder.
        asked: Its variables; a reference with `#{` in it is not known yet, and not looked up.
    """
    if settings.aws is not None:
        return None
    tables = (
        {name: each for name, each in table.items() if "#{" not in each}
        for table in (asked.parameters, asked.secrets)
    )
    _, missing = _looked_up(settings, Variables({}, *tables))
    return "; ".join(missing) or None


def _looked_up(settings: Settings, asked: Variables) -> tuple[dict[str, str], list[str]]:
    values: dict[str, str] = {}
    if not asked.parameters and not asked.secrets:
        return values, []
    try:
        place = vault(settings)
    except SecretError as error:
        return values, [str(error)]
    missing: list[str] = []
    ways: tuple[tuple[Callable[[str], str], Mapping[str, str]], ...] = (
        (place.parameter, asked.parameters),
        (place.secret, asked.secrets),
    )
    for look_up, names in ways:
        for variable, name in names.items():
            try:
                values[variable] = look_up(name)
            except SecretError as error:
                missing.append(f"{variable}: {error}")
    if missing and not settings.secrets and not settings.aws:
        missing.append(HINT)
    return values, missing


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
