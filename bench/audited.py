"""The audit's way from raw samples to the ledger, beside a bare count of the same files.

Both are DuckDB. The bare count only groups the samples of a file by device and class; the audit
knows slots, service, groups, suspensions, exemptions and video checks besides, and hands every
device-day over.
"""

import resource
import time
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb

from app.evidence.auditing.recomputing import AuditedDay, Recount
from bench.days import SLOT_S, ZONE, write_days
from bench.figures import Figure, Options, Section, alternately, median
from bench.installation import scratch_folder
from kpi.calendar import day_bounds, day_start
from kpi.policy import DEFAULT_POLICY

NAME = "audited"
HOW = (
    "Day files of {cameras:,} cameras, a sample a minute ({samples:,.0f} million in a month of 31 "
    "days), one in a hundred suspended for a week: every device-day counted anew by the audit, and "
    "a bare DuckDB count by device and day of the same files. A quarter is really run."
)
BAR = 3.0
MEMORY_BAR_MB = 2_048.0
FIRST = date(2026, 1, 1)
MONTH_DAYS, QUARTER_DAYS = 31, 90
COUNTED = """SELECT device_id, count(*) FILTER (WHERE status < 2),
    count(*) FILTER (WHERE status BETWEEN 10 AND 19),
    count(*) FILTER (WHERE status BETWEEN 20 AND 22)"""
Day = tuple[date, Path]


def measure(options: Options) -> Section:
    """Seconds of a month and of a quarter, and the memory of it."""
    cameras = options.cameras
    with scratch_folder() as folder:
        days = write_days(folder, cameras, FIRST, QUARTER_DAYS)
        facts = _facts(cameras)
        month = days[:MONTH_DAYS]
        ours, bare = alternately(
            lambda: _timed(lambda: _audit(month, facts)),
            lambda: _timed(lambda: _count(month)),
            max(2, options.repetitions // 3),
        )
        before_mb = _memory_mb()
        quarter_s = _timed(lambda: _audit(days, facts))
    a_day = median(ours) / MONTH_DAYS
    how = HOW.format(cameras=cameras, samples=cameras * 1_440 * MONTH_DAYS / 1e6)
    return Section(
        NAME,
        how,
        (
            Figure("a month's ledger from raw samples", median(ours), "s", median(bare), BAR),
            Figure(
                "a quarter, against its days of the month",
                quarter_s,
                "s",
                a_day * QUARTER_DAYS,
                1.2,
            ),
            Figure("memory of the process at its highest", _memory_mb(), "MB", bar=MEMORY_BAR_MB),
        ),
        notes=(
            f"{1_000 * a_day:.0f} ms a day. Memory stood at {before_mb:,.0f} MB before the "
            "quarter, the files' making included: a year is as many days more, each by itself.",
        ),
    )


def _facts(cameras: int) -> dict[str, dict[str, Sequence[Any]]]:
    """A register of cameras in thirty rooms, and what lies over their evidence."""
    ids = list(range(1, cameras + 1))
    rooms = [f"R{number % 30}" for number in ids]
    none = [None] * cameras
    suspended = ids[::100]
    begin = day_start(FIRST + timedelta(days=5), ZONE)
    return {
        "device": {
            "device_id": ids,
            "code": [f"C{number}" for number in ids],
            "has_ledger": [True] * cameras,
            "first_day": [FIRST] * cameras,
            "end_day": none,
        },
        "belongs": {
            "device_id": ids,
            "cohort_id": [number % 30 for number in ids],
            "first_day": [FIRST] * cameras,
            "end_day": none,
            "room": rooms,
            "project": none,
            "power_district": none,
        },
        "suspension": {
            "device_id": suspended,
            "start_at": [begin] * len(suspended),
            "end_at": [begin + 7 * 86_400] * len(suspended),
        },
        "exemption": {
            "scope": ["room"],
            "code": ["R7"],
            "start_at": [begin],
            "end_at": [begin + 7_200],
        },
        "checked": {
            "device_id": ids,
            "start_at": [begin] * cameras,
            "end_at": [begin + 20 * 86_400] * cameras,
        },
    }


def _audit(days: Sequence[Day], facts: dict[str, dict[str, Sequence[Any]]]) -> int:
    """Device-days counted anew."""
    counted = 0
    with Recount(facts, DEFAULT_POLICY) as recount:
        for day, path in days:
            counted += len(recount.count(AuditedDay(day, *day_bounds(day, ZONE), SLOT_S, path)))
    return counted


def _count(days: Sequence[Day]) -> int:
    """Devices and statuses of each file, no more."""
    counted = 0
    with duckdb.connect(":memory:") as connection:
        connection.execute("SET threads = 2")
        for _day, path in days:
            query = f"{COUNTED} FROM read_parquet('{path}') GROUP BY device_id"
            counted += len(connection.execute(query).fetchall())
    return counted


def _timed(work: Any) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def _memory_mb() -> float:
    """The most that this process has held so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024
