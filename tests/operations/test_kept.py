"""Answers that are kept: never one that somebody's write has made untrue."""

from pathlib import Path

import pipelinekit as pk
from pipelinekit.endpoint.kept import MOST_BYTES, Kept
from pipelinekit.endpoint.server import Server
from pipelinekit.operations.answer import PREFIX, Answered
from tests.operations.conftest import over_http
from tests.operations.declarations import usual

LIST = f"{PREFIX}.ListPipelines"


class Asked:
    """Counts how often it is asked."""

    def __init__(self, status: int = 200) -> None:
        self.times = 0
        self._status = status

    def __call__(self) -> Answered:
        self.times += 1
        return Answered(self._status, str(self.times).encode())


def test_an_answer_is_kept_until_somebody_writes() -> None:
    version = [1]
    kept, ask = Kept(lambda: version[0]), Asked()
    assert [kept.answer(LIST, b"{}", ask).body for _ in range(3)] == [b"1"] * 3
    assert kept.answer(LIST, b'{"maxResults": 1}', ask).body == b"2"
    version[0] = 2
    assert kept.answer(LIST, b"{}", ask).body == b"3"


def test_what_was_written_while_an_answer_was_looked_up_makes_it_old() -> None:
    version = [1]
    kept, ask = Kept(lambda: version[0]), Asked()

    def overtaken() -> Answered:
        version[0] = 2
        return ask()

    assert kept.answer(LIST, b"{}", overtaken).body == b"1"
    assert kept.answer(LIST, b"{}", ask).body == b"2"


def test_neither_errors_nor_answers_of_other_operations_are_kept() -> None:
    kept, ask, failing = Kept(lambda: 1), Asked(), Asked(status=503)
    for _ in range(2):
        kept.answer(f"{PREFIX}.ListWebhooks", b"{}", ask)
        kept.answer(LIST, b"{}", failing)
    assert (ask.times, failing.times) == (2, 2)


def test_what_is_kept_has_bounds() -> None:
    kept, ask = Kept(lambda: 1), Asked()
    half = b" " * (MOST_BYTES // 2)
    for body in (b"{}", half, half + b"1", b"{}", b"{}"):
        kept.answer(LIST, body, ask)
    assert ask.times == 4


def test_what_another_process_writes_is_seen_at_once(kit: pk.Kit, server: Server) -> None:
    client = over_http(server.url)
    client.create_pipeline(pipeline=usual())
    with pk.Kit(kit.home.folder, settings=pk.Settings(), work=False) as other:
        there = other.client()
        for number in range(20):
            declared = client.get_pipeline(name="shop")["pipeline"]
            assert declared["version"] == number + 1
            client.get_pipeline(name="shop")  # kept by now
            there.update_pipeline(pipeline=declared)
            assert client.get_pipeline(name="shop")["pipeline"]["version"] == number + 2
            listed = client.list_pipelines()["pipelines"]
            assert [each["version"] for each in listed] == [number + 2]


def test_a_store_counts_its_own_writes_too_where_it_is_asked_to(tmp_path: Path) -> None:
    with pk.Kit(tmp_path / "home", settings=pk.Settings(), work=False) as kit:
        others, all_writes = kit.store.version(), kit.store.version(own=True)
        kit.client().create_pipeline(pipeline=usual())
        assert kit.store.version() == others
        assert kit.store.version(own=True) != all_writes
