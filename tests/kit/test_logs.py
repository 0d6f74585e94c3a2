"""The last lines of a log, read for people."""

from pathlib import Path

from pipelinekit.kit.logs import TAIL_BYTES, tail


def test_the_end_of_a_long_log_is_read_without_its_empty_lines(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("x" * 100_000 + "\nlast but one\n\nlast\n\n", encoding="utf-8")
    assert tail(log, 2) == ["last but one", "last"]
    assert len(tail(log, 9)[0]) < TAIL_BYTES


def test_the_lines_of_a_log_are_clean(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"\x1b[31mred\x1b[0m\n 10 %\r100 %\r\n\xff\n")
    assert tail(log, 9) == ["red", "100 %", "\N{REPLACEMENT CHARACTER}"]


def test_a_log_that_is_not_there_has_no_lines(tmp_path: Path) -> None:
    assert tail(tmp_path / "log", 2) == []
