"""All SQL of a list of devices with their present state: a page of rows and their number."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    case,
    exists,
    false,
    func,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.orm import Session, aliased

from app.accounts.reach import EVERYTHING, Reach
from app.availability.queries import belongs_on
from app.evidence.queries import STORED_AMOUNTS
from app.evidence.tables import DeviceState, Ledger, LedgerCohort, Suspension
from app.fleet.roster import in_service_on, within
from app.fleet.tables import Assignment, Cohort, Device
from app.web.listing import Listing
from kpi.policy import DEFAULT_POLICY
from kpi.rates import Amounts
from kpi.status import SlotClass, Status

Rows = Select[*tuple[Any, ...]]
Ids = Select[int]


class Service(StrEnum):
    """Which devices a list holds: those in service on its day, the others, or both."""

    IN = "in"
    OUT = "out"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which devices a list is about.

    `day` says who belongs to the cohorts, `at` (UTC seconds) which suspensions hold; who is not in
    service on that day belongs where its newest assignment says. `state`: those in service alone
    whose class this is; `stale`: the last sweep says nothing of now, whatever it saw is unknown;
    `unplaced`: only those without coordinates.
    """

    cohort_ids: Collection[int]
    day: date
    at: int
    text: str = ""
    service: Service = Service.IN
    state: SlotClass | None = None
    stale: bool = False
    unplaced: bool = False


class DeviceRow(NamedTuple):
    """A device; `status` and `since` (UTC seconds) are None where nothing is known."""

    id: int
    code: str
    name: str
    address: str | None
    status: int | None
    since: int | None
    is_suspended: bool
    in_service: bool = True


def devices_listed(
    session: Session, chosen: Chosen, wanted: Listing
) -> tuple[list[DeviceRow], Listing]:
    """The rows that the list shows, and the list with the number of all."""
    wanted = wanted.of(_count(session, chosen))
    ids: list[int] = []
    skip = wanted.skip
    for part in _parts(chosen, wanted):
        missing = wanted.rows - len(ids)
        found = session.scalars(part.offset(skip).limit(missing)).all()
        ids += found
        if len(ids) == wanted.rows:
            break
        skip = 0 if found else max(0, skip - _number(session, part))
    return _rows(session, chosen, ids), wanted


def chosen_ids(chosen: Chosen) -> Ids:
    """The ids of these devices, as a query."""
    which = {Service.IN: _in_service, Service.OUT: _not_in_service, Service.ALL: _registered}
    ids = select(Device.id).where(which[chosen.service](chosen))
    if chosen.unplaced:
        ids = ids.where(~is_placed())
    if chosen.text:
        searched = (Device.code, Device.name, Device.address)
        found = (column.icontains(chosen.text, autoescape=True) for column in searched)
        ids = ids.where(or_(*found))
    if chosen.state is not None:
        ids = ids.where(_in_service(chosen), _has_state(chosen, chosen.state))
    return ids


def _rows(session: Session, chosen: Chosen, ids: Sequence[int]) -> list[DeviceRow]:
    """These devices in this order."""
    own = (Device.id, Device.code, Device.name, Device.address)
    state = (DeviceState.status, DeviceState.since)
    query: Rows = (
        select(*own, *state, is_suspended(chosen.at), _in_service(chosen))
        .outerjoin(DeviceState, DeviceState.device_id == Device.id)
        .where(Device.id.in_(ids))
    )
    found = {row[0]: DeviceRow(*row) for row in session.execute(query)}
    return [found[each] for each in ids]


def _parts(chosen: Chosen, wanted: Listing) -> list[Ids]:
    """Queries that follow one another in the list.

    By state there are three, so that no more is sorted than what is not intact: most of a fleet is.
    """
    ids = chosen_ids(chosen)
    if wanted.sort == "state" and chosen.state is not None:
        return [ids.order_by(Device.code)]
    if wanted.sort == "state":
        parts = [
            ids.where(_troubled(chosen)).order_by(_in_direction(_SEVERITY, wanted), Device.code),
            ids.where(_ordinary(chosen)).order_by(Device.code),
            ids.where(is_suspended(chosen.at)).order_by(Device.code),
        ]
        return parts[::-1] if wanted.descending else parts
    columns: Mapping[str, Any] = {
        "code": Device.code,
        "name": Device.name,
        "since": select(DeviceState.since).where(_STATE_OF).scalar_subquery(),
    }
    ordered = _in_direction(columns[wanted.sort], wanted)
    return [ids.order_by(ordered) if wanted.sort == "code" else ids.order_by(ordered, Device.code)]


def _in_direction(column: ColumnElement[Any], wanted: Listing) -> ColumnElement[Any]:
    return column.desc().nulls_last() if wanted.descending else column.asc().nulls_last()


def _count(session: Session, chosen: Chosen) -> int:
    """How many there are. Of those that are as they should be, the others are counted."""
    ordinary = SlotClass.UNKNOWN if chosen.stale else SlotClass.INTACT
    counted = chosen.text or chosen.unplaced or chosen.service is not Service.IN
    if counted or chosen.state not in (None, ordinary):
        return _number(session, chosen_ids(chosen))
    everything = devices_of_ledger(session, chosen.cohort_ids, chosen.day)
    if not everything:  # the day has just begun
        return _number(session, chosen_ids(chosen))
    if chosen.state is None:
        return everything
    others = select(Device.id).where(_in_service(chosen))
    return everything - sum(
        _number(session, others.where(each))
        for each in (_troubled(chosen), is_suspended(chosen.at))
    )


def _number(session: Session, ids: Ids) -> int:
    counted = select(func.count()).select_from(ids.order_by(None).subquery())
    return session.scalar(counted) or 0


def _in_service(chosen: Chosen) -> ColumnElement[bool]:
    belongs = Assignment.device_id == Device.id
    here = Assignment.cohort_id.in_(chosen.cohort_ids)
    return exists().where(belongs, in_service_on(chosen.day), here).correlate(Device)


def _not_in_service(chosen: Chosen) -> ColumnElement[bool]:
    belongs = Assignment.device_id == Device.id
    anywhere = exists().where(belongs, in_service_on(chosen.day)).correlate(Device)
    here = Assignment.cohort_id.in_(chosen.cohort_ids)
    newest = exists().where(belongs, Assignment.to_day.is_(None), here).correlate(Device)
    return and_(~anywhere, newest)


def _registered(chosen: Chosen) -> ColumnElement[bool]:
    return or_(_in_service(chosen), _not_in_service(chosen))


def is_suspended(at: int) -> ColumnElement[bool]:
    """A suspension of the device holds at this instant (to be used where `Device` is joined)."""
    holds = or_(Suspension.end.is_(None), Suspension.end > at)
    return Device.id.in_(select(Suspension.device_id).where(Suspension.start <= at, holds))


def is_placed() -> ColumnElement[bool]:
    """The device has coordinates."""
    return and_(Device.longitude.is_not(None), Device.latitude.is_not(None))


def _has_state(chosen: Chosen, state: SlotClass) -> ColumnElement[bool]:
    if state is SlotClass.SUSPENDED:
        return is_suspended(chosen.at)
    if chosen.stale:
        return _ordinary(chosen) if state is SlotClass.UNKNOWN else false()
    if state is SlotClass.INTACT:
        return _ordinary(chosen)
    return and_(_seen_as(state), ~is_suspended(chosen.at))


def _ordinary(chosen: Chosen) -> ColumnElement[bool]:
    """Neither suspended nor in trouble: found without a sort, for nearly all are."""
    seen = true() if chosen.stale else exists().where(_STATE_OF, _is(SlotClass.INTACT))
    return and_(seen, ~is_suspended(chosen.at))


def _troubled(chosen: Chosen) -> ColumnElement[bool]:
    """Not intact, and not suspended: found from the states, for few are."""
    if chosen.stale:
        return false()
    seen = _seen_as(*(each for each in SEVERITY if each is not SlotClass.INTACT))
    return and_(seen, ~is_suspended(chosen.at))


def _seen_as(*states: SlotClass) -> ColumnElement[bool]:
    seen = select(DeviceState.device_id).where(_is(*states))
    if SlotClass.UNKNOWN not in states:
        return Device.id.in_(seen)
    other = aliased(Device)
    unseen = select(other.id).where(other.id.not_in(select(DeviceState.device_id)))
    return Device.id.in_(union_all(seen, unseen))


def _is(*states: SlotClass) -> ColumnElement[bool]:
    return DeviceState.status.in_([status for status in Status if _TABLE[status] in states])


SEVERITY = (SlotClass.OFFLINE, SlotClass.IMPAIRED, SlotClass.UNKNOWN, SlotClass.INTACT)
"""Classes of statuses in the order of a list that is sorted by state; suspended ones follow."""

_TABLE = DEFAULT_POLICY.class_table()
_STATE_OF = DeviceState.device_id == Device.id
_SEVERITY = func.coalesce(
    select(case(*((_is(each), place) for place, each in enumerate(SEVERITY))))
    .where(_STATE_OF)
    .correlate(Device)
    .scalar_subquery(),
    SEVERITY.index(SlotClass.UNKNOWN),
)
"""Place of a device in `SEVERITY`; nothing is known of one without a state."""


def devices_of_ledger(session: Session, cohort_ids: Collection[int], day: date) -> int:
    """How many devices of these cohorts a day's ledger holds; it has to be up to date."""
    number = select(func.sum(LedgerCohort.devices)).where(
        LedgerCohort.day == day, LedgerCohort.cohort_id.in_(cohort_ids)
    )
    return int(session.scalar(number) or 0)


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
