"""All SQL over the evidence. A session comes in; nothing here begins or ends a transaction."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, delete, func, insert, inspect, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.database import Base, straight_to_driver
from app.evidence.tables import (
    DayOrigin,
    DeviceState,
    DirtyDay,
    EvidenceDay,
    EvidenceZone,
    Ledger,
    LedgerCohort,
    LedgerDay,
    Suspension,
    Sweep,
)
from app.fleet.roster import in_service_on
from app.fleet.tables import Assignment, Device
from kpi.ledger import Cover

AMOUNTS = ("intact", "impaired", "offline", "unknown", "suspended", "exempted")
STORED_AMOUNTS = (*AMOUNTS, "intact_by_video")
"""What is added up and stored; the last is a part of `intact`, none of the sums."""


class StateRow(NamedTuple):
    """A row of `DeviceState`."""

    device_id: int
    status: int
    since: int
    clock_offset_s: int | None
    detail: str
    previous: int | None


RECORDING_KEY = 2023_0098_03


def _insert(session: Session, table: type[Base]) -> Any:
    """The dialect's own INSERT, which knows ON CONFLICT."""
    dialect = session.get_bind().dialect.name
    return (sqlite if dialect == "sqlite" else postgresql).insert(table)


def insert_new(session: Session, table: type[Base], row: dict[str, Any]) -> bool:
    """Insert a row unless one is there under its key; whether it was new."""
    statement = _insert(session, table).values(row).on_conflict_do_nothing()
    counted = statement.execution_options(preserve_rowcount=True)
    return bool(session.connection().execute(counted).rowcount)


def insert_all(session: Session, table: type[Base], rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows, leaving what is already there under their keys."""
    if rows:
        session.connection().execute(_insert(session, table).on_conflict_do_nothing(), rows)


def copy_rows(connection: Connection, table: str, rows: Sequence[tuple[int | None, ...]]) -> None:
    """COPY rows into a table of PostgreSQL."""
    with (
        straight_to_driver(connection) as driver,
        driver.cursor() as cursor,
        cursor.copy(f"COPY {table} FROM STDIN") as copy,
    ):
        for row in rows:
            copy.write_row(row)


# Days and their slots


def zone_of_evidence(session: Session) -> str | None:
    return session.scalar(select(EvidenceZone.timezone))


def slot_lengths(session: Session, first: date, last: date) -> dict[date, int]:
    """Slot length in seconds of those days that have evidence."""
    rows = session.execute(
        select(EvidenceDay.day, EvidenceDay.interval_s).where(EvidenceDay.day.between(first, last))
    )
    return dict(rows.all())


def has_days_of(session: Session, origin: DayOrigin, first: date) -> bool:
    """Whether a day from `first` on has its first evidence from this origin."""
    found = select(EvidenceDay.day).where(EvidenceDay.day >= first, EvidenceDay.origin == origin)
    return session.scalar(found.limit(1)) is not None


# Suspensions


def suspension_covers(
    session: Session, device_ids: Sequence[int], start: int, end: int
) -> list[Cover]:
    """The suspensions of these devices that touch `[start, end)`; rows are their places here."""
    found = session.execute(
        select(Suspension.device_id, Suspension.start, Suspension.end).where(
            Suspension.start < end, (Suspension.end.is_(None)) | (Suspension.end > start)
        )
    ).all()
    return covers(found, device_ids)


def covers(
    facts: Sequence[Row[int, int, int | None]] | Sequence[Row[int, int, int]],
    device_ids: Sequence[int],
) -> list[Cover]:
    """(device id, start, end) as covers over these devices; the facts of others are left out."""
    row_of = {device_id: row for row, device_id in enumerate(device_ids)} if facts else {}
    return [
        Cover(row_of[device_id], begin, until)
        for device_id, begin, until in facts
        if device_id in row_of
    ]


# Ledger


def ledger_days(session: Session, first: date, last: date) -> dict[date, tuple[int, int]]:
    """Day → (slot length, through) of the days that have a ledger."""
    rows = session.execute(
        select(LedgerDay.day, LedgerDay.interval_s, LedgerDay.through).where(
            LedgerDay.day.between(first, last)
        )
    )
    return {day: (interval_s, through) for day, interval_s, through in rows}


def lock_ledger_day(session: Session, day: date, interval_s: int, start: int) -> LedgerDay:
    """The day's row, made where it is missing, held against other refreshes and late samples."""
    fresh = {"day": day, "interval_s": interval_s, "through": start}
    insert_new(session, LedgerDay, fresh)
    return session.execute(
        select(LedgerDay).where(LedgerDay.day == day).with_for_update()
    ).scalar_one()


def through_of(session: Session, day: date) -> int | None:
    """How far the day's ledger has come; holds the row, so that it comes no further meanwhile."""
    return session.scalar(
        select(LedgerDay.through).where(LedgerDay.day == day).with_for_update(read=True)
    )


def forget_ledger_day(session: Session, day: date) -> None:
    """Drop the ledger of a day, so that it is made anew from its first slot."""
    for table in (Ledger, LedgerCohort, DirtyDay, LedgerDay):
        session.execute(delete(table).where(table.day == day))


def mark_dirty(session: Session, day: date, device_ids: Iterable[int]) -> None:
    insert_all(
        session, DirtyDay, [{"day": day, "device_id": device_id} for device_id in device_ids]
    )


def dirty_days(session: Session, first: date, last: date) -> set[date]:
    return set(
        session.scalars(select(DirtyDay.day).where(DirtyDay.day.between(first, last)).distinct())
    )


def take_dirty(session: Session, day: date) -> list[int]:
    """The dirty devices of a day, in order; their marks are taken away."""
    device_ids = session.scalars(select(DirtyDay.device_id).where(DirtyDay.day == day)).all()
    session.execute(delete(DirtyDay).where(DirtyDay.day == day))
    return sorted(device_ids)


def add_to_ledger(session: Session, day: date, rows: Iterable[Sequence[int]]) -> None:
    """Add (device id, the stored amounts in seconds) to the ledger of a day."""
    columns = ", ".join(STORED_AMOUNTS)
    added = ", ".join(f"{name} = ledger.{name} + excluded.{name}" for name in STORED_AMOUNTS)
    connection = session.connection()
    mark = "?" if connection.dialect.name == "sqlite" else "%s"
    statement = (
        f"INSERT INTO ledger (day, device_id, {columns}) VALUES ({', '.join([mark] * 9)}) "  # noqa: S608 - our names
        f"ON CONFLICT (day, device_id) DO UPDATE SET {added}"
    )
    shown = day.isoformat() if connection.dialect.name == "sqlite" else day
    values = [(shown, *row) for row in rows]
    if values:
        connection.exec_driver_sql(statement, values)


def drop_from_ledger(session: Session, day: date, device_ids: Collection[int]) -> None:
    for some in _portions(list(device_ids), 10_000):
        session.execute(delete(Ledger).where(Ledger.day == day, Ledger.device_id.in_(some)))


def sum_up_cohorts(session: Session, day: date) -> None:
    """Make the day's `LedgerCohort` rows anew from its ledger."""
    session.execute(delete(LedgerCohort).where(LedgerCohort.day == day))
    sums = (
        select(
            Ledger.day,
            Assignment.cohort_id,
            *(func.sum(getattr(Ledger, name)) for name in STORED_AMOUNTS),
            func.count(),
        )
        .join(Device, Device.id == Ledger.device_id)
        .join(Assignment, Assignment.device_id == Device.id)
        .where(Ledger.day == day, in_service_on(day))
        .group_by(Ledger.day, Assignment.cohort_id)
    )
    columns = ["day", "cohort_id", *STORED_AMOUNTS, "devices"]
    session.execute(insert(LedgerCohort).from_select(columns, sums))


def _portions(items: list[int], size: int) -> Iterable[list[int]]:
    return (items[start : start + size] for start in range(0, len(items), size))


# Sweeps and states


def begin_recording(session: Session) -> int | None:
    """Wait until no other transaction records a sweep; returns the newest sweep's tick."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": RECORDING_KEY})
    return session.scalar(select(func.max(Sweep.tick)))


def insert_sweep_counts(session: Session, rows: Sequence[dict[str, int]]) -> None:
    """Store the counts of a sweep that is new, each row with all columns in the same order."""
    if not rows:
        return
    connection = session.connection()
    columns, values = ", ".join(rows[0]), [tuple(row.values()) for row in rows]
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" * len(rows[0]))
        statement = f"INSERT INTO sweep_count ({columns}) VALUES ({marks})"  # noqa: S608 - our names
        connection.exec_driver_sql(statement, values)
    else:
        copy_rows(connection, f"sweep_count ({columns})", values)


def last_sweep(session: Session) -> Sweep | None:
    return next(iter(last_sweeps(session, 1)), None)


def has_sweep(session: Session, tick: int) -> bool:
    return session.get(Sweep, tick) is not None


def last_sweeps(session: Session, limit: int) -> Sequence[Sweep]:
    """The newest first."""
    return session.scalars(select(Sweep).order_by(Sweep.tick.desc()).limit(limit)).all()


def device_states(session: Session, device_ids: Sequence[int] | None = None) -> dict[int, StateRow]:
    """What is known of these devices, or of all, by their ids."""
    query = select(*(getattr(DeviceState, name) for name in StateRow._fields))
    if device_ids is not None:
        query = query.where(DeviceState.device_id.in_(device_ids))
    return {row[0]: StateRow(*row) for row in session.execute(query)}


def put_states(session: Session, states: Sequence[StateRow]) -> None:
    put_all(session, DeviceState, [state._asdict() for state in states])


def put_all(session: Session, table: type[Base], rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows, or overwrite what is there under their keys."""
    if not rows:
        return
    statement = _insert(session, table)
    keys = [column.name for column in inspect(table).primary_key]
    new = {name: statement.excluded[name] for name in rows[0] if name not in keys}
    upsert = statement.on_conflict_do_update(index_elements=keys, set_=new)
    session.connection().execute(upsert, rows)
