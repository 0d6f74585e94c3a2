"""Takes secret values out of text, however it is cut into chunks: best effort, and no fence.

```python
redactor = Redactor([password])
for chunk in printed:
    log.write(redactor.feed(chunk))  # what it holds of the password comes out as ***
log.write(redactor.close())
```

A value is found as it is, JSON-escaped, URL-encoded, quoted for a shell, as Python's `repr`, in
hexadecimal and in base64, alone or in the midst of other data; so is each line of it, with either
line end. What goes unnoticed: a value that is encoded twice, compressed, encrypted, reversed,
printed letter by letter or only in part, and hexadecimal or base64 data in lines, unless these
are base64's usual ones and the value begins them. Whoever may run commands with a secret can give
it away: redaction is there against accidents.
"""

import base64
import json
import re
import shlex
from bisect import bisect
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final
from urllib.parse import quote

from ahocorasick_rs import BytesAhoCorasick

MASK: Final = b"***"
SHORTEST: Final = 4
"""Fewer bytes are never redacted: with a value such as `1`, `***` would stand everywhere in a log,
and everywhere the same, so that it hides nothing and tells the value. A line of a value counts
by itself."""

JSON_FOR_HTML: Final = str.maketrans({"<": r"\u003c", ">": r"\u003e", "&": r"\u0026"})
ESCAPE: Final = re.compile(r"\\x(..)|\\.")
URL_SAFE: Final = ("", "/", "!'()*", ";,/?:@&=+$!'()*#")
"""What is left alone by form data, by paths, by `encodeURIComponent` and by `encodeURI`."""
ESCAPED_BYTE: Final = re.compile("%[0-9A-F]{2}")
IN_DOUBLE_QUOTES: Final = re.compile(r'(["$`\\])')
WITHOUT_QUOTES: Final = re.compile(r"""(^[#~]|[ \t'"\\|&;()<>!{}*\[\]?^$`,])""")
URL_ALPHABET: Final = bytes.maketrans(b"+/", b"-_")
LINES: Final = (57, 48)
"""How many bytes a line of base64 holds, by the custom of MIME and by that of PEM."""


class Redactor:
    """Writes `***` for whatever stands for one of some secret values.

    Where forms of values overlap, all of them vanish, so that nothing of the longer is left. A
    stream is held back no further than it could be the beginning of something secret.
    """

    def __init__(self, values: Iterable[str | bytes]) -> None:
        """Learn what to look for.

        Args:
            values: The secret values; text stands for its UTF-8 bytes. One of fewer than
                `SHORTEST` bytes is not looked for.
        """
        forms = {form for value in values for form in _forms(_bytes(value))}
        self._forms = sorted(form for form in forms if len(form) >= SHORTEST)
        self._longest = max(map(len, self._forms), default=0)
        self._found = BytesAhoCorasick(self._forms)
        self._begun = BytesAhoCorasick(sorted({form[:SHORTEST] for form in self._forms}))
        self._held = b""
        self._hidden = 0

    def __bool__(self) -> bool:
        """Tell whether there is anything to look for."""
        return bool(self._forms)

    def feed(self, chunk: bytes) -> bytes:
        """Take the next bytes of a stream, and give those that can be shown."""
        if not self._forms:
            return chunk
        data = self._held + chunk
        return self._shown(data, self._decided(data))

    def close(self) -> bytes:
        """Give what was held back at the end of the stream; another one may begin."""
        return self._shown(self._held, len(self._held))

    def redacted(self, text: str) -> str:
        """Redact a text that is no part of the stream."""
        if not self._forms:
            return text
        data = text.encode("utf-8", "surrogatepass")
        shown, _ = self._masked(data, len(data), 0)
        return shown.decode("utf-8", "surrogatepass")

    def _shown(self, data: bytes, end: int) -> bytes:
        shown, hidden = self._masked(data, end, self._hidden)
        self._held = data[end:]
        self._hidden = max(hidden - end, 0)
        return shown

    def _masked(self, data: bytes, end: int, hidden: int) -> tuple[bytes, int]:
        pieces: list[bytes] = []
        shown = hidden  # what lies before has been told as *** already
        spans = self._found.find_matches_as_indexes(data, overlapping=True)
        for start, stop in sorted((start, stop) for _, start, stop in spans):
            if start >= end:
                break
            if start >= hidden:
                pieces += data[shown:start], MASK
            shown = hidden = max(hidden, stop)
        return b"".join((*pieces, data[shown:end])), hidden

    def _decided(self, data: bytes) -> int:
        earliest = max(len(data) - self._longest + 1, 0)
        tail = data[earliest:]
        begun = [
            start for _, start, _ in self._begun.find_matches_as_indexes(tail, overlapping=True)
        ]
        for start in chain(begun, range(max(len(tail) - SHORTEST + 1, 0), len(tail))):
            if self._begins_form(tail[start:]):
                return earliest + start
        return len(data)

    def _begins_form(self, rest: bytes) -> bool:
        position = bisect(self._forms, rest)
        return position < len(self._forms) and self._forms[position].startswith(rest)


# ------------------------------------------------------------------ the forms of a value


def _bytes(value: str | bytes) -> bytes:
    return value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value


def _forms(value: bytes) -> Iterator[bytes]:
    lines = value.strip().splitlines()
    for part in {value.strip(), b"\n".join(lines), b"\r\n".join(lines), *map(bytes.strip, lines)}:
        if len(part) >= SHORTEST:
            text = part.decode("utf-8", "surrogateescape")
            for form in (*_escaped(text), *_url(part), *_shell(text)):
                yield form.encode("utf-8", "surrogateescape")
            yield from (part.hex().encode(), part.hex().upper().encode())
            yield from _base64(part)


def _escaped(text: str) -> Iterator[str]:
    yield text
    for ascii_only in (True, False):
        inner = json.dumps(text, ensure_ascii=ascii_only)[1:-1]
        yield from (inner, inner.replace("/", r"\/"), inner.translate(JSON_FOR_HTML))
    # Which quotes are escaped depends on what else the text around holds.
    for quotation in ("'", r"\'"):
        for show in (repr, ascii, _bytes_repr, _octal_repr):
            yield quotation.join(show(f'"{each}')[2:-1] for each in text.split("'"))


def _bytes_repr(text: str) -> str:
    return repr(text.encode("utf-8", "surrogateescape"))[1:]


def _octal_repr(text: str) -> str:
    def octal(escape: re.Match[str]) -> str:
        return f"\\{int(escape[1], 16):03o}" if escape[1] else escape[0]

    return ESCAPE.sub(octal, _bytes_repr(text))


def _url(data: bytes) -> Iterator[str]:
    for safe in URL_SAFE:
        url = quote(data, safe=safe)
        for form in (url, ESCAPED_BYTE.sub(lambda each: each[0].lower(), url)):
            yield from (form, form.replace("%20", "+"))


def _shell(text: str) -> Iterator[str]:
    yield from (shlex.quote(f" {text}")[2:-1], text.replace("'", r"'\''"))
    yield from (IN_DOUBLE_QUOTES.sub(r"\\\1", text), WITHOUT_QUOTES.sub(r"\\\1", text))


def _base64(data: bytes) -> Iterator[bytes]:
    wrapped = (data[at : at + size] for size in LINES for at in range(0, len(data), size))
    for piece, before in (*((each, 0) for each in wrapped), (data, 0), (data, 1), (data, 2)):
        # Of the letters at either end some bits belong to the data around; those are left out.
        first, last = -(-before * 8 // 6), (before + len(piece)) * 8 // 6
        form = base64.b64encode(bytes(before) + piece)[first:last]
        yield from (form, form.translate(URL_ALPHABET))


# ------------------------------------------------------------------ the output of this process
