"""Alerts about the error budget: the last hour's burn rate, and what becomes of the month."""

from fractions import Fraction

import pytest
from sqlalchemy import select

from app.config import Settings
from app.database import Database
from app.operations.alerts.burning import Outlooks, burn_readings
from app.operations.alerts.messages import AlertFacts, summary
from app.operations.alerts.tables import Alert, Metric, Scope
from app.operations.alerts.watching import watch
from app.operations.alerts.window import FLEET, SweepView
from app.web.language import Language
from kpi.budget import Budget, Outlook
from kpi.calendar import day_start
from kpi.rates import Amounts
from tests.app.operations.conftest import FleetOnPaper

MINUTE = 60


def view(tick: int, cameras: Amounts) -> SweepView:
    return SweepView(tick, MINUTE, tick + 5, 0, 0, {FLEET: cameras}, {})


def newest_first(sweeps: list[Amounts]) -> list[SweepView]:
    return [view(MINUTE * place, each) for place, each in enumerate(sweeps)][::-1]


@pytest.mark.parametrize(
    ("sweeps", "burn", "has_evidence"),
    [
        ([Amounts(intact=94, offline=6)] * 60, 3, True),
        ([Amounts(offline=100)] * 30 + [Amounts(intact=100)] * 60, 0, True),
        ([Amounts(intact=100)] * 59 + [Amounts(offline=100)], Fraction(50, 60), True),
        ([Amounts(intact=94, offline=6)] * 29, 3, False),  # not half an hour
        ([Amounts(intact=47, offline=3, unknown=50)] * 60, 3, False),  # half is unknown
    ],
)
def test_burn_of_the_last_hour(sweeps: list[Amounts], burn: Fraction, has_evidence: bool) -> None:
    newest = next(burn_readings(newest_first(sweeps), FLEET, 1))
    assert Fraction(newest.part, newest.whole) == burn
    assert newest.has_evidence == has_evidence


def test_each_sweep_looks_back_an_hour_of_its_own() -> None:
    sweeps = [Amounts(intact=100)] * 90 + [Amounts(intact=0, offline=100)] * 2
    parts = [each.part for each in burn_readings(newest_first(sweeps), FLEET, 4)]
    assert parts == [200 * 50, 100 * 50, 0, 0]


@pytest.mark.parametrize(
    ("outlook", "part", "known"),
    [
        (Outlook.KEEPS, 0, True),
        (Outlook.WILL_MISS, 1, True),
        (Outlook.MISSED, 1, True),
        (Outlook.UNKNOWN, 0, False),
    ],
)
def test_what_becomes_of_the_month(outlook: Outlook, part: int, known: bool) -> None:
    found = Budget(0, 0, 0, 0, {}, outlook, None)
    ((place, (reading,)),) = Outlooks({FLEET: found}).readings(5)
    assert (place, reading.part, reading.has_evidence) == (FLEET, part, known)


def test_an_hour_that_burns_is_told_and_over(
    database: Database, settings: Settings, fleet: FleetOnPaper
) -> None:
    noon = day_start(fleet.since, settings.zone) + 12 * 3600
    fleet.register({"S1": 100})
    for slot in range(40):
        fleet.sweep(noon + MINUTE * slot, S1=Amounts(offline=10))
    now = noon + 39 * MINUTE + 6
    watch(database, settings, now, noon)
    kinds = {alert.kind: alert for alert in _alerts(database)}
    assert {"budget_burn", "fleet_intact_rate"} == set(kinds)
    facts = AlertFacts.of(kinds["budget_burn"])
    assert (facts.metric, facts.scope) == (Metric.BUDGET_BURN, Scope.FLEET)
    assert facts.figures["value"] == 5
    told = {each: summary(facts, settings.zone, each) for each in Language}
    assert "5.0 times as fast as it may (limit 3)" in told[Language.ENGLISH]
    assert "5.0 倍（上限 3）" in told[Language.CHINESE]
    for slot in range(40, 120):
        fleet.sweep(noon + MINUTE * slot)
    watch(database, settings, noon + 119 * MINUTE + 6, noon)
    assert all(alert.resolved_at for alert in _alerts(database))


def _alerts(database: Database) -> list[Alert]:
    with database.read() as session:
        return list(session.scalars(select(Alert)))
