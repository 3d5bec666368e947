"""Delivery to a real receiver: retried, claimed once, in order, given up in the end."""

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import select

from app.config import Settings
from app.database import Database
from app.operations.alerts.queries import insert_alert
from app.operations.alerts.tables import AlertEvent
from app.operations.delivery import queries, sending
from app.operations.delivery.posting import TIMEOUT_S
from app.operations.delivery.recipients import follow_settings
from app.operations.delivery.sending import FIRST_WAIT_S, GIVE_UP_S, LEASE_S, backoff, deliver
from app.operations.delivery.tables import Notification
from tests.app.operations.delivery.receivers import Receiver

NOW = 1_800_000_000


@pytest.fixture
def hooked(receiver: Receiver, database: Database, tmp_path: Path) -> Settings:
    return hook(database, tmp_path, receiver.url)


def hook(database: Database, folder: Path, url: str) -> Settings:
    """Settings with this webhook, as a server has begun with them."""
    settings = Settings(data_dir=folder, webhook_url=url)
    with database.write() as session:
        follow_settings(session, settings, NOW)
    return settings


def decide_to_send(database: Database, *events: AlertEvent) -> int:
    """An alert with these messages in the outbox, as `watch` leaves them."""
    row = {
        "kind": "fleet_intact_rate",
        "metric": "intact_rate",
        "scope": "fleet",
        "scope_code": "",
        "scope_name": "",
        "severity": "critical",
        "opened_at": NOW,
        "since": NOW,
        "figures": {},
    }
    with database.write() as session:
        alert_id = insert_alert(session, row)
        assert alert_id is not None
        for event in events:
            body = {"event": event.value, "summary": {"zh": "完好率"}}
            assert queries.enqueue(session, alert_id, event, None, body, NOW) == 1
    return alert_id


def stored(database: Database) -> list[Notification]:
    with database.read() as session:
        return list(session.scalars(select(Notification).order_by(Notification.id)))


def test_fails_twice_then_succeeds(
    database: Database, hooked: Settings, receiver: Receiver
) -> None:
    decide_to_send(database, AlertEvent.OPENED)
    receiver.answers = [503, 302]
    assert deliver(database, hooked, NOW) == 0
    assert stored(database)[0].last_error == "HTTP 503"
    assert deliver(database, hooked, NOW + 9) == 0
    assert len(receiver.asked) == 1, "not before its time"
    assert deliver(database, hooked, NOW + 10) == 0
    assert stored(database)[0].last_error == "HTTP 302"
    assert deliver(database, hooked, NOW + 40) == 1
    assert receiver.received == [{"event": "opened", "summary": {"zh": "完好率"}}]
    assert receiver.asked == ["/hook?key=secret"] * 3, "a redirect is not followed"
    (sent,) = stored(database)
    assert (sent.attempts, sent.delivered_at, sent.last_error) == (3, NOW + 40, None)
    assert deliver(database, hooked, NOW + 86_400) == 0
    assert len(receiver.asked) == 3


def test_waits_longer_and_longer() -> None:
    at, times = 0, [0]
    while at < GIVE_UP_S:
        at += backoff(at)
        times.append(at)
    waits = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert waits == sorted(waits)
    assert (waits[0], waits[-1], len(times)) == (10, 3600, 34)
    assert LEASE_S > 2 * TIMEOUT_S


def test_nobody_there(database: Database, tmp_path: Path) -> None:
    closed = Receiver()
    closed.close()
    settings = hook(database, tmp_path, closed.url)
    decide_to_send(database, AlertEvent.OPENED)
    assert deliver(database, settings, NOW) == 0
    (waiting,) = stored(database)
    assert waiting.next_attempt_at == NOW + FIRST_WAIT_S
    assert "ConnectError" in (waiting.last_error or "")
    assert "secret" not in (waiting.last_error or "")


def test_address_that_cannot_be_read(database: Database, tmp_path: Path) -> None:
    settings = hook(database, tmp_path, "http://[broken/hook")
    decide_to_send(database, AlertEvent.OPENED)
    assert deliver(database, settings, NOW) == 0
    assert stored(database)[0].last_error


def test_killed_between_claim_and_sending(
    database: Database, hooked: Settings, receiver: Receiver
) -> None:
    decide_to_send(database, AlertEvent.OPENED)
    with database.write() as session:
        due = queries.due_notification(session, 1, NOW)
        assert due is not None
        assert queries.claim_notification(session, due, NOW, LEASE_S)
    assert deliver(database, hooked, NOW + LEASE_S - 1) == 0
    assert deliver(database, hooked, NOW + LEASE_S) == 1
    assert len(receiver.received) == 1


def test_killed_after_sending_sends_again(
    database: Database,
    hooked: Settings,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    decide_to_send(database, AlertEvent.OPENED)

    def die(*_arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(sending.Courier, "_note", die)
        with pytest.raises(KeyboardInterrupt):
            deliver(database, hooked, NOW)
    assert deliver(database, hooked, NOW + LEASE_S) == 1
    assert len(receiver.received) == 2


def test_two_deliverers_send_once(database: Database, hooked: Settings, receiver: Receiver) -> None:
    decide_to_send(database, AlertEvent.OPENED)
    barrier = threading.Barrier(6)

    def send() -> int:
        barrier.wait()
        return deliver(database, hooked, NOW)

    with ThreadPoolExecutor(6) as pool:
        sent = [job.result() for job in [pool.submit(send) for _ in range(6)]]
    assert sum(sent) == 1
    assert len(receiver.received) == 1


def test_second_deliverer_while_the_first_is_sending(
    database: Database, hooked: Settings, receiver: Receiver
) -> None:
    decide_to_send(database, AlertEvent.OPENED)
    meanwhile: list[int] = []

    def another() -> None:
        receiver.before_answer = None
        meanwhile.append(deliver(database, hooked, NOW + 30))

    receiver.before_answer = another
    assert deliver(database, hooked, NOW) == 1
    assert (meanwhile, len(receiver.received)) == ([0], 1)


def test_an_alert_is_told_in_order(
    database: Database, hooked: Settings, receiver: Receiver
) -> None:
    decide_to_send(database, AlertEvent.OPENED, AlertEvent.RESOLVED)
    receiver.answers = [500]
    assert deliver(database, hooked, NOW) == 0
    assert deliver(database, hooked, NOW + 5) == 0
    assert len(receiver.asked) == 1, "the end waits for the beginning"
    assert deliver(database, hooked, NOW + 10) == 2
    assert [body["event"] for body in receiver.received] == ["opened", "resolved"]


def test_given_up_after_a_day_and_kept(
    database: Database, hooked: Settings, receiver: Receiver
) -> None:
    decide_to_send(database, AlertEvent.OPENED, AlertEvent.RESOLVED)
    receiver.answers = [500, 500]
    deliver(database, hooked, NOW)
    late = NOW + GIVE_UP_S
    assert deliver(database, hooked, late) == 0
    first, second = stored(database)
    assert (first.given_up_at, first.last_error) == (late, "HTTP 500")
    assert second.given_up_at is None
    with database.read() as session:
        assert queries.count_unsent(session, late) == 1
    assert deliver(database, hooked, late + 1) == 1, "its successor goes out"


def test_what_waits_for_a_webhook_that_is_set_no_more_is_given_up(
    database: Database, hooked: Settings, receiver: Receiver, settings: Settings
) -> None:
    decide_to_send(database, AlertEvent.OPENED)
    with database.write() as session:
        follow_settings(session, settings, NOW + 1)
        assert queries.enqueue(session, None, "opened", None, {}, NOW + 1) == 0
    assert deliver(database, settings, NOW + 2) == 0
    (kept,) = stored(database)
    assert (kept.given_up_at, kept.last_error) == (NOW + 1, "INTACT_WEBHOOK_URL is not set")
    assert (kept.attempts, receiver.asked) == (0, [])
