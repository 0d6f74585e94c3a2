"""Thousands of wrong requests: none is answered by a fault of ours, and none changes anything."""

from pathlib import Path

import pytest

from tests.operations.fuzz import Asked, Fuzz, asked

SEED, COUNT = 20_260, 5_000


@pytest.mark.slow
def test_wrong_requests_are_refused_and_change_nothing(tmp_path: Path) -> None:
    fuzz = Fuzz(tmp_path)
    failures = [failure for each in asked(SEED, COUNT) if (failure := fuzz.ask(each))]
    fuzz.kit.close()
    assert failures == []
    assert sum(fuzz.statuses.values()) == COUNT
    assert set(fuzz.statuses) == {200, 400, 415}


def test_the_fuzzer_finds_what_is_wrong(tmp_path: Path) -> None:
    fuzz = Fuzz(tmp_path)
    fuzz.endpoint = lambda _environ, start: (start("500 Oh", []), [b"{}"])[1]  # type: ignore[assignment]  # a fake
    assert fuzz.ask(Asked("ListPipelines", b"{}", fits=True))

    def changing(_environ: object, start: object) -> list[bytes]:
        fuzz.kit.delete("shop")
        start("400 No", [])  # type: ignore[operator]  # as WSGI calls it
        return [b'{"__type": "ValidationException", "message": "no"}']

    fuzz.endpoint = changing  # type: ignore[assignment]  # a fake
    failure = fuzz.ask(Asked("ListPipelines", b"[]", fits=False))
    assert failure is not None
    assert failure.what == "400 has changed the state"
    fuzz.kit.close()
