"""Local days, months and slots.

An instant is an `int` of UTC seconds since 1970; a day is a `datetime.date` of the zone given.
A local day is cut into slots of one poll interval, which divides 900 s: local midnights of every
zone in use are whole quarters of an hour, so a slot's start is a multiple of the interval. Days of
23 and 25 hours come out of the zone's own rules. Source: DESIGN §2.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

QUARTER_S = 900


def day_start(day: date, zone: ZoneInfo) -> int:
    """The first instant of a local day (also where its midnight is skipped or comes twice)."""
    return int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp())


def day_bounds(day: date, zone: ZoneInfo) -> tuple[int, int]:
    """First instant of the day and of the next one."""
    return day_start(day, zone), day_start(day + timedelta(days=1), zone)


def local_day(instant: int, zone: ZoneInfo) -> date:
    """The local day that an instant belongs to."""
    return datetime.fromtimestamp(instant, zone).date()


def floor_to_slot(instant: float, interval_s: int) -> int:
    """The start of the slot that an instant falls into."""
    return int(instant // interval_s) * interval_s


def existing_end(now: int, interval_s: int) -> int:
    """End (exclusive) of the slots that exist: those with `tick + 2 × interval ≤ now`."""
    return floor_to_slot(now, interval_s) - interval_s


def days_between(first: date, last: date) -> list[date]:
    """All days from `first` to `last`, both included."""
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


@dataclass(frozen=True, slots=True)
class Month:
    """A calendar month."""

    year: int
    number: int

    @classmethod
    def parse(cls, text: str) -> "Month":
        """Read `YYYY-MM`. Raises `ValueError` for anything else."""
        if (
            len(text) != 7
            or text[4] != "-"
            or not text.isascii()
            or not (text[:4] + text[5:]).isdecimal()
        ):
            raise ValueError(f"{text!r} is not a month of the form YYYY-MM")
        first = date(int(text[:4]), int(text[5:]), 1)
        return cls(first.year, first.month)

    @classmethod
    def of(cls, day: date) -> "Month":
        return cls(day.year, day.month)

    @property
    def first(self) -> date:
        return date(self.year, self.number, 1)

    @property
    def last(self) -> date:
        following = date(self.year + self.number // 12, self.number % 12 + 1, 1)
        return following - timedelta(days=1)

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.number:02d}"


@dataclass(frozen=True, slots=True)
class Slots:
    """A run of slots: `count` slots of `interval_s` seconds, the first one starting at `start`."""

    start: int
    interval_s: int
    count: int

    @classmethod
    def between(cls, start: int, end: int, interval_s: int) -> "Slots":
        """The slots that start in `[start, end)`; both are slot starts of one day."""
        return cls(start, interval_s, max(0, -(-(end - start) // interval_s)))

    @property
    def end(self) -> int:
        """End of the last slot, exclusive."""
        return self.start + self.count * self.interval_s

    def index_from(self, instant: int) -> int:
        """Index of the first slot that starts at or after an instant, within 0..count."""
        return min(max(-(-(instant - self.start) // self.interval_s), 0), self.count)


def in_service(day: date, commissioned_on: date, decommissioned_on: date | None) -> bool:
    """Whether a device is in service on a day: dates are local midnights, so it is all or nothing.

    `commissioned_on` is the register's date, or the day of its first entry where that is empty.
    """
    return commissioned_on <= day and (decommissioned_on is None or day < decommissioned_on)
