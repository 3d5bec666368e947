"""All SQL by which faults and incidents are shown. A fault belongs to whom the device belonged to
on the day of its onset; who sees only a part of the fleet sees only the faults of that part."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select
from sqlalchemy.orm import Session

from app.accounts.reach import Reach
from app.availability.queries import belongs_on
from app.fleet.roster import within
from app.fleet.tables import Assignment, Cohort, Device
from app.operations.faults.tables import Fault, FaultStep, Incident
from app.web.listing import Listing
from kpi.incidents import Scope


@dataclass(frozen=True, slots=True)
class FaultsAsked:
    """Which faults: `state` is `open`, `closed` or `all`; `device`, `incident`: of this one alone.

    `own`: only those that are under no incident, or under one that is over while they last.
    """

    cohort_ids: Collection[int]
    state: str = "all"
    text: str = ""
    device_id: int | None = None
    incident_id: int | None = None
    own: bool = False


class FaultRow(NamedTuple):
    """A fault with its device; instants are UTC seconds."""

    id: int
    device_id: int
    code: str
    name: str
    onset: int
    opened_at: int
    ended_at: int | None
    closed_at: int | None
    reason: str | None
    status: int
    worst_status: int
    incident_id: int | None
    own_since: int | None


class IncidentRow(NamedTuple):
    """An incident; `failing` of the `failed` cameras under it fail still."""

    id: int
    scope: Scope
    code: str
    name: str
    onset: int
    opened_at: int
    ended_at: int | None
    closed_at: int | None
    devices: int
    failed: int
    failing: int


_FAULT = (
    Fault.id,
    Fault.device_id,
    Device.code,
    Device.name,
    *(getattr(Fault, name) for name in FaultRow._fields[4:]),
)
_OWN = or_(Fault.incident_id.is_(None), Fault.own_since.is_not(None))
_LASTS = Fault.closed_at.is_(None)


def count_faults(session: Session, asked: FaultsAsked) -> int:
    return session.scalar(_chosen(select(func.count(Fault.id)), asked)) or 0


def read_faults(
    session: Session, asked: FaultsAsked, wanted: Listing | None = None, limit: int | None = None
) -> list[FaultRow]:
    """A page of them in the order of the list; without one the newest, so many or all."""
    query = _chosen(select(*_FAULT), asked)
    if wanted is None:
        ordered = query.order_by(Fault.onset.desc(), Fault.id).limit(limit)
    else:
        columns: Mapping[str, Any] = {
            "onset": Fault.onset,
            "ended": func.coalesce(Fault.ended_at, 2**60),
            "lasted": func.coalesce(Fault.ended_at, 2**60) - Fault.onset,
            "device": Device.code,
            "status": Fault.worst_status,
        }
        column = columns[wanted.sort]
        ordered = query.order_by(column.desc() if wanted.descending else column, Fault.id)
        ordered = ordered.offset(wanted.skip).limit(wanted.rows)
    return [FaultRow(*row) for row in session.execute(ordered)]


def _chosen(query: Select[Any], asked: FaultsAsked) -> Select[Any]:
    """The faults asked for; the query selects from `Fault`, and may select from `Device`."""
    query = (
        query.join(Device, Device.id == Fault.device_id)
        .join(Assignment, belongs_on(Fault.device_id, Fault.day))
        .where(Assignment.cohort_id.in_(asked.cohort_ids))
    )
    if asked.state != "all":
        query = query.where(_LASTS if asked.state == "open" else Fault.closed_at.is_not(None))
    if asked.text:
        texts = (Device.code, Device.name, Device.address)
        query = query.where(or_(*(each.icontains(asked.text, autoescape=True) for each in texts)))
    if asked.device_id is not None:
        query = query.where(Fault.device_id == asked.device_id)
    if asked.incident_id is not None:
        query = query.where(Fault.incident_id == asked.incident_id)
    return query.where(_OWN) if asked.own else query


def read_fault(session: Session, fault_id: int, reach: Reach) -> FaultRow | None:
    """One fault within reach."""
    query = (
        select(*_FAULT)
        .join(Device, Device.id == Fault.device_id)
        .join(Assignment, belongs_on(Fault.device_id, Fault.day))
        .join(Cohort, Cohort.id == Assignment.cohort_id)
        .where(Fault.id == fault_id, within(reach))
    )
    row = session.execute(query).one_or_none()
    return None if row is None else FaultRow(*row)


def read_steps(session: Session, fault_id: int, count: int) -> list[tuple[int, int]]:
    """The newest of its steps as (at, status), in order."""
    query = select(FaultStep.at, FaultStep.status).where(FaultStep.fault_id == fault_id)
    rows = session.execute(query.order_by(FaultStep.at.desc()).limit(count)).all()
    return [(at, status) for at, status in reversed(rows)]


# Incidents


def count_incidents(session: Session, state: str, reach: Reach) -> int:
    return session.scalar(select(func.count(Incident.id)).where(*_shown(state, reach))) or 0


def read_incidents(
    session: Session, state: str, reach: Reach, skip: int, count: int
) -> list[IncidentRow]:
    """Incidents of which something is within reach: those that last first, then the newest."""
    query = _incidents().where(*_shown(state, reach))
    over = case((Incident.closed_at.is_(None), 0), else_=1)
    query = query.order_by(over, Incident.onset.desc(), Incident.id)
    return _rows(session, query.offset(skip).limit(count))


def open_incidents(session: Session, reach: Reach) -> list[IncidentRow]:
    """Those that last, the one with the most cameras first."""
    query = _incidents().where(*_shown("open", reach))
    return _rows(session, query.order_by(Incident.failed.desc(), Incident.id))


def read_incident(session: Session, incident_id: int, reach: Reach) -> IncidentRow | None:
    query = _incidents().where(Incident.id == incident_id, *_shown("all", reach))
    return next(iter(_rows(session, query)), None)


def _incidents() -> Select[Any]:
    failing = (
        select(func.count(Fault.id))
        .where(Fault.incident_id == Incident.id, _LASTS)
        .correlate(Incident)
        .scalar_subquery()
    )
    return select(*(getattr(Incident, name) for name in IncidentRow._fields[:-1]), failing)


def _shown(state: str, reach: Reach) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if state != "all":
        lasts = Incident.closed_at.is_(None)
        conditions.append(lasts if state == "open" else ~lasts)
    if reach.limited:
        theirs = (
            select(Fault.incident_id)
            .join(Assignment, belongs_on(Fault.device_id, Fault.day))
            .join(Cohort, Cohort.id == Assignment.cohort_id)
            .where(and_(Fault.incident_id.is_not(None), within(reach)))
        )
        conditions.append(Incident.id.in_(theirs))
    return conditions


def _rows(session: Session, query: Select[Any]) -> list[IncidentRow]:
    rows: Sequence[Any] = session.execute(query).all()
    return [IncidentRow(row[0], Scope(row[1]), *row[2:]) for row in rows]
