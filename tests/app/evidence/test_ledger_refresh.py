"""The ledger follows from the evidence, whatever the order in which things become known."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.config import Settings
from app.database import Database
from app.errors import Refused
from app.evidence import queries
from app.evidence.ledger import bring_up_to_date, follow_evidence, mark_touched
from app.evidence.sample_queries import SampleRow
from app.evidence.store import Stored, claim_day, store_samples
from app.evidence.tables import DayOrigin, Ledger, LedgerCohort, Suspension
from app.fleet.tables import BEGINNING, Assignment, Cohort, Device, DeviceKind, ProbeChoice
from app.fleet.touched import DeviceDays
from kpi.calendar import day_start

DAY = date(2026, 3, 2)
INTACT, TIMEOUT, SERVICE_FAULT = 0, 20, 11


@pytest.fixture
def start(settings: Settings) -> int:
    return day_start(DAY, settings.zone)


def add_devices(session: Session, *codes: str, since: date = DAY) -> list[int]:
    cohort = Cohort(kind=DeviceKind.CAMERA)
    devices = [
        Device(
            code=code,
            name=code,
            kind=DeviceKind.CAMERA,
            probe=ProbeChoice.ONVIF,
            registered_on=since,
        )
        for code in codes
    ]
    session.add_all([cohort, *devices])
    session.flush()
    session.add_all(
        Assignment(device_id=device.id, from_day=BEGINNING, cohort_id=cohort.id)
        for device in devices
    )
    return [device.id for device in devices]


@contextmanager
def evidence(database: Database, settings: Settings, interval_s: int = 60) -> Iterator[Session]:
    with database.write() as session:
        claim_day(session, DAY, settings.timezone, interval_s, DayOrigin.COLLECTOR)
        yield session


def ledger(database: Database, settings: Settings, now: int) -> dict[int, tuple[int, ...]]:
    """Device → seconds by class of the day, brought up to date; cohort sums must agree."""
    bring_up_to_date(database, settings, DAY, DAY, now)
    with database.read() as session:
        rows = session.scalars(select(Ledger).where(Ledger.day == DAY)).all()
        sums = session.scalars(select(LedgerCohort).where(LedgerCohort.day == DAY)).all()
    amounts = {row.device_id: tuple(getattr(row, name) for name in queries.AMOUNTS) for row in rows}
    added_up = [sum(getattr(row, name) for row in sums) for name in queries.AMOUNTS]
    assert added_up == [sum(column) for column in zip(*amounts.values(), strict=True)]
    return amounts


def test_day_grows_with_its_slots(database: Database, settings: Settings, start: int) -> None:
    with evidence(database, settings) as session:
        (device,) = add_devices(session, "A")
        rows: list[SampleRow] = [(start, device, INTACT, 5), (start + 60, device, TIMEOUT, None)]
        store_samples(session, settings.zone, rows)
    bring_up_to_date(database, settings, DAY, DAY, start + 119)
    with database.read() as session:
        assert session.scalars(select(Ledger)).all() == []
    assert ledger(database, settings, start + 120) == {device: (60, 0, 0, 0, 0, 0)}
    assert ledger(database, settings, start + 180) == {device: (60, 0, 60, 0, 0, 0)}
    assert ledger(database, settings, start + 240) == {device: (60, 0, 60, 60, 0, 0)}
    assert ledger(database, settings, start + 2 * 86_400) == {device: (60, 0, 60, 86_280, 0, 0)}


def test_late_sample_is_taken_in(database: Database, settings: Settings, start: int) -> None:
    with evidence(database, settings) as session:
        devices = add_devices(session, "A", "B")
    ledger(database, settings, start + 600)
    with evidence(database, settings) as session:
        store_samples(session, settings.zone, [(start + 60, devices[1], SERVICE_FAULT, 9)])
    assert ledger(database, settings, start + 600) == {
        devices[0]: (0, 0, 0, 540, 0, 0),
        devices[1]: (0, 60, 0, 480, 0, 0),
    }


def test_days_long_past_follow_what_becomes_known_of_them(
    database: Database, settings: Settings, start: int
) -> None:
    with evidence(database, settings) as session:
        (device,) = add_devices(session, "A")
    much_later = start + 40 * 86_400
    bring_up_to_date(database, settings, DAY, DAY, much_later)
    with evidence(database, settings) as session:
        store_samples(session, settings.zone, [(start + 60, device, SERVICE_FAULT, 9)])
    follow_evidence(database, settings, much_later)
    with database.read() as session:
        row = session.get_one(Ledger, (DAY, device))
        assert (row.impaired, row.unknown) == (60, 86_340)
        assert queries.dirty_days(session, DAY, DAY) == set()


def test_suspension_covers_half_open(database: Database, settings: Settings, start: int) -> None:
    with evidence(database, settings) as session:
        (device,) = add_devices(session, "A")
        store_samples(session, settings.zone, [(start + 60 * n, device, 0, 1) for n in range(10)])
    ledger(database, settings, start + 660)
    with database.write() as session:
        session.add(
            Suspension(
                device_id=device,
                start=start + 120,
                end=start + 301,
                reason="works",
                approved_by="office",
                recorded_at=start,
            )
        )
        mark_touched(session, [DeviceDays(device, DAY, DAY)])
    assert ledger(database, settings, start + 660) == {device: (360, 0, 0, 0, 240, 0)}


def test_first_sample_stays(database: Database, settings: Settings, start: int) -> None:
    with evidence(database, settings) as session:
        first, second = add_devices(session, "A", "B")
        rows: list[SampleRow] = [(start, first, INTACT, 5), (start, second, INTACT, 5)]
        assert store_samples(session, settings.zone, rows) == Stored(inserted=2)
    with evidence(database, settings) as session:
        rows = [(start, first, INTACT, 5), (start, second, TIMEOUT, None)]
        assert store_samples(session, settings.zone, rows) == Stored(duplicates=1, conflicts=1)
    assert ledger(database, settings, start + 120)[second] == (60, 0, 0, 0, 0, 0)


def test_leaving_service_leaves_the_ledger(
    database: Database, settings: Settings, start: int
) -> None:
    with evidence(database, settings) as session:
        first, second = add_devices(session, "A", "B")
    ledger(database, settings, start + 600)
    with database.write() as session:
        session.get_one(Device, second).decommissioned_on = DAY
        mark_touched(session, [DeviceDays(second, DAY, None)])
    assert list(ledger(database, settings, start + 600)) == [first]


def test_whole_fleet_dirty_makes_the_day_anew(
    database: Database, settings: Settings, start: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.evidence.ledger.MANY", 1)
    with evidence(database, settings) as session:
        devices = add_devices(session, "A", "B", "C")
    ledger(database, settings, start + 600)
    with evidence(database, settings) as session:
        rows = [(start, device, INTACT, 1) for device in devices]
        store_samples(session, settings.zone, rows)
    assert set(ledger(database, settings, start + 600).values()) == {(60, 0, 0, 480, 0, 0)}


def test_slot_length_of_a_day_is_kept(database: Database, settings: Settings, start: int) -> None:
    with database.write() as session:
        (device,) = add_devices(session, "A")
    assert ledger(database, settings, start + 700) == {device: (0, 0, 0, 600, 0, 0)}
    with evidence(database, settings, 300) as session:
        store_samples(session, settings.zone, [(start, device, INTACT, 1)])
    assert ledger(database, settings, start + 700) == {device: (300, 0, 0, 0, 0, 0)}
    with pytest.raises(Refused, match="--interval 300"), evidence(database, settings, 60):
        pass


def test_another_zone_is_refused(database: Database, settings: Settings) -> None:
    with evidence(database, settings):
        pass
    elsewhere = Settings(data_dir=settings.data_dir, timezone="Europe/Berlin")
    with pytest.raises(Refused, match="Asia/Shanghai"), evidence(database, elsewhere):
        pass
    with pytest.raises(Refused, match="INTACT_TIMEZONE=Asia/Shanghai"):
        bring_up_to_date(database, elsewhere, DAY, DAY, 0)
