"""The sending process is killed at every step: nothing is lost, and nothing is sent twice but what
was being sent just then."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import select

from app.config import Settings
from app.database import Database
from app.operations.delivery import queries
from app.operations.delivery.sending import LEASE_S, deliver
from app.operations.delivery.tables import Channel, Notification
from tests.app.operations.delivery import killed_courier
from tests.app.operations.delivery.conftest import NOW, Register
from tests.app.operations.delivery.receivers import Mailbox, Receiver


def courier(database: Database, settings: Settings, now: int, step: str) -> "subprocess.Popen[str]":
    """A process of its own that delivers, and dies before this step."""
    url = database.engine.url.render_as_string(hide_password=False)
    script = str(Path(killed_courier.__file__))
    arguments = [url, str(settings.data_dir), str(now), step]
    return subprocess.Popen(
        [sys.executable, script, *arguments],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.getcwd()},
    )


def announce(database: Database) -> None:
    """Two messages of one decision each."""
    with database.write() as session:
        for event in ("opened", "resolved"):
            queries.enqueue(session, None, event, None, {"event": event, "summary": {}}, NOW)


def stored(database: Database) -> list[Notification]:
    with database.read() as session:
        return list(session.scalars(select(Notification).order_by(Notification.id)))


@pytest.mark.parametrize(
    ("step", "times"), [("claim", 1), ("send", 1), ("in the middle", 2), ("note", 2)]
)
def test_killed_before_each_step(
    database: Database,
    settings: Settings,
    register: Register,
    receiver: Receiver,
    step: str,
    times: int,
) -> None:
    register.add("值班", Channel.WEBHOOK, receiver.url)
    announce(database)
    process = courier(database, settings, NOW, step)
    assert process.stdout is not None
    pid = int(process.stdout.readline())

    def kill() -> None:
        receiver.before_answer = None
        os.kill(pid, signal.SIGKILL)
        process.wait()

    if step == "in the middle":
        receiver.before_answer = kill
    assert process.wait(60) == -signal.SIGKILL
    process.stdout.close()
    assert all(each.delivered_at is None for each in stored(database)), "both wait"
    assert deliver(database, settings, NOW + LEASE_S) == 2
    assert deliver(database, settings, NOW + 2 * LEASE_S) == 0
    assert all(each.delivered_at == NOW + LEASE_S for each in stored(database))
    events = [body["event"] for body in receiver.received]
    assert events.count("opened") == times
    assert events.count("resolved") == 1


def test_killed_while_apprise_sends(
    database: Database, settings: Settings, register: Register, mailbox: Mailbox
) -> None:
    register.add("值班", Channel.APPRISE, mailbox.address)
    announce(database)
    process = courier(database, settings, NOW, "none")
    assert process.stdout is not None
    pid = int(process.stdout.readline())

    def kill() -> None:
        mailbox.before_answer = None
        os.kill(pid, signal.SIGKILL)

    mailbox.before_answer = kill
    assert process.wait(60) == -signal.SIGKILL
    process.stdout.close()
    assert deliver(database, settings, NOW + LEASE_S) == 2
    titles = [title for title, _text in mailbox.texts()]
    assert titles.count("完好率监测：告警（严重）") == 2
    assert titles.count("完好率监测：告警解除") == 1


def test_a_process_that_lives_delivers(
    database: Database, settings: Settings, register: Register, receiver: Receiver
) -> None:
    register.add("值班", Channel.WEBHOOK, receiver.url)
    announce(database)
    process = courier(database, settings, NOW, "none")
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert [body["event"] for body in receiver.received] == ["opened", "resolved"]
    assert all(each.delivered_at == NOW for each in stored(database))


def test_a_decision_that_is_not_committed_is_not_told(
    database: Database, settings: Settings, register: Register, receiver: Receiver
) -> None:
    register.add("值班", Channel.WEBHOOK, receiver.url)
    with database.write() as session:
        assert queries.enqueue(session, None, "opened", None, {}, NOW) == 1
        session.rollback()
    assert deliver(database, settings, NOW) == 0
    assert receiver.asked == []
