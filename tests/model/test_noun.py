"""Values of the model never change, and the garbage collector need not look at them."""

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import get_args, get_origin, get_type_hints

import pytest
from msgspec.structs import replace

import pipelinekit
from pipelinekit.model.execution import Artifact
from pipelinekit.model.noun import Noun

TALKERS = (BaseException, Future, Callable)
"""What may hold whatever it likes, and so the noun that holds it."""


def unseen(kind: type[Noun] = Noun) -> Iterator[type[Noun]]:
    for each in kind.__subclasses__():
        if not each.__struct_config__.gc:
            yield each
        yield from unseen(each)


def classes(hint: object) -> Iterator[type]:
    found = get_origin(hint) or hint
    if isinstance(found, type):
        yield found
    for each in get_args(hint):
        yield from classes(each)


def refers_back(kind: type) -> bool:
    return issubclass(kind, TALKERS) or getattr(kind, "_is_protocol", False)


def test_nouns_that_the_collector_does_not_see_hold_nothing_that_may_refer_back() -> None:
    for module in pkgutil.walk_packages(pipelinekit.__path__, "pipelinekit."):
        importlib.import_module(module.name)
    nouns = [*unseen()]
    assert len(nouns) > 150
    wrong = [
        f"{noun.__module__}.{noun.__name__}.{name}"
        for noun in nouns
        for name, hint in get_type_hints(noun).items()
        if name in noun.__struct_fields__ and any(map(refers_back, classes(hint)))
    ]
    assert not wrong, "say gc=True"


def test_a_noun_never_changes() -> None:
    artifact = Artifact("app", "bucket", "key")
    with pytest.raises(AttributeError):
        artifact.name = "other"  # type: ignore[misc]  # which is the point
    assert replace(artifact, name="other") == Artifact("other", "bucket", "key")
    assert artifact == Artifact("app", "bucket", "key")
    with pytest.raises(TypeError, match="nmae"):
        replace(artifact, nmae="other")
