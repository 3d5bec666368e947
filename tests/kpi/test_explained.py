"""Pieces and outages against a loop over all slots."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kpi.explained import Excuse, Pieces, joined_pieces, outages_told, pieces, tell
from kpi.ledger import Cover
from kpi.outages import Failing
from kpi.policy import DEFAULT_POLICY
from kpi.status import SlotClass

TABLE = DEFAULT_POLICY.class_table()
SLOT_S, SLOTS = 60, 24
STATUSES = st.sampled_from([None, 0, 1, 10, 12, 20, 21])
DAYS = st.lists(STATUSES, min_size=SLOTS, max_size=SLOTS)
COVERS = st.lists(
    st.tuples(st.integers(0, 2), st.integers(-90, SLOTS * 60), st.none() | st.integers(0, 2000)),
    max_size=4,
)


def samples_of(fleet: list[list[int | None]], offset: int = 0) -> Failing:
    rows = [
        (device, offset + slot * SLOT_S, status, SLOT_S)
        for device, day in enumerate(fleet)
        for slot, status in enumerate(day)
        if status not in (None, 0)
    ]
    return Failing(*np.array(rows, dtype=np.int64).reshape(-1, 4).T)


def covered(covers: list[Cover], device: int, tick: int) -> bool:
    return any(
        row == device and start <= tick and (end is None or tick < end)
        for row, start, end in covers
    )


def excuse_at(suspended: list[Cover], exempted: list[Cover], device: int, tick: int) -> Excuse:
    if covered(suspended, device, tick):
        return Excuse.SUSPENDED
    return Excuse.EXEMPTED if covered(exempted, device, tick) else Excuse.NONE


def naive(
    fleet: list[list[int | None]], suspended: list[Cover], exempted: list[Cover]
) -> list[tuple[int, int, int, int, int]]:
    """(device, start, end, longest status, excuse) of each outage, slot by slot."""
    found = []
    for device, day in enumerate(fleet):
        run: list[int] = []
        before: Excuse | None = None
        for slot, status in enumerate([*day, None]):
            tick = slot * SLOT_S
            fails = status is not None and TABLE[status] in (SlotClass.IMPAIRED, SlotClass.OFFLINE)
            excuse = excuse_at(suspended, exempted, device, tick) if fails else None
            if run and excuse != before:
                longest = min(set(run), key=lambda each: (-run.count(each), each))
                start = tick - len(run) * SLOT_S
                found.append((device, start, tick, longest, int(before or 0)))
                run = []
            if fails:
                run.append(int(status or 0))
            before = excuse
    return found


def rows_of(found: Pieces) -> list[tuple[int, ...]]:
    return list(zip(*(column.tolist() for column in found), strict=True))


@given(st.lists(DAYS, min_size=3, max_size=3), COVERS, COVERS)
def test_outages_are_what_a_loop_tells(
    fleet: list[list[int | None]], first: list[tuple[int, int, int | None]], second: list[Cover]
) -> None:
    suspended, exempted = ([Cover(*each) for each in covers] for covers in (first, second))
    found = outages_told(pieces(samples_of(fleet), TABLE, suspended, exempted))
    assert rows_of(found) == naive(fleet, suspended, exempted)


@given(st.lists(DAYS, min_size=3, max_size=3), st.integers(1, SLOTS - 1))
def test_cut_anywhere_they_are_joined_again(fleet: list[list[int | None]], cut: int) -> None:
    before = [day[:cut] for day in fleet]
    after = [day[cut:] for day in fleet]
    parts = [
        pieces(samples_of(part, offset), TABLE, (), ())
        for part, offset in ((after, cut * SLOT_S), (before, 0))
    ]
    whole = pieces(samples_of(fleet), TABLE, (), ())
    assert rows_of(joined_pieces(parts)) == rows_of(whole)


@given(
    st.lists(DAYS, min_size=3, max_size=3),
    COVERS,
    st.sets(st.integers(1, SLOTS - 1), max_size=3),
    st.none() | st.integers(0, 5),
)
def test_told_stretch_by_stretch_they_are_the_same(
    fleet: list[list[int | None]],
    covers: list[tuple[int, int, int | None]],
    cuts: set[int],
    most: int | None,
) -> None:
    suspended = [Cover(*each) for each in covers]
    ends = [*sorted(cuts), SLOTS]
    stretches = []
    for first, last in zip([0, *ends], ends, strict=False):
        part = samples_of([day[first:last] for day in fleet], first * SLOT_S)
        stretches.append((pieces(part, TABLE, suspended, ()), last * SLOT_S))
    told = tell(stretches, most)
    whole = naive(fleet, suspended, [])
    whole.sort(key=lambda each: (each[1] - each[2], each[0], each[1]))
    assert rows_of(told.outages) == whole[:most]
    assert told.total == len(whole)
    assert told.missing_s == sum(each[2] - each[1] for each in whole if not each[4])


def test_a_day_without_evidence_ends_an_outage() -> None:
    days = [(samples_of([[20, 20]], offset), offset + 2 * SLOT_S) for offset in (0, 600, 720)]
    told = tell((pieces(found, TABLE, (), ()), end) for found, end in days)
    assert rows_of(told.outages) == [(0, 600, 840, 20, 0), (0, 0, 120, 20, 0)]


def test_nothing_is_nothing() -> None:
    assert tell([]).total == 0
    assert rows_of(outages_told(joined_pieces([]))) == []


def test_an_outage_has_the_status_that_it_had_longest() -> None:
    found = pieces(samples_of([[20, 12, 12, 0, 21, 20]]), TABLE, (), ())
    assert rows_of(found) == [
        (0, 0, 60, 20, 0),
        (0, 60, 180, 12, 0),
        (0, 240, 300, 21, 0),
        (0, 300, 360, 20, 0),
    ]
    assert rows_of(outages_told(found)) == [(0, 0, 180, 12, 0), (0, 240, 360, 20, 0)]
