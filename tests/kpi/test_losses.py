"""How long an outage can be, told from what was lost a day."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kpi.losses import Losses, in_order, stretches
from kpi.outages import Failing, spans
from kpi.policy import DEFAULT_POLICY
from kpi.status import Status

SLOT_S = 60
SLOTS_A_DAY = 4
DAY_S = SLOT_S * SLOTS_A_DAY
TABLE = DEFAULT_POLICY.class_table()
FLEETS = st.lists(
    st.lists(st.lists(st.booleans(), min_size=SLOTS_A_DAY, max_size=SLOTS_A_DAY), max_size=7),
    max_size=4,
)
"""Device by device and day by day: which slots failed."""


def losses_of(fleet: list[list[list[bool]]]) -> Losses:
    rows = [
        (device, number * DAY_S, (number + 1) * DAY_S, sum(day) * SLOT_S)
        for device, days in enumerate(fleet)
        for number, day in enumerate(days)
        if any(day)
    ]
    return Losses(*np.array(rows, dtype=np.int64).reshape(-1, 4).T)


def outages_of(fleet: list[list[list[bool]]]) -> list[tuple[int, int, int]]:
    rows = [
        (device, number * DAY_S + slot * SLOT_S, Status.TIMEOUT, SLOT_S)
        for device, days in enumerate(fleet)
        for number, day in enumerate(days)
        for slot, failed in enumerate(day)
        if failed
    ]
    found = spans(Failing(*np.array(rows, dtype=np.int64).reshape(-1, 4).T), TABLE)
    return list(zip(*(column.tolist() for column in found), strict=True))


@given(FLEETS)
def test_no_outage_leaves_its_stretch_or_is_longer(fleet: list[list[list[bool]]]) -> None:
    losses = losses_of(fleet)
    runs = stretches(losses)
    assert runs.first.tolist() == [0, *runs.last.tolist()][: len(runs.first)]
    for device, start, end in outages_of(fleet):
        (holding,) = np.flatnonzero(
            (losses.device[runs.first] == device)
            & (losses.start[runs.first] <= start)
            & (end <= losses.end[runs.last - 1])
        )
        assert end - start <= runs.longest[holding]


def test_days_between_two_torn_ones_count_where_they_are_whole() -> None:
    day = range(0, 6 * DAY_S, DAY_S)
    lost = [60, DAY_S, DAY_S, 120, 60, 60]
    losses = Losses(*np.array([(7, at, at + DAY_S, s) for at, s in zip(day, lost, strict=True)]).T)
    assert stretches(losses).longest.tolist() == [60 + 2 * DAY_S + 120]


def test_a_day_without_loss_and_another_device_begin_anew() -> None:
    rows = [(8, 0, 240, 60), (7, 480, 720, 180), (7, 0, 240, 240), (8, 240, 480, 120)]
    losses = in_order(Losses(*np.array(rows).T))
    runs = stretches(losses)
    assert losses.device.tolist() == [7, 7, 8, 8]
    assert (runs.first.tolist(), runs.last.tolist()) == ([0, 1, 2], [1, 2, 4])
    assert runs.longest.tolist() == [240, 180, 180]


def test_nothing_lost() -> None:
    assert [column.tolist() for column in stretches(losses_of([]))] == [[], [], []]
