"""Two figures of one camera: their difference and its likely reason, by hand and of any amounts."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi.rates import Amounts
from kpi.second_count import CLOSE, LEFT_OUT, Reason, Theirs, compare, rounded

HOUR_S = 3600
MONTH_H = 720


def hours(**amounts: float) -> Amounts:
    return Amounts(**{name: round(each * HOUR_S) for name, each in amounts.items()})


def per_cent(text: str) -> Fraction:
    return Fraction(text) / 100


PLAIN = hours(intact=684, offline=36)  # 95 % of 720 h
WITH_SUSPENDED = hours(intact=594, offline=6, suspended=120)  # 99 % of 600 h
MIXED = hours(intact=580, offline=20, suspended=60, unknown=30, exempted=30)
CASES = [
    # (what, ours, theirs in %, reasons, difference in hundredths of a point, their missing hours)
    ("the same", PLAIN, "95", [Reason.AGREES], 0, 36),
    ("rounded", PLAIN, "95.01", [Reason.AGREES], -1, 35.928),
    ("rounded to whole", PLAIN, "95.02", [Reason.OUTAGES], -2, 35.856),
    # 594 / 720 = 82.5 %: all of the suspended time failed in their eyes
    ("suspended failed", WITH_SUSPENDED, "82.5", [Reason.SUSPENDED], 1650, 126),
    # between 594 / 720 and 714 / 720 = 99.17 %: it was partly up
    ("suspended partly up", WITH_SUSPENDED, "90", [Reason.SUSPENDED], 900, 72),
    ("suspended all up", WITH_SUSPENDED, "99.17", [Reason.SUSPENDED], -17, 5.976),
    ("below all of it", WITH_SUSPENDED, "80", [Reason.OUTAGES], 1900, 120),
    ("above all of it", WITH_SUSPENDED, "100", [Reason.OUTAGES], -100, 0),
    # 580 / 630 = 92.06 %; exempted would do as well: the first of the same size is told
    ("unknown failed", MIXED, "92.06", [Reason.UNKNOWN], 460.667, 50.022),
    # 580 / 690 = 84.06 %
    ("two of them", MIXED, "84.06", [Reason.SUSPENDED, Reason.UNKNOWN], 1260.667, 109.986),
    # 580 / 720 = 80.56 %
    (
        "all three",
        MIXED,
        "80.56",
        [Reason.SUSPENDED, Reason.UNKNOWN, Reason.EXEMPTED],
        1610.667,
        139.968,
    ),
    ("all suspended", hours(suspended=720), "97", [Reason.SUSPENDED], None, 21.6),
    ("all unknown", hours(unknown=720), "0", [Reason.UNKNOWN], None, 720),
    ("not in service", Amounts(), "97", [Reason.NOT_IN_SERVICE], None, 0),
]


@pytest.mark.parametrize(
    ("ours", "theirs", "reasons", "difference", "missing_h"),
    [case[1:] for case in CASES],
    ids=[case[0] for case in CASES],
)
def test_by_hand(
    ours: Amounts,
    theirs: str,
    reasons: list[Reason],
    difference: float | None,
    missing_h: float,
) -> None:
    found = compare(ours, Theirs(per_cent(theirs)))
    assert list(found.reasons) == reasons
    assert found.difference == (None if difference is None else round(difference))
    assert found.missing_s == round(missing_h * HOUR_S)


@pytest.mark.parametrize(
    ("intact_h", "assessed_h", "reasons"),
    [
        # 600 h are what we assess: nothing else is counted
        (570, 600, [Reason.OUTAGES]),
        # 720 h: the suspended time is counted, and 594 of them were intact
        (594, 720, [Reason.SUSPENDED]),
        # and more is missing than all of the suspended time explains
        (560, 720, [Reason.SUSPENDED, Reason.OUTAGES]),
        (594, 600, [Reason.AGREES]),
    ],
)
def test_hours_say_what_was_counted(intact_h: int, assessed_h: int, reasons: list[Reason]) -> None:
    theirs = Theirs(Fraction(intact_h, assessed_h), assessed_h * HOUR_S, intact_h * HOUR_S)
    found = compare(WITH_SUSPENDED, theirs)
    assert list(found.reasons) == reasons
    assert found.missing_s == (assessed_h - intact_h) * HOUR_S


@pytest.mark.parametrize(
    ("number", "whole"),
    [("0", 0), ("1/2", 1), ("-1/2", -1), ("3/2", 2), ("149/100", 1), ("-149/100", -1)],
)
def test_a_half_goes_away_from_zero(number: str, whole: int) -> None:
    assert rounded(Fraction(number)) == whole


seconds = st.integers(0, 31 * 86_400)
amounts = st.builds(
    Amounts,
    intact=seconds,
    impaired=seconds,
    offline=seconds,
    unknown=seconds,
    suspended=seconds,
    exempted=seconds,
)
fractions = st.fractions(0, 1, max_denominator=10_000)


@given(amounts, st.sets(st.sampled_from(list(LEFT_OUT)), min_size=1), st.booleans())
def test_what_was_counted_is_never_told_as_other_outages(
    ours: Amounts, counted: set[Reason], seen_up: bool
) -> None:
    extra = sum(getattr(ours, LEFT_OUT[each]) for each in counted)
    base = ours.assessed + extra
    if not base:
        return
    rate = Fraction(ours.intact + extra * seen_up, base)
    assert Reason.OUTAGES not in compare(ours, Theirs(rate)).reasons


@given(amounts, fractions)
def test_a_reason_explains_the_difference(ours: Amounts, rate: Fraction) -> None:
    found = compare(ours, Theirs(rate))
    parts = [LEFT_OUT[each] for each in found.reasons if each in LEFT_OUT]
    assert all(getattr(ours, part) > 0 for part in parts)
    if parts:
        extra = sum(getattr(ours, part) for part in parts)
        base = ours.assessed + extra
        low, high = Fraction(ours.intact, base), Fraction(ours.intact + extra, base)
        assert low - CLOSE <= rate <= high + CLOSE
    if found.reasons == (Reason.AGREES,):
        assert abs(Fraction(ours.intact, ours.assessed) - rate) <= CLOSE
    assert found.missing_s >= 0
