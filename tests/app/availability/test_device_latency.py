"""How quickly a device answered over the last 24 hours, and when there is no sample."""

from collections.abc import Callable
from datetime import date

import pytest

from app.availability.device_latency import MOST_GAPS, LatencyCourse, latency_course
from app.evidence.sample_queries import SampleRow
from app.evidence.store import claim_day, store_samples
from app.evidence.tables import DayOrigin
from app.fleet.roster import device_ids_by_code
from kpi.calendar import day_start
from tests.app.availability.district import SLOT_S, District

FIRST, SECOND = date(2026, 3, 1), date(2026, 3, 2)
Sample = tuple[int, int | None] | None
"""(status, latency), or none."""


def observe(district: District, day: date, sample_of: Callable[[int], Sample]) -> None:
    """Samples of C3, of which there are none yet, for the 96 slots of a day."""
    start = day_start(day, district.settings.zone)
    rows: list[SampleRow] = []
    with district.database.write() as session:
        device = device_ids_by_code(session)["C3"]
        claim_day(session, day, district.settings.timezone, SLOT_S, DayOrigin.IMPORT)
        for number in range(96):
            sample = sample_of(number)
            if sample:
                rows.append((start + number * SLOT_S, device, *sample))
        store_samples(session, district.settings.zone, rows)


def course(
    district: District, moment: str, shows: Callable[[date], bool] = lambda _: True
) -> LatencyCourse | None:
    with district.database.read() as session:
        device = device_ids_by_code(session)["C3"]
        return latency_course(session, district.settings, device, shows, district.at(moment))


def test_median_p95_and_the_slots_behind_them(district: District) -> None:
    observe(district, FIRST, lambda n: (0, n + 1))
    observe(district, SECOND, lambda _: (0, 500))
    found = course(district, "2026-03-02 00:30")  # of today no slot exists before 00:30
    assert found is not None
    # the 96 slots of the first day less one, as one of today's exists: 2 … 96, and 500
    assert found.whole == (49, 93, 96)
    assert (found.unanswered, found.gaps_s, found.gaps) == (0, 0, [])
    first, last = found.pieces[0], found.pieces[-1]
    assert (f"{first.start:%d. %H:%M}", first.answers, first.slots) == ("01. 00:00", (2, 2, 1), 1)
    assert (f"{last.start:%d. %H:%M}", last.answers, last.slots) == ("02. 00:00", (500, 500, 1), 1)
    assert found.pieces[1].answers == (3, 4, 2)
    assert len(found.pieces) == 49


def test_no_answer_is_no_gap(district: District) -> None:
    observe(district, FIRST, lambda n: None if n < 8 else (20, None) if n < 16 else (0, 7))
    found = course(district, "2026-03-02 00:15")
    assert found is not None
    assert found.whole == (7, 7, 80)
    assert found.unanswered == 8
    assert [(f"{start:%H:%M}", f"{end:%H:%M}") for start, end in found.gaps] == [("00:00", "02:00")]
    assert found.gaps_s == 7200
    assert [(each.sampled, each.answers.median_ms) for each in found.pieces[3:6]] == [
        (0, None),
        (2, None),
        (2, None),
    ]


def test_of_many_gaps_the_newest_are_told(district: District) -> None:
    observe(district, FIRST, lambda n: (0, 7) if n % 2 else None)
    found = course(district, "2026-03-02 00:15")
    assert found is not None
    assert (len(found.gaps), found.gaps_left_out) == (MOST_GAPS, 48 - MOST_GAPS)
    assert f"{found.gaps[0][0]:%H:%M}" == "23:30"
    assert found.gaps_s == 48 * SLOT_S


@pytest.mark.parametrize(
    ("shown", "hours"), [((), None), ((SECOND,), range(6)), ((FIRST, SECOND), range(24))]
)
def test_only_days_that_are_shown(
    district: District, shown: tuple[date, ...], hours: range | None
) -> None:
    found = course(district, "2026-03-02 06:15", lambda day: day in shown)
    if hours is None:
        assert found is None
    else:
        assert found is not None
        assert sorted({each.start.hour for each in found.pieces}) == list(hours)
        assert found.gaps_s == len(hours) * 3600
