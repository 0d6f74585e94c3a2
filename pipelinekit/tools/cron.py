"""Windows of time as AWS's cron expressions describe them: open at each minute that matches.

The fields are seconds, minutes, hours, day of month, month, day of week and perhaps the year. A
window has no seconds. Where both seconds and minutes are `0`, whole hours are meant.
"""

import calendar
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone, tzinfo
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

MONTHS: Final = re.findall("...", "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC")
DAYS: Final = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
FIELDS: Final = ("seconds", "minutes", "hours", "day of month", "month", "day of week", "year")
HORIZON: Final = timedelta(days=366)
_HOUR: Final = timedelta(hours=1)
_MINUTE: Final = timedelta(minutes=1)
ABBREVIATIONS: Final[Mapping[str, int]] = {
    "PST": -8,
    "PDT": -7,
    "MDT": -6,
    "CDT": -5,
    "EDT": -4,
    "WEST": 1,
    "CEST": 2,
    "EEST": 3,
    "JST": 9,
    "KST": 9,
    "AEST": 10,
    "AEDT": 11,
    "NZST": 12,
    "NZDT": 13,
}
"""Hours from UTC of zones that no system has by name; IST and BST are several, and left out."""

_OFFSET: Final = re.compile(r"UTC([+-])(\d{1,2})(?::?(\d{2}))?")

Match = Callable[[datetime], bool]


class CronError(ValueError):
    """An expression or a time zone that cannot be understood."""


@dataclass(frozen=True, slots=True)
class Window:
    """Times at which something is open.

    Attributes:
        minute: Whether the minute of a time is among them.
        hour: Whether its hour is.
        day: Whether its day, month and year are.
        zone: Where these are read off a clock.
    """

    minute: Match
    hour: Match
    day: Match
    zone: tzinfo

    def is_open(self, at: datetime) -> bool:
        """Tell whether a time, with a zone of its own, is among them."""
        local = at.astimezone(self.zone)
        return self.day(local) and self.hour(local) and self.minute(local)

    def opens(self, after: datetime) -> datetime | None:
        """Give the first minute from a time on that is among them; None for a year without."""
        at = after.replace(second=0, microsecond=0)
        at += _MINUTE if at < after else timedelta()
        while at - after < HORIZON:
            local = at.astimezone(self.zone)
            if not self.day(local) or not self.hour(local):
                at += _HOUR - timedelta(minutes=local.minute)
            elif not self.minute(local):
                at += _MINUTE
            else:
                return at
        return None


def window(expression: str, zone: str = "UTC") -> Window:
    """Read an expression.

    Args:
        expression: Six or seven fields, such as `0 0 9-17 ? * MON-FRI *`.
        zone: `Region/City`, `UTC`, `UTC+01:00` or an abbreviation such as `CET`.

    Raises:
        CronError: It has a field that cannot be understood.
    """
    given = expression.split()
    if len(given) not in {len(FIELDS) - 1, len(FIELDS)}:
        raise CronError(
            f"{expression!r} has {len(given)} fields; write six or seven: {', '.join(FIELDS)}"
        )
    seconds, minutes, hours, day, month, weekday, *years = given
    if seconds not in {"*", "?"}:
        _numbers(seconds, "seconds", 0, 59)
    whole = {seconds.strip("0"), minutes.strip("0")} == {""}  # 0 or 00
    minute = _numbers("*" if whole else minutes, "minutes", 0, 59)
    hour = _numbers(hours, "hours", 0, 23)
    of_month, of_week = _day_of_month(day), _day_of_week(weekday)
    in_month = _numbers(month, "month", 1, 12, MONTHS)
    year = _numbers(years[0] if years else "*", "year", 1970, 2199)
    return Window(
        minute=lambda at: at.minute in minute,
        hour=lambda at: at.hour in hour,
        day=lambda at: at.year in year and at.month in in_month and of_month(at) and of_week(at),
        zone=time_zone(zone),
    )


def time_zone(name: str) -> tzinfo:
    """Find a time zone: `Region/City`, `UTC`, `UTC+01:00` or an abbreviation such as `CET`.

    Raises:
        CronError: There is none of that name.
    """
    offset = _OFFSET.fullmatch(name)
    try:
        if offset:
            minutes = int(offset[2]) * 60 + int(offset[3] or 0)
            return timezone(timedelta(minutes=-minutes if offset[1] == "-" else minutes))
        hours = ABBREVIATIONS.get(name)
        return ZoneInfo(name) if hours is None else timezone(timedelta(hours=hours), name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise CronError(
            f"{name!r} is no time zone; write Region/City, UTC, UTC+01:00 or such as CET"
        ) from None


def _numbers(
    text: str, field: str, least: int, most: int, names: list[str] | None = None
) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        span, slash, step = part.partition("/")
        if slash and not (step.isdecimal() and int(step)):
            raise _wrong(field, text)
        first, last = _span(span, field, least, most, names or [])
        if slash and "-" not in span and span not in {"*", "?"}:
            last = most
        found.update(range(first, last + 1, int(step) if slash else 1))
    return frozenset(found)


def _span(text: str, field: str, least: int, most: int, names: list[str]) -> tuple[int, int]:
    if text in {"*", "?"}:
        return least, most
    low, dash, high = text.partition("-")
    first = _number(low, field, names, least)
    last = _number(high, field, names, least) if dash else first
    if not least <= first <= last <= most:
        raise _wrong(field, text)
    return first, last


def _number(text: str, field: str, names: list[str], least: int) -> int:
    if text.upper() in names:
        return names.index(text.upper()) + least
    if not text.isdecimal():
        raise _wrong(field, text)
    return int(text)


def _day_of_month(text: str) -> Match:
    if text == "L":
        return lambda at: at.day == _days(at)
    if text == "LW":
        return lambda at: at.day == _weekday_near(at, _days(at))
    near = re.fullmatch(r"(\d{1,2})W", text)
    if near and 1 <= int(near[1]) <= 31:  # noqa: PLR2004 - as a month has days
        wanted = int(near[1])
        return lambda at: at.day == _weekday_near(at, wanted)
    days = _numbers(text, "day of month", 1, 31)
    return lambda at: at.day in days


def _day_of_week(text: str) -> Match:
    if text == "L":
        return lambda at: _weekday(at) == len(DAYS)
    last = re.fullmatch(r"(\w+)L", text)
    if last:
        day, _ = _span(last[1], "day of week", 1, 7, DAYS)
        return lambda at: _weekday(at) == day and at.day > _days(at) - 7
    nth = re.fullmatch(r"(\w+)#([1-5])", text)
    if nth:
        day, _ = _span(nth[1], "day of week", 1, 7, DAYS)
        count = int(nth[2])
        return lambda at: _weekday(at) == day and (at.day - 1) // 7 + 1 == count
    days = _numbers(text, "day of week", 1, 7, DAYS)
    return lambda at: _weekday(at) in days


def _weekday(at: datetime) -> int:
    return at.isoweekday() % 7 + 1  # 1 is Sunday


def _days(at: datetime) -> int:
    return calendar.monthrange(at.year, at.month)[1]


def _weekday_near(at: datetime, day: int) -> int:
    """Give the working day of the month of `at` that is nearest to a day, within that month."""
    last = _days(at)
    day = min(day, last)
    weekday = datetime(at.year, at.month, day, tzinfo=at.tzinfo).isoweekday()
    if weekday == 6:  # noqa: PLR2004 - Saturday: the Friday before, else the Monday after
        return day - 1 if day > 1 else day + 2
    if weekday == 7:  # noqa: PLR2004 - Sunday: the Monday after, else the Friday before
        return day + 1 if day < last else day - 2
    return day


def _wrong(field: str, text: str) -> CronError:
    return CronError(f"{text!r} is no {field}; correct that field of the expression")
