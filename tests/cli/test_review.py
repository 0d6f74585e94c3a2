"""Reviews by several people, conditions and overrides, as a terminal shows them."""

import pytest

from tests.cli.project import ACTIONS, Project, Terminal

pytestmark = pytest.mark.slow

REVIEW = (
    ACTIONS
    + """
ask = pk.review(
    "ok",
    required=2,
    inputs={"size": {"type": "number"}, "color": {"default": "red"}},
    note="Which size?",
)
pipeline = (
    pk.Pipeline("demo")
    >> pk.Stage("Source", take("take"))
    >> pk.Stage("Gate", ask)
)
"""
)

CLOSED = (
    ACTIONS
    + """
never = pk.deployment_window("Never", "0 0 0 1 1 ?")
pipeline = (
    pk.Pipeline("demo")
    >> pk.Stage("Source", take("take"))
    >> pk.Stage("Live", check("put", "go"), before_entry=(pk.Condition((RULE,)),))
)
"""
)


def by(project: Project, name: str, *arguments: str) -> tuple[int, str]:
    done = Project(project.folder, by=name).call(*arguments)
    return done.returncode, done.stdout + done.stderr


def test_a_review_counts_its_votes_and_takes_what_is_filled_in(project: Project) -> None:
    held = project.call("run", project.write("demo.py", REVIEW))
    assert held.returncode == 3
    assert "to be filled in: size (number)" in held.stdout
    assert "--input size=..." in held.stdout
    code, refused = by(project, "ann", "approve")
    assert (code, "it asks for a value of size" in refused) == (2, True)
    _, said = by(project, "ann", "approve", "--input", "size=3")
    assert "1 of 2: ann" in said
    _, again = by(project, "ann", "approve", "--input", "size=3")
    assert "ann has approved it already" in again
    _, ended = by(project, "ben", "approve", "--input", "size=4", "--input", "color=blue")
    assert "2 of 2: ann, ben" in ended
    action = project.answer("status", "demo")["stages"][1]["actions"][0]
    assert [vote["by"] for vote in action["votes"] if not vote["refused"]] == ["ann", "ben"]
    kept = project.answer("history", "--votes")
    assert [(row["by"], bool(row["refused"])) for row in kept if row["vote"] == "Approved"] == [
        ("ann", True),
        ("ann", False),
        ("ann", True),
        ("ben", False),
    ]
    assert "asks for a value of size" in project.call("history", "--votes").stdout


def test_saying_yes_to_a_review_of_two_counts_once_and_leaves(project: Project) -> None:
    file = project.write("demo.py", REVIEW.replace('"size": {"type": "number"}, ', ""))
    done = project.call("run", file, "--yes")
    assert done.returncode == 3
    assert "1 of 2: " in done.stdout
    assert "approved it already" not in done.stderr


def test_a_review_that_yes_cannot_answer_says_so_once(project: Project) -> None:
    done = project.call("run", project.write("demo.py", REVIEW), "--yes")
    assert done.returncode == 3
    assert done.stderr.count("it asks for a value of size") == 1


def test_values_are_asked_for_at_the_gate(project: Project) -> None:
    project.write("demo.py", REVIEW.replace("required=2", "required=1"))
    terminal = Terminal(project, "run", "demo.py")
    terminal.read_until("a comment may follow the word")
    terminal.type("approve looks good")
    terminal.read_until("size (number)")
    terminal.type("7")
    terminal.read_until("color (string, red unless it is given)")
    terminal.type("")
    code, shown = terminal.end()
    assert code == 0, shown
    assert "looks good" in shown


def closed(rule: str) -> str:
    return CLOSED.replace("RULE", rule)


def test_a_window_says_when_it_opens_and_an_override_goes_on(project: Project) -> None:
    project.write("go", "")
    late = project.call("run", project.write("demo.py", closed("never")), "--timeout", "2")
    assert late.returncode == 124, late.stdout + late.stderr
    assert "● In progress: Live/entry: Never  the window opens at" in late.stdout
    shown = project.call("override", "demo", "--condition", "before_entry")
    assert shown.returncode == 0, shown.stderr
    assert "Overridden by" in shown.stdout
    assert project.call("watch").returncode == 0
    (condition,) = project.answer("status", "demo")["stages"][1]["conditions"]
    assert condition["status"] == "Overridden"
    assert [rule["status"] for rule in condition["rules"]] == ["Abandoned"]


def test_what_was_never_checked_is_not_overridden(project: Project) -> None:
    project.write("go", "")
    rule = 'pk.variable_check("Yes", "a", "a", "EQ")'
    assert project.call("run", project.write("demo.py", closed(rule))).returncode == 0
    shown = project.call("status", "demo").stdout
    assert "✓ entry: Yes" in shown
    refused = project.call("override", "demo", "--stage", "Source")
    assert (refused.returncode, "never checked" in refused.stderr) == (2, True)
