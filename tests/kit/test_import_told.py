"""What an import does not know, cannot read, or must not show is told, with what to do."""

import stat
from pathlib import Path

import pytest

import pipelinekit as pk
from pipelinekit.kit.importing import import_file
from pipelinekit.model.errors import PipelineKitError
from pipelinekit.wire import codepipeline
from pipelinekit.wire.templates.assembly import ROLE
from tests.build import pipeline
from tests.kit.test_importing import TEMPLATE, refused, write

PIPELINE = TEMPLATE[TEMPLATE.index("  Shop:") : TEMPLATE.index("  Role:")]
REFERENCE = "{{resolve:secretsmanager:gh:SecretString:token}}"
HOOK = """
  Hook:
    Type: AWS::CodePipeline::Webhook
    Properties:
      Name: hook
      Authentication: GITHUB_HMAC
      AuthenticationConfiguration: {SecretToken: !Ref Token}
      Filters: [{JsonPath: $.ref}]
      TargetPipeline: shop
      TargetAction: Get
      TargetPipelineVersion: 1
"""


def template(folder: Path, *changes: tuple[str, str], more: str = "") -> Path:
    text = TEMPLATE
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    return write(folder, "t.yaml", text + more)


def parameters(*lines: str) -> tuple[str, str]:
    return ("Parameters:\n", "Parameters:\n" + "".join(f"  {line}\n" for line in lines))


# ------------------------------------------------------------------ every option that is named


def test_what_cloudformation_would_look_up_can_be_given(tmp_path: Path) -> None:
    file = template(tmp_path, ("!Ref Branch", f"!Join ['/', [release, '{REFERENCE}']]"))
    (*_, left) = import_file(file).placeholders
    assert left.key == REFERENCE
    told = import_file(file, {REFERENCE: "1.0"})
    assert told.pipeline.stages[0].actions[0].configuration["BranchName"] == "release/1.0"
    assert REFERENCE not in {each.key for each in told.placeholders}


@pytest.mark.parametrize(
    ("before", "value", "place"),
    [
        ("!GetAtt Role.Arn", "arn:aws:iam::111122223333:role/shop", "roleArn"),
        ("!Ref Bucket", "artifacts", "artifactStore.location"),
        ("shop\n      RoleArn", "live", "name"),
    ],
)
def test_where_no_reference_can_stand_a_placeholder_does(
    tmp_path: Path, before: str, value: str, place: str
) -> None:
    after = before.replace(before.partition("\n")[0], f"'{REFERENCE}'")
    file = template(tmp_path, (before, after))
    found = import_file(file)
    assert place in [each.place for each in found.placeholders if each.key == REFERENCE]
    assert "{{" not in codepipeline.text(found.pipeline)
    told = import_file(file, {REFERENCE: value})
    assert f'"{value}"' in codepipeline.text(told.pipeline)


def test_placeholders_of_an_earlier_import_can_be_given_too(tmp_path: Path) -> None:
    import_file(template(tmp_path)).save(tmp_path / "out")
    file = tmp_path / "out" / "pipeline.json"
    (*_, left) = import_file(file).placeholders
    told = import_file(file, {left.key: "main"})
    assert told.pipeline.stages[0].actions[0].configuration["BranchName"] == "main"


def test_a_role_of_an_unknown_account_becomes_a_placeholder(tmp_path: Path) -> None:
    arn = "!Sub 'arn:aws:iam::${Acct}:role/${Own}'"
    told = parameters("Acct: {Type: String}", "Own: {Type: String}")
    file = template(tmp_path, told, ("!GetAtt Role.Arn", arn))
    found = import_file(file)
    assert found.pipeline.role_arn == f"{ROLE}UNRESOLVED-Acct/UNRESOLVED-Own"
    assert [each.key for each in found.placeholders if each.place == "roleArn"] == ["Acct", "Own"]
    half = import_file(file, {"Acct": "111122223333"})
    assert half.pipeline.role_arn == "arn:aws:iam::111122223333:role/UNRESOLVED-Own"


def test_a_role_of_terraform_in_an_unknown_account_does_so_too(tmp_path: Path) -> None:
    arn = "arn:aws:iam::${data.aws_caller_identity.current.account_id}:role/x"
    text = pk.export(pipeline(), "terraform").replace(pipeline().role_arn, arn)
    (left, *_) = import_file(write(tmp_path, "main.tf", text)).placeholders
    assert (left.place, left.key) == (
        "roleArn",
        "data.aws_caller_identity.current.account_id",
    )


@pytest.mark.parametrize(
    "change",
    [
        ("      Name: shop\n", "      Name: shop\n      PipelineType: !Ref Open\n"),
        ("- Name: Get\n", "- Name: Get\n              RunOrder: !Ref Open\n"),
        ("- Name: Make\n", "- Name: Make\n              Region: !Ref Open\n"),
        ("Provider: CodeCommit", "Provider: !Ref Open"),
    ],
)
def test_what_needs_a_value_of_its_own_is_refused_with_the_option(
    tmp_path: Path, change: tuple[str, str]
) -> None:
    told = refused(template(tmp_path, parameters("Open: {Type: String}"), change))
    assert "give --parameter Open=VALUE" in told
    assert "t.yaml, line" in told


# ------------------------------------------------------------------ what is not needed


UNKNOWN = "\nConditions: {Unknown: !Equals [!Ref Open, x]}\n"


def test_a_second_pipeline_of_which_too_little_is_known_stops_nothing(tmp_path: Path) -> None:
    second = PIPELINE.replace("Shop:", "Other:").replace("Name: shop\n", "Name: other\n")
    second = second.replace("    Properties:", "    Condition: Unknown\n    Properties:", 1)
    changes = parameters("Open: {Type: String}")
    file = template(tmp_path, changes, ("  Role:", f"{second}  Role:"), more=UNKNOWN)
    assert import_file(file, pipeline="shop").pipeline.name == "shop"
    for name in ("other", "Other"):
        with pytest.raises(PipelineKitError, match="give --parameter Open=VALUE"):
            import_file(file, pipeline=name)


def test_webhooks_and_projects_that_cannot_be_read_are_noted(tmp_path: Path) -> None:
    hook = HOOK.replace("    Properties:", "    Condition: Unknown\n    Properties:", 1)
    bad = "  Bad: {Type: 'AWS::CodeBuild::Project', Properties: {Name: !Transform {Name: x}}}\n"
    slow = "  Slow: {Type: 'AWS::CodeBuild::Project', Properties: {TimeoutInMinutes: !Ref Open}}\n"
    again = "  Again: {Type: 'AWS::CodeBuild::Project', Properties: {Name: shop}}\n"
    changes = parameters("Open: {Type: String}", "Token: {Type: String}")
    file = template(tmp_path, changes, more=hook + bad + slow + again + UNKNOWN)
    found = import_file(file)
    assert list(found.projects) == ["shop"]
    assert found.webhooks == ()
    bad_note, hook_note, slow_note, again_note = found.notes
    assert bad_note.startswith("AWS::CodeBuild::Project Bad is not brought along: ")
    assert "the function Fn::Transform" in bad_note
    assert hook_note.startswith("AWS::CodePipeline::Webhook Hook is not brought along: ")
    assert slow_note.startswith("project Slow is not brought along: ")
    assert slow_note.endswith("; give --parameter Open=VALUE")
    assert "project shop is there a second time" in again_note
    assert list(import_file(file, {"Open": "7"}).projects) == ["shop", "Slow"]


def test_a_pipeline_that_its_condition_leaves_out_is_told_of(tmp_path: Path) -> None:
    never = "\nConditions: {Never: !Equals [a, b]}\n"
    conditional = ("Pipeline\n    Prop", "Pipeline\n    Condition: Never\n    Prop")
    told = refused(template(tmp_path, conditional, more=never))
    assert "no pipeline (Shop is not made: its condition Never does not hold); give --par" in told


def test_a_pipeline_that_its_count_leaves_out_is_told_of(tmp_path: Path) -> None:
    text = pk.export(pipeline(), "terraform")
    text = text.replace('"aws_codepipeline" "shop" {', '"aws_codepipeline" "shop" {\n  count = 0')
    told = refused(write(tmp_path, "main.tf", text))
    assert "no pipeline (aws_codepipeline.shop is not made: its count is 0, or its for_" in told


# ------------------------------------------------------------------ custom actions and secrets


def test_a_custom_action_comes_with_what_to_do_first(tmp_path: Path) -> None:
    custom = ("Build, Owner: AWS, Provider: CodeBuild", "Build, Owner: Custom, Provider: Own-x")
    (note,) = import_file(template(tmp_path, custom)).notes
    assert note.startswith("action Build/Make: its type Build/Custom/Own-x/1 is not known here")
    assert "@pk.action" in note


def test_the_placeholders_of_webhooks_are_listed(tmp_path: Path) -> None:
    token = parameters("Token: {Type: String, NoEcho: true}")
    found = import_file(template(tmp_path, token, more=HOOK))
    left = found.placeholders[-1]
    assert left.place == "webhooks[0].authenticationConfiguration.SecretToken"
    assert (left.key, left.line) == ("Token", 36)


TERRAFORM_HOOK = """
resource "aws_codepipeline_webhook" "hook" {
  name            = "hook"
  authentication  = "GITHUB_HMAC"
  target_action   = "Get"
  target_pipeline = "shop"
  authentication_configuration { secret_token = var.token }
}
"""


def test_those_of_webhooks_in_terraform_are_listed_too(tmp_path: Path) -> None:
    text = pk.export(pipeline(), "terraform") + TERRAFORM_HOOK
    found = import_file(write(tmp_path, "main.tf", text))
    assert [(each.key, each.place) for each in found.placeholders] == [
        ("token", "webhooks[0].authenticationConfiguration.SecretToken")
    ]


SECRET = parameters("Token: {Type: String, NoEcho: true}")


def mode(file: Path) -> str:
    return stat.filemode(file.stat().st_mode)


def test_a_secret_is_named_and_lies_in_files_that_nobody_else_reads(tmp_path: Path) -> None:
    environment = "Name: shop, Environment: {EnvironmentVariables: [{Name: T, Value: !Ref Token}]}"
    file = template(tmp_path, SECRET, ("Name: shop, Source", f"{environment}, Source"), more=HOOK)
    out = write(tmp_path, "out/pipeline.json", "{}").parent
    found = import_file(file, {"Token": "TOPSECRET"})
    assert [note.partition(" is written")[0] for note in found.notes] == [
        "projects[0].environment.environmentVariables[0].value",
        "webhooks[0].authenticationConfiguration.SecretToken",
    ]
    assert "TOPSECRET" not in str(found.notes)
    assert {mode(each) for each in found.save(out, force=True)} == {"-rw-------"}
    without = import_file(file).save(tmp_path / "without")
    assert "-rw-------" not in {mode(each) for each in without}


def test_a_token_of_a_pipeline_is_named(tmp_path: Path) -> None:
    source = pk.github("Fetch", "me", "shop", "main", "s3cret").writes("Code")
    line = pk.Pipeline("shop") >> pk.Stage("Source", source) >> pk.Stage("Ask", pk.approval("ok"))
    file = write(tmp_path, "p.json", codepipeline.text(line))
    (note,) = import_file(file).notes
    assert note.startswith("stages[0].actions[0].configuration.OAuthToken is written as it is")
    masked = write(tmp_path, "m.json", codepipeline.text(line).replace("s3cret", "****"))
    assert import_file(masked).notes == ()
    assert len(import_file(masked, {"Source.Fetch.OAuthToken": "s3cret"}).notes) == 1
