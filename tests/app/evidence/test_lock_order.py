"""A sweep and an import that store the same slot: one waits for the other, and never both."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from sqlalchemy import func, select, text

from app.config import Settings
from app.database import Database
from app.evidence.recording import FinishedSweep, Recorder
from app.evidence.sample_queries import insert_samples
from app.evidence.store import claim_day
from app.evidence.tables import DayOrigin, Sample
from app.fleet.tables import Device, DeviceKind, ProbeChoice
from collectors.probe import Observation
from collectors.sweep import SweepResult
from kpi.calendar import local_day
from kpi.status import Status

TICK = 1_767_240_000
WITHIN_S = 20.0


@pytest.fixture
def cameras(database: Database) -> list[int]:
    with database.write() as session:
        devices = [
            Device(
                code=code,
                name=code,
                kind=DeviceKind.CAMERA,
                probe=ProbeChoice.ONVIF,
                registered_on=date(2026, 1, 1),
            )
            for code in ("A", "B", "C")
        ]
        session.add_all(devices)
        session.flush()
        return sorted(device.id for device in devices)


def waits_for_a_lock(database: Database) -> bool:
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND "
    with database.read() as session:
        return bool(session.scalar(text(waiting + "wait_event_type = 'Lock'")))


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_sweep_waits_for_an_import_of_its_slot(
    database: Database, settings: Settings, cameras: list[int]
) -> None:
    day = local_day(TICK, settings.zone)
    with database.write() as session:
        claim_day(session, day, settings.timezone, 60, DayOrigin.COLLECTOR)
    first, last = cameras[0], cameras[-1]
    seen = {camera: Observation(Status.INTACT, 1.0) for camera in reversed(cameras)}
    sweep = FinishedSweep(TICK, 60, TICK + 5, SweepResult(seen, 1, 0), {})
    with ThreadPoolExecutor(1) as pool:
        with database.write() as importing:
            insert_samples(importing, [(TICK, first, int(Status.INTACT), 1)])
            recording = pool.submit(Recorder(database, settings).record, sweep)
            deadline = time.monotonic() + WITHIN_S
            while not waits_for_a_lock(database):
                assert time.monotonic() < deadline, "the sweep never waited for the import"
                time.sleep(0.02)
            insert_samples(importing, [(TICK, last, int(Status.INTACT), 1)])
        stored = recording.result(WITHIN_S)
    assert (stored.inserted, stored.conflicts) == (1, 0)
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Sample)) == len(cameras)
