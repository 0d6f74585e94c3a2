"""Whatever stands for a secret vanishes from a stream, wherever the stream is cut."""

import base64
import json
import os
import random
import shlex
import shutil
import subprocess
import time
from collections.abc import Callable
from urllib.parse import quote, quote_plus, urlencode

import pytest

from pipelinekit.tools.redact import SHORTEST, Redactor
from tests.tools.fuzz_redact import CHECKS

NASTY = """it's "50%" <off> & é/+$HOME `x`\\n"""
KEY = """\
-----BEGIN PRIVATE KEY-----
MIIEpAIBAAKCAQEA7/+bcdefghijklmnopqrstuvwxyz0123456789+/ABCDEFGH
QmFzZTY0IGlzIG5vIGNpcGhlciwgYW5kIGEgbG9uZyBsaW5lIGlzIHdyYXBwZWQ=
-----END PRIVATE KEY-----
"""
IN_JSON = json.dumps(NASTY)[1:-1]
WRITTEN = {
    "raw": NASTY,
    "json": IN_JSON,
    "json in utf-8": json.dumps(NASTY, ensure_ascii=False)[1:-1],
    "json of PHP": IN_JSON.replace("/", r"\/"),
    "json of Go": json.dumps(NASTY, ensure_ascii=False)[1:-1]
    .replace("<", r"\u003c")
    .replace(">", r"\u003e")
    .replace("&", r"\u0026"),
    "url in a path": quote(NASTY),
    "url in a query": quote(NASTY, safe=""),
    "url of a browser": quote(NASTY, safe="'()!*"),
    "url in lower case": quote(NASTY.lower(), safe="").lower(),
    "form": urlencode({"p": NASTY})[2:],
    "form of a browser": quote_plus(NASTY, safe="'()!*"),
    "shlex": shlex.quote(NASTY)[1:-1],
    "sh": NASTY.replace("'", r"'\''"),
    "repr": repr(NASTY)[1:-1],
    "repr in ASCII": ascii(NASTY)[1:-1],
    "repr in a longer text": repr(f"''{NASTY}")[5:-1],
    "repr of bytes": repr(NASTY.encode())[2:-1],
    "hex": NASTY.encode().hex(),
    "HEX": NASTY.encode().hex().upper(),
}


@pytest.mark.parametrize("kind", WRITTEN)
def test_a_secret_vanishes_however_it_is_written(kind: str) -> None:
    secret = NASTY.lower() if "lower" in kind else NASTY
    assert Redactor([secret]).redacted(f"<{WRITTEN[kind]}>") == "<***>"


@pytest.mark.parametrize("alphabet", [base64.b64encode, base64.urlsafe_b64encode])
@pytest.mark.parametrize("before", range(6))
def test_a_secret_vanishes_from_base64_wherever_it_lies_in_it(
    before: int, alphabet: Callable[[bytes], bytes]
) -> None:
    secret = b"\xfb\xef\xbehush\xff\xfe"
    text = alphabet(bytes(before) + secret + bytes(6)).decode()
    first, last = -(-before * 8 // 6), (before + len(secret)) * 8 // 6
    assert Redactor([secret]).redacted(text) == f"{text[:first]}***{text[last:]}"


@pytest.mark.parametrize(
    "command",
    [
        "printf %q",
        "printf '%s' \"$0\" | base64 -w 76; true",
        "printf '%s' \"$0\" | base64 -w 64; true",
        "printf '%s' \"$0\" | base64 -w 0; true",
        "export secret=$0; export -p | grep -A 9 secret; true",
        "set -x; : ",
        'echo "${0@Q}"; true',
        "echo $0; true",
    ],
)
@pytest.mark.parametrize("secret", [NASTY, KEY, "simple-enough"], ids=["nasty", "key", "simple"])
def test_nothing_of_it_is_left_in_what_a_shell_makes_of_it(command: str, secret: str) -> None:
    program = shutil.which("bash") or pytest.skip("there is no bash")
    done = subprocess.run(
        [program, "-c", f'{command} "$0" 2>&1', secret],
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={"PATH": os.environ["PATH"]},
    )
    redactor = Redactor([secret])
    shown = redactor.feed(done.stdout) + redactor.close()
    assert b"***" in shown
    encoded = base64.b64encode(secret.encode()).decode()
    for text in (secret, encoded):
        parts = [text[at : at + 8] for at in range(len(text.rstrip("\n=")) - 8)]
        assert [part for part in parts if part.encode() in shown] == []


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_of_a_key_every_line_vanishes_alone_and_all_together(end: str) -> None:
    redactor = Redactor([KEY])
    lines = KEY.splitlines()
    assert redactor.redacted(f"[{end.join(lines)}]") == "[***]"
    for line in lines:
        assert redactor.redacted(f"2026-11-26 {line}{end}") == f"2026-11-26 ***{end}"
    windows = end.join(lines).encode().hex()
    assert redactor.redacted(windows) == "***"


def test_where_secrets_overlap_nothing_is_left_of_either() -> None:
    redactor = Redactor(["password", "word-of-honour", "pass"])
    assert redactor.redacted("a password-of-honour, a passport") == "a ***, a ***port"


def test_what_is_too_short_is_not_looked_for() -> None:
    redactor = Redactor(["", "1", "abc", "\n", "x\ny\nz0123"])
    assert redactor.redacted("1 abc x y") == "1 abc x y"
    assert redactor.redacted("[x\ny\nz0123] z0123") == "[***] ***"
    assert not Redactor(["", "12", "abc"])
    assert Redactor(["abcd"])
    assert Redactor(["abcd"]).redacted("abcd"[:SHORTEST]) == "***"


def test_without_secrets_everything_passes() -> None:
    redactor = Redactor([])
    assert redactor.feed(b"all of it") == b"all of it"
    assert redactor.close() == b""
    assert redactor.redacted("and \udcff this") == "and \udcff this"


def test_only_what_may_become_a_secret_is_held_back() -> None:
    redactor = Redactor(["hunter22"])
    assert redactor.feed(b"progress 10 %") == b"progress 10 %"
    assert redactor.feed(b"a hunt") == b"a "
    assert redactor.feed(b"er") == b""
    assert redactor.feed(b"s hunter22") == b"hunters ***"
    assert redactor.feed(b" hu") == b" "
    assert redactor.close() == b"hu"
    assert redactor.feed(b"nter22") == b"nter22"


def test_text_that_is_no_utf_8_is_redacted_too() -> None:
    assert Redactor([b"\xff\xfe\xfd\xfc"]).feed(b"<\xff\xfe\xfd\xfc>") == b"<***>"
    assert Redactor(["hunter22"]).redacted("\udcff hunter22") == "\udcff ***"


# ------------------------------------------------------------------ by chance


@pytest.mark.parametrize("check", CHECKS)
def test_no_cut_lets_a_secret_through(check: Callable[[random.Random], None]) -> None:
    for seed in range(150):
        check(random.Random(seed))


@pytest.mark.slow
@pytest.mark.parametrize("check", CHECKS)
def test_no_cut_of_thousands_lets_a_secret_through(
    check: Callable[[random.Random], None],
) -> None:
    for seed in range(1_000, 5_000):
        check(random.Random(seed))


@pytest.mark.slow
def test_redacting_is_quicker_than_printing() -> None:
    line = b"2026-11-26T02:41:55Z compiled shop/cart.py in 12 ms, nothing to complain about\n"
    block = line * 800
    redactor = Redactor([KEY, *(f"secret-number-{number}" for number in range(20))])
    began = time.perf_counter()
    for _ in range(300):
        redactor.feed(block)
    megabytes = 300 * len(block) / 1e6
    assert megabytes / (time.perf_counter() - began) > 20
