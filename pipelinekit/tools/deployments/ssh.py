"""Opens SSH connections with paramiko, with the keys, agent, aliases and known hosts of the user.

paramiko, since it is the kept one of the three that is blocking, as everything here is: fabric
adds a shell language on top of it, and asyncssh would need an event loop.
"""

import logging
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, NoReturn

import paramiko
from paramiko.hostkeys import HostKeyEntry, InvalidHostKey

from pipelinekit.tools.deployments.revision import (
    CONFIGURATION_ERROR,
    UNREACHABLE,
    DeploymentError,
)
from pipelinekit.tools.deployments.ssh_address import Address

CONNECT_SECONDS: Final = 15.0
LOST: Final = (OSError, EOFError, paramiko.SSHException)
"""What the loss of a connection raises."""

_KNOWN_HOSTS: Final = ("/etc/ssh/ssh_known_hosts", "~/.ssh/known_hosts")

logging.getLogger("paramiko").addHandler(logging.NullHandler())


def connected(address: Address) -> paramiko.SSHClient:
    """Log in to a host.

    Args:
        address: Whom to log in as, and where; the aliases of `~/.ssh/config` hold.

    Raises:
        DeploymentError: It cannot be reached in time, its key is not known or another one than
            it was, or it does not let us in.
    """
    alias = _alias(address.host)
    client = paramiko.SSHClient()
    client.set_missing_host_key_policy(_Refusal())
    for entry in _known():
        for name in entry.hostnames:
            client.get_host_keys().add(name, entry.key.get_name(), entry.key)
    try:
        client.connect(
            alias.get("hostname", address.host),
            port=address.port or int(alias.get("port", "22")),
            username=address.user or alias.get("user"),
            key_filename=_key(alias),
            timeout=CONNECT_SECONDS,
            banner_timeout=CONNECT_SECONDS,
            auth_timeout=CONNECT_SECONDS,
            channel_timeout=CONNECT_SECONDS,
        )
    except (*LOST, ValueError, DeploymentError) as error:
        client.close()
        raise DeploymentError(_told(address, error), UNREACHABLE) from None
    return client


def _told(address: Address, error: BaseException) -> str:
    match error:
        case DeploymentError():
            return str(error)
        case paramiko.BadHostKeyException():
            return (
                f"{address} shows another key ({error.key.fingerprint}) than known_hosts has "
                f"({error.expected_key.fingerprint}); somebody may be in between: ask its owner, "
                f"then remove the old key with `ssh-keygen -R {error.hostname!r}`"
            )
        case paramiko.AuthenticationException():
            return (
                f"{address} does not let us in ({error}); add your public key to "
                "~/.ssh/authorized_keys there, or the key to your agent here"
            )
        case _:
            # paramiko's own errors of the system bear no number.
            why = error.strerror if isinstance(error, OSError) and error.strerror else error
            return (
                f"{address} could not be reached within {CONNECT_SECONDS:g} seconds ({why}); "
                "check that the host runs, and its name and port"
            )


# ------------------------------------------------------------------ the files of the user


def _alias(host: str) -> paramiko.SSHConfigDict:
    path = Path("~/.ssh/config").expanduser()
    try:
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        return paramiko.SSHConfig.from_text(text).lookup(host)
    except (paramiko.SSHException, OSError, ValueError) as error:
        raise DeploymentError(
            f"{path} cannot be read ({error}); correct it", CONFIGURATION_ERROR
        ) from None


def _key(alias: paramiko.SSHConfigDict) -> str | None:
    names = alias.get("identityfile", ())
    return next((name for name in names if Path(name).is_file()), None)


def _known() -> Iterator[HostKeyEntry]:
    paths = (Path(name).expanduser() for name in _KNOWN_HOSTS)
    lines = [
        line
        for path in paths
        if path.is_file()
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines()
    ]
    revoked = {word for line in lines if line.startswith("@revoked") for word in line.split()[3:4]}
    for line in lines:
        # A line that paramiko cannot read leaves its host unknown, and so refused.
        with suppress(InvalidHostKey, paramiko.SSHException):
            entry = None if line.startswith(("#", "@")) else HostKeyEntry.from_line(line)
            if entry is not None and entry.key.get_base64() not in revoked:
                yield entry


class _Refusal(paramiko.MissingHostKeyPolicy):
    def missing_host_key(
        self, _client: paramiko.SSHClient, hostname: str, key: paramiko.PKey
    ) -> NoReturn:
        raise DeploymentError(
            f"The key of {hostname} is not known, and nothing was sent there; if its owner "
            f"confirms {key.fingerprint}, add this line to ~/.ssh/known_hosts:\n"
            f"{hostname} {key.get_name()} {key.get_base64()}",
            UNREACHABLE,
        )
