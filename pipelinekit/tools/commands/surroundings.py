"""What the commands of a build see of this machine: a small environment, and its programs."""

import os
import pwd
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import unquote

REGION: Final = "us-east-1"
LARGEST_VARIABLE: Final = 128 * 1024 - 1  # bytes of `name=value`, as Linux has it

_INTERPRETERS: Final = {
    "python": ("python3", "--version"),
    "nodejs": ("node", "--version"),
    "java": ("java", "-version"),
    "golang": ("go", "version"),
}
_KEPT: Final = re.compile(
    r"PATH|HOME|USER|LOGNAME|LANG|LC_ALL|TERM|TZ|SSL_CERT_FILE|SSL_CERT_DIR|REQUESTS_CA_BUNDLE"
    r"|CURL_CA_BUNDLE|NODE_EXTRA_CA_CERTS|PIPELINEKIT_JOB|PIP_\w+|NPM_CONFIG_\w+|\w+_PROXY",
    re.IGNORECASE,
)
_SECRETS_OF_NPM: Final = re.compile(
    r"NPM_CONFIG_\w*(?:_AUTH|TOKEN|PASSWORD)\w*|NPM_CONFIG(?:_\w*)?_KEY", re.IGNORECASE
)
_LOGIN_IN_URL: Final = re.compile(r"://(?:[^/@:\s]*:)?([^/@\s]+)@")


def small_environment(temporary: Path) -> dict[str, str]:
    """Take from this process's environment what builds need, and nothing that opens an account.

    Kept are the paths, language and user, what pip and npm need to reach their index, proxies,
    certificates, and the mark by which a job's processes are found. An AWS region is set. The
    addresses of indexes and proxies are kept with the passwords in them, without which they would
    not be reached; see `passwords`.

    Args:
        temporary: The folder for temporary files; made if it is missing.
    """
    temporary.mkdir(parents=True, exist_ok=True)
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or REGION
    return _kept() | {
        "TMPDIR": str(temporary),
        "CI": "true",
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
    }


def passwords() -> tuple[str, ...]:
    """Give the passwords in addresses that builds are given, for no log to show them."""
    found = {each for value in _kept().values() for each in _LOGIN_IN_URL.findall(value)}
    return tuple(sorted(found | {unquote(each) for each in found}))


def odd_variable(environment: Mapping[str, str]) -> str | None:
    """Say which variable no process can be given, and why; None when all can.

    Args:
        environment: Values by name.
    """
    for name, value in environment.items():
        size = len(f"{name}={value}".encode(errors="replace"))
        if not name or "=" in name or "\0" in name + value or size > LARGEST_VARIABLE:
            return (
                f"the environment variable {name[:60]!r} of {size} bytes cannot be given to a "
                f"process; its name must not be empty nor hold `=`, and it takes up to "
                f"{LARGEST_VARIABLE} bytes, none of them zero"
            )
    return None


def user() -> str:
    """Name the user as whom this process runs; the number where there is no name."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def _kept() -> dict[str, str]:
    return {
        name: value
        for name, value in os.environ.items()
        if _KEPT.fullmatch(name) and not _SECRETS_OF_NPM.fullmatch(name)
    }


def shell_program(name: str | None) -> str | None:
    """Find a shell of this machine; None when it is not installed.

    Args:
        name: Its name; when None, bash, which is also what `sh` is in Amazon Linux, or else sh.
    """
    return shutil.which(name) if name else shutil.which("bash") or shutil.which("sh")


def interpreter(runtime: str, environment: Mapping[str, str]) -> tuple[str, str | None]:
    """Give the program of a runtime and its version; None for the version when it is missing.

    Args:
        runtime: What CodeBuild calls it, such as `python` or `nodejs`.
        environment: All environment variables that the program is to have.
    """
    argv = _INTERPRETERS.get(runtime, (runtime, "--version"))
    found = shutil.which(argv[0], path=environment.get("PATH"))
    if found is None:
        return argv[0], None
    told = subprocess.run(
        [found, *argv[1:]],
        capture_output=True,
        check=False,
        env=environment,
        errors="replace",
        stdin=subprocess.DEVNULL,
        text=True,
    )
    number = re.search(r"\d+(\.\w+)+", told.stdout + told.stderr)
    return argv[0], number[0] if number else "of an unknown version"
