"""What an action or a rule tells of itself before it is called."""

import inspect
import warnings
from typing import Annotated

import numpy as np
import pytest
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell

import pipelinekit as pk
from pipelinekit.model.condition import Rule
from pipelinekit.ports.provider import Key, Provider


@pk.action("Test", "SignSmoke")
def smoke(job: pk.Job, url: str, *, expect: Annotated[int, Key("Code")] = 200) -> pk.Outcome:
    """Ask a URL once.

    Args:
        job: What is to be done,
            over two lines.
        url: Which one.
        expect: What it answers.
    """
    del job, url, expect
    return pk.Succeeded()


@pk.rule("SignHours")
def hours(job: pk.Job) -> bool:
    """Hold by day.

    Args:
        job: What is to be done.

    Source: the clock.
    """
    del job
    return True


def test_it_is_called_with_a_name_and_its_settings() -> None:
    given, _, gives = str(inspect.signature(smoke)).partition(" -> ")
    assert given == "(name: str, /, url: str, *, expect: int = 200)"
    assert gives == "pipelinekit.model.action.Action"
    assert inspect.signature(hours).return_annotation is Rule
    assert list(inspect.signature(Provider).parameters) == ["function", "traits"]


def test_it_is_shown_with_its_type_and_its_settings() -> None:
    assert repr(smoke) == "<action type Test/Custom/SignSmoke/1: smoke(name, url, *, expect=200)>"
    assert repr(hours) == "<rule type Rule/Custom/SignHours/1: hours(name)>"


def test_a_setting_may_be_called_name() -> None:
    @pk.action("Test", "SignName")
    def named(job: pk.Job, name: str) -> pk.Outcome:
        del job, name
        return pk.Succeeded()

    assert list(inspect.signature(named).parameters) == ["_name", "name"]
    assert named("a", name="b").configuration == {"Name": "b"}
    assert named.__doc__ is None


def test_its_docstring_leaves_out_the_job_which_nobody_gives() -> None:
    assert smoke.__doc__ == (
        "Ask a URL once.\n\nArgs:\n    url: Which one.\n    expect: What it answers."
    )
    assert hours.__doc__ == "Hold by day.\n\nSource: the clock."


@pytest.fixture(scope="module")
def shell() -> InteractiveShell:
    return InteractiveShell.instance()


def test_ipython_tells_it_on_shift_tab_and_completes_its_settings(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.user_ns["smoke"] = smoke
    shell.run_line_magic("pinfo", "smoke")
    told = capsys.readouterr().out
    assert "url: str" in told.partition("Type:")[0]
    assert "url: Which one." in told
    with provisionalcompleter():
        names = {each.text for each in shell.Completer.completions("smoke(", 6)}
    assert {"url=", "expect="} <= names


def made(k: object) -> Provider[[]]:
    """Declare a function that sees what it was made with."""

    @pk.action("Test", "SignMade")
    def closed(job: pk.Job) -> pk.Outcome:
        """Tell it."""
        del job
        return pk.Succeeded({"K": str(k)})

    return closed


def test_one_function_that_is_declared_again_with_other_values_is_told() -> None:
    made(1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made(1)
    with pytest.warns(UserWarning, match=r"^Test/Custom/SignMade/1 was .* function closed, which"):
        made(2)
    with pytest.warns(UserWarning, match="SignMade"):
        made(np.zeros(2))
    with pytest.warns(UserWarning, match="SignMade"):
        made(np.ones(2))


def test_a_cell_that_runs_again_replaces_its_functions_without_a_word() -> None:
    cell = """
def made(k):
    @pk.action("Test", "SignCell")
    def closed(job: pk.Job) -> pk.Outcome:
        return pk.Succeeded({"K": str(k)})
    @pk.rule("SignCell")
    def held(job: pk.Job) -> bool:
        return bool(k)
made({k})
"""
    for k in "12":
        exec(compile(cell.replace("{k}", k), "cell", "exec"), {"pk": pk, "__name__": "cell"})  # noqa: S102 - a cell
