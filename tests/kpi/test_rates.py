"""The rates: sums, empty denominators, targets in integers, two decimals."""

from dataclasses import astuple
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi.policy import DEFAULT_POLICY
from kpi.rates import Amounts, Direction, percent, rates, reaches, readings
from kpi.status import DEFAULT_CLASSES, SlotClass, Status, parse_status

TARGET = Fraction(98, 100)
SUSPENDED = Fraction(3, 100)
AMOUNTS = st.builds(Amounts, *[st.integers(0, 10**9)] * 7)


def test_rates_of_a_row() -> None:
    figures = rates(Amounts(960, 20, 20, 50, 30, 120), DEFAULT_POLICY)
    assert figures.intact_rate == 0.96
    assert figures.online_rate == 0.98
    assert figures.coverage == 1000 / 1050
    assert figures.suspended_rate == 30 / 1200
    assert figures.intact_target_met is False
    assert figures.suspended_target_met is True


@pytest.mark.parametrize(
    ("amounts", "default", "strict", "whole_fleet"),
    [
        (Amounts(960, 20, 20, 50, 30, 120), 960 / 1000, 960 / 1050, 960 / 1030),
        (Amounts(intact=5), 1, 1, 1),
        (Amounts(unknown=5), None, 0, None),
        (Amounts(suspended=5), None, None, 0),
        (Amounts(exempted=5), None, None, None),
    ],
)
def test_readings(
    amounts: Amounts, default: float | None, strict: float | None, whole_fleet: float | None
) -> None:
    assert readings(amounts) == {
        "default": default,
        "strict": strict,
        "whole_fleet": whole_fleet,
    }


def test_nothing_behind_a_rate_is_none() -> None:
    assert set(astuple(rates(Amounts(), DEFAULT_POLICY))) == {None, "reachability"}


@pytest.mark.parametrize(
    ("intact", "by_video", "basis"),
    [
        (100, 100, "video"),
        (100, 95, "video"),  # exactly the least coverage
        (10_000, 9_499, "reachability"),
        (100, 0, "reachability"),
        (0, 0, "reachability"),
    ],
)
def test_basis(intact: int, by_video: int, basis: str) -> None:
    amounts = Amounts(intact, offline=1_000, intact_by_video=by_video)
    assert rates(amounts, DEFAULT_POLICY).basis == basis
    assert amounts.in_service == intact + 1_000


def test_everything_suspended_has_no_intact_rate() -> None:
    figures = rates(Amounts(suspended=60), DEFAULT_POLICY)
    assert (figures.intact_rate, figures.coverage, figures.intact_target_met) == (None, None, None)
    assert (figures.suspended_rate, figures.suspended_target_met) == (1.0, False)


@pytest.mark.parametrize(
    ("amounts", "intact_met", "suspended_met"),
    [
        (Amounts(98, 0, 2), True, True),
        (Amounts(9_799, 0, 201), False, True),
        (Amounts(97, 0, 0, 0, 3), True, True),
        (Amounts(96, 0, 0, 0, 4), True, False),
        (Amounts(95, 0, 0, 5), True, True),  # exactly the least coverage
        (Amounts(94, 0, 0, 6), None, None),  # insufficient evidence
        (Amounts(exempted=60), None, True),  # nothing to be assessed: the register knows it all
        (Amounts(suspended=3, exempted=97), None, True),
        (Amounts(suspended=4, exempted=96), None, False),
        (Amounts(unknown=1, exempted=59), None, None),  # a slot without evidence: insufficient
    ],
)
def test_verdicts(amounts: Amounts, intact_met: bool | None, suspended_met: bool | None) -> None:
    figures = rates(amounts, DEFAULT_POLICY)
    assert (figures.intact_target_met, figures.suspended_target_met) == (intact_met, suspended_met)


@pytest.mark.parametrize(
    ("part", "whole", "target", "direction", "text"),
    [
        (1, 3, None, "at_least", "33.33 %"),
        (2, 3, None, "at_least", "66.67 %"),
        (1, 8_000, None, "at_least", "0.01 %"),  # 0.0125
        (5, 100_000, None, "at_least", "0.01 %"),  # half up
        (0, 0, TARGET, "at_least", "–"),
        (98, 100, TARGET, "at_least", "98.00 %"),
        (979_999, 1_000_000, TARGET, "at_least", "97.99 %"),  # not 98.00
        (979_949, 1_000_000, TARGET, "at_least", "97.99 %"),
        (30_001, 1_000_000, SUSPENDED, "at_most", "3.01 %"),  # not 3.00
        (3, 100, SUSPENDED, "at_most", "3.00 %"),
        (1, 1, TARGET, "at_least", "100.00 %"),
    ],
)
def test_percent(
    part: int, whole: int, target: Fraction | None, direction: Direction, text: str
) -> None:
    assert percent(part, whole, target, direction) == text


@given(part=st.integers(0, 10**6), rest=st.integers(0, 10**6))
def test_a_miss_never_reads_as_the_target(part: int, rest: int) -> None:
    whole = part + rest
    for target, direction, text in (
        (TARGET, "at_least", "98.00 %"),
        (SUSPENDED, "at_most", "3.00 %"),
    ):
        if reaches(part, whole, target, direction) is False:  # type: ignore[arg-type]
            assert percent(part, whole, target, direction) != text  # type: ignore[arg-type]


@given(parts=st.lists(AMOUNTS, max_size=6))
def test_sums_add_up_in_any_order(parts: list[Amounts]) -> None:
    whole = Amounts.total(parts)
    assert whole == Amounts.total(reversed(parts))
    assert whole.in_service == sum(part.in_service for part in parts)
    assert sum(astuple(whole)) - whole.intact_by_video == whole.in_service


def test_classes_of_the_codes() -> None:
    by_class = {
        SlotClass.INTACT: {0, 1},
        SlotClass.IMPAIRED: set(range(10, 20)),
        SlotClass.OFFLINE: {20, 21, 22},
        SlotClass.UNKNOWN: {255},
    }
    for slot_class, codes in by_class.items():
        assert {int(code) for code, each in DEFAULT_CLASSES.items() if each is slot_class} == codes
    assert DEFAULT_POLICY.class_table()[99] == SlotClass.UNKNOWN


@pytest.mark.parametrize("text", ["20", "TIMEOUT", "timeout", " Timeout "])
def test_status_by_code_or_name(text: str) -> None:
    assert parse_status(text) is Status.TIMEOUT


@pytest.mark.parametrize("text", ["", "2", "-1", "DOWN", "20.0", "999"])
def test_what_is_no_status(text: str) -> None:
    with pytest.raises(ValueError, match="status"):
        parse_status(text)
