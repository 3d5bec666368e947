"""Finished sweeps while they cannot be recorded: kept, in order, and not without end."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

import app.database
from app.config import Settings
from app.database import Database
from app.evidence.backlog import TRIES, Backlog
from app.evidence.queries import last_sweeps
from app.evidence.recording import FinishedSweep, Recorder
from app.evidence.store import Stored
from collectors.probe import Observation
from collectors.sweep import SweepResult
from kpi.status import Status
from tests.app.fleet.imported import Register

BEGIN = 1_790_000_040


def finished(number: int) -> FinishedSweep:
    result = SweepResult({1: Observation(Status.INTACT, 5.0)}, 1.0, 0.1)
    return FinishedSweep(BEGIN + 60 * number, 60, BEGIN + 60 * number + 5, result, {})


@pytest.fixture
def impatient(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """A SQLite database that gives a lock up after a tenth of a second."""
    monkeypatch.setattr(app.database, "BUSY_TIMEOUT_MS", 100)
    database = Database(f"sqlite:///{tmp_path / 'intact.db'}")
    database.upgrade()
    yield database
    database.close()


def test_a_database_locked_for_long_loses_no_sweep(
    impatient: Database, settings: Settings, tmp_path: Path
) -> None:
    Register(impatient, settings, tmp_path).load("code,name,address\nC1,one,10.0.0.1\n")
    recorder = Recorder(impatient, settings)

    async def sweep_on() -> list[int]:
        backlog, waiting = Backlog(recorder.record), []
        with closing(sqlite3.connect(tmp_path / "intact.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            for number in range(3):
                backlog.add(finished(number))
                await backlog.record_all()
                waiting.append(len(backlog))
            other.execute("ROLLBACK")
        await backlog.record_all()
        return [*waiting, len(backlog)]

    assert asyncio.run(sweep_on()) == [1, 2, 3, 0]
    with impatient.read() as session:
        found = [(sweep.tick, sweep.stored) for sweep in last_sweeps(session, 10)]
    assert found == [(BEGIN + 120, 1), (BEGIN + 60, 1), (BEGIN, 1)]


class Away:
    """A record that is away while `away`, and refuses the ticks of `refused` for good."""

    def __init__(self, *refused: int) -> None:
        self.away = True
        self.recorded: list[int] = []
        self._refused = refused

    def __call__(self, sweep: FinishedSweep) -> Stored:
        if self.away:
            raise OperationalError("INSERT", {}, RuntimeError("away"))
        if sweep.tick in self._refused:
            raise ValueError("refused")
        self.recorded.append(sweep.tick)
        return Stored(inserted=1)


def ticks(*numbers: int) -> list[int]:
    return [BEGIN + 60 * number for number in numbers]


def test_the_oldest_make_way_where_too_many_wait() -> None:
    record = Away()

    async def sweep_on() -> None:
        backlog = Backlog(record, kept_sweeps=2)
        for number in range(4):
            backlog.add(finished(number))
            await backlog.record_all()
        record.away = False
        await backlog.record_all()

    asyncio.run(sweep_on())
    assert record.recorded == ticks(2, 3)


def test_a_sweep_that_is_refused_makes_way_for_those_behind_it() -> None:
    record = Away(BEGIN)
    record.away = False

    async def sweep_on() -> list[int]:
        backlog, waiting = Backlog(record), []
        backlog.add(finished(0))
        backlog.add(finished(1))
        for _ in range(TRIES):
            await backlog.record_all()
            waiting.append(len(backlog))
        return waiting

    assert asyncio.run(sweep_on()) == [2, 2, 0]
    assert record.recorded == ticks(1)


def test_what_is_added_is_recorded_by_itself() -> None:
    record = Away()
    record.away = False

    async def sweep_on() -> None:
        backlog = Backlog(record)
        keeping = asyncio.create_task(backlog.keep_recording())
        for number in range(3):
            backlog.add(finished(number))
            for _ in range(1000):
                await asyncio.sleep(0.01)
                if not backlog:
                    break
        keeping.cancel()

    asyncio.run(sweep_on())
    assert record.recorded == ticks(0, 1, 2)
