"""Over a simulated fleet: whose clock is wrong, and how that is told."""

import asyncio
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select

from app.config import Settings
from app.database import Database
from app.evidence.collecting import Collecting
from app.evidence.host_clock import Clocks
from app.evidence.judging import OFF_LIKE_MOST
from app.evidence.ledger import mark_touched
from app.evidence.tables import ClockOffset, DeviceState, HostEvent, Sweep
from app.fleet.importing import import_devices
from collectors.registry import open_probers
from collectors.simulator.register import write_register
from collectors.simulator.running import RunningFleet, running_fleet
from collectors.simulator.scenario import parse_scenario

CAMERAS = 10


@pytest.fixture(scope="module")
def fleet() -> Iterator[RunningFleet]:
    with running_fleet(cameras=CAMERAS, rooms=1) as running:
        yield running


class Minutes:
    """Sweeps of a fleet, one in each of successive slots, whatever time it takes."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database, self._settings = database, settings
        self._now = 60 * (int(time.time()) // 60) + 1

    def sweep(self) -> None:
        self._now += 60
        clocks = Clocks(wall=lambda: self._now, steady=lambda: self._now)
        with open_probers(self._settings.clock_tolerance) as probers:
            collecting = Collecting(self._database, self._settings, probers, clocks)
            asyncio.run(collecting.sweep_once(None, keep=True))


@pytest.fixture
def minutes(database: Database, settings: Settings, fleet: RunningFleet, tmp_path: Path) -> Minutes:
    register = tmp_path / "register.csv"
    write_register(register, fleet.fleet.part, date(2026, 1, 1))
    import_devices(database, settings, register, today=date(2026, 1, 2), on_touched=mark_touched)
    return Minutes(database, settings)


def skewed(share: float, seconds: int) -> str:
    return f"[[fault]]\nkind = 'clock_skew'\nshare = {share}\nseconds = {seconds}\n"


def wrong_by_sweep(database: Database) -> list[int]:
    with database.read() as session:
        sweeps = session.scalars(select(Sweep).order_by(Sweep.tick)).all()
    return [sweep.by_status.get("CLOCK_WRONG", 0) for sweep in sweeps]


def test_a_few_cameras_that_are_off_are_wrong(
    minutes: Minutes, database: Database, fleet: RunningFleet
) -> None:
    fleet.use(parse_scenario(skewed(0.3, 3600)))
    minutes.sweep()
    assert wrong_by_sweep(database) == [3]
    with database.read() as session:
        assert session.scalars(select(HostEvent)).all() == []


def test_when_most_are_off_alike_the_host_is_the_suspect(
    minutes: Minutes, database: Database, fleet: RunningFleet
) -> None:
    """Seven are off by an hour, two by a minute; one is right by our clock, and is left alone."""
    fleet.use(parse_scenario(skewed(0.7, -3600) + skewed(0.2, 60)))
    for _ in range(3):
        minutes.sweep()
    assert wrong_by_sweep(database) == [2, 2, 2]
    with database.read() as session:
        details = list(session.scalars(select(DeviceState.detail)))
        (event,) = session.scalars(select(HostEvent)).all()
        offsets = [row.offset_s for row in session.scalars(select(ClockOffset))]
    assert details.count(OFF_LIKE_MOST) == 7
    assert (event.kind, event.until) == ("clock_suspected", None)
    assert event.seconds == pytest.approx(3600, abs=5)
    assert event.detail.startswith("7 of 10 cameras are off alike: this host seems to be 3")
    assert sorted(round(offset, -1) for offset in offsets) == [-3600] * 7 + [0, 60, 60]

    fleet.use(parse_scenario(""))
    minutes.sweep()
    assert wrong_by_sweep(database)[-1] == 0
    with database.read() as session:
        (event,) = session.scalars(select(HostEvent)).all()
        assert event.until is not None
        assert len(session.scalars(select(ClockOffset)).all()) == 19  # the nine came back
