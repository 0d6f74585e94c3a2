"""The reader of AppSpecs: what real ones say, and what is refused with its line."""

from pathlib import Path, PurePosixPath

import pytest

from pipelinekit.tools.deployments.revision import (
    AppSpec,
    FileExistsBehavior,
    FileMapping,
    FileType,
    Permission,
    Script,
)
from pipelinekit.tools.documents.document import DocumentError, parse
from pipelinekit.tools.documents.document import read as read_document
from pipelinekit.wire import appspec

CORPUS = Path(__file__).parents[2] / ".." / "shared" / "corpus" / "appspec"
FILES = sorted(CORPUS.glob("*.y*ml"))
SERVER = "only the Server platform"
REFUSED = {
    "AwaleRohin__cicdtest__appspec.yaml": (3, SERVER),
    "BilalKhawaja-dev__tic_tac_toe__appspec.yml": (5, SERVER),
    "Jasee-1234__shopeasy-repo__services_order_appspec.yaml": (3, SERVER),
    "Jasee-1234__shopeasy-repo__services_product_appspec.yaml": (3, SERVER),
    "SunDevs__ReactPipeline__codedeploy_appspec.yml": (2, "Windows"),
    "awsdocs__aws-codedeploy-user-guide__doc_source_reference-appspec-file-structure-hooks.md"
    ".block10.yml": (1, "no key version"),
    "awsdocs__aws-codedeploy-user-guide__doc_source_reference-appspec-file-structure-hooks.md"
    ".block3.yml": (2, SERVER),
    "awsdocs__aws-codedeploy-user-guide__doc_source_reference-appspec-file-structure-hooks.md"
    ".block6.yml": (1, "no key version"),
    "awsdocs__aws-codedeploy-user-guide__doc_source_reference-appspec-file-structure.md"
    ".block0.yml": (3, SERVER),
    "awsdocs__aws-codedeploy-user-guide__doc_source_reference-appspec-file-structure.md"
    ".block1.yml": (3, SERVER),
    "awsdocs__aws-codedeploy-user-guide__doc_source_reference-appspec-file-structure.md"
    ".block2.yml": (2, "`os: linux` is expected"),
    "khaoula-mechria__Pipeline-CI-CD-complet-avec-CodePipeline-ECS-Fargate__task-manager_"
    "appspec.yaml": (3, SERVER),
    "ramanjulreddykotlo__aws-devops-project__python-app_appspec.yml": (5, "not a URL"),
}
WHOLE = """\
version: 0.0
os: linux
files:
  - source: /
    destination: //srv/shop/
  - source: ./conf/shop.ini
    destination: /etc/shop
file_exists_behavior: RETAIN
permissions:
  - object: /srv/shop
    pattern: "*.sh"
    except: [start.sh, stop.sh]
    owner: ada
    group: 1000
    mode: 0750
    type:
      - file
    acls: ["u:ada:rw"]
    context:
      user: unconfined_u
      type: httpd_sys_content_t
      range: s0
  - object: /
hooks:
  ApplicationStop:
    - location: scripts/stop.sh
      timeout: "30"
      runas: ada
  BeforeInstall:
  AfterInstall:
    - location: /scripts/one
    - location: scripts/two
      arguments: [x]
  AfterAllowTraffic:
    - location: scripts/tell.sh
tags: [a]
"""


def read(text: str) -> AppSpec:
    return appspec.read(parse(text, "appspec.yml"))


def test_every_entry_of_an_appspec_is_read() -> None:
    found = read(WHOLE)
    assert found.files == (
        FileMapping(PurePosixPath(), PurePosixPath("/srv/shop")),
        FileMapping(PurePosixPath("conf/shop.ini"), PurePosixPath("/etc/shop")),
    )
    assert found.file_exists_behavior is FileExistsBehavior.RETAIN
    assert found.permissions == (
        Permission(
            object=PurePosixPath("/srv/shop"),
            pattern="*.sh",
            exceptions=("start.sh", "stop.sh"),
            types=frozenset({FileType.FILE}),
            owner="ada",
            group="1000",
            mode=0o750,
            acls=("u:ada:rw",),
            context={"user": "unconfined_u", "type": "httpd_sys_content_t", "range": "s0"},
            line=10,
        ),
        Permission(object=PurePosixPath("/"), line=23),
    )
    assert found.hooks == {
        "ApplicationStop": (Script(PurePosixPath("scripts/stop.sh"), 30, "ada", line=26),),
        "BeforeInstall": (),
        "AfterInstall": (
            Script(PurePosixPath("scripts/one"), line=31),
            Script(PurePosixPath("scripts/two"), line=32),
        ),
        "AfterAllowTraffic": (Script(PurePosixPath("scripts/tell.sh"), line=35),),
    }


def test_keys_that_codedeploy_passes_over_are_told_with_their_line() -> None:
    assert read(WHOLE).ignored == (
        "appspec.yml, line 36: tags is no key of CodeDeploy and does nothing",
        (
            "appspec.yml, line 33: hooks.AfterInstall[1].arguments is no key of CodeDeploy "
            "and does nothing"
        ),
    )


def test_the_smallest_appspec_has_the_defaults_of_codedeploy() -> None:
    found = read("version: 0.0\nos: linux\nfiles:\nhooks:\n")
    assert found == AppSpec()
    assert found.file_exists_behavior is FileExistsBehavior.DISALLOW
    assert Script(PurePosixPath("x")).timeout_seconds == 3600


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("version: 0.2\nos: linux\n", 1, "`version: 0.0` is expected"),
        ("version: '0.0'\nos: linux\n", 1, "without quotes"),
        ("version: 0.0\n", 1, "no key os"),
        ("version: 0.0\nos: windows\n", 2, "Windows hosts do not run here"),
        ("version: 0.0\nResources: []\n", 2, SERVER),
        ("version: 0.0\nhooks:\n- BeforeAllowTraffic: f\n", 3, SERVER),
        ("- a\n", 1, "a mapping"),
        ("{files}\n    destination: /x\n", 5, "no key source"),
        ("{files}\n    source: ../x\n    destination: /x\n", 5, "without `..`"),
        ("{files}\n    source: x\n    destination: /x/../../y\n", 6, "without `..`"),
        ("{files}\n    source: x\n    destination: srv/x\n", 6, "an absolute path"),
        ('{files}\n    source: "x\\0"\n    destination: /x\n', 5, "a path is expected"),
        ("{files}\n    source: s3://b/x\n    destination: /x\n", 5, "not a URL"),
        ("{head}file_exists_behavior: KEEP\n", 3, "one of DISALLOW, OVERWRITE, RETAIN"),
        ("{head}permissions:\n  - object: /x\n    mode: rwx\n", 5, "octal digits"),
        ("{head}permissions:\n  - object: /x\n    mode: 689\n", 5, "octal digits"),
        ("{head}permissions:\n  - object: /x\n    type: [link]\n", 5, "one of file, directory"),
        ("{head}hooks:\n  Install:\n    - location: x\n", 5, "runs no scripts there"),
        ("{head}hooks:\n  AfterInstal:\n    - location: x\n", 4, "unknown key AfterInstal"),
        ("{hook}\n      timeout: 1\n", 6, "no key location"),
        ("{hook}\n      location: ../../x\n", 6, "without `..`"),
        ("{hook}\n      location: x\n      timeout: 0\n", 7, "1 or more"),
        ("{hook}\n      location: x\n      timeout: 1.5\n", 7, "a whole number of seconds"),
    ],
)
def test_what_may_not_stand_there_is_refused_with_its_line(
    text: str, line: int, words: str
) -> None:
    head = "version: 0.0\nos: linux\n"
    text = (
        text.replace("{head}", head)
        .replace("{files}", f"{head}files:\n  -")
        .replace("{hook}", f"{head}hooks:\n  AfterInstall:\n    -")
    )
    with pytest.raises(DocumentError) as refused:
        read(text)
    assert (refused.value.line, words in str(refused.value)) == (line, True), refused.value


@pytest.mark.corpus
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name[:60])
def test_a_real_appspec_is_read_or_refused_for_a_good_reason(path: Path) -> None:
    document = read_document(path)
    if path.name not in REFUSED:
        found = appspec.read(document)
        assert found.files or found.hooks
        return
    line, words = REFUSED[path.name]
    with pytest.raises(DocumentError) as refused:
        appspec.read(document)
    assert (refused.value.line, words in str(refused.value)) == (line, True), refused.value
