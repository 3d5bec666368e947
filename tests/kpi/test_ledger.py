"""The vectorised ledger against a loop that takes one slot after the other."""

from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi.calendar import Month, Slots, day_bounds, days_between, in_service
from kpi.ledger import Cover, Statuses, classify, intact_by_video, seconds_by_class
from kpi.policy import DEFAULT_POLICY
from kpi.status import DEFAULT_CLASSES, SlotClass, Status

CODES = st.sampled_from([int(code) for code in Status])
TABLE = DEFAULT_POLICY.class_table()


@dataclass(frozen=True)
class Case:
    slots: Slots
    statuses: Statuses
    suspended: list[Cover]
    exempted: list[Cover]


@st.composite
def covers(draw: st.DrawFn, devices: int, slots: Slots) -> list[Cover]:
    """Facts that begin and end anywhere around the slots, also between two of them."""
    moments = st.integers(slots.start - 300, slots.end + 300)
    count = draw(st.integers(0, 4))
    drawn = []
    for _ in range(count):
        start = draw(moments)
        end = draw(st.none() | st.integers(start, slots.end + 400))
        drawn.append(Cover(draw(st.integers(0, devices - 1)), start, end))
    return drawn


@st.composite
def cases(draw: st.DrawFn) -> Case:
    devices, count = draw(st.integers(1, 3)), draw(st.integers(0, 20))
    slots = Slots(draw(st.integers(0, 10)) * 60, 60, count)
    rows = st.lists(CODES, min_size=count, max_size=count)
    matrix = draw(st.lists(rows, min_size=devices, max_size=devices))
    statuses = np.array(matrix, dtype=np.uint8).reshape(devices, count)
    return Case(slots, statuses, draw(covers(devices, slots)), draw(covers(devices, slots)))


def slot_class(case: Case, device: int, number: int) -> SlotClass:
    """The first that applies: suspended, exempted, class of the status (DESIGN §4)."""
    if covered(case, case.suspended, device, number):
        return SlotClass.SUSPENDED
    if covered(case, case.exempted, device, number):
        return SlotClass.EXEMPTED
    return DEFAULT_CLASSES[Status(int(case.statuses[device, number]))]


def covered(case: Case, facts: list[Cover], device: int, number: int) -> bool:
    tick = case.slots.start + number * case.slots.interval_s
    return any(
        fact.row == device and fact.start <= tick and (fact.end is None or tick < fact.end)
        for fact in facts
    )


def naive(case: Case) -> list[list[int]]:
    seconds = [[0] * len(SlotClass) for _ in case.statuses]
    for device in range(len(case.statuses)):
        for number in range(case.slots.count):
            seconds[device][slot_class(case, device, number)] += case.slots.interval_s
    return seconds


def vectorised(case: Case) -> list[list[int]]:
    classes = classify(case.statuses, case.slots, TABLE, case.suspended, case.exempted)
    result: list[list[int]] = seconds_by_class(classes, case.slots.interval_s).tolist()
    return result


@given(case=cases())
def test_agrees_with_the_naive_loop(case: Case) -> None:
    assert vectorised(case) == naive(case)


@given(case=cases())
def test_classes_add_up_to_the_time_in_service(case: Case) -> None:
    in_service_s = case.slots.count * case.slots.interval_s
    assert all(sum(row) == in_service_s for row in vectorised(case))


@given(case=cases(), cut=st.integers(0, 20))
def test_runs_of_slots_add_up(case: Case, cut: int) -> None:
    cut = min(cut, case.slots.count)
    middle = case.slots.start + cut * 60
    first = Slots(case.slots.start, 60, cut)
    second = Slots(middle, 60, case.slots.count - cut)
    parts = [
        np.array(vectorised(Case(slots, statuses, case.suspended, case.exempted)))
        for slots, statuses in (
            (first, case.statuses[:, :cut]),
            (second, case.statuses[:, cut:]),
        )
    ]
    assert (parts[0] + parts[1]).tolist() == vectorised(case)


@given(case=cases(), data=st.data())
def test_intact_under_a_good_video_check(case: Case, data: st.DataObject) -> None:
    checked = data.draw(covers(len(case.statuses), case.slots))
    classes = classify(case.statuses, case.slots, TABLE, case.suspended, case.exempted)
    counted = [
        sum(
            60
            for number in range(case.slots.count)
            if slot_class(case, device, number) is SlotClass.INTACT
            and covered(case, checked, device, number)
        )
        for device in range(len(case.statuses))
    ]
    seconds = intact_by_video(classes, case.slots, checked)
    assert seconds.tolist() == counted
    assert (seconds <= seconds_by_class(classes, 60)[:, SlotClass.INTACT]).all()
    assert seconds.tolist() == intact_by_video(classes, case.slots, checked * 2).tolist()


@given(case=cases(), order=st.randoms())
def test_order_and_repetition_of_facts_change_nothing(case: Case, order: object) -> None:
    again = case.suspended * 2
    order.shuffle(again)  # type: ignore[attr-defined]
    assert vectorised(case) == vectorised(Case(case.slots, case.statuses, again, case.exempted))


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [("Europe/Berlin", date(2026, 3, 29), 23), ("Europe/Berlin", date(2026, 10, 25), 25)],
)
def test_days_of_23_and_25_hours(zone: str, day: date, hours: int) -> None:
    slots = Slots.between(*day_bounds(day, ZoneInfo(zone)), 60)
    statuses = np.zeros((1, slots.count), dtype=np.uint8)
    noon_to_end = Cover(0, slots.start + hours * 1800, None)
    classes = classify(statuses, slots, TABLE, [noon_to_end])
    half = hours * 1800
    assert seconds_by_class(classes, 60).tolist() == [[half, 0, 0, 0, half, 0]]


def test_month_with_commissioning_and_a_suspension_over_its_end() -> None:
    """Commissioned on the 15th, suspended from the 30th 12:00 into the next month."""
    zone, month = ZoneInfo("Asia/Shanghai"), Month(2026, 6)
    suspended_from = day_bounds(date(2026, 6, 30), zone)[0] + 12 * 3600
    suspension = Cover(0, suspended_from, suspended_from + 10 * 86_400)
    total = np.zeros(len(SlotClass), dtype=np.int64)
    for day in days_between(month.first, month.last):
        if in_service(day, date(2026, 6, 15), None):
            slots = Slots.between(*day_bounds(day, zone), 300)
            statuses = np.zeros((1, slots.count), dtype=np.uint8)
            total += seconds_by_class(classify(statuses, slots, TABLE, [suspension]), 300)[0]
    assert total.tolist() == [15 * 86_400 + 12 * 3600, 0, 0, 0, 12 * 3600, 0]
