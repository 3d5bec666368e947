"""What opens an alert and what resolves it: readings in, changes out; no clock, no SQL.

Whatever a rule looks at is a *reading*: a part of a whole at a tick. A reading *has evidence* or it
has none; one without neither helps nor hurts. A rule opens its alert when the newest so many
readings with evidence, all within twice as many slots, are beyond its threshold, and resolves it
when the newest one with evidence is back at its recovery threshold. Source: DESIGN §2 and §4.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, takewhile
from typing import NamedTuple

from app.operations.alerts.tables import AlertEvent, Metric
from kpi.calendar import floor_to_slot
from kpi.rates import Amounts, Direction, reaches

WINDOW = 2
"""Of so many times the slots of a rule the readings may be."""
DIRECTIONS: dict[Metric, Direction] = {
    Metric.INTACT_RATE: "at_least",
    Metric.ONLINE_RATE: "at_least",
    Metric.SUSPENDED_RATE: "at_most",
    Metric.COVERAGE: "at_least",
    Metric.ROOM_DOWN: "at_most",
    Metric.INCIDENT: "at_most",
    Metric.CLOCK_WRONG: "at_most",
    Metric.DISK_LOW: "at_least",
    Metric.BUDGET_BURN: "at_most",
    Metric.MONTH_WILL_MISS: "at_most",
}
NOTHING = Fraction(0)
"""The threshold of what ought not to be at all."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Beyond `threshold` for so many slots it is an alert, until `recovery` is reached."""

    threshold: Fraction
    recovery: Fraction
    direction: Direction
    for_slots: int

    def misses(self, reading: "Reading") -> bool:
        return reaches(reading.part, reading.whole, self.threshold, self.direction) is False

    def recovered(self, reading: "Reading") -> bool:
        return bool(reaches(reading.part, reading.whole, self.recovery, self.direction))


class Reading(NamedTuple):
    """`part` of `whole` in the slot that starts at `tick`."""

    tick: int
    part: int
    whole: int
    has_evidence: bool = True


class Change(NamedTuple):
    """An alert to be opened or resolved; `since` is when its cause (or its end) began; `reading`
    is the one that it is decided by."""

    event: AlertEvent
    since: int
    reading: Reading


def decide(
    readings: Iterable[Reading], limits: Limits, now: int, interval_s: int, *, is_open: bool
) -> Change | None:
    """What follows from the readings, the newest first."""
    told = (each for each in readings if each.has_evidence)
    newest = next(told, None)
    if newest is None:
        return None
    if is_open:
        if limits.recovered(newest):
            return Change(AlertEvent.RESOLVED, newest.tick, newest)
        return None
    if not limits.misses(newest):
        return None
    oldest = floor_to_slot(now, interval_s) - (WINDOW * limits.for_slots - 1) * interval_s
    missed = list(
        takewhile(lambda each: each.tick >= oldest and limits.misses(each), chain((newest,), told))
    )
    if len(missed) < limits.for_slots:
        return None
    return Change(AlertEvent.OPENED, missed[-1].tick, newest)


PARTS = {
    Metric.INTACT_RATE: ("intact", "assessed"),
    Metric.ONLINE_RATE: ("answered", "assessed"),
    Metric.SUSPENDED_RATE: ("suspended", "in_service"),
    Metric.COVERAGE: ("assessed", "to_be_assessed"),
}
"""The two amounts that a rate is made of."""


def reading_of(metric: Metric, tick: int, amounts: Amounts, min_coverage: Fraction) -> Reading:
    """A rate of some devices; below the least coverage it has no evidence, but coverage itself."""
    part, whole = (int(getattr(amounts, name)) for name in PARTS[metric])
    if metric is Metric.COVERAGE:
        return Reading(tick, part, whole, whole > 0)
    seen = reaches(amounts.assessed, amounts.to_be_assessed, min_coverage, "at_least")
    return Reading(tick, part, whole, bool(seen) and whole > 0)


def silent_since(
    *,
    now: int,
    interval_s: int,
    watching_since: int,
    for_slots: int,
    last_finished_at: int | None,
    expected: bool,
) -> int | None:
    """Since when the collector is silent, where that lasts so many slots; None: all is well.

    After a start the collector has as long to bring its first evidence. `expected`: there is
    something to be polled.
    """
    limit_s = for_slots * interval_s
    if not expected or now - watching_since <= limit_s:
        return None
    if last_finished_at is None:
        return watching_since
    return last_finished_at if now - last_finished_at > limit_s else None


def is_quiet(minute: int, quiet_from: int | None, quiet_to: int | None) -> bool:
    """Whether a minute of the day lies in the quiet hours, which may reach over midnight."""
    if quiet_from is None or quiet_to is None or quiet_from == quiet_to:
        return False
    if quiet_from < quiet_to:
        return quiet_from <= minute < quiet_to
    return minute >= quiet_from or minute < quiet_to


def worst_first(
    stations: Iterable[tuple[str | None, str | None, Amounts]],
) -> list[tuple[str | None, str | None, Amounts]]:
    """The (code, name, cameras) with cameras that are not intact, the lowest rate first."""
    failing = [each for each in stations if each[2].intact < each[2].assessed]

    def rank(station: tuple[str | None, str | None, Amounts]) -> tuple[float, int, str]:
        code, _, cameras = station
        lost = cameras.assessed - cameras.intact
        return cameras.intact / cameras.assessed, -lost, code or ""

    return sorted(failing, key=rank)
