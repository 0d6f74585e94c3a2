"""Reading definitions from files."""

import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from pipelinekit.kit.files import UnreadableFile, load, read_definition, save
from pipelinekit.kit.origin import remember, remembered, settings_folder
from pipelinekit.model.errors import DefinitionError
from pipelinekit.tools.documents.document import Form
from pipelinekit.wire import codepipeline
from tests.build import full, pipeline

OWN = '''
import pipelinekit as pk


@pk.action("Source", "FilesTake")
def take(job: pk.Job) -> pk.Outcome:
    """Take something."""
    return pk.Succeeded()


@pk.action("Test", "FilesLook")
def look(job: pk.Job) -> pk.Outcome:
    """Look at something."""
    return pk.Succeeded()


NAME = (
    pk.Pipeline("own") >> pk.Stage("A", take("t")) >> pk.Stage("B", look("l"), pk.approval("ok"))
)
'''


def write(folder: Path, name: str, text: str) -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def told(file: Path) -> UnreadableFile:
    with pytest.raises(UnreadableFile) as raised:
        read_definition(file)
    return raised.value


@pytest.mark.parametrize(
    ("name", "form"), [("p.json", Form.JSON), ("p.yaml", Form.YAML), ("p.yml", Form.YAML)]
)
def test_documents_are_read_as_codepipeline_has_them(
    tmp_path: Path, name: str, form: Form
) -> None:
    file = write(tmp_path, name, codepipeline.text(pipeline(), form))
    assert read_definition(file).checked() == pipeline()


def test_the_faults_of_a_document_bear_its_lines(tmp_path: Path) -> None:
    text = codepipeline.text(pipeline(), Form.YAML).replace("- name: Code\n", "- name: Kode\n", 1)
    written = read_definition(write(tmp_path, "p.yaml", text))
    with pytest.raises(DefinitionError) as raised:
        written.checked()
    (fault,) = raised.value.faults
    assert "Code" in text.splitlines()[(fault.line or 0) - 1]


def test_the_shape_of_a_document_is_told_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match="line 2"):
        read_definition(write(tmp_path, "p.yaml", "name: shop\nstages: none\n"))


def test_a_document_that_is_none_is_told_with_its_line(tmp_path: Path) -> None:
    error = told(write(tmp_path, "p.json", '{\n"name": }'))
    assert error.line == 2


@pytest.mark.parametrize("name", ["pipeline", "whatever"])
def test_a_python_file_gives_its_only_pipeline(tmp_path: Path, name: str) -> None:
    written = read_definition(write(tmp_path, "own.py", OWN.replace("NAME", name)))
    assert written.pipeline.name == "own"
    assert written.faults == ()


def test_the_name_pipeline_goes_before_others(tmp_path: Path) -> None:
    text = OWN.replace("NAME", "pipeline") + "\nother = pk.Pipeline('other')\n"
    assert read_definition(write(tmp_path, "own.py", text)).pipeline.name == "own"


def test_several_pipelines_without_the_name_are_refused(tmp_path: Path) -> None:
    text = OWN.replace("NAME", "one") + "\ntwo = pk.Pipeline('two')\n"
    assert "2 pipelines, one, two," in told(write(tmp_path, "own.py", text)).found


def test_a_python_file_without_a_pipeline_is_refused(tmp_path: Path) -> None:
    assert "no pipeline" in told(write(tmp_path, "own.py", "x = 1\n")).found


def test_the_functions_of_the_file_are_known_as_its_own(tmp_path: Path) -> None:
    written = read_definition(write(tmp_path, "own.py", OWN.replace("NAME", "pipeline")))
    assert written.own == ["A/t", "B/l"]
    again = read_definition(written.file)
    assert again.own == ["A/t", "B/l"]


def test_a_python_file_imports_what_stands_beside_it(tmp_path: Path) -> None:
    write(tmp_path, "beside_the_definition.py", OWN.replace("NAME", "own"))
    file = write(tmp_path, "p.py", "from beside_the_definition import own\n")
    assert read_definition(file).pipeline.name == "own"
    del sys.modules["beside_the_definition"]


@pytest.mark.parametrize(
    ("text", "line", "found"),
    [
        ("x = 1\ny = = 2\n", 2, "SyntaxError"),
        ("x = 1\n\nraise KeyError('gone')\n", 3, "KeyError: 'gone'"),
        ("import sys\nsys.exit(3)\n", 2, "SystemExit"),
        ("import there_is_no_such_module\n", 1, "ModuleNotFoundError"),
        ("import pipelinekit as pk\nx = pk.approval('a')['VERSION']\n", 2, "ValidationError"),
    ],
)
def test_what_a_python_file_raises_is_told_with_its_line(
    tmp_path: Path, text: str, line: int, found: str
) -> None:
    error = told(write(tmp_path, "own.py", text))
    assert error.line == line
    assert found in error.found


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    assert "no such file" in told(tmp_path / "p.py").found
    assert "no file" in told(tmp_path / "p.json").found


def test_notebooks_and_other_kinds_are_refused_with_what_to_do(tmp_path: Path) -> None:
    assert "in a cell" in told(write(tmp_path, "p.ipynb", "{}")).advice
    assert ".yaml" in told(write(tmp_path, "p.txt", "")).advice


def test_the_file_of_a_pipeline_is_remembered_while_it_is_there(tmp_path: Path) -> None:
    file = write(tmp_path, "own.py", "")
    home = tmp_path / "home"
    assert remembered(home, "own") is None
    remember(home, "own", file)
    assert remembered(home, "own") == file
    file.unlink()
    assert remembered(home, "own") is None


def test_the_settings_beside_a_definition_count_before_those_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    file = write(tmp_path / "there", "own.py", "")
    assert settings_folder(file) == tmp_path / "here"
    assert settings_folder(None) == tmp_path / "here"
    write(tmp_path / "there", "pipelinekit.toml", "")
    assert settings_folder(file) == tmp_path / "there"


@pytest.mark.parametrize("name", ["p.json", "p.yaml", "p.yml"])
def test_what_is_saved_is_loaded_as_it_was(tmp_path: Path, name: str) -> None:
    made = full()
    assert load(save(made, tmp_path / name)) == made


def test_saving_as_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="json"):
        save(full(), tmp_path / "p.toml")


def test_a_file_with_faults_is_not_loaded(tmp_path: Path) -> None:
    file = save(replace(full(), stages=()), tmp_path / "p.json")
    with pytest.raises(DefinitionError):
        load(file)


def test_a_template_is_told_apart_with_the_command_that_brings_it(tmp_path: Path) -> None:
    text = "Resources:\n  A:\n    Type: AWS::S3::Bucket\n    Properties: {BucketName: !Ref B}\n"
    error = told(write(tmp_path, "t.yaml", text))
    assert error.found == "a CloudFormation template"
    assert error.advice == f"bring it here with `pipelinekit import {tmp_path / 't.yaml'}`"
