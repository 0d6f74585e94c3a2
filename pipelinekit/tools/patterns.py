"""Matches regular expressions of strangers, which may take for ever, in a process of its own."""

import json
import re
import subprocess
import sys
from typing import Final

SECONDS: Final = 5.0
"""How long a match may take: a pattern such as `(a+)+b` may need years for a line."""

_MATCH: Final = "import json, re, sys; sys.exit(re.fullmatch(*json.load(sys.stdin)) is None)"


def matches(pattern: str, text: str) -> bool:
    """Tell whether a pattern, in Python's flavour, matches the whole of a text.

    The matching is done by a process of its own, since Python's does nothing else meanwhile.

    Args:
        pattern: The regular expression.
        text: What it is held against.

    Raises:
        re.error: It is no regular expression.
        TimeoutError: It took longer than five seconds.
    """
    re.compile(pattern)
    command = [sys.executable, "-I", "-S", "-c", _MATCH]
    given = json.dumps([pattern, text]).encode()
    try:
        done = subprocess.run(command, input=given, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired as late:
        raise TimeoutError(f"a match took longer than {SECONDS:g} s") from late
    return done.returncode == 0
