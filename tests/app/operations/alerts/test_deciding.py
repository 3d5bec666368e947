"""The decisions, case by case, without a database."""

from collections.abc import Sequence
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.operations.alerts.deciding import (
    Limits,
    Reading,
    decide,
    is_quiet,
    reading_of,
    silent_since,
    worst_first,
)
from app.operations.alerts.tables import AlertEvent, Metric
from kpi.rates import Amounts

OPENED, RESOLVED = AlertEvent.OPENED, AlertEvent.RESOLVED
START = 1_800_000_000 // 60 * 60
FLEET = Limits(Fraction("0.98"), Fraction("0.982"), "at_least", 5)
COVERAGE = Limits(Fraction("0.95"), Fraction("0.95"), "at_least", 3)
SUSPENDED = Limits(Fraction("0.03"), Fraction("0.03"), "at_most", 2)

BAD = Amounts(intact=979, offline=21)
GOOD = Amounts(intact=990, offline=10)
EDGE = Amounts(intact=980, offline=20)
BLIND = Amounts(unknown=1000)
THIN = Amounts(intact=900, offline=49, unknown=51)
ALL_SUSPENDED = Amounts(suspended=1000)
NO_SWEEP = None


def decided(
    limits: Limits, metric: Metric, slots: Sequence[Amounts | None], *, is_open: bool = False
) -> tuple[AlertEvent, int] | None:
    """What follows from sweeps of consecutive slots, the oldest first: (event, slot of since)."""
    readings = [
        reading_of(metric, START + 60 * slot, cameras, Fraction("0.95"))
        for slot, cameras in enumerate(slots)
        if cameras is not None
    ]
    now = START + 60 * (len(slots) - 1) + 10
    change = decide(reversed(readings), limits, now, 60, is_open=is_open)
    return None if change is None else (change.event, (change.since - START) // 60)


@pytest.mark.parametrize(
    ("slots", "since"),
    [
        pytest.param([BAD] * 4, None, id="four slots are not enough"),
        pytest.param([BAD] * 5, 0, id="five are"),
        pytest.param([GOOD, *[BAD] * 5], 1, id="since the first miss"),
        pytest.param([*[BAD] * 4, GOOD], None, id="over before the fifth"),
        pytest.param([BAD, BAD, GOOD, BAD, BAD, BAD], None, id="interrupted by a good one"),
        pytest.param([EDGE] * 5, None, id="exactly 98 % is no miss"),
        pytest.param([BAD, BAD, BLIND, BAD, BAD, BAD], 0, id="a blind slot is passed over"),
        pytest.param([BAD, BAD, THIN, BAD, BAD, BAD], 0, id="so is one of low coverage"),
        pytest.param([BAD, NO_SWEEP, BAD, BAD, NO_SWEEP, BAD, BAD], 0, id="so is a missing one"),
        pytest.param([BAD, *[NO_SWEEP] * 2, BAD, *[NO_SWEEP] * 2, BAD, NO_SWEEP, BAD, BAD], 0,
                     id="five of the last ten slots"),
        pytest.param([BAD, *[NO_SWEEP] * 2, BAD, *[NO_SWEEP] * 2, BAD, *[NO_SWEEP] * 2, BAD, BAD],
                     None, id="the first of the five is too long ago"),
        pytest.param([*[BAD] * 5, BLIND], 0, id="a blind newest slot does not hide five misses"),
    ],
)  # fmt: skip
def test_a_rate_that_stays_below_its_target(slots: list[Amounts | None], since: int | None) -> None:
    expected = None if since is None else (OPENED, since)
    assert decided(FLEET, Metric.INTACT_RATE, slots) == expected


@pytest.mark.parametrize(
    ("cameras", "resolved"),
    [
        pytest.param(Amounts(intact=980, offline=20), False, id="98.0 stays open"),
        pytest.param(Amounts(intact=981, offline=19), False, id="98.1 stays open"),
        pytest.param(Amounts(intact=9819, offline=181), False, id="98.19 stays open"),
        pytest.param(Amounts(intact=982, offline=18), True, id="98.2 resolves"),
        pytest.param(Amounts(intact=940, unknown=60), False, id="of too low coverage"),
        pytest.param(BLIND, False, id="without evidence"),
    ],
)
def test_it_is_over_at_the_recovery_threshold(cameras: Amounts, *, resolved: bool) -> None:
    expected = (RESOLVED, 1) if resolved else None
    assert decided(FLEET, Metric.INTACT_RATE, [BAD, cameras], is_open=True) == expected


@pytest.mark.parametrize(
    ("slots", "since"),
    [
        ([GOOD, BLIND, BLIND], None),
        ([GOOD, BLIND, BLIND, BLIND], 1),
        ([GOOD, THIN, THIN, THIN], 1),
        ([BLIND, BLIND, BLIND], 0),
        ([ALL_SUSPENDED] * 6, None),
    ],
)
def test_coverage_itself(slots: list[Amounts | None], since: int | None) -> None:
    expected = None if since is None else (OPENED, since)
    assert decided(COVERAGE, Metric.COVERAGE, slots) == expected


@pytest.mark.parametrize(("suspended", "is_alert"), [(30, False), (31, True)])
def test_a_rate_that_has_to_stay_low(suspended: int, *, is_alert: bool) -> None:
    slots = [Amounts(intact=1000 - suspended, suspended=suspended)] * 2
    assert (decided(SUSPENDED, Metric.SUSPENDED_RATE, slots) is not None) == is_alert


SLOTS = st.lists(st.sampled_from([BAD, GOOD, EDGE, BLIND, THIN, NO_SWEEP]), min_size=1, max_size=12)


@given(SLOTS, st.booleans())
def test_only_what_is_open_is_resolved(slots: list[Amounts | None], is_open: bool) -> None:
    found = decided(FLEET, Metric.INTACT_RATE, slots, is_open=is_open)
    if found is not None:
        event, since = found
        assert event is (RESOLVED if is_open else OPENED)
        assert slots[since] is not None


@pytest.mark.parametrize(
    ("now", "watching_since", "last", "expected", "since"),
    [
        pytest.param(180, -600, 0, True, None, id="three slots are not over"),
        pytest.param(181, -600, 0, True, 0, id="now they are"),
        pytest.param(181, -600, None, True, -600, id="never swept"),
        pytest.param(181, 1, 0, True, None, id="just started"),
        pytest.param(182, 1, 0, True, 0, id="started three slots ago"),
        pytest.param(900, -600, 0, False, None, id="nothing to be polled"),
    ],
)
def test_when_the_collector_is_silent(
    now: int, watching_since: int, last: int | None, *, expected: bool, since: int | None
) -> None:
    found = silent_since(
        now=now,
        interval_s=60,
        watching_since=watching_since,
        for_slots=3,
        last_finished_at=last,
        expected=expected,
    )
    assert found == since


@pytest.mark.parametrize(
    ("minute", "hours", "quiet"),
    [
        (600, (None, None), False),
        (600, (600, 720), True),
        (719, (600, 720), True),
        (720, (600, 720), False),
        (0, (1320, 420), True),
        (1320, (1320, 420), True),
        (419, (1320, 420), True),
        (420, (1320, 420), False),
        (600, (600, 600), False),
    ],
)
def test_quiet_hours(minute: int, hours: tuple[int | None, int | None], *, quiet: bool) -> None:
    assert is_quiet(minute, *hours) == quiet


def test_the_worst_stations_come_first() -> None:
    stations = [
        ("A", "a", Amounts(intact=99, offline=1)),
        ("B", "b", Amounts(intact=100)),
        ("C", "c", Amounts(intact=9, offline=1)),
        (None, None, Amounts(intact=90, offline=10)),
    ]
    assert [code for code, _, _ in worst_first(stations)] == [None, "C", "A"]


def test_a_fact_is_a_part_of_one() -> None:
    limits = Limits(Fraction(0), Fraction(0), "at_most", 2)
    down = [Reading(START + 60, 1, 1), Reading(START, 1, 1)]
    change = decide(down, limits, START + 70, 60, is_open=False)
    assert change is not None
    assert (change.event, change.since) == (OPENED, START)
    assert decide(down[1:], limits, START + 10, 60, is_open=False) is None
    unseen = [Reading(START + 120, 0, 1, has_evidence=False), *down]
    assert decide(unseen, limits, START + 130, 60, is_open=True) is None
