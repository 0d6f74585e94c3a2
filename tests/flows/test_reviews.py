"""Reviews through the public face: who may approve, how many must, what they fill in."""

from pathlib import Path

import pytest

import pipelinekit as pk
from pipelinekit.kit.ability import obstacle
from pipelinekit.model.errors import NotEntitled
from tests.flows.ledger import WAIT
from tests.tools.git_repositories import commit_file, git


@pk.action("Deploy", "ReviewScale")
def scale(job: pk.Job, size: int) -> pk.Outcome:
    """Say how large it is to be."""
    job.say(f"scaled to {size}")
    return pk.Succeeded({"Size": str(size)})


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Make a repository whose one commit is by Ada Ünal, ada@example.org."""
    folder = tmp_path / "shop"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch=main")
    commit_file(folder, "VERSION", "1")
    return folder


def answered(home: Path, run: str, by: str, **inputs: str) -> None:
    """Approve as somebody."""
    with pk.Kit(home, settings=pk.Settings(), work=False, by=by) as kit:
        kit.run(run).approve("fine", inputs=inputs)


@pytest.mark.parametrize(("name", "fits"), [("how-many", True), ("how many", False), ("", False)])
def test_what_is_filled_in_has_a_name_that_an_output_variable_may_have(
    name: str, *, fits: bool
) -> None:
    found = obstacle(pk.review("gate", inputs={name: {}}), pk.Settings())
    assert found is None if fits else repr(name) in (found or "")


@pytest.mark.slow
def test_two_others_approve_and_what_they_fill_in_reaches_the_next_action(
    tmp_path: Path, repository: Path
) -> None:
    home = tmp_path / "home"
    gate = pk.review(
        "gate",
        required=2,
        no_self_approval=True,
        comment_required=True,
        inputs={"size": {"type": "number"}},
    )
    shop = (
        pk.Pipeline("shop")
        >> pk.Stage("Source", pk.git("app", str(repository)))
        >> pk.Stage("Live", gate >> scale("scale", size=gate["size"]))  # type: ignore[arg-type]
    )
    with pk.Kit(home, settings=pk.Settings(folder=str(tmp_path)), by="ann") as kit:
        run = kit.start(shop).wait("approval", WAIT)
        for person, why in (
            ("ann", "has started the execution"),
            ("ada@example.org", "is the author of the revision"),
            ("Ada Ünal", "is the author of the revision"),
        ):
            with pytest.raises(NotEntitled, match=why):
                answered(home, run.id, person, size="3")
        with pytest.raises(NotEntitled, match="no number"):
            answered(home, run.id, "bob", size="three")
        answered(home, run.id, "bob", size="3")
        with pytest.raises(NotEntitled, match="already"):
            answered(home, run.id, "BOB", size="3")
        assert [row.action for row in run.waiting] == ["gate"]
        answered(home, run.id, "eve", size="4")
        run.wait(timeout=WAIT).raise_for_status()
        votes = next(row.votes for row in run.actions if row.action == "gate")
        assert [(vote.by, bool(vote.refused)) for vote in votes] == [
            ("ann", True),
            ("ada@example.org", True),
            ("Ada Ünal", True),
            ("bob", True),
            ("bob", False),
            ("BOB", True),
            ("eve", False),
        ]
        assert "scaled to 4" in run.logs("scale")
