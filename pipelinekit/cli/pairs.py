"""Options that take `NAME=VALUE`."""

from collections.abc import Iterable

import click


def pairs(
    _context: click.Context, option: click.Parameter, given: Iterable[str]
) -> dict[str, str]:
    """Read the values of an option that may be repeated, for `callback=`.

    Raises:
        click.BadParameter: One of them is no pair.
    """
    found = [each.partition("=") for each in given]
    for name, sign, _ in found:
        if not sign or not name:
            raise click.BadParameter(
                f"{name + sign!r} is no pair; write it as {option.metavar}", param=option
            )
    return {name: value for name, _, value in found}
