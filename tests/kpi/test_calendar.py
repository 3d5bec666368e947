"""Local days and slots, in zones where days have 23, 24, 25 hours or none at all."""

from datetime import date
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi.calendar import (
    Month,
    Slots,
    day_bounds,
    day_start,
    existing_end,
    floor_to_slot,
    in_service,
    local_day,
)

ZONES = ["Asia/Shanghai", "Europe/Berlin", "America/Sao_Paulo", "Australia/Lord_Howe", "Asia/Gaza"]
DAYS = st.dates(date(2000, 1, 1), date(2040, 12, 31))


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Asia/Shanghai", date(2026, 3, 29), 24),
        ("Europe/Berlin", date(2026, 3, 29), 23),
        ("Europe/Berlin", date(2026, 10, 25), 25),
        ("America/Sao_Paulo", date(2018, 11, 4), 23),  # no midnight: the day begins at 01:00
        ("America/Sao_Paulo", date(2018, 2, 17), 25),
        ("America/Havana", date(2026, 11, 1), 25),  # midnight comes twice
        ("Australia/Lord_Howe", date(2026, 10, 4), 23.5),
        ("Pacific/Apia", date(2011, 12, 30), 0),  # the day that was left out
    ],
)
def test_length_of_days(zone: str, day: date, hours: float) -> None:
    start, end = day_bounds(day, ZoneInfo(zone))
    assert (end - start) / 3600 == hours


@given(day=DAYS, name=st.sampled_from(ZONES))
def test_days_join_and_hold_their_own_instants(day: date, name: str) -> None:
    zone = ZoneInfo(name)
    start, end = day_bounds(day, zone)
    assert start % 900 == 0
    assert local_day(start, zone) == day
    assert local_day(end - 1, zone) == day
    assert local_day(start - 1, zone) < day
    assert day_start(local_day(end, zone), zone) == end


@pytest.mark.parametrize(
    ("now", "end"),
    [(0, -60), (59, -60), (60, 0), (119, 0), (120, 60), (121, 60)],
)
def test_slots_exist_when_two_intervals_have_passed(now: int, end: int) -> None:
    assert existing_end(now, 60) == end


@given(now=st.integers(0, 2**33), interval=st.sampled_from([1, 30, 60, 300, 900]))
def test_existing_end_by_definition(now: int, interval: int) -> None:
    end = existing_end(now, interval)
    last, following = end - interval, end
    assert last + 2 * interval <= now
    assert following + 2 * interval > now


def test_instants_are_floored_to_their_slot() -> None:
    assert floor_to_slot(1_000_000_059.9, 60) == 1_000_000_020


@given(start=st.integers(-10, 10), count=st.integers(0, 20), instant=st.integers(-2_000, 3_000))
def test_index_from_finds_the_first_slot_at_or_after(start: int, count: int, instant: int) -> None:
    slots = Slots(start * 60, 60, count)
    starts = [slots.start + n * 60 for n in range(count)]
    after = [n for n, begin in enumerate(starts) if begin >= instant]
    assert slots.index_from(instant) == (after[0] if after else count)


@pytest.mark.parametrize(
    "text", ["2026-13", "2026-00", "2026-1", "26-01", "2026/01", "", "2026-01x"]
)
def test_what_is_no_month(text: str) -> None:
    with pytest.raises(ValueError, match="month"):
        Month.parse(text)


def test_month_has_its_days() -> None:
    february = Month.parse("2028-02")
    assert (february.first, february.last) == (date(2028, 2, 1), date(2028, 2, 29))
    assert str(Month.of(date(2026, 12, 31))) == "2026-12"
    assert Month(2026, 12).last == date(2026, 12, 31)


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (date(2026, 1, 1), False),
        (date(2026, 1, 2), True),
        (date(2026, 1, 4), True),
        (date(2026, 1, 5), False),
    ],
)
def test_service_is_from_midnight_to_midnight(day: date, expected: bool) -> None:
    assert in_service(day, date(2026, 1, 2), date(2026, 1, 5)) is expected
