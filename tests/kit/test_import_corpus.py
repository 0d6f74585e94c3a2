"""Every real definition is imported, or refused for a fault that it has; the table says which."""

import json
from pathlib import Path

import pytest
from msgspec.structs import replace

import pipelinekit as pk
from pipelinekit.kit.importing import import_file
from pipelinekit.model.errors import PipelineKitError
from pipelinekit.tools.documents.document import parse
from pipelinekit.wire import codepipeline
from pipelinekit.wire.templates.terraform_writer import NotInTerraform

CORPUS = Path(__file__).parents[2] / ".." / "shared" / "corpus"
KINDS = {"cfn": 91, "terraform": 36, "codepipeline_json": 30}
pytestmark = [pytest.mark.corpus, pytest.mark.slow]

FARGATE = "cfn/aws-samples__startup-kit-templates__templates_fargate"
DOCS = "cfn/awsdocs__aws-codepipeline-user-guide__doc_source_update-change-detection.md"
CODEBUILD_DOCS = (
    "codepipeline_json/awsdocs__aws-codebuild-user-guide__doc_source_sample-pipeline-batch.md"
)
WEBHOOK_DOCS = (
    "cfn/awsdocs__aws-cloudformation-user-guide__doc_source_aws-resource-codepipeline-webhook.md"
)

APPLICATION = """[{
    application_name = "shop", application_repo_name = "shop", branchName = "main"
    application_codebuild_env_variables = [], has_deploy_stage = true
    application_cluster_name = "one", application_service_name = "web"
    application_deployment_timeout = 10
}]"""
STAGE = """[{
    name = "validate", category = "Test", owner = "AWS", provider = "CodeBuild"
    input_artifacts = "SourceOutput", output_artifacts = "ValidateOutput"
}]"""
STAGES = """[
    {
        stage_name = "Source", name = "Get", category = "Source", provider = "CodeCommit"
        configuration = { RepositoryName = "shop", BranchName = "main" }
        output_artifacts = ["code"]
    },
    { stage_name = "Ask" },
]"""

TOLD: dict[str, dict[str, str]] = {
    f"{FARGATE}-service.cfn.yml": dict.fromkeys(("GitHubToken", "GitHubUser"), "x"),
    f"{FARGATE}.cfn.yml": dict.fromkeys(("GitHubToken", "GitHubUser"), "x"),
    "cfn/Dozuki__CloudPrem__git_pipeline.yml": {
        "cloudprem-source-action-provider": "Elsewhere",
        "cloudprem-source-action-version": "1",
    },
    "cfn/aws-samples__aws-identitycenter-codepipeline-auto-assignment__templates_codepipeline-"
    "stack.template": {"ConnectionArn": "arn:aws:codeconnections:us-east-1:111122223333:c/1"},
    "terraform/Athena-Tech-Services__terraform-aws-pipeline-maker__codepipeline.tf": {
        "applications_details": APPLICATION
    },
    "terraform/BilalKhawaja-dev__tic_tac_toe__infrastructure_terraform_modules_cicd_main.tf": {
        "services": '["web"]'
    },
    "terraform/Mather-Sophi__aws-cd-codepipeline__codepipeline.tf": {
        "require_manual_approval": "true",
        "deploy_type": "ecs",
    },
    "terraform/PauloBusch__fcg-iac-terraform__codepipeline.tf": {
        "microservices_config": '[{ key = "web", github_user = "me", github_repository = "web" }]'
    },
    "terraform/SPHTech-Platform__terraform-aws-cicd__main.tf": {
        "codepipeline_additional_stage": "[]"
    },
    "terraform/aws-samples__aws-codepipeline-terraform-cicd-samples__modules_codepipeline_"
    "main.tf": {"stages": STAGE},
    "terraform/markangelobarton26__automating-terraform-with-aws-codepipeline__pipeline-"
    "infrastructure_codepipeline.tf": {"enable_manual_approval": "true"},
    "terraform/nexient-llc__tf-aws-module-codepipeline__main.tf": {
        "artifact_stores": "[{}]",
        "stages": STAGES,
        "execution_mode": "QUEUED",
        "pipeline_type": "V2",
    },
}
"""Values of parameters on which the shape of the pipeline itself depends."""

REFUSED: dict[str, str] = {
    # They have no pipeline.
    "cfn/Dozuki__CloudPrem__codepipeline.yml": "found no pipeline",
    "cfn/Dozuki__CloudPrem__codepipeline_packaged.yml": "found no pipeline",
    f"{WEBHOOK_DOCS}.block2.json": "found no pipeline",
    # They are no JSON, no YAML, no Terraform.
    f"{WEBHOOK_DOCS}.block0.json": "line 4: found JSON that cannot be read",
    "cfn/stelligent__sagemaker-pipeline__CodePipeline_pipeline.yaml": "line 107: found a tab",
    "cfn/aws-samples__amazon-eks-refarch-cloudformation__cloudformation_codepipeline.yml": (
        "line 31: found the key Default a second time"
    ),
    "cfn/pahud__ecs-cfn-refarch__cloudformation_codepipeline.yml": (
        "line 26: found the key Default a second time"
    ),
    "terraform/Mamadoubalde__cicd-codepipeline-static-website__codepipeline.tf": (
        "line 16: found a block configuration"
    ),
    "terraform/PolarGeospatialCenter__terraform-aws-inventory__codepipeline.tf": (
        "line 226: found a block configuration"
    ),
    # They are excerpts that refer to what they left out.
    f"{DOCS}.block23.yml": "line 7: found a reference to CodePipelineServiceRole",
    f"{DOCS}.block31.yml": "line 54: found a reference to CodePipelineServiceRole",
    f"{DOCS}.block33.yml": "the pipeline has 1 stage",
    f"{DOCS}.block45.yml": "line 134: found a reference to SourceObjectKey",
    # CodePipeline would refuse the pipeline.
    "cfn/tjohander-splunk__cloudformation__cfn-templates_o11y-demo_codepipeline-observability_"
    "codepipeline-demo-stack.cfn": 'line 52: found the text "ArtifactStoreMap"',
    "cfn/satoshi256kbyte__github-gitlab-codepipeline__cicd_codepipeline.yaml": (
        "InspectorScan, which V1 pipelines cannot use"
    ),
    "cfn/stelligent__cloudformation_templates__labs_opsworks_codepipeline-opsworks.json": (
        "line 558: stages[1].actions[0].configuration.StackId: OpsWorks has no configuration key"
    ),
    "cfn/thephillipsequation__AWS-DynamoDb-ChangeSet__codepipeline.yml": (
        "line 84: stages[0].actions[0].actionTypeId.owner: it is missing"
    ),
    "codepipeline_json/ArBaghel__data-pipeline-cicd-demo__infra_codepipeline.json": (
        "line 73: stages[2].actions[0].actionTypeId.provider"
    ),
    "codepipeline_json/AshishSharma0704__AWS-CICD-Pileline__infra_codepipeline.json": (
        'line 4: roleArn: "arn:aws:iam::__AWS_ACCOUNT_ID__:role'
    ),
    "codepipeline_json/amazon-archives__deploy-manage-microservices-on-ecs-and-fargate__"
    "codepipeline_codepipeline.json": "roleArn",
    f"{CODEBUILD_DOCS}.block0.json": 'line 3: roleArn: "arn:aws:',
    f"{CODEBUILD_DOCS}.block2.json": 'line 3: roleArn: "arn:aws:',
    "codepipeline_json/michaeltutistar__e-learning-platform__codepipeline-config.json": (
        'line 4: roleArn: "arn:aws:iam::ACCOUNT_ID:role'
    ),
    "codepipeline_json/oniono__contacts-mgmt-app-ecs__codepipeline_codepipeline.json": (
        'line 4: roleArn: "<CodePipelineServiceRoleArn>"'
    ),
    "codepipeline_json/ramanjulreddykotlo__aws-devops-project__codepipeline.json": (
        "line 2: artifactStore: neither artifactStore nor artifactStores is given"
    ),
    "codepipeline_json/sarvaratchaganr__Secure-CICD-Pipeline-with-IAM-CloudWatch__pipeline-"
    "definition.json": 'line 4: roleArn: "<CODEP',
}
"""What is wrong with each file that is refused."""


def files() -> list[str]:
    return [f"{kind}/{file.name}" for kind in KINDS for file in sorted((CORPUS / kind).glob("*"))]


def brought(name: str) -> pk.Imported:
    return import_file(CORPUS / name, TOLD.get(name, {}))


def test_all_of_them_are_there_and_every_line_of_the_tables_names_one() -> None:
    found = files()
    if not found:
        pytest.skip("the corpus is not beside the checkout")
    assert {kind: sum(each.startswith(f"{kind}/") for each in found) for kind in KINDS} == KINDS
    assert {*TOLD, *REFUSED} <= set(found)


@pytest.mark.parametrize("name", [each for each in files() if each not in REFUSED])
def test_a_real_definition_is_imported_and_exported_and_comes_back_equal(
    name: str, tmp_path: Path
) -> None:
    found = brought(name)
    told = pk.fidelity(found.pipeline)
    assert [each.place for each in told if each.place.startswith("action")] == [
        f"action {stage.name}/{action.name}"
        for stage in found.pipeline.stages
        for action in stage.actions
    ]
    assert all(each.why for each in told if each.fidelity is not pk.Fidelity.HERE)
    found.save(tmp_path)
    written = codepipeline.parse((tmp_path / "pipeline.json").read_text("utf-8"), "p.json")
    assert written == found.pipeline
    come_back_equal(replace(found.pipeline, version=1), tmp_path)


def come_back_equal(pipeline: pk.Pipeline, folder: Path) -> None:
    (folder / "t.yaml").write_text(pk.export(pipeline, "cloudformation"), encoding="utf-8")
    assert import_file(folder / "t.yaml").pipeline == pipeline
    try:
        text = pk.export(pipeline, "terraform")
    except NotInTerraform:
        assert any(action.commands for stage in pipeline.stages for action in stage.actions)
        return
    (folder / "main.tf").write_text(text, encoding="utf-8")
    assert import_file(folder / "main.tf").pipeline == pipeline


@pytest.mark.parametrize("name", [each for each in files() if each in REFUSED])
def test_a_broken_definition_is_refused_for_its_own_fault(name: str) -> None:
    with pytest.raises(PipelineKitError) as refused:
        brought(name)
    assert REFUSED[name] in str(refused.value)
    assert Path(name).name in str(refused.value)


@pytest.mark.parametrize(
    "name", [f.name for f in sorted((CORPUS / "codepipeline_json").glob("*"))]
)
def test_json_is_read_and_written_equal(name: str) -> None:
    text = (CORPUS / "codepipeline_json" / name).read_text(encoding="utf-8")
    pipeline = codepipeline.read(parse(text, name).data)
    assert codepipeline.read(json.loads(codepipeline.text(pipeline))) == pipeline


def test_the_projects_of_templates_come_along() -> None:
    names = [each for each in files() if each.startswith("cfn/") and each not in REFUSED]
    if not names:
        pytest.skip("the corpus is not beside the checkout")
    found = [brought(name) for name in names]
    projects = [each for one in found for each in one.projects.values()]
    assert len(projects) > 50
    assert sum(bool(each.buildspec) for each in projects) > 30
