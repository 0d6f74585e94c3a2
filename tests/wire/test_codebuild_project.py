"""Projects as AWS prints them become settings."""

import json

import pytest

from pipelinekit.model.settings import Compute, Project
from pipelinekit.tools.documents.document import DocumentError, parse
from pipelinekit.wire.codebuild_project import read_projects

PRINTED = {
    "projects": [
        {
            "name": "shop",
            "arn": "arn:aws:codebuild:eu-west-1:111122223333:project/shop",
            "source": {"type": "CODEPIPELINE", "buildspec": "ci/build.yml"},
            "artifacts": {"type": "CODEPIPELINE", "name": "shop"},
            "cache": {"type": "LOCAL", "modes": ["LOCAL_CUSTOM_CACHE"]},
            "environment": {
                "type": "LINUX_CONTAINER",
                "image": "aws/codebuild/standard:7.0",
                "computeType": "BUILD_GENERAL1_SMALL",
                "environmentVariables": [
                    {"name": "MODE", "value": "strict", "type": "PLAINTEXT"},
                    {"name": "PLAIN", "value": "x"},
                    {"name": "KEY", "value": "/shop/key", "type": "PARAMETER_STORE"},
                    {"name": "TOKEN", "value": "shop:token", "type": "SECRETS_MANAGER"},
                ],
                "privilegedMode": False,
            },
            "timeoutInMinutes": 60,
            "queuedTimeoutInMinutes": 480,
            "badge": {"badgeEnabled": False},
            "created": "2024-01-31T10:00:00.000000+01:00",
            "tags": [],
        },
        {"name": "empty", "source": {"buildspec": ""}, "environment": None},
    ],
    "projectsNotFound": [],
}
LISTED = "projects:\n- name: a\n  environment:\n    environmentVariables:\n"


@pytest.mark.parametrize("name", ["codebuild.json", "codebuild.yaml"])
def test_what_aws_prints_is_read(name: str) -> None:
    assert read_projects(parse(json.dumps(PRINTED), name)) == {
        "shop": Project(
            buildspec="ci/build.yml",
            environment={"MODE": "strict", "PLAIN": "x"},
            timeout_minutes=60,
            parameters={"KEY": "/shop/key"},
            secrets={"TOKEN": "shop:token"},
            compute=Compute(image="aws/codebuild/standard:7.0"),
            environment_type="LINUX_CONTAINER",
            rest={
                "source": {"type": "CODEPIPELINE"},
                "artifacts": {"type": "CODEPIPELINE", "name": "shop"},
                "cache": {"type": "LOCAL", "modes": ["LOCAL_CUSTOM_CACHE"]},
                "environment": {"computeType": "BUILD_GENERAL1_SMALL", "privilegedMode": False},
                "queuedTimeoutInMinutes": 480,
            },
        ),
        "empty": Project(),
    }


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("projects: shop", 1, "a list is expected"),
        ("project: []", 1, "no key projects"),
        ("projects:\n- source: {}", 2, "no key name"),
        ("projects:\n- name: a\n- name: a", 3, "project a a second time"),
        ("projects:\n- name: a\n  timeoutInMinutes: long", 3, "a whole number"),
        ("projects:\n- name: a\n  timeoutInMinutes: 0", 3, "1 or more"),
        ("projects:\n- name: a\n  environment:\n    image: 7", 4, "text is expected"),
        (
            f"{LISTED}    - {{name: A, value: b, type: HIDDEN}}",
            5,
            "one of PLAINTEXT, PARAMETER_STORE, SECRETS_MANAGER",
        ),
    ],
)
def test_what_is_of_another_kind_is_refused_with_its_line(
    text: str, line: int, words: str
) -> None:
    with pytest.raises(DocumentError, match=f"line {line}\\b.*{words}"):
        read_projects(parse(text, "codebuild.yaml"))
