"""Writes closed days to their files, takes late samples in, and lets the hot samples go.

A day on its way to its file (each step may be the last one before a crash; the next run goes on):

1. Begun: its row counts from now on what is stored for it (`revision`).
2. The grid is read: what the file holds, then the hot samples where it holds none.
3. A draft is written beside the file, read back, and compared with the grid.
4. The row says which hash is about to come (`next_sha256`).
5. The draft takes the file's place by one rename.
6. The row says that the file is there, and how much of what was stored it holds.

Of a sealed month (`app.evidence.sealing`) no file is replaced; late samples wait for an amendment.
The hot samples go once the day is older than the hot days, its file whole and its hash right: first
the row says that the file is the evidence, then they are deleted in small portions. Samples that
come later are hot again, and the next run takes them in.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import structlog

from app.config import Settings
from app.database import Database
from app.errors import Refused
from app.evidence.archive import queries
from app.evidence.archive.day_files import DamagedFile, DayGrid, read_file, sha256_of, write_file
from app.evidence.archive.queries import archive_of, day_path
from app.evidence.archive.tables import ArchiveDay, ArchiveState
from app.evidence.partitions import partition_name
from app.evidence.queries import slot_lengths
from app.evidence.sealing.queries import is_sealed, sealed_months
from kpi.calendar import Month, Slots, day_bounds, local_day

SAMPLES_A_PORTION = 100_000
CLOSED_AFTER_SLOTS = 2
DRAFT = ".part"

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Archived:
    """What a run did: the days written, and those whose hot samples went."""

    written: tuple[date, ...]
    released: tuple[date, ...]


def archive_closed_days(
    database: Database, settings: Settings, now: int, only: date | None = None
) -> Archived:
    """Write every closed day that no file holds whole; let old hot samples go.

    Raises `DamagedFile` where a file that should be there is not as it was written.
    """
    closed = local_day(now - CLOSED_AFTER_SLOTS * settings.poll_interval, settings.zone)
    with database.read() as session:
        sealed = sealed_months(session)
        due = queries.days_to_write(session, closed)
    written = [day for day in due if only in (None, day) and Month.of(day) not in sealed]
    for day in written:
        write_day(database, settings, day, now)
    keep_from = local_day(now, settings.zone) - timedelta(days=settings.hot_days)
    with database.read() as session:
        old = queries.days_to_release(session, keep_from)
    released = [day for day in old if only in (None, day) and release_day(database, day)]
    return Archived(tuple(written), tuple(released))


def write_day(database: Database, settings: Settings, day: date, now: int) -> None:
    """Bring a day's file up to all that is stored for the day (steps 1 to 6)."""
    row = _begin(database, settings, day)
    with database.read() as session:
        path = day_path(archive_of(session), day)
    if row.next_sha256 is not None and _is_there(path, row.next_sha256):
        row = _finish(database, row, path, now)  # it was renamed, and the crash came after that
        if row.is_whole:
            return
    grid = _gather(database, row, path)
    _put(database, row, path, grid, now)
    log.info("day archived", day=str(day), samples=grid.samples, size=path.stat().st_size)


def file_day(database: Database, settings: Settings, day: date, grid: DayGrid, now: int) -> None:
    """Make a grid the evidence of a claimed day that has none yet: no sample is ever hot."""
    row = _begin(database, settings, day)
    with database.read() as session:
        path = day_path(archive_of(session), day)
    _put(database, row, path, grid, now)
    with database.write() as session:
        queries.held_day(session, day).state = ArchiveState.FILED


def _put(database: Database, row: ArchiveDay, path: Path, grid: DayGrid, now: int) -> None:
    """Make a grid the day's file (steps 3 to 6)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(DRAFT)
    write_file(draft, grid)
    if not read_file(draft, grid.device_ids).equals(grid):
        raise DamagedFile(draft, "what was read back is not what was written")
    begun = _announce(database, row, sha256_of(draft))
    draft.replace(path)
    _keep_name(path.parent)
    _finish(database, begun, path, now, samples=grid.samples)


def _begin(database: Database, settings: Settings, day: date) -> ArchiveDay:
    start, end = day_bounds(day, settings.zone)
    with database.write() as session:
        interval_s = slot_lengths(session, day, day).get(day, settings.poll_interval)
        row = {"day": day, "start": start, "end": end, "interval_s": interval_s}
        queries.insert_new_day(session, row)
        return queries.held_day(session, day)


def _gather(database: Database, row: ArchiveDay, path: Path) -> DayGrid:
    """All that is stored for a day as `row` knew it, or a little more: never less."""
    slots = Slots.between(row.start, row.end, row.interval_s)
    with database.read() as session:
        device_ids = queries.all_device_ids(session)
        if row.written_revision is None:
            grid = DayGrid.empty(device_ids, slots)
        else:
            _require_hash(path, row.sha256)
            grid = read_file(path, device_ids)
        for start, end in _portions(row, len(device_ids)):
            grid.fill(*queries.hot_samples(session, start, end))
    return grid


def _portions(row: ArchiveDay, devices: int) -> Iterator[tuple[int, int]]:
    """The day in stretches of so many samples."""
    step = max(1, SAMPLES_A_PORTION // max(1, devices)) * row.interval_s
    for start in range(row.start, row.end, step):
        yield start, min(start + step, row.end)


def _announce(database: Database, row: ArchiveDay, sha256: str) -> ArchiveDay:
    with database.write() as session:
        held = queries.held_day(session, row.day)
        if is_sealed(session, row.day):
            raise Refused(f"{Month.of(row.day)} was sealed just now; its files stay as they are.")
        held.next_sha256, held.next_revision = sha256, row.revision
        return held


def _finish(
    database: Database, row: ArchiveDay, path: Path, now: int, samples: int | None = None
) -> ArchiveDay:
    """The file with the announced hash is in its place."""
    if samples is None:
        samples = read_file(path).samples
    with database.write() as session:
        held = queries.held_day(session, row.day)
        held.sha256, held.written_revision = held.next_sha256, held.next_revision
        held.next_sha256 = held.next_revision = None
        held.samples, held.size_bytes, held.written_at = samples, path.stat().st_size, now
        if held.state == ArchiveState.BEGUN:
            held.state = ArchiveState.WRITTEN
        return held


def release_day(database: Database, day: date) -> bool:
    """Let the hot samples of a day go whose file is whole; False where there are none.

    Stops where a sample is stored meanwhile. Raises `DamagedFile`.
    """
    with database.read() as session:
        row = queries.archive_day(session, day)
        if row is None or not queries.has_hot_samples(session, row.start, row.end):
            return False
        path, devices = day_path(archive_of(session), day), len(queries.all_device_ids(session))
    _require_hash(path, row.sha256)
    for start, end in _portions(row, devices):
        with database.write() as session:
            held = queries.held_day(session, day)
            if not held.is_whole or held.sha256 != row.sha256:
                return False
            held.state = ArchiveState.FILED
            session.flush()
            queries.delete_hot(session, start, end)
    if not database.is_sqlite:
        _drop_partition(database, row)
    log.info("hot samples released", day=str(day))
    return True


def _drop_partition(database: Database, row: ArchiveDay) -> None:
    """Samples that come later make themselves a new one."""
    with database.write() as session:
        held = queries.held_day(session, row.day)
        if held.is_whole and not queries.has_hot_samples(session, row.start, row.end):
            queries.drop_partition(session, partition_name(row.day))


def _is_there(path: Path, sha256: str) -> bool:
    return path.exists() and sha256_of(path) == sha256


def _require_hash(path: Path, sha256: str | None) -> None:
    if sha256_of(path) != sha256:
        raise DamagedFile(path, "it is not as it was written (its SHA-256 differs)")


def _keep_name(folder: Path) -> None:
    """Have a rename on the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
