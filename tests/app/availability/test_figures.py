"""Rates in print, against their targets."""

from datetime import date

import pytest

from app.availability.figures import SCALES, Verdict, coverage, figure, three_rates, trend
from kpi.rates import Amounts


@pytest.mark.parametrize(
    ("amounts", "text", "verdict"),
    [
        (Amounts(intact=98, offline=2), "98.00 %", Verdict.MET),
        (Amounts(intact=97, offline=3), "97.00 %", Verdict.MISSED),
        (Amounts(intact=97999, offline=2001), "97.99 %", Verdict.MISSED),
        (Amounts(intact=94, unknown=6), "100.00 %", Verdict.INSUFFICIENT),
        (Amounts(unknown=6), "–", Verdict.NOTHING),
        (Amounts(suspended=6), "–", Verdict.NOTHING),
        (Amounts(), "–", Verdict.NOTHING),
    ],
)
def test_verdict_of_the_intact_rate(amounts: Amounts, text: str, verdict: Verdict) -> None:
    found = figure("intact", amounts)
    assert (found.text, found.verdict) == (text, verdict)


def test_online_rate_has_no_target() -> None:
    found = figure("online", Amounts(intact=8, impaired=1, offline=1))
    assert (found.text, found.verdict) == ("90.00 %", None)


def test_coverage_below_the_least_is_insufficient() -> None:
    assert coverage(Amounts(intact=95, unknown=5)).verdict is Verdict.MET
    assert coverage(Amounts(intact=9499, unknown=501)).text == "94.99 %"
    assert coverage(Amounts(intact=9499, unknown=501)).verdict is Verdict.INSUFFICIENT
    assert coverage(Amounts()).verdict is Verdict.NOTHING


def test_scale_keeps_to_its_ends() -> None:
    scale = SCALES["intact"]
    assert [scale.place(value) for value in (0.2, 0.9, 0.98, 1.0)] == [0, 0, 80, 100]


def test_month_that_cannot_be_had_is_empty() -> None:
    assert {rate.month.text for rate in three_rates(Amounts(intact=1), None)} == {"–"}


def test_trend_keeps_the_order_of_days() -> None:
    later, earlier = date(2026, 3, 2), date(2026, 3, 1)
    made = trend({later: Amounts(intact=1), earlier: Amounts()}, ("intact", "online"))
    assert [day for day, _figures in made.days] == [earlier, later]
    assert [figures[0].text for _day, figures in made.days] == ["–", "100.00 %"]
    assert [series.key for series in made.series] == ["intact", "online"]
