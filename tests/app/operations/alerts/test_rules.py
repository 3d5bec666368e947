"""The decisions, case by case, without a database."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.operations.alerts.rules import Change, SweepFigures, Window, decide
from app.operations.alerts.tables import AlertEvent, AlertKind
from kpi.rates import Amounts

FLEET, EVIDENCE = AlertKind.FLEET_INTACT_RATE, AlertKind.EVIDENCE_MISSING
OPENED, RESOLVED = AlertEvent.OPENED, AlertEvent.RESOLVED
START = 1_800_000_000 // 60 * 60

BAD = Amounts(intact=979, offline=21)
GOOD = Amounts(intact=990, offline=10)
EDGE = Amounts(intact=980, offline=20)
BLIND = Amounts(unknown=1000)
THIN = Amounts(intact=900, offline=49, unknown=51)
ALL_SUSPENDED = Amounts(suspended=1000)
NO_SWEEP = None


def window(*slots: Amounts | None, opened: tuple[AlertKind, ...] = ()) -> Window:
    """Sweeps of consecutive slots, the oldest first; `now` is 10 s into the last one."""
    ticks = [START + 60 * slot for slot in range(len(slots))]
    sweeps = [
        SweepFigures(tick, 60, tick + 5, cameras)
        for tick, cameras in zip(ticks, slots, strict=True)
        if cameras is not None
    ]
    now = ticks[-1] + 10
    stale = not sweeps or now - sweeps[-1].finished_at > 180
    return Window(now, 60, START - 86_400, sweeps[::-1], stale, True, frozenset(opened))


def slot(number: int) -> int:
    return START + 60 * number


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
def test_fleet_alert_opens(slots: list[Amounts | None], since: int | None) -> None:
    expected = [] if since is None else [Change(FLEET, OPENED, slot(since))]
    assert decide(window(*slots)) == expected


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
def test_fleet_alert_resolves(cameras: Amounts, resolved: bool) -> None:
    expected = [Change(FLEET, RESOLVED, slot(1))] if resolved else []
    assert decide(window(BAD, cameras, opened=(FLEET,))) == expected


def test_open_alert_is_not_opened_again() -> None:
    assert decide(window(*[BAD] * 8, opened=(FLEET,))) == []


@pytest.mark.parametrize(
    ("slots", "since"),
    [
        pytest.param([GOOD, NO_SWEEP, NO_SWEEP], None, id="younger than three slots"),
        pytest.param([GOOD, *[NO_SWEEP] * 3], 5, id="older than three slots"),
        pytest.param([*[BAD] * 5, *[NO_SWEEP] * 4], 4 * 60 + 5, id="no false outage"),
        pytest.param([GOOD, BLIND, BLIND], None, id="blind for two slots"),
        pytest.param([GOOD, BLIND, BLIND, BLIND], 60, id="blind for three slots"),
        pytest.param([GOOD, THIN, THIN, THIN], 60, id="insufficient for three slots"),
        pytest.param([GOOD, NO_SWEEP, BLIND, BLIND], 60, id="missing, then blind"),
        pytest.param([BLIND, BLIND, BLIND], 0, id="never seen anything"),
        pytest.param([BAD] * 5 + [BLIND] * 3, 5 * 60, id="an outage that cannot be seen"),
        pytest.param([ALL_SUSPENDED] * 6, None, id="nothing to be assessed"),
    ],
)
def test_evidence_alert_opens(slots: list[Amounts | None], since: int | None) -> None:
    changes = [change for change in decide(window(*slots)) if change.kind is EVIDENCE]
    assert changes == ([] if since is None else [Change(EVIDENCE, OPENED, START + since)])


def test_nothing_is_expected_before_devices_and_three_slots() -> None:
    silent = window(GOOD, *[NO_SWEEP] * 9)
    assert decide(replace(silent, expected=False)) == []
    assert decide(replace(silent, watching_since=silent.now - 180)) == []
    assert len(decide(replace(silent, watching_since=silent.now - 181))) == 1


def test_first_start_without_any_sweep_waits_three_slots() -> None:
    empty = Window(START, 60, START - 180, [], stale=True, expected=True)
    assert decide(empty) == []
    late = replace(empty, now=START + 1)
    assert decide(late) == [Change(EVIDENCE, OPENED, START - 180)]


@pytest.mark.parametrize("slots", [[BAD] * 5 + [BLIND] * 3, [GOOD, *[NO_SWEEP] * 5]])
@pytest.mark.parametrize("opened", [(EVIDENCE,), (EVIDENCE, FLEET)])
def test_without_evidence_everything_rests(
    slots: list[Amounts | None], opened: tuple[AlertKind, ...]
) -> None:
    assert decide(window(*slots, opened=opened)) == []


def test_first_evidence_resolves_both() -> None:
    back = window(*[BLIND] * 4, GOOD, opened=(EVIDENCE, FLEET))
    assert decide(back) == [Change(EVIDENCE, RESOLVED, slot(4)), Change(FLEET, RESOLVED, slot(4))]


def test_stale_misses_of_before_a_restart_open_nothing() -> None:
    restarted = window(*[BAD] * 5, *[NO_SWEEP] * 4)
    assert decide(replace(restarted, watching_since=restarted.now - 20)) == []


SLOTS = st.lists(st.sampled_from([BAD, GOOD, EDGE, BLIND, THIN, NO_SWEEP]), min_size=1, max_size=12)


@given(SLOTS, st.sets(st.sampled_from(AlertKind)))
def test_changes_fit_the_state(slots: list[Amounts | None], opened: set[AlertKind]) -> None:
    """Only what is open is resolved, only what is not is opened; one change of a kind."""
    changes = decide(window(*slots, opened=tuple(opened)))
    assert len({change.kind for change in changes}) == len(changes)
    for change in changes:
        assert (change.event is RESOLVED) == (change.kind in opened)
    if EVIDENCE in opened and not any(change.kind is EVIDENCE for change in changes):
        assert changes == []
