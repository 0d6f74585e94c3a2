"""Definitions on the command line: init, validate, export; and that everything is documented."""

import json
import tomllib
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner, Result

from pipelinekit.cli.commands import COMMANDS, cli
from pipelinekit.cli.surroundings import Exit
from pipelinekit.engine.validate import faults
from pipelinekit.kit.environments import environments
from pipelinekit.kit.files import read_definition
from pipelinekit.kit.registry import action_types
from pipelinekit.kit.settings_file import load_settings
from pipelinekit.wire import codepipeline
from tests.build import pipeline
from tests.cli.project import ACTIONS, GATE, Project


def call(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments)


def options() -> Iterator[tuple[str, click.Parameter]]:
    context = click.Context(cli)
    commands = {name: cli.get_command(context, name) for name in COMMANDS} | {"": cli}
    for name, command in commands.items():
        assert command is not None
        yield from ((name, parameter) for parameter in command.params)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_that_fits_a_line(name: str) -> None:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    assert command.name == name
    assert command.get_short_help_str(limit=80).endswith(".")
    assert call(name, "--help").exit_code == 0


def test_every_option_has_help() -> None:
    silent = [
        (name, parameter.name)
        for name, parameter in options()
        if isinstance(parameter, click.Option) and not parameter.help
    ]
    assert silent == []


def test_every_command_takes_the_options_that_all_have() -> None:
    having = {name for name, parameter in options() if "--json" in parameter.opts}
    assert having == {"", *COMMANDS} - {"demo"}  # it is a show for people, in a home of its own


def test_an_unknown_command_is_refused_with_2() -> None:
    assert call("sing").exit_code == 2


def test_the_version_is_told() -> None:
    assert call("--version").output.startswith("pipelinekit, version ")


def test_the_example_is_valid_and_is_never_written_over(project: Project) -> None:
    assert call("init").exit_code == 0
    written = read_definition(project.folder / "pipeline.py")
    assert faults(written.pipeline, action_types()) == ()
    assert set(load_settings(project.folder).projects) == {"project", "release"}
    assert list(environments(project.folder / "environments.yaml")) == ["staging", "production"]
    ignored = (project.folder / ".gitignore").read_text(encoding="utf-8")
    assert ignored == ".pipelinekit/\nruns/\nopen-*/\n"
    project.write("pipelinekit.toml", "# mine\n")
    answer = json.loads(call("init", "--json").output)
    assert set(answer.values()) == {"kept"}
    assert (project.folder / "pipelinekit.toml").read_text(encoding="utf-8") == "# mine\n"
    call("init", "--force")
    assert tomllib.loads((project.folder / "pipelinekit.toml").read_text(encoding="utf-8"))


def test_what_git_ignores_already_stays(project: Project) -> None:
    project.write(".gitignore", "*.pyc\nruns/")
    call("init")
    call("init")
    text = (project.folder / ".gitignore").read_text(encoding="utf-8")
    assert text == "*.pyc\nruns/\n.pipelinekit/\nopen-*/\n"


@pytest.mark.parametrize(
    "command",
    [
        "validate d.json",
        "run d.json",
        "plan d.json",
        "export d.json",
        "environments --environments d.json",
    ],
)
def test_a_folder_in_the_place_of_a_file_is_refused(project: Project, command: str) -> None:
    (project.folder / "d.json").mkdir()
    done = call(*command.split())
    assert done.exit_code == Exit.REFUSED
    assert "found a folder; give the path of a file" in done.output


STRANGE = "a\x1b]0;title\x07\x1b[2J\u202e\r\nFAKE \u2713 Succeeded"
ODD_RESOURCE = {
    "Type": "AWS::CodePipeline::Pipeline",
    "Properties": {"Name": "shop", "RoleArn": {"Fn::GetAtt": [STRANGE, "Arn"]}},
}


@pytest.mark.parametrize("name", ["shop.json", "shop\x1b]0;title\x07\u202e.json"])
@pytest.mark.parametrize("command", ["validate", "run", "import"])
@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"name": "shop", STRANGE: 1}),
        json.dumps({"version": 0.2, "phases": {STRANGE: 1}}),
        json.dumps({"version": 0.2, "phases": {"build": {"commands": ["a"], STRANGE: 1}}}),
        json.dumps({"Resources": {"Shop": ODD_RESOURCE}}),
        "{",
    ],
)
def test_a_strange_document_says_nothing_to_the_terminal_and_forges_no_line(
    project: Project, command: str, name: str, text: str
) -> None:
    project.write(name, text)
    output = call(command, name).output
    assert output
    assert "".join(output.split("\n")).isprintable()
    assert not any(line.startswith("FAKE") for line in output.split("\n"))


@pytest.mark.parametrize(
    ("command", "code", "found"),
    [
        ("plan nosuch", "PipelineNotFoundException", "pipeline 'nosuch' was asked for"),
        ("plan d.json", "ValidationException", "d.json: found a folder"),
        ("status", "ConflictException", "no database of pipelinekit"),
        ("transition disable shop Live", "Usage", "disable needs --reason"),
        ("status --sing", "Usage", "No such option"),
    ],
)
def test_what_is_refused_is_told_in_json_where_that_is_wanted(
    project: Project, command: str, code: str, found: str
) -> None:
    (project.folder / "d.json").mkdir()
    (project.folder / ".pipelinekit").mkdir()
    if command == "status":
        project.write(".pipelinekit/pipelinekit.db", "text")
    done = call("--json", *command.split())
    assert done.exit_code == Exit.REFUSED
    error = json.loads(done.stdout)["error"]
    assert (error["code"], found in error["message"]) == (code, True)
    assert found in done.stderr  # for people, as ever
    assert "error" not in call(*command.split()).stdout


def test_a_valid_definition_is_called_valid(project: Project) -> None:
    project.write("shop.json", codepipeline.text(pipeline()))
    done = call("validate", "shop.json")
    assert done.exit_code == 0
    assert "✓ shop.json: pipeline shop is valid (3 stages, 3 actions)" in done.output


def test_every_fault_is_told_with_its_file_line_place_and_advice(project: Project) -> None:
    good = codepipeline.text(pipeline())
    bad = good.replace('"Code"', '"Kode"', 1)
    project.write("shop.json", bad)
    project.write("good.json", good)
    done = call("validate", "good.json", "shop.json")
    assert done.exit_code == 2
    assert "✓ good.json" in done.output
    assert "✗ shop.json: 1 fault" in done.output
    line = next(n for n, each in enumerate(bad.splitlines(), 1) if '"Code"' in each)
    assert f"line {line}: stages[1].actions[0].input" in done.output


def test_faults_are_told_as_json(project: Project) -> None:
    project.write("shop.json", '{"pipeline": {"name": 1}}')
    project.write("shop.yaml", "a: [1\n")
    done = call("validate", "--json", "shop.json", "shop.yaml", "missing.py")
    assert done.exit_code == 2
    shape, syntax, missing = json.loads(done.output)
    assert not shape["valid"]
    assert shape["faults"][0]["line"] == 1
    assert syntax["faults"][0]["line"]
    assert "no such file" in missing["faults"][0]["found"]


@pytest.mark.parametrize(("flag", "suffix"), [("--json", ".json"), ("--yaml", ".yaml")])
def test_what_is_exported_is_read_back_equal(project: Project, flag: str, suffix: str) -> None:
    project.write("shop.json", codepipeline.text(pipeline()))
    done = call("export", "shop.json", flag)
    assert codepipeline.parse(done.output, f"again{suffix}") == pipeline()


def test_json_and_yaml_at_once_are_refused(project: Project) -> None:
    project.write("shop.json", codepipeline.text(pipeline()))
    assert call("export", "shop.json", "--yaml", "--json").exit_code == 2


def test_a_definition_that_prints_does_not_spoil_the_export(project: Project) -> None:
    project.write("demo.py", f"print('hello')\n{GATE}")
    done = call("export", "demo.py")
    assert done.exit_code == 0
    assert json.loads(done.stdout)["pipeline"]["name"] == "demo"


QUIET = (
    ACTIONS
    + """
@pk.rule("QuietHours")
def quiet(job: pk.Job) -> bool:
    return True


ok = pk.approval("ok")
pipeline = (
    pk.Pipeline("demo")
    >> pk.Stage("Source", take("take"))
    >> pk.Stage("Gate", ok, before_entry=quiet("calm"), on_failure=quiet("later"))
)
"""
)


def test_the_export_of_what_runs_here_only_says_so(project: Project) -> None:
    project.write("demo.py", QUIET)
    done = call("export", "demo.py")
    assert done.exit_code == 0
    assert json.loads(done.stdout)["pipeline"]["name"] == "demo"
    taken, *rules = done.stderr.splitlines()
    assert taken.startswith("action Source/take runs here only: AWS CodePipeline does not know")
    assert "Source/Custom/Take/1, unless the account has a custom action type" in taken
    assert [each.partition(":")[0] for each in rules] == [
        "rule Gate/calm runs here only",
        "rule Gate/later runs here only",
    ]


def test_the_export_of_what_codepipeline_knows_is_silent_beside(project: Project) -> None:
    project.write("shop.json", codepipeline.text(pipeline()))
    assert call("export", "shop.json").stderr == ""


def test_a_pair_without_a_value_is_refused(project: Project) -> None:
    project.write("demo.py", GATE)
    done = call("run", "demo.py", "--variable", "word")
    assert done.exit_code == 2
    assert "NAME=VALUE" in done.output


def test_an_error_in_a_python_file_is_told_with_its_line_and_no_traceback(
    project: Project,
) -> None:
    project.write("demo.py", "import pipelinekit as pk\n\npk.Stage(nothing)\n")
    done = call("run", "demo.py")
    assert done.exit_code == 2
    assert "demo.py, line 3: found NameError" in done.output
    assert "Traceback" not in done.output


@pytest.mark.parametrize(
    ("name", "text", "kind"),
    [
        ("buildspec.yml", "version: 0.2\nphases:\n  build:\n    commands: [make]\n", "buildspec"),
        ("appspec.yml", "version: 0.0\nos: linux\n", "appspec"),
    ],
)
def test_a_buildspec_or_an_appspec_is_checked_too(
    project: Project, name: str, text: str, kind: str
) -> None:
    file = project.folder / name
    file.write_text(text, encoding="utf-8")
    done = call("validate", str(file))
    assert (done.exit_code, f"{kind} is valid" in done.output) == (0, True)


def test_a_buildspec_without_a_command_is_refused_as_it_would_be_by_a_build(
    project: Project,
) -> None:
    text = "version: 0.2\nphases:\n  build:\n    command: [make]\n"
    (project.folder / "ok.yml").write_text(text, encoding="utf-8")
    done = call("validate", "ok.yml")
    assert done.exit_code == 2
    assert "line 2: phases: no command, so that nothing would be built; write" in done.output
    ignored = "ok.yml, line 4: CodeBuild does not know the key phases.build.command and ignores it"
    assert f"○ {ignored}; write commands" in done.output
    (verdict,) = json.loads(call("validate", "--json", "ok.yml").output)
    assert verdict["notes"] == [f"{ignored}; write commands"]


def test_a_key_that_codebuild_ignores_is_no_fault_of_a_buildspec(project: Project) -> None:
    text = "version: 0.2\nphases:\n  build:\n    commands: [make]\n    comands: [test]\n"
    (project.folder / "ok.yml").write_text(text, encoding="utf-8")
    done = call("validate", "ok.yml")
    assert (done.exit_code, "ok.yml: buildspec is valid" in done.output) == (0, True)
    assert "○ ok.yml, line 5: CodeBuild does not know the key phases.build.comands" in done.output


def test_a_batch_whose_builds_name_their_own_buildspecs_needs_no_command(
    project: Project,
) -> None:
    text = "version: 0.2\nphases: {}\nbatch:\n  build-list:\n    - identifier: a\n"
    (project.folder / "ok.yml").write_text(text, encoding="utf-8")
    assert call("validate", "ok.yml").exit_code == 0


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("buildspec.yml", "version: 0.2\nphases:\n  biuld:\n    commands: [make]\n", 3),
        ("buildspec.yml", "version: 0.2\nphases:\n  build:\n\tcommands: [make]\n", 4),
        ("appspec.yml", "version: 0.0\nos: linux\nhooks:\n  AfterInstal:\n    - location: x\n", 4),
        ("pipeline.yaml", "name: shop\nname: shop\n", 2),
        ("pipeline.json", '{\n  "pipeline": {\n    "name": "shop",\n  }\n}\n', 4),
    ],
)
def test_a_broken_document_is_refused_with_its_line_and_exit_code_2(
    project: Project, name: str, text: str, line: int
) -> None:
    file = project.folder / name
    file.write_text(text, encoding="utf-8")
    done = call("validate", str(file))
    assert done.exit_code == 2
    assert f"line {line}: " in done.output
    assert "found" in done.output
