"""Windows of time are open when AWS's cron expressions say so."""

from datetime import UTC, datetime, timedelta

import pytest

from pipelinekit.tools.cron import CronError, window

OFFICE = "0 0 9-17 ? * MON-FRI *"


def at(text: str) -> datetime:
    """Read a time of UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("time", "is_open"),
    [
        ("2026-01-02 08:59", False),
        ("2026-01-02 09:00", True),
        ("2026-01-02 09:30", True),
        ("2026-01-02 17:59", True),
        ("2026-01-02 18:00", False),
        ("2026-01-03 12:00", False),
        ("2026-01-04 12:00", False),
        ("2026-01-05 12:00", True),
    ],
)
def test_zero_seconds_and_zero_minutes_mean_the_whole_hour(time: str, *, is_open: bool) -> None:
    """8: the guide's example is open on weekdays from 9 to 17 o'clock, whole hours (CHOICE)."""
    assert window(OFFICE).is_open(at(time)) is is_open


@pytest.mark.parametrize(
    ("cron", "inside", "outside"),
    [
        ("* 30 9 * * ?", "2026-01-02 09:30", "2026-01-02 09:31"),
        ("0 15,45 9 * * ?", "2026-01-02 09:45", "2026-01-02 09:30"),
        ("* 0/20 * * * ?", "2026-01-02 09:40", "2026-01-02 09:41"),
        ("* */20 * * * ?", "2026-01-02 09:20", "2026-01-02 09:30"),
        ("* 10-30/10 * * * ?", "2026-01-02 09:30", "2026-01-02 09:40"),
        ("0 0 * 1 * ?", "2026-02-01 10:00", "2026-02-02 10:00"),
        ("0 0 * ? JAN,mar *", "2026-03-31 10:00", "2026-02-28 10:00"),
        ("0 0 * ? 2-3 *", "2026-02-28 10:00", "2026-04-01 10:00"),
        ("0 0 * ? * 1", "2026-01-04 10:00", "2026-01-05 10:00"),
        ("0 0 * ? * sun", "2026-01-04 10:00", "2026-01-03 10:00"),
        ("00 00 9 ? * *", "2026-01-02 09:59", "2026-01-02 10:00"),
        ("0 0 * ? * * 2027", "2027-06-01 10:00", "2026-06-01 10:00"),
        ("0 0 * ? * * 2026-2028/2", "2028-06-01 10:00", "2027-06-01 10:00"),
    ],
)
def test_a_window_is_open_where_all_fields_match(cron: str, inside: str, outside: str) -> None:
    """8: six fields and perhaps the year, with , - * / and names in any case."""
    assert window(cron).is_open(at(inside))
    assert not window(cron).is_open(at(outside))


@pytest.mark.parametrize(
    ("cron", "inside", "outside"),
    [
        ("0 0 * L * ?", "2028-02-29 10:00", "2028-02-28 10:00"),
        ("0 0 * LW * ?", "2026-01-30 10:00", "2026-01-31 10:00"),
        ("0 0 * 15W * ?", "2026-02-16 10:00", "2026-02-15 10:00"),
        ("0 0 * 14W * ?", "2026-02-13 10:00", "2026-02-14 10:00"),
        ("0 0 * 1W * ?", "2026-08-03 10:00", "2026-07-31 10:00"),
        ("0 0 * 31W * ?", "2026-05-29 10:00", "2026-06-01 10:00"),
        ("0 0 * ? * 6L", "2026-01-30 10:00", "2026-01-23 10:00"),
        ("0 0 * ? * FRIL", "2026-01-30 10:00", "2026-01-31 10:00"),
        ("0 0 * ? * L", "2026-01-31 10:00", "2026-01-30 10:00"),
        ("0 0 * ? * MON#1", "2026-01-05 10:00", "2026-01-12 10:00"),
        ("0 0 * ? * 2#5", "2026-03-30 10:00", "2026-03-23 10:00"),
    ],
)
def test_days_are_counted_from_the_end_of_the_month_by_workday_and_by_week(
    cron: str, inside: str, outside: str
) -> None:
    """8: L is the last day, W the nearest workday within the month, # the nth weekday."""
    assert window(cron).is_open(at(inside))
    assert not window(cron).is_open(at(outside))


@pytest.mark.parametrize(
    ("zone", "inside", "outside"),
    [
        ("Europe/Berlin", "2026-01-02 08:00", "2026-01-02 17:00"),
        ("America/New_York", "2026-01-02 22:00", "2026-01-02 13:59"),
        ("UTC+01:00", "2026-01-02 08:00", "2026-01-02 17:00"),
        ("UTC-5", "2026-01-02 14:00", "2026-01-02 13:59"),
        ("UTC+05:30", "2026-01-02 03:30", "2026-01-02 03:29"),
        ("CET", "2026-01-02 08:00", "2026-01-02 17:00"),
        ("PST", "2026-01-02 17:00", "2026-01-02 16:59"),
        ("JST", "2026-01-02 00:00", "2026-01-02 09:00"),
        ("UTC", "2026-01-02 09:00", "2026-01-02 18:00"),
    ],
)
def test_a_window_is_read_off_the_clock_of_its_zone(zone: str, inside: str, outside: str) -> None:
    """8: TimeZone is Region/City, UTC with an offset, or an abbreviation."""
    assert window(OFFICE, zone).is_open(at(inside))
    assert not window(OFFICE, zone).is_open(at(outside))


def test_a_window_keeps_its_hours_when_the_clocks_change() -> None:
    """8: nine o'clock in Berlin is eight of UTC in winter and seven in summer."""
    berlin = window("0 0 9 ? * *", "Europe/Berlin")
    assert berlin.opens(at("2026-03-28 12:00")) == at("2026-03-29 07:00")
    assert berlin.opens(at("2026-10-24 12:00")) == at("2026-10-25 08:00")


def test_an_hour_that_the_clocks_leave_out_does_not_open_on_that_day() -> None:
    """8: half past two does not exist on the night when summer time begins."""
    berlin = window("* 30 2 ? * *", "Europe/Berlin")
    assert berlin.opens(at("2026-03-29 00:00")) == at("2026-03-30 00:30")


def test_an_hour_that_the_clocks_repeat_is_open_twice() -> None:
    """8: two o'clock comes twice on the night when summer time ends."""
    berlin = window("0 0 2 ? * *", "Europe/Berlin")
    hours = [at("2026-10-25 00:00") + timedelta(minutes=30 * step) for step in range(5)]
    assert [berlin.is_open(hour) for hour in hours] == [True, True, True, True, False]


@pytest.mark.parametrize(
    ("cron", "after", "opens"),
    [
        (OFFICE, "2026-01-02 18:00", "2026-01-05 09:00"),
        (OFFICE, "2026-01-02 08:59:30", "2026-01-02 09:00"),
        (OFFICE, "2026-01-02 10:00", "2026-01-02 10:00"),
        ("* 30 9 * * ?", "2026-01-02 09:31", "2026-01-03 09:30"),
        ("0 0 0 1 1 ?", "2026-01-02 00:00", "2027-01-01 00:00"),
    ],
)
def test_the_next_opening_is_the_first_minute_that_matches(
    cron: str, after: str, opens: str
) -> None:
    """8: outside of the window it is known when it opens."""
    assert window(cron).opens(at(after)) == at(opens)


def test_a_window_that_does_not_open_within_a_year_is_not_waited_for() -> None:
    """8: what lies more than a year ahead never opens (CHOICE)."""
    assert window("0 0 0 ? * * 2199").opens(at("2026-01-02 00:00")) is None


@pytest.mark.parametrize(
    "cron",
    [
        "",
        "0 0 9 ? *",
        "0 0 9 ? * MON * *",
        "x 0 9 ? * MON",
        "60 0 9 ? * MON",
        "0 60 9 ? * MON",
        "0 0 24 ? * MON",
        "0 0 9 0 * ?",
        "0 0 9 32 * ?",
        "0 0 9 ? 0 MON",
        "0 0 9 ? 13 MON",
        "0 0 9 ? FOO MON",
        "0 0 9 ? * 0",
        "0 0 9 ? * 8",
        "0 0 9 ? * MON#6",
        "0 0 9 0W * ?",
        "0 0 9 32W * ?",
        "0 0 9 ? * MON 1969",
        "0 0 9 ? * MON 2200",
        "0 0/0 9 ? * MON",
        "0 0 17-9 ? * MON",
        "0 0 9, ? * MON",
        "0 0 9 ? * XL",
        "0 0 9 ? * 8L",
        "0 0 9 ? * 0#1",
    ],
)
def test_an_expression_with_a_field_out_of_its_range_is_refused(cron: str) -> None:
    """8: each field has its range."""
    with pytest.raises(CronError, match=r"write|correct"):
        window(cron)


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "UTC+1:0", "../etc/passwd", "UTC+25"])
def test_an_unknown_time_zone_is_refused(zone: str) -> None:
    """8: a time zone must be known here."""
    with pytest.raises(CronError, match="time zone"):
        window(OFFICE, zone)
