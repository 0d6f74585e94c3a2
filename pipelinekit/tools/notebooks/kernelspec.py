"""The kernels that are installed here, and the commands that start them."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pipelinekit.tools.notebooks.document import NotebookError

IPYKERNEL: Final = ("--IPKernelApp.log_level=40", "--HistoryManager.enabled=False")
"""Else each warns about its transport, and writes what is executed into the user's history."""


class KernelError(NotebookError):
    """A kernel that is unknown, or did not start."""


@dataclass(frozen=True, slots=True)
class Spec:
    """A kernel that is installed here.

    Attributes:
        name: Of it.
        argv: The command that starts it.
        environment: Variables that it asks for.
        language: In which it is programmed.
        is_ipython: Whether it is the kernel of IPython, which can be started ahead.
        by_message: Whether it is interrupted by a message and not by a signal.
    """

    name: str
    argv: tuple[str, ...]
    environment: Mapping[str, str]
    language: str
    is_ipython: bool
    by_message: bool = False


def find_spec(name: str, notebook: str) -> Spec:
    """Find an installed kernel.

    Args:
        name: Of the kernel.
        notebook: That asks for it, for the message.

    Raises:
        KernelError: There is none of that name; the message lists those that are there.
    """
    from jupyter_client.kernelspec import NATIVE_KERNEL_NAME as NATIVE  # noqa: PLC0415
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel  # noqa: PLC0415

    known = KernelSpecManager()
    try:
        found = known.get_kernel_spec(NATIVE if name == "python" else name)  # as Jupyter does
    except NoSuchKernel:
        there = ", ".join(sorted(known.find_kernel_specs())) or "none"
        raise KernelError(
            f"{notebook} was to be executed by the kernel {name!r}, and the kernels here are "
            f"{there}; name one of these, or install it"
        ) from None
    is_ipython = any("ipykernel" in word for word in found.argv)
    argv = [word.replace("{resource_dir}", found.resource_dir) for word in found.argv]
    if argv and argv[0] in {"python", "python3", f"python3.{sys.version_info[1]}"}:
        argv[0] = sys.executable  # as Jupyter does
    return Spec(
        name=name,
        argv=(*argv, *(IPYKERNEL if is_ipython else ())),
        environment=found.env,
        language=found.language or "python",
        is_ipython=is_ipython,
        by_message=found.interrupt_mode == "message",
    )
