"""Control groups: where one may be made in both versions, and what is read of it."""

import subprocess
from pathlib import Path

import pytest

from pipelinekit.tools.jobs.cgroup import Limits, _parents, make_group, number_of

FIRST = """\
35 31 0:32 / {root}/memory rw,relatime - cgroup cgroup rw,memory
39 31 0:36 /docker/1 {root}/pids rw,relatime shared:7 - cgroup cgroup rw,pids
41 31 0:38 / {root}/unified rw,relatime - cgroup2 cgroup2 rw
42 31 0:39 / /proc rw - proc proc rw
"""
SECOND = "30 23 0:26 / {root} rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"


def process(folder: Path, groups: str, mounts: str) -> Path:
    """Make what stands in `/proc/self` of a process."""
    mine = folder / "self"
    mine.mkdir()
    (mine / "cgroup").write_text(groups, encoding="utf-8")
    (mine / "mountinfo").write_text(mounts.format(root=folder), encoding="utf-8")
    return mine


def test_in_version_1_each_controller_has_a_tree_of_its_own(tmp_path: Path) -> None:
    for name in ("memory/session/a", "pids/b", "unified"):
        (tmp_path / name).mkdir(parents=True)
    mine = process(tmp_path, "4:memory:/session/a\n8:pids:/docker/1/b\n0::/\n", FIRST)
    both = frozenset({"memory", "pids"})
    assert list(_parents(both, mine)) == [
        {"memory": tmp_path / "memory/session/a", "pids": tmp_path / "pids/b"}
    ]


def test_in_version_2_the_nearest_group_that_hands_on_both_controllers_is_taken(
    tmp_path: Path,
) -> None:
    (tmp_path / "user/app/mine").mkdir(parents=True)
    for name, handed in ((".", "cpu memory pids"), ("user", "memory pids"), ("user/app", "pids")):
        (tmp_path / name / "cgroup.subtree_control").write_text(handed, encoding="utf-8")
    mine = process(tmp_path, "0::/user/app/mine\n", SECOND)
    both = frozenset({"memory", "pids"})
    nearest, farther = _parents(both, mine)
    assert nearest == dict.fromkeys(both, tmp_path / "user")
    assert farther == dict.fromkeys(both, tmp_path)
    assert next(_parents(frozenset({"pids"}), mine)) == {"pids": tmp_path / "user/app"}


def test_without_control_groups_there_is_no_place(tmp_path: Path) -> None:
    assert list(_parents(frozenset({"memory"}), tmp_path / "nothing")) == []


def test_a_number_is_read_from_lines_of_names_and_numbers() -> None:
    events = "low 0\noom 4\noom_kill 3\n"
    assert number_of(events, "oom_kill") == 3
    assert number_of(events, "max") == 0
    assert number_of("", "max") == 0


@pytest.mark.root
def test_what_a_dead_process_left_is_removed_and_a_group_is_gone_after_its_use() -> None:
    group = make_group(Limits(memory_mb=64, processes=8))
    if group is None:
        pytest.skip("this root cannot make control groups")
    left_over = [folder.with_name("pipelinekit-4194305-1") for folder in group.folders.values()]
    for folder in left_over:
        folder.mkdir()
    second = make_group(Limits(memory_mb=64, processes=8))
    assert second is not None
    assert not any(folder.exists() for folder in left_over)
    assert all(folder.exists() for folder in group.folders.values())
    subprocess.run([*second.joining(), "sh", "-c", "sleep 0.05 & sleep 0.05 & wait"], check=True)
    assert (second.killed(), second.refused()) == (0, 0)
    for each in (group, second):
        each.remove()
        assert each.removed
