"""Two servers over one PostgreSQL: one collects, the other takes over."""

import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text

from collectors.simulator.running import RunningFleet, running_fleet
from tests.app.processes import INTACT, INTERVAL_S, collector_of, eventually, installed, serving


@pytest.fixture(scope="module")
def fleet() -> Iterator[RunningFleet]:
    with running_fleet(cameras=6, rooms=2) as running:
        yield running


@pytest.fixture
def engine(postgres_url: str) -> Iterator[Engine]:
    engine = create_engine(postgres_url)
    yield engine
    engine.dispose()


def swept(engine: Engine) -> list[tuple[int, int, int]]:
    """(tick, samples told, samples found) of every sweep, in order."""
    query = (
        "SELECT tick, stored, (SELECT count(*) FROM sample WHERE sample.tick = sweep.tick) "
        "FROM sweep ORDER BY tick"
    )
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


@pytest.mark.parametrize("how", ["the server is killed", "its collector is killed"])
def test_the_other_takes_over(
    how: str, engine: Engine, postgres_url: str, fleet: RunningFleet, tmp_path: Path
) -> None:
    url = postgres_url.replace("postgresql+psycopg", "postgresql")
    environment = installed(tmp_path, fleet, INTACT_DATABASE_URL=url)
    with serving(environment) as (first, _), serving(environment) as (second, _):
        eventually(lambda: len(swept(engine)) >= 3, "sweeps")
        waiting = eventually(lambda: collector_of(second), "the collector that stands by")
        collecting = eventually(lambda: collector_of(first), "the collector that collects")
        if _collects(engine, waiting.pid):
            first, second, collecting, waiting = second, first, waiting, collecting
        if how == "the server is killed":
            first.kill()
        else:
            collecting.kill()
        before = len(swept(engine))
        eventually(lambda: len(swept(engine)) >= before + 4, "sweeps of one that took over")
        if how == "the server is killed":
            assert _collects(engine, waiting.pid)
    steps = complete(engine, fleet)
    assert min(steps) == INTERVAL_S  # no slot twice
    assert max(steps) <= 3 * INTERVAL_S  # two missing at the most


def complete(engine: Engine, fleet: RunningFleet) -> set[int]:
    """Every sweep has all its samples; returns the steps from one to the next, in seconds."""
    found = swept(engine)
    devices = len(fleet.fleet.listening)
    assert {(told, kept) for _, told, kept in found} == {(devices, devices)}
    return {later - sooner for sooner, later in pairwise(tick for tick, *_ in found)}


def history(fleet: RunningFleet, file: Path, days: int) -> int:
    """Write samples of another monitor for the first days of the year; returns how many."""
    begin = datetime(2026, 1, 2, tzinfo=UTC)
    codes = [device.code for device in fleet.fleet.listening]
    with file.open("w", encoding="utf-8") as target:
        target.write("device_code,at,status,latency_ms\n")
        for minute in range(days * 1440):
            at = (begin + timedelta(minutes=minute)).isoformat()
            target.writelines(f"{code},{at},0,12\n" for code in codes)
    return days * 1440 * len(codes)


def test_an_import_beside_it_costs_no_sweep(
    engine: Engine, postgres_url: str, fleet: RunningFleet, tmp_path: Path
) -> None:
    url = postgres_url.replace("postgresql+psycopg", "postgresql")
    environment = installed(tmp_path, fleet, INTACT_DATABASE_URL=url)
    count = history(fleet, tmp_path / "history.csv", days=10)
    command = [*INTACT, "import", "samples", str(tmp_path / "history.csv"), "--interval", "60"]
    with serving(environment):
        eventually(lambda: len(swept(engine)) >= 2, "sweeps")
        done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
        assert f"{count} stored" in done.stdout
        after = len(swept(engine))
        eventually(lambda: len(swept(engine)) >= after + 1, "sweeps after the import")
    assert complete(engine, fleet) == {INTERVAL_S}


def _collects(engine: Engine, pid: int) -> bool:
    """Whether the process leads; one that stands by has no run."""
    query = text("SELECT count(*) FROM collector_run WHERE pid = :pid AND stopped_at IS NULL")
    with engine.connect() as connection:
        return bool(connection.scalar(query, {"pid": pid}))
