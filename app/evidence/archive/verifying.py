"""Whether the files are what they were when they were written."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from app.database import Database
from app.evidence.archive.day_files import DamagedFile, read_file, sha256_of
from app.evidence.archive.queries import archive_of, day_path, known_days
from app.evidence.archive.tables import ArchiveDay, ArchiveState


@dataclass(frozen=True, slots=True)
class DayReport:
    """One day of the archive; `problem` None where its file is as it was written.

    `late`: something was stored since, which the next run takes in.
    """

    day: date
    state: ArchiveState
    samples: int | None
    size_bytes: int | None
    sha256: str | None
    late: bool
    problem: str | None = None


def list_days(database: Database, first: date, last: date) -> list[DayReport]:
    """What the archive says of these days; no file is read."""
    with database.read() as session:
        return [_report(row) for row in known_days(session, first, last)]


def verify_days(database: Database, first: date, last: date) -> Sequence[DayReport]:
    """Read every file of these days, whole."""
    with database.read() as session:
        folder, rows = archive_of(session), known_days(session, first, last)
    return [_report(row, _problem(day_path(folder, row.day), row)) for row in rows]


def _report(row: ArchiveDay, problem: str | None = None) -> DayReport:
    state = ArchiveState(row.state)
    is_late = row.written_revision is not None and not row.is_whole
    return DayReport(row.day, state, row.samples, row.size_bytes, row.sha256, is_late, problem)


def _problem(path: Path, row: ArchiveDay) -> str | None:
    if row.written_revision is None:
        return None  # nothing was promised yet
    try:
        if sha256_of(path) not in (row.sha256, row.next_sha256):
            return f"{path}: its SHA-256 is not {row.sha256}"
        if row.next_sha256 is None and read_file(path).samples != row.samples:
            return f"{path}: it does not hold {row.samples} samples"
    except DamagedFile as error:
        return str(error)
    return None
