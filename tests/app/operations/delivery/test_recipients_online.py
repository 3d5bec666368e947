"""Recipients and the outbox over REST and on pages: who may, what is shown, what is never shown."""

import json
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import select, update

from app.accounts.permissions import Role
from app.accounts.tables import AuditEntry
from app.config import Settings
from app.database import Database
from app.main import create_app
from app.operations.delivery import queries
from app.operations.delivery.recipients import follow_settings
from app.operations.delivery.sending import deliver
from app.operations.delivery.tables import Notification, Recipient
from tests.app.accounts.people import Person, signed_in
from tests.app.operations.delivery.conftest import NOW
from tests.app.operations.delivery.receivers import Receiver

API = "/api/v1/recipients"
SECRET = "hush-hush"


@pytest.fixture
def application(settings: Settings, database: Database) -> FastAPI:
    return create_app(settings, database)


@pytest.fixture
def admin(application: FastAPI, database: Database) -> Person:
    return signed_in(application, database, Role.SYSTEM_ADMIN, name="chief")


@pytest.fixture
def office(application: FastAPI, database: Database) -> Person:
    return signed_in(application, database, Role.OFFICE, name="office")


def wanted(address: str, **others: object) -> dict[str, object]:
    return {"name": "值班", "channel": "webhook", "address": address} | others


def audited(database: Database) -> list[tuple[str, str, dict[str, Any]]]:
    with database.read() as session:
        found = session.scalars(select(AuditEntry).order_by(AuditEntry.id))
        return [(each.action, each.subject, each.details) for each in found]


def test_life_of_a_recipient(
    admin: Person, office: Person, database: Database, settings: Settings, receiver: Receiver
) -> None:
    address = f"{receiver.url}&password={SECRET}"
    added = admin.send("POST", API, wanted(address, min_severity="warning"))
    assert added.status_code == 201
    one = f"{API}/{added.json()['id']}"
    changed = admin.send("PATCH", one, {"name": "夜班", "language": "en"}).json()
    assert (changed["name"], changed["language"], changed["enabled"]) == ("夜班", "en", True)
    assert admin.send("POST", f"{one}/test").json() == {"delivered": True, "error": None}
    assert receiver.received[0]["summary"]["en"].startswith("A test message")
    too_soon = admin.send("POST", f"{one}/test")
    assert (too_soon.status_code, too_soon.headers["retry-after"]) == (429, "10")
    assert admin.send("PATCH", one, {"enabled": False}).json()["enabled"] is False
    for person in (admin, office):
        for path in (API, one, "/recipients", "/deliveries"):
            answer = person.get(path)
            assert answer.status_code == 200
            assert SECRET not in answer.text
    assert SECRET not in admin.get(f"/recipients/{added.json()['id']}/edit").text
    assert admin.send("DELETE", one).status_code == 204
    assert admin.send("GET", one).status_code == 404
    actions = [action for action, _subject, _details in audited(database)]
    assert actions == [
        f"recipient.{what}" for what in ("add", "change", "test", "change", "delete")
    ]
    assert SECRET not in json.dumps(audited(database))
    assert audited(database)[1][2]["was"] == "值班"


@pytest.mark.parametrize(
    ("change", "parameter"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 65}, "name"),
        ({"name": "taken"}, "name"),
        ({"address": "10.0.0.8/hook"}, "address"),
        ({"address": ""}, "address"),
        ({"address": "http://a/\nb"}, "address"),
        ({"channel": "apprise", "address": f"nothing://{SECRET}"}, "address"),
        ({"channel": "pigeon"}, "channel"),
        ({"language": "fr"}, "language"),
        ({"min_severity": "awful"}, "min_severity"),
    ],
)
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_what_is_wrong_is_named(admin: Person, change: dict[str, object], parameter: str) -> None:
    assert admin.send("POST", API, wanted("http://10.0.0.8/", name="taken")).status_code == 201
    answer = admin.send("POST", API, wanted("http://10.0.0.8/") | change)
    assert (answer.status_code, answer.json()["parameter"]) == (422, parameter)
    assert SECRET not in answer.text
    assert len(admin.send("GET", API).json()["items"]) == 1


def test_another_channel_needs_another_address(admin: Person, receiver: Receiver) -> None:
    one = f"{API}/{admin.send('POST', API, wanted(receiver.url)).json()['id']}"
    assert admin.send("PATCH", one, {"channel": "apprise"}).json()["parameter"] == "address"
    change = {"channel": "alertmanager", "address": receiver.url}
    assert admin.send("PATCH", one, change).json()["channel"] == "alertmanager"
    admin.send("POST", f"{one}/test")
    assert receiver.received[0]["version"] == "4"


def test_the_recipient_of_the_settings_is_changed_there(
    database: Database, settings: Settings, receiver: Receiver
) -> None:
    chosen = Settings(data_dir=settings.data_dir, webhook_url=receiver.url)
    admin = signed_in(create_app(chosen, database), database, Role.SYSTEM_ADMIN)
    assert admin.send("GET", API).json()["items"] == []
    with database.write() as session:
        follow_settings(session, chosen, NOW)
    (item,) = admin.send("GET", API).json()["items"]
    assert item["from_settings"]
    one = f"{API}/{item['id']}"
    assert admin.send("PATCH", one, {"enabled": False}).status_code == 409
    assert admin.send("DELETE", one).status_code == 409
    assert admin.send("POST", f"{one}/test").json()["delivered"]
    assert "来自配置" in admin.get("/recipients").text


def test_dead_letters_are_shown_and_sent_again(
    admin: Person, office: Person, database: Database, settings: Settings, receiver: Receiver
) -> None:
    admin.send("POST", API, wanted(receiver.url))
    with database.write() as session:
        body = {"summary": {"zh": "断了", "en": "It broke"}}
        queries.enqueue(session, None, "opened", None, body, NOW, "warning")
        queries.enqueue(session, None, "resolved", None, body, NOW, "warning")
        given_up = {"given_up_at": NOW + 5, "last_error": "HTTP 503", "attempts": 34}
        session.execute(update(Notification).where(Notification.id == 1).values(given_up))
    listed = office.send("GET", "/api/v1/deliveries?state=given_up").json()
    assert [item["last_error"] for item in listed["items"]] == ["HTTP 503"]
    assert (listed["items"][0]["recipient"], listed["items"][0]["state"]) == ("值班", "given_up")
    assert office.send("GET", "/api/v1/deliveries?recipient_id=99").json()["total"] == 0
    page = office.get("/deliveries?state=given_up").text
    assert "断了" in page
    assert "HTTP 503" in page
    assert "/resend" not in page, "the office only reads"
    assert "/deliveries/1/resend" in admin.get("/deliveries").text
    assert office.post("/deliveries/1/resend").status_code == 403
    assert admin.post("/deliveries/1/resend").headers["location"] == "/deliveries?done=saved"
    again = admin.post("/deliveries/1/resend")
    assert again.status_code == 409
    assert "停止发送" in again.text
    assert admin.send("POST", "/api/v1/deliveries/2/resend").status_code == 409
    assert admin.send("POST", "/api/v1/deliveries/9/resend").status_code == 404
    with database.read() as session:
        due = session.scalars(select(Notification.next_attempt_at)).all()
    assert deliver(database, settings, max(due)) == 2
    assert {item["state"] for item in admin.send("GET", "/api/v1/deliveries").json()["items"]} == {
        "delivered"
    }
    assert ("delivery.resend", "1", {"to": "值班"}) in audited(database)


def test_forms(admin: Person, office: Person, database: Database, receiver: Receiver) -> None:
    form = {"name": "值班", "channel": "webhook", "language": "zh", "min_severity": "info"}
    wrong = admin.post("/recipients/new", **form, address=f"ftp://{SECRET}", enabled="true")
    assert wrong.status_code == 422
    assert "地址：须为 http://" in wrong.text
    assert SECRET not in wrong.text
    assert 'value="值班"' in wrong.text, "what was written still stands there"
    saved = admin.post("/recipients/new", **form, address=receiver.url, enabled="true")
    assert saved.headers["location"] == "/recipients?done=saved"
    with database.read() as session:
        recipient = session.scalars(select(Recipient).where(Recipient.name == "值班")).one()
    one = f"/recipients/{recipient.id}"
    assert "已送达" in admin.post(f"{one}/test").text
    assert "请等待十秒" in admin.post(f"{one}/test").text
    kept = admin.post(f"{one}/edit", **form | {"min_severity": "critical"}, address="")
    assert kept.status_code == 303
    with database.read() as session:
        changed = session.get_one(Recipient, recipient.id)
    assert changed.address_encrypted == recipient.address_encrypted
    assert (changed.min_severity, changed.enabled) == ("critical", False)
    assert admin.post(f"{one}/enable").status_code == 303
    assert "已启用" in office.get("/recipients").text
    assert "/edit" not in office.get("/recipients").text, "the office only reads"
    assert office.post(f"{one}/test").status_code == 403
    assert admin.post(f"{one}/disable").status_code == 303
    assert admin.post(f"{one}/delete").headers["location"] == "/recipients?done=deleted"
    assert "尚无告警接收人" in admin.get("/recipients").text
    assert admin.post(f"{one}/delete").status_code == 404
