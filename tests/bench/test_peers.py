"""The comparison with peers: what it counts, what it tells, and a small real run of it."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.bench.peers import figures, plot, results, told
from tests.bench.peers.contest import Outcome, Samples, Size, compete
from tests.bench.peers.contestants import ALL, DBOS, FLOOR, OURS, SPAWN
from tests.bench.peers.figures import Bound, Reading

SAMPLES: Samples = {
    OURS: {
        "W1": [0.5, 0.4, 0.9],
        "W2": [500, 400, 600],
        "W5": [0.3, 0.4, 0.5],
        "repeated": [0, 1],
    },
    DBOS: {"W1": [5.0, 6.0], "W2": [100, 100], "W5": [0.6, 0.6, 0.6]},
    FLOOR: {"W1": [0.3, 0.3, 0.3]},
}
TINY = Size(1, 1, 4, 1, 20, 1)


@pytest.fixture
def found() -> results.Results:
    return results.count(Outcome(SAMPLES, {"Prefect": "no space left"}), 3)


def test_the_median_is_told_with_the_least_the_most_and_the_number_of_rounds() -> None:
    assert figures.spread([3.0, 1.0, 2.0]) == (2.0, 1.0, 3.0, 3)


def test_a_ratio_is_the_median_of_the_ratios_of_the_rounds_that_both_have() -> None:
    assert figures.ratio([5.0, 6.0], [0.5, 0.4, 0.9]) == pytest.approx(12.5)


def test_times_better_turns_round_where_more_is_better() -> None:
    assert figures.times(SAMPLES, DBOS, "W1") == pytest.approx(12.5)
    assert figures.times(SAMPLES, DBOS, "W2") == pytest.approx(4.5)


def test_what_was_not_measured_is_not_compared() -> None:
    assert figures.times(SAMPLES, FLOOR, "W2") is None
    assert figures.times({OURS: {"lost": [0.0]}, DBOS: {"lost": [0.0]}}, DBOS, "lost") is None
    assert figures.value(SAMPLES, Bound("none", Reading("nobody", "W1"), 1)) is None
    assert (
        figures.value(SAMPLES, Bound("none", Reading(OURS, "W1"), 1, Reading("x", "W1"))) is None
    )


def test_a_bound_is_reached_at_it_and_missed_beyond_it() -> None:
    at_most, at_least = (
        Bound("x", Reading(OURS, "W1"), 2),
        Bound("x", Reading(OURS, "W2"), 2, least=True),
    )
    assert [figures.reached(at_most, each) for each in (1.9, 2, 2.1)] == [True, True, False]
    assert [figures.reached(at_least, each) for each in (1.9, 2, 2.1)] == [False, True, True]


def test_one_repeated_action_in_one_round_misses_its_bound(found: results.Results) -> None:
    (held,) = (each for each in found["bounds"] if "repeated" in each["title"])
    assert (held["measured"], held["reached"]) == (1, False)


def test_bounds_hold_medians_and_ratios_of_the_same_run(found: results.Results) -> None:
    measured = {each["title"]: each["measured"] for each in found["bounds"]}
    assert measured["W1, SQLite, ms per action"] == 0.5
    assert measured["W1, DBOS on SQLite, times ours"] == pytest.approx(12.5)
    assert measured["W2, ours, times DBOS on SQLite"] == pytest.approx(4.5)
    assert "W3, s" not in measured
    missed = {each["title"] for each in found["bounds"] if not each["reached"]}
    assert {title.partition(",")[0] for title in missed} == {"W2", "W5", "W6"}


def test_everything_is_told_with_its_bound_and_who_was_left_out(found: results.Results) -> None:
    text = "\n".join(told.plain(found))
    assert "Prefect was left out: no space left" in text
    assert any(line.endswith("pass") for line in text.splitlines())
    assert any(line.endswith("miss") for line in text.splitlines())


def test_numbers_have_two_digits_that_count() -> None:
    shown = [told.number(each) for each in (0, 0.0342, 0.342, 3.42, 34.2, 3420.2)]
    assert shown == ["0", "0.034", "0.34", "3.4", "34", "3,420"]


def test_the_table_takes_the_place_of_the_one_before(
    tmp_path: Path, found: results.Results
) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{told.BEGIN}stale\n{told.END}\nafter\n", encoding="utf-8")
    told.write_table(found, readme)
    told.write_table(found, readme)
    text = readme.read_text(encoding="utf-8")
    assert text.startswith(f"before\n{told.BEGIN}| engine |")
    assert text.endswith(f"{told.END}\nafter\n")
    assert "stale" not in text


def test_results_come_back_from_their_file(tmp_path: Path, found: results.Results) -> None:
    file = tmp_path / "bench.json"
    results.write(found, file)
    assert results.read(file)["engines"][DBOS]["figures"]["W1"]["median"] == 5.5


def test_the_readme_and_the_picture_tell_what_is_in_the_file_of_results() -> None:
    kept = results.read()
    readme = told.README.read_text(encoding="utf-8")
    assert f"{told.BEGIN}{told.table(kept)}{told.END}" in readme
    assert plot.FILE.read_text(encoding="utf-8") == plot.drawn(kept)


def test_the_picture_says_where_and_when_it_was_measured_and_of_what() -> None:
    kept = results.read()
    picture = plot.drawn(kept)
    assert "make bench" in picture
    for said in (kept["date"], kept["machine"].partition(",")[0], *kept["engines"]):
        assert said in picture or said == SPAWN, said


def test_every_peer_has_exact_versions() -> None:
    for each in ALL:
        assert each.version.partition(".")[0].isdigit(), each.name


@pytest.mark.slow
def test_this_engine_and_the_floor_take_part_in_a_small_run() -> None:
    chosen = [each for each in ALL if each.name in {OURS, FLOOR}]
    outcome = compete(chosen, TINY)
    assert outcome.left_out == {}
    ours = outcome.samples[OURS]
    assert set(ours) >= {"W1", "W2", "W2 two", "W3", "W3 MiB", "W5", "W6", "spawn"}
    assert all(values[0] > 0 for figure, values in ours.items() if figure in {"W1", "W2", "W5"})
    assert (ours["repeated"], ours["lost"]) == ([0], [0])
    assert outcome.samples[FLOOR].keys() == {"W1", "W2", "W3", "W3 MiB", "W5"}
    assert json.dumps(results.count(outcome, 1))


@pytest.mark.slow
def test_an_engine_that_fails_is_left_out_by_name() -> None:
    broken = next(each for each in ALL if each.name == FLOOR)
    outcome = compete([replace(broken, script="nothing")], TINY)
    assert FLOOR not in outcome.samples
    assert "nothing" in outcome.left_out[FLOOR]
