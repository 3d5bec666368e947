"""Who is in service on a day, where it belongs, and how it is asked.

A device has a ledger when its `probe` is not `none`; it is in service as `kpi.calendar.in_service`
says. It belongs on a day to the cohort that it had at the start of that day.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, true
from sqlalchemy.orm import Session

from app.accounts.reach import EVERYTHING, Reach
from app.fleet.tables import (
    BEGINNING,
    Assignment,
    Cohort,
    Contractor,
    Device,
    DeviceKind,
    ProbeChoice,
    Project,
    Room,
    Station,
)

SERVICE_START = func.coalesce(Device.commissioned_on, Device.registered_on)
HAS_LEDGER = Device.probe != ProbeChoice.NONE


class Grouping(StrEnum):
    """How figures may be grouped."""

    FLEET = "fleet"
    STATION = "station"
    ROOM = "room"
    PROJECT = "project"
    CONTRACTOR = "contractor"
    DEVICE = "device"


GROUP_TABLES: Mapping[Grouping, type[Station | Room | Project | Contractor]] = {
    Grouping.STATION: Station,
    Grouping.ROOM: Room,
    Grouping.PROJECT: Project,
    Grouping.CONTRACTOR: Contractor,
}


@dataclass(frozen=True, slots=True)
class CohortView:
    """A cohort with the id of its group under each grouping (None: it has none)."""

    id: int
    kind: DeviceKind
    groups: Mapping[Grouping, int | None]


@dataclass(frozen=True, slots=True)
class GroupName:
    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Days:
    """Spans of days, each from the start of its first to the start of its second (None: on)."""

    spans: Sequence[tuple[date, date | None]]

    def hold(self, day: date) -> bool:
        return any(first <= day and (end is None or day < end) for first, end in self.spans)


def in_service_on(day: date) -> ColumnElement[bool]:
    """Device and its assignment hold on this day (to be used where both are joined)."""
    return and_(
        HAS_LEDGER,
        day >= SERVICE_START,
        or_(Device.decommissioned_on.is_(None), Device.decommissioned_on > day),
        Assignment.from_day <= day,
        or_(Assignment.to_day.is_(None), Assignment.to_day > day),
    )


def _members(day: date) -> Select[int, int]:
    joined = select(Device.id, Assignment.cohort_id).join(
        Assignment, Assignment.device_id == Device.id
    )
    return joined.where(in_service_on(day)).order_by(Device.id)


def roster(session: Session, day: date, *, critical_only: bool = False) -> dict[int, int]:
    """Devices in service on a day, in order of their ids: device id → cohort id.

    `critical_only`: those alone that a room cannot do without.
    """
    members = _members(day)
    query = members.where(Device.critical) if critical_only else members
    return dict(session.execute(query).all())


def first_service_day(session: Session) -> date | None:
    """The first day on which any device is in service; None where there is no device."""
    starts = select(SERVICE_START).where(HAS_LEDGER).order_by(SERVICE_START)
    return session.scalar(starts.limit(1))


def within(reach: Reach) -> ColumnElement[bool]:
    """A cohort is within this reach (to be used where `Cohort` is joined)."""
    limits = [
        pointer == select(table.id).where(table.code == code).scalar_subquery()
        for table, pointer, code in (
            (Station, Cohort.station_id, reach.station),
            (Contractor, Cohort.contractor_id, reach.contractor),
        )
        if code is not None
    ]
    return and_(true(), *limits)


def cohorts(session: Session, reach: Reach = EVERYTHING) -> list[CohortView]:
    """All cohorts within reach (some hundred at most)."""
    return [
        CohortView(
            id=cohort.id,
            kind=cohort.kind,
            groups={
                Grouping.STATION: cohort.station_id,
                Grouping.ROOM: cohort.room_id,
                Grouping.PROJECT: cohort.project_id,
                Grouping.CONTRACTOR: cohort.contractor_id,
            },
        )
        for cohort in session.scalars(select(Cohort).where(within(reach)))
    ]


def group_names(session: Session, grouping: Grouping) -> dict[int, GroupName]:
    """Code and name of every station (room, project, contractor) by its id."""
    table = GROUP_TABLES[grouping]
    rows = session.execute(select(table.id, table.code, table.name))
    return {group_id: GroupName(code, name) for group_id, code, name in rows}


def device_names(session: Session) -> dict[int, GroupName]:
    """Code and name of every device by its id."""
    rows = session.execute(select(Device.id, Device.code, Device.name))
    return {device_id: GroupName(code, name) for device_id, code, name in rows}


def names_of(session: Session, device_ids: Collection[int]) -> dict[int, GroupName]:
    """Code and name of these devices by their ids."""
    rows = session.execute(
        select(Device.id, Device.code, Device.name).where(Device.id.in_(device_ids))
    )
    return {device_id: GroupName(code, name) for device_id, code, name in rows}


def device_ids_by_code(session: Session) -> dict[str, int]:
    """Every device's id by its code."""
    return dict(session.execute(select(Device.code, Device.id)).all())


def device_id_of(session: Session, code: str, reach: Reach = EVERYTHING) -> int | None:
    """The id of a device that is or was within reach; None where there is none such."""
    found = select(Device.id).where(Device.code == code)
    if reach.limited:
        belongs = Assignment.device_id == Device.id
        found = found.join(Assignment, belongs).join(Cohort).where(within(reach)).limit(1)
    return session.scalar(found)


def days_within(session: Session, device_id: int, reach: Reach) -> Days:
    """The days on which a device belongs into reach."""
    if not reach.limited:
        return Days([(BEGINNING, None)])
    spans = select(Assignment.from_day, Assignment.to_day).join(Cohort)
    rows = session.execute(spans.where(Assignment.device_id == device_id, within(reach)))
    return Days([(from_day, to_day) for from_day, to_day in rows])
