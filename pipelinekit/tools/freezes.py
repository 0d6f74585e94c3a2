"""Times in which nothing may change: dates, and days of every week, by the clock of a zone."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Final

from pipelinekit.tools.cron import CronError, time_zone

DAYS: Final = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
WEEK: Final = timedelta(days=7)
DAY: Final = timedelta(days=1)
MOST_IN_A_ROW: Final = 100
_WEEKLY: Final = re.compile(
    r"(?P<day>[A-Z]{3})(?: +(?P<at>\d\d:\d\d))?"
    r"(?: *- *(?P<last>[A-Z]{3})(?: +(?P<until>\d\d:\d\d))?)?"
)

Ends = Callable[[datetime], datetime | None]
"""Give the local end of a freeze that holds at a local time; None where it does not hold then."""


class FreezeError(ValueError):
    """A freeze that cannot be understood."""


@dataclass(frozen=True, slots=True)
class Frozen:
    """That it is a time in which nothing may change.

    Attributes:
        until: When that is over; None where it never is.
        reason: Why.
    """

    until: datetime | None
    reason: str


@dataclass(frozen=True, slots=True)
class Calendar:
    """The freezes of one place.

    Attributes:
        freezes: How each of them ends, with its reason.
        zone: Where they are read off a clock.
    """

    freezes: tuple[tuple[Ends, str], ...]
    zone: tzinfo

    def frozen(self, at: datetime) -> Frozen | None:
        """Tell whether a time, with a zone of its own, is in a freeze, and when that is over.

        Freezes that follow each other without a gap are one.
        """
        first = self._at(at)
        if first is None:
            return None
        end, reason = first
        for _ in range(MOST_IN_A_ROW):
            following = self._at(end)
            if following is None:
                return Frozen(end, reason)
            end = following[0]
        return Frozen(None, reason)

    def _at(self, at: datetime) -> tuple[datetime, str] | None:
        local = at.astimezone(self.zone).replace(tzinfo=None)
        found = [(end, reason) for ends, reason in self.freezes if (end := ends(local))]
        if not found:
            return None
        end, reason = max(found)
        return end.replace(tzinfo=self.zone), reason


def calendar(freezes: Sequence[tuple[str, str, str, str]], zone: str = "UTC") -> Calendar:
    """Read freezes.

    Args:
        freezes: Begin, end, days of the week and reason of each: either the days are given, or
            begin and end.
        zone: `Region/City`, `UTC`, `UTC+01:00` or an abbreviation such as `CET`.

    Raises:
        FreezeError: One of them, or the zone, cannot be understood.
    """
    try:
        where = time_zone(zone)
    except CronError as error:
        raise FreezeError(str(error)) from None
    return Calendar(
        tuple(
            (_weekly(weekly) if weekly else _dated(begin, end), reason)
            for begin, end, weekly, reason in freezes
        ),
        where,
    )


def _dated(begin: str, end: str) -> Ends:
    first, _ = _moment(begin, "begin")
    last, whole_day = _moment(end, "end")
    over = last + DAY if whole_day else last
    if over <= first:
        raise FreezeError(f"a freeze from {begin} to {end} ends before it begins; swap them")
    return lambda at: over if first <= at < over else None


def _moment(text: str, what: str) -> tuple[datetime, bool]:
    try:
        if len(text) == len("2026-12-20"):
            return datetime.combine(date.fromisoformat(text), time()), True
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is not None:
        raise FreezeError(
            f"the {what} of a freeze is {text!r}; write a date such as 2026-12-20, or a local "
            f"time such as 2026-12-20 16:00"
        )
    return found, False


def _weekly(text: str) -> Ends:
    match = _WEEKLY.fullmatch(text.strip().upper())
    if match is None:
        raise _unclear(text)
    begin = _of_week(text, match["day"], match["at"])
    last = match["last"] or match["day"]
    end = _of_week(text, last, match["until"]) + (timedelta() if match["until"] else DAY)
    if match["at"] and not match["last"]:
        raise _unclear(text)
    length = (end - begin) % WEEK
    if not length:
        raise FreezeError(f"the weekly freeze {text!r} never ends; leave some time between")

    def ends(at: datetime) -> datetime | None:
        midnight = datetime.combine(at.date() - timedelta(days=at.weekday()), time())
        since = (at - midnight - begin) % WEEK
        return at - since + length if since < length else None

    return ends


def _of_week(text: str, day: str, at: str | None) -> timedelta:
    hours, _, minutes = (at or "00:00").partition(":")
    if day not in DAYS or int(hours) > 23 or int(minutes) > 59:  # noqa: PLR2004 - a clock's
        raise _unclear(text)
    return timedelta(days=DAYS.index(day), hours=int(hours), minutes=int(minutes))


def _unclear(text: str) -> FreezeError:
    return FreezeError(
        f"a weekly freeze is {text!r}; write days such as SUN or SAT - SUN, or times such as "
        f"FRI 16:00 - MON 07:00"
    )
