"""Ordinary mistakes of a cell are refused with what was given and what to write."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

import pipelinekit as pk
from pipelinekit.model.condition import Result, RetryMode
from pipelinekit.model.errors import ActionNotFound, DefinitionError, ValidationError
from pipelinekit.model.pipeline import PipelineType
from tests.build import full

ask, make = pk.approval("ask"), pk.commands("make", "make")
fetch = pk.files("fetch", str(Path(__file__).parent))
stage = pk.Stage("T", ask)
rule = pk.commands_check("look", "true")

Wrong: TypeAlias = Any
"""What mypy would refuse, as many a notebook has none."""


def odd(value: object) -> Wrong:
    return value


def two(act: pk.Action, **members: Wrong) -> pk.Pipeline:
    return pk.Pipeline("p", **members) >> pk.Stage("S", fetch) >> pk.Stage("T", act)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda: pk.Stage("T", odd("act")), "the str 'act' was given where an action"),
        (lambda: pk.Stage("T", odd([ask, make])), "one by one"),
        (lambda: pk.Stage("T", odd(pk.git)), "<action type Source/Custom/Git/1: git"),
        (lambda: pk.Stage(odd(ask)), "give its name first"),
        (lambda: pk.Stage("T", actions=odd(ask)), "the Action 'ask' as its actions"),
        (lambda: pk.Stage("T", actions=odd(["a"])), "the str 'a' among its actions"),
        (lambda: ask + odd(stage), "the Stage 'T' was given where an action"),
        (lambda: pk.Pipeline("p", odd(stage)), "the Stage 'T' as its stages"),
        (lambda: pk.Pipeline(odd(stage)), "give its name first"),
        (lambda: two(ask, variables={"v": "1"}), "the dict {'v': '1'} as its variables"),
        (lambda: two(ask, variables=["v"]), "among its variables; write each .* as Variable"),
        (lambda: two(ask, mode="queued"), "'queued'; write one of SUPERSEDED, QUEUED, PARALLEL"),
        (
            lambda: pk.Condition((rule,), result=odd("NO")),
            "the result .NO.; write one of",
        ),
        (lambda: pk.Condition(odd(rule)), "the Rule 'look' as its rules"),
        (lambda: pk.FailureConditions(retry_mode=odd("NO")), "the retry_mode 'NO'; write one"),
        (lambda: pk.FailureConditions(conditions=odd((rule,))), "among its conditions"),
        (lambda: two(ask, type="V3"), "'V3'; write one of V1, V2"),
        (lambda: make.reads(odd([ask])), r"reads\(build, test\)"),
        (lambda: make.reads(odd(5)), r"reads\(5\) was asked for, which is no artifact"),
        (lambda: make.writes(odd(ask)), "which is no name"),
        (lambda: pk.git(odd(5), "url"), r"git\(5\) was asked for.*write git\(\"name\""),
        (lambda: pk.commands_check(odd(5), "x"), "write commands_rule"),
        (lambda: pk.Kit(settings=odd({})), r"the dict {}; write Settings\(...\)"),
        (lambda: pk.Settings(projects=odd(5)), r"Settings\(projects=5\) was asked for"),
        (
            lambda: pk.Settings(projects={"shop": odd({"buildspecs": "x"})}),
            "unknown field `buildspecs`",
        ),
        (lambda: pk.Project(timeout_minutes=odd("5")), "`int . null`, got `str`"),
        (lambda: pk.Settings(folder=odd(object())), "object is no kind of setting"),
    ],
)
def test_what_is_of_another_kind_is_refused_where_it_is_written(
    wrong: Callable[[], object], words: str
) -> None:
    with pytest.raises(ValidationError, match=words):
        wrong()


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda kit: kit.start(stage), "start.* the Stage 'T'; give a Pipeline.* or its name"),
        (lambda kit: kit.start(None), "start.* the NoneType None"),
        (lambda kit: kit.plan(None), "plan.* the NoneType None"),
        (lambda kit: kit.define("p"), "define.* the str 'p'; give a Pipeline.* of stages$"),
    ],
)
def test_what_is_no_pipeline_is_refused_by_a_kit(
    kit: pk.Kit, wrong: Callable[[Wrong], object], words: str
) -> None:
    with pytest.raises(ValidationError, match=words):
        wrong(kit)


def test_words_stand_for_modes_and_types_and_paths_for_their_texts() -> None:
    assert two(ask, mode="QUEUED").mode is pk.ExecutionMode.QUEUED
    assert two(ask, type="V1").type is PipelineType.V1
    assert pk.Condition((rule,), result=odd("FAIL")).result is Result.FAIL
    again = pk.FailureConditions(result=odd("RETRY"), retry_mode=odd("ALL_ACTIONS"))
    assert (again.result, again.retry_mode) == (Result.RETRY, RetryMode.ALL_ACTIONS)
    settings = pk.Settings(
        folder=odd(Path("here")),
        projects={"shop": odd({"buildspec": Path("b.yml")})},
        buckets={"site": odd(Path("site"))},
        compute=pk.Compute(where=odd("host")),
        groups={"a/b": pk.DeploymentGroup(targets=odd(["x"]))},
    )
    assert settings == pk.Settings(
        folder="here",
        projects={"shop": pk.Project(buildspec="b.yml")},
        buckets={"site": "site"},
        compute=pk.Compute(where=pk.Where.HOST),
        groups={"a/b": pk.DeploymentGroup(targets=("x",))},
    )


def test_an_action_is_no_sequence() -> None:
    none: Wrong = ask
    for endless in (
        lambda: list(none),
        lambda: pk.Stage("S", *none),
        lambda: "X" in none,
        lambda: stage.with_actions(none),
    ):
        with pytest.raises(TypeError, match=r"not iterable|not a container"):
            endless()
    with pytest.raises(TypeError, match=r"ask\[0\] was asked for.*name one of them"):
        none[0]


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (
            pk.commands("c", odd(["echo a", "echo b"])),
            "each of them as a text of its own",
        ),
        (pk.commands("c", odd(5)), 'it is 5, which is no text; write it in quotes: "5"'),
        (
            pk.commands("c", "x", variables=odd("LEVEL")),
            "it is 'LEVEL', which is no list",
        ),
        (pk.commands("c", "x", files=odd("x")), "files: it is 'x', which is no list"),
        (make.within(odd("5")), "not a whole number"),
    ],
)
def test_what_is_wrong_inside_an_action_is_a_fault_of_its_definition(
    kit: pk.Kit, act: pk.Action, words: str
) -> None:
    with pytest.raises(DefinitionError, match=words):
        kit.start(two(act.reads(fetch)))


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"variables": {"n": 5}}, "n is of type int, which is no text"),
        ({"variables": {"n": ""}}, "n is empty"),
        ({"variables": {"n": "a\nb"}}, "n has several lines"),
        ({"variables": {"n": "a" * 1001}}, "n is too long with 1001 characters"),
        ({"variables": ["n"]}, r"variables=\['n'\], which is no mapping"),
        ({"revisions": "x", "variables": {"n": "1"}}, "revisions='x', which is no mapping"),
        ({"revisions": {"fetch": 5}, "variables": {"n": "1"}}, "revision 5 of fetch.* no text"),
        ({"object_keys": ["k"], "variables": {"n": "1"}}, r"object_keys=\['k'\]"),
    ],
)
def test_a_start_says_which_of_its_values_does_not_fit_and_why(
    kit: pk.Kit, members: dict[str, Wrong], words: str
) -> None:
    asks = two(ask, variables=(pk.Variable("n"),))
    kit.define(asks)
    for pipeline in (asks, "p"):
        with pytest.raises(ValidationError, match=words):
            kit.start(pipeline, **members)


def test_a_run_is_the_same_by_whatever_way_it_was_found(kit: pk.Kit) -> None:
    run = kit.start(two(ask))
    assert kit.run(run.id) == run
    assert {run, kit.run(run.id)} == {run}
    assert kit.start(two(ask)) != run
    with pytest.raises(ActionNotFound, match=r"'asc'.* its actions are fetch, ask"):
        run.logs("asc")


def test_a_pipeline_that_is_invoked_is_written_by_its_name() -> None:
    assert pk.invoke("go", full()).configuration == {"PipelineName": full().name}
    with pytest.raises(ValidationError, match="give a pipeline, or the name of one"):
        pk.invoke("go", odd(stage))


def test_the_example_is_closed_by_its_folder_s_text(tmp_path: Path) -> None:
    pk.close_example(str(tmp_path))
