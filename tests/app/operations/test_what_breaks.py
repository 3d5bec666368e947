"""What breaks, end to end: a simulated fleet, the real processes, real receivers of what is told.

Slots of two seconds stand for the minutes of an office. Four rooms of 118 cameras.
"""

import os
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from collectors.simulator.running import RunningFleet, running_fleet
from collectors.simulator.scenario import Scenario, parse_scenario
from tests.app.operations.delivery.receivers import Mailbox, Receiver
from tests.app.processes import (
    INTERVAL_S,
    collector_of,
    eventually,
    installed,
    serving,
    token,
)

ROOMS, CAMERAS = 4, 472
EVENTS = ("opened", "resolved")
BALLAST_BLOCK = 64 * 1024


@pytest.fixture(scope="module")
def fleet() -> Iterator[RunningFleet]:
    with running_fleet(CAMERAS, ROOMS) as running:
        yield running


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    webhook = Receiver()
    yield webhook
    webhook.close()


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    mails = Mailbox()
    yield mails
    mails.close()


class Office:
    """What an office sees: its database, and what its receiver was told."""

    def __init__(self, folder: Path, fleet: RunningFleet, receiver: Receiver) -> None:
        self.fleet, self._receiver = fleet, receiver
        fleet.use(Scenario())
        self.environment = installed(folder, fleet, INTACT_WEBHOOK_URL=receiver.url)
        self.database = Path(self.environment["INTACT_DATA_DIR"]) / "intact.db"

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.database, timeout=10)) as database:
            return database.execute(query, values).fetchall()

    def number(self, query: str, *values: object) -> int:
        return int(self.rows(query, *values)[0][0])

    def sweeps(self) -> int:
        return self.number("SELECT count(*) FROM sweep")

    def after(self, slots: int) -> None:
        begun = self.sweeps()
        eventually(lambda: self.sweeps() >= begun + slots, f"{slots} more sweeps")

    def told(self) -> list[tuple[str, str]]:
        """(rule, event) in the order in which they arrived."""
        return [(each["kind"], each["event"]) for each in list(self._receiver.received)]

    def message(self, kind: str, event: str) -> dict[str, Any]:
        """The one message of this kind; waits for it."""

        def found() -> list[dict[str, Any]]:
            told = list(self._receiver.received)
            return [each for each in told if (each["kind"], each["event"]) == (kind, event)]

        (one,) = eventually(found, f"{kind} to be {event}; told were {self.told()}")
        return dict(one)

    def goes_wrong(self, scenario: str) -> int:
        """Go over to a scenario; returns the last tick before it."""
        last = self.number("SELECT max(tick) FROM sweep")
        self.fleet.use(parse_scenario(scenario))
        return last

    def is_mended(self) -> None:
        self.fleet.use(Scenario())

    def slots_between(self, before: int, kind: str) -> int:
        """Sweeps from the first after `before` to the one whose evidence opened the alert."""
        opened = self.number("SELECT opened_at FROM alert WHERE kind = ?", kind)
        query = "SELECT count(*) FROM sweep WHERE tick > ? AND finished_at <= ?"
        return self.number(query, before, opened)


@pytest.fixture
def office(tmp_path: Path, fleet: RunningFleet, receiver: Receiver) -> Office:
    return Office(tmp_path, fleet, receiver)


def test_the_uplink_of_a_room(office: Office, mailbox: Mailbox) -> None:
    """One alert of the incident, one of the fleet that names it, both over by themselves."""
    room = office.fleet.cameras[0].room
    with serving(office.environment) as (_server, url):
        office.after(3)
        _write_to(mailbox, url, office.environment)
        office.goes_wrong(
            f'[[fault]]\nkind = "room_uplink"\nrooms = ["{room}"]\nlength = {12 * INTERVAL_S}'
        )
        fleet = office.message("fleet_intact_rate", "opened")
        incident = office.message("incident", "opened")
        assert (incident["scope"], incident["figures"]["devices"]) == ("room", 118)
        assert fleet["figures"]["cause"][0]["name"] == room
        office.message("incident", "resolved")
        office.message("fleet_intact_rate", "resolved")
        eventually(lambda: len(mailbox.mails) == 4, "four mails")
    both = [(kind, what) for kind in ("fleet_intact_rate", "incident") for what in EVENTS]
    assert sorted(office.told()) == both
    assert len([text for _subject, text in mailbox.texts() if f"原因：机房 {room}" in text]) == 1
    assert office.number("SELECT count(*) FROM incident") == 1
    assert office.number("SELECT count(*) FROM fault WHERE closed_at IS NULL") == 0


def _write_to(mailbox: Mailbox, url: str, environment: dict[str, str]) -> None:
    """The office gets mail, in Chinese."""
    answer = httpx.post(
        f"{url}/api/v1/recipients",
        headers=token(environment, "system_admin"),
        json={"name": "值班", "channel": "apprise", "address": mailbox.address, "language": "zh"},
        trust_env=False,
    )
    assert answer.status_code == 201, answer.text


def test_scattered_cameras(office: Office) -> None:
    """3 % here and there: the fleet's alert within six slots, with figures, and no incident."""
    with serving(office.environment):
        office.after(3)
        before = office.goes_wrong('[[fault]]\nkind = "refused"\nshare = 0.03')
        message = office.message("fleet_intact_rate", "opened")
        figures = message["figures"]
        assert (figures["assessed"], figures["intact"]) == (CAMERAS, CAMERAS - 14)
        assert figures["cause"] == []
        assert figures["worst_stations"]
        assert office.slots_between(before, "fleet_intact_rate") <= 6
        office.is_mended()
        office.message("fleet_intact_rate", "resolved")
    assert office.told() == [("fleet_intact_rate", each) for each in EVENTS]
    assert office.number("SELECT count(*) FROM incident") == 0


def test_a_collector_that_is_kept_down(office: Office) -> None:
    """An alert about the evidence within three slots; not one camera is said to have failed."""
    with serving(office.environment) as (server, _url):
        office.after(3)
        last = office.number("SELECT max(tick) FROM sweep")
        while ("evidence_missing", "opened") not in office.told():
            collector = collector_of(server)
            if collector is not None:
                with suppress(OSError):
                    os.kill(collector.pid, signal.SIGKILL)
            time.sleep(0.05)
            assert time.time() < last + 60 * INTERVAL_S
        opened = office.number("SELECT opened_at FROM alert WHERE kind = 'evidence_missing'")
        assert opened <= last + (3 + 2) * INTERVAL_S  # three slots after the one under way
        office.message("evidence_missing", "resolved")
        office.after(4)
    assert office.told() == [("evidence_missing", each) for each in EVENTS]
    assert office.number("SELECT count(*) FROM fault") == 0
    assert office.number("SELECT count(*) FROM sample WHERE status NOT IN (0, 1)") == 0


def test_wrong_clocks(office: Office) -> None:
    """A tenth of the clocks: one alert about them, and the rates as before."""
    with serving(office.environment):
        office.after(3)
        office.goes_wrong('[[fault]]\nkind = "clock_skew"\nseconds = 95\nshare = 0.1')
        message = office.message("clock_wrong", "opened")
        assert (message["figures"]["part"], message["figures"]["whole"]) == (47, CAMERAS)
        office.is_mended()
        office.message("clock_wrong", "resolved")
    assert office.told() == [("clock_wrong", each) for each in EVENTS]
    assert office.number("SELECT count(*) FROM sample WHERE status NOT IN (0, 1)") == 0


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """A file system of its own."""
    disk = folder / "disk"
    disk.mkdir()
    mount = ["/usr/bin/mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(disk)]
    if os.geteuid() != 0 and "CI" not in os.environ:
        pytest.skip("mounting a small disk needs root")
    subprocess.run(mount, check=True)
    try:
        yield disk
    finally:
        subprocess.run(["/usr/bin/umount", "--lazy", str(disk)], check=True)


def fill(disk: Path, leave: float) -> None:
    """Files until only this share of the disk is left."""
    for number in range(100_000):
        usage = os.statvfs(disk)
        if usage.f_bavail <= leave * usage.f_blocks:
            return
        with suppress(OSError), (disk / f"ballast-{number}").open("wb") as file:
            file.write(bytes(BALLAST_BLOCK))


def make_room(disk: Path) -> None:
    for file in disk.glob("ballast-*"):
        file.unlink()


def test_a_full_disk(tmp_path: Path, fleet: RunningFleet, receiver: Receiver) -> None:
    """Told before it is full; nothing committed is lost; goes on by itself when there is room."""
    with small_disk(tmp_path, 64) as disk:
        office = Office(disk, fleet, receiver)
        with serving(office.environment) as (server, _url):
            office.after(3)
            fill(disk, 0.08)
            office.message("disk_low", "opened")
            fill(disk, 0)
            stands = _stands_still(office)
            before = office.rows(KEPT)
            make_room(disk)
            office.message("disk_low", "resolved")
            eventually(lambda: office.sweeps() >= stands + 3, "sweeps after there was room")
            assert server.poll() is None
        assert office.rows(KEPT)[: len(before)] == before
        assert office.rows("PRAGMA integrity_check") == [("ok",)]
        told = office.rows("SELECT stored FROM sweep ORDER BY tick")
        found = office.rows("SELECT count(*) FROM sample GROUP BY tick ORDER BY tick")
        assert told == found


KEPT = "SELECT tick, count(*) FROM sample GROUP BY tick ORDER BY tick"


def _stands_still(office: Office) -> int:
    """Waits until no sweep is stored any more; their number."""

    def unchanged() -> int | None:
        begun = office.sweeps()
        time.sleep(3 * INTERVAL_S)
        return begun if office.sweeps() == begun else None

    return int(eventually(unchanged, "a disk so full that nothing can be stored"))
