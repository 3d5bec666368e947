"""Readings of the error budget: how fast the last hour spent it, and what becomes of the month.

An hour has evidence where its sweeps make up half of it, and saw of the devices as much as the
policy's least coverage.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from sqlalchemy.orm import Session

from app.availability.budgets import courses
from app.config import Settings
from app.operations.alerts import queries
from app.operations.alerts.deciding import Reading
from app.operations.alerts.queries import Place
from app.operations.alerts.window import FLEET, SweepView
from kpi.budget import Budget, Course, Outlook, budget, missed
from kpi.calendar import Month, day_bounds, local_day
from kpi.policy import DEFAULT_POLICY
from kpi.rates import Amounts, reaches

HOUR_S = 3_600
LEAST_SHARE = 2
"""An hour's sweeps make up at least one part in so many of it."""
_NONE = Amounts()


def burn_readings(sweeps: Iterable[SweepView], place: Place, count: int) -> Iterator[Reading]:
    """The burn rate of the hour that ends with each of the newest sweeps, the newest first."""
    known = list(sweeps)
    for first, newest in enumerate(islice(known, count)):
        within = [each for each in known[first:] if each.tick > newest.tick - HOUR_S]
        yield _burn(newest, within, place)


def _burn(newest: SweepView, within: list[SweepView], place: Place) -> Reading:
    sums = Amounts.total(sweep.cameras.get(place, _NONE) for sweep in within)
    spare = 1 - DEFAULT_POLICY.intact_target
    seen = reaches(sums.assessed, sums.to_be_assessed, DEFAULT_POLICY.min_coverage, "at_least")
    lasted = sum(sweep.interval_s for sweep in within)
    part, whole = missed(sums) * spare.denominator, sums.assessed * spare.numerator
    return Reading(newest.tick, part, whole, bool(seen) and LEAST_SHARE * lasted >= HOUR_S)


@dataclass(frozen=True, slots=True)
class Outlooks:
    """What becomes of the month's target, of every place."""

    budgets: Mapping[Place, Budget]

    def readings(self, now: int) -> Iterator[tuple[Place, list[Reading]]]:
        for place, found in self.budgets.items():
            misses = found.outlook in (Outlook.WILL_MISS, Outlook.MISSED)
            known = found.outlook is not Outlook.UNKNOWN
            yield place, [Reading(now, int(misses), 1, known)]


def outlooks(session: Session, settings: Settings, now: int) -> Outlooks:
    """The budgets of the month that `now` lies in."""
    month = Month.of(local_day(now, settings.zone))
    end = day_bounds(month.last, settings.zone)[1]
    places = queries.places_of_cohorts(session, FLEET)
    parts: dict[Place, list[Course]] = {}
    for cohort_id, course in courses(session, settings, places.keys(), month, now).items():
        for place in places[cohort_id]:
            parts.setdefault(place, []).append(course)
    target = DEFAULT_POLICY.intact_target
    return Outlooks(
        {place: budget(Course.total(of, now, end), target) for place, of in parts.items()}
    )
