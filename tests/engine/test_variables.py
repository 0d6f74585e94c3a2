"""References are found in a text, and replaced once, raw."""

import pytest

from pipelinekit.engine.variables import references, resolve

VALUES = {("src", "CommitId"): "0a1b", ("src", "Message"): 'say "#{src.CommitId}"'}


def lookup(namespace: str, key: str) -> str | None:
    return VALUES.get((namespace, key))


def test_references_are_given_in_their_order_repeated_ones_too() -> None:
    """5.1: a reference is #{namespace.key}, of letters, digits and @ - _."""
    text = "#{src.CommitId} #{a-b@c_1.K-e@y_2}#{src.CommitId}"
    assert references(text) == (("src", "CommitId"), ("a-b@c_1", "K-e@y_2"), ("src", "CommitId"))


@pytest.mark.parametrize(
    "text",
    [
        "${src.CommitId}",
        "#{ src.CommitId}",
        "#{src}",
        "#{src.a.b}",
        "#{src.}",
        "#src.a",
        "# {a.b}",
    ],
)
def test_other_notations_are_plain_text(text: str) -> None:
    """5.1: whatever is written otherwise is plain text."""
    assert references(text) == ()
    assert resolve(text, lookup) == (text, ())


def test_values_take_the_place_of_references_as_they_are() -> None:
    """5.3.3: values take the place of references unquoted."""
    resolved = resolve("v-#{src.CommitId}/#{src.CommitId}", lookup)
    assert resolved == ("v-0a1b/0a1b", ())


def test_a_value_is_not_searched_for_references() -> None:
    """5.3.4: replaced text is not scanned again (CHOICE)."""
    assert resolve("#{src.Message}", lookup) == ('say "#{src.CommitId}"', ())


def test_references_without_a_value_stay_and_are_told_once() -> None:
    text = "#{src.TagName} #{ghost.Key} #{src.TagName} #{src.CommitId}"
    expected = "#{src.TagName} #{ghost.Key} #{src.TagName} 0a1b"
    assert resolve(text, lookup) == (expected, ("src.TagName", "ghost.Key"))


def test_an_empty_value_is_a_value() -> None:
    assert resolve("[#{a.b}]", lambda _namespace, _key: "") == ("[]", ())
