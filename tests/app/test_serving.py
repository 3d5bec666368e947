"""The real processes: serve, its collector, what survives when they are killed."""

import json
import signal
import socket
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from collectors.simulator.running import RunningFleet, free_port, running_fleet
from tests.app.processes import (
    INTACT,
    PATIENCE_S,
    collector_of,
    eventually,
    installed,
    serving,
    token,
)

STOPS_WITHIN_S = 8
"""5 s are promised; the machine may be busy."""


@pytest.fixture(scope="module")
def fleet() -> Iterator[RunningFleet]:
    with running_fleet(cameras=6, rooms=2) as running:
        yield running


@pytest.fixture
def environment(tmp_path: Path, fleet: RunningFleet) -> dict[str, str]:
    return installed(tmp_path, fleet)


def rows(environment: dict[str, str], query: str) -> list[tuple[Any, ...]]:
    path = Path(environment["INTACT_DATA_DIR"]) / "intact.db"
    with closing(sqlite3.connect(path, timeout=10)) as database:
        return database.execute(query).fetchall()


def sweeps(environment: dict[str, str]) -> int:
    return int(rows(environment, "SELECT count(*) FROM sweep")[0][0])


def nothing_lost_or_doubled(environment: dict[str, str], devices: int) -> None:
    """Every sweep has all its samples, every sample belongs to a sweep."""
    told = rows(environment, "SELECT tick, stored FROM sweep ORDER BY tick")
    found = rows(environment, "SELECT tick, count(*) FROM sample GROUP BY tick ORDER BY tick")
    assert told == found
    assert {count for _, count in found} == {devices}
    assert rows(environment, "PRAGMA integrity_check") == [("ok",)]


def test_sweeps_survive_kills_and_stop_cleanly(
    environment: dict[str, str], fleet: RunningFleet
) -> None:
    devices = len(fleet.fleet.listening)
    with serving(environment) as (process, url):
        eventually(lambda: sweeps(environment) >= 2, "two sweeps")
        address = f"{url}/api/v1/availability/now"
        assert httpx.get(address, trust_env=False).status_code == 401
        now = httpx.get(address, trust_env=False, headers=token(environment)).json()
        assert (now["total"]["intact"], now["total"]["devices"]) == (6, 6)
        once = subprocess.run(
            [*INTACT, "sweep", "--once", "--format", "json"],
            env=environment,
            check=True,
            capture_output=True,
        )
        beside = json.loads(once.stdout)
        assert (beside["devices"], beside["stored"]) == (devices, 0)

        first = eventually(lambda: collector_of(process), "the collector")
        first.send_signal(signal.SIGKILL)
        second = eventually(
            lambda: (found := collector_of(process)) and found.pid != first.pid and found,
            "another collector",
        )
        before = sweeps(environment)
        eventually(lambda: sweeps(environment) >= before + 2, "sweeps of the other collector")

        began = time.monotonic()
        process.terminate()
        assert process.wait(PATIENCE_S) == 0
        assert time.monotonic() - began < STOPS_WITHIN_S
        assert not second.is_running()
    nothing_lost_or_doubled(environment, devices)
    runs = rows(environment, "SELECT stopped_at FROM collector_run ORDER BY id")
    assert runs[0] == (None,)
    assert runs[-1] != (None,)


def test_the_collector_ends_with_a_killed_parent(
    environment: dict[str, str], fleet: RunningFleet
) -> None:
    with serving(environment) as (process, _url):
        eventually(lambda: sweeps(environment) >= 1, "a sweep")
        collector = eventually(lambda: collector_of(process), "the collector")
        process.kill()
        eventually(lambda: not collector.is_running(), "the end of the collector")
    nothing_lost_or_doubled(environment, len(fleet.fleet.listening))


def test_a_sweep_by_hand_is_evidence_where_nobody_collects(environment: dict[str, str]) -> None:
    command = [*INTACT, "sweep", "--once", "--format", "json"]
    document = json.loads(
        subprocess.run(command, env=environment, check=True, capture_output=True).stdout
    )
    assert set(document) == {"devices", "by_status", "wall_s", "cpu_s", "latency_ms", "stored"}
    assert document["stored"] == document["devices"] == sum(document["by_status"].values())
    assert set(document["latency_ms"]) == {"p50", "p95", "p99"}
    assert sweeps(environment) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["sweep"], "--once"),
        (["sweep", "--once", "--room", "nowhere"], "no room"),
        (["kpi", "--month", "2026-13"], "--month"),
        (["kpi", "--month", "2026-01", "--station", "nowhere"], "no station"),
        (["import", "devices", "none.csv"], "none.csv"),
    ],
)
def test_mistakes_are_told_on_standard_error(
    arguments: list[str], said: str, environment: dict[str, str]
) -> None:
    done = subprocess.run(
        [*INTACT, *arguments], env=environment, check=False, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_another_zone_is_refused_before_anything_is_done(
    environment: dict[str, str], tmp_path: Path
) -> None:
    subprocess.run([*INTACT, "sweep", "--once"], env=environment, check=True, capture_output=True)
    elsewhere = environment | {"INTACT_TIMEZONE": "Europe/Berlin"}
    file = tmp_path / "s.csv"
    file.write_text("device_code,from,to,reason,approved_by\n")
    for arguments in (
        ["serve", "--port", str(free_port())],
        ["collect"],
        ["import", "suspensions", str(file)],
        ["import", "devices", str(file)],
        ["sweep", "--once"],
    ):
        done = subprocess.run(
            [*INTACT, *arguments], env=elsewhere, check=False, capture_output=True, text=True
        )
        assert (done.returncode, "Traceback" in done.stderr) == (1, False)
        assert "INTACT_TIMEZONE=Asia/Shanghai" in done.stderr


def test_a_taken_port_is_refused(environment: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            [*INTACT, "serve", "--port", str(port)],
            env=environment,
            check=False,
            capture_output=True,
            text=True,
        )
    assert done.returncode == 1
    assert "choose another with --port" in done.stderr
    assert "serving" not in done.stderr


def test_kpi_prints_the_document_alone(environment: dict[str, str]) -> None:
    command = [*INTACT, "kpi", "--month", "2026-01", "--group-by", "room", "--format", "json"]
    done = subprocess.run(command, env=environment, check=True, capture_output=True)
    document = json.loads(done.stdout)
    assert (document["month"], len(document["rows"])) == ("2026-01", 2)
    assert document["total"]["unknown_s"] == 6 * 31 * 86_400


def test_open_walls_do_not_hold_the_end_up(environment: dict[str, str], tmp_path: Path) -> None:
    """The streams end at SIGTERM, and nothing had to be cancelled."""
    said = tmp_path / "said"
    with said.open("wb") as log, serving(environment, log) as (process, url):
        header = token(environment)
        eventually(lambda: sweeps(environment) >= 1, "a sweep")
        with ExitStack() as walls:
            for _ in range(3):
                opening = httpx.stream("GET", f"{url}/events", headers=header, trust_env=False)
                lines = walls.enter_context(opening).iter_lines()
                assert "event: state" in lines
            started = time.monotonic()
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE_S) == 0
            assert time.monotonic() - started < STOPS_WITHIN_S
    assert "Cancel" not in said.read_text()
    assert "Traceback" not in said.read_text()
