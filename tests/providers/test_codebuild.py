"""CodeBuild actions: where their buildspec and sources are, and how they are written down."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from pipelinekit.model.action import Category
from pipelinekit.model.order import FailureType
from pipelinekit.model.settings import Compute, Project, Settings, Where
from pipelinekit.providers.codebuild import codebuild, codebuild_test
from tests.builds.sites import ID, Site, phases


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_a_missing_buildspec_says_where_it_was_looked_for(site: Site) -> None:
    site.source({"Makefile": "", "ci/build.yml": ""})
    failed = site.build().failed
    assert failed.code == FailureType.CONFIGURATION_ERROR
    assert failed.message.startswith(
        "YAML_FILE_ERROR: the buildspec buildspec.yml of project shop"
    )
    assert "which holds Makefile, ci/; " in failed.message
    assert "[codebuild.shop]" in failed.message


@pytest.mark.parametrize("outside", ["../other/buildspec.yml", "/etc/passwd", "link"])
def test_a_buildspec_outside_of_the_source_is_not_read(site: Site, outside: str) -> None:
    site.source({"a": ""})
    (site.folder / "sources/app/link").symlink_to("/etc/passwd")
    assert "outside of the source" in site.build(override=outside).failed.message


def test_an_invalid_buildspec_is_refused_with_its_line(site: Site) -> None:
    failed = site.build("version: 0.2\nphases:\n  biuld: {commands: [make]}\n").failed
    assert failed.code == FailureType.CONFIGURATION_ERROR
    assert "buildspec.yml, line 3: found the phase biuld; a phase is one of" in failed.message


def test_a_buildspec_without_commands_is_no_success(site: Site) -> None:
    assert "nothing would be built" in site.build("version: 0.2\nphases: {build: }").failed.message


@pytest.mark.parametrize("where", ["settings", "action"])
@pytest.mark.parametrize("inline", [False, True])
def test_the_buildspec_may_be_elsewhere(site: Site, where: str, *, inline: bool) -> None:
    text = "version: 0.2\nphases: {build: {commands: [touch reached]}}\n"
    site.source({"buildspec.yml": phases(build=["false"]), "ci/build.yml": text})
    given = text if inline else "ci/build.yml"
    if where == "settings":
        site.settings = Settings(projects={"shop": Project(buildspec=given)})
        built = site.build()
    else:
        site.settings = Settings(projects={"shop": Project(buildspec="missing.yml")})
        built = site.build(override=given)
    assert built.succeeded.summary
    assert built.text("reached") == ""


def test_several_inputs_lie_in_folders_of_their_own(site: Site) -> None:
    show = 'cat "$CODEBUILD_SRC_DIR/name" "$CODEBUILD_SRC_DIR_tool_s/name" > out'
    site.source({"name": "app\n", "buildspec.yml": phases(build=[show])})
    site.source({"name": "tools\n"}, "tool-s")
    action = codebuild("build", project="shop", primary="app").reads("tool-s", "app")
    assert site.build(action=action).text("out") == "app\ntools\n"


@pytest.mark.parametrize("primary", [None, "other"])
def test_the_primary_source_must_be_known(site: Site, primary: str | None) -> None:
    site.source({"a": ""})
    site.source({"a": ""}, "tools")
    action = codebuild("build", project="shop", primary=primary).reads("app", "tools")
    failed = site.build(action=action).failed
    assert failed.code == FailureType.CONFIGURATION_ERROR
    assert "inputs are app, tools; set PrimarySource" in failed.message
    check = codebuild.traits.check
    assert check
    assert check(action, Settings()) == failed.message


def test_written_down_in_a_cell_it_has_codebuilds_keys() -> None:
    action = codebuild(
        "build", project="shop", buildspec="ci.yml", env={"A": "1"}, primary="app", batch=False
    )
    assert action.configuration == {
        "ProjectName": "shop",
        "BuildspecOverride": "ci.yml",
        "EnvironmentVariables": '[{"name": "A", "value": "1", "type": "PLAINTEXT"}]',
        "PrimarySource": "app",
        "BatchEnabled": "false",
    }
    assert action["VERSION"] == "#{build.VERSION}"


def test_it_is_a_build_and_a_test_action() -> None:
    assert codebuild.type.id.category is Category.BUILD
    assert codebuild.type.timeout == timedelta(hours=36)
    assert codebuild_test.type.id.category is Category.TEST
    assert codebuild_test.type.timeout == timedelta(hours=8)
    assert codebuild_test("test", project="shop").type == codebuild_test.type.id


def test_a_batch_build_needs_a_batch_in_the_buildspec(site: Site) -> None:
    built = site.build(phases(build=["touch never"]), batch=True)
    assert built.failed.code == FailureType.CONFIGURATION_ERROR
    assert "has no section batch; add one" in built.failed.message


def test_a_batch_build_runs_the_builds_of_its_buildspec(site: Site) -> None:
    spec = json.loads(phases(build=["touch $CODEBUILD_BATCH_BUILD_IDENTIFIER"]))
    spec["batch"] = {"build-list": [{"identifier": "one"}, {"identifier": "two"}]}
    spec["artifacts"] = {"files": ["one", "two"]}
    action = codebuild("build", project="shop", batch=True, combine=True)
    built = site.build(json.dumps(spec), action.reads("app").writes("all"))
    assert built.succeeded.external_id == f"shop:{ID}"
    assert built.files("all") == {"one", "two"}


def test_combining_without_a_batch_is_refused(site: Site) -> None:
    action = codebuild("build", project="shop", combine=True).reads("app")
    failed = site.build(phases(build=["touch never"]), action).failed
    assert "take CombineArtifacts out" in failed.message
    assert codebuild.traits.check
    assert codebuild.traits.check(action, Settings()) == failed.message


def test_the_check_leaves_variables_with_references_to_the_run() -> None:
    check = codebuild.traits.check
    assert check
    fine = codebuild("build", project="shop", env={"A": "#{app.CommitMessage}"}).reads("app")
    assert check(fine, Settings()) is None
    odd = codebuild("build", project="shop", env="[").reads("app")
    assert "EnvironmentVariables, line 1" in (check(odd, Settings()) or "")


def test_a_place_that_cannot_be_had_is_said_before_the_pipeline_starts() -> None:
    limited = Compute(where=Where.HOST, memory_mb=100)
    settings = Settings(projects={"shop": Project(compute=limited)})
    check = codebuild.traits.check
    assert check
    assert "take the limits out" in str(check(codebuild("b", "shop").reads("app"), settings))
    assert check(codebuild("b", "other").reads("app"), settings) is None
