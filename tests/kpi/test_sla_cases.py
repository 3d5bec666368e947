"""The sixteen named cases of Icinga DB's SLA suite, with our answers.

Source: github.com/Icinga/icingadb, `tests/sql/sla_test.go`: percentages of the time from 1000 to
2000. All its times are hundreds, so the slots here are of 100 s. Icinga tells states from events
and carries them on; here each slot has its own sample, or none. Where its history is silent its
answer is a guess, and ours is "unknown". A downtime of Icinga's is an exemption of ours.
"""

from fractions import Fraction
from typing import NamedTuple

import numpy as np
import pytest

from kpi.calendar import Slots
from kpi.explained import Excuse, outages_told, pieces
from kpi.ledger import Cover, classify, seconds_by_class
from kpi.outages import Failing
from kpi.policy import DEFAULT_POLICY
from kpi.rates import Amounts, Rates, rates
from kpi.status import Status

START, SLOT_S, SLOTS = 1000, 100, 10
TABLE = DEFAULT_POLICY.class_table()
SAMPLED = {".": Status.INTACT, "x": Status.TIMEOUT, "?": Status.UNKNOWN}
"""What a slot's sample says; `?`: there is none."""
ALL_DOWN = "xxxxxxxxxx"


class Case(NamedTuple):
    """`icinga`: its answer in per cent; `ours`: exact, None where nothing was assessed."""

    name: str
    sampled: str
    downtimes: list[tuple[int, int]]
    icinga: int
    ours: Fraction | None
    coverage: Fraction | None
    met: bool | None
    """Whether 98 % is met."""
    why: str
    """Where the answers differ."""


SAME = ""
CASES = [
    Case(
        "EmptyHistory", "??????????", [], 100, None, Fraction(0), None,
        "no evidence is no success: there is nothing to divide by",
    ),
    Case("MultipleStateChanges", "x..x..x..x", [], 60, Fraction(60, 100), Fraction(1), False, SAME),
    Case(
        "OverlappingDowntimesAndProblems", "..xxx.....", [(1100, 1300), (1400, 1600)],
        90, Fraction(5, 6), Fraction(1), False,
        "exempted time leaves the denominator, intact or not, and never counts as intact",
    ),
    Case("CriticalBeforeInterval", ALL_DOWN, [], 0, Fraction(0), Fraction(1), False, SAME),
    Case(
        "CriticalBeforeIntervalWithDowntime", ALL_DOWN, [(600, 1800)],
        80, Fraction(0), Fraction(1), False,
        "of the 200 s that were assessed none was intact",
    ),
    Case(
        "CriticalBeforeIntervalWithOverlappingDowntimes", ALL_DOWN,
        [(600, 1000), (800, 1200), (1000, 1400), (1600, 2000), (1800, 2200)],
        80, Fraction(0), Fraction(1), False,
        "of the 200 s that were assessed none was intact; what overlaps counts once",
    ),
    Case(
        "FallbackToPreviousState", "??........", [], 80, Fraction(1), Fraction(8, 10), None,
        "what came before the first sample is not known; too little evidence for a verdict",
    ),
    Case(
        "FallbackToCurrentState", "??????????", [], 0, None, Fraction(0), None,
        "the present state says nothing of slots long past",
    ),
    Case(
        "PreferInitialStateFromBeforeOverLaterState", "xx........", [],
        80, Fraction(8, 10), Fraction(1), False, SAME,
    ),
    Case(
        "PreferInitialStateFromBeforeOverCurrentState", ALL_DOWN, [],
        0, Fraction(0), Fraction(1), False, SAME,
    ),
    Case(
        "PreferLaterStateOverCurrentState", "??........", [],
        80, Fraction(1), Fraction(8, 10), None,
        "neither a later nor the present state fills a slot without a sample",
    ),
    Case(
        "InitialUnknownReducesTotalTime", "?????xx...", [],
        60, Fraction(6, 10), Fraction(5, 10), None, SAME,
    ),
    Case(
        "IntermediateUnknownReducesTotalTime", ".?????..xx", [],
        60, Fraction(6, 10), Fraction(5, 10), None, SAME,
    ),
]  # fmt: skip


def statuses_of(sampled: str) -> list[Status]:
    return [SAMPLED[each] for each in sampled]


def amounts_of(case: Case) -> Amounts:
    slots = Slots(START, SLOT_S, SLOTS)
    matrix = np.array([statuses_of(case.sampled)], dtype=np.uint8)
    exempted = [Cover(0, *each) for each in case.downtimes]
    classes = classify(matrix, slots, TABLE, exempted=exempted)
    return Amounts(*seconds_by_class(classes, SLOT_S)[0].tolist())


def rates_of(case: Case) -> Rates:
    return rates(amounts_of(case), DEFAULT_POLICY)


def exact(fraction: Fraction | None) -> float | None:
    return None if fraction is None else fraction.numerator / fraction.denominator


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case(case: Case) -> None:
    found = rates_of(case)
    assert found.intact_rate == exact(case.ours)
    assert found.coverage == exact(case.coverage)
    assert found.intact_target_met is case.met
    agrees = case.ours is not None and 100 * case.ours == case.icinga
    assert agrees is (case.why == SAME)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_its_outages_are_what_it_lacks(case: Case) -> None:
    rows = [
        (0, START + slot * SLOT_S, status, SLOT_S)
        for slot, status in enumerate(statuses_of(case.sampled))
        if status not in (Status.INTACT, Status.UNKNOWN)
    ]
    samples = Failing(*np.array(rows, dtype=np.int64).reshape(-1, 4).T)
    found = outages_told(pieces(samples, TABLE, (), [Cover(0, *each) for each in case.downtimes]))
    missing = (found.end - found.start)[found.excuse == Excuse.NONE].sum()
    amounts = amounts_of(case)
    assert missing == amounts.impaired + amounts.offline
    exempted = (found.end - found.start)[found.excuse == Excuse.EXEMPTED].sum()
    assert exempted <= amounts.exempted


@pytest.mark.parametrize(
    ("name", "end"), [("Invalid/ZeroDuration", START), ("Invalid/NegativeDuration", START - 1000)]
)
def test_a_period_without_length_has_no_figure(name: str, end: int) -> None:
    """Icinga raises; here it has no slot and therefore no rate. REST refuses `from` after `to`."""
    slots = Slots.between(START, end, SLOT_S)
    seconds = seconds_by_class(classify(np.empty((1, 0), np.uint8), slots, TABLE), SLOT_S)
    assert slots.count == 0, name
    assert rates(Amounts(*seconds[0].tolist()), DEFAULT_POLICY).intact_rate is None
