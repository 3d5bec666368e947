"""Faults: onset, opening, closing, flapping, gaps and cuts; the machine against a naive loop."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi.faults import FAILING, Cut, EndReason, Episode, FaultRule, follow, merged, needed
from kpi.policy import DEFAULT_POLICY
from kpi.status import SlotClass

CLASSES = DEFAULT_POLICY.class_table().tolist()
RULE = FaultRule()
INTACT, SERVICE, TIMEOUT, UNKNOWN = 0, 11, 20, 255
CODES = {".": INTACT, "s": SERVICE, "x": TIMEOUT, "?": UNKNOWN}
Told = tuple[int, int | None, int | None, int | None, str | None]
"""(onset, opened at, ended at, closed at, reason)"""


def samples(row: str) -> list[tuple[int, int]]:
    """Slots 0, 1, 2 …; an unknown one has no sample."""
    return [(tick, CODES[each]) for tick, each in enumerate(row) if each != "?"]


def told(episode: Episode) -> Told:
    return (
        episode.onset,
        episode.opened_at,
        episode.ended_at,
        episode.closed_at,
        episode.reason and episode.reason.value,
    )


def faults(row: str, cuts: Sequence[Cut] = ()) -> list[Told]:
    """All faults of a device, those that go on at the end last."""
    ended, going_on = follow(None, samples(row), cuts, RULE, CLASSES)
    if going_on is not None and going_on.opened_at is not None:
        ended = [*ended, going_on]
    return [told(each) for each in ended]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("......", []),
        ("..xx..", []),
        ("..xxx", [(2, 4, None, None, None)]),
        ("..xxx.", [(2, 4, None, None, None)]),
        ("..xxx..", [(2, 4, 5, 6, "recovered")]),
        ("..xsx..", [(2, 4, 5, 6, "recovered")]),
        ("x.x.x.x..", [(0, 4, 7, 8, "recovered")]),
        ("x..x..x..", []),
        ("x.x..x.x..", []),
        ("xxx.x.x.xx..", [(0, 2, 10, 11, "recovered")]),
        ("xxx..xxx..", [(0, 2, 3, 4, "recovered"), (5, 7, 8, 9, "recovered")]),
        ("x?x??x", [(0, 5, None, None, None)]),
        ("xxx???.?.", [(0, 2, 6, 8, "recovered")]),
        ("xxx.??x.?.", [(0, 2, 7, 9, "recovered")]),
    ],
)
def test_when_a_fault_begins_and_ends(row: str, expected: list[Told]) -> None:
    assert faults(row) == expected


@pytest.mark.parametrize(
    ("row", "cut", "expected"),
    [
        ("xxxxxx", Cut(4, 6, EndReason.SUSPENDED), [(0, 2, 4, 4, "suspended")]),
        ("xxxxxxxx", Cut(2, 4, EndReason.EXEMPTED), [(4, 6, None, None, None)]),
        (
            "xxxxxxxxxx",
            Cut(4, 6, EndReason.SUSPENDED),
            [(0, 2, 4, 4, "suspended"), (6, 8, None, None, None)],
        ),
        ("xxx", Cut(3, 9, EndReason.OUT_OF_SERVICE), [(0, 2, 3, 3, "out_of_service")]),
        ("xxxxx..", Cut(0, 3, EndReason.OUT_OF_SERVICE), []),
        ("xxx.x", Cut(3, 4, EndReason.SUSPENDED), [(0, 2, 3, 3, "suspended")]),
    ],
)
def test_slots_that_are_not_assessed_end_it(row: str, cut: Cut, expected: list[Told]) -> None:
    assert faults(row, [cut]) == expected


def test_every_status_on_the_way_is_kept() -> None:
    (fault,), going_on = follow(None, samples("xxs.sx.."), [], RULE, CLASSES)
    assert [tuple(step) for step in fault.steps] == [
        (0, TIMEOUT),
        (2, SERVICE),
        (3, INTACT),
        (4, SERVICE),
        (5, TIMEOUT),
        (6, INTACT),
    ]
    assert (fault.status, fault.worst, going_on) == (TIMEOUT, TIMEOUT, None)


def test_cuts_that_touch_are_one() -> None:
    cuts = [Cut(5, 9, EndReason.EXEMPTED), Cut(1, 3, EndReason.SUSPENDED)]
    cuts.append(Cut(3, 6, EndReason.SUSPENDED))
    assert merged(cuts) == [Cut(1, 9, EndReason.SUSPENDED)]


def naive(row: Sequence[int], cut: Sequence[bool], rule: FaultRule) -> list[Told]:
    """A loop over all slots that knows nothing of machines; ticks are slot numbers."""
    found: list[Told] = []
    failing: list[int] = []
    good: list[int] = []

    def close(ended: int | None, closed: int | None, reason: str | None) -> None:
        if len(failing) >= rule.opens_after:
            found.append((failing[0], failing[rule.opens_after - 1], ended, closed, reason))
        failing.clear()
        good.clear()

    for tick, status in enumerate(row):
        if cut[tick]:
            if failing:
                close(tick, tick, "suspended")
        elif CLASSES[status] in FAILING:
            failing.append(tick)
            good.clear()
        elif CLASSES[status] == SlotClass.INTACT and failing:
            good.append(tick)
            if len(good) == rule.closes_after:
                close(good[0], tick, "recovered")
    if failing:
        close(None, None, None)
    return found


ROWS = st.lists(st.sampled_from([INTACT, INTACT, SERVICE, TIMEOUT, UNKNOWN]), max_size=60)
RULES = st.builds(FaultRule, st.integers(1, 4), st.integers(1, 3))


@given(ROWS, st.data(), RULES)
def test_it_agrees_with_a_loop_over_all_slots(
    row: list[int], data: st.DataObject, rule: FaultRule
) -> None:
    """In one go, in pieces, and with all left out that is not needed."""
    cut = data.draw(st.lists(st.sampled_from([False] * 9 + [True]), min_size=60, max_size=60))
    cuts = merged(Cut(n, n + 1, EndReason.SUSPENDED) for n in range(len(row)) if cut[n])
    expected = naive(row, cut, rule)
    told_samples = [(tick, status) for tick, status in enumerate(row) if status != UNKNOWN]

    split = data.draw(st.integers(0, len(row)))
    ended, episode = [], None
    for first, last in ((0, split), (split, len(row))):
        part = [each for each in told_samples if first <= each[0] < last]
        theirs = [
            each._replace(start=max(each.start, first), end=min(each.end, last))
            for each in cuts
            if each.start < last and each.end > first
        ]
        more, episode = follow(episode, part, theirs, rule, CLASSES)
        ended += more
    if episode is not None and episode.opened_at is not None:
        ended.append(episode)
    assert [told(each) for each in ended] == expected

    if not any(cut[: len(row)]) and told_samples:
        tick, status = np.array(told_samples, dtype=np.int64).T
        fails = np.isin(np.array(CLASSES)[status], FAILING)
        columns = np.stack([np.ones_like(tick), tick, status])
        kept = needed(columns, fails, 1, rule)
        thinned = [each for each, keep in zip(told_samples, kept, strict=True) if keep]
        whole, rest = follow(None, thinned, [], rule, CLASSES)
        if rest is not None and rest.opened_at is not None:
            whole.append(rest)
        assert [told(each) for each in whole] == expected
