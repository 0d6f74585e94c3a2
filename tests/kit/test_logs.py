"""Logs read for people: the end of them, and what is new, whatever their length."""

from pathlib import Path

from pipelinekit.kit.logs import SHOWN_BYTES, TAIL_BYTES, news, shown, tail


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


def test_a_long_log_is_shown_from_a_whole_line_on_and_says_where_the_rest_is(
    tmp_path: Path,
) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"first\nsecond\nthird\n")
    assert shown(log) == "first\nsecond\nthird\n"
    assert shown(log, most=10) == (
        f"[the first 13 bytes are not shown; the whole log is {log}]\nthird\n"
    )
    assert shown(log, most=3).endswith("]\nrd\n")


def test_a_log_that_is_not_there_is_shown_as_nothing(tmp_path: Path) -> None:
    assert shown(tmp_path / "log") == ""


def test_what_is_new_in_a_log_is_given_once_and_in_whole_lines(tmp_path: Path) -> None:
    log, read = tmp_path / "log", dict[Path, int]()
    assert list(news(log, read, rest=True)) == []
    log.write_bytes(b"one\ntw")
    assert list(news(log, read, rest=False)) == ["one"]
    with log.open("ab") as file:
        file.write(b"o\nthr")
    assert list(news(log, read, rest=False)) == ["two"]
    assert list(news(log, read, rest=True)) == ["thr"]


def test_all_of_a_long_log_is_given_piece_by_piece(tmp_path: Path) -> None:
    log, read = tmp_path / "log", dict[Path, int]()
    log.write_bytes(b"line\n" * (SHOWN_BYTES // 2) + b"x" * 2 * SHOWN_BYTES + b"\nend")
    lines = list(news(log, read, rest=True))
    assert lines[: SHOWN_BYTES // 2] == ["line"] * (SHOWN_BYTES // 2)
    assert "".join(lines[SHOWN_BYTES // 2 :]) == "x" * 2 * SHOWN_BYTES + "end"
    assert read[log] == log.stat().st_size
