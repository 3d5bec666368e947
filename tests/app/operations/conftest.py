"""A small fleet of cameras by station, and sweeps that count it."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date

import pytest
from fastapi import FastAPI

from app.config import Settings
from app.database import Database
from app.evidence.tables import Sweep, SweepCount
from app.fleet.tables import (
    BEGINNING,
    Assignment,
    Cohort,
    Device,
    DeviceKind,
    ProbeChoice,
    Station,
)
from app.operations import pages
from app.operations.alerts import api
from app.operations.delivery.recipients import follow_settings
from app.web import docs, problems, security, shell
from kpi.rates import Amounts
from tests.app.asking import Asker


@dataclass
class FleetOnPaper:
    """Registers cameras and writes sweeps, without asking any device."""

    database: Database
    since: date = date(2026, 3, 1)
    cohorts: dict[str, int] = field(default_factory=dict)
    cameras: dict[str, int] = field(default_factory=dict)

    def register(self, cameras: Mapping[str, int]) -> None:
        """Station code → number of its cameras."""
        with self.database.write() as session:
            for code, count in cameras.items():
                station = Station(code=code, name=f"{code} 派出所")
                session.add(station)
                session.flush()
                cohort = Cohort(kind=DeviceKind.CAMERA, station_id=station.id)
                devices = [self._camera(f"{code}-{number:04d}") for number in range(count)]
                session.add_all([cohort, *devices])
                session.flush()
                session.add_all(
                    Assignment(device_id=device.id, from_day=BEGINNING, cohort_id=cohort.id)
                    for device in devices
                )
                self.cohorts[code], self.cameras[code] = cohort.id, count

    def _camera(self, code: str) -> Device:
        return Device(
            code=code,
            name=code,
            kind=DeviceKind.CAMERA,
            probe=ProbeChoice.ONVIF,
            registered_on=self.since,
        )

    def sweep(self, tick: int, **failing: Amounts) -> None:
        """A sweep that ends 5 s into its slot; all cameras are intact but those that are named."""
        with self.database.write() as session:
            row = {"stored": 0, "by_status": {}, "latency_ms": {}, "wall_s": 1.0, "cpu_s": 1.0}
            devices = sum(self.cameras.values())
            session.add(
                Sweep(tick=tick, interval_s=60, finished_at=tick + 5, devices=devices, **row)
            )
            session.flush()
            for code, cohort_id in self.cohorts.items():
                lost = failing.get(code, Amounts())
                amounts = lost + Amounts(intact=self.cameras[code] - sum(asdict(lost).values()))
                session.add(SweepCount(tick=tick, cohort_id=cohort_id, **asdict(amounts)))


@pytest.fixture
def fleet(database: Database) -> FleetOnPaper:
    return FleetOnPaper(database)


@pytest.fixture
def webhook_settings(settings: Settings, database: Database) -> Settings:
    """Settings with a webhook that nobody has to serve, as a server has begun with them."""
    hooked = Settings(data_dir=settings.data_dir, webhook_url="http://127.0.0.1:9/hook")
    with database.write() as session:
        follow_settings(session, hooked, 0)
    return hooked


@pytest.fixture
def browse(database: Database) -> Callable[[Settings], Asker]:
    """An application of our subject and the shell alone, over the database."""

    def assemble(settings: Settings) -> Asker:
        app = FastAPI(docs_url=None, redoc_url=None)
        app.state.database, app.state.settings = database, settings
        problems.install(app)
        security.install(app)
        shell.install_static(app)
        app.include_router(api.router, prefix="/api/v1")
        app.include_router(pages.router)
        app.include_router(docs.router)
        return Asker(app)

    return assemble
