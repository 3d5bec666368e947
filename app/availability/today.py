"""The slots of the present day of each group, a quarter of an hour at a time.

They come from what the sweeps counted, not from samples, so that a bar costs the same whatever the
size of the fleet. A quarter whose sweeps are missing is blind: never met and never missed.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from sqlalchemy.orm import Session

from app.availability import queries
from app.availability.queries import Stretch
from app.availability.selection import Selection
from app.config import Settings
from app.evidence.store import slot_length
from app.web.bars import LEVELS, NOTHING, Strip, strip
from app.web.language import message
from kpi.calendar import QUARTER_S, day_bounds, existing_end, local_day
from kpi.policy import DEFAULT_POLICY
from kpi.rates import Amounts, reaches

TARGET = DEFAULT_POLICY.intact_target
BAD_BELOW = TARGET - Fraction(5, 100)
"""A miss by so much is a bad one."""
LEVEL_WORDS: Mapping[str, str] = {
    "met": message("target met"),
    "low": message("target missed"),
    "bad": message("far below target"),
    "blind": message("no evidence"),
}


@dataclass(frozen=True, slots=True)
class Quarters:
    """A group's day so far: its strip, and (word, seconds) of each level that occurs."""

    strip: Strip
    seconds: list[tuple[str, int]]


def level(amounts: Amounts) -> str | None:
    """How sums stand to the target of the intact rate; None: nothing was to be assessed."""
    if not amounts.to_be_assessed:
        return None
    covered = reaches(
        amounts.assessed, amounts.to_be_assessed, DEFAULT_POLICY.min_coverage, "at_least"
    )
    if not covered or not amounts.assessed:
        return "blind"
    if reaches(amounts.intact, amounts.assessed, TARGET, "at_least"):
        return "met"
    is_near = reaches(amounts.intact, amounts.assessed, BAD_BELOW, "at_least")
    return "low" if is_near else "bad"


def quarters_today(
    session: Session, settings: Settings, selection: Selection, now: int
) -> dict[int | None, Quarters]:
    """Group id → its quarters from midnight to the newest slot; those to come are left out."""
    start, end = day_bounds(local_day(now, settings.zone), settings.zone)
    interval_s = slot_length(session, local_day(now, settings.zone), settings.poll_interval)
    reached = max(start, min(end, existing_end(now, interval_s)))
    counted = _counted(session, start, reached)
    sums: dict[int | None, dict[int, Amounts]] = defaultdict(lambda: defaultdict(Amounts))
    for cohort_id, number, amounts in counted.stretches:
        if cohort_id in selection.cohorts:
            sums[selection.group_of(cohort_id)][number] += amounts
    expected = {
        number: (min(reached, at + QUARTER_S) - at) // interval_s
        for number, at in enumerate(range(start, reached, QUARTER_S))
    }
    width = (end - start) // QUARTER_S
    return {
        group: _quarters(
            {
                number: _with_missing(of_group[number], counted.sweeps.get(number, 0), slots)
                for number, slots in expected.items()
            },
            width,
        )
        for group, of_group in sums.items()
    }


@dataclass(frozen=True, slots=True)
class _Counted:
    """What the sweeps of a stretch counted, and how many there are in each quarter."""

    start: int
    end: int
    sweeps: Mapping[int, int]
    stretches: Sequence[Stretch]


_known: dict[str, _Counted] = {}
"""Address of a database → what was counted last: many pages are looked at between two sweeps."""


def _counted(session: Session, start: int, end: int) -> _Counted:
    database = str(session.get_bind().engine.url)
    sweeps = queries.sweeps_by_stretch(session, start, end, QUARTER_S)
    known = _known.get(database)
    if known is None or (known.start, known.end, known.sweeps) != (start, end, sweeps):
        stretches = queries.counts_by_stretch(session, start, end, QUARTER_S)
        known = _known[database] = _Counted(start, end, sweeps, stretches)
    return known


def _with_missing(amounts: Amounts, sweeps: int, slots: int) -> Amounts:
    """The sums of a quarter, its slots without a sweep as unknown."""
    if sweeps >= slots:
        return amounts
    if not sweeps:
        return Amounts(unknown=1)
    missing = amounts.to_be_assessed * (slots - sweeps) // sweeps
    return replace(amounts, unknown=amounts.unknown + missing)


def _quarters(quarters: Mapping[int, Amounts], width: int) -> Quarters:
    values = np.full(width, NOTHING, dtype=np.uint8)
    seconds: Counter[str] = Counter()
    for number, amounts in quarters.items():
        found = level(amounts)
        if found is not None:
            values[number] = LEVELS.index(found)
            seconds[found] += QUARTER_S
    words = [(LEVEL_WORDS[each], seconds[each]) for each in LEVELS if seconds[each]]
    return Quarters(strip(values, LEVELS), words)
