"""Recipients: who is told what, and that one holds up no other."""

import threading
import time
from concurrent.futures import FIRST_COMPLETED, wait
from pathlib import Path

import pytest
from sqlalchemy import select, text

from app.accounts.audit import Actor
from app.config import Settings
from app.database import Database
from app.errors import NotFound, Refused
from app.fleet.key_rotation import rotate_key
from app.fleet.secrets import KEY_FILE
from app.operations.delivery import queries
from app.operations.delivery.outgoing_heartbeat import OutgoingHeartbeat
from app.operations.delivery.recipients import delete_recipient, encrypt_anew, set_enabled
from app.operations.delivery.resending import send_again
from app.operations.delivery.sending import GIVE_UP_S, Courier, deliver
from app.operations.delivery.tables import Channel, DeliveryState, Notification, Recipient, Severity
from app.web.language import Language
from tests.app.operations.delivery.conftest import NOW, Register
from tests.app.operations.delivery.receivers import Mailbox, Receiver

SOMEBODY = Actor("somebody")
BODY = {"summary": {"zh": "断了", "en": "It broke"}}


def tell(
    database: Database,
    recipients: list[int] | None = None,
    severity: Severity = Severity.CRITICAL,
    now: int = NOW,
) -> int:
    with database.write() as session:
        return queries.enqueue(session, None, "opened", recipients, BODY, now, severity)


def stored(database: Database) -> list[Notification]:
    with database.read() as session:
        return list(session.scalars(select(Notification).order_by(Notification.id)))


def told(database: Database) -> list[int | None]:
    return [each.recipient_id for each in stored(database)]


def test_who_is_told_by_severity_and_by_name(database: Database, register: Register) -> None:
    every, warned, worst = (
        register.add(least.value, Channel.WEBHOOK, "http://127.0.0.1:9/", least=least)
        for least in Severity
    )
    assert tell(database, severity=Severity.INFO) == 1
    assert tell(database, severity=Severity.WARNING) == 2
    assert tell(database, severity=Severity.CRITICAL) == 3
    assert tell(database, [worst, 999], Severity.INFO) == 1, "who is named wants it"
    assert tell(database, []) == 0
    assert told(database) == [every, every, warned, every, warned, worst, worst]
    with database.write() as session:
        set_enabled(session, worst, False, SOMEBODY, NOW)
    assert tell(database, [worst]) == 0


def test_each_in_its_own_language(
    database: Database, settings: Settings, register: Register, mailbox: Mailbox
) -> None:
    register.add("中", Channel.APPRISE, mailbox.address)
    register.add("en", Channel.APPRISE, mailbox.address, Language.ENGLISH)
    assert tell(database) == 2
    assert deliver(database, settings, NOW) == 2
    assert sorted(mailbox.texts()) == [
        ("Intact: alert (severe)", "It broke"),
        ("完好率监测：告警（严重）", "断了"),
    ]


def test_one_that_fails_holds_up_no_other(
    database: Database, settings: Settings, register: Register, receiver: Receiver
) -> None:
    gone = Receiver()
    gone.close()
    dead = register.add("dead", Channel.WEBHOOK, gone.url)
    alive = register.add("alive", Channel.ALERTMANAGER, receiver.url)
    tell(database)
    tell(database)
    assert deliver(database, settings, NOW) == 2
    failed = [each for each in stored(database) if each.recipient_id == dead]
    assert [each.attempts for each in failed] == [1, 0], "after a failure it is left alone"
    assert {each.recipient_id for each in stored(database) if each.delivered_at} == {alive}


def test_one_that_is_slow_holds_up_no_other(
    database: Database, settings: Settings, register: Register, receiver: Receiver
) -> None:
    slow, go_on = Receiver(), threading.Event()
    slow.before_answer = go_on.wait
    register.add("slow", Channel.WEBHOOK, slow.url)
    register.add("swift", Channel.WEBHOOK, receiver.url)
    courier = Courier(database, settings)
    try:
        tell(database, now=int(time.time()))
        begun = courier.round()
        done, _slow = wait(begun, 10, FIRST_COMPLETED)
        assert len(done) == len(receiver.received) == 1
        tell(database, now=int(time.time()))
        (second,) = courier.round()  # who is being served is left alone
        assert second.result(10) == 1
        assert (len(receiver.received), slow.received) == (2, [])
        go_on.set()
        wait(begun)
        assert len(slow.received) == 2, "what came meanwhile follows"
    finally:
        go_on.set()
        courier.close()
        slow.close()


def test_down_for_long_given_up_and_sent_again(
    database: Database, settings: Settings, register: Register, receiver: Receiver
) -> None:
    recipient_id = register.add("值班", Channel.WEBHOOK, receiver.url)
    tell(database)
    receiver.answers = [503] * 100
    now = NOW
    while stored(database)[0].state is DeliveryState.WAITING:
        now = stored(database)[0].next_attempt_at
        deliver(database, settings, now)
    (dead,) = stored(database)
    assert (dead.given_up_at, dead.last_error) == (now, "HTTP 503")
    assert GIVE_UP_S <= now - NOW <= GIVE_UP_S + 3600
    assert dead.attempts == len(receiver.asked) == 34
    assert deliver(database, settings, now + 9999) == 0
    receiver.answers = []
    with database.write() as session:
        send_again(session, dead.id, SOMEBODY, now + 10_000)
        with pytest.raises(Refused):
            send_again(session, dead.id, SOMEBODY, now + 10_000)
    assert deliver(database, settings, now + 10_000) == 1
    assert stored(database)[0].state is DeliveryState.DELIVERED
    assert len(receiver.received) == 1
    with database.write() as session, pytest.raises(NotFound):
        send_again(session, 999, SOMEBODY, now)
    assert told(database) == [recipient_id]


def test_sent_again_in_vain_it_is_tried_for_another_day(
    database: Database, settings: Settings, register: Register, receiver: Receiver
) -> None:
    recipient_id = register.add("值班", Channel.WEBHOOK, receiver.url)
    tell(database)
    with database.write() as session:
        set_enabled(session, recipient_id, False, SOMEBODY, NOW + 1)
    (dead,) = stored(database)
    assert (dead.state, dead.last_error) == (DeliveryState.GIVEN_UP, "the recipient is disabled")
    later = NOW + 3 * 86_400
    with database.write() as session:
        with pytest.raises(Refused):
            send_again(session, dead.id, SOMEBODY, later)
        set_enabled(session, recipient_id, True, SOMEBODY, later)
        send_again(session, dead.id, SOMEBODY, later)
    receiver.answers = [500]
    assert deliver(database, settings, later) == 0
    assert stored(database)[0].next_attempt_at == later + 10
    assert deliver(database, settings, later + 10) == 1


def test_deleted_its_messages_stay(
    database: Database, settings: Settings, register: Register, receiver: Receiver
) -> None:
    recipient_id = register.add("值班", Channel.WEBHOOK, receiver.url)
    tell(database)
    with database.write() as session:
        delete_recipient(session, recipient_id, SOMEBODY, NOW)
    assert deliver(database, settings, NOW) == 0
    (kept,) = stored(database)
    assert (kept.recipient_id, kept.state) == (None, DeliveryState.GIVEN_UP)
    with database.write() as session, pytest.raises(Refused):
        send_again(session, kept.id, SOMEBODY, NOW)


def test_the_address_is_stored_encrypted_and_follows_the_key(
    database: Database, settings: Settings, register: Register, receiver: Receiver
) -> None:
    recipient_id = register.add("值班", Channel.WEBHOOK, receiver.url)
    with database.read() as session:
        before = session.get_one(Recipient, recipient_id).address_encrypted
    assert before is not None
    assert b"secret" not in before
    assert rotate_key(database, settings, [encrypt_anew]) == 1
    with database.read() as session:
        assert session.get_one(Recipient, recipient_id).address_encrypted != before
    tell(database)
    assert deliver(database, settings, NOW) == 1
    (settings.data_dir / KEY_FILE).unlink()
    tell(database)
    assert deliver(database, settings, NOW) == 0
    assert "is missing" in (stored(database)[1].last_error or "")


def test_messages_of_an_older_version_are_of_the_webhook_of_the_settings(tmp_path: Path) -> None:
    from alembic import command
    from alembic.config import Config

    import migrations

    database = Database(f"sqlite:///{tmp_path}/old.db")
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    with database.engine.execution_options(write=True).begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0012")
        for row in (
            "INSERT INTO alert (id, kind, opened_at, since, figures) VALUES (1, 'x', 5, 5, '{}')",
            "INSERT INTO notification (alert_id, event, body, created_at, attempts, "
            "next_attempt_at) VALUES (1, 'opened', '{}', 5, 0, 5)",
        ):
            connection.execute(text(row))
    database.upgrade()
    (kept,) = stored(database)
    with database.read() as session:
        webhook = session.get_one(Recipient, kept.recipient_id)
        assert (webhook.name, webhook.from_settings) == ("INTACT_WEBHOOK_URL", True)
    assert (kept.queued_at, kept.severity) == (5, "critical")
    database.close()


def test_outgoing_heartbeat_is_sent_while_the_collector_lives(receiver: Receiver) -> None:
    alive = True
    heartbeat = OutgoingHeartbeat(receiver.url, lambda: alive)
    assert heartbeat.beat()
    receiver.answers = [500]
    assert not heartbeat.beat()
    assert heartbeat.beat()
    assert len(receiver.asked) == 3
    alive = False
    assert not heartbeat.beat()
    assert len(receiver.asked) == 3, "its silence reports the collector's death"
    alive = True
    assert not OutgoingHeartbeat("http://127.0.0.1:1/", lambda: alive).beat()
