"""How a quarter of an hour stands to the target."""

import pytest

from app.availability.today import _with_missing, level
from kpi.rates import Amounts


@pytest.mark.parametrize(
    ("amounts", "expected"),
    [
        (Amounts(intact=98, offline=2), "met"),
        (Amounts(intact=97, offline=3), "low"),
        (Amounts(intact=93, impaired=7), "low"),
        (Amounts(intact=929, impaired=71), "bad"),
        (Amounts(intact=94, unknown=6), "blind"),
        (Amounts(unknown=6), "blind"),
        (Amounts(suspended=6), None),
        (Amounts(), None),
    ],
)
def test_level(amounts: Amounts, expected: str | None) -> None:
    assert level(amounts) == expected


def test_a_sweep_that_is_missing_is_unknown() -> None:
    counted = Amounts(intact=140)
    assert _with_missing(counted, 15, 15) == counted
    assert _with_missing(counted, 14, 15) == Amounts(intact=140, unknown=10)
    assert level(_with_missing(counted, 0, 15)) == "blind"
