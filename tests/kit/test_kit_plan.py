"""A plan knows where each action would run, and leaves everything as it is."""

import dataclasses
import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

import pipelinekit as pk
from pipelinekit.engine.planned import Plan, PlannedRule
from pipelinekit.kit.plan import FORESEEABLE
from pipelinekit.kit.plan_words import limit, place, refusals, verdict
from pipelinekit.kit.registry import discover
from pipelinekit.model.action import ActionTypeId, Category, Owner
from pipelinekit.model.condition import Rule
from pipelinekit.model.errors import PipelineNotFound
from tests.tools.git_repositories import git, new_shop

SETTINGS = pk.Settings(
    projects={
        "plain": pk.Project(compute=pk.Compute(where=pk.Where.HOST)),
        "short": pk.Project(compute=pk.Compute(where=pk.Where.HOST), timeout_minutes=10),
        "image": pk.Project(compute=pk.Compute(where=pk.Where.CONTAINER)),
    }
)


@pk.action("Source", "PlanTake")
def take(job: pk.Job) -> pk.Outcome:
    """Take something. Then nothing."""
    del job
    raise AssertionError("a plan ran an action")


@pytest.fixture
def kit(tmp_path: Path) -> Iterator[pk.Kit]:
    with pk.Kit(tmp_path / "home", settings=SETTINGS, by="ann", work=False) as made:
        yield made


def pipeline(*actions: pk.Action, **members: object) -> pk.Pipeline:
    fetch = take("fetch").writes("code")
    stage = pk.Stage("Live", actions=actions or (pk.approval("ok"),))
    stage = dataclasses.replace(stage, **members) if members else stage  # type: ignore[arg-type]
    return pk.Pipeline("shop") >> pk.Stage("Source", fetch) >> stage


def contents(folder: Path) -> dict[str, str]:
    found = (each for each in sorted(folder.rglob("*")) if each.is_file())
    files = [each for each in found if each.suffix != ".db-shm"]  # where readers of SQLite meet
    return {str(each): hashlib.sha256(each.read_bytes()).hexdigest() for each in files}


def gate(rule: Rule, result: pk.Result = pk.Result.FAIL) -> pk.Pipeline:
    return pipeline(before_entry=(pk.Condition((rule,), result),))


def the_rule(plan: Plan) -> PlannedRule:
    return plan.stages[1].conditions[0].rules[0]


def test_a_plan_starts_and_writes_nothing(kit: pk.Kit) -> None:
    kit.define(pipeline())
    before = contents(kit.home.folder)
    kit.plan(pipeline(pk.approval("other")))
    kit.plan("shop", variables={"no": "such"})
    assert contents(kit.home.folder) == before
    assert kit.runs() == []
    assert kit.definition("shop").stages[1].actions[0].name == "ok"


def test_an_action_is_told_with_what_it_does_and_where(kit: pk.Kit) -> None:
    built = pk.codebuild("built", project="plain").reads("code")
    nowhere = pk.codebuild("nowhere", project="image").reads("code")
    fetch, here, there = (each for _, each in kit.plan(pipeline(built, nowhere)).actions)
    assert (fetch.does, fetch.place) == ("Take something. Then nothing.", "here")
    assert (here.place, here.obstacle) == ("host", "")
    assert (there.place, place(there)) == ("", "cannot run here")
    assert "no image is named" in there.obstacle


def test_a_build_takes_as_long_as_its_project_lets_it(kit: pk.Kit) -> None:
    once = pk.codebuild("once", project="short").reads("code")
    batch = pk.codebuild("batch", project="short", batch=True).reads("code")
    plain = pk.codebuild("plain", project="plain").reads("code")
    found = [limit(each) for _, each in kit.plan(pipeline(once, batch, plain)).actions]
    assert found[1:] == ["at most 10 min", "at most 1 d 12 h", "at most 1 d 12 h"]


def test_a_commit_that_is_not_here_is_told_as_what_would_fail(kit: pk.Kit, tmp_path: Path) -> None:
    shop, empty = new_shop(tmp_path / "shop"), tmp_path / "empty"
    git(tmp_path, "init", "--quiet", "-b", "main", "empty")
    for url, revision, told in (
        (shop, "", []),
        (shop, "c0ffee1", ["no branch or tag leads to it; put a branch or a tag on it, or check"]),
        (empty, "", ["there is no such branch; commit something first: it has no branch yet"]),
        (tmp_path, "", ["check that it exists"]),
        ("https://example.invalid/shop.git", "c0ffee1", []),
    ):
        line = pk.Pipeline("line") >> pk.Stage("Source", pk.git("code", str(url), branch="main"))
        line = line >> pk.Stage("Live", pk.approval("ok"))
        found = kit.plan(line, revisions={"code": revision} if revision else {})
        assert found.startable
        assert found.promising is not bool(told)
        assert verdict(found) == ("would start, and fail" if told else "would start")
        assert len(found.failing) == len(told)
        for words in told:
            assert found.failing[0].startswith("action Source/code: ")
            assert words in found.failing[0]


def test_what_cannot_run_here_is_why_the_start_would_be_refused(kit: pk.Kit) -> None:
    nowhere = pk.codebuild("nowhere", project="image").reads("code")
    found = kit.plan(pipeline(nowhere))
    assert not found.startable
    assert [each.partition(":")[0] for each in refusals(found)] == ["action Live/nowhere"]
    with pytest.raises(pk.PipelineKitError, match="action Live/nowhere"):
        kit.start(pipeline(nowhere))


def test_the_faults_of_a_definition_are_told(kit: pk.Kit) -> None:
    found = kit.plan(replace(pipeline(), stages=()))
    assert not found.startable
    assert "stages" in found.faults[0].place


def test_the_name_of_a_pipeline_that_is_not_there_is_refused(kit: pk.Kit) -> None:
    with pytest.raises(PipelineNotFound):
        kit.plan("shop")


@pytest.mark.parametrize(
    ("value", "blocks", "told"),
    [("us", False, "'us' equals 'us'"), ("eu", True, "'eu' equals 'us', and it is not")],
)
def test_a_rule_whose_variables_are_known_says_what_it_would_say_now(
    kit: pk.Kit, value: str, *, blocks: bool, told: str
) -> None:
    rule = pk.variable_check("InUs", "#{variables.region}", "us", "EQ")
    declared = replace(gate(rule, pk.Result.SKIP), variables=(pk.Variable("region", value),))
    found = the_rule(kit.plan(declared))
    assert (found.blocks, told in found.verdict) == (blocks, True)
    assert ("SKIP" in found.verdict) is blocks


def test_a_rule_about_what_is_written_later_says_nothing_now(kit: pk.Kit) -> None:
    found = the_rule(kit.plan(gate(pk.variable_check("Late", "#{fetch.VERSION}", "1", "EQ"))))
    assert (found.verdict, found.blocks) == ("", None)
    assert found.settings[0].later[0].writer == "Source/fetch"


def test_a_window_says_when_it_opens_and_an_open_one_that_it_is(kit: pk.Kit) -> None:
    closed = the_rule(kit.plan(gate(pk.deployment_window("Never", "0 0 0 1 1 ?"))))
    opened = the_rule(kit.plan(gate(pk.deployment_window("Always", "0 * * * * ?"))))
    assert (opened.verdict, opened.blocks) == ("the window is open", False)
    assert (closed.verdict[:19], closed.blocks) == ("the window opens at", True)


def test_rules_that_can_be_foreseen_do_nothing_and_wait_for_nothing() -> None:
    for name in FORESEEABLE:
        traits = discover()[ActionTypeId(Category.RULE, Owner.AWS, name)].traits
        assert (traits.detached, traits.repeatable) == (False, True)


def test_an_approval_says_whom_it_waits_for_and_how_long(kit: pk.Kit) -> None:
    asked = pk.review("two", approvers=["ann", "ben"], required=2).within(120)
    found = [limit(each) for _, each in kit.plan(pipeline(asked, pk.approval("ok"))).actions]
    assert found[1:] == ["waits for 2 of ann, ben, at most 2 h", "waits for anybody, at most 7 d"]
