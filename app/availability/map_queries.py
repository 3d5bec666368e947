"""All SQL of the map: devices that have coordinates, by cell of a grid, by cohort, one by one.

A cell is a square of degrees; its edges do not move with the window, so that panning does not
shuffle the clusters. The answer is bounded by the cells of a window, whatever the fleet's size.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, ColumnElement, Subquery, and_, case, cast, func, literal, select
from sqlalchemy.orm import Session

from app.availability.devices_listed import is_placed, is_suspended
from app.evidence.tables import DeviceState
from app.fleet.roster import in_service_on
from app.fleet.tables import Assignment, Device
from kpi.policy import DEFAULT_POLICY
from kpi.status import SlotClass, Status

MICRODEGREES = 1_000_000


@dataclass(frozen=True, slots=True)
class Bounds:
    """A window, in degrees; it does not cross the date line."""

    west: float
    south: float
    east: float
    north: float

    def __str__(self) -> str:
        """As an address says it."""
        return f"{self.west:.6f},{self.south:.6f},{self.east:.6f},{self.north:.6f}"


@dataclass(frozen=True, slots=True)
class Question:
    """Which devices: of these cohorts on `day`, as they were `at` (UTC seconds).

    `stale`: nothing is known of now but suspensions. `state`: only those in this class.
    """

    cohort_ids: Collection[int]
    day: date
    at: int
    stale: bool
    state: SlotClass | None = None


class CellRow(NamedTuple):
    """The devices of one class in a cell; the sums of their degrees, and any one of them."""

    column: int
    row: int
    slot_class: int
    devices: int
    longitudes: float
    latitudes: float
    west: float
    south: float
    east: float
    north: float
    code: str
    name: str


class DeviceSpot(NamedTuple):
    """One device; degrees."""

    code: str
    name: str
    longitude: float
    latitude: float
    slot_class: int


def extent(session: Session, question: Question) -> Bounds | None:
    """The window of all that have coordinates; None where none has."""
    found = _devices(question)
    x, y = found.c.longitude, found.c.latitude
    edges = session.execute(
        select(func.min(x), func.min(y), func.max(x), func.max(y)).where(found.c.is_placed)
    ).one()
    return None if edges[0] is None else Bounds(*edges)


def counts_of_places(
    session: Session, question: Question, window: Bounds | None
) -> Mapping[tuple[int, SlotClass, bool], int]:
    """(cohort id, class, whether in the window) → devices that have coordinates."""
    found = _devices(question)
    inside = literal(value=False) if window is None else _in(found, window)
    seen = case((inside, 1), else_=0).label("seen")
    columns = (found.c.cohort_id, found.c.slot_class)
    counted = select(*columns, seen, func.count()).where(found.c.is_placed)
    rows = session.execute(counted.group_by(*columns, "seen"))
    return {(cohort, SlotClass(kind), bool(is_in)): count for cohort, kind, is_in, count in rows}


def count_unplaced(session: Session, question: Question) -> int:
    """How many have no coordinates."""
    found = _devices(question)
    counted = select(func.count()).select_from(found).where(~found.c.is_placed)
    return session.scalar(counted) or 0


def cells(session: Session, question: Question, window: Bounds, step: int) -> list[CellRow]:
    """What lies in the window, by cell of `step` millionths of a degree and by class."""
    found = _devices(question)
    x, y = found.c.longitude, found.c.latitude
    column, row = _cell(x, 180, step), _cell(y, 90, step)
    columns = (column.label("x"), row.label("y"), found.c.slot_class)
    measures = (
        func.count(),
        func.sum(x),
        func.sum(y),
        func.min(x),
        func.min(y),
        func.max(x),
        func.max(y),
        func.min(found.c.code),
        func.min(found.c.name),
    )
    query = select(*columns, *measures).where(_in(found, window)).group_by("x", "y", columns[2])
    return [CellRow(*each) for each in session.execute(query)]


def devices_in(session: Session, question: Question, window: Bounds, most: int) -> list[DeviceSpot]:
    """The devices of the window by code, at most so many."""
    found = _devices(question)
    columns = (found.c.code, found.c.name, found.c.longitude, found.c.latitude, found.c.slot_class)
    query = select(*columns).where(_in(found, window)).order_by(found.c.code).limit(most)
    return [DeviceSpot(*each) for each in session.execute(query)]


def _devices(question: Question) -> Subquery:
    state = _class_now(question)
    query = (
        select(
            Device.code,
            Device.name,
            Device.longitude,
            Device.latitude,
            is_placed().label("is_placed"),
            Assignment.cohort_id,
            state.label("slot_class"),
        )
        .join(Assignment, Assignment.device_id == Device.id)
        .outerjoin(DeviceState, DeviceState.device_id == Device.id)
        .where(in_service_on(question.day), Assignment.cohort_id.in_(question.cohort_ids))
    )
    if question.state is not None:
        query = query.where(state == int(question.state))
    return query.subquery()


def _class_now(question: Question) -> ColumnElement[int]:
    table = DEFAULT_POLICY.class_table()
    known = (
        []
        if question.stale
        else [(DeviceState.status == status, int(table[status])) for status in Status]
    )
    suspended: Any = (is_suspended(question.at), int(SlotClass.SUSPENDED))
    return case(suspended, *known, else_=int(SlotClass.UNKNOWN))


def _in(found: Subquery, window: Bounds) -> ColumnElement[bool]:
    return and_(
        found.c.longitude.between(window.west, window.east),
        found.c.latitude.between(window.south, window.north),
    )


def _cell(degrees: ColumnElement[float], lowest: int, step: int) -> ColumnElement[int]:
    """The place in a row of cells, from 0; in whole numbers, which both databases divide alike."""
    whole = cast((degrees + lowest) * MICRODEGREES, BigInteger)
    return whole.op("/")(literal(step, BigInteger))
