"""What builds give away: artifacts and variables."""

import json
from collections.abc import Mapping

import pytest

from pipelinekit.model.order import FailureType
from pipelinekit.providers.codebuild import codebuild
from tests.builds.sites import ID, Site, artifacts, phases


def test_one_output_takes_the_artifacts_section(site: Site) -> None:
    text = artifacts(
        phases(build=["mkdir -p dist/css; touch dist/a.js dist/css/b.css dist/a.map; cd /"]),
        {"files": ["**/*"], "base-directory": "dist", "exclude-paths": "*.map"},
    )
    action = codebuild("build", project="shop").reads("app").writes("site")
    built = site.build(text, action)
    assert built.succeeded.summary
    assert built.files("site") == {"a.js", "css/b.css"}
    assert "artifact site: 2 files" in built.job.said


def test_several_outputs_take_the_secondary_artifacts_of_their_names(site: Site) -> None:
    section = {
        "files": "a",
        "secondary-artifacts": {
            "one": {"files": ["a", "deep/b"], "discard-paths": "yes"},
            "two": {"files": ["**/*.txt"]},
        },
    }
    text = artifacts(phases(build=["mkdir deep; touch a deep/b x.txt"]), section)
    action = codebuild("build", project="shop").reads("app").writes("one", "two")
    built = site.build(text, action)
    assert built.succeeded.summary
    assert (built.files("one"), built.files("two")) == ({"a", "b"}, {"x.txt"})
    lacking = codebuild("build", project="shop").reads("app").writes("one", "three")
    failed = site.build(text, lacking).failed
    assert "is to write three, but the buildspec has no secondary-artifacts" in failed.message


def test_patterns_know_the_variables_of_the_build(site: Site) -> None:
    text = artifacts(
        phases(build=["export TARGET=out; mkdir out; touch out/app-1.2.jar; VERSION=1.2"]),
        {"files": "app-${VERSION}.jar", "base-directory": "$CODEBUILD_SRC_DIR/$TARGET"},
    )
    action = codebuild("build", project="shop").reads("app").writes("jar")
    assert site.build(text, action).files("jar") == {"app-1.2.jar"}


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ({"files": ["*.jar", "x/**/*"]}, "matches *.jar, x/**/* in the base directory ."),
        ({"files": "*", "base-directory": "dist"}, "base directory dist"),
        ({"files": "../x"}, "leads out of the source"),
        ({"files": "/etc/passwd"}, "outside of the source"),
        ({"files": "**/made", "discard-paths": "yes"}, "two files would both become made"),
    ],
)
def test_an_output_that_cannot_be_made_of_what_was_built_fails(
    site: Site, section: Mapping[str, object], words: str
) -> None:
    text = phases(build=["mkdir deep; touch made deep/made"])
    action = codebuild("build", project="shop").reads("app").writes("site")
    built = site.build(artifacts(text, section), action)
    assert words in built.failed.message
    assert built.failed.code == FailureType.JOB_FAILED
    assert built.job.written == {}


def test_an_output_of_which_the_buildspec_says_nothing_is_refused(site: Site) -> None:
    action = codebuild("build", project="shop").reads("app").writes("site")
    built = site.build(phases(build=["touch made"]), action)
    assert "has no artifacts" in built.failed.message
    assert built.failed.code == FailureType.CONFIGURATION_ERROR


def test_a_failed_build_publishes_nothing(site: Site) -> None:
    text = artifacts(phases(build=["touch made; false"]), {"files": "**/*"})
    action = codebuild("build", project="shop").reads("app").writes("site")
    built = site.build(text, action)
    assert built.failed.message
    assert built.job.written == {}


def test_exported_variables_are_those_of_the_end(site: Site) -> None:
    text = phases(
        install=["VERSION=0"], build=["export NOTE='a \"b\"\nc'"], post_build=["VERSION=2"]
    )
    exported = {
        "exported-variables": ["VERSION", "NOTE", "UNSET", "AWS_REGION", "CODEBUILD_BUILD_ID"]
    }
    built = site.build(json.dumps({**json.loads(text), "env": exported}))
    assert built.succeeded.variables == {
        "VERSION": "2",
        "NOTE": 'a "b"\nc',
        "CODEBUILD_BUILD_ID": f"shop:{ID}",
    }
    assert "UNSET is not exported: no command has set it" in built.job.said


def test_a_name_is_worked_out_in_the_shell_of_the_build(site: Site) -> None:
    name = "a \"b\" 'c' $VERSION-$(printf '%s' \"$CODEBUILD_BUILD_NUMBER\")"
    text = artifacts(phases(build=["touch x; VERSION=2"]), {"files": "x", "name": name})
    action = codebuild("build", project="shop").reads("app").writes("site")
    built = site.build(text, action)
    assert built.succeeded.summary.endswith("; site is called a \"b\" 'c' 2-1")
    assert "artifact site: 1 files, called a \"b\" 'c' 2-1 by the buildspec" in built.job.said


@pytest.mark.parametrize(
    ("name", "told"), [("$(if", "ended with "), ("$NOTHING", "comes out empty")]
)
def test_a_name_that_cannot_be_worked_out_fails_nothing(site: Site, name: str, told: str) -> None:
    text = artifacts(phases(build=["touch x"]), {"files": "x", "name": name})
    action = codebuild("build", project="shop").reads("app").writes("site")
    built = site.build(text, action)
    assert built.files("site") == {"x"}
    assert "is called" not in built.succeeded.summary
    assert any(
        said.startswith(f"artifact site: its name {name} {told}") for said in built.job.said
    )


@pytest.mark.parametrize("keep", ["yes", "no"])
def test_links_stay_links_where_the_buildspec_says_so(site: Site, keep: str) -> None:
    text = artifacts(
        phases(build=["echo a > a; ln -s a b"]), {"files": "**/*", "enable-symlinks": keep}
    )
    action = codebuild("build", project="shop").reads("app").writes("site")
    link = site.build(text, action).job.written["site"] / "b"
    assert link.is_symlink() == (keep == "yes")
    assert link.read_text(encoding="utf-8") == "a\n"


def test_a_base_directory_may_have_a_star(site: Site) -> None:
    text = artifacts(
        phases(build=["mkdir dist-1 dist-2; touch dist-1/a dist-2/b"]),
        {"files": "**/*", "base-directory": "dist-*"},
    )
    action = codebuild("build", project="shop").reads("app").writes("site")
    assert site.build(text, action).files("site") == {"a", "b"}


def test_what_the_tests_came_to_is_told_of_a_failed_build_too(site: Site) -> None:
    told = '<testsuite><testcase name="a" time="1"/><testcase name="b"><failure/></testcase>'
    make = f"echo '{told}</testsuite>' > junit.xml; false"
    text = json.loads(phases(build=[make]))
    text["reports"] = {"unit": {"files": "junit.xml"}}
    (report,) = site.build(json.dumps(text)).failed.reports
    assert (report.group, report.passed, report.failed) == ("unit", 1, 1)


def test_a_cache_is_there_for_the_next_build(site: Site) -> None:
    text = json.loads(
        phases(build=["cat deps/x > seen || true; mkdir -p deps; echo kept > deps/x"])
    )
    text["cache"] = {"paths": ["deps/**/*"]}
    assert site.build(json.dumps(text)).text("seen") == ""
    assert site.build(json.dumps(text)).text("seen") == "kept\n"
