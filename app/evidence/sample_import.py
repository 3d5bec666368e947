"""Imports samples that another monitor took.

1. Every row is checked and put into a spool (a scratch database of its own) under its slot: of two
   samples of one slot the earlier `at` wins, then the lower code. Any mistake ends the import here,
   with nothing written.
2. The spool is read in the order of the evidence and stored in batches, each a transaction of its
   own, so that a running collector never waits long. A repeated import changes nothing.
"""

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo

from app.config import Settings
from app.database import Database
from app.errors import BadParameter
from app.evidence import queries
from app.evidence.recording import LONGEST_LATENCY_MS
from app.evidence.sample_files import RawSample, open_samples
from app.evidence.sample_queries import SampleRow
from app.evidence.store import Stored, claim_day, require_zone, store_samples
from app.evidence.tables import DayOrigin
from app.fleet.roster import device_ids_by_code
from app.tabular import Problems, ReportProgress, unreported
from kpi.calendar import QUARTER_S, local_day
from kpi.status import Status, parse_status

BATCH = 20_000
SPOOL_TABLE = """
CREATE TABLE spool (
    tick INTEGER, device_id INTEGER, at REAL, status INTEGER, latency_ms INTEGER,
    PRIMARY KEY (tick, device_id)
) WITHOUT ROWID
"""
SPOOL_ROW = """
INSERT INTO spool VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
    at = excluded.at, status = excluded.status, latency_ms = excluded.latency_ms
WHERE (excluded.at, excluded.status, coalesce(excluded.latency_ms, -1))
    < (at, status, coalesce(latency_ms, -1))
"""
SpoolRow = tuple[int, int, float, int, int | None]


@dataclass(frozen=True, slots=True)
class SampleImport:
    """Rows read; those that say UNKNOWN, which is no evidence; those that lost their slot to
    another row of the file; and what became of the slots that are left."""

    rows: int
    unknown: int
    same_slot: int
    stored: Stored


def import_samples(
    database: Database,
    settings: Settings,
    path: Path,
    *,
    now: int,
    interval_s: int | None = None,
    report: ReportProgress = unreported,
) -> SampleImport:
    """Import a file of samples up to `now`; `interval_s` is the slot of days without evidence.

    Raises `BadParameter` and `ImportRefused`; then nothing was written.
    """
    if interval_s is not None and (interval_s < 1 or QUARTER_S % interval_s):
        raise BadParameter("--interval", f"{interval_s} does not divide 900; use 60, 300 or 900")
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    with _spool(settings.data_dir) as spool:
        judge = _judge(database, settings, now, interval_s)
        with open_samples(path, report) as (raw_rows, problems):
            spool.executemany(SPOOL_ROW, judge.good_rows(raw_rows, problems))
        problems.refuse()
        (slots,) = spool.execute("SELECT count(*) FROM spool").fetchone()
        stored = _store_spool(database, settings, spool, judge.days, slots, report)
    kept = judge.rows - judge.unknown
    return SampleImport(judge.rows, judge.unknown, kept - slots, stored)


@contextmanager
def _spool(folder: Path) -> Iterator[sqlite3.Connection]:
    with (
        tempfile.TemporaryDirectory(dir=folder, prefix="import-") as scratch,
        closing(sqlite3.connect(Path(scratch) / "spool.db")) as spool,
    ):
        spool.execute("PRAGMA journal_mode = OFF")
        spool.execute("PRAGMA synchronous = OFF")
        spool.execute("PRAGMA cache_size = -131072")
        spool.execute(SPOOL_TABLE)
        yield spool


@dataclass(slots=True)
class _Days:
    """The local day and slot length of any instant, looked up once a quarter of an hour."""

    zone: ZoneInfo
    default_s: int
    lengths: dict[date, int]
    _known: dict[int, tuple[date, int]] = field(default_factory=dict)

    def of(self, instant: float) -> tuple[date, int]:
        quarter = int(instant // QUARTER_S)
        found = self._known.get(quarter)
        if found is None:
            day = local_day(quarter * QUARTER_S, self.zone)
            found = self._known[quarter] = day, self.lengths.get(day, self.default_s)
        return found


@dataclass(slots=True)
class _Judge:
    """Turns rows as they stand into spool rows, and collects what is wrong with the others."""

    device_ids: dict[str, int]
    days: _Days
    now: int
    asked_interval_s: int | None
    rows: int = 0
    unknown: int = 0
    _statuses: dict[str, Status] = field(default_factory=dict)
    _latencies: dict[str, int] = field(default_factory=dict)

    def good_rows(self, raw_rows: Iterator[RawSample], problems: Problems) -> Iterator[SpoolRow]:
        for raw in raw_rows:
            self.rows += 1
            try:
                device_id = self._device(raw)
                at, tick = self._slot(raw)
                status = self._status(raw)
                latency = self._latency(raw)
            except _BadCellError as bad:
                problems.add(raw.row, bad.column, bad.value, bad.remedy)
                continue
            if status is Status.UNKNOWN:
                self.unknown += 1
            else:
                yield tick, device_id, at, int(status), latency

    def _device(self, raw: RawSample) -> int:
        try:
            return self.device_ids[raw.device_code]
        except KeyError:
            remedy = "is not in the register; import the device first or correct the code"
            raise _BadCellError("device_code", raw.device_code, remedy) from None

    def _slot(self, raw: RawSample) -> tuple[float, int]:
        at = raw.at if isinstance(raw.at, float) else _instant(raw.at)
        if at < 0:
            raise _BadCellError("at", str(raw.at), "lies before 1970; correct the time")
        if at > self.now:
            raise _BadCellError("at", str(raw.at), "lies in the future; correct the time")
        day, interval_s = self.days.of(at)
        if self.asked_interval_s not in (None, interval_s):
            remedy = f"{day} has slots of {interval_s} s; use --interval {interval_s} for that day"
            raise _BadCellError("at", str(raw.at), remedy)
        return at, int(at // interval_s) * interval_s

    def _status(self, raw: RawSample) -> Status:
        known = self._statuses.get(raw.status)
        if known is None:
            try:
                known = self._statuses[raw.status] = parse_status(raw.status)
            except ValueError:
                remedy = "is no status; use a code such as 0 or 20, or a name such as TIMEOUT"
                raise _BadCellError("status", raw.status, remedy) from None
        return known

    def _latency(self, raw: RawSample) -> int | None:
        known = self._latencies.get(raw.latency_ms)
        if known is None and raw.latency_ms:
            known = self._latencies[raw.latency_ms] = _milliseconds(raw.latency_ms)
        return known


class _BadCellError(Exception):
    def __init__(self, column: str, value: str, remedy: str) -> None:
        super().__init__(column)
        self.column = column
        self.value = value
        self.remedy = remedy


def _milliseconds(text: str) -> int:
    try:
        latency = float(text)
        if latency >= 0:
            return min(round(latency), LONGEST_LATENCY_MS)
    except (ValueError, OverflowError):
        pass
    remedy = "is no number of milliseconds; use 0 or more, or leave the cell empty"
    raise _BadCellError("latency_ms", text, remedy)


def _instant(text: str) -> float:
    try:
        at = datetime.fromisoformat(text)
        if at.tzinfo is not None:
            return at.timestamp()
    except (ValueError, OverflowError):
        remedy = "is no time; write it as 2026-11-01T08:00:00+08:00"
    else:
        remedy = "has no offset; write it as 2026-11-01T08:00:00+08:00"
    raise _BadCellError("at", text, remedy)


def _judge(database: Database, settings: Settings, now: int, interval_s: int | None) -> _Judge:
    with database.read() as session:
        require_zone(session, settings.timezone)
        lengths = queries.slot_lengths(session, date.min, date.max)
        device_ids = device_ids_by_code(session)
    days = _Days(settings.zone, interval_s or settings.poll_interval, lengths)
    return _Judge(device_ids, days, now, interval_s)


def _store_spool(
    database: Database,
    settings: Settings,
    spool: sqlite3.Connection,
    days: _Days,
    slots: int,
    report: ReportProgress,
) -> Stored:
    rows = spool.execute("SELECT tick, device_id, status, latency_ms FROM spool ORDER BY 1, 2")
    stored, done = Stored(), 0
    claimed: set[date] = set()
    while batch := list(islice(rows, BATCH)):
        with database.write() as session:
            for day, interval_s in _days_of(batch, days):
                if day not in claimed:
                    claim_day(session, day, settings.timezone, interval_s, DayOrigin.IMPORT)
                    claimed.add(day)
            stored += store_samples(session, settings.zone, batch)
        done += len(batch)
        report("storing", done, slots)
    return stored


def _days_of(batch: list[SampleRow], days: _Days) -> list[tuple[date, int]]:
    return sorted({days.of(tick) for tick in {row[0] for row in batch}})
