"""All SQL of the audit: plain facts as they stand in the database, nothing worked out."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from app.evidence.archive.queries import hot_samples
from app.evidence.archive.tables import ArchiveDay
from app.evidence.auditing.recomputing import Columns
from app.evidence.exemptions.tables import Exemption
from app.evidence.tables import (
    DirtyDay,
    EvidenceDay,
    Ledger,
    LedgerCohort,
    LedgerDay,
    Suspension,
    VideoSpan,
)
from app.fleet.tables import Assignment, Cohort, Device, ProbeChoice, Project, Room
from kpi.status import Status


def facts(session: Session, start: int, end: int) -> dict[str, Columns]:
    """The tables that `recomputing.Recount` takes, as far as they touch `[start, end)`."""
    return {
        "device": _devices(session),
        "belongs": _assignments(session),
        "suspension": _suspensions(session, start, end),
        "exemption": _exemptions(session, start, end),
        "checked": _checks(session, start, end),
    }


def _devices(session: Session) -> Columns:
    rows = session.execute(
        select(
            Device.id,
            Device.code,
            Device.probe,
            func.coalesce(Device.commissioned_on, Device.registered_on),
            Device.decommissioned_on,
        ).order_by(Device.id)
    ).all()
    names = ("device_id", "code", "has_ledger", "first_day", "end_day")
    return _columns(names, [(row[0], row[1], row[2] != ProbeChoice.NONE, *row[3:]) for row in rows])


def _assignments(session: Session) -> Columns:
    rows = session.execute(
        select(
            Assignment.device_id,
            Assignment.cohort_id,
            Assignment.from_day,
            Assignment.to_day,
            Room.code,
            Project.code,
            Assignment.power_district,
        )
        .join(Cohort, Cohort.id == Assignment.cohort_id)
        .outerjoin(Room, Room.id == Cohort.room_id)
        .outerjoin(Project, Project.id == Cohort.project_id)
    ).all()
    names = ("device_id", "cohort_id", "first_day", "end_day", "room", "project", "power_district")
    return _columns(names, rows)


def _suspensions(session: Session, start: int, end: int) -> Columns:
    rows = session.execute(
        select(Suspension.device_id, Suspension.start, Suspension.end).where(
            Suspension.start < end, Suspension.end.is_(None) | (Suspension.end > start)
        )
    ).all()
    return _columns(("device_id", "start_at", "end_at"), rows)


def _exemptions(session: Session, start: int, end: int) -> Columns:
    rows = session.execute(
        select(Exemption.scope, Exemption.code, Exemption.start, Exemption.end).where(
            Exemption.start < end, Exemption.end.is_(None) | (Exemption.end > start)
        )
    ).all()
    return _columns(("scope", "code", "start_at", "end_at"), rows)


def _checks(session: Session, start: int, end: int) -> Columns:
    rows = session.execute(
        select(VideoSpan.device_id, VideoSpan.start, VideoSpan.end).where(
            VideoSpan.start < end, VideoSpan.end > start, VideoSpan.status == Status.INTACT
        )
    ).all()
    return _columns(("device_id", "start_at", "end_at"), rows)


def _columns(names: Sequence[str], rows: Sequence[Row[Any] | tuple[Any, ...]]) -> Columns:
    values = zip(*rows, strict=True) if rows else [()] * len(names)
    return {name: list(column) for name, column in zip(names, values, strict=True)}


def ledger_of(session: Session, day: date) -> dict[int, tuple[int, ...]]:
    """Device id → the stored seconds, in the order of `recomputing.AMOUNTS`."""
    rows = session.execute(
        select(
            Ledger.device_id, Ledger.intact, Ledger.impaired, Ledger.offline, Ledger.unknown,
            Ledger.suspended, Ledger.exempted, Ledger.intact_by_video,
        ).where(Ledger.day == day)
    )  # fmt: skip
    return {device_id: tuple(seconds) for device_id, *seconds in rows}


def cohort_sums(session: Session, day: date) -> dict[int, tuple[int, ...]]:
    """Cohort id → the stored sums, in the order of `recomputing.AMOUNTS`, and the devices."""
    rows = session.execute(
        select(
            LedgerCohort.cohort_id, LedgerCohort.intact, LedgerCohort.impaired,
            LedgerCohort.offline, LedgerCohort.unknown, LedgerCohort.suspended,
            LedgerCohort.exempted, LedgerCohort.intact_by_video, LedgerCohort.devices,
        ).where(LedgerCohort.day == day)
    )  # fmt: skip
    return {cohort_id: tuple(sums) for cohort_id, *sums in rows}


def ledger_reach(session: Session, first: date, last: date) -> dict[date, tuple[int, int]]:
    """Day → (slot length, through) of the days that have a ledger."""
    found = select(LedgerDay.day, LedgerDay.interval_s, LedgerDay.through)
    rows = session.execute(found.where(LedgerDay.day.between(first, last)))
    return {day: (interval_s, through) for day, interval_s, through in rows}


def evidence_lengths(session: Session, first: date, last: date) -> dict[date, int]:
    """Day → slot length of the days that have evidence."""
    found = select(EvidenceDay.day, EvidenceDay.interval_s)
    return dict(session.execute(found.where(EvidenceDay.day.between(first, last))).all())


def waiting_days(session: Session, first: date, last: date) -> dict[date, int]:
    """Day → how many of its devices wait for their ledger to be made anew."""
    found = select(DirtyDay.day, func.count()).where(DirtyDay.day.between(first, last))
    return dict(session.execute(found.group_by(DirtyDay.day)).all())


def archive_days(session: Session, first: date, last: date) -> dict[date, ArchiveDay]:
    rows = session.scalars(select(ArchiveDay).where(ArchiveDay.day.between(first, last)))
    return {row.day: row for row in rows}


def hot_of(session: Session, start: int, end: int) -> Mapping[str, Any] | None:
    """The hot samples of a day as columns; None where there are none."""
    device_id, tick, status, _ = hot_samples(session, start, end)
    if not len(device_id):
        return None
    return {"device_id": device_id, "tick": tick, "status": status}


def codes_of(session: Session) -> dict[int, str]:
    """Device id → its code."""
    return dict(session.execute(select(Device.id, Device.code)).all())
