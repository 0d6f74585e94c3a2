"""Looks secret values up: first in a file of the project, then in an account of AWS.

The file is TOML, and nobody but its owner may read it:

```toml
[parameter-store]
"/shop/token" = "..."

[secrets-manager]
"shop/key" = "..."
database = { user = "shop", password = "..." }
```

No message ever shows a value.
"""

import json
import shlex
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, Self, TypeAlias

PARAMETERS: Final = "parameter-store"
SECRETS: Final = "secrets-manager"
TABLES: Final = (PARAMETERS, SECRETS)
CURRENT: Final = "AWSCURRENT"
REFERENCE: Final = "secret-id:json-key:version-stage:version-id"
ARN_COLONS: Final = 6

Version: TypeAlias = tuple[str, str, str]
"""A secret's id, with the stage or the version that is asked for."""


class SecretError(Exception):
    """A value that cannot be had; the message says where it was looked for and what to do."""


class Vault:
    """Where values are looked up; `open_vault` makes one."""

    def __init__(self, file: "_File | None", account: "_Account | None") -> None:
        self._file = file
        self._account = account

    def parameter(self, name: str) -> str:
        """Look a parameter up, and give its value, decrypted.

        Args:
            name: As Parameter Store has it, such as `/shop/token`, or `/shop/token:3` for a
                version.

        Raises:
            SecretError: It is nowhere, or cannot be had.
        """
        found = self._file.values[PARAMETERS].get(name) if self._file else None
        if found is None and self._account:
            found = self._account.parameter(name)
        if found is None:
            raise self._nowhere(f"the parameter {name}", PARAMETERS, name)
        return found

    def secret(self, reference: str) -> str:
        """Look a secret up, and give its text, or that of one key of its JSON object.

        The file knows no versions: what it has is current.

        Args:
            reference: `secret-id:json-key:version-stage:version-id`, as CodeBuild has it; all but
                the id, which is a name or an ARN, may be left out.

        Raises:
            SecretError: It is nowhere, cannot be had, has no such key, or is no reference.
        """
        asked = _Reference.read(reference)
        found = None
        if self._file and asked.is_current:
            found = self._file.values[SECRETS].get(asked.id)
        if found is None and self._account:
            found = self._account.secret(asked)
        if found is None:
            raise self._nowhere(f"the secret {reference}", SECRETS, asked.id)
        return asked.picked(found)

    def _nowhere(self, what: str, table: str, name: str) -> SecretError:
        entry = f"{json.dumps(name)} = ... under [{table}]"
        if self._file is None:
            return SecretError(
                f"{what} was asked for, and neither a file of secrets nor an AWS account is "
                f"configured; name one of them, and write {entry} of the file"
            )
        near = get_close_matches(name, self._file.values[table], n=1)
        there = f", which has {near[0]}" if near and near[0] != name else ""
        return SecretError(
            f"{what} was asked for and is not in {self._file.path}{there}, and no AWS account is "
            f"configured; write {entry} there, or configure the account"
        )


def values_in(file: Path) -> list[str]:
    """List every value of a secrets file, and those inside of its JSON, to keep them out of text.

    Raises:
        SecretError: It cannot be read, or others may read it.
    """
    texts = [text for table in _File.read(file).values.values() for text in table.values()]
    return [*texts, *(inner for text in texts for inner in _inside(text))]


def _inside(text: str) -> list[str]:
    try:
        data = json.loads(text)
    except ValueError:
        return []
    values = data.values() if isinstance(data, dict) else ()
    return [value for value in values if isinstance(value, str)]


def open_vault(
    file: Path | None,
    profile: str | None = None,
    region: str | None = None,
    endpoint: str | None = None,
) -> Vault:
    """Open the places where values are looked up: the file, and then the account.

    Args:
        file: The file of secrets; None for none.
        profile: A profile of the AWS configuration.
        region: A region of AWS.
        endpoint: A URL in place of those of AWS. Without all three no account is asked.

    Raises:
        SecretError: The file is not there, can be read by others, or is not what it is to be.
    """
    account = _Account(profile, region, endpoint) if profile or region or endpoint else None
    return Vault(_File.read(file) if file else None, account)


@dataclass(frozen=True, slots=True)
class _Reference:
    text: str
    id: str
    key: str = ""
    stage: str = ""
    version: str = ""

    @classmethod
    def read(cls, text: str) -> Self:
        parts = text.split(":")
        if parts[0] == "arn":
            parts[: ARN_COLONS + 1] = [":".join(parts[: ARN_COLONS + 1])]
        if not parts[0] or len(parts) > REFERENCE.count(":") + 1:
            raise SecretError(
                f"the secret {text!r} was asked for, which is no reference; write {REFERENCE}"
            )
        found = cls(text, *parts)
        if found.stage and found.version:
            raise SecretError(
                f"the secret {text} was asked for by a stage and by a version; leave one of them "
                f"out"
            )
        return found

    @property
    def is_current(self) -> bool:
        return self.stage in {"", CURRENT} and not self.version

    def picked(self, secret: str) -> str:
        if not self.key:
            return secret
        try:
            members = json.loads(secret)
        except json.JSONDecodeError:
            members = None
        if not isinstance(members, dict):
            raise SecretError(
                f"the secret {self.text} was asked for, and {self.id} is no JSON object; leave "
                f"{self.key} out, or store an object"
            )
        if self.key not in members:
            raise SecretError(
                f"the secret {self.text} was asked for, and {self.id} has no such key; take one "
                f"of {', '.join(members) or 'none'}"
            )
        found = members[self.key]
        return found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)


# ------------------------------------------------------------------ the file


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    values: Mapping[str, Mapping[str, str]]

    @classmethod
    def read(cls, path: Path) -> Self:
        try:
            with path.open("rb") as file:
                mode = stat.S_IMODE(path.stat().st_mode)
                data = tomllib.load(file)
        except OSError as error:
            raise SecretError(
                f"the secrets file {path} was asked for and cannot be read: {error.strerror}; "
                f"write it, with the tables [{PARAMETERS}] and [{SECRETS}]"
            ) from None
        except ValueError as error:
            raise SecretError(
                f"the secrets file {path} was asked for and is no TOML: {error}; mend it there"
            ) from None
        if mode & 0o077:
            raise SecretError(
                f"the secrets file {path} was asked for, and others than its owner may read or "
                f"write it (mode {mode:04o}); say: chmod 600 {shlex.quote(str(path))}"
            )
        if odd := sorted(data.keys() - TABLES):
            raise SecretError(
                f"the secrets file {path} has {odd[0]}, which has no meaning; its tables are "
                f"[{PARAMETERS}] and [{SECRETS}]"
            )
        return cls(path, {table: _values(path, table, data.get(table, {})) for table in TABLES})


def _values(path: Path, table: str, entries: object) -> Mapping[str, str]:
    if not isinstance(entries, dict):
        raise SecretError(f"the secrets file {path} has a value at {table}; write a table there")
    values: dict[str, str] = {}
    for name, value in entries.items():
        if isinstance(value, str):
            values[name] = value
        elif isinstance(value, dict) and table == SECRETS:
            values[name] = json.dumps(value, ensure_ascii=False, default=str)
        else:
            wanted = "text or a table" if table == SECRETS else "text"
            raise SecretError(
                f"the secrets file {path} has something else than {wanted} at "
                f"{table}.{json.dumps(name)}; put values in quotes, and names that have a dot"
            )
    return values


# ------------------------------------------------------------------ the account


class _Account:
    def __init__(self, profile: str | None, region: str | None, endpoint: str | None) -> None:
        self._profile = profile
        self._region = region
        self._endpoint = endpoint
        self._clients: dict[str, object] = {}
        self._secrets: dict[Version, str] = {}

    def parameter(self, name: str) -> str:
        asked = {"Name": name, "WithDecryption": True}
        found = self._ask("ssm", "get_parameter", f"the parameter {name}", asked)
        return str(found["Parameter"]["Value"])

    def secret(self, reference: _Reference) -> str:
        version = reference.id, reference.stage, reference.version
        if version not in self._secrets:
            self._secrets[version] = self._secret(reference.text, version)
        return self._secrets[version]

    def _secret(self, text: str, version: Version) -> str:
        asked = zip(("SecretId", "VersionStage", "VersionId"), version, strict=True)
        given = {name: value for name, value in asked if value}
        found = self._ask("secretsmanager", "get_secret_value", f"the secret {text}", given)
        if "SecretString" not in found:
            raise SecretError(f"the secret {text} was asked for and is binary; store it as text")
        return str(found["SecretString"])

    def _ask(
        self, service: str, operation: str, what: str, asked: Mapping[str, object]
    ) -> Mapping[str, Any]:
        from botocore.exceptions import (  # noqa: PLC0415 - slow to load, and seldom needed
            BotoCoreError,
            ClientError,
        )

        try:
            answer: Mapping[str, Any] = getattr(self._client(service), operation)(**asked)
        except (BotoCoreError, ClientError, ValueError) as error:
            where = ", ".join(filter(None, (self._profile, self._region, self._endpoint)))
            raise SecretError(
                f"{what} was asked of AWS ({where}), which was answered by: {error}; see there "
                f"whether it exists and may be read, or write it into a file of secrets"
            ) from None
        return answer

    def _client(self, service: str) -> object:
        import boto3  # noqa: PLC0415 - takes a fifth of a second, and few projects need it
        from botocore.config import Config  # noqa: PLC0415 - as above

        if service not in self._clients:
            session = boto3.Session(profile_name=self._profile, region_name=self._region)
            patience = Config(connect_timeout=10, read_timeout=20, retries={"mode": "standard"})
            self._clients[service] = session.client(
                service, endpoint_url=self._endpoint, config=patience
            )
        return self._clients[service]
