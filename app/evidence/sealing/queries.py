"""All SQL of the sealed months. A session comes in; no transaction begins or ends here."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from app.evidence.archive.queries import days_to_write
from app.evidence.archive.tables import ArchiveDay
from app.evidence.exemptions.tables import Exemption
from app.evidence.queries import STORED_AMOUNTS
from app.evidence.sealing.tables import MonthAmendment, MonthSeal
from app.evidence.tables import (
    DirtyDay,
    EvidenceDay,
    Ledger,
    LedgerCohort,
    LedgerDay,
    Suspension,
    VideoSpan,
)
from app.fleet.roster import HAS_LEDGER, SERVICE_START
from app.fleet.tables import Assignment, Cohort, Contractor, Device, Project, Room, Station
from kpi.calendar import Month
from kpi.status import Status


class Pending(NamedTuple):
    """What became known of a sealed month since: it changes nothing until an amendment."""

    device_days: int
    days_with_late_samples: int


def sealed_months(session: Session) -> set[Month]:
    """The months whose figures stand: sealed, and not being amended."""
    open_again = select(MonthAmendment.month)
    found = select(MonthSeal.month).where(MonthSeal.month.not_in(open_again)).distinct()
    return {Month.parse(month) for month in session.scalars(found)}


def is_sealed(session: Session, day: date) -> bool:
    return Month.of(day) in sealed_months(session)


def newest_seal(session: Session, month: Month) -> MonthSeal | None:
    found = select(MonthSeal).where(MonthSeal.month == str(month))
    return session.scalars(found.order_by(MonthSeal.version.desc()).limit(1)).first()


def seal_in_force(session: Session, month: Month) -> MonthSeal | None:
    """The seal that the month's figures stand under; None where it is open or being amended."""
    if amendment_of(session, month) is not None:
        return None
    return newest_seal(session, month)


def seal_of(session: Session, month: Month, version: int) -> MonthSeal | None:
    return session.get(MonthSeal, (str(month), version))


def seals(session: Session, month: Month | None = None) -> list[MonthSeal]:
    """All versions of all months or of one, the newest month first, its versions in order."""
    found = select(MonthSeal).order_by(MonthSeal.month.desc(), MonthSeal.version)
    if month is not None:
        found = found.where(MonthSeal.month == str(month))
    return list(session.scalars(found))


def amendment_of(session: Session, month: Month) -> MonthAmendment | None:
    return session.get(MonthAmendment, str(month))


def end_amendment(session: Session, month: Month) -> None:
    session.execute(delete(MonthAmendment).where(MonthAmendment.month == str(month)))


def pending(session: Session, month: Month) -> Pending:
    """What waits for an amendment (or, where the month is open, for the ledger)."""
    dirty = select(func.count()).where(DirtyDay.day.between(month.first, month.last))
    return Pending(session.scalar(dirty) or 0, len(days_not_whole(session, month)))


def days_not_whole(session: Session, month: Month) -> list[date]:
    """The days with samples that no file holds."""
    following = month.last + timedelta(days=1)
    return [day for day in days_to_write(session, following) if month.first <= day]


def lock_month(session: Session, month: Month) -> None:
    """Hold the ledger and the archive of a month against whoever writes them."""
    for table in (LedgerDay, ArchiveDay):
        days = select(table.day).where(table.day.between(month.first, month.last))
        session.execute(days.with_for_update()).all()


def evidence_days(session: Session, month: Month) -> list[date]:
    found = select(EvidenceDay.day).where(EvidenceDay.day.between(month.first, month.last))
    return list(session.scalars(found.order_by(EvidenceDay.day)))


def archived_days(session: Session, month: Month) -> list[ArchiveDay]:
    found = select(ArchiveDay).where(ArchiveDay.day.between(month.first, month.last))
    return list(session.scalars(found.order_by(ArchiveDay.day)))


# What the figures rest on


def device_rows(session: Session) -> Sequence[Any]:
    """(code, kind, first day in service, day from which it is not) of all that have a ledger."""
    return session.execute(
        select(Device.code, Device.kind, SERVICE_START, Device.decommissioned_on)
        .where(HAS_LEDGER)
        .order_by(Device.code)
    ).all()


def assignment_rows(session: Session) -> Sequence[Any]:
    """(code, from day, to day, station, room, project, contractor, power district), by codes."""
    return session.execute(
        select(
            Device.code,
            Assignment.from_day,
            Assignment.to_day,
            Station.code,
            Room.code,
            Project.code,
            Contractor.code,
            Assignment.power_district,
        )
        .join(Device, Device.id == Assignment.device_id)
        .join(Cohort, Cohort.id == Assignment.cohort_id)
        .outerjoin(Station, Station.id == Cohort.station_id)
        .outerjoin(Room, Room.id == Cohort.room_id)
        .outerjoin(Project, Project.id == Cohort.project_id)
        .outerjoin(Contractor, Contractor.id == Cohort.contractor_id)
        .where(HAS_LEDGER)
        .order_by(Device.code, Assignment.from_day)
    ).all()


def suspension_rows(session: Session, start: int, end: int) -> Sequence[Any]:
    """(device, start, end, reason, approved by, document) of those that touch `[start, end)`."""
    return session.execute(
        select(
            Device.code,
            Suspension.start,
            Suspension.end,
            Suspension.reason,
            Suspension.approved_by,
            Suspension.document,
        )
        .join(Device, Device.id == Suspension.device_id)
        .where(Suspension.start < end, Suspension.end.is_(None) | (Suspension.end > start))
        .order_by(Device.code, Suspension.start)
    ).all()


def exemption_rows(session: Session, start: int, end: int) -> Sequence[Any]:
    """(scope, code, start, end, reason, approved by, document) of those that touch it."""
    return session.execute(
        select(
            Exemption.scope,
            Exemption.code,
            Exemption.start,
            Exemption.end,
            Exemption.reason,
            Exemption.approved_by,
            Exemption.document,
        )
        .where(Exemption.start < end, Exemption.end.is_(None) | (Exemption.end > start))
        .order_by(Exemption.scope, Exemption.code, Exemption.start)
    ).all()


def check_rows(session: Session, start: int, end: int) -> Sequence[Any]:
    """(device, start, end) of the good video checks that touch it."""
    return session.execute(
        select(Device.code, VideoSpan.start, VideoSpan.end)
        .join(Device, Device.id == VideoSpan.device_id)
        .where(VideoSpan.start < end, VideoSpan.end > start, VideoSpan.status == Status.INTACT)
        .order_by(Device.code, VideoSpan.start)
    ).all()


def ledger_rows(session: Session, month: Month) -> Iterator[tuple[Any, ...]]:
    """(day, device, seconds by class …) of the whole month, in that order."""
    columns = [getattr(Ledger, name) for name in STORED_AMOUNTS]
    query = (
        select(Ledger.day, Device.code, *columns)
        .outerjoin(Device, Device.id == Ledger.device_id)
        .where(Ledger.day.between(month.first, month.last))
        .order_by(Ledger.day, Device.code, Ledger.device_id)
    )
    for row in session.execute(query.execution_options(yield_per=10_000)):
        yield tuple(row)


def group_sums(session: Session, month: Month) -> Sequence[Any]:
    """(kind, station, room, project, contractor, seconds by class …) of the month's cohorts."""
    columns = [func.sum(getattr(LedgerCohort, name)) for name in STORED_AMOUNTS]
    codes = (Cohort.kind, Station.code, Room.code, Project.code, Contractor.code)
    return session.execute(
        select(*codes, *columns)
        .select_from(LedgerCohort)
        .join(Cohort, Cohort.id == LedgerCohort.cohort_id)
        .outerjoin(Station, Station.id == Cohort.station_id)
        .outerjoin(Room, Room.id == Cohort.room_id)
        .outerjoin(Project, Project.id == Cohort.project_id)
        .outerjoin(Contractor, Contractor.id == Cohort.contractor_id)
        .where(LedgerCohort.day.between(month.first, month.last))
        .group_by(*codes)
    ).all()
