"""What a sweep is worth, and what it tells of its host."""

import pytest

from app.evidence.judging import OFF_LIKE_MOST, OVERRUN, HostFact, HostReport, judge
from app.evidence.tables import HostEventKind
from collectors.outage import Lapse, LapseKind
from collectors.probe import Observation
from collectors.sweep import SweepResult
from kpi.status import Status

END = 1_800_000_060
SUSPECTED, CUT_OFF, PAUSED = (
    HostEventKind.CLOCK_SUSPECTED,
    HostEventKind.CUT_OFF,
    HostEventKind.PAUSED,
)


def told(*offsets: float | None) -> SweepResult:
    """A sweep in which the ONVIF prober met these clocks."""
    return SweepResult(
        {
            key: Observation(
                Status.INTACT if offset is None or abs(offset) <= 10 else Status.CLOCK_WRONG,
                1.0,
                offset,
            )
            for key, offset in enumerate(offsets)
        },
        wall_s=60,
        cpu_s=1,
    )


@pytest.mark.parametrize(
    ("offsets", "wrong", "suspected"),
    [
        ([0, 1, 3600], [2], None),
        ([3600, 3601, 3599, None], [], -3600),
        ([3600, 3601, 3599, -40], [3], -3599.5),  # off, but not like most
        ([3600, 3601, 3599, 0], [], -3599.5),  # right by our clock: suspicion sets no flag
        ([-28_800] * 3, [], 28_800),
        ([3600, 3600], [0, 1], None),  # two say nothing about ours
        ([100, 200, 300], [0, 1, 2], None),
    ],
)
def test_whose_clock_is_wrong(
    offsets: list[float | None], wrong: list[int], suspected: float | None
) -> None:
    result, report = judge(told(*offsets), END, in_slot=True, whole_fleet=True, tolerance_s=10)
    assert [
        key for key, seen in result.observations.items() if seen.status is Status.CLOCK_WRONG
    ] == wrong
    assert [fact.seconds for fact in report.facts] == ([] if suspected is None else [suspected])
    cleared = [seen for seen in result.observations.values() if seen.detail == OFF_LIKE_MOST]
    assert all(seen.clock_offset_s for seen in cleared)
    assert bool(cleared) == (suspected is not None)


@pytest.mark.parametrize(
    ("offsets", "over"),
    [([0, 0, 0], True), ([0, 0], False), ([], False), ([3600, 3600, 3600], False)],
)
def test_a_suspicion_is_over_when_the_clocks_say_so(offsets: list[float], over: bool) -> None:
    """A sweep in which nobody told the time changes nothing."""
    _, report = judge(told(*offsets), END, in_slot=True, whole_fleet=True, tolerance_s=10)
    assert (SUSPECTED in report.over) == over


def test_a_room_is_not_the_fleet() -> None:
    result, report = judge(
        told(3600, 3600, 3600), END, in_slot=True, whole_fleet=False, tolerance_s=10
    )
    assert result.by_status == {Status.CLOCK_WRONG: 3}
    assert report == HostReport((), frozenset({CUT_OFF}))


def test_an_overrun_sweep_measured_nothing() -> None:
    lapse = Lapse(LapseKind.PAUSED, 20, 50)
    result = SweepResult({1: Observation(Status.TIMEOUT)}, 60, 1, (lapse,))
    result, report = judge(result, END, in_slot=False, whole_fleet=True, tolerance_s=10)
    assert result.observations == {1: OVERRUN}
    assert report.facts == (HostFact(PAUSED, END - 40, END - 10, 30, "the collector did not run"),)
    assert report.over == {CUT_OFF}


def test_a_silence_that_lasts_is_not_over() -> None:
    lapses = (Lapse(LapseKind.CUT_OFF, 0, 10), Lapse(LapseKind.CUT_OFF, 30, None))
    _, report = judge(
        SweepResult({}, 60, 1, lapses), END, in_slot=True, whole_fleet=True, tolerance_s=10
    )
    assert report.facts == (
        HostFact(CUT_OFF, END - 60, END - 50, 10, "no canary address answered"),
        HostFact(CUT_OFF, END - 30, None, 30, "no canary address answered"),
    )
    assert CUT_OFF not in report.over
