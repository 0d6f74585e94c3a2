"""A provider is one function; its signature is its configuration."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import pytest

from pipelinekit.model.action import ActionTypeId, Category, OutputArtifact, Owner
from pipelinekit.model.errors import ValidationError
from pipelinekit.model.order import Outcome, Succeeded
from pipelinekit.ports.provider import DECLARED, Job, Key, Traits, action, provider
from tests.fakes import FolderJob, order


@action("Test", "PortSmoke")
def smoke(  # noqa: PLR0913 - one of each kind
    job: Job,
    url: str,
    expect: int = 200,
    *,
    share: float = 0.5,
    loud: bool = False,
    token: Annotated[str | None, Key("OAuthToken", secret=True)] = None,
    headers: Mapping[str, str] | None = None,
) -> Outcome:
    """Ask a URL once.

    More words.
    """
    del job
    values = (url, expect, share, loud, token, headers)
    return Succeeded({"Values": repr(values)})


def carried_out(tmp_path: Path, **configuration: str) -> str:
    """Give what the function saw."""
    written = smoke("s", url="http://x")
    job = FolderJob(order(written, configuration={"Url": "u", **configuration}), tmp_path)
    outcome = smoke.carry_out(job)
    assert isinstance(outcome, Succeeded)
    return outcome.variables["Values"]


def test_calling_it_writes_an_action_down_with_keys_from_its_parameters() -> None:
    written = smoke("look", "http://x", expect=204, loud=True, headers={"a": "b"})
    assert written.name == "look"
    assert written.type == ActionTypeId(Category.TEST, Owner.CUSTOM, "PortSmoke")
    assert written.configuration == {
        "Url": "http://x",
        "Expect": "204",
        "Loud": "true",
        "Headers": '{"a": "b"}',
    }
    assert written.namespace == "look"


def test_a_wrong_setting_is_a_type_error_at_once() -> None:
    with pytest.raises(
        TypeError, match=r"^PortSmoke has no setting 'ulr'; did you mean 'url'\? it"
    ):
        smoke("look", ulr="http://x")  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="no setting 'zone'; its settings are url, expect, share"):
        smoke("look", zone="http://x")  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="missing a required argument: 'url'"):
        smoke("look")  # type: ignore[call-arg]


def test_texts_come_back_as_what_the_parameters_say(tmp_path: Path) -> None:
    seen = carried_out(
        tmp_path, Expect="404", Share="0.25", Loud="true", OAuthToken="t", Headers='{"a": "b"}'
    )
    assert seen == "('u', 404, 0.25, True, 't', {'a': 'b'})"


def test_what_is_absent_takes_the_function_s_default(tmp_path: Path) -> None:
    assert carried_out(tmp_path) == "('u', 200, 0.5, False, None, None)"


@pytest.mark.parametrize(
    ("key", "text", "word"),
    [
        ("Expect", "many", "number"),
        ("Loud", "maybe", "true or false"),
        ("Headers", "{", "JSON"),
    ],
)
def test_a_text_that_cannot_be_read_is_refused_with_its_key(
    tmp_path: Path, key: str, text: str, word: str
) -> None:
    with pytest.raises(ValidationError, match=f"{key} is .*{word}"):
        carried_out(tmp_path, **{key: text})


def test_a_missing_key_is_refused(tmp_path: Path) -> None:
    job = FolderJob(order(smoke("s", "u"), configuration={}), tmp_path)
    with pytest.raises(ValidationError, match="lacks Url"):
        smoke.carry_out(job)


def test_a_default_is_written_down_where_codepipeline_demands_the_key() -> None:
    @provider(Traits(category=Category.TEST, provider="PortDemand"))
    def demand(
        job: Job, level: Annotated[int, Key("Level", required=True)] = 3, extra: int = 4
    ) -> Outcome:
        """Demand a level."""
        del job, extra
        return Succeeded({"Level": str(level)})

    assert demand("d").configuration == {"Level": "3"}
    assert demand("d", 5, extra=6).configuration == {"Level": "5", "Extra": "6"}
    assert [each.required for each in demand.type.properties] == [True, False]


def test_its_type_tells_keys_secrets_and_the_first_line_of_its_docstring() -> None:
    known = {each.name: (each.required, each.secret) for each in smoke.type.properties}
    assert known["Url"] == (True, False)
    assert known["OAuthToken"] == (False, True)
    assert smoke.type.description == "Ask a URL once."
    assert DECLARED[smoke.type.id] is smoke


def test_what_writes_an_artifact_names_it_after_the_action() -> None:
    @provider(Traits(category=Category.SOURCE, provider="PortSource", writes=True))
    def source(job: Job) -> Outcome:
        """Fetch."""
        del job
        return Succeeded()

    assert source("my.app").outputs == (OutputArtifact("my_app_artifact"),)


def test_what_has_no_variables_gets_no_namespace() -> None:
    @provider(Traits(category=Category.DEPLOY, provider="PortDeploy", variables=frozenset()))
    def deploy(job: Job) -> Outcome:
        """Deploy."""
        del job
        return Succeeded()

    assert deploy("live").namespace is None


def test_an_unknown_category_is_refused_with_those_there_are() -> None:
    with pytest.raises(ValidationError, match=r"'Tests'.*Source, Build"):
        action("Tests", "Odd")
