"""A fresh installation of the product in a folder of its own, with a register taken over."""

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from app.accounts.audit import shell_actor
from app.accounts.permissions import Role
from app.accounts.reach import EVERYTHING
from app.accounts.tokens import Scope, add_token
from app.config import Settings
from app.database import Database, open_database
from app.evidence.ledger import mark_touched
from app.fleet.importing import import_devices
from bench.processes import python_module
from collectors.simulator.fleet import SimulatedFleet
from collectors.simulator.register import write_register
from kpi.calendar import local_day


@dataclass(frozen=True, slots=True)
class Installation:
    """Settings and database of one folder; `environment` is what its processes are given."""

    folder: Path
    settings: Settings
    database: Database

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "INTACT_DATA_DIR": str(self.folder),
            "INTACT_DATABASE_URL": self.settings.sqlalchemy_url,
            "INTACT_POLL_INTERVAL": str(self.settings.poll_interval),
        }

    def take_over(self, registers: Iterable[Path], day: date) -> None:
        """Import registers on a day, as `intact import devices` does."""
        for register in registers:
            import_devices(
                self.database, self.settings, register, today=day, on_touched=mark_touched
            )

    def api_token(self) -> str:
        """A token that may read what the benchmarks ask for."""
        scope = Scope(Role.OFFICE, EVERYTHING)
        with self.database.write() as session:
            _, text = add_token(session, "bench", scope, 1, shell_actor(), int(time.time()))
        return text

    def sweep_once(self) -> dict[str, Any]:
        """The document of `intact sweep --once --format json`."""
        command = python_module("app.cli", "sweep", "--once", "--format", "json")
        done = subprocess.run(command, env=self.environment, check=True, capture_output=True)
        document: dict[str, Any] = json.loads(done.stdout)
        return document


@contextmanager
def scratch_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="intact-bench-") as name:
        yield Path(name)


@contextmanager
def installed(
    folder: Path, poll_interval: int = 60, database_url: str | None = None
) -> Iterator[Installation]:
    """A migrated, empty database: SQLite in the folder, or the one named."""
    data = Path(tempfile.mkdtemp(prefix="data-", dir=folder))
    given = {"database_url": database_url} if database_url else {}
    settings = Settings(data_dir=data, poll_interval=poll_interval, **given)  # type: ignore[arg-type]  # checked by pydantic
    if database_url:
        migrating = Database(settings.sqlalchemy_url)
        migrating.upgrade()
        migrating.close()
    database = open_database(settings)
    try:
        yield Installation(data, settings, database)
    finally:
        database.close()


def today() -> date:
    """The present day of the product's zone: devices commissioned on it are in service."""
    return local_day(int(time.time()), Settings().zone)


def register_of(fleet: SimulatedFleet, folder: Path, commissioned_on: date) -> Path:
    """The register of a fleet that nobody simulates."""
    path = folder / "register.csv"
    write_register(path, fleet.devices, commissioned_on)
    return path
