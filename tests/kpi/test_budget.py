"""The error budget by hand, and what holds of any."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi.budget import WINDOWS, Budget, Course, Outlook, budget, burn_rate
from kpi.rates import Amounts

TARGET = Fraction(98, 100)
DAY = 86_400
START = 1_790_000_000


def course(
    *, lost: int = 0, window: Amounts | None = None, present: int = 100, days: int = 10
) -> Course:
    """A month of 30 days and 100 cameras, ten days of it past, of which `lost` seconds missed."""
    assessed = present * days * DAY
    so_far = Amounts(intact=assessed - lost, offline=lost)
    windows = {} if window is None else {"24h": window}
    return Course(so_far, present, windows, START + days * DAY, START + 30 * DAY)


DAYLONG = 100 * DAY
HALF_A_PER_CENT = Amounts(intact=995 * DAYLONG, impaired=3 * DAYLONG, offline=2 * DAYLONG)
FOUR_PER_CENT = Amounts(intact=96 * DAYLONG, offline=4 * DAYLONG)
TWO_PER_CENT = Amounts(intact=98 * DAYLONG, offline=2 * DAYLONG)
CASES = [
    # 100 cameras × 30 days leave 2 % = 60 camera-days
    ("nothing lost", course(window=Amounts(intact=DAYLONG)), 0, Outlook.KEEPS, None),
    # 5 of 60 spent; half a per cent of 20 days is 10 more
    ("slowly", course(lost=5 * DAY, window=HALF_A_PER_CENT), 5 * DAY, Outlook.KEEPS, None),
    # 10 spent, 4 camera-days a day: the 50 left last 12.5 days, until day 22.5
    ("fast", course(lost=10 * DAY, window=FOUR_PER_CENT), 10 * DAY, Outlook.WILL_MISS, 22.5),
    # exactly what is left, to the last second: kept
    (
        "just",
        course(lost=20 * DAY, window=TWO_PER_CENT),
        20 * DAY,
        Outlook.KEEPS,
        None,
    ),
    ("spent", course(lost=60 * DAY, window=FOUR_PER_CENT), 60 * DAY, Outlook.WILL_MISS, 10),
    ("missed", course(lost=60 * DAY + 1, window=FOUR_PER_CENT), 60 * DAY + 1, Outlook.MISSED, None),
    ("no sweeps", course(lost=5 * DAY), 5 * DAY, Outlook.UNKNOWN, None),
    ("over", course(lost=60 * DAY, days=30), 60 * DAY, Outlook.KEEPS, None),
    ("over, missed", course(lost=61 * DAY, days=30), 61 * DAY, Outlook.MISSED, None),
]


@pytest.mark.parametrize(
    ("of", "spent", "outlook", "breaks_on"), [case[1:] for case in CASES], ids=[c[0] for c in CASES]
)
def test_by_hand(of: Course, spent: int, outlook: Outlook, breaks_on: float | None) -> None:
    found = budget(of, TARGET)
    assert (found.expected, found.budget) == (100 * 30 * DAY, 60 * DAY)
    assert (found.spent, found.outlook) == (spent, outlook)
    assert found.breaks_at == (None if breaks_on is None else START + int(breaks_on * DAY))


@pytest.mark.parametrize(
    ("window", "rate"),
    [
        (Amounts(), None),
        (Amounts(unknown=60, suspended=60), None),
        (Amounts(intact=98, offline=2), Fraction(1)),
        (Amounts(intact=94, impaired=2, offline=4, unknown=900), Fraction(3)),
        (Amounts(intact=100), Fraction(0)),
        (Amounts(offline=1), Fraction(50)),
    ],
)
def test_burn_rates(window: Amounts, rate: Fraction | None) -> None:
    assert burn_rate(window, TARGET) == rate


@pytest.mark.parametrize(
    ("of_day", "of_week", "outlook"),
    [
        (6 * 3600, 0, Outlook.WILL_MISS),
        (6 * 3600 - 1, 0, Outlook.UNKNOWN),
        (6 * 3600 - 1, 6 * 3600, Outlook.KEEPS),
    ],
)
def test_a_week_stands_in_where_the_day_has_too_little_evidence(
    of_day: int, of_week: int, outlook: Outlook
) -> None:
    of = course(lost=10 * DAY)
    windows = {"24h": Amounts(offline=100 * of_day), "7d": Amounts(intact=100 * of_week)}
    assert budget(replace(of, windows=windows), TARGET).outlook is outlook


def test_groups_add_up() -> None:
    parts = [course(lost=lost, window=FOUR_PER_CENT) for lost in (DAY, 2 * DAY)]
    whole = Course.total(parts, parts[0].now, parts[0].end)
    found = budget(whole, TARGET)
    assert (found.budget, found.spent) == (120 * DAY, 3 * DAY)
    assert found.burn["24h"] == 2


PARTS = st.builds(
    Amounts,
    intact=st.integers(0, 10**9),
    impaired=st.integers(0, 10**8),
    offline=st.integers(0, 10**8),
)


@given(PARTS, st.integers(0, 5000), PARTS, st.integers(0, 31 * DAY), st.integers(50, 99))
def test_what_holds_of_any(
    so_far: Amounts, present: int, window: Amounts, remaining: int, target: int
) -> None:
    aim = Fraction(target, 100)
    windows = dict.fromkeys(WINDOWS, window)
    of = Course(so_far, present, windows, START, START + remaining)
    found: Budget = budget(of, aim)
    assert found.left + found.spent == found.budget
    assert 0 <= found.budget <= (1 - aim) * found.expected
    if found.breaks_at is not None:
        assert START <= found.breaks_at <= of.end
        assert found.outlook is Outlook.WILL_MISS
    if found.outlook is Outlook.MISSED:  # however well the rest goes
        best = so_far.intact + present * remaining
        assert best < aim * found.expected + 1
    if found.outlook is Outlook.KEEPS and window.assessed and remaining:
        lost = found.spent + present * remaining * Fraction(
            window.impaired + window.offline, window.assessed
        )
        assert found.expected - lost >= aim * found.expected
