"""Secrets of notebooks: had by the kernel, and shown by nothing."""

import base64
import json
import random
import urllib.parse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keyring
import pytest
from keyring.backends.fail import Keyring as NoKeyring

from pipelinekit.tools.notebooks import NotebookError, Secret, SecretMissing, resolver
from pipelinekit.tools.notebooks.limits import Caps
from pipelinekit.tools.notebooks.outputs import Outputs
from pipelinekit.tools.notebooks.secrets import references, values
from pipelinekit.tools.vault import open_vault
from tests.tools.notebooks.books import Book

VALUE = "hunter2/'quoted' \"and\" +plus\nsecond line é"
CODE = {
    "raw": "print(token)",
    "repr": "print(repr(str.__str__(token)), [str.__str__(token)]); token",
    "json": "import json; print(json.dumps({'t': token}))",
    "url": "import urllib.parse; print(urllib.parse.quote(token))",
    "shell": "import shlex; print(shlex.quote(token))",
    "hex": "print(token.encode().hex())",
    "base64": "import base64; print(base64.b64encode(b'user:' + token.encode()).decode())",
    "split": "import sys\nfor part in token: sys.stdout.write(part); sys.stdout.flush()",
    "error output": "print(token, file=sys.stderr)",
    "display": "from IPython.display import HTML, display; display(HTML('<b>' + token + '</b>'))",
    "update": "h = display('x', display_id=True); h.update(HTML(token))",
    "command": "!echo {shlex.quote(token)}",
    "environment": "import os; os.environ['T'] = token",
    "child": "import subprocess; print(subprocess.check_output('echo \"$T\"; env', shell=True))",
    "nested": "print(db['password'])",
    "handed out": "import pipelinekit as pk; pk.output('t', str.__str__(token))",
}


def leaks(text: str) -> list[str]:
    """Name the forms in which the value, or a line of it, stands in a text."""
    found = []
    for line in (VALUE, *VALUE.splitlines()):
        forms = {
            "raw": line,
            "json": json.dumps(line)[1:-1],
            "twice": json.dumps(json.dumps(line)[1:-1])[1:-1],
            "url": urllib.parse.quote(line),
            "hex": line.encode().hex(),
            "base64": base64.b64encode(line.encode()).decode()[:-4],
        }
        found += [name for name, form in forms.items() if form in text]
    return found


@pytest.mark.slow
def test_a_secret_is_nowhere_in_what_is_left_of_a_notebook(
    book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN", VALUE)
    book.write(
        *CODE.values(),
        "assert len(token) > 30 and db['password'].endswith('é')",
        "raise ValueError(token)",
        parameters="token: str = ''\ndb = {}",
    )
    given = {"token": Secret.env("TOKEN"), "db": {"user": "u", "password": "secret:env:TOKEN"}}
    failed = book.fail(parameters=given)
    assert failed.record.place.startswith(f"cell {len(CODE) + 3}, ")
    for text in (book.text, "\n".join(book.said), str(failed), str(failed.__cause__)):
        assert leaks(text) == []
        assert "hunter2" not in text
    assert book.text.count("secret:env:TOKEN") >= 4
    for index, name in enumerate(CODE, 3):  # after papermill's mark and the parameters
        if name != "environment":
            assert "***" in json.dumps(book.outputs(index)), name


@pytest.mark.slow
def test_a_secret_is_in_no_history_and_shown_by_no_repr(
    book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN", VALUE)
    book.write(
        "token",
        "print(type(token).__mro__[1], len(token), token + 'x' != token)",
        "print(token[:7] in repr(In), get_ipython().history_manager.enabled)",
        "print(sorted(name for name in globals() if 'secret' in name.lower()))",
        parameters="token = ''",
    )
    book.run(parameters={"token": Secret.env("TOKEN")})
    assert book.outputs(2)[0]["data"]["text/plain"] == ["'***'"]
    assert book.printed(3) == f"<class 'str'> {len(VALUE)} True\n"
    assert book.printed(4) == "False False\n"
    assert book.printed(5) == "[]\n"


@pytest.mark.slow
def test_a_secret_in_the_state_of_a_widget_is_hidden(
    book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN", VALUE)
    book.write("import ipywidgets; ipywidgets.Text(value=token)", parameters="token = ''")
    book.run(parameters={"token": Secret.env("TOKEN")})
    assert leaks(book.text) == []
    state = json.loads(book.text)["metadata"]["widgets"]
    assert "***" in json.dumps(state)


@pytest.mark.slow
def test_a_secret_that_the_author_wrote_down_is_hidden_too(
    book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN", "correct horse")
    book.write("print('correct horse')", parameters="token = ''")
    book.run(parameters={"token": Secret.env("TOKEN")})
    assert "correct horse" not in book.text
    assert "correct horse" not in "\n".join(book.said)
    assert book.printed(2) == "***\n"
    book.write("raise OSError('correct horse')", parameters="token = ''")
    failed = book.fail(parameters={"token": Secret.env("TOKEN")})
    assert "cell 2, `raise OSError('***')`: OSError: ***" in str(failed)
    assert "correct horse" not in "\n".join(book.said)


def test_references_are_looked_up_where_they_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "secrets.toml"
    file.write_text(
        '[parameter-store]\n"/shop/token" = "from-ssm"\n'
        '[secrets-manager]\ndatabase = { password = "from-manager" }\n',
        encoding="utf-8",
    )
    file.chmod(0o600)
    (tmp_path / "token").write_text("from-file\n", encoding="utf-8")
    monkeypatch.setenv("TOKEN", "from-env")
    resolve = resolver(lambda: open_vault(file))
    asked = {
        "a": Secret.env("TOKEN"),
        "b": [Secret.file(tmp_path / "token"), {"c": Secret.ssm("/shop/token")}],
        "d": Secret.secrets_manager("database:password"),
        "e": "secret of env:TOKEN",
    }
    found = values(asked, resolve)
    assert sorted(found.values()) == ["from-env", "from-file", "from-manager", "from-ssm"]
    assert set(references(asked)) == set(found)


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ("secret:env:NO_SUCH_VARIABLE", "has no variable NO_SUCH_VARIABLE; set it"),
        ("secret:file:/no/such/file", "No such file"),
        ("secret:ssm:/none", "neither a file of secrets nor an AWS account is configured"),
        ("secret:keyring:shop/me", "the keyring cannot be read: No recommended backend"),
        ("secret:env:SHORT", "fewer than 4 bytes"),
    ],
)
def test_a_secret_that_cannot_be_had_is_told(
    monkeypatch: pytest.MonkeyPatch, reference: str, words: str
) -> None:
    monkeypatch.setenv("SHORT", "abc")
    keyring.set_keyring(NoKeyring())
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(SecretMissing, match=words):
        values({"x": reference}, resolver())


@pytest.mark.slow
def test_a_notebook_whose_secret_is_missing_is_not_begun(book: Book) -> None:
    book.write("1", parameters="token = ''")
    with pytest.raises(NotebookError, match="has no variable NO_SUCH"):
        book.run(parameters={"token": "secret:env:NO_SUCH"})
    assert book.said == []


@pytest.mark.parametrize("text", ["TOKEN", "env:", "vault:x", ""])
def test_what_refers_to_nothing_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="was to refer to a secret; write env:NAME"):
        Secret(text)


def message(kind: str, **content: Any) -> dict[str, Any]:
    header = {"msg_type": kind}
    parent = {"msg_id": "1"}
    return {
        "msg_type": kind,
        "header": header,
        "parent_header": parent,
        "metadata": {},
        "content": content,
    }


FORMS: list[Callable[[str], str]] = [
    lambda value: value,
    lambda value: json.dumps(value)[1:-1],
    lambda value: urllib.parse.quote(value, safe=""),
    repr,
    lambda value: value.encode().hex(),
    lambda value: base64.b64encode(value.encode()).decode(),
    lambda value: base64.urlsafe_b64encode(b"x" + value.encode()).decode(),
    lambda value: "'" + value.replace("'", "'\\''") + "'",
]


@pytest.mark.slow
def test_no_chunk_and_no_encoding_lets_a_secret_through_in_20000_trials() -> None:
    dice = random.Random(7)
    letters = "abcXYZ0189+/=_-'\"\\$%& \té€"
    for trial in range(20_000):
        if trial % 50 == 0:
            value = "".join(dice.choices(letters, k=dice.randint(8, 40))).strip() + "endings"
            outputs = Outputs(Caps(), (value,))
        form = dice.choice(FORMS)(value)
        text = "before " * dice.randint(0, 3) + form + " after" * dice.randint(0, 3)
        shown, at = "", 0
        while at < len(text):
            size = dice.randint(1, 17)
            chunk = message("stream", name="stdout", text=text[at : at + size])
            chunk["parent_header"]["msg_id"] = str(trial)
            shown += "".join(each["content"]["text"] for each in outputs.passed(chunk))
            at += size
        for each in outputs.passed(message("status", execution_state="idle")):
            shown += each["content"].get("text", "")
        assert "***" in shown, (trial, value, text)
        assert value not in shown
        assert form.strip("'\"=")[2:-3] not in shown, (trial, value, text, shown)
