"""All reading of the register. Its writing is in `write_queries.py`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.orm import Session

from app.accounts.reach import EVERYTHING, Reach
from app.errors import NotFound
from app.fleet.changes import Stored
from app.fleet.observed_queries import DRIFTED
from app.fleet.record import RECORD_FIELDS, CohortKey, Record
from app.fleet.roster import within
from app.fleet.tables import (
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

T = TypeVar("T")

CHUNK = 1_000
"""How many codes or keys one statement names."""

Group = type[Station] | type[Room] | type[Project] | type[Contractor]

GROUPS: dict[str, tuple[Group, Any]] = {
    "station": (Station, Cohort.station_id),
    "room": (Room, Cohort.room_id),
    "project": (Project, Cohort.project_id),
    "contractor": (Contractor, Cohort.contractor_id),
}
"""Name of a group → its table and the column of `Cohort` that points there."""

_GROUP_CODES: dict[str, Any] = {name: table.code for name, (table, _) in GROUPS.items()}
_ELSEWHERE: dict[str, Any] = {**_GROUP_CODES, "power_district": Assignment.power_district}
_KEYS = (Device.id, Device.registered_on, Device.password_encrypted)


@dataclass(frozen=True, slots=True)
class Selection:
    """Which devices within reach: by codes of their groups, kind, probe, by text; None: all.

    `drift`: those that differ from what was observed of them, or those that do not.
    `among`: a query of ids, only those.
    """

    station: str | None = None
    room: str | None = None
    project: str | None = None
    contractor: str | None = None
    kind: DeviceKind | None = None
    probe: ProbeChoice | None = None
    text: str | None = None
    reach: Reach = EVERYTHING
    drift: bool | None = None
    among: Select[int] | None = None


@dataclass(frozen=True, slots=True)
class AssignmentRecord:
    """Where a device belongs from the start of `from_day` to the start of `to_day`."""

    from_day: date
    to_day: date | None
    cohort: CohortKey
    power_district: str | None


def count_devices(session: Session, selection: Selection) -> int:
    """How many devices are selected. Raises `NotFound` for an unknown group."""
    require_groups(session, selection)
    counted = _joined(select(func.count()).select_from(Device)).where(*_conditions(selection))
    return int(session.scalars(counted).one())


def read_devices(
    session: Session, selection: Selection, offset: int = 0, limit: int | None = None
) -> Iterator[Stored]:
    """The selected devices by code. Raises `NotFound` for an unknown group."""
    require_groups(session, selection)
    query = _stored().where(*_conditions(selection)).order_by(Device.code)
    rows = session.execute(query.offset(offset).limit(limit).execution_options(yield_per=CHUNK))
    return (_read(row) for row in rows)


def read_device(session: Session, code: str, reach: Reach = EVERYTHING) -> Stored:
    """One device. Raises `NotFound`, for one out of reach too."""
    row = session.execute(_stored().where(Device.code == code, within(reach))).one_or_none()
    if row is None:
        raise NotFound("device", code)
    return _read(row)


def read_assignments(session: Session, device_id: int) -> list[AssignmentRecord]:
    """All assignments of a device, the oldest first."""
    columns = [Cohort.kind, *(_GROUP_CODES[name] for name in CohortKey._fields[1:])]
    query = (
        _join_groups(
            select(Assignment.from_day, Assignment.to_day, Assignment.power_district, *columns)
            .select_from(Assignment)
            .join(Cohort, Cohort.id == Assignment.cohort_id)
        )
        .where(Assignment.device_id == device_id)
        .order_by(Assignment.from_day)
    )
    return [
        AssignmentRecord(from_day, to_day, CohortKey(*key), district)
        for from_day, to_day, district, *key in session.execute(query)
    ]


def devices_by_code(session: Session, codes: Sequence[str]) -> dict[str, Stored]:
    """Those of the devices that the register holds.

    The assignments are fetched by their key and not joined: joined, PostgreSQL may hold every
    device against a thousand codes, each time.
    """
    cohorts = {cohort_id: key for key, cohort_id in cohort_ids(session).items()}
    own = [name for name in RECORD_FIELDS if name not in _ELSEWHERE]
    columns = (*_KEYS, *(getattr(Device, name) for name in own))
    found = {}
    for part in chunks(codes):
        devices = session.execute(select(*columns).where(Device.code.in_(part))).all()
        places = _newest_places(session, [row[0] for row in devices])
        for row in devices:
            cohort_id, district, since = places[row[0]]
            values = dict(zip(own, row[len(_KEYS) :], strict=True))
            values.update(cohorts[cohort_id]._asdict(), power_district=district)
            record = Record(**values)
            found[record.code] = Stored(row[0], row[1], record, row[2], since)
    return found


def _newest_places(
    session: Session, device_ids: Sequence[int]
) -> dict[int, tuple[int, str | None, date]]:
    """Device id → cohort id, power district and first day of its newest assignment."""
    where = (Assignment.cohort_id, Assignment.power_district, Assignment.from_day)
    chosen = (Assignment.device_id.in_(device_ids), Assignment.to_day.is_(None))
    rows = session.execute(select(Assignment.device_id, *where).where(*chosen))
    return {
        device_id: (cohort_id, district, since) for device_id, cohort_id, district, since in rows
    }


def device_ids(session: Session, codes: Sequence[str]) -> dict[str, int]:
    """Code → id of those of the devices that the register holds."""
    found = {}
    for part in chunks(codes):
        rows = session.execute(select(Device.code, Device.id).where(Device.code.in_(part)))
        found.update(dict(rows.all()))
    return found


def stored_passwords(session: Session) -> dict[int, bytes]:
    """Device id → password as it is stored, of those that have one."""
    query = select(Device.id, Device.password_encrypted)
    rows = session.execute(query.where(Device.password_encrypted.is_not(None)))
    return {device_id: stored for device_id, stored in rows if stored}


def group_ids(session: Session, group: Group) -> dict[str, int]:
    """Code → id of all stations, rooms, projects or contractors."""
    return dict(session.execute(select(group.code, group.id)).all())


def cohort_ids(session: Session) -> dict[CohortKey, int]:
    """The five of a cohort → its id, for all cohorts."""
    columns = [_GROUP_CODES[name] for name in CohortKey._fields[1:]]
    query = _join_groups(select(Cohort.id, Cohort.kind, *columns).select_from(Cohort))
    return {CohortKey(*key): cohort_id for cohort_id, *key in session.execute(query)}


def chunks(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """The items in parts that one statement can name."""
    return (items[start : start + CHUNK] for start in range(0, len(items), CHUNK))


def _stored() -> Select[Any]:
    columns = [
        _ELSEWHERE[name] if name in _ELSEWHERE else getattr(Device, name) for name in RECORD_FIELDS
    ]
    return _joined(select(*_KEYS, Assignment.from_day, *columns).select_from(Device))


def _joined(query: Select[Any]) -> Select[Any]:
    """With the newest assignment of each device, its cohort and groups."""
    newest = and_(Assignment.device_id == Device.id, Assignment.to_day.is_(None))
    return _join_groups(query.join(Assignment, newest).join(Cohort))


def _join_groups(query: Select[Any]) -> Select[Any]:
    for table, pointer in GROUPS.values():
        query = query.outerjoin(table, table.id == pointer)
    return query


def _read(row: Sequence[Any]) -> Stored:
    return Stored(row[0], row[1], Record(*row[4:]), row[2], row[3])


def require_groups(session: Session, selection: Selection) -> None:
    """Raises `NotFound` for a group that does not exist, or of which nothing is within reach."""
    for name, (table, pointer) in GROUPS.items():
        code = getattr(selection, name)
        if code is None:
            continue
        found = select(table.id).where(table.code == code)
        if selection.reach.limited:
            found = found.join(Cohort, pointer == table.id).where(within(selection.reach))
        if session.scalars(found).first() is None:
            raise NotFound(name, code)


def _conditions(selection: Selection) -> list[Any]:
    conditions: list[Any] = [
        table.code == getattr(selection, name)
        for name, (table, _) in GROUPS.items()
        if getattr(selection, name) is not None
    ]
    conditions.append(within(selection.reach))
    if selection.kind is not None:
        conditions.append(Device.kind == selection.kind)
    if selection.probe is not None:
        conditions.append(Device.probe == selection.probe)
    if selection.drift is not None:
        conditions.append(DRIFTED if selection.drift else ~DRIFTED)
    if selection.among is not None:
        conditions.append(Device.id.in_(selection.among))
    if selection.text:
        searched = (Device.code, Device.name, Device.address)
        found = (column.icontains(selection.text, autoescape=True) for column in searched)
        conditions.append(or_(*found))
    return conditions


def registered_addresses(session: Session) -> set[str]:
    """The address of every device that has one, those out of service included."""
    found = session.scalars(select(Device.address).where(Device.address.is_not(None)).distinct())
    return {address for address in found if address}
