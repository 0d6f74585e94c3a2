"""Buildspecs, small ones and real ones of others, become nouns or are refused with a line."""

import re
from pathlib import Path

import pytest

from pipelinekit.model.testreport import ReportFormat
from pipelinekit.tools.documents.document import DocumentError, parse, read
from pipelinekit.wire.buildspec import (
    Artifacts,
    Batch,
    BatchBuild,
    Buildspec,
    Cache,
    CacheAction,
    OnFailure,
    Phase,
    Reaction,
    ReportGroup,
    read_buildspec,
)
from pipelinekit.wire.environment_variables import Variables, read_variables, write_variables

CORPUS = Path(__file__).parents[3] / "shared/corpus/buildspec"

WHOLE = """\
version: 0.2
run-as: builder
env:
  shell: /bin/sh
  variables: {RATIO: 0.10, FLAG: yes, EMPTY: , TEXT: "a: b"}
  parameter-store: {TOKEN: /shop/token}
  secrets-manager: {PASSWORD: "db:password"}
  exported-variables: [VERSION]
  git-credential-helper: yes
proxy: {upload-artifacts: yes, logs: no}
batch: {fast-fail: false, build-list: [{identifier: one}]}
phases:
  post_build:
    on-failure: RETRY-2-.*timeout.*
    commands: make publish
  install:
    runtime-versions: {python: 3.10, nodejs: 20}
    run-as: root
    commands:
      - true
  build:
    on-failure: CONTINUE
    commands:
      - make
      - |
        make test
        make pack
    finally:
      - make clean
reports:
  unit: {files: ['junit.xml'], base-directory: out, discard-paths: yes}
  "arn:aws:codebuild:us-east-1:111122223333:report-group/lines":
    files: cobertura.xml
    file-format: CoberturaXml
artifacts:
  files: ['**/*']
  name: shop-$(date)
  base-directory: dist
  discard-paths: "yes"
  exclude-paths: ['**/*.map']
  enable-symlinks: yes
  s3-prefix: nightly
  secondary-artifacts:
    docs: {files: page.html}
cache:
  key: npm-$(codebuild-hash-files package-lock.json)
  fallback-keys: [npm-, node-]
  action: restore
  paths: ['node_modules/**/*']
"""


def spec(text: str) -> Buildspec:
    return read_buildspec(parse(text, "buildspec.yml"))


def refusal(text: str) -> str:
    with pytest.raises(DocumentError) as caught:
        spec(text)
    return str(caught.value)


def test_every_section_is_read() -> None:
    assert spec(WHOLE) == Buildspec(  # noqa: S604 - `shell` is a key of buildspecs
        version="0.2",
        phases=(
            Phase(
                "install",
                commands=("true",),
                run_as="root",
                runtime_versions={"python": "3.10", "nodejs": "20"},
            ),
            Phase(
                "build",
                commands=("make", "make test\nmake pack\n"),
                last=("make clean",),
                on_failure=Reaction(OnFailure.CONTINUE),
            ),
            Phase(
                "post_build",
                commands=("make publish",),
                on_failure=Reaction(OnFailure.RETRY, ".*timeout.*", 2),
            ),
        ),
        run_as="builder",
        shell="sh",
        variables={"RATIO": "0.10", "FLAG": "yes", "EMPTY": "", "TEXT": "a: b"},
        parameter_store={"TOKEN": "/shop/token"},
        secrets_manager={"PASSWORD": "db:password"},
        exported_variables=("VERSION",),
        artifacts=Artifacts(
            files=("**/*",),
            name="shop-$(date)",
            base_directory="dist",
            discard_paths=True,
            exclude_paths=("**/*.map",),
            enable_symlinks=True,
            s3_prefix="nightly",
        ),
        secondary={"docs": Artifacts(files=("page.html",))},
        reports=(
            ReportGroup("unit", ("junit.xml",), "out", discard_paths=True),
            ReportGroup(
                "arn:aws:codebuild:us-east-1:111122223333:report-group/lines",
                ("cobertura.xml",),
                format=ReportFormat.COBERTURA_XML,
            ),
        ),
        cache=Cache(
            ("node_modules/**/*",),
            "npm-$(codebuild-hash-files package-lock.json)",
            ("npm-", "node-"),
            CacheAction.RESTORE,
        ),
        batch=Batch((BatchBuild("one"),)),
        git_credentials=True,
        notes=("proxy: builds here reach the network as this machine does",),
    )


def test_json_is_a_buildspec_too() -> None:
    text = '{"version": 0.2, "phases": {"build": {"commands": ["make"]}}}'
    assert spec(text).phases == (Phase("build", commands=("make",)),)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("phases: {build: {commands: [make]}}", 1, "no key version"),
        ("version: 0.3\nphases: {}", 1, "version 0.3"),
        ("version: 0.2", 1, "no key phases"),
        ("version: 0.2\nphases:", 2, "at least one phase"),
        ("version: 0.2\nphases:\n  biuld: {commands: [make]}", 3, "the phase biuld"),
        ("version: 0.2\nphases:\n  build:\n    commands:\n", 4, "a list of commands"),
        ("version: 0.2\nphases:\n  build:\n    commands:\n      - echo a: b", 5, "in quotes"),
        ("version: 0.2\nphases:\n  build:\n    commands:\n      -", 5, "a command"),
        ("version: 0.2\nphases:\n  build:\n    commands: [[make]]", 4, "single value"),
        ("version: 0.2\nphases:\n  build: {on-failure: STOP}", 3, "ABORT, CONTINUE or RETRY"),
        ("version: 0.2\nphases:\n  build: {on-failure: RETRY-}", 3, "ABORT, CONTINUE or RETRY"),
        ("version: 0.2\nphases:\n  build: {on-failure: ABORT-x}", 3, "ABORT, CONTINUE or RETRY"),
        ("version: 0.2\nphases:\n  build: {on-failure: RETRY-101}", 3, "up to 100 times"),
        ("version: 0.2\nphases:\n  build: {on-failure: 'RETRY-2-(x'}", 3, "unterminated"),
        ("version: 0.2\nphases:\n  build: [make]", 3, "a mapping"),
        ("version: 0.2\nenv:\n  shell: powershell.exe\nphases: {build: }", 3, "one of bash, sh,"),
        ("version: 0.2\nphases: {build: }\nartifacts: {name: x}", 3, "no key files"),
        ("version: 0.2\nphases: {build: }\nartifacts:\n  files: {a: b}", 4, "a list"),
        ("version: 0.2\nphases: {build: }\nartifacts: {files: a, discard-paths: 3}", 3, "true or"),
        ("version: 0.2\nphases: {build: }\nenv:\n  variables:\n    A: [1]", 5, "single value"),
        ("version: 0.2\nphases: {build: }\nreports:\n  a: {file-format: X}", 4, "no key files"),
        (
            "version: 0.2\nphases: {build: }\nreports:\n  a:\n    files: b\n    file-format: TAP",
            6,
            "CodeBuild reads JUNITXML",
        ),
        ("version: 0.2\nphases: {build: }\ncache:\n  action: both", 4, "one of restore, save"),
        (
            "version: 0.2\nphases: {build: }\ncache:\n  fallback-keys: [a, b, c, d, e, f]",
            4,
            "takes 5",
        ),
    ],
)
def test_a_fault_is_refused_with_its_line(text: str, line: int, words: str) -> None:
    told = refusal(text)
    assert told.startswith(f"buildspec.yml, line {line}: found ")
    assert words in told


def test_version_0_1_has_its_own_words_for_variables() -> None:
    old = "environment_variables: {plaintext: {JAVA_HOME: /opt/java}}\nphases: {build: }\n"
    artifacts = "artifacts: {type: zip, files: app.jar}\n"
    read = spec(f"version: 0.1\n{old}{artifacts}")
    assert (read.variables, read.notes) == ({"JAVA_HOME": "/opt/java"}, ())
    newer = spec(f"version: 0.2\n{old}")
    assert newer.variables == {}
    assert "does not know the key environment_variables" in newer.notes[0]


def test_unknown_keys_are_noted_with_their_line() -> None:
    notes = spec(
        "version: 0.2\nphases:\n  install:\n    runtime-version: {python: 3.9}\n"
        "artifacts:\n  files: a\n  types: zip\n"
        "reports:\n  unit: {files: a, format: x}\ncache:\n  path: [a]\n"
    ).notes
    assert [re.sub(r" and ignores it; .*", "", note) for note in notes] == [
        "buildspec.yml, line 4: CodeBuild does not know the key phases.install.runtime-version",
        "buildspec.yml, line 7: CodeBuild does not know the key artifacts.types",
        "buildspec.yml, line 9: CodeBuild does not know the key reports.unit.format",
        "buildspec.yml, line 11: CodeBuild does not know the key cache.path",
    ]
    assert notes[0].endswith("; write runtime-versions")


@pytest.mark.parametrize(
    ("written", "reaction"),
    [
        ("ABORT", Reaction(OnFailure.ABORT)),
        ("RETRY", Reaction(OnFailure.RETRY, ".*", 3)),
        ("RETRY-0", Reaction(OnFailure.RETRY, ".*", 0)),
        ("RETRY-100", Reaction(OnFailure.RETRY, ".*", 100)),
        ("RETRY-5xx", Reaction(OnFailure.RETRY, "5xx", 3)),
        ("RETRY-2-exit-(1|2)", Reaction(OnFailure.RETRY, "exit-(1|2)", 2)),
    ],
)
def test_the_reaction_to_a_failure_is_read(written: str, reaction: Reaction) -> None:
    phase = f'version: 0.2\nphases: {{build: {{on-failure: "{written}"}}}}'
    assert spec(phase).phases[0].on_failure == reaction


def test_empty_sections_are_as_if_they_were_absent() -> None:
    text = (
        "version: 0.2\nenv:\nphases: {build: {commands: [make]}}\n"
        "artifacts:\ncache:\nreports:\nbatch:\n"
    )
    assert spec(text) == Buildspec("0.2", (Phase("build", commands=("make",)),))


def test_an_output_finds_its_files() -> None:
    both = spec(WHOLE)
    assert both.artifacts_of("dist", 1) == both.artifacts
    assert both.artifacts_of("docs", 2) == both.secondary["docs"]
    assert both.artifacts_of("dist", 2) is None
    text = "version: 0.2\nphases: {build: }\nartifacts: {secondary-artifacts: {docs: {files: a}}}"
    assert spec(text).artifacts_of("docs", 1) == Artifacts(("a",))


REFUSED = {
    "amolmane1939__terraform_env_wise__buildspec-apply-enhanced.yml": (46, "in quotes"),
    "amolmane1939__terraform_env_wise__buildspec-apply.yml": (53, "CodeBuild reads JUNITXML"),
    "amolmane1939__terraform_env_wise__buildspec-plan-enhanced.yml": (44, "in quotes"),
    "Azamcloudspace__Multi-region-DR-deployment__buildspec-test.yml": (179, "CodeBuild reads"),
    "awsdocs__aws-codebuild-user-guide__doc_source_troubleshooting.md.block10.yml": (
        7,
        "a list of commands",
    ),
    "slampenny__bianca-app__packages_frontend_devops_buildspec-playwright.yml": (418, "YAML"),
}


@pytest.mark.corpus
def test_every_real_buildspec_is_read_or_refused_with_its_line() -> None:
    refused = {}
    read_so_far = 0
    for path in sorted(CORPUS.iterdir()):
        try:
            assert read_buildspec(read(path)).phases
            read_so_far += 1
        except DocumentError as error:
            refused[path.name] = (error.line, str(error))
    assert read_so_far == 122
    assert {name: line for name, (line, _) in refused.items()} == {
        name: line for name, (line, _) in REFUSED.items()
    }
    assert all(REFUSED[name][1] in told for name, (_, told) in refused.items())


def test_variables_are_written_and_read_back() -> None:
    hostile = {"A": 'x"},{"name":"B', "C": "line\nline", "D": ""}
    assert read_variables(write_variables(hostile)) == Variables(hostile)


def test_variables_tell_where_their_values_come_from() -> None:
    text = (
        '[{"name": "A", "value": "1"}, {"name": "B", "value": "/b", "type": "PARAMETER_STORE"}, '
        '{"name": "C", "value": "c:key", "type": "SECRETS_MANAGER"}]'
    )
    assert read_variables(text) == Variables({"A": "1"}, {"B": "/b"}, {"C": "c:key"})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[{"name": "A" "value": "1"}]', "column 15"),
        ('{"A": "1"}', "a list is expected"),
        ('[{"name": "A"}]', "no key value"),
        ('[{"value": "A"}]', "no key name"),
        ('[{"name": "A", "value": 1}]', "text is expected"),
        ('[{"name": "A", "value": "1", "kind": "x"}]', "unknown key kind"),
        ('[{"name": "A", "value": "1", "type": "SECRET"}]', "one of PLAINTEXT"),
        ('[{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]', "A a second time"),
    ],
)
def test_variables_are_refused_with_what_is_wrong(text: str, words: str) -> None:
    with pytest.raises(DocumentError, match=f"EnvironmentVariables.*{re.escape(words)}"):
        read_variables(text)
