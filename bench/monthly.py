"""The month by station over HTTP against the bare SQL sum over the device-day ledger.

The month is a finished one, so that nothing is brought up to date while it is asked for. Both read
the same database file in turn: ours through uvicorn in a process of its own over a kept connection,
the peer through `sqlite3` in this process.
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from app.evidence.queries import AMOUNTS
from bench.figures import Figure, Options, Section, alternately, median, percentile
from bench.installation import Installation, installed, register_of, scratch_folder
from bench.invented import fill_month
from bench.served import Answer, Served, web_alone
from collectors.simulator.fleet import build_fleet
from kpi.calendar import Month

NAME = "monthly"
HOW = (
    "`GET /api/v1/availability/monthly?month={month}&group_by=station` over HTTP against the bare "
    "SQL sum over the device-day ledger ({rows:,} rows: a full month of {cameras:,} cameras and "
    "the rooms' equipment) in the same SQLite file."
)
MONTH = Month(2026, 1)
PATH = f"/api/v1/availability/monthly?month={MONTH}&group_by=station"
REPETITIONS = 60
BAR = 1.0
SUMS = ", ".join(f"sum(ledger.{name})" for name in AMOUNTS)
BARE_SUM = f"""
    SELECT station.code, {SUMS} FROM ledger
    JOIN assignment ON assignment.device_id = ledger.device_id
        AND assignment.from_day <= ledger.day
        AND (assignment.to_day IS NULL OR assignment.to_day > ledger.day)
    JOIN cohort ON cohort.id = assignment.cohort_id AND cohort.kind = 'camera'
    LEFT JOIN station ON station.id = cohort.station_id
    WHERE ledger.day BETWEEN ? AND ? GROUP BY station.code
"""  # noqa: S608 - names of this program


@dataclass(frozen=True, slots=True)
class MonthFigures:
    """Milliseconds of each request and of each bare sum, and the size of what was summed."""

    ours_ms: list[float]
    peer_ms: list[float]
    ledger_rows: int
    answer_bytes: int


def measure(options: Options) -> Section:
    """p95 of both, asked in turn."""
    figures = compare(options.cameras, REPETITIONS)
    how = HOW.format(month=MONTH, rows=figures.ledger_rows, cameras=options.cameras)
    ours, peer = percentile(figures.ours_ms, 95), percentile(figures.peer_ms, 95)
    return Section(
        NAME,
        how,
        (
            Figure("month by station, p95", ours, "ms", peer, BAR),
            Figure(
                "month by station, median",
                median(figures.ours_ms),
                "ms",
                median(figures.peer_ms),
            ),
        ),
        notes=(
            f"{REPETITIONS} of each in turn; both give the same seconds. The answer has "
            f"{figures.answer_bytes / 1000:.1f} kB. Ours adds up the sums per cohort and day that "
            "the ledger keeps; counting the distinct devices of each station is what still grows "
            "with the fleet.",
        ),
    )


def compare(cameras: int, repetitions: int) -> MonthFigures:
    """A month of so many cameras, asked for over HTTP and summed up barely, in turn."""
    with _finished_month(cameras) as (installation, served), _bare(installation) as connection:
        answers: list[Answer] = []

        def ask() -> float:
            answers.append(served.client.get(PATH))
            return answers[-1].took_ms

        def sum_up() -> float:
            started = time.perf_counter()
            _summed(connection)
            return (time.perf_counter() - started) * 1000

        ours_ms, peer_ms = alternately(ask, sum_up, repetitions)
        _require_same(answers[-1].document, _summed(connection))
        (rows,) = connection.execute("SELECT count(*) FROM ledger").fetchone()
    return MonthFigures(ours_ms, peer_ms, rows, len(answers[-1].body))


@contextmanager
def _finished_month(cameras: int) -> Iterator[tuple[Installation, Served]]:
    with scratch_folder() as folder, installed(folder) as installation:
        register = register_of(build_fleet(cameras), folder, MONTH.first)
        installation.take_over([register], MONTH.first)
        fill_month(installation.database, installation.settings, MONTH)
        with web_alone(installation) as served:
            yield installation, served


@contextmanager
def _bare(installation: Installation) -> Iterator[sqlite3.Connection]:
    path = Path(str(installation.database.engine.url.database))
    with closing(sqlite3.connect(path)) as connection:
        yield connection


def _summed(connection: sqlite3.Connection) -> list[tuple[Any, ...]]:
    period: tuple[date, date] = (MONTH.first, MONTH.last)
    return connection.execute(BARE_SUM, [day.isoformat() for day in period]).fetchall()


def _require_same(document: Any, summed: list[tuple[Any, ...]]) -> None:
    """Raises `AssertionError` where the two do not say the same: there is nothing to compare."""
    ours = {row["group"]: tuple(row[f"{name}_s"] for name in AMOUNTS) for row in document["rows"]}
    assert ours == {row[0]: row[1:] for row in summed}
