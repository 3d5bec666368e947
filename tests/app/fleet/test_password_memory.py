"""What cameras said of their passwords, over restarts, between processes, and after an import."""

import asyncio
import math
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr
from sqlalchemy import func, select, update

from app.config import Settings
from app.database import Database
from app.evidence.collecting import Collecting
from app.evidence.ledger import mark_touched
from app.fleet import password_memory
from app.fleet.importing import import_devices
from app.fleet.password_memory import PasswordMemory, shared_memory
from app.fleet.secrets import Secrets
from app.fleet.tables import PasswordVerdict
from collectors.onvif.credentials import Accepted, CredentialMemory, Scheme
from collectors.registry import open_probers
from collectors.simulator.running import RunningFleet, running_fleet
from collectors.simulator.scenario import parse_scenario
from kpi.calendar import local_day
from kpi.status import Status

INTACT, AUTH_FAILED = Status.INTACT, Status.AUTH_FAILED
WHO = ("10.0.0.1", "admin", "hunter2")
WRONG = """
[[fault]]
kind = "wrong_password"
share = 1.0
scheme = "{scheme}"
lockout = 2
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """With a key, as there is one once a password was imported."""
    return Settings(data_dir=tmp_path, secret_key=SecretStr(Fernet.generate_key().decode()))


@pytest.fixture(scope="module")
def fleet() -> Iterator[RunningFleet]:
    with running_fleet(cameras=1, rooms=1) as running:
        yield running


@dataclass(frozen=True, slots=True)
class Office:
    """A register with the simulated camera, and a collector that is restarted for every sweep."""

    database: Database
    settings: Settings
    fleet: RunningFleet
    folder: Path

    def take(self, *, username: str = "", password: str = "") -> None:
        """Import the camera; with its simulated user and password where nothing else is said."""
        camera, path = self.fleet.cameras[0], self.folder / "register.csv"
        given = (username or camera.username, password or camera.password)
        path.write_text(
            "code,name,kind,address,port,probe,username,password\n"
            f"A,A,camera,{camera.address},{camera.port},onvif,{','.join(given)}\n"
        )
        today = local_day(int(time.time()), self.settings.zone)
        import_devices(self.database, self.settings, path, today=today, on_touched=mark_touched)

    def sweep(self) -> Status:
        """What the camera is to a collector that has just begun."""
        with shared_memory(self.database, self.settings) as passwords:
            return asyncio.run(self._sweep(passwords.memory))

    async def _sweep(self, memory: CredentialMemory) -> Status:
        with open_probers(memory=memory) as probers:
            collecting = Collecting(self.database, self.settings, probers)
            result, _ = await collecting.sweep_once(None, keep=False)
        (seen,) = result.observations.values()
        return seen.status

    @property
    def shown(self) -> int:
        """Passwords shown since the scenario began."""
        return self.fleet.attempts(self.fleet.cameras[0]).shown


@pytest.fixture
def office(database: Database, settings: Settings, fleet: RunningFleet, tmp_path: Path) -> Office:
    return Office(database, settings, fleet, tmp_path)


@pytest.mark.parametrize("scheme", ["ws_token", "http_digest"])
def test_a_wrong_password_is_shown_once_until_another_is_imported(
    office: Office, scheme: str
) -> None:
    office.fleet.use(parse_scenario(WRONG.format(scheme=scheme)))
    office.take()
    assert [office.sweep() for _ in range(3)] == [AUTH_FAILED] * 3
    assert office.shown == 1
    office.take(password=f"{office.fleet.cameras[0].password}-changed")
    assert [office.sweep() for _ in range(2)] == [INTACT] * 2
    assert office.shown == 3
    assert office.fleet.attempts(office.fleet.cameras[0]).bad == 1


def test_another_user_is_tried_at_once(office: Office) -> None:
    office.fleet.use(parse_scenario(WRONG.format(scheme="ws_token").replace("lockout = 2", "")))
    office.take()
    assert office.sweep() is AUTH_FAILED
    office.take(username="operator")
    assert [office.sweep() for _ in range(2)] == [AUTH_FAILED] * 2
    assert office.shown == 2
    office.take()
    assert office.sweep() is AUTH_FAILED
    assert office.shown == 2, "what was refused before is still refused"


def test_real_processes_share_what_they_learn(fleet: RunningFleet, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    database = Database(settings.sqlalchemy_url)
    database.upgrade()
    office = Office(database, settings, fleet, tmp_path)
    fleet.use(parse_scenario(WRONG.format(scheme="http_digest")))
    office.take()
    environment = {**os.environ, "INTACT_DATA_DIR": str(tmp_path)}
    for _ in range(2):
        command = [sys.executable, "-m", "app.cli", "sweep", "--once"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        assert "AUTH_FAILED" in done.stdout
    assert office.shown == 1


def test_what_one_process_learns_reaches_another_that_runs(
    database: Database, settings: Settings
) -> None:
    collector, inspection = (PasswordMemory(database, settings) for _ in range(2))
    collector.exchange()
    inspection.exchange()
    inspection.memory.remember_refusal(*WHO)
    assert not collector.memory.was_refused(*WHO)
    inspection.exchange()
    collector.exchange()
    assert collector.memory.was_refused(*WHO)
    assert collector.memory.unsaved == {}


def test_every_kind_of_verdict_is_read_as_it_was_written(
    database: Database, settings: Settings
) -> None:
    written, read = (PasswordMemory(database, settings) for _ in range(2))
    written.exchange()
    memory = written.memory
    memory.remember_success("taken", "u", "p", Accepted(Scheme.DIGEST))
    memory.remember_success("taken, off", "u", "p", Accepted(Scheme.TOKEN, -28_800.4))
    memory.remember_refusal("refused", "u", "p")
    memory.remember_doubt("doubted", "u", "p")
    for where in ("paused", "perhaps"):
        memory.remember_success(where, "u", "p", Accepted(Scheme.TOKEN, 1.0))
    memory.remember_refusal("paused", "u", "p", clock_unknown=True)
    memory.remember_doubt("perhaps", "u", "p")
    written.exchange()
    read.exchange()
    assert read.memory.worked("taken", "u", "p") == Accepted(Scheme.DIGEST)
    assert read.memory.worked("taken, off", "u", "p") == Accepted(Scheme.TOKEN, -28_800)
    assert read.memory.refused_until("refused", "u", "p") == math.inf
    until = memory.refused_until("paused", "u", "p")
    assert until <= read.memory.refused_until("paused", "u", "p") < until + 1
    assert read.memory.is_doubted("doubted", "u", "p")
    assert read.memory.is_doubted("perhaps", "u", "p")
    assert read.memory.worked("perhaps", "u", "p") == Accepted(Scheme.TOKEN, 1)
    read.memory.remember_refusal("paused", "u", "p", clock_unknown=True)
    assert read.memory.refused_until("paused", "u", "p") > until + 3000, "the pauses grow on"


def test_the_last_word_counts(database: Database, settings: Settings) -> None:
    for conclude in ("remember_refusal", "remember_success"):
        with shared_memory(database, settings) as passwords:
            more = (Accepted(Scheme.TOKEN),) if conclude == "remember_success" else ()
            getattr(passwords.memory, conclude)(*WHO, *more)
    with shared_memory(database, settings) as passwords:
        assert not passwords.memory.was_refused(*WHO)
    assert count(database) == 1


def count(database: Database) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(PasswordVerdict)) or 0


def test_what_was_learnt_is_written_even_where_the_work_failed(
    database: Database, settings: Settings
) -> None:
    def fail() -> None:
        with shared_memory(database, settings) as passwords:
            passwords.memory.remember_refusal(*WHO)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with shared_memory(database, settings) as passwords:
        assert passwords.memory.was_refused(*WHO)


def test_verdicts_of_long_ago_are_dropped(database: Database, settings: Settings) -> None:
    with shared_memory(database, settings) as passwords:
        passwords.memory.remember_refusal(*WHO)
    with database.write() as session:
        long_ago = int(time.time()) - password_memory.KEPT_S - 1
        session.execute(update(PasswordVerdict).values(learnt_at=long_ago))
    with shared_memory(database, settings) as passwords:
        passwords.memory.remember_refusal("10.0.0.2", "admin", "hunter2")
    assert count(database) == 1


def test_nothing_is_kept_before_there_is_a_key(database: Database, tmp_path: Path) -> None:
    """The key is made with the first password, maybe while a collector runs."""
    settings = Settings(data_dir=tmp_path)
    collector = PasswordMemory(database, settings)
    collector.memory.remember_refusal(*WHO)
    collector.exchange()
    assert count(database) == 0
    assert collector.memory.was_refused(*WHO)
    Secrets(settings).encrypt("first")
    collector.exchange()
    collector.memory.remember_refusal(*WHO)
    collector.exchange()
    assert count(database) == 1


def test_another_secret_key_knows_nothing(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    with shared_memory(database, settings) as passwords:
        passwords.memory.remember_refusal(*WHO)
    other = Settings(data_dir=tmp_path, secret_key=SecretStr(Fernet.generate_key().decode()))
    with shared_memory(database, other) as passwords:
        assert not passwords.memory.was_refused(*WHO)


def test_no_password_and_no_key_is_in_the_table(database: Database, settings: Settings) -> None:
    with shared_memory(database, settings) as passwords:
        passwords.memory.remember_refusal(*WHO)
    with database.read() as session:
        (row,) = session.scalars(select(PasswordVerdict))
        assert len(row.fingerprint) == 16
        assert "hunter2" not in repr(vars(row))
    assert settings.secret_key is not None
    derived = Secrets(settings).derived_key("fingerprints of passwords")
    assert derived is not None
    assert derived != Secrets(settings).derived_key("another purpose")
    assert len(derived) == 32
