"""Storing one sweep, whole, against a bare executemany (SQLite) or COPY (PostgreSQL).

Ours is `Recorder.record`: samples, the sweep and its counts by cohort, the states that changed, one
commit. The peer writes the same samples into an equal table of a database of its own, under the
same pragmas, with a commit. The fleet is at rest: its states are known and a handful changes.
"""

import os
import sqlite3
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import date
from pathlib import Path

import psycopg

from app.evidence.recording import FinishedSweep, Recorder
from app.evidence.sample_queries import SampleRow
from app.fleet.roster import roster
from bench.figures import Figure, Options, Section, alternately, median
from bench.installation import Installation, installed, register_of, scratch_folder
from bench.invented import samples_of, successive_sweeps
from collectors.simulator.fleet import build_fleet

NAME = "store"
HOW = (
    "Recording one sweep of {devices:,} devices (samples, counts by cohort, changed states, "
    "commit) against a bare executemany (SQLite) or COPY (PostgreSQL) of the same samples into an "
    "equal table with the same key."
)
BAR = 3.0
REPETITIONS = 30
SERVER = os.environ.get("BENCH_POSTGRES", "postgresql://postgres@127.0.0.1:5432/postgres")
FIRST_TICK = 1_767_225_600
PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "temp_store=MEMORY")
COLUMNS = "tick {big} NOT NULL, device_id INTEGER NOT NULL, status SMALLINT NOT NULL, {latency}"
KEY = "latency_ms SMALLINT, PRIMARY KEY (tick, device_id)"
TABLE = f"CREATE TABLE sample ({COLUMNS.format(big='BIGINT', latency=KEY)})"

Bare = Callable[[list[SampleRow]], None]


def measure(options: Options) -> Section:
    """On SQLite, and on PostgreSQL where a server runs here."""
    with scratch_folder() as folder:
        fleet = build_fleet(options.cameras)
        register = register_of(fleet, folder, date(2025, 12, 1))
        figures, devices = _on_sqlite(folder, register)
        notes = []
        if _server_runs():
            figures += _on_postgres(folder, register)
        else:
            notes.append("PostgreSQL: skipped, no server at 127.0.0.1:5432 (or BENCH_POSTGRES).")
    return Section(NAME, HOW.format(devices=devices), figures, notes=tuple(notes))


def _on_sqlite(folder: Path, register: Path) -> tuple[tuple[Figure, ...], int]:
    with installed(folder) as installation, _bare_sqlite(folder / "bare.db") as bare:
        members = _taken_over(installation, register)
        return _compare("SQLite", "executemany", installation, members, bare), len(members)


def _on_postgres(folder: Path, register: Path) -> tuple[Figure, ...]:
    with (
        scratch_database() as url,
        scratch_database() as bare_url,
        installed(folder, database_url=url) as installation,
        _bare_postgres(bare_url) as bare,
    ):
        members = _taken_over(installation, register)
        return _compare("PostgreSQL", "COPY", installation, members, bare)


def _taken_over(installation: Installation, register: Path) -> dict[int, int]:
    installation.take_over([register], date(2025, 12, 1))
    with installation.database.read() as session:
        return roster(session, date(2026, 1, 1))


def _compare(
    engine: str, peer: str, installation: Installation, members: dict[int, int], bare: Bare
) -> tuple[Figure, ...]:
    record = recorder(installation, members)
    theirs = successive_sweeps(members, FIRST_TICK, 60)

    def write_bare() -> float:
        rows = samples_of(next(theirs))
        started = time.perf_counter()
        bare(rows)
        return (time.perf_counter() - started) * 1000

    ours_ms, peer_ms = alternately(record, write_bare, REPETITIONS)
    what = f"storing one sweep, {engine} (peer: {peer})"
    return (Figure(what, median(ours_ms), "ms", median(peer_ms), BAR),)


def recorder(installation: Installation, members: dict[int, int]) -> Callable[[], float]:
    """Records the next made-up sweep at each call; returns the milliseconds it took."""
    sweeps = successive_sweeps(members, FIRST_TICK, installation.settings.poll_interval)
    keeper = Recorder(installation.database, installation.settings)

    def record() -> float:
        sweep: FinishedSweep = next(sweeps)
        started = time.perf_counter()
        stored = keeper.record(sweep)
        took_ms = (time.perf_counter() - started) * 1000
        assert stored.inserted == len(members)
        return took_ms

    return record


@contextmanager
def _bare_sqlite(path: Path) -> Iterator[Bare]:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        connection.execute(f"{TABLE} WITHOUT ROWID")

        def write(rows: list[SampleRow]) -> None:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("INSERT INTO sample VALUES (?, ?, ?, ?)", rows)
            connection.execute("COMMIT")

        yield write


@contextmanager
def _bare_postgres(url: str) -> Iterator[Bare]:
    with psycopg.connect(url) as connection:
        connection.execute(TABLE)
        connection.commit()

        def write(rows: list[SampleRow]) -> None:
            with connection.cursor() as cursor, cursor.copy("COPY sample FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
            connection.commit()

        yield write


@contextmanager
def scratch_database() -> Iterator[str]:
    """The address of a new database on the server; dropped at the end."""
    name = f"intact_bench_{uuid.uuid4().hex}"
    with psycopg.connect(SERVER, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}".encode())
        try:
            yield SERVER.rpartition("/")[0] + f"/{name}"
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def _server_runs() -> bool:
    try:
        psycopg.connect(SERVER, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True
