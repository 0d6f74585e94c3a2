"""When nothing may change, and until when."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelinekit.tools.freezes import FreezeError, Frozen, calendar

CHRISTMAS = ("2026-12-20", "2027-01-05", "", "Christmas")
WEEKEND = ("", "", "FRI 16:00 - MON 07:00", "weekends")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("freeze", "now", "until"),
    [
        (CHRISTMAS, "2026-12-19 22:59", None),
        (CHRISTMAS, "2026-12-19 23:00", "2027-01-05 23:00"),
        (CHRISTMAS, "2027-01-05 22:59", "2027-01-05 23:00"),
        (CHRISTMAS, "2027-01-05 23:00", None),
        (WEEKEND, "2026-11-27 14:59", None),
        (WEEKEND, "2026-11-27 15:00", "2026-11-30 06:00"),
        (WEEKEND, "2026-11-30 05:59", "2026-11-30 06:00"),
        (WEEKEND, "2026-11-30 06:00", None),
        (("", "", "sat-sun", ""), "2026-11-28 12:00", "2026-11-29 23:00"),
        (("", "", "SUN", ""), "2026-11-29 12:00", "2026-11-29 23:00"),
        (("", "", "SUN - MON", ""), "2026-11-30 12:00", "2026-11-30 23:00"),
        (("", "", "MON 08:00 - MON 09:00", ""), "2026-11-30 07:30", "2026-11-30 08:00"),
        (("2026-12-01 10:00", "2026-12-01T12:00", "", ""), "2026-12-01 10:00", "2026-12-01 11:00"),
    ],
)
def test_a_freeze_holds_from_its_begin_to_its_end_by_the_clock_of_its_zone(
    freeze: tuple[str, str, str, str], now: str, until: str | None
) -> None:
    found = calendar([freeze], "Europe/Berlin").frozen(at(now))
    assert found == (None if until is None else Frozen(at(until), freeze[3]))


def test_a_day_ends_with_the_clocks_of_summer() -> None:
    found = calendar([("2026-03-29", "2026-03-29", "", "")], "Europe/Berlin")
    frozen = found.frozen(at("2026-03-28 23:00"))
    assert frozen is not None
    assert frozen.until == at("2026-03-29 22:00")


def test_freezes_that_follow_each_other_are_one() -> None:
    times = calendar([("2026-11-27", "2026-11-27", "", "fair"), ("", "", "SAT - SUN", "rest")])
    assert times.frozen(at("2026-11-27 08:00")) == Frozen(at("2026-11-30"), "fair")


def test_freezes_that_leave_no_gap_never_end() -> None:
    times = calendar([("", "", "MON - WED", "a"), ("", "", "THU - SUN", "b")])
    assert times.frozen(at("2026-11-27 08:00")) == Frozen(None, "b")


@given(st.integers(0, 6), st.integers(0, 6), st.integers(0, 7 * 24 * 60))
def test_a_week_is_frozen_for_as_many_days_as_are_named(
    first: int, last: int, minutes: int
) -> None:
    names = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
    days = (last - first) % 7 + 1
    if days == 7:
        return
    times = calendar([("", "", f"{names[first]} - {names[last]}", "")])
    now = at("2026-11-23") + timedelta(minutes=minutes)
    assert (times.frozen(now) is not None) is ((now.weekday() - first) % 7 < days)


@pytest.mark.parametrize(
    ("freeze", "zone", "words"),
    [
        (("2026-13-01", "2026-12-02", "", ""), "UTC", "begin of a freeze is '2026-13-01'"),
        (("2026-12-01", "", "", ""), "UTC", "end of a freeze is ''"),
        (("2026-12-01T10:00+01:00", "2026-12-02", "", ""), "UTC", "local time"),
        (("2026-12-02", "2026-12-01", "", ""), "UTC", "ends before it begins"),
        (("", "", "FREITAG", ""), "UTC", "'FREITAG'; write days"),
        (("", "", "FRI 25:00 - SAT", ""), "UTC", "write days"),
        (("", "", "FRI 10:00", ""), "UTC", "write days"),
        (("", "", "MON 08:00 - MON 08:00", ""), "UTC", "never ends"),
        (CHRISTMAS, "Europe/Berln", "'Europe/Berln' is no time zone"),
    ],
)
def test_a_freeze_that_cannot_be_understood_is_refused(
    freeze: tuple[str, str, str, str], zone: str, words: str
) -> None:
    with pytest.raises(FreezeError, match=words):
        calendar([freeze], zone)
