"""All SQL of alerts. A session comes in; no transaction begins or ends here."""

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, false, func, select, true, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.accounts.reach import EVERYTHING, Reach
from app.evidence.queries import AMOUNTS
from app.evidence.tables import Sweep, SweepCount
from app.fleet.roster import in_service_on
from app.fleet.tables import Assignment, Cohort, Device, DeviceKind, Station
from app.operations.alerts.rules import SweepFigures
from app.operations.alerts.tables import Alert, AlertKind
from kpi.rates import Amounts


class StationFigures(NamedTuple):
    """Cameras of one station by class at a tick; no code: the cameras without a station."""

    code: str | None
    name: str | None
    cameras: Amounts


_SUMS = [func.sum(getattr(SweepCount, name)) for name in AMOUNTS]


def _amounts(values: Sequence[Any]) -> Amounts:
    return Amounts(*(int(value) for value in values))


# What the rules look at


def newest_sweeps(session: Session, count: int) -> list[SweepFigures]:
    """The newest sweeps with the fleet's cameras by class, newest first."""
    sweeps = session.scalars(select(Sweep).order_by(Sweep.tick.desc()).limit(count)).all()
    rows = session.execute(
        select(SweepCount.tick, *_SUMS)
        .join(Cohort, Cohort.id == SweepCount.cohort_id)
        .where(
            SweepCount.tick.in_([sweep.tick for sweep in sweeps]),
            Cohort.kind == DeviceKind.CAMERA,
        )
        .group_by(SweepCount.tick)
    )
    cameras = {row[0]: _amounts(row[1:]) for row in rows}
    return [
        SweepFigures(
            sweep.tick, sweep.interval_s, sweep.finished_at, cameras.get(sweep.tick, Amounts())
        )
        for sweep in sweeps
    ]


def stations_at(session: Session, tick: int) -> list[StationFigures]:
    """Cameras of every station by class at a sweep."""
    rows = session.execute(
        select(Station.code, Station.name, *_SUMS)
        .select_from(SweepCount)
        .join(Cohort, Cohort.id == SweepCount.cohort_id)
        .outerjoin(Station, Station.id == Cohort.station_id)
        .where(SweepCount.tick == tick, Cohort.kind == DeviceKind.CAMERA)
        .group_by(Station.code, Station.name)
    )
    return [StationFigures(row[0], row[1], _amounts(row[2:])) for row in rows]


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


def _within(reach: Reach) -> ColumnElement[bool]:
    """Every alert so far tells of the whole fleet: whose view is limited sees none."""
    return false() if reach.limited else true()


def open_alerts(session: Session, reach: Reach = EVERYTHING) -> list[Alert]:
    """The open alerts within reach, oldest first."""
    query = select(Alert).where(_OPEN, _within(reach))
    return list(session.scalars(query.order_by(Alert.opened_at, Alert.id)))


def insert_alert(session: Session, row: dict[str, Any]) -> int | None:
    """Store an open alert; None where one of its kind is open already."""
    dialect = session.get_bind().dialect.name
    table: Any = (sqlite if dialect == "sqlite" else postgresql).insert(Alert)
    statement = table.values(row).on_conflict_do_nothing().returning(Alert.id)
    stored: int | None = session.connection().execute(statement).scalar()
    return stored


def resolve_alert(session: Session, alert_id: int, now: int, figures: dict[str, Any]) -> bool:
    """Close an alert; False where another process has done so before."""
    closed = (
        update(Alert)
        .where(Alert.id == alert_id, _OPEN)
        .values(resolved_at=now, figures=figures)
        .returning(Alert.id)
    )
    return session.connection().execute(closed).scalar() is not None


_OPEN = Alert.resolved_at.is_(None)


def _chosen(state: str, kind: AlertKind | None, reach: Reach) -> list[ColumnElement[bool]]:
    conditions = [_within(reach)]
    if kind is not None:
        conditions.append(Alert.kind == kind.value)
    if state != "all":
        conditions.append(_OPEN if state == "open" else Alert.resolved_at.is_not(None))
    return conditions


def count_alerts(session: Session, state: str, kind: AlertKind | None, reach: Reach) -> int:
    return session.scalar(select(func.count(Alert.id)).where(*_chosen(state, kind, reach))) or 0


def read_alerts(
    session: Session, state: str, kind: AlertKind | None, reach: Reach, skip: int, count: int
) -> list[Alert]:
    """Alerts within reach, newest first; `state` is `open`, `resolved` or `all`."""
    query = select(Alert).where(*_chosen(state, kind, reach)).order_by(Alert.opened_at.desc())
    return list(session.scalars(query.order_by(Alert.id.desc()).offset(skip).limit(count)))
