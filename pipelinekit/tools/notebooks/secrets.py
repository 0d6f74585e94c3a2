"""References to secret values, which stand in notebooks in the place of the values.

`secret:env:TOKEN`, `secret:file:/run/token`, `secret:keyring:service/user`,
`secret:secretsmanager:shop/database:password` and `secret:ssm:/shop/token` are such references.
"""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final, Self, TypeAlias

from pipelinekit.tools.notebooks.document import NotebookError
from pipelinekit.tools.redact import SHORTEST
from pipelinekit.tools.vault import SecretError, Vault, open_vault

REFERENCE: Final = re.compile(r"secret:(env|file|keyring|secretsmanager|ssm):(.+)", re.DOTALL)

Resolve: TypeAlias = Callable[[str], str]
"""Gives the value of a reference."""


class SecretMissing(NotebookError):
    """A secret value that cannot be had."""


class Secret(str):
    """A reference to a secret value, as a parameter of a notebook.

    It is the text of the reference, so that it may stand in files, logs and notebooks. Only the
    kernel is given the value, and whatever the notebook shows of it is replaced by `***`: best
    effort, for a value that is encoded twice goes unnoticed.
    """

    __slots__ = ()

    def __new__(cls, reference: str) -> Self:
        """Take a reference such as `env:TOKEN`, with or without `secret:` before it."""
        text = reference if reference.startswith("secret:") else f"secret:{reference}"
        if not REFERENCE.fullmatch(text):
            raise ValueError(
                f"{reference!r} was to refer to a secret; write env:NAME, file:PATH, "
                f"keyring:SERVICE/USER, secretsmanager:ID or ssm:NAME"
            )
        return super().__new__(cls, text)

    def value(self) -> str:
        """Look the value up.

        Raises:
            SecretMissing: It cannot be had.
        """
        return resolver()(self)

    @classmethod
    def env(cls, name: str) -> Self:
        """Refer to an environment variable of the process that runs the notebook."""
        return cls(f"env:{name}")

    @classmethod
    def file(cls, path: str | Path) -> Self:
        """Refer to the content of a file, without the line end that it may have."""
        return cls(f"file:{path}")

    @classmethod
    def keyring(cls, service: str, user: str) -> Self:
        """Refer to a password in the keyring of the system, which needs the package keyring."""
        return cls(f"keyring:{service}/{user}")

    @classmethod
    def secrets_manager(cls, reference: str) -> Self:
        """Refer to AWS Secrets Manager: `id`, or `id:json-key`."""
        return cls(f"secretsmanager:{reference}")

    @classmethod
    def ssm(cls, name: str) -> Self:
        """Refer to a parameter of AWS Systems Manager, which is decrypted."""
        return cls(f"ssm:{name}")


def references(value: object) -> Iterator[str]:
    """Find the references to secrets in a value of JSON.

    Args:
        value: Such as the parameters of a notebook.
    """
    if isinstance(value, str):
        if REFERENCE.fullmatch(value):
            yield str(value)
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from references(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from references(each)


def values(given: Mapping[str, object], resolve: Resolve) -> dict[str, str]:
    """Look up what the parameters of a notebook refer to.

    Args:
        given: Values by the name of the parameter.
        resolve: Gives the value of a reference.

    Raises:
        SecretMissing: A value cannot be had, or is too short to be kept out of outputs.
    """
    found: dict[str, str] = {}
    for name, value in given.items():
        for reference in references(value):
            found[reference] = resolve(reference)
            if len(found[reference].encode()) < SHORTEST:
                raise SecretMissing(
                    f"the secret {reference} of the parameter {name} has fewer than {SHORTEST} "
                    f"bytes, which cannot be kept out of outputs; take a longer one"
                )
    return found


def resolver(vault: Callable[[], Vault] | None = None) -> Resolve:
    """Give what looks references up.

    Args:
        vault: Opens what those of AWS are looked up in; the account of the environment when None.
    """

    def resolve(reference: str) -> str:
        match = REFERENCE.fullmatch(reference)
        assert match  # noqa: S101 - only references are handed on
        kind, name = match[1], match[2]
        try:
            if kind in _HERE:
                return _HERE[kind](name)
            place = (vault or _account)()
            return place.parameter(name) if kind == "ssm" else place.secret(name)
        except (SecretError, OSError, ValueError) as error:
            raise SecretMissing(f"{reference} was to be looked up: {error}") from None

    return resolve


def _account() -> Vault:
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    endpoint = os.environ.get("AWS_ENDPOINT_URL")
    return open_vault(None, os.environ.get("AWS_PROFILE"), region, endpoint)


def _from_environment(name: str) -> str:
    if name not in os.environ:
        raise ValueError(f"the environment has no variable {name}; set it")
    return os.environ[name]


def _from_file(name: str) -> str:
    return Path(name).expanduser().read_text(encoding="utf-8").rstrip("\r\n")


def _from_keyring(name: str) -> str:
    try:
        import keyring  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415 - optional
        import keyring.errors  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415 - too
    except ImportError:
        raise ValueError("the package keyring is missing; install it") from None
    service, _, user = name.rpartition("/")
    try:
        found: str | None = keyring.get_password(service, user)
    except keyring.errors.KeyringError as error:
        raise ValueError(
            f"the keyring cannot be read: {str(error) or type(error).__name__}; unlock it, or "
            f"have PYTHON_KEYRING_BACKEND name another one"
        ) from None
    if found is None:
        raise ValueError(f"the keyring has no password of {user} for {service}; store it")
    return found


_HERE: Final[Mapping[str, Resolve]] = {
    "env": _from_environment,
    "file": _from_file,
    "keyring": _from_keyring,
}
