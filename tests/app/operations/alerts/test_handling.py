"""What people do about alerts and rules, by REST and on pages; who may, and what is refused."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from app.accounts.caller import Caller
from app.accounts.permissions import Role, permissions_of
from app.accounts.reach import Reach
from app.accounts.tables import AuditEntry
from app.config import Settings
from app.database import Database
from app.fleet.tables import Cohort, DeviceKind, Room, Station
from app.main import create_app
from app.operations.alerts.queries import insert_alert
from app.operations.alerts.tables import Alert
from app.operations.delivery.tables import Notification, Recipient
from tests.app.asking import Asker

NOW = int(time.time())


@pytest.fixture
def open_alert(database: Database) -> Callable[..., int]:
    """Store an open alert that has been told; its id."""

    def store(scope: str = "fleet", code: str = "", **columns: Any) -> int:
        row = {
            "kind": "fleet_intact_rate",
            "metric": "intact_rate",
            "scope": scope,
            "scope_code": code,
            "scope_name": code,
            "severity": "critical",
            "opened_at": NOW - 600,
            "since": NOW - 900,
            "told_at": NOW - 600,
            "figures": {"part": 97, "whole": 100, "intact": 97, "assessed": 100, "target": 0.98},
        }
        with database.write() as session:
            stored = insert_alert(session, row | columns)
            assert stored is not None
            return stored

    return store


def asker(database: Database, settings: Settings, role: Role, reach: Reach | None = None) -> Asker:
    caller = Caller(role.value, permissions_of(role), role=role, reach=reach or Reach())
    return Asker(create_app(settings, database), caller)


@pytest.fixture
def office(database: Database, settings: Settings) -> Asker:
    return asker(database, settings, Role.OFFICE)


def actions(database: Database) -> list[str]:
    with database.read() as session:
        return list(session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))


def test_somebody_acknowledges(
    office: Asker, database: Database, open_alert: Callable[..., int]
) -> None:
    alert_id = open_alert()
    path = f"/api/v1/alerts/{alert_id}/acknowledge"
    done = office.ask("POST", path, json={"note": "on our way"})
    assert (done.status_code, done.json()["acknowledged_by"]) == (200, "office")
    assert done.json()["note"] == "on our way"
    assert office.ask("POST", path, json={}).status_code == 409
    assert office.ask("POST", "/api/v1/alerts/99/acknowledge", json={}).status_code == 404
    assert actions(database) == ["alert.acknowledge"]


def test_somebody_escalates(
    office: Asker, database: Database, open_alert: Callable[..., int]
) -> None:
    alert_id = open_alert()
    with database.write() as session:
        session.add(
            Recipient(
                name="boss", channel="webhook", address_encrypted=b"-", language="zh",
                min_severity="critical", enabled=True, changed_at=0,
            )
        )  # fmt: skip
    assert office.ask("POST", f"/api/v1/alerts/{alert_id}/escalate").status_code == 200
    assert office.ask("POST", f"/api/v1/alerts/{alert_id}/escalate").status_code == 409
    with database.read() as session:
        assert [row.event for row in session.scalars(select(Notification))] == ["escalated"]


def test_a_silence_is_made_and_ended(office: Asker, database: Database) -> None:
    wanted = {"kind": "room_down", "reason": "moving", "until": "2999-01-01T00:00:00"}
    assert office.ask("POST", "/api/v1/silences", json=wanted).status_code == 422
    local = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(NOW + 3600))
    made = office.ask("POST", "/api/v1/silences", json={**wanted, "until": local})
    assert made.status_code == 201, made.text
    (silence,) = office.get("/api/v1/silences").json()["silences"]
    assert (silence["kind"], silence["reason"], silence["created_by"]) == (
        "room_down",
        "moving",
        "office",
    )
    path = f"/api/v1/silences/{silence['id']}/end"
    assert office.ask("POST", path).json()["ended_by"] == "office"
    assert office.ask("POST", path).status_code == 409
    assert office.get("/api/v1/silences").json()["silences"] == []
    assert len(office.get("/api/v1/silences?past=true").json()["silences"]) == 1
    assert actions(database) == ["alert.silence", "alert.end_silence"]


@pytest.mark.parametrize(
    ("changes", "parameter"),
    [
        ({"kind": None}, "kind"),
        ({"kind": "nothing"}, "kind"),
        ({"reason": " "}, "reason"),
        ({"scope_code": "S1"}, "scope"),
    ],
)
def test_a_silence_that_is_none(office: Asker, changes: dict[str, Any], parameter: str) -> None:
    until = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(NOW + 3600))
    wanted = {"kind": "room_down", "reason": "moving", "until": until} | changes
    refused = office.ask("POST", "/api/v1/silences", json=wanted)
    assert (refused.status_code, refused.json()["parameter"]) == (422, parameter)


RULE = {
    "key": "station_online",
    "metric": "online_rate",
    "scope": "station",
    "threshold": "0.95",
    "recovery": "0.97",
    "for_slots": 10,
    "severity": "warning",
    "quiet_from": 1320,
    "quiet_to": 420,
    "repeat_s": 3600,
}


def test_a_rule_is_added_changed_and_deleted(
    office: Asker, database: Database, open_alert: Callable[..., int]
) -> None:
    made = office.ask("POST", "/api/v1/alert-rules", json=RULE)
    assert made.status_code == 201, made.text
    rule = made.json()
    assert (rule["key"], rule["shipped"], rule["version"]) == ("station_online", False, 1)
    assert office.ask("POST", "/api/v1/alert-rules", json=RULE).status_code == 409
    path = f"/api/v1/alert-rules/{rule['id']}"
    alert_id = open_alert("station", "S1", kind="station_online", metric="online_rate")
    change = {name: value for name, value in RULE.items() if name != "key"}
    changed = office.ask("PUT", path, json={**change, "enabled": False})
    assert (changed.json()["version"], changed.json()["enabled"]) == (2, False)
    with database.read() as session:
        closed = session.get_one(Alert, alert_id)
        assert (closed.resolved_at is not None, closed.pending) == (True, None)
    assert office.ask("DELETE", path).status_code == 204
    assert office.get(path).status_code == 404
    assert actions(database) == ["alert_rule.add", "alert_rule.change", "alert_rule.delete"]


@pytest.mark.parametrize(
    ("changes", "parameter"),
    [
        ({"key": "No Key"}, "key"),
        ({"threshold": None}, "threshold"),
        ({"threshold": "1.5"}, "threshold"),
        ({"threshold": "0..9"}, "threshold"),
        ({"recovery": "0.9"}, "recovery"),
        ({"metric": "suspended_rate", "recovery": "0.97"}, "recovery"),
        ({"metric": "clock_wrong"}, "scope"),
        ({"metric": "room_down", "scope": "room"}, "threshold"),
        ({"period": "month"}, "for_slots"),
        ({"metric": "incident", "scope": "room", "threshold": None, "recovery": None}, "for_slots"),
        ({"for_slots": 0}, "for_slots"),
        ({"for_slots": 1000}, "for_slots"),
        ({"scope": "fleet", "scope_code": "S1"}, "scope_code"),
        ({"scope_code": "nowhere"}, "scope_code"),
        ({"quiet_to": None}, "quiet_to"),
        ({"quiet_to": 1440}, "quiet_from"),
        ({"repeat_s": 5}, "repeat_s"),
        ({"recipients": [99]}, "recipients"),
        ({"escalate_after_s": 600}, "escalate_to"),
    ],
)
def test_a_rule_that_is_none(
    office: Asker, database: Database, changes: dict[str, Any], parameter: str
) -> None:
    refused = office.ask("POST", "/api/v1/alert-rules", json={**RULE, **changes})
    assert (refused.status_code, refused.json()["parameter"]) == (422, parameter), refused.text
    assert actions(database) == []


def test_shipped_rules_stay(office: Asker) -> None:
    rules = {rule["key"]: rule for rule in office.get("/api/v1/alert-rules").json()["rules"]}
    assert len(rules) == 11
    fleet = rules["fleet_intact_rate"]
    assert (fleet["threshold"], fleet["recovery"], fleet["for_slots"]) == ("0.98", "0.982", 5)
    path = f"/api/v1/alert-rules/{fleet['id']}"
    assert office.ask("DELETE", path).status_code == 409
    change = {"metric": "intact_rate", "threshold": "0.97", "severity": "critical"}
    assert office.ask("PUT", path, json=change).json()["threshold"] == "0.97"
    other = office.ask("PUT", path, json={**change, "metric": "online_rate"})
    assert (other.status_code, other.json()["parameter"]) == (422, "metric")


def test_only_alerts_of_what_is_theirs(
    database: Database, settings: Settings, open_alert: Callable[..., int]
) -> None:
    with database.write() as session:
        station, room = Station(code="S1", name="S1"), Room(code="R1", name="R1")
        session.add_all([station, room])
        session.flush()
        session.add(Cohort(kind=DeviceKind.CAMERA, station_id=station.id, room_id=room.id))
    ids = {
        (scope, code): open_alert(scope, code)
        for scope, code in (
            ("fleet", ""), ("station", "S1"), ("station", "S2"), ("room", "R1"), ("room", "R2"),
            ("contractor", "A"), ("contractor", "B"),
        )
    }  # fmt: skip
    for role, reach, seen in (
        (Role.OFFICE, Reach(), set(ids)),
        (Role.STATION, Reach(station="S1"), {("station", "S1"), ("room", "R1")}),
        (Role.CONTRACTOR, Reach(contractor="A"), {("contractor", "A")}),
    ):
        theirs = asker(database, settings, role, reach)
        listed = {each["id"] for each in theirs.get("/api/v1/alerts").json()["items"]}
        assert listed == {ids[each] for each in seen}
        for place, alert_id in ids.items():
            expected = 200 if place in seen else 404
            assert theirs.get(f"/api/v1/alerts/{alert_id}").status_code == expected
            assert theirs.get(f"/alerts/{alert_id}").status_code == expected


def test_the_pages(office: Asker, open_alert: Callable[..., int]) -> None:
    alert_id = open_alert()
    for language, words in (("en", "Intact rate below target"), ("zh", "完好率低于目标")):
        asked = {"Accept-Language": language}
        assert words in office.get("/alerts", **asked).text
        assert words in office.get(f"/alerts/{alert_id}", **asked).text
    form = {"hours": "4", "reason": "works on the road"}
    assert office.ask("POST", f"/alerts/{alert_id}/silence", data=form).status_code == 303
    assert "works on the road" in office.get("/silences").text
    assert "works on the road" in office.get(f"/alerts/{alert_id}").text
    assert office.ask("POST", f"/alerts/{alert_id}/acknowledge", data={}).status_code == 303
    again = office.ask("POST", f"/alerts/{alert_id}/acknowledge", data={})
    assert (again.status_code, "已被确认" in again.text) == (409, True)
    assert office.get("/alerts?state=resolved", **{"Accept-Language": "en"}).text.count("No alert")


def test_the_form_of_a_rule(office: Asker) -> None:
    form = {
        "key": "rooms_online", "metric": "online_rate", "period": "now", "scope": "room",
        "threshold": "0.9", "for_slots": "4", "severity": "info", "quiet_from": "22:00",
        "quiet_to": "07:30", "repeat_minutes": "30", "enabled": "true",
    }  # fmt: skip
    assert office.ask("POST", "/alert-rules/new", data=form).status_code == 303
    rules = {rule["key"]: rule for rule in office.get("/api/v1/alert-rules").json()["rules"]}
    made = rules["rooms_online"]
    assert (made["quiet_from"], made["quiet_to"], made["repeat_s"]) == (1320, 450, 1800)
    page = office.get(f"/alert-rules/{made['id']}/edit").text
    assert 'value="22:00"' in page
    wrong = office.ask("POST", "/alert-rules/new", data={**form, "threshold": "98"})
    assert (wrong.status_code, "应为 0 到 1 的小数" in wrong.text) == (422, True)
    assert "rooms_online" in office.get("/alert-rules").text
    gone = office.ask("POST", f"/alert-rules/{made['id']}/delete", data={})
    assert gone.status_code == 303
