"""The reader of documents: equal to the usual loaders, exact in its lines, safe with strangers."""

import json
import os
import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from pipelinekit.tools.documents.document import (
    JSON,
    Document,
    DocumentError,
    Form,
    Node,
    parse,
    read,
)

BUILDSPEC = """\
version: 0.2
env:
  variables:
    RATIO: 0.10
    FLAG: yes
    DAY: 2024-01-31
phases:
  build:
    commands:
      - make
      - |
        make test
        make pack
artifacts: {files: ['**/*'], name: out}
"""


def refusal(text: str, name: str = "spec.yml") -> DocumentError:
    with pytest.raises(DocumentError) as caught:
        parse(text, name)
    return caught.value


@pytest.mark.parametrize(
    "text",
    [
        "a: 0.2",
        "version: 0.2\nn: 010\nh: 0x1F\no: 1_000\nb: 0b11\ns: 1:30\nf: 1.5e+3",
        "[yes, no, on, off, Yes, TRUE, y, ~, null, Null, '', \"\"]",
        "a: 'yes'\nb: \"1\"\nc: !!str 1\nd: !!int '7'\ne: !!float 1",
        "- |\n  one\n  two\n- >\n  three\n  four\n- plain text\n  going on",
        "a: &x {k: 1}\nb: *x\nc: [*x, *x]",
        "base: &b {x: 1, y: 2}\nother: &o {y: 3}\nm:\n  <<: [*b, *o]\n  x: 9",
        "base: &b {x: 1}\nm: {<<: *b, z: 2}",
        "'<<': not a merge",
        "",
        "# only a comment",
        "--- \na: b\n...",
        "%YAML 1.1\n---\nx: é ☃ 😀",
        "? a\n: b",
        "a:\n- 1\n- 2\nb:\nc: ''",
        "url: http://x.org:80/a#b",
    ],
)
def test_yaml_gives_what_the_safe_loader_gives(text: str) -> None:
    assert parse(text, "spec.yml").data == yaml.safe_load(text)


def test_timestamps_and_keys_stay_text() -> None:
    text = "on: 2024-01-31\n123456789012: 2001-12-14t21:59:43.10-05:00\n3.10: x\nyes: y"
    assert parse(text, "spec.yml").data == {
        "on": "2024-01-31",
        "123456789012": "2001-12-14t21:59:43.10-05:00",
        "3.10": "x",
        "yes": "y",
    }


def test_json_gives_what_the_json_module_gives() -> None:
    text = '{"a": [1, -2.5e3, true, false, null, "\\u00e9\\ud83d\\ude00\\/"], "": {"x": {}}}'
    assert parse(text, "pipeline.json").data == json.loads(text)


def test_the_form_overrides_the_name() -> None:
    assert parse("{a: b}", "odd.json", Form.YAML).data == {"a": "b"}
    with pytest.raises(DocumentError):
        parse("{a: b}", "odd.yml", Form.JSON)


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ((), 1),
        (("version",), 1),
        (("env", "variables", "FLAG"), 5),
        (("phases", "build"), 9),
        (("phases", "build", "commands", 0), 10),
        (("phases", "build", "commands", 1), 11),
        (("phases", "build", "commands", 7), 10),
        (("phases", "none", "here"), 8),
        (("artifacts", "files", 0), 14),
    ],
)
def test_yaml_lines_are_those_of_the_value_or_its_ancestor(
    path: tuple[str | int, ...], line: int
) -> None:
    assert parse(BUILDSPEC, "buildspec.yml").line(path) == line


def test_json_lines_are_those_of_the_value_or_its_ancestor() -> None:
    text = '{\n\t"a": {\n\t\t"b": [\n1,\n"x, ] } : \\" y",\n{"c":\n null}]},\n"d": 3}'
    document = parse(text, "pipeline.json")
    lines = {
        (): 1,
        ("a",): 2,
        ("a", "b"): 3,
        ("a", "b", 0): 4,
        ("a", "b", 1): 5,
        ("a", "b", 2): 6,
        ("a", "b", 2, "c"): 7,
        ("a", "b", 9): 3,
        ("d",): 8,
    }
    assert {path: document.line(path) for path in lines} == lines


def test_an_alias_stands_where_it_is_used() -> None:
    document = parse("a: &x\n  k: 1\nb: *x\nc:\n  <<: *x\n  z: 1", "spec.yml")
    assert document.line(("b",)) == 3
    assert document.line(("b", "k")) == 2
    assert document.line(("c", "k")) == 2
    assert document.line(("c", "z")) == 6


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a: 1\nb: 2\na: 3", 3, "the key a a second time; keep one: the first is in line 1"),
        ("a: 1\n'a': 3", 2, "a second time"),
        ("a:\n\tb: 1", 2, "found a tab where a mapping key was expected; indent with spaces"),
        ("a: b: c", 1, "put a value that contains `: ` in quotes"),
        ("a: [1, 2\nb: 3", 2, "close the bracket"),
        ("a:\n  b: 1\n c: 2", 3, "same indentation"),
        ("a: !!python/object/apply:os.system [touch x]", 1, "the tag !!python/object"),
        ("a: !Ref b", 1, "the tag !Ref"),
        ("a: !!binary aGk=", 1, "the tag !!binary"),
        ("a: !!set {x}", 1, "the tag !!set"),
        ("a: 1\n---\nb: 2", 2, "a second document"),
        ("? [a]\n: 1", 1, "a list or a mapping as a key"),
        ("a: &x [*x]", 1, "the alias *x, which has no finished value"),
        ("a: *nowhere", 1, "put &nowhere at a value before it"),
        ("a: 1\nb: .nan", 2, "not finite"),
        ("a: -.inf", 1, "not finite"),
        ("a: 1.0e+400", 1, "not finite"),
        ("a: !!int x", 1, "cannot be read as int"),
        ("a: !!bool maybe", 1, "cannot be read as bool"),
        ("a: 0x_", 1, "cannot be read as int"),
        ("a: " + "1:" * 200_000 + "1", 1, "a number of 400001 characters"),
        ("a: 0x" + "F" * 9000, 1, "a number of 9002 characters"),
        ("<<: 3", 1, "`<<` without a mapping"),
        ("é: 1\na: '\x00'", 2, "found a control character; remove it"),
        ("a: \ud800", 1, "surrogate"),
        ("ok:\n " + "[" * 70 + "]" * 70, 2, "more than 64 levels"),
        ("[" * 400_000, 1, "flatten the document"),
        ("- " * 400_000, 1, "more than 64 levels"),
    ],
)
def test_bad_yaml_is_refused_with_its_line(text: str, line: int, words: str) -> None:
    error = refusal(text)
    assert error.line == line
    assert words in str(error)
    assert str(error).startswith("spec.yml, line " if line else "spec.yml: found ")


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ('{"a": 1,\n"b": {"c": 1, "c": 2}}', 2, "the key c a second time"),
        ('{"a": 1,\n"\\u0061": 2}', 2, "the key a a second time"),
        ('["NaN",\nNaN]', 2, "the number NaN, which is not finite"),
        ("[\n-Infinity]", 2, "the number -Infinity"),
        ("[1,\n\n1e400]", 3, "the number 1e400"),
        ("[" + "9" * 5000 + "]", 1, "a number of 5000 digits"),
        ('{"a": 1,}', 1, "JSON that cannot be read"),
        ("{'a': 1}", 1, "JSON that cannot be read"),
        ('{"a": 1}\n{"b": 2}', 2, "Extra data"),
        ("", 1, "Expecting value"),
        ('"\x01"', 1, "Invalid control character"),
        ("[" * 200_000, 1, "more than 64 levels"),
        ('{"a":' * 200_000, 1, "more than 64 levels"),
        ('{"a": 1, /* b */ "c": 2}', 1, "JSON that cannot be read"),
    ],
)
def test_bad_json_is_refused_with_its_line(text: str, line: int, words: str) -> None:
    error = refusal(text, "pipeline.json")
    assert error.line == line
    assert words in str(error)


def test_brackets_in_json_texts_are_no_depth() -> None:
    text = json.dumps(["[" * 500, '\\"' * 500 + "{" * 500])
    assert parse(text, "pipeline.json").data == json.loads(text)


@pytest.mark.parametrize("text", ['"' * 400_000, '"' + '\\"' * 400_000, "[" + '"a",' * 200_000])
def test_unfinished_json_is_refused_in_little_time(text: str) -> None:
    began = time.monotonic()
    assert "JSON that cannot be read" in str(refusal(text, "pipeline.json"))
    assert time.monotonic() - began < 5


def test_a_billion_laughs_are_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
    assert "repeated by them; write the values out" in str(refusal("\n".join(lines)))


def test_a_hundred_aliases_are_read_and_one_more_is_refused() -> None:
    text = "a: &x 1\nb: [" + "*x, " * 100
    assert parse(text + "]", "spec.yml").line(("b", 99)) == 2
    assert "more than 100 aliases" in str(refusal(text + "*x]"))


def test_aliases_cannot_build_depth() -> None:
    lines = ["a0: &a0 " + "[" * 40 + "]" * 40, "a1: &a1 " + "[" * 40 + "*a0" + "]" * 40]
    assert "an alias that makes more than 64 levels" in str(refusal("\n".join(lines)))


def test_depth_64_is_read_in_both_forms() -> None:
    text = "[" * 64 + "]" * 64
    assert parse(text, "x.yml").data == parse(text, "x.json").data


def test_size_is_capped_in_bytes() -> None:
    text = "a: " + "é" * 50
    assert parse(text, "spec.yml", max_bytes=103).data == {"a": "é" * 50}
    with pytest.raises(DocumentError, match="more than 102 bytes"):
        parse(text, "spec.yml", max_bytes=102)


def test_a_file_is_read_with_its_byte_order_mark(tmp_path: Path) -> None:
    file = tmp_path / "spec.json"
    file.write_bytes(b'\xef\xbb\xbf{"a": 1}')
    document = read(file)
    assert (document.data, document.name) == ({"a": 1}, "spec.json")


def test_files_that_cannot_be_read_say_why(tmp_path: Path) -> None:
    (tmp_path / "latin.yml").write_bytes(b"a: 1\nb: \xe9")
    (tmp_path / "large.yml").write_bytes(b"#" * 11)
    os.mkfifo(tmp_path / "pipe.yml")
    with pytest.raises(DocumentError, match=r"^latin.yml, line 2: found the byte 0xe9"):
        read(tmp_path / "latin.yml")
    with pytest.raises(DocumentError, match=r"^large.yml: found more than 10 bytes"):
        read(tmp_path / "large.yml", max_bytes=10)
    with pytest.raises(DocumentError, match=r"^pipe.yml: found no regular file"):
        read(tmp_path / "pipe.yml")
    (tmp_path / "folder.yml").mkdir()
    with pytest.raises(DocumentError, match=r"^folder.yml: found a folder; give the path of a f"):
        read(tmp_path / "folder.yml")
    with pytest.raises(DocumentError, match=r"^ci/none.yml: found no file .*; check its path"):
        read(tmp_path / "none.yml", name="ci/none.yml")


def test_a_name_with_control_characters_is_shown_harmless() -> None:
    assert "\x1b" not in str(refusal("a: [", "a\x1b[31m.yml"))


def root(text: str = BUILDSPEC) -> Node:
    return parse(text, "buildspec.yml").root


def test_a_cursor_takes_a_document_apart() -> None:
    spec = root().only({"version", "env", "phases", "artifacts"})
    assert spec.need("version").number() == 0.2
    variables = spec.need("env").need("variables").mapping()
    assert {name: node.written() for name, node in variables.items()} == {
        "RATIO": "0.10",
        "FLAG": "yes",
        "DAY": "2024-01-31",
    }
    commands = spec.need("phases").need("build").need("commands")
    assert commands.texts() == ("make", "make test\nmake pack\n")
    assert [node.line for node in commands.list()] == [10, 11]
    assert commands.list()[1].where == "phases.build.commands[1]"
    assert variables["FLAG"].flag() is True
    assert spec.get("cache") is None
    assert root("os: linux").need("os").choice(("linux", "windows")) == "linux"
    assert root("n: 3").need("n").whole() == 3


def test_a_merged_value_is_written_as_where_it_came_from() -> None:
    node = root("a: &x {k: 0.10}\nb: {<<: *x}").need("b").need("k")
    assert (node.written(), node.number()) == ("0.10", 0.1)


@pytest.mark.parametrize(
    ("text", "pick", "sentence"),
    [
        ("a: 1", lambda n: n.need("a").text(), "the number 1 at a; text is expected"),
        ("a: x", lambda n: n.need("a").list(), 'the text "x" at a; a list is expected'),
        ("a: [1]", lambda n: n.need("a").mapping(), "a list of 1 at a; a mapping"),
        ("a: {b: }", lambda n: n.need("a").need("b").texts(), "nothing (null) at a.b; a list"),
        ("a: [1]", lambda n: n.need("a").texts(), "the number 1 at a[0]; text"),
        ("a: [1]", lambda n: n.need("a").written(), "a list of 1 at a; a single value"),
        ("a: '1'", lambda n: n.need("a").number(), 'the text "1" at a; a number is expected'),
        ("a: yes", lambda n: n.need("a").number(), "the flag true at a; a number"),
        ("a: yes", lambda n: n.need("a").whole(), "the flag true at a; a whole number"),
        ("a: 1.5", lambda n: n.need("a").whole(), "the number 1.5 at a; a whole number"),
        ("a: 1", lambda n: n.need("a").flag(), "the number 1 at a; true or false"),
        ("a: x", lambda n: n.need("a").choice(("b", "c")), "one of b, c is expected there"),
        ("a: {}", lambda n: n.need("a").need("b"), "no key b; add it at a"),
        ("- 1", lambda n: n.need("b"), "a list of 1 at the top of the document; a mapping"),
        ("'a b': 1", lambda n: n.need("a b").text(), 'the number 1 at "a b"; text'),
        ('"a\\eb": 1', lambda n: n.only({"c"}), 'unknown key "a\\\\x1bb"'),
    ],
)
def test_a_cursor_says_what_it_found_and_what_it_expects(
    text: str, pick: Callable[[Node], object], sentence: str
) -> None:
    with pytest.raises(DocumentError) as caught:
        pick(root(text))
    assert str(caught.value).startswith("buildspec.yml, line 1: found ")
    assert sentence in str(caught.value)


def test_an_unknown_key_is_reported_in_the_line_of_the_key() -> None:
    with pytest.raises(DocumentError) as caught:
        root("a: 1\nfases:\n\n  x: 1").only({"phases", "a"})
    assert str(caught.value) == (
        "buildspec.yml, line 2: found the unknown key fases at the top of the document; "
        "known here: a, phases"
    )


def test_an_error_keeps_its_parts() -> None:
    error = root().need("phases").error("a rule of one's own", found="nothing to build")
    assert (error.name, error.line, error.column) == ("buildspec.yml", 8, 3)
    assert (error.found, error.expected) == ("nothing to build", "a rule of one's own")


def walk(data: JSON, path: tuple[str | int, ...], document: Document) -> int:
    assert document.line(path) >= 1
    if isinstance(data, dict):
        return 1 + sum(walk(value, (*path, key), document) for key, value in data.items())
    if isinstance(data, list):
        return 1 + sum(walk(value, (*path, n), document) for n, value in enumerate(data))
    return 1


@pytest.mark.parametrize("name", ["spec.yml", "spec.json"])
def test_mutated_documents_are_read_or_refused_but_never_break(name: str) -> None:
    seeds = {
        "spec.yml": BUILDSPEC + "x: &a {k: [1, 2]}\ny: {<<: *a, z: !!str 3}\n",
        "spec.json": json.dumps({"a": [1, 2.5, None, {"b": 'x\\"é'}], "c": {"d": True}}, indent=1),
    }
    chance = random.Random(20)
    parts = ["\t", "\n", "  ", ":", "- ", "[", "]", "{", "}", '"', "'", "&a ", "*a", "!x ", "<<: "]
    parts += [
        "|",
        ">",
        "%",
        "---\n",
        "\x00",
        "\x85",
        "\ufeff",
        "\ud800",
        "1e999",
        "0x",
        "NaN",
        "\\",
    ]
    accepted = 0
    for _ in range(3000):
        text = seeds[name]
        for _ in range(chance.randint(1, 4)):
            cut = chance.randrange(len(text) + 1)
            keep = cut + chance.choice([0, 0, 1, 5])
            text = text[:cut] + chance.choice(parts) + text[keep:]
        try:
            document = parse(text, name)
        except DocumentError:
            continue
        accepted += walk(document.data, (), document) > 0
    assert accepted > 100


@pytest.mark.slow
def test_a_large_document_takes_little_time() -> None:
    text = json.dumps([{"name": f"n{n}", "value": [n, str(n)]} for n in range(16_000)], indent=1)
    assert 900_000 < len(text) < 1_048_576
    began = time.process_time()
    document = parse(text, "large.json")
    assert document.line((15_999, "name")) > 10_000
    took = time.process_time() - began
    assert took < 8, f"{took:.2f} s"


def test_short_forms_stand_for_mappings_where_a_reader_knows_them() -> None:
    text = "a: !Ref X\nb: !Join [',', [!Ref Y, &z !Ref Z]]\nc: *z\nd: !Map {e: 1}\n"
    forms = {"!Ref": "Ref", "!Join": "Fn::Join", "!Map": "Fn::Map"}
    found = parse(text, "t.yaml", forms=forms)
    assert found.data == {
        "a": {"Ref": "X"},
        "b": {"Fn::Join": [",", [{"Ref": "Y"}, {"Ref": "Z"}]]},
        "c": {"Ref": "Z"},
        "d": {"Fn::Map": {"e": 1}},
    }
    assert found.line(("d", "Fn::Map", "e")) == 4
    with pytest.raises(DocumentError, match="line 1: found the tag !Ref"):
        parse(text, "t.yaml")
