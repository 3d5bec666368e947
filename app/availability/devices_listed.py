"""All SQL of a list of devices with their present state: a page of rows and their number."""

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, or_, select
from sqlalchemy.orm import Session

from app.accounts.reach import EVERYTHING, Reach
from app.availability.queries import belongs_on
from app.evidence.queries import STORED_AMOUNTS
from app.evidence.tables import DeviceState, Ledger, Suspension
from app.fleet.roster import in_service_on, within
from app.fleet.tables import Assignment, Cohort, Device
from app.web.listing import Listing
from kpi.policy import DEFAULT_POLICY
from kpi.rates import Amounts
from kpi.status import SlotClass, Status

Rows = Select[*tuple[Any, ...]]


class DeviceRow(NamedTuple):
    """A device in service; `status` and `since` (UTC seconds) are None where nothing is known."""

    id: int
    code: str
    name: str
    address: str | None
    status: int | None
    since: int | None
    is_suspended: bool


def is_suspended(at: int) -> ColumnElement[bool]:
    """A suspension of the device holds at this instant (to be used where `Device` is joined)."""
    return exists().where(
        Suspension.device_id == Device.id,
        Suspension.start <= at,
        or_(Suspension.end.is_(None), Suspension.end > at),
    )


def is_placed() -> ColumnElement[bool]:
    """The device has coordinates."""
    return and_(Device.longitude.is_not(None), Device.latitude.is_not(None))


def devices_listed(
    session: Session,
    cohort_ids: Collection[int],
    day: date,
    at: int,
    wanted: Listing,
    *,
    unplaced: bool = False,
) -> tuple[list[DeviceRow], Listing]:
    """The rows that the list shows, and the list with the number of all.

    `day` says who belongs to the cohorts, `at` (UTC seconds) which suspensions hold. `unplaced`:
    only those without coordinates.
    """
    suspended = is_suspended(at)
    chosen = (
        select(Device.id)
        .join(Assignment, Assignment.device_id == Device.id)
        .where(in_service_on(day), Assignment.cohort_id.in_(cohort_ids))
    )
    if unplaced:
        chosen = chosen.where(~is_placed())
    if wanted.text:
        searched = (Device.code, Device.name, Device.address)
        found = (column.icontains(wanted.text, autoescape=True) for column in searched)
        chosen = chosen.where(or_(*found))
    wanted = wanted.of(session.scalar(select(func.count()).select_from(chosen.subquery())) or 0)
    state = (DeviceState.status, DeviceState.since)
    query: Rows = (
        select(Device.id, Device.code, Device.name, Device.address, *state, suspended)
        .outerjoin(DeviceState, DeviceState.device_id == Device.id)
        .where(Device.id.in_(chosen))
    )
    rows = session.execute(
        _in_order(query, wanted, suspended).offset(wanted.skip).limit(wanted.rows)
    )
    return [DeviceRow(*row) for row in rows], wanted


def _in_order(query: Rows, wanted: Listing, suspended: Any) -> Rows:
    columns: Mapping[str, Any] = {
        "code": Device.code,
        "name": Device.name,
        "state": case((suspended, len(SEVERITY)), else_=_SEVERITY_OF_STATUS),
        "since": DeviceState.since,
    }
    column = columns[wanted.sort]
    ordered = column.desc().nulls_last() if wanted.descending else column.asc().nulls_last()
    return query.order_by(ordered, Device.code)


SEVERITY = (SlotClass.OFFLINE, SlotClass.IMPAIRED, SlotClass.UNKNOWN, SlotClass.INTACT)
"""Classes of statuses in the order of a list that is sorted by state; suspended ones follow."""

_TABLE = DEFAULT_POLICY.class_table()
_SEVERITY_OF_STATUS = case(
    *(
        (DeviceState.status == status, SEVERITY.index(SlotClass(_TABLE[status])))
        for status in Status
    ),
    else_=SEVERITY.index(SlotClass.UNKNOWN),
)


def seconds_of_devices(
    session: Session,
    device_ids: Collection[int],
    first: date,
    last: date,
    reach: Reach = EVERYTHING,
) -> dict[int, Amounts]:
    """Device id → seconds over the days `first` to `last` on which it was within reach.

    Meant for the rows of one page.
    """
    sums = (func.sum(getattr(Ledger, name)) for name in STORED_AMOUNTS)
    query = (
        select(Ledger.device_id, *sums)
        .where(Ledger.day.between(first, last), Ledger.device_id.in_(device_ids))
        .group_by(Ledger.device_id)
    )
    if reach.limited:
        belongs = belongs_on(Ledger.device_id, Ledger.day)
        query = query.join(Assignment, belongs).join(Cohort).where(within(reach))
    rows = session.execute(query)
    return {row[0]: Amounts(*(int(value) for value in row[1:])) for row in rows}
