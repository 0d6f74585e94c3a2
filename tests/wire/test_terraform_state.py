"""What `terraform show -json` prints: what the provider fills in there, and what was left out."""

import json

import pytest

from pipelinekit.tools.documents.document import DocumentError, parse
from pipelinekit.wire import codepipeline
from pipelinekit.wire.templates.assembly import Assembly
from pipelinekit.wire.templates.gaps import Gaps
from pipelinekit.wire.templates.terraform_state import read_shown


def shown(**more: object) -> str:
    action = {
        "name": "Get", "category": "Source", "owner": "AWS", "provider": "CodeCommit",
        "version": "1", "configuration": {"BranchName": "main"}, "run_order": 1,
        "output_artifacts": ["code"], "input_artifacts": [], "namespace": "", "region": "",
    }  # fmt: skip
    values = {"name": "shop", "stage": [{"name": "Source", "action": [action]}], "tags": None}
    resource = {
        "address": "module.x.aws_codepipeline.this",
        "mode": "managed",
        "type": "aws_codepipeline",
        "name": "this",
        "values": values,
    }
    root = {"root_module": {"child_modules": [{"resources": [resource]}]}}
    return json.dumps({"terraform_version": "1.11.4", "values": root, **more})


def test_what_terraform_shows_is_read_with_the_resources_of_modules() -> None:
    unknown = {"role_arn": True, "arn": True, "stage": [{"action": [{"region": True}]}]}
    change = {"address": "module.x.aws_codepipeline.this", "change": {"after_unknown": unknown}}
    gaps = Gaps()
    found = read_shown(parse(shown(resource_changes=[change]), "plan.json"), gaps)
    pipeline = codepipeline.read(found.pipelines[0].source.data)
    assert pipeline.role_arn.startswith("arn:aws:iam::000000000000:role/UNRESOLVED-")
    (gap,) = gaps.explain(pipeline.role_arn)
    assert gap.key == "module.x.aws_codepipeline.this.role_arn"
    assert pipeline.stages[0].actions[0].region is None


def in_state(**more: object) -> Assembly:
    """Read a state in which the provider has filled in what the files do not say."""
    data = json.loads(shown())
    (resource,) = data["values"]["root_module"]["child_modules"][0]["resources"]
    values = resource["values"]
    values["role_arn"] = "arn:aws:iam::111122223333:role/shop"
    (stage,) = values["stage"]
    stage["action"][0] |= {"run_order": 0, "timeout_in_minutes": 0, **more}
    kind = {"category": "Rule", "owner": "AWS", "provider": "LambdaInvoke", "version": "1"}
    rule = {"name": "Ask", "rule_type_id": [kind], "timeout_in_minutes": 0, "region": ""}
    rule["configuration"] = {"FunctionName": "ask"}
    stage["before_entry"] = [{"condition": [{"result": "FAIL", "rule": [rule]}]}]
    values["variable"] = [{"name": "Level", "default_value": "", "description": ""}]
    project = {"name": "shop", "build_timeout": 0, "queued_timeout": 0, "description": ""}
    project["source"] = [{"type": "CODEPIPELINE", "git_clone_depth": 0, "buildspec": ""}]
    address = "aws_codebuild_project.shop"
    built = {"address": address, "type": "aws_codebuild_project", "name": "shop"}
    data["values"]["root_module"]["resources"] = [{**built, "values": project}]
    return read_shown(parse(json.dumps(data), "state.json"), Gaps())


def test_numbers_of_a_state_that_were_left_out_are_absent() -> None:
    found = in_state()
    pipeline = codepipeline.read(found.pipelines[0].source.data)
    (stage,) = pipeline.stages
    assert (stage.actions[0].run_order, stage.actions[0].timeout_minutes) == (1, None)
    assert stage.before_entry[0].rules[0].timeout_minutes is None
    assert pipeline.variables[0].description is None
    (project,) = found.projects.root.need("projects").list()
    assert project.data == {"name": "shop", "source": {"type": "CODEPIPELINE"}}


def test_the_hash_of_a_token_is_no_token() -> None:
    found = in_state(configuration={"OAuthToken": "hash-1b4f0e98", "Branch": "hash-1"})
    assert codepipeline.read(found.pipelines[0].source.data).stages[0].actions[
        0
    ].configuration == {"OAuthToken": "****", "Branch": "hash-1"}


@pytest.mark.parametrize("tags", ["null", "{}"])
def test_no_tags_need_no_words(tags: str) -> None:
    found = read_shown(parse(shown().replace('"tags": null', f'"tags": {tags}'), "x.json"), Gaps())
    assert found.pipelines[0].notes == ()


def test_a_state_file_itself_is_refused() -> None:
    with pytest.raises(DocumentError, match="give what `terraform show -json` prints"):
        read_shown(parse('{"lineage": "x", "resources": []}', "x.json"), Gaps())
