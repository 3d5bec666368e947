"""The error budget by REST, command and metrics: the ledger's hours, the sweeps' burn rates."""

import json
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from app.availability.budgets import budgets
from app.availability.metrics import exposition
from app.availability.selection import Filters
from app.config import Settings
from app.errors import BadParameter
from app.evidence.tables import Sweep, SweepCount
from app.fleet.roster import Grouping, cohorts
from app.fleet.tables import DeviceKind
from kpi.budget import Outlook
from kpi.calendar import Month, day_start
from kpi.rates import Amounts
from tests.app.asking import Asker
from tests.app.availability.district import District
from tests.app.shell import shell

MARCH = Month(2026, 3)
HOUR_S = 3_600
FOUND = {"1h": 0.5, "6h": 1 / 24, "24h": 1 / 48}
only_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def sweep(district: District, tick: int, offline: int = 0) -> None:
    """A sweep of an hour that found 100 cameras in each cohort, of the first so many offline."""
    with district.database.write() as session:
        views = sorted(
            (view for view in cohorts(session) if view.kind is DeviceKind.CAMERA),
            key=lambda view: view.id,
        )
        row: dict[str, Any] = {"stored": 0, "by_status": {}, "latency_ms": {}, "devices": 4}
        session.add(
            Sweep(tick=tick, interval_s=HOUR_S, finished_at=tick + 5, wall_s=1, cpu_s=1, **row)
        )
        session.flush()
        for view in views:
            lost = offline if view is views[0] else 0
            counts = Amounts(offline=lost, intact=100 - lost)
            session.add(SweepCount(tick=tick, cohort_id=view.id, **asdict(counts)))


@only_sqlite
def test_what_was_spent_is_the_ledgers(district: District, settings: Settings) -> None:
    """C2 lost 24 slots, C4 48; C1 two days, C2 two, C4 one are assessed."""
    end = day_start(date(2026, 4, 10), settings.zone)
    total = budgets(district.database, settings, MARCH, Grouping.FLEET, Filters(), end).total
    assert (total.spent_s, total.assessed_s) == (72 * 900, 5 * 86_400)
    assert (total.expected_s, total.budget_s) == (5 * 86_400, 5 * 1_728)
    assert total.left_s == 8_640 - 64_800
    assert total.outlook is Outlook.MISSED
    assert set(total.burn.values()) == {None}


def test_how_fast_is_the_sweeps(district: District, settings: Settings) -> None:
    now = day_start(date(2026, 3, 5), settings.zone) + 12 * HOUR_S
    for hour in range(30):  # one of three hundred cameras was offline in the last hour alone
        sweep(district, now - (30 - hour) * HOUR_S, offline=3 if hour == 29 else 0)
    document = budgets(district.database, settings, MARCH, Grouping.STATION, Filters(), now)
    burn = document.total.burn
    assert {window: burn[window] for window in FOUND} == pytest.approx(
        {"1h": 3 / 300 * 50, "6h": 3 / 1_800 * 50, "24h": 3 / 7_200 * 50}
    )
    of_sweeps, of_days = 30 * 300 * HOUR_S, 2 * 5 * 86_400 // 2
    assert burn["7d"] is not None
    assert burn["7d"] > 3 * HOUR_S / (of_sweeps + of_days) * 50
    by_group = {row.group: row.burn["1h"] for row in document.rows}
    assert sorted(by_group.values(), key=float) == [0.0, 0.0, 1.5]  # type: ignore[arg-type]
    assert sum(row.spent_s for row in document.rows) == document.total.spent_s
    assert sum(row.expected_s for row in document.rows) == document.total.expected_s


@only_sqlite
def test_by_rest_command_and_metrics(
    district: District, settings: Settings, client: Asker, tmp_path: Path
) -> None:
    answer = client.get("/api/v1/availability/budget?month=2026-03&group_by=station")
    assert answer.status_code == 200
    document = answer.json()
    assert [row["group"] for row in document["rows"]] == ["North", "South", None]
    assert document["target"] == 0.98
    only = client.get("/api/v1/availability/budget?month=2026-03&station=North").json()
    assert only["total"]["spent_s"] == document["rows"][0]["spent_s"]
    for wrong in ("group_by=device", "device=C1"):
        refused = client.get(f"/api/v1/availability/budget?month=2026-03&{wrong}")
        assert refused.status_code == 422
    text = exposition(district.database, settings, day_start(date(2026, 3, 3), settings.zone))[0]
    assert b"intact_budget_spent_seconds 64800.0" in text


def test_a_single_device_has_none(district: District, settings: Settings) -> None:
    with pytest.raises(BadParameter, match="a group of devices"):
        budgets(district.database, settings, MARCH, Grouping.DEVICE, Filters(), 2_000_000_000)


def test_the_command_needs_no_month(tmp_path: Path) -> None:
    intact = shell(tmp_path)
    document = json.loads(intact("budget", "--format", "json").stdout)
    assert document["total"]["budget_s"] == 0
    assert intact("budget", "--month", "2026-13").returncode == 1
