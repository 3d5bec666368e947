"""All SQL of the archive. A session comes in; no transaction begins or ends here."""

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import delete, func, select, text
from sqlalchemy.orm import Session

from app.evidence.archive.tables import ArchiveDay, ArchiveState
from app.evidence.queries import insert_new
from app.evidence.tables import EvidenceDay, Sample
from app.fleet.tables import Device

Ints = npt.NDArray[np.int64]


def archive_of(session: Session) -> Path:
    """The folder of the archive that belongs to the session's database."""
    folder: Path = session.info["archive"]
    return folder


def day_path(folder: Path, day: date) -> Path:
    """Where a day's file lies: a folder for each month."""
    return folder / f"{day:%Y-%m}" / f"{day}.parquet"


def former_path(folder: Path, day: date, version: int) -> Path:
    """Where a file stays as a month was sealed with it, once late samples have replaced it."""
    return day_path(folder, day).with_suffix(f".v{version}.parquet")


def filed_days(session: Session, start: int, end: int) -> list[ArchiveDay]:
    """The days of `[start, end)` whose evidence is their file, in order."""
    found = select(ArchiveDay).where(
        ArchiveDay.end > start, ArchiveDay.start < end, ArchiveDay.state == ArchiveState.FILED
    )
    return list(session.scalars(found.order_by(ArchiveDay.day)))


def known_days(session: Session, first: date, last: date) -> list[ArchiveDay]:
    """The days that the archive has begun, in order."""
    found = select(ArchiveDay).where(ArchiveDay.day.between(first, last))
    return list(session.scalars(found.order_by(ArchiveDay.day)))


def archive_day(session: Session, day: date) -> ArchiveDay | None:
    return session.get(ArchiveDay, day)


def held_days(session: Session, start: int, end: int) -> list[ArchiveDay]:
    """The days of `[start, end)` that the archive has begun, held until the transaction ends."""
    found = select(ArchiveDay).where(ArchiveDay.end > start, ArchiveDay.start < end)
    return list(session.scalars(found.order_by(ArchiveDay.day).with_for_update()))


def insert_new_day(session: Session, row: dict[str, Any]) -> None:
    """Begin a day unless it is begun."""
    insert_new(session, ArchiveDay, {**row, "state": ArchiveState.BEGUN, "revision": 0})


def held_day(session: Session, day: date) -> ArchiveDay:
    found = select(ArchiveDay).where(ArchiveDay.day == day).with_for_update()
    return session.execute(found).scalar_one()


def days_to_write(session: Session, before: date) -> list[date]:
    """The days before `before` with evidence that no file holds, or not all of it, in order."""
    found = (
        select(EvidenceDay.day)
        .outerjoin(ArchiveDay, ArchiveDay.day == EvidenceDay.day)
        .where(
            EvidenceDay.day < before,
            ArchiveDay.day.is_(None)
            | ArchiveDay.written_revision.is_(None)
            | (ArchiveDay.written_revision != ArchiveDay.revision)
            | ArchiveDay.next_sha256.is_not(None),
        )
    )
    return list(session.scalars(found.order_by(EvidenceDay.day)))


def days_to_release(session: Session, before: date) -> list[date]:
    """The days before `before` whose file is whole, in order; their hot samples may go."""
    found = select(ArchiveDay.day).where(
        ArchiveDay.day < before,
        ArchiveDay.written_revision == ArchiveDay.revision,
        ArchiveDay.next_sha256.is_(None),
    )
    return list(session.scalars(found.order_by(ArchiveDay.day)))


def all_device_ids(session: Session) -> Ints:
    """Every device that ever was, ascending: evidence outside service is evidence."""
    return np.array(session.scalars(select(Device.id).order_by(Device.id)).all(), dtype=np.int64)


def hot_samples(session: Session, start: int, end: int) -> tuple[Ints, Ints, Ints, Ints]:
    """(device, tick, status, latency or −1) of the hot samples in `[start, end)`."""
    query = select(
        Sample.device_id, Sample.tick, Sample.status, func.coalesce(Sample.latency_ms, -1)
    ).where(Sample.tick >= start, Sample.tick < end)
    result: Any = session.connection().execute(query)
    rows = result.cursor.fetchall()
    columns = np.array(rows, dtype=np.int64).reshape(-1, 4).T
    return columns[0], columns[1], columns[2], columns[3]


def has_hot_samples(session: Session, start: int, end: int) -> bool:
    found = select(Sample.tick).where(Sample.tick >= start, Sample.tick < end).limit(1)
    return session.scalar(found) is not None


def delete_hot(session: Session, start: int, end: int) -> None:
    session.execute(delete(Sample).where(Sample.tick >= start, Sample.tick < end))


def drop_partition(session: Session, name: str) -> None:
    """On PostgreSQL an emptied day leaves no table behind."""
    session.execute(text("SET LOCAL lock_timeout = '2s'"))
    session.execute(text(f"DROP TABLE IF EXISTS {name}"))
