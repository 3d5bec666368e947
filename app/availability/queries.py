"""All SQL over the sums: of days per cohort, of days per device, of a sweep's counts."""

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy.orm import Session

from app.evidence.queries import STORED_AMOUNTS
from app.evidence.tables import (
    DeviceState,
    Ledger,
    LedgerCohort,
    Suspension,
    Sweep,
    SweepCount,
)
from app.fleet.roster import HAS_LEDGER, SERVICE_START, Grouping
from app.fleet.tables import Assignment, Cohort, Device, Station
from kpi.rates import Amounts


def _sums(table: Any) -> list[ColumnElement[int]]:
    return [func.sum(getattr(table, name)) for name in STORED_AMOUNTS]


def _amounts(row: Sequence[Any]) -> Amounts:
    return Amounts(*(int(value) for value in row))


def seconds_by_cohort(
    session: Session, first: date, last: date, cohort_ids: Collection[int]
) -> dict[int, Amounts]:
    """Cohort id → seconds over the days `first` to `last`."""
    rows = session.execute(
        select(LedgerCohort.cohort_id, *_sums(LedgerCohort))
        .where(LedgerCohort.day.between(first, last), LedgerCohort.cohort_id.in_(cohort_ids))
        .group_by(LedgerCohort.cohort_id)
    )
    return {row[0]: _amounts(row[1:]) for row in rows}


def seconds_by_day(
    session: Session, first: date, last: date, cohort_ids: Collection[int]
) -> dict[date, Amounts]:
    """Day → seconds of these cohorts, as far as the ledger has come."""
    rows = session.execute(
        select(LedgerCohort.day, *_sums(LedgerCohort))
        .where(LedgerCohort.day.between(first, last), LedgerCohort.cohort_id.in_(cohort_ids))
        .group_by(LedgerCohort.day)
    )
    return {row[0]: _amounts(row[1:]) for row in rows}


def seconds_by_day_and_cohort(
    session: Session, first: date, last: date, cohort_ids: Collection[int]
) -> list[tuple[date, int, int, Amounts]]:
    """(day, cohort id, devices, seconds) of the days `first` to `last`."""
    columns = [getattr(LedgerCohort, name) for name in STORED_AMOUNTS]
    rows = session.execute(
        select(LedgerCohort.day, LedgerCohort.cohort_id, LedgerCohort.devices, *columns).where(
            LedgerCohort.day.between(first, last), LedgerCohort.cohort_id.in_(cohort_ids)
        )
    )
    return [(row[0], row[1], row[2], _amounts(row[3:])) for row in rows]


def seconds_by_day_and_device(
    session: Session,
    first: date,
    last: date,
    cohort_ids: Collection[int],
    device_id: int | None,
) -> list[tuple[date, int, int, Amounts]]:
    """(day, device id, cohort id, seconds); of one device, or of all in these cohorts."""
    columns = [getattr(Ledger, name) for name in STORED_AMOUNTS]
    query = _of_devices(
        select(Ledger.day, Ledger.device_id, Assignment.cohort_id, *columns),
        first,
        last,
        cohort_ids,
        device_id,
    )
    return [(row[0], row[1], row[2], _amounts(row[3:])) for row in session.execute(query)]


def seconds_by_device(
    session: Session,
    first: date,
    last: date,
    cohort_ids: Collection[int],
    device_id: int | None,
) -> list[tuple[int, int, Amounts]]:
    """(device id, cohort id, seconds) over the days; of one device, or of all in these cohorts."""
    query = _of_devices(
        select(Ledger.device_id, Assignment.cohort_id, *_sums(Ledger)),
        first,
        last,
        cohort_ids,
        device_id,
    ).group_by(Ledger.device_id, Assignment.cohort_id)
    return [(row[0], row[1], _amounts(row[2:])) for row in session.execute(query)]


def _of_devices(
    query: Select[*tuple[Any, ...]],
    first: date,
    last: date,
    cohort_ids: Collection[int],
    device_id: int | None,
) -> Select[*tuple[Any, ...]]:
    query = query.join(Assignment, belongs_on(Ledger.device_id, Ledger.day)).where(
        Ledger.day.between(first, last), Assignment.cohort_id.in_(cohort_ids)
    )
    return query if device_id is None else query.where(Ledger.device_id == device_id)


def belongs_on(device_id: Any, day: Any) -> ColumnElement[bool]:
    """The assignment that holds for a device on a day (columns or values)."""
    return and_(
        Assignment.device_id == device_id,
        Assignment.from_day <= day,
        or_(Assignment.to_day.is_(None), Assignment.to_day > day),
    )


def devices_by_group(
    session: Session, grouping: Grouping, first: date, last: date, cohort_ids: Collection[int]
) -> dict[int | None, int]:
    """Group id → distinct devices in service on a day of `first` to `last` while in the group.

    Assignment, service and period are three spans of days: they have a day in common exactly when
    each two of them have.
    """
    column = _group_column(grouping)
    out, to = Device.decommissioned_on, Assignment.to_day
    counted = (
        select(column, func.count(Device.id.distinct()))
        .join(Assignment, Assignment.device_id == Device.id)
        .join(Cohort, Cohort.id == Assignment.cohort_id)
        .where(
            HAS_LEDGER,
            Cohort.id.in_(cohort_ids),
            and_(last >= SERVICE_START, or_(out.is_(None), out > first)),
            and_(Assignment.from_day <= last, or_(to.is_(None), to > first)),
            or_(to.is_(None), to > SERVICE_START),
            or_(out.is_(None), and_(Assignment.from_day < out, out > SERVICE_START)),
        )
        .group_by(column)
    )
    return {row[0]: row[1] for row in session.execute(counted)}


def _group_column(grouping: Grouping) -> Any:
    columns: dict[Grouping, Any] = {
        Grouping.STATION: Cohort.station_id,
        Grouping.ROOM: Cohort.room_id,
        Grouping.PROJECT: Cohort.project_id,
        Grouping.CONTRACTOR: Cohort.contractor_id,
        Grouping.FLEET: Cohort.kind,  # a selection has one kind
    }
    return columns[grouping]


def counts_at(session: Session, tick: int) -> dict[int, Amounts]:
    """Cohort id → devices by class at a sweep."""
    columns = [getattr(SweepCount, name) for name in STORED_AMOUNTS]
    rows = session.execute(select(SweepCount.cohort_id, *columns).where(SweepCount.tick == tick))
    return {row[0]: _amounts(row[1:]) for row in rows}


# The present day


class Stretch(NamedTuple):
    """What the sweeps of one stretch of time counted of a cohort: the sums over its slots."""

    cohort_id: int
    number: int
    amounts: Amounts


def counts_by_stretch(session: Session, start: int, end: int, length_s: int) -> list[Stretch]:
    """Sums of the sweeps' counts of every cohort, by stretches of `length_s` from `start` on."""
    number = (SweepCount.tick - start) // length_s
    rows = session.execute(
        select(SweepCount.cohort_id, number, *_sums(SweepCount))
        .where(SweepCount.tick >= start, SweepCount.tick < end)
        .group_by(SweepCount.cohort_id, number)
    )
    return [Stretch(row[0], row[1], _amounts(row[2:])) for row in rows]


def sweeps_by_stretch(session: Session, start: int, end: int, length_s: int) -> dict[int, int]:
    """Stretch → how many sweeps it has."""
    number = (Sweep.tick - start) // length_s
    rows = session.execute(
        select(number, func.count()).where(Sweep.tick >= start, Sweep.tick < end).group_by(number)
    )
    return dict(rows.all())


# What has changed


class Change(NamedTuple):
    """A device whose status is another since `since` (a tick)."""

    code: str
    name: str
    station_code: str | None
    station: str | None
    status: int
    since: int


def changes_since(
    session: Session, start: int, cohort_ids: Collection[int], limit: int
) -> tuple[list[Change], int]:
    """The newest changes from `start` on, and how many there are.

    What was seen of a device for the first time is no change; a suspended one is not told about.
    """
    suspended = exists().where(
        Suspension.device_id == DeviceState.device_id,
        Suspension.start <= DeviceState.since,
        or_(Suspension.end.is_(None), Suspension.end > DeviceState.since),
    )
    wanted = (
        DeviceState.since >= start,
        DeviceState.previous.is_not(None),
        Assignment.to_day.is_(None),
        Assignment.cohort_id.in_(cohort_ids),
        ~suspended,
    )
    columns = (Device.code, Device.name, Station.code, Station.name)
    query = (
        select(*columns, DeviceState.status, DeviceState.since)
        .select_from(DeviceState)
        .join(Device, Device.id == DeviceState.device_id)
        .join(Assignment, Assignment.device_id == Device.id)
        .join(Cohort, Cohort.id == Assignment.cohort_id)
        .outerjoin(Station, Station.id == Cohort.station_id)
        .where(*wanted)
    )
    total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
    newest = query.order_by(DeviceState.since.desc(), Device.code).limit(limit)
    return [Change(*row) for row in session.execute(newest)], total
