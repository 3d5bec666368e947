"""Delivery to a real receiver: retried, claimed once, in order, given up in the end."""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from app.config import Settings
from app.database import Database
from app.operations.alerts.queries import insert_alert
from app.operations.alerts.tables import AlertEvent, AlertKind
from app.operations.delivery import queries, sending
from app.operations.delivery.sending import (
    BACKOFF_S,
    GIVE_UP_S,
    LEASE_S,
    backoff,
    deliver,
    webhook_client,
)
from app.operations.delivery.tables import Notification

NOW = 1_800_000_000


class Receiver:
    """A webhook on loopback. `answers` are the status codes to come; after them 204."""

    def __init__(self) -> None:
        self.answers: list[int] = []
        self.received: list[dict[str, Any]] = []
        self.asked: list[str] = []
        self.before_answer: Any = None
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                receiver.asked.append(self.path)
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if receiver.before_answer:
                    receiver.before_answer()
                status = receiver.answers.pop(0) if receiver.answers else 204
                if status < 300:
                    receiver.received.append(json.loads(body))
                self.send_response(status)
                if 300 <= status < 400:
                    self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_arguments: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook?key=secret"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture
def hooked(receiver: Receiver, tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path, webhook_url=receiver.url)


@pytest.fixture
def poster() -> Iterator[httpx.Client]:
    with webhook_client() as client:
        yield client


def decide_to_send(database: Database, *events: AlertEvent) -> int:
    """An alert with these messages in the outbox, as `watch` leaves them."""
    row = {"kind": AlertKind.FLEET_INTACT_RATE, "opened_at": NOW, "since": NOW, "figures": {}}
    with database.write() as session:
        alert_id = insert_alert(session, row)
        assert alert_id is not None
        for event in events:
            body = {"event": event.value, "summary": {"zh": "完好率"}}
            queries.add_notification(session, alert_id, event, body, NOW)
    return alert_id


def stored(database: Database) -> list[Notification]:
    with database.read() as session:
        return list(session.scalars(select(Notification).order_by(Notification.id)))


def test_fails_twice_then_succeeds(
    database: Database, hooked: Settings, receiver: Receiver, poster: httpx.Client
) -> None:
    decide_to_send(database, AlertEvent.OPENED)
    receiver.answers = [503, 302]
    assert deliver(database, hooked, NOW, poster) == 0
    assert stored(database)[0].last_error == "HTTP 503"
    assert deliver(database, hooked, NOW + 9, poster) == 0
    assert len(receiver.asked) == 1, "not before its time"
    assert deliver(database, hooked, NOW + 10, poster) == 0
    assert stored(database)[0].last_error == "HTTP 302"
    assert deliver(database, hooked, NOW + 40, poster) == 1
    assert receiver.received == [{"event": "opened", "summary": {"zh": "完好率"}}]
    assert receiver.asked == ["/hook?key=secret"] * 3, "a redirect is not followed"
    (sent,) = stored(database)
    assert (sent.attempts, sent.delivered_at, sent.last_error) == (3, NOW + 40, None)
    assert deliver(database, hooked, NOW + 86_400, poster) == 0
    assert len(receiver.asked) == 3


def test_waits_longer_and_longer() -> None:
    waits = [backoff(attempts) for attempts in range(1, 12)]
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (10, 3600)
    assert LEASE_S > sending.BATCH * 2 * sending.TIMEOUT_S


def test_nobody_there(database: Database, tmp_path: Path, poster: httpx.Client) -> None:
    decide_to_send(database, AlertEvent.OPENED)
    closed = Receiver()
    closed.close()
    settings = Settings(data_dir=tmp_path, webhook_url=closed.url)
    assert deliver(database, settings, NOW, poster) == 0
    (waiting,) = stored(database)
    assert waiting.next_attempt_at == NOW + BACKOFF_S[0]
    assert "ConnectError" in (waiting.last_error or "")
    assert "secret" not in (waiting.last_error or "")


def test_address_that_cannot_be_read(
    database: Database, tmp_path: Path, poster: httpx.Client
) -> None:
    decide_to_send(database, AlertEvent.OPENED)
    settings = Settings(data_dir=tmp_path, webhook_url="http://[broken/hook")
    assert deliver(database, settings, NOW, poster) == 0
    assert stored(database)[0].last_error


def test_killed_between_claim_and_sending(
    database: Database, hooked: Settings, receiver: Receiver, poster: httpx.Client
) -> None:
    decide_to_send(database, AlertEvent.OPENED)
    with database.write() as session:
        due = queries.due_notification(session, NOW)
        assert due is not None
        assert queries.claim_notification(session, due, NOW, LEASE_S)
    assert deliver(database, hooked, NOW + LEASE_S - 1, poster) == 0
    assert deliver(database, hooked, NOW + LEASE_S, poster) == 1
    assert len(receiver.received) == 1


def test_killed_after_sending_sends_again(
    database: Database,
    hooked: Settings,
    receiver: Receiver,
    poster: httpx.Client,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    decide_to_send(database, AlertEvent.OPENED)

    def die(*_arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(sending, "_note", die)
        with pytest.raises(KeyboardInterrupt):
            deliver(database, hooked, NOW, poster)
    assert deliver(database, hooked, NOW + LEASE_S, poster) == 1
    assert len(receiver.received) == 2


def test_two_deliverers_send_once(
    database: Database, hooked: Settings, receiver: Receiver, poster: httpx.Client
) -> None:
    decide_to_send(database, AlertEvent.OPENED)
    barrier = threading.Barrier(6)

    def send() -> int:
        barrier.wait()
        return deliver(database, hooked, NOW, poster)

    with ThreadPoolExecutor(6) as pool:
        sent = [job.result() for job in [pool.submit(send) for _ in range(6)]]
    assert sum(sent) == 1
    assert len(receiver.received) == 1


def test_second_deliverer_while_the_first_is_sending(
    database: Database, hooked: Settings, receiver: Receiver, poster: httpx.Client
) -> None:
    decide_to_send(database, AlertEvent.OPENED)
    meanwhile: list[int] = []

    def another() -> None:
        receiver.before_answer = None
        meanwhile.append(deliver(database, hooked, NOW + 30, poster))

    receiver.before_answer = another
    assert deliver(database, hooked, NOW, poster) == 1
    assert (meanwhile, len(receiver.received)) == ([0], 1)


def test_an_alert_is_told_in_order(
    database: Database, hooked: Settings, receiver: Receiver, poster: httpx.Client
) -> None:
    decide_to_send(database, AlertEvent.OPENED, AlertEvent.RESOLVED)
    receiver.answers = [500]
    assert deliver(database, hooked, NOW, poster) == 0
    assert deliver(database, hooked, NOW + 5, poster) == 0
    assert len(receiver.asked) == 1, "the end waits for the beginning"
    assert deliver(database, hooked, NOW + 10, poster) == 2
    assert [body["event"] for body in receiver.received] == ["opened", "resolved"]


def test_given_up_after_a_day_and_kept(
    database: Database, hooked: Settings, receiver: Receiver, poster: httpx.Client
) -> None:
    decide_to_send(database, AlertEvent.OPENED, AlertEvent.RESOLVED)
    receiver.answers = [500, 500]
    deliver(database, hooked, NOW, poster)
    late = NOW + GIVE_UP_S
    assert deliver(database, hooked, late, poster) == 0
    first, second = stored(database)
    assert (first.given_up_at, first.last_error) == (late, "HTTP 500")
    assert second.given_up_at is None
    with database.read() as session:
        assert queries.count_unsent(session, late) == 1
    assert deliver(database, hooked, late + 1, poster) == 1, "its successor goes out"


def test_without_a_webhook_nothing_is_sent(
    database: Database, settings: Settings, poster: httpx.Client
) -> None:
    decide_to_send(database, AlertEvent.OPENED)
    assert deliver(database, settings, NOW, poster) == 0
    assert stored(database)[0].attempts == 0
