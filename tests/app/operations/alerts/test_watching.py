"""Alerts as they are stored, announced and shown by REST."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select

from app.config import Settings
from app.database import Database
from app.operations.alerts.tables import Alert
from app.operations.alerts.watching import watch
from app.operations.delivery.tables import Notification
from kpi.calendar import day_start
from kpi.rates import Amounts

NOON = 12 * 3600
LOST = Amounts(offline=30)


@pytest.fixture
def noon(fleet: Any, settings: Settings) -> int:
    return day_start(fleet.since, settings.zone) + NOON


def alerts(database: Database) -> list[Alert]:
    with database.read() as session:
        return list(session.scalars(select(Alert).order_by(Alert.id)))


def notifications(database: Database) -> list[Notification]:
    with database.read() as session:
        return list(session.scalars(select(Notification).order_by(Notification.id)))


def bad_minutes(fleet: Any, start: int, count: int = 5) -> int:
    """So many sweeps with 30 of 1,000 cameras offline; returns a time just after the last."""
    for slot in range(count):
        fleet.sweep(start + 60 * slot, S1=LOST)
    return start + 60 * (count - 1) + 6


def test_life_of_a_fleet_alert(
    database: Database, webhook_settings: Settings, fleet: Any, noon: int
) -> None:
    fleet.register({"S1": 400, "S2": 600})
    now = bad_minutes(fleet, noon, 4)
    watch(database, webhook_settings, now, noon)
    assert alerts(database) == []
    fleet.sweep(noon + 240, S1=LOST, S2=Amounts(impaired=1))
    watch(database, webhook_settings, noon + 246, noon)
    watch(database, webhook_settings, noon + 250, noon)
    (opened,) = alerts(database)
    assert (opened.kind, opened.since, opened.opened_at) == ("fleet_intact_rate", noon, noon + 246)
    figures = opened.figures
    assert (figures["intact"], figures["assessed"], figures["rate"]) == (969, 1000, 0.969)
    assert figures["tick"] == "2026-03-01T12:04:00+08:00"
    assert [station["code"] for station in figures["worst_stations"]] == ["S1", "S2"]
    fleet.sweep(noon + 300)
    watch(database, webhook_settings, noon + 306, noon)
    (resolved,) = alerts(database)
    assert resolved.resolved_at == noon + 306
    assert resolved.figures["recovered"]["rate"] == 1.0
    first, second = (each.body for each in notifications(database))
    assert (first["event"], second["event"]) == ("opened", "resolved")
    assert first["resolved_at"] is None
    assert second["resolved_at"] == "2026-03-01T12:05:06+08:00"
    assert "96.90%（目标 ≥ 98%），自 2026-03-01 12:00 起" in first["summary"]["zh"]
    assert "96.90 % (target ≥ 98%)" in first["summary"]["en"]
    assert "100.00%" in second["summary"]["zh"]


def test_at_most_five_stations_are_named(
    database: Database, settings: Settings, fleet: Any, noon: int
) -> None:
    fleet.register({f"S{number}": 100 for number in range(1, 9)})
    lost = {f"S{number}": Amounts(offline=number) for number in range(1, 9)}
    for slot in range(5):
        fleet.sweep(noon + 60 * slot, **lost)
    watch(database, settings, noon + 250, noon)
    (alert,) = alerts(database)
    worst = [station["code"] for station in alert.figures["worst_stations"]]
    assert worst == ["S8", "S7", "S6", "S5", "S4"]


def test_silent_collector(
    database: Database, webhook_settings: Settings, fleet: Any, noon: int
) -> None:
    fleet.register({"S1": 100})
    fleet.sweep(noon)
    watch(database, webhook_settings, noon + 185, noon - 600)
    assert alerts(database) == []
    watch(database, webhook_settings, noon + 186, noon - 600)
    (alert,) = alerts(database)
    assert (alert.kind, alert.since) == ("evidence_missing", noon + 5)
    assert alert.figures["last_sweep_age_s"] == 181
    fleet.sweep(noon + 600)
    watch(database, webhook_settings, noon + 606, noon - 600)
    assert alerts(database)[0].resolved_at == noon + 606
    assert [each.event for each in notifications(database)] == ["opened", "resolved"]
    assert "采集完成于 2026-03-01 12:00" in notifications(database)[0].body["summary"]["zh"]


def test_nothing_is_missed_where_nothing_is_registered(
    database: Database, settings: Settings, noon: int
) -> None:
    watch(database, settings, noon, noon - 86_400)
    assert alerts(database) == []


def test_without_a_webhook_nothing_is_queued(
    database: Database, settings: Settings, fleet: Any, noon: int
) -> None:
    fleet.register({"S1": 1000})
    watch(database, settings, bad_minutes(fleet, noon), noon)
    assert len(alerts(database)) == 1
    assert notifications(database) == []


def test_two_watchers_open_one_alert(
    database: Database, webhook_settings: Settings, fleet: Any, noon: int
) -> None:
    fleet.register({"S1": 1000})
    now = bad_minutes(fleet, noon)
    with ThreadPoolExecutor(8) as pool:
        jobs = [pool.submit(watch, database, webhook_settings, now, noon) for _ in range(8)]
        for job in jobs:
            job.result()
    assert len(alerts(database)) == 1
    assert len(notifications(database)) == 1


def test_alerts_by_rest(
    database: Database, webhook_settings: Settings, fleet: Any, noon: int, browse: Any
) -> None:
    fleet.register({"S1": 1000})
    watch(database, webhook_settings, bad_minutes(fleet, noon), noon)
    fleet.sweep(noon + 300)
    watch(database, webhook_settings, noon + 306, noon)
    watch(database, webhook_settings, noon + 1000, noon)
    browser = browse(webhook_settings)

    def ask(query: str) -> Any:
        return browser.get(f"/api/v1/alerts?{query}").json()

    everything = ask("")
    assert (everything["total"], everything["page"], everything["page_size"]) == (2, 1, 100)
    newest, oldest = everything["items"]
    assert (newest["kind"], newest["state"]) == ("evidence_missing", "open")
    assert (oldest["kind"], oldest["state"]) == ("fleet_intact_rate", "resolved")
    assert datetime.fromisoformat(oldest["since"]).timestamp() == noon
    assert oldest["since"].endswith("+08:00")
    assert set(oldest["summary"]) == {"zh", "en"}
    assert [each["state"] for each in oldest["notifications"]] == ["waiting", "waiting"]
    assert [item["id"] for item in ask("state=open")["items"]] == [newest["id"]]
    assert [item["id"] for item in ask("state=resolved")["items"]] == [oldest["id"]]
    assert [item["id"] for item in ask("kind=fleet_intact_rate")["items"]] == [oldest["id"]]
    second = ask("page=2&page_size=1")
    assert (second["total"], [item["id"] for item in second["items"]]) == (2, [oldest["id"]])
    refused = browser.get("/api/v1/alerts?state=shut")
    assert (refused.status_code, json.loads(refused.text)["parameter"]) == (422, "state")
