"""The REST interface as other systems call it."""

import csv
import io
from typing import Any

import pytest

from tests.app.asking import Asker

FIGURES = {
    "group",
    "name",
    "devices",
    "intact_rate",
    "online_rate",
    "suspended_rate",
    "coverage",
    "basis",
    "intact_target_met",
    "suspended_target_met",
    "readings",
}
CLASSES = {"intact", "impaired", "offline", "unknown", "suspended", "exempted", "intact_by_video"}
SECONDS = {f"{name}_s" for name in CLASSES}
SEAL = {"sealed", "version", "sealed_at", "manifest_sha256"}


@pytest.mark.usefixtures("district")
def test_monthly(client: Asker) -> None:
    answer = client.get("/api/v1/availability/monthly?month=2026-03&group_by=station")
    document = answer.json()
    assert answer.status_code == 200
    assert set(document) == {"month", "timezone", "policy", "total", "rows"} | SEAL
    assert [document[name] for name in ("sealed", "version")] == [False, None]
    assert (document["month"], document["timezone"]) == ("2026-03", "Asia/Shanghai")
    assert set(document["total"]) == set(document["rows"][0]) == FIGURES | SECONDS
    assert [row["group"] for row in document["rows"]] == ["North", "South", None]


@pytest.mark.usefixtures("district")
def test_daily(client: Asker) -> None:
    document = client.get("/api/v1/availability/daily?from=2026-03-01&to=2026-03-02").json()
    assert set(document) == {"from", "to", "timezone", "policy", "total", "rows"}
    assert set(document["rows"][0]) == FIGURES | SECONDS | {"day"}
    assert [(row["day"], row["group"]) for row in document["rows"]] == [
        ("2026-03-01", "fleet"),
        ("2026-03-02", "fleet"),
    ]


@pytest.mark.usefixtures("district")
def test_now(client: Asker) -> None:
    document = client.get("/api/v1/availability/now").json()
    assert set(document) == {"tick", "stale", "timezone", "policy", "total", "rows"}
    assert set(document["rows"][0]) == FIGURES | CLASSES
    assert document["rows"][0]["unknown"] == 4


@pytest.mark.usefixtures("district")
def test_csv(client: Asker) -> None:
    answer = client.get("/api/v1/availability/monthly?month=2026-03&group_by=device&format=csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    readings = {"reading_default", "reading_strict", "reading_whole_fleet"}
    assert set(rows[0]) == FIGURES - {"readings"} | SECONDS | readings
    assert [row["group"] for row in rows] == ["C1", "C2", "C3", "C4"]
    assert rows[0]["intact_s"] == "172800"


@pytest.mark.usefixtures("district")
@pytest.mark.parametrize(
    ("path", "status", "named"),
    [
        ("availability/monthly", 422, "month"),
        ("availability/monthly?month=2026-3", 422, "month"),
        ("availability/monthly?month=2999-01", 422, "month"),
        ("availability/monthly?month=2026-03&group_by=colour", 422, "group_by"),
        ("availability/monthly?month=2026-03&kind=bicycle", 422, "kind"),
        ("availability/monthly?month=2026-03&format=xml", 422, "format"),
        ("availability/monthly?month=2026-03&station=West", 404, "West"),
        ("availability/now?device=C9", 404, "C9"),
        ("availability/daily?from=2026-03-02&to=2026-03-01", 422, "to"),
        ("availability/daily?from=2026-03-02", 422, "to"),
        ("devices/C9", 404, "C9"),
        ("devices/C9/samples?from=2026-03-01&to=2026-03-02", 404, "C9"),
        ("devices/C1/samples?from=2026-03-01&to=2026-05-02", 422, "to"),
        ("devices/C1/samples?from=0001-01-01&to=0001-01-02", 422, "from"),
        ("devices?page_size=0", 422, "page_size"),
        ("sweeps?limit=0", 422, "limit"),
        ("nothing", 404, "Not Found"),
    ],
)
def test_errors_are_problem_documents(client: Asker, path: str, status: int, named: str) -> None:
    answer = client.get(f"/api/v1/{path}")
    problem: dict[str, Any] = answer.json()
    assert (answer.status_code, answer.headers["content-type"]) == (
        status,
        "application/problem+json",
    )
    assert problem["status"] == status
    assert named in problem["detail"]


@pytest.mark.usefixtures("district")
def test_samples_of_a_device(client: Asker) -> None:
    answer = client.get(
        "/api/v1/devices/C2/samples?from=2026-03-02T05:45:00&to=2026-03-01T22:16:00Z"
    )
    document = answer.json()
    assert (document["device"], document["from"]) == ("C2", "2026-03-02T05:45:00+08:00")
    assert document["samples"] == [
        {
            "tick": f"2026-03-02T{time}:00+08:00",
            "status": status,
            "name": name,
            "class": slot_class,
            "latency_ms": 10,
        }
        for time, status, name, slot_class in (
            ("05:45", 20, "TIMEOUT", "offline"),
            ("06:00", 1, "CLOCK_WRONG", "intact"),
            ("06:15", 1, "CLOCK_WRONG", "intact"),
        )
    ]


@pytest.mark.usefixtures("district")
def test_health_metrics_and_the_description(client: Asker) -> None:
    assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").status_code == 200
    metrics = client.get("/metrics").text
    assert 'intact_devices{class="unknown",room="N-room"} 2.0' in metrics
    assert "intact_fleet_suspended_rate 0.0" in metrics
    assert "intact_fleet_intact_rate{" not in metrics
    paths = client.get("/openapi.json").json()["paths"]
    assert {
        "/api/v1/availability/monthly",
        "/api/v1/availability/daily",
        "/api/v1/availability/now",
        "/api/v1/devices",
        "/api/v1/rooms",
        "/api/v1/sweeps",
        "/api/v1/alerts",
    } <= set(paths)
