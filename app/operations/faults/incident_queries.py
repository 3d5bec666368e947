"""All SQL by which incidents are kept. A session comes in; no transaction begins or ends here."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import delete, func, insert, or_, select, update
from sqlalchemy.orm import Session

from app.fleet.queries import chunks
from app.fleet.roster import in_service_on
from app.fleet.tables import Assignment, Cohort, Contractor, Device, DeviceKind, Room
from app.operations.faults.tables import Fault
from app.operations.faults.tables import Incident as Row
from kpi.calendar import QUARTER_S
from kpi.incidents import FaultSpan, Incident, Place, Scope

_SPAN = (Fault.id, Fault.device_id, Fault.onset, Fault.opened_at, Fault.ended_at, Fault.closed_at)


# Incidents


def first_opened_of_open_at(session: Session, tick: int) -> int | None:
    """When the first of those incidents was opened that were open just before a tick."""
    query = select(func.min(Row.opened_at)).where(
        Row.opened_at < tick, or_(Row.closed_at.is_(None), Row.closed_at >= tick)
    )
    return session.scalar(query)


def going_on(session: Session, before: int) -> list[Incident]:
    """The incidents opened before a tick that are open, with the faults under them."""
    query = select(Row).where(Row.opened_at < before, Row.closed_at.is_(None)).order_by(Row.id)
    found = {
        row.id: Incident(
            Place(Scope(row.scope), row.code), row.onset, row.opened_at, row.devices, id=row.id
        )
        for row in session.scalars(query)
    }
    if found:
        under = select(Fault.incident_id, *_SPAN).where(Fault.incident_id.in_(found))
        rows: Sequence[Any] = session.execute(under.order_by(Fault.opened_at, Fault.id)).all()
        for incident_id, *span in rows:
            found[incident_id].take([FaultSpan(*span)])
    return list(found.values())


def opened_since(session: Session, tick: int) -> Sequence[Row]:
    query = select(Row).where(Row.opened_at >= tick).order_by(Row.opened_at, Row.id)
    return session.scalars(query).all()


def rows_of(session: Session, incident_ids: Sequence[int]) -> dict[int, Row]:
    return {
        row.id: row
        for some in chunks(incident_ids)
        for row in session.scalars(select(Row).where(Row.id.in_(some)))
    }


def insert_incident(session: Session, row: Mapping[str, object]) -> int:
    return session.scalars(insert(Row).values(**row).returning(Row.id)).one()


def update_incident(session: Session, incident_id: int, row: Mapping[str, object]) -> None:
    session.execute(update(Row).where(Row.id == incident_id).values(**row))


def delete_incidents(session: Session, incident_ids: Collection[int]) -> None:
    for some in chunks(sorted(incident_ids)):
        session.execute(delete(Row).where(Row.id.in_(some)))


# Faults


def first_onset_known(session: Session, start: int, end: int) -> int | None:
    """The first onset of the faults that opened in `[start, end)`."""
    query = select(func.min(Fault.onset))
    return session.scalar(query.where(Fault.opened_at >= start, Fault.opened_at < end))


def faults_begun(session: Session, start: int, end: int, first: int | None) -> list[FaultSpan]:
    """The faults of cameras known before `end` that began with `first` or a slot before it, in
    order of their onsets; without those that came under an incident opened before `start` and over
    by now."""
    if first is None:
        return []
    query = (
        select(*_SPAN)
        .join(Device, Device.id == Fault.device_id)
        .outerjoin(Row, Row.id == Fault.incident_id)
        .where(
            Device.kind == DeviceKind.CAMERA,
            Fault.onset >= first - QUARTER_S,
            Fault.opened_at < end,
            or_(Row.id.is_(None), Row.opened_at >= start, Row.closed_at.is_(None)),
        )
        .order_by(Fault.onset, Fault.id)
    )
    return [FaultSpan(*row) for row in session.execute(query)]


def ties(
    session: Session, incident_ids: Collection[int], since: int
) -> dict[int, tuple[int | None, int | None]]:
    """Fault id → (incident, own since) of those under these incidents, and of those that opened
    since a tick and are under any."""
    columns = (Fault.id, Fault.incident_id, Fault.own_since)
    queries = [select(*columns).where(Fault.opened_at >= since, Fault.incident_id.is_not(None))]
    queries += [
        select(*columns).where(Fault.incident_id.in_(some)) for some in chunks(sorted(incident_ids))
    ]
    return {row[0]: (row[1], row[2]) for query in queries for row in session.execute(query)}


def closings_of(session: Session, fault_ids: Sequence[int]) -> dict[int, tuple[int, int | None]]:
    """Fault id → (opened at, closed at)."""
    return {
        row[0]: (row[1], row[2])
        for some in chunks(fault_ids)
        for row in session.execute(
            select(Fault.id, Fault.opened_at, Fault.closed_at).where(Fault.id.in_(some))
        )
    }


def tie_faults(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Each row: a fault's id, its incident, since when it is one of its own."""
    if rows:
        session.execute(update(Fault), rows)


# What is around


def places_on(
    session: Session, day: date, device_ids: Sequence[int]
) -> dict[int, tuple[Place, ...]]:
    """Camera id → where it belongs on a day; those in service alone."""
    columns = (Device.id, Room.code, Assignment.power_district, Contractor.code)
    found = {}
    for some in chunks(device_ids):
        query = (
            select(*columns)
            .join(Assignment, Assignment.device_id == Device.id)
            .join(Cohort, Cohort.id == Assignment.cohort_id)
            .outerjoin(Room, Room.id == Cohort.room_id)
            .outerjoin(Contractor, Contractor.id == Cohort.contractor_id)
            .where(in_service_on(day), Cohort.kind == DeviceKind.CAMERA, Device.id.in_(some))
        )
        for device_id, *codes in session.execute(query):
            pairs = zip(Scope, codes, strict=True)
            found[device_id] = tuple(Place(scope, code) for scope, code in pairs if code)
    return found


def cameras_of(session: Session, place: Place, day: date) -> set[int]:
    """The cameras in service that belong to a place on a day."""
    holds = {
        Scope.ROOM: Room.code,
        Scope.POWER_DISTRICT: Assignment.power_district,
        Scope.CONTRACTOR: Contractor.code,
    }[place.scope]
    query = (
        select(Device.id)
        .join(Assignment, Assignment.device_id == Device.id)
        .join(Cohort, Cohort.id == Assignment.cohort_id)
        .outerjoin(Room, Room.id == Cohort.room_id)
        .outerjoin(Contractor, Contractor.id == Cohort.contractor_id)
        .where(in_service_on(day), Cohort.kind == DeviceKind.CAMERA, holds == place.code)
    )
    return set(session.scalars(query))


def failing_before(session: Session, tick: int, known_at: int) -> set[int]:
    """The devices in a fault that began before a tick and lasted then, as was known later."""
    query = select(Fault.device_id).where(
        Fault.onset < tick,
        Fault.opened_at <= known_at,
        or_(Fault.closed_at.is_(None), Fault.closed_at > known_at, Fault.ended_at > tick),
    )
    return set(session.scalars(query))


def name_of(session: Session, place: Place) -> str:
    """The name of a room or contractor; a power district has none but its code."""
    query = select(Room.name).where(Room.code == place.code)
    if place.scope is Scope.CONTRACTOR:
        query = select(Contractor.name).where(Contractor.code == place.code)
    named = None if place.scope is Scope.POWER_DISTRICT else session.scalar(query)
    return named or place.code
