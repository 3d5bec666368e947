"""Outages, held against a loop that looks at every slot."""

from collections import Counter
from random import Random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kpi.ledger import Cover
from kpi.outages import Failing, Outage, Spans, joined_spans, outages, spans
from kpi.policy import DEFAULT_POLICY
from kpi.status import SlotClass, Status

TABLE = DEFAULT_POLICY.class_table()
SLOT_S = 60
STATUSES = st.sampled_from(
    [Status.INTACT, Status.CLOCK_WRONG, *list(Status)[2:5], *list(Status)[12:]]
)
DAYS = st.lists(st.lists(STATUSES, min_size=12, max_size=12), min_size=1, max_size=3)
"""Device by device, its slots; UNKNOWN stands for no sample."""
COVERS = st.lists(
    st.builds(Cover, st.integers(0, 3), st.integers(-60, 800), st.none() | st.integers(-60, 800)),
    max_size=3,
)


def failing(days: list[list[Status]]) -> Failing:
    rows = [
        (device, slot * SLOT_S, status, SLOT_S)
        for device, day in enumerate(days)
        for slot, status in enumerate(day)
        if status not in (Status.INTACT, Status.UNKNOWN)
    ]
    return Failing(*np.array(rows, dtype=np.int64).reshape(-1, 4).T)


def slot_by_slot(days: list[list[Status]], covers: list[Cover]) -> list[Outage]:
    found = []
    for device, day in enumerate(days):
        start: int | None = None
        seen: Counter[int] = Counter()
        for slot, status in enumerate([*day, Status.INTACT]):
            tick = slot * SLOT_S
            is_covered = any(
                cover.row == device
                and cover.start <= tick
                and (cover.end is None or tick < cover.end)
                for cover in covers
            )
            if TABLE[status] in (SlotClass.IMPAIRED, SlotClass.OFFLINE) and not is_covered:
                start = tick if start is None else start
                seen[status] += SLOT_S
            elif start is not None:
                longest = sorted(seen.items(), key=lambda each: (-each[1], each[0]))
                found.append(Outage(device, start, tick, tuple(longest)))
                start, seen = None, Counter()
    return found


@given(DAYS, COVERS)
def test_agrees_with_a_look_at_every_slot(days: list[list[Status]], covers: list[Cover]) -> None:
    assert outages(failing(days), TABLE, covers) == slot_by_slot(days, covers)


def test_goes_on_over_midnight_where_the_slots_change_their_length() -> None:
    samples = Failing(*np.array([(7, 0, 20, 60), (7, 60, 21, 300), (7, 360, 21, 300)]).T)
    (found,) = outages(samples, TABLE)
    assert (found.device, found.start, found.end) == (7, 0, 660)
    assert found.statuses == ((21, 600), (20, 60))
    assert (found.status, found.seconds) == (Status.REFUSED, 660)


def test_nothing_fails() -> None:
    assert outages(failing([]), TABLE) == []


@given(DAYS, COVERS)
def test_spans_are_the_outages_without_their_statuses(
    days: list[list[Status]], covers: list[Cover]
) -> None:
    samples = failing(days)
    expected = [(each.device, each.start, each.end) for each in outages(samples, TABLE, covers)]
    assert rows_of(spans(samples, TABLE, covers)) == expected


@given(DAYS)
def test_one_class_alone(days: list[list[Status]]) -> None:
    """Those offline alone: as if all else were intact."""
    offline = [
        [status if TABLE[status] == SlotClass.OFFLINE else Status.INTACT for status in day]
        for day in days
    ]
    found = outages(failing(days), TABLE, failing=(SlotClass.OFFLINE,))
    assert found == outages(failing(offline), TABLE)


@given(DAYS, st.integers(0, 12), st.randoms())
def test_spans_that_meet_are_one(days: list[list[Status]], cut: int, random: Random) -> None:
    samples = failing(days)
    before = samples.tick < cut * SLOT_S
    parts = [
        spans(Failing(*(column[chosen] for column in samples)), TABLE)
        for chosen in (before, ~before)
    ]
    random.shuffle(parts)
    assert rows_of(joined_spans(parts)) == rows_of(spans(samples, TABLE))


def test_no_spans_joined_are_none() -> None:
    assert rows_of(joined_spans([])) == []


def rows_of(found: Spans) -> list[tuple[int, ...]]:
    return list(zip(*(column.tolist() for column in found), strict=True))
