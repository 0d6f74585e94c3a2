"""Templates of CloudFormation: what their functions come to, and what is refused with its line."""

import json

import pytest

from pipelinekit.tools.documents.document import Document, DocumentError, parse
from pipelinekit.wire import codepipeline
from pipelinekit.wire.codebuild_project import read_projects
from pipelinekit.wire.templates.assembly import Assembly, Declared, choose
from pipelinekit.wire.templates.cloudformation import exports_of, read_cloudformation
from pipelinekit.wire.templates.gaps import Gaps
from pipelinekit.wire.templates.template import SHORT_FORMS, is_template

HEAD = """
Parameters:
  Name: {Type: String, Default: shop}
  Open: {Type: String}
  Stored: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /shop/branch}
  Names: {Type: CommaDelimitedList, Default: 'one, two'}
  Stage: {Type: String, Default: prod, AllowedValues: [dev, prod]}
Mappings:
  Branches:
    prod: {branch: main, minutes: 10}
Conditions:
  IsProd: !Equals [!Ref Stage, prod]
  IsDev: !Not [!Condition IsProd]
  Both: !And [!Condition IsProd, !Equals [a, a]]
  Either: !Or [!Condition IsDev, !Condition IsProd]
  Unknown: !Equals [!Ref Open, x]
Resources:
  Named: {Type: 'AWS::S3::Bucket', Properties: {BucketName: !Sub '${Name}-bucket'}}
  Bucket: {Type: 'AWS::S3::Bucket'}
  Role: {Type: 'AWS::IAM::Role', Properties: {RoleName: builder}}
  Builds: {Type: 'AWS::CodeBuild::Project', Properties: {}}
  Repository: {Type: 'AWS::CodeCommit::Repository', Properties: {RepositoryName: code}}
"""
PIPELINE = """
  Pipeline:
    Type: AWS::CodePipeline::Pipeline
    Properties:
      RoleArn: arn:aws:iam::111122223333:role/shop
      ArtifactStore: {Type: S3, Location: artifacts}
      Stages:
        - Name: Source
          Actions:
            - Name: Get
              ActionTypeId: {Category: Source, Owner: AWS, Provider: CodeCommit, Version: 1}
              Configuration: {BranchName: VALUE}
              OutputArtifacts: [{Name: code}]
"""


def template(value: str) -> Document:
    text = (HEAD + PIPELINE).replace("VALUE", value)
    return parse(text, "t.yaml", forms=SHORT_FORMS)


def only(document: Document, gaps: Gaps) -> Declared:
    _, found = choose([read_cloudformation(document, gaps)], None, document.name)
    return found


def resolved(value: str, **known: str) -> str:
    found = only(template(value), Gaps(known))
    pipeline = codepipeline.read(found.source.data)
    return pipeline.stages[0].actions[0].configuration.get("BranchName", "nothing")


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("!Ref Name", "shop"),
        ("{Ref: Name}", "shop"),
        ("!Sub '${Name}-${AWS::Region}-${!Name}'", "shop-us-east-1-${Name}"),
        ("!Sub ['${A}/${Name}', {A: !Ref Stage}]", "prod/shop"),
        ("!Join ['-', [a, !Ref Name, 1]]", "a-shop-1"),
        ("!Join ['', !Ref Names]", "onetwo"),
        ("!Select [1, !Ref Names]", "two"),
        ("!Select ['0', !Split ['/', 'a/b']]", "a"),
        ("!If [IsProd, main, dev]", "main"),
        ("!If [IsDev, dev, !Ref 'AWS::NoValue']", "nothing"),
        ("!If [Both, yes-both, no-both]", "yes-both"),
        ("!If [Either, yes-either, no-either]", "yes-either"),
        ("!FindInMap [Branches, !Ref Stage, branch]", "main"),
        ("!FindInMap [Branches, prod, minutes]", "10"),
        ("!Ref Named", "shop-bucket"),
        ("!GetAtt Named.Arn", "arn:aws:s3:::shop-bucket"),
        ("!GetAtt Role.Arn", "arn:aws:iam::000000000000:role/builder"),
        ("{'Fn::GetAtt': [Repository, Name]}", "code"),
        ("!Ref Builds", "Builds"),
        ("{'Fn::Length': {Ref: Names}}", "2"),
        ("{'Fn::Length': [a, !Ref Name, c]}", "3"),
        ("!Base64 abc", "YWJj"),
        ("!ToJsonString {a: !Ref Name}", '{"a": "shop"}'),
        ("true", "true"),
        ("1.10", "1.10"),
    ],
)
def test_a_function_comes_to_what_cloudformation_makes_of_it(value: str, found: str) -> None:
    assert resolved(value) == found


@pytest.mark.parametrize(
    ("value", "key", "why"),
    [
        ("!Ref Open", "Open", "parameter Open has no default"),
        ("!Ref Stored", "Stored", "its value is in Parameter Store under /shop/branch"),
        ("!Ref Bucket", "Bucket", "AWS names AWS::S3::Bucket Bucket when it is made"),
        ("!Ref Repository", "Repository", "AWS makes it with AWS::CodeCommit::Repository"),
        ("!GetAtt Bucket.DomainName", "Bucket.DomainName", "AWS makes it with AWS::S3::Bucket"),
        ("!Sub 'x-${Bucket.Arn}-y'", "Bucket.Arn", "AWS makes it"),
        ("!ImportValue other-branch", "other-branch", "another stack exports it"),
        ("!ImportValue {'Fn::Sub': '${Open}-b'}", "Open-b", "a name that needs Open"),
        ("!Select [1, !Split ['/', !Ref Open]]", "Open.1", "a part of it"),
        ("!Select [0, !GetAZs '']", "Fn::GetAZs", "only AWS can tell it"),
    ],
)
def test_what_is_not_known_is_a_placeholder_until_it_is_given(
    value: str, key: str, why: str
) -> None:
    gaps = Gaps()
    found = read_cloudformation(template(value), gaps).pipelines[0].source
    text = codepipeline.read(found.data).stages[0].actions[0].configuration["BranchName"]
    assert "UNRESOLVED-" in text
    (gap,) = gaps.explain(text)
    assert gap.key == key
    assert why in gap.why
    told = resolved(value, **{key: "told"})
    assert "told" in told
    assert "UNRESOLVED-" not in told


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("!Ref Nobody", "line 34: found a reference to Nobody, which is neither"),
        ("!GetAtt Nobody.Arn", "line 34: found a reference to Nobody, which is no resource"),
        ("!If [Nothing, a, b]", "line 34: found the condition Nothing, which the template"),
        ("!If [Unknown, a, b]", "line 16: found a comparison with Open"),
        ("!If [IsProd, a]", "line 34: found a list of 2"),
        ("!Join [',', abc]", "line 34: found the text"),
        ("!Select [7, !Ref Names]", "the list has 2 items"),
        ("!FindInMap [Branches, dev, branch]", "line 34: found no Branches.dev.branch"),
        ("!FindInMap [Branches, !Ref Open, branch]", "give --parameter Open=VALUE"),
        ("!Length abc", "line 34: found the text"),
        (
            "{'Fn::Length': {'Fn::Split': [',', {Ref: Open}]}}",
            "found the length of Open, which has no value here",
        ),
        ("!Transform {Name: x}", "line 34: found the function Fn::Transform"),
        ("{'Fn::Nothing': 1}", "line 34: found the function Fn::Nothing"),
        ("[a, b]", "each value of a configuration is text"),
        ("!!python/object:os.system x", "line 34: found the tag"),
    ],
)
def test_what_cloudformation_would_refuse_is_refused_with_its_line(value: str, found: str) -> None:
    with pytest.raises(DocumentError) as refused:
        resolved(value)
    assert found in str(refused.value)


def test_a_value_that_is_not_allowed_is_refused() -> None:
    with pytest.raises(DocumentError, match="give one of dev, prod"):
        resolved("!Ref Stage", Stage="test")


def test_a_circle_of_conditions_is_named() -> None:
    text = (HEAD + PIPELINE).replace("VALUE", "!If [IsDev, a, b]")
    text = text.replace("!Equals [!Ref Stage, prod]", "!Not [!Condition IsDev]")
    with pytest.raises(DocumentError, match="condition IsDev -> condition IsProd -> condition"):
        only(parse(text, "t.yaml", forms=SHORT_FORMS), Gaps())


def test_a_circle_of_names_is_named() -> None:
    text = (HEAD + PIPELINE).replace("VALUE", "!Ref Named").replace("${Name}-bucket", "${Named}")
    with pytest.raises(DocumentError, match="a circle: Named -> Named"):
        only(parse(text, "t.yaml", forms=SHORT_FORMS), Gaps())


def test_a_pipeline_without_a_name_is_called_by_its_logical_id() -> None:
    (found,) = read_cloudformation(template("main"), Gaps()).pipelines
    assert (found.name, found.id) == ("Pipeline", "Pipeline")
    assert "it is called Pipeline here" in found.notes[0]


def test_what_was_assumed_and_what_is_left_behind_is_told() -> None:
    found = read_cloudformation(template("!Ref AWS::Region"), Gaps())
    assert found.notes == (
        "AWS::Region was taken as 'us-east-1'; give --parameter AWS::Region=VALUE for another",
    )
    assert found.left == {
        "AWS::S3::Bucket": ("Named", "Bucket"),
        "AWS::IAM::Role": ("Role",),
        "AWS::CodeCommit::Repository": ("Repository",),
    }


def test_a_resource_whose_condition_does_not_hold_is_not_there() -> None:
    text = (HEAD + PIPELINE).replace(
        "Type: AWS::CodePipeline::Pipeline",
        "Type: AWS::CodePipeline::Pipeline\n    Condition: IsDev",
    )
    found = read_cloudformation(parse(text, "t.yaml", forms=SHORT_FORMS), Gaps())
    assert found.pipelines == ()
    with pytest.raises(DocumentError, match="Pipeline is not made: its condition IsDev does not"):
        choose([found], None, "t.yaml")


BESIDE = """
Resources:
  Build:
    Type: AWS::CodeBuild::Project
    Properties:
      Name: shop
      TimeoutInMinutes: '20'
      Environment:
        Image: python:3.12
        EnvironmentVariables:
          - {Name: LEVEL, Value: 3}
          - {Name: KEY, Value: /shop/key, Type: PARAMETER_STORE}
      Source:
        Type: CODEPIPELINE
        BuildSpec: !Sub |
          version: 0.2
          phases: {build: {commands: [echo ${AWS::Region}]}}
  Hook:
    Type: AWS::CodePipeline::Webhook
    Properties:
      Authentication: GITHUB_HMAC
      AuthenticationConfiguration: {SecretToken: abc}
      Filters: [{JsonPath: $.ref, MatchEquals: 'refs/heads/{Branch}'}]
      TargetPipeline: shop
      TargetPipelineVersion: 1
      TargetAction: Get
Outputs:
  Name: {Value: !Ref Build, Export: {Name: project}}
"""


def test_projects_webhooks_and_exports_come_along() -> None:
    document = parse(BESIDE, "t.yaml", forms=SHORT_FORMS)
    found = read_cloudformation(document, Gaps())
    project = read_projects(found.projects)["shop"]
    assert project.buildspec == ("version: 0.2\nphases: {build: {commands: [echo us-east-1]}}\n")
    assert (project.environment, project.parameters) == ({"LEVEL": "3"}, {"KEY": "/shop/key"})
    assert project.timeout_minutes == 20
    assert tuple(each.data for each in found.webhooks) == (
        {
            "name": "Hook",
            "authentication": "GITHUB_HMAC",
            "authenticationConfiguration": {"SecretToken": "abc"},
            "filters": [{"jsonPath": "$.ref", "matchEquals": "refs/heads/{Branch}"}],
            "targetPipeline": "shop",
            "targetAction": "Get",
        },
    )
    assert exports_of(document, Gaps()) == {"project": "shop"}


def test_an_excerpt_of_resources_alone_is_read_too() -> None:
    text = PIPELINE.replace("VALUE", "!Ref Branch")
    document = parse(text, "t.yaml", forms=SHORT_FORMS)
    assert is_template(document)
    gaps = Gaps()
    (found,) = read_cloudformation(document, gaps).pipelines
    text = codepipeline.read(found.source.data).stages[0].actions[0].configuration["BranchName"]
    assert next(gaps.explain(text)).why == "this excerpt does not say what it is"


def test_each_item_of_a_list_is_checked() -> None:
    told = "Names: {Type: CommaDelimitedList, Default: 'one, two', AllowedValues: [one, two]}"
    text = (HEAD + PIPELINE).replace("VALUE", "!Join ['-', !Ref Names]")
    text = text.replace("Names: {Type: CommaDelimitedList, Default: 'one, two'}", told)
    document = parse(text, "t.yaml", forms=SHORT_FORMS)
    assert "two-one" in str(only(document, Gaps({"Names": "two, one"})).source.data)
    with pytest.raises(DocumentError, match="found three for parameter Names; give one of one"):
        only(document, Gaps({"Names": "two,three"}))


@pytest.mark.parametrize(
    ("parameter", "given", "told"),
    [
        ("{Type: String, Default: test, AllowedValues: [dev]}", None, "test for parameter Stage"),
        ("{Type: Number, Default: zzz}", None, "zzz for parameter Stage; give a number"),
        ("{Type: Number, Default: 1}", "zzz", "zzz for parameter Stage; give a number"),
        ("{Type: List<Number>, Default: '1, 2'}", "1,x", "x for parameter Stage; give a number"),
        (
            "{Type: String, NoEcho: true, AllowedValues: [abc]}",
            "xyz",
            "found a value that",
        ),
        ("{Type: Number, NoEcho: 'true'}", "xyz", "found a value that it does not allow for"),
    ],
)
def test_a_parameter_takes_what_cloudformation_takes(
    parameter: str, given: str | None, told: str
) -> None:
    text = (HEAD + PIPELINE).replace("VALUE", "!Sub '${Stage}'")
    text = text.replace("{Type: String, Default: prod, AllowedValues: [dev, prod]}", parameter)
    gaps = Gaps({} if given is None else {"Stage": given})
    with pytest.raises(DocumentError, match=told) as refused:
        only(parse(text, "t.yaml", forms=SHORT_FORMS), gaps)
    assert "xyz" not in str(refused.value)
    assert "abc" not in str(refused.value)


def test_what_is_stored_elsewhere_may_be_given_whatever_names_are_allowed_there() -> None:
    text = (HEAD + PIPELINE).replace("VALUE", "!Ref Stored")
    text = text.replace("Default: /shop/branch", "Default: /shop/branch, AllowedValues: [/shop/b]")
    document = parse(text, "t.yaml", forms=SHORT_FORMS)
    assert "main" in str(only(document, Gaps({"Stored": "main"})).source.data)


def role(properties: str, **known: str) -> tuple[str, Assembly]:
    text = (HEAD + PIPELINE).replace("VALUE", "!GetAtt Role.Arn")
    text = text.replace("Properties: {RoleName: builder}", f"Properties: {properties}")
    found = read_cloudformation(parse(text, "t.yaml", forms=SHORT_FORMS), Gaps(known))
    pipeline = codepipeline.read(found.pipelines[0].source.data)
    return pipeline.stages[0].actions[0].configuration["BranchName"], found


def test_the_arn_of_a_role_has_its_path_and_its_partition() -> None:
    arn, _ = role("{RoleName: r, Path: /service-role/}")
    assert arn == "arn:aws:iam::000000000000:role/service-role/r"
    told = {"AWS::Partition": "aws-cn", "AWS::AccountId": "111122223333"}
    assert role("{RoleName: r}", **told)[0] == "arn:aws-cn:iam::111122223333:role/r"
    assert role("{RoleName: r, Path: !Ref Open}")[0] == "UNRESOLVED-Role-Arn"


def test_the_account_is_asked_for_only_where_an_arn_has_one() -> None:
    found = read_cloudformation(template("!GetAtt Named.Arn"), Gaps())
    assert found.notes == ()
    assert "arn:aws:s3:::shop-bucket" in str(found.pipelines[0].source.data)
    assert "AWS::AccountId was taken as" in role("{RoleName: r}")[1].notes[0]


LOOP = """
  Fn::ForEach::Kinds:
    - Env
    - COLLECTION
    - 'J${Env}': {Type: 'TYPE', Properties: {Name: !Sub 'j-${Env}', Description: !Ref Env}}
"""


def looped(kind: str, collection: str = "[dev, prod]", **known: str) -> Assembly:
    loop = LOOP.replace("TYPE", kind).replace("COLLECTION", collection)
    return with_resources(loop, **known)


def with_resources(more: str, **known: str) -> Assembly:
    text = (HEAD + PIPELINE).replace("VALUE", "j-dev") + more
    return read_cloudformation(parse(text, "t.yaml", forms=SHORT_FORMS), Gaps(known))


def projects(found: Assembly) -> dict[str, str]:
    """Give the description of each project that comes along, by its name."""
    return {name: each.description for name, each in read_projects(found.projects).items()}


@pytest.mark.parametrize(
    ("collection", "known", "names"),
    [
        ("[dev, prod]", {}, ("dev", "prod")),
        ("!Ref Names", {}, ("one", "two")),
        ("!Ref Names", {"Names": "a,b , c"}, ("a", "b", "c")),
        ("[!Ref Stage, 7]", {}, ("prod", "7")),
        ("[]", {}, ()),
    ],
)
def test_a_loop_is_written_out(
    collection: str, known: dict[str, str], names: tuple[str, ...]
) -> None:
    found = looped("AWS::CodeBuild::Project", collection, **known)
    told = json.loads(json.dumps(found.projects.data)) if found.projects else {}
    assert [each for each in str(told).split("'") if each.startswith("j-")] == [
        f"j-{name}" for name in names
    ]


def test_a_loop_that_goes_over_what_is_not_known_is_told() -> None:
    for collection in ("!Split [',', x]", "!Ref Open", "[!Ref Open]"):
        found = looped("AWS::CodeBuild::Project", collection)
        assert "Fn::ForEach::Kinds (line 38) makes AWS::CodeBuild::Project" in found.notes[0]
        asked = "give --parameter Open=VALUE,VALUE or what" in found.notes[0]
        assert asked == (collection == "!Ref Open")
        assert "--template-stage Processed" in found.notes[0]
        assert found.left["Fn::ForEach"] == ("Kinds",)
        assert choose([found], None, "t.yaml")[1].id == "Pipeline"


def test_a_loop_that_makes_pipelines_is_one_that_may_be_meant_and_cannot_be_read() -> None:
    found = looped("AWS::CodePipeline::Pipeline", "!Split [',', x]")
    with pytest.raises(DocumentError, match="2 pipelines: Pipeline, Fn::ForEach"):
        choose([found], None, "t.yaml")
    with pytest.raises(DocumentError, match=r"line 38: found Fn::ForEach::Kinds, which"):
        choose([found], "Fn::ForEach::Kinds", "t.yaml")


def test_loops_stand_in_loops_in_properties_and_beside_other_members() -> None:
    found = with_resources("""
  Fn::ForEach::Teams:
    - Team
    - [red, blue]
    - 'Fn::ForEach::Kinds':
        - Env
        - [dev-1, prod]
        - '${Team}&{Env}':
            Type: AWS::CodePipeline::Pipeline
            Properties:
              Name: !Sub '${Team}-${Env}-${AWS::Region}-${!Env}'
              RoleArn: arn:aws:iam::111122223333:role/shop
              Stages:
                - Name: Source
                  Actions:
                    - Name: Get
                      ActionTypeId:
                        {Category: Source, Owner: AWS, Provider: CodeCommit, Version: 1}
                      Configuration:
                        BranchName: main
                        Fn::ForEach::Keys: [Key, [A, B], {'My${Key}': !Ref Key}]
""")
    ids = [each.id for each in found.pipelines]
    assert ids == ["Pipeline", "reddev1", "redprod", "bluedev1", "blueprod"]
    assert found.pipelines[1].name == "red-dev-1-us-east-1-${Env}"
    (action,) = codepipeline.read(found.pipelines[4].source.data).stages[0].actions
    assert action.configuration == {"BranchName": "main", "MyA": "A", "MyB": "B"}
    assert found.pipelines[4].source.root.need("stages").line == 49


def test_a_loop_makes_conditions_and_outputs_too() -> None:
    text = HEAD.replace("Conditions:", "Conditions:\n  Fn::ForEach::C: [E, [x], {'Is${E}': IS}]")
    text = text.replace("IS}", "!Equals [!Ref E, x]}") + PIPELINE.replace(
        "VALUE", "!If [Isx, y, n]"
    )
    text += (
        "Outputs:\n  Fn::ForEach::O: [E, [x], {'O${E}': {Value: !Ref E, Export: {Name: !Ref E}}}]"
    )
    document = parse(text, "t.yaml", forms=SHORT_FORMS)
    assert "'BranchName': 'y'" in str(only(document, Gaps()).source.data)
    assert exports_of(document, Gaps()) == {"x": "x"}


@pytest.mark.parametrize(
    ("loop", "found"),
    [
        ("[E, [a, b], {Same: {Type: T}}]", "found Same, which a loop makes twice"),
        ("[E, [a], {Named: {Type: T}}]", "found Named, which a loop makes twice"),
        ("[E, [a]]", "a list of 3 is expected there"),
        ("[E, !Ref Stage, {'A${E}': {Type: T}}]", "a list, or a parameter that is one"),
        ("[E, [a], text]", "a mapping"),
        ("[E, [a], {'A${E}': {Type: T, P: {'Fn::ForEach::X': [F, [1, 2], {k: v}]}}}]", "found k,"),
    ],
)
def test_a_loop_that_cloudformation_would_refuse_is_refused(loop: str, found: str) -> None:
    with pytest.raises(DocumentError, match=found):
        with_resources(f"  Fn::ForEach::L: {loop}")


def test_loops_that_make_too_much_are_refused() -> None:
    many = str(list(range(30)))
    loop = "{'A${A}x${B}x${C}': {Type: T}}"
    for name in "CBA":
        loop = f"{{'Fn::ForEach::{name}': [{name}, {many}, {loop}]}}"
    with pytest.raises(DocumentError, match="more than 10000 turns"):
        with_resources("  " + loop[1:-1])
