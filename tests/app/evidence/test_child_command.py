"""The collector's children: they do what is due, and end when they are told to."""

import asyncio
import signal
import time
from pathlib import Path

import pytest
from sqlalchemy import select

from app.config import Settings
from app.database import open_database
from app.evidence.child_command import ChildCommand
from app.evidence.ledger import mark_touched
from app.evidence.tables import DeviceState
from app.fleet.importing import import_devices
from app.fleet.tables import Device, Observed
from collectors.simulator.register import write_register
from collectors.simulator.running import running_fleet
from kpi.calendar import local_day
from kpi.status import Status


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("INTACT_DATA_DIR", str(tmp_path))
    return Settings(data_dir=tmp_path)


def test_it_inspects_those_who_answer_and_ends(settings: Settings) -> None:
    today = local_day(int(time.time()), settings.zone)
    path = settings.data_dir / "register.csv"
    database = open_database(settings)
    with running_fleet(cameras=2, rooms=1) as fleet:
        write_register(path, fleet.cameras, today)
        import_devices(database, settings, path, today=today, on_touched=mark_touched)
        with database.write() as session:
            for device in session.scalars(select(Device)):
                first = device.code == fleet.cameras[0].code
                status = Status.INTACT if first else Status.TIMEOUT
                session.add(DeviceState(device_id=device.id, status=status, since=0, detail=""))
        asyncio.run(ChildCommand("inspect", "--due").run())
    with database.read() as session:
        observed = session.scalars(select(Observed)).one()
        assert observed.outcome == Status.INTACT
        assert observed.serial == fleet.cameras[0].serial
    database.close()


def test_it_ends_with_the_collector(settings: Settings) -> None:
    async def stopped() -> None:
        process = ChildCommand("inspect", "--due")
        child = await process.start()
        await process.stop()
        assert child.returncode == -signal.SIGTERM
        await process.stop()  # nothing left to do

    asyncio.run(asyncio.wait_for(stopped(), 30))
