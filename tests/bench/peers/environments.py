"""The environments of the peers: each in its own, made once, with exact versions."""

import shutil
import subprocess
import sys
import venv
from hashlib import sha256
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[3]
HOME: Final = ROOT / ".bench"
CONSTRAINTS: Final = Path(__file__).parent / "constraints"
READY: Final = "ready"
SECONDS: Final = 600


class NotInstalled(Exception):
    """A peer cannot be installed here."""


def python(peer: str) -> str:
    """Give the Python of a peer's environment, which is made where it is not there yet.

    Args:
        peer: The name of its package, and of the file of its versions.

    Raises:
        NotInstalled: pip did not install it; the message ends with what pip said.
    """
    versions = CONSTRAINTS / f"{peer}.txt"
    made_of = f"{sys.version}\n{versions.read_text(encoding='utf-8')}"
    folder = HOME / f"{peer}-{sha256(made_of.encode()).hexdigest()[:12]}"
    program = folder / "bin" / "python"
    if not (folder / READY).exists():
        shutil.rmtree(folder, ignore_errors=True)
        venv.create(folder, with_pip=True)
        _install(program, versions)
        (folder / READY).touch()
    return str(program)


def version(peer: str) -> str:
    """Give the version of a peer that is compared."""
    lines = (CONSTRAINTS / f"{peer}.txt").read_text(encoding="utf-8").splitlines()
    (found,) = (line.partition("==")[2] for line in lines if line.startswith(f"{peer}=="))
    return found


def _install(program: Path, versions: Path) -> None:
    command = [str(program), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    try:
        done = subprocess.run(
            [*command, "--requirement", str(versions)],
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        raise NotInstalled(f"pip took longer than {SECONDS} s") from error
    if done.returncode:
        raise NotInstalled(done.stderr.strip().splitlines()[-1])
