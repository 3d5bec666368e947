"""The invented past: believable, stored by the store, marked as what it is."""

from datetime import date
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import func, select

from app.config import Settings
from app.database import Database
from app.demo.history import invent_day, write_history
from app.evidence.archive.queries import known_days
from app.evidence.samples import device_samples
from app.evidence.tables import EvidenceDay, Sample, Sweep, SweepCount
from app.fleet.tables import BEGINNING, Assignment, Cohort, Device, DeviceKind, ProbeChoice
from kpi.calendar import Slots, day_start
from kpi.status import Status

DAYS = [date(2026, 2, 28), date(2026, 3, 1), date(2026, 3, 2)]


def _camera(number: int) -> Device:
    return Device(
        id=number,
        code=f"C{number}",
        name="Gate",
        kind=DeviceKind.CAMERA,
        probe=ProbeChoice.ONVIF,
        registered_on=DAYS[0],
    )


def test_a_day_is_mostly_intact_and_answers_take_time() -> None:
    day = invent_day(np.random.default_rng(1), 500, Slots(0, 60, 1440))
    share = np.count_nonzero(day.statuses == Status.INTACT) / day.statuses.size
    assert 0.985 < share < 0.999
    assert set(np.unique(day.statuses)) <= {0, 10, 11, 20, 21}
    silent = day.statuses >= Status.TIMEOUT
    assert (day.latencies[silent] == -1).all()
    assert (day.latencies[~silent] >= 1).all()


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_history_ends_before_now_and_is_marked(database: Database, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, poll_interval=900)
    now = day_start(DAYS[-1], settings.zone) + 3 * 3600 + 60
    told = []
    with database.write() as session:
        session.add(Cohort(id=1, kind=DeviceKind.CAMERA))
        session.add_all(_camera(number) for number in (1, 2, 3))
        session.flush()
        session.add_all(
            Assignment(device_id=number, from_day=BEGINNING, cohort_id=1) for number in (1, 2, 3)
        )
    write_history(database, settings, [1, 2, 3], DAYS, now, lambda *report: told.append(report))
    with database.read() as session:
        assert session.scalars(select(func.count()).select_from(Sweep)).one() == 12
        counted = session.scalars(select(SweepCount)).all()
        assert [each.tick for each in counted] == list(range(now - 60 - 12 * 900, now - 60, 900))
        assert {each.intact + each.impaired + each.offline for each in counted} == {3}
        assert session.scalars(select(func.count()).select_from(Sample)).one() == 3 * (96 + 12)
        newest = session.scalars(select(func.max(Sample.tick))).one()
        assert newest == now - 60 - 900
        assert session.scalars(select(EvidenceDay.origin)).all() == ["demo"] * 3
        (filed,) = known_days(session, DAYS[0], DAYS[-1])
        assert (filed.day, filed.is_filed, filed.samples) == (DAYS[0], True, 3 * 96)
        slots = Slots(day_start(DAYS[0], settings.zone), 900, 96)
        assert len(device_samples(session, 2, slots)) == 96
    assert told[-1][1] <= told[-1][2]
