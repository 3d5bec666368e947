"""All SQL of the alerts. A session comes in; no transaction begins or ends here."""

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, false, func, or_, select, true, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.accounts.reach import EVERYTHING, Reach
from app.availability.queries import seconds_by_cohort
from app.availability.rooms import EQUIPMENT
from app.evidence.queries import AMOUNTS
from app.evidence.tables import Sweep, SweepCount
from app.fleet.roster import in_service_on, within
from app.fleet.tables import (
    Assignment,
    Cohort,
    Contractor,
    Device,
    DeviceKind,
    Project,
    Room,
    Station,
)
from app.operations.alerts.tables import OPEN, Alert, Scope
from kpi.rates import Amounts


class Place(NamedTuple):
    """What an alert is about: the fleet, or one station, project, contractor, room."""

    scope: Scope
    code: str
    name: str


# What the rules look at


def newest_ticks(session: Session, count: int) -> list[int]:
    """The newest sweeps, the newest first."""
    return list(session.scalars(select(Sweep.tick).order_by(Sweep.tick.desc()).limit(count)))


def read_sweeps(session: Session, ticks: Sequence[int]) -> Sequence[Sweep]:
    """These sweeps, the oldest first."""
    return session.scalars(select(Sweep).where(Sweep.tick.in_(ticks)).order_by(Sweep.tick)).all()


def read_counts(session: Session, tick: int) -> list[tuple[int, Amounts]]:
    """(cohort, devices by class) of a sweep."""
    columns = [getattr(SweepCount, name) for name in AMOUNTS]
    query = select(SweepCount.cohort_id, *columns).where(SweepCount.tick == tick)
    result: Any = session.connection().execute(query)
    return [(row[0], Amounts(*row[1:])) for row in result.cursor.fetchall()]


def places_of_cohorts(session: Session, fleet: Place) -> dict[int, tuple[Place, ...]]:
    """Cohort → the places that it counts for: only cameras are counted."""
    tables = (
        (Scope.STATION, Station),
        (Scope.ROOM, Room),
        (Scope.PROJECT, Project),
        (Scope.CONTRACTOR, Contractor),
    )
    columns = [column for _, table in tables for column in (table.code, table.name)]
    query = (
        select(Cohort.id, Cohort.kind, *columns)
        .outerjoin(Station, Station.id == Cohort.station_id)
        .outerjoin(Room, Room.id == Cohort.room_id)
        .outerjoin(Project, Project.id == Cohort.project_id)
        .outerjoin(Contractor, Contractor.id == Cohort.contractor_id)
    )
    found: dict[int, tuple[Place, ...]] = {}
    for cohort_id, kind, *names in session.execute(query):
        if kind != DeviceKind.CAMERA:
            found[cohort_id] = ()
            continue
        pairs = zip(names[::2], names[1::2], strict=True)
        of = [
            Place(scope, code, name)
            for (scope, _), (code, name) in zip(tables, pairs, strict=True)
            if code is not None
        ]
        found[cohort_id] = (fleet, *of)
    return found


def rooms_of_equipment(session: Session) -> dict[int, Place | None]:
    """Cohort → the room that its equipment belongs to; none of cameras and vehicles."""
    query = select(Cohort.id, Cohort.kind, Room.code, Room.name).outerjoin(
        Room, Room.id == Cohort.room_id
    )
    return {
        row[0]: Place(Scope.ROOM, row[2], row[3]) if row[1] in EQUIPMENT and row[2] else None
        for row in session.execute(query)
    }


def month_by_place(session: Session, fleet: Place, first: date, last: date) -> dict[Place, Amounts]:
    """Seconds of cameras by class, of a month to date, of every place."""
    places = places_of_cohorts(session, fleet)
    found: dict[Place, Amounts] = {}
    for cohort_id, seconds in seconds_by_cohort(session, first, last, places.keys()).items():
        for place in places[cohort_id]:
            found[place] = found.get(place, Amounts()) + seconds
    return found


def any_in_service(session: Session, day: date) -> bool:
    """Whether any device is to be polled on this day."""
    found = (
        select(Device.id)
        .join(Assignment, Assignment.device_id == Device.id)
        .where(in_service_on(day))
        .limit(1)
    )
    return session.scalar(found) is not None


# Alerts


def is_within(reach: Reach) -> ColumnElement[bool]:
    """Whose view is limited sees the alerts of what is theirs alone: never those of the fleet."""
    if not reach.limited:
        return true()
    theirs: list[ColumnElement[bool]] = []
    if reach.contractor is not None:
        theirs.append(_of(Scope.CONTRACTOR, reach.contractor))
    if reach.station is not None:
        rooms = select(Room.code).join(Cohort, Cohort.room_id == Room.id).where(within(reach))
        theirs.append(_of(Scope.STATION, reach.station))
        theirs.append(and_(Alert.scope == Scope.ROOM, Alert.scope_code.in_(rooms)))
    return or_(false(), *theirs)


def _of(scope: Scope, code: str) -> ColumnElement[bool]:
    return and_(Alert.scope == scope, Alert.scope_code == code)


def open_alerts(session: Session, reach: Reach = EVERYTHING) -> list[Alert]:
    """The open alerts within reach, oldest first."""
    query = select(Alert).where(OPEN, is_within(reach)).order_by(Alert.opened_at, Alert.id)
    return list(session.scalars(query.execution_options(populate_existing=True)))


def pending_alerts(session: Session) -> list[Alert]:
    """Those of which something has still to be told, in their order."""
    query = select(Alert).where(Alert.pending.is_not(None)).order_by(Alert.id)
    return list(session.scalars(query.execution_options(populate_existing=True)))


def insert_alert(session: Session, row: dict[str, Any]) -> int | None:
    """Store an open alert; None where one of its rule and place is open already."""
    dialect = session.get_bind().dialect.name
    table: Any = (sqlite if dialect == "sqlite" else postgresql).insert(Alert)
    statement = table.values(row).on_conflict_do_nothing().returning(Alert.id)
    stored: int | None = session.connection().execute(statement).scalar()
    return stored


def resolve_alert(
    session: Session, alert_id: int, now: int, figures: dict[str, Any], pending: str | None
) -> bool:
    """Close an alert, and say what has to be told; False where another process was faster."""
    closed = (
        update(Alert)
        .where(Alert.id == alert_id, OPEN)
        .values(resolved_at=now, figures=figures, pending=pending)
        .returning(Alert.id)
    )
    return session.connection().execute(closed).scalar() is not None


def find_alert(session: Session, alert_id: int, reach: Reach) -> Alert | None:
    return session.scalar(select(Alert).where(Alert.id == alert_id, is_within(reach)))


def change_alert(session: Session, alert_id: int, seen: dict[str, Any], **values: object) -> bool:
    """Change an alert that is still as it was seen; False where another process was faster."""
    same = [
        column.is_(None) if value is None else column == value
        for column, value in ((getattr(Alert, name), value) for name, value in seen.items())
    ]
    changed = update(Alert).where(Alert.id == alert_id, *same).values(**values)
    return session.connection().execute(changed.returning(Alert.id)).scalar() is not None


def _chosen(state: str, kind: str | None, reach: Reach) -> list[ColumnElement[bool]]:
    conditions = [is_within(reach)]
    if kind is not None:
        conditions.append(Alert.kind == kind)
    if state != "all":
        conditions.append(OPEN if state == "open" else Alert.resolved_at.is_not(None))
    return conditions


def count_alerts(session: Session, state: str, kind: str | None, reach: Reach) -> int:
    return session.scalar(select(func.count(Alert.id)).where(*_chosen(state, kind, reach))) or 0


def read_alerts(
    session: Session, state: str, kind: str | None, reach: Reach, skip: int, count: int
) -> list[Alert]:
    """Alerts within reach, newest first; `state` is `open`, `resolved` or `all`."""
    query = select(Alert).where(*_chosen(state, kind, reach)).order_by(Alert.opened_at.desc())
    return list(session.scalars(query.order_by(Alert.id.desc()).offset(skip).limit(count)))
