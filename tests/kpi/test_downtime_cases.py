"""The cases of Healthchecks' monthly downtime, with our answers: months, DST, odd zones.

Source: github.com/healthchecks/healthchecks, `hc/api/tests/test_check_model.py` (downtimes) and
`hc/lib/tests/test_date.py` (months). Now is 2020-01-15 00:00 UTC. Ours differs in three ways:

- a month reaches as far as its slots exist, and the rest of it is not taken for time that was up
  (Healthchecks: down since the 1st, and 17 of 31 days up);
- the last slot before now does not exist yet;
- without samples a month is unknown, not free of downtime; before installation it is nothing.
"""

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pytest

from kpi.calendar import (
    Month,
    Slots,
    day_bounds,
    day_start,
    days_between,
    existing_end,
    in_service,
    local_day,
)
from kpi.explained import Pieces, joined_pieces, outages_told, pieces
from kpi.ledger import classify, seconds_by_class
from kpi.outages import Failing
from kpi.policy import DEFAULT_POLICY
from kpi.rates import Amounts, rates
from kpi.status import Status

TABLE = DEFAULT_POLICY.class_table()
SLOT_S, HOUR_S, DAY_S = 900, 3600, 86_400
Codes = npt.NDArray[np.uint8]
NOW = datetime(2020, 1, 15, tzinfo=UTC)
LONG_AGO, NEVER = datetime(2019, 1, 1, tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
NOV, DEC, JAN = Month(2019, 11), Month(2019, 12), Month(2020, 1)


class Camera(NamedTuple):
    """Installed and sampled from `created` on, out of order from `down_since` on."""

    created: datetime
    down_since: datetime

    def statuses(self, slots: Slots) -> Codes:
        ticks = slots.start + np.arange(slots.count) * slots.interval_s
        down = np.where(ticks >= self.down_since.timestamp(), Status.TIMEOUT, Status.INTACT)
        sampled = np.where(ticks >= self.created.timestamp(), down, Status.UNKNOWN)
        return sampled.astype(np.uint8)


class Told(NamedTuple):
    """Of a month: seconds that failed, in how many outages; what was assessed, what is unknown."""

    failed: int
    outages: int
    assessed: int
    unknown: int = 0


def of_month(camera: Camera, month: Month, zone: ZoneInfo, now: datetime = NOW) -> Told:
    """Day by day, as the ledger is made."""
    reached = existing_end(int(now.timestamp()), SLOT_S)
    total, parts = Amounts(), []
    for day in days_between(month.first, month.last):
        if not in_service(day, local_day(int(camera.created.timestamp()), zone), None):
            continue
        start, end = day_bounds(day, zone)
        slots = Slots.between(start, max(start, min(end, reached)), SLOT_S)
        statuses = camera.statuses(slots)
        classes = classify(statuses.reshape(1, -1), slots, TABLE)
        total += Amounts(*seconds_by_class(classes, SLOT_S)[0].tolist())
        parts.append(failed_on(statuses, slots))
    found = outages_told(joined_pieces(parts))
    failed = int((found.end - found.start).sum())
    assert failed == total.impaired + total.offline
    return Told(failed, len(found.start), total.assessed, total.unknown)


def failed_on(statuses: Codes, slots: Slots) -> Pieces:
    places = np.flatnonzero((statuses != Status.INTACT) & (statuses != Status.UNKNOWN))
    ticks = slots.start + places * slots.interval_s
    columns = (np.zeros_like(ticks), ticks, statuses[places], np.full_like(ticks, SLOT_S))
    return pieces(Failing(*(column.astype(np.int64) for column in columns)), TABLE, (), ())


ALWAYS_UP, ALWAYS_DOWN = Camera(LONG_AGO, NEVER), Camera(LONG_AGO, LONG_AGO)
A_DAY_AGO = Camera(LONG_AGO, datetime(2020, 1, 14, tzinfo=UTC))
TWO_MONTHS_AGO = Camera(LONG_AGO, datetime(2019, 11, 15, tzinfo=UTC))
BEFORE_NEW_YEAR = Camera(LONG_AGO, datetime(2019, 12, 31, 23, tzinfo=UTC))
NEW = Camera(datetime(2020, 1, 1, 9, tzinfo=UTC), NEVER)
SO_FAR = 14 * DAY_S - SLOT_S
"""January in UTC: up to now but for the slot that does not exist yet."""
RIGA_SO_FAR = SO_FAR + 2 * HOUR_S


@pytest.mark.parametrize(
    ("case", "zone", "camera", "expected"),
    [
        (
            "no_flips", "UTC", ALWAYS_UP,
            {NOV: Told(0, 0, 30 * DAY_S), DEC: Told(0, 0, 31 * DAY_S), JAN: Told(0, 0, SO_FAR)},
        ),
        (
            "currently_down", "UTC", ALWAYS_DOWN,
            {
                NOV: Told(30 * DAY_S, 1, 30 * DAY_S),
                DEC: Told(31 * DAY_S, 1, 31 * DAY_S),
                JAN: Told(SO_FAR, 1, SO_FAR),
            },
        ),
        (
            "flip_one_day_ago", "UTC", A_DAY_AGO,
            {DEC: Told(0, 0, 31 * DAY_S), JAN: Told(DAY_S - SLOT_S, 1, SO_FAR)},
        ),
        (
            "flip_two_months_ago", "UTC", TWO_MONTHS_AGO,
            {
                NOV: Told(16 * DAY_S, 1, 30 * DAY_S),
                DEC: Told(31 * DAY_S, 1, 31 * DAY_S),
                JAN: Told(SO_FAR, 1, SO_FAR),
            },
        ),
        (
            "non_utc_timezone", "Europe/Riga", BEFORE_NEW_YEAR,
            {
                DEC: Told(0, 0, 31 * DAY_S),
                JAN: Told(14 * DAY_S + HOUR_S - SLOT_S, 1, RIGA_SO_FAR),
            },
        ),
        (
            "months_when_check_did_not_exist", "UTC", NEW,
            {
                NOV: Told(0, 0, 0),
                DEC: Told(0, 0, 0),
                JAN: Told(0, 0, SO_FAR - 9 * HOUR_S, unknown=9 * HOUR_S),
            },
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_case(case: str, zone: str, camera: Camera, expected: dict[Month, Told]) -> None:
    assert {month: of_month(camera, month, ZoneInfo(zone)) for month in expected} == expected, case


def test_a_month_that_was_down_has_no_rate_but_zero_under_dst() -> None:
    """`monthly_uptime_pct_handles_dst`: ten months, one of them of an hour more."""
    riga, lengths = ZoneInfo("Europe/Riga"), {}
    for number in range(3, 13):
        told = of_month(ALWAYS_DOWN, Month(2019, number), riga)
        assert (told.failed, told.outages) == (told.assessed, 1)
        figures = rates(Amounts(offline=told.assessed), DEFAULT_POLICY)
        assert (figures.intact_rate, figures.intact_target_met) == (0.0, False)
        lengths[number] = told.assessed
    assert (lengths[3], lengths[10]) == (31 * DAY_S - HOUR_S, 31 * DAY_S + HOUR_S)


def test_the_rest_of_a_month_is_not_taken_for_up() -> None:
    """`currently_down_check`: 17/31 there, 0 here, of what there is of January."""
    told = of_month(ALWAYS_DOWN, JAN, ZoneInfo("UTC"))
    there, here = Fraction(31 - 14, 31), Fraction(told.assessed - told.failed, told.assessed)
    assert here == 0
    assert here < there


@pytest.mark.parametrize(
    ("zone", "month", "begins", "seconds"),
    [
        ("UTC", NOV, "2019-11-01T00:00:00+00:00", 30 * DAY_S),
        ("UTC", DEC, "2019-12-01T00:00:00+00:00", 31 * DAY_S),
        ("UTC", JAN, "2020-01-01T00:00:00+00:00", 31 * DAY_S),
        ("Europe/Riga", NOV, "2019-11-01T00:00:00+02:00", 30 * DAY_S),
        ("Europe/Riga", DEC, "2019-12-01T00:00:00+02:00", 31 * DAY_S),
        ("Europe/Riga", JAN, "2020-01-01T00:00:00+02:00", 31 * DAY_S),
        ("Europe/Riga", Month(2020, 4), "2020-04-01T00:00:00+03:00", 30 * DAY_S),
        ("Asia/Kathmandu", JAN, "2020-01-01T00:00:00+05:45", 31 * DAY_S),
        ("Australia/Lord_Howe", Month(2020, 4), "2020-04-01T00:00:00+11:00", 30 * DAY_S + 1800),
        ("Pacific/Apia", Month(2011, 12), "2011-12-01T00:00:00-10:00", 30 * DAY_S),
        ("America/Havana", Month(2020, 3), "2020-03-01T00:00:00-05:00", 31 * DAY_S - HOUR_S),
        ("America/Asuncion", Month(2017, 10), "2017-10-01T01:00:00-03:00", 31 * DAY_S - HOUR_S),
    ],
)
def test_a_month_that_was_down_in_its_zone(
    zone: str, month: Month, begins: str, seconds: int
) -> None:
    """From its first instant to its last: one outage, and none of the neighbouring months'."""
    place = ZoneInfo(zone)
    first = day_start(month.first, place)
    assert first == int(datetime.fromisoformat(begins).timestamp())
    camera = Camera(datetime(2000, 1, 1, tzinfo=UTC), datetime.fromtimestamp(first, UTC))
    later = datetime(2030, 1, 1, tzinfo=UTC)
    assert of_month(camera, month, place, later) == Told(seconds, 1, seconds)
    before = Month.of(month.first - timedelta(days=1))
    assert of_month(camera, before, place, later).failed == 0
