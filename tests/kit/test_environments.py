"""The environments of a project: how they are described, and in which order they come."""

from pathlib import Path

import pytest

from pipelinekit.kit.environments import (
    EnvironmentNotFound,
    Environments,
    environments,
    find_environments,
)
from pipelinekit.kit.files import UnreadableFile
from pipelinekit.kit.settings_file import load_settings
from pipelinekit.model.environment import Environment, Freeze
from pipelinekit.model.errors import ValidationError
from pipelinekit.model.settings import Aws

FULL = """\
dev:
  parameters: {rows: 2}
eu:
  after: [dev]
us:
  after: [dev]
production:
  after: [eu, us]
  parameters: {rows: 3, word: x}
  account: {profile: live, region: eu-central-1, endpoint: "http://127.0.0.1:5000"}
  approvers: [ann, bob]
  approvals: 2
  protected: true
  time_zone: Europe/Berlin
  freezes:
    - {from: 2026-12-20, to: 2027-01-05, reason: Christmas}
    - {weekly: FRI 16:00 - MON 07:00}
"""


def read(folder: Path, text: str) -> Environments:
    file = folder / "environments.yaml"
    file.write_text(text, encoding="utf-8")
    return environments(file)


def names(known: Environments, *wanted: str) -> list[list[str]]:
    return [[each.name for each in wave] for wave in known.waves(wanted)]


def test_an_environment_is_read_with_all_that_it_says(tmp_path: Path) -> None:
    known = read(tmp_path, FULL)
    assert known["production"] == Environment(
        "production",
        {"rows": 3, "word": "x"},
        after=("eu", "us"),
        account=Aws("live", "eu-central-1", "http://127.0.0.1:5000"),
        approvers=("ann", "bob"),
        approvals=2,
        protected=True,
        freezes=(
            Freeze("2026-12-20", "2027-01-05", "", "Christmas"),
            Freeze(weekly="FRI 16:00 - MON 07:00"),
        ),
        zone="Europe/Berlin",
    )
    assert known["dev"] == Environment("dev", {"rows": 2})


def test_an_environment_comes_after_the_one_before_it_unless_it_says_otherwise(
    tmp_path: Path,
) -> None:
    assert names(read(tmp_path, "a: {}\nb: {}\nc: {}\n")) == [["a"], ["b"], ["c"]]
    assert names(read(tmp_path, "a: {}\nb: {after: []}\nc: {}\n")) == [["a", "b"], ["c"]]
    assert names(read(tmp_path, FULL)) == [["dev"], ["eu", "us"], ["production"]]


def test_some_environments_keep_the_order_that_all_have(tmp_path: Path) -> None:
    known = read(tmp_path, FULL)
    assert names(known, "production", "dev") == [["dev"], ["production"]]
    assert names(known, "us", "eu") == [["eu", "us"]]


def test_an_unknown_environment_is_refused_with_those_that_exist(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentNotFound, match=r"'live' was asked for.* are dev, eu, us, prod"):
        names(read(tmp_path, FULL), "live")


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("staging:\n  parameters: {}\n  color: red\n", 3, "color"),
        ("staging:\n  parameters:\n  - rows\n", 3, "mapping"),
        ("a b: {}\n", 1, "letters"),
        ("../up: {}\n", 1, "letters"),
        ("- staging\n", 1, "mapping"),
        ("a: {}\nb:\n  after: [c]\n", 3, "unknown 'c'; name one of a, b"),
        ("a:\n  after: [b]\nb:\n  after: [a]\n", 2, "a circle: a after b after a"),
        ("a:\n  after: [a]\n", 2, "a circle: a after a"),
        ("a:\n  time_zone: Mars\n", 2, "'Mars' is no time zone"),
        ("a:\n  time_zone: Mars\n  freezes: [{weekly: SUN}]\n", 2, "'Mars' is no time zone"),
        ("a:\n  freezes:\n  - {weekly: SONNTAG}\n", 3, "SONNTAG"),
        ("a:\n  freezes:\n  - {weekly: SUN, from: 2026-12-01}\n", 3, "or `weekly`"),
        ("a:\n  freezes:\n  - {reason: no}\n", 3, "text is expected"),
        ("a:\n  approvers: [ann]\n  approvals: 2\n", 3, "write at most 1, or name more approvers"),
        ("a:\n  protected: maybe\n", 2, "true or false"),
    ],
)
def test_a_fault_is_told_with_its_line(tmp_path: Path, text: str, line: int, words: str) -> None:
    with pytest.raises(UnreadableFile, match=words) as raised:
        read(tmp_path, text)
    assert raised.value.line == line


def test_no_environment_at_all_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="describes none; add one"):
        read(tmp_path, "{}\n")
    with pytest.raises(ValidationError, match=r"neither environments\.yaml nor a table"):
        find_environments(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("name", "table"),
    [("pyproject.toml", "tool.pipelinekit.environments"), ("pipelinekit.toml", "environments")],
)
def test_they_may_stand_in_the_settings(tmp_path: Path, name: str, table: str) -> None:
    (tmp_path / name).write_text(
        f"[{table}.dev]\n[{table}.live]\napprovers = ['ann']\n"
        f"freezes = [{{ from = '2026-12-20', to = '2027-01-05' }}]\n",
        encoding="utf-8",
    )
    known = find_environments(tmp_path)
    assert names(known) == [["dev"], ["live"]]
    assert known["live"].approvers == ("ann",)
    load_settings(tmp_path)  # which has nothing against them


def test_they_may_not_stand_at_two_places(tmp_path: Path) -> None:
    (tmp_path / "pipelinekit.toml").write_text("[environments.dev]\n", encoding="utf-8")
    (tmp_path / "environments.yaml").write_text("dev: {}\n", encoding="utf-8")
    with pytest.raises(ValidationError, match=r"both .* describe some; keep one"):
        find_environments(tmp_path)


def test_the_first_folder_that_has_some_counts(tmp_path: Path) -> None:
    (tmp_path / "environments.yaml").write_text("dev: {}\n", encoding="utf-8")
    assert list(find_environments(tmp_path / "none", tmp_path)) == ["dev"]
