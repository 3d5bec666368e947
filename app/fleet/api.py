"""REST: the register. Passwords are never part of it."""

from datetime import date
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel

from app.accounts.guard import Allowed, ReachDep
from app.accounts.permissions import Permission
from app.fleet.changes import Stored
from app.fleet.drift import differences
from app.fleet.observed_items import DriftItem, ObservedItem
from app.fleet.observed_queries import read_observed
from app.fleet.queries import (
    AssignmentRecord,
    Selection,
    count_devices,
    read_assignments,
    read_device,
    read_devices,
)
from app.fleet.tables import BEGINNING, DeviceKind, Observed, ProbeChoice
from app.web.problems import problem_responses
from app.web.requests import STORABLE, DatabaseDep, SettingsDep

router = APIRouter(tags=["devices"], dependencies=[Depends(Allowed(Permission.READ_REGISTER))])

Code = Annotated[str | None, Query(max_length=64, pattern=STORABLE)]


class DeviceItem(BaseModel):
    """A device, the groups of its newest assignment, and what it says otherwise of itself."""

    code: str
    name: str
    kind: DeviceKind
    project: str | None
    station: str | None
    room: str | None
    contractor: str | None
    power_district: str | None
    address: str | None
    port: int | None
    probe: ProbeChoice
    tls: bool
    critical: bool
    vendor: str | None
    model: str | None
    serial: str | None
    firmware: str | None
    mac: str | None
    longitude: float | None
    latitude: float | None
    install_address: str | None
    position_class: int | None
    resolution: str | None
    commissioned_on: date | None
    decommissioned_on: date | None
    lease_ends_on: date | None
    username: str | None
    has_password: bool
    registered_on: date
    drift: list[DriftItem]


class DevicePage(BaseModel):
    """One page of the selected devices, by code; `total` counts them all."""

    total: int
    page: int
    page_size: int
    items: list[DeviceItem]


class AssignmentItem(BaseModel):
    """Where a device belongs from the start of `from_day` (null: always) to that of `to_day`."""

    from_day: date | None
    to_day: date | None
    kind: DeviceKind
    station: str | None
    room: str | None
    project: str | None
    contractor: str | None
    power_district: str | None


class DeviceDetail(DeviceItem):
    """A device, all its assignments (the oldest first), and what was observed of it."""

    assignments: list[AssignmentItem]
    observed: ObservedItem | None


@router.get("/devices", responses=problem_responses(404, 422))
def list_devices(
    database: DatabaseDep,
    reach: ReachDep,
    settings: SettingsDep,
    station: Code = None,
    room: Code = None,
    project: Code = None,
    contractor: Code = None,
    kind: DeviceKind | None = None,
    probe: ProbeChoice | None = None,
    q: Annotated[
        str | None,
        Query(max_length=128, pattern=STORABLE, description="Part of code, name or address"),
    ] = None,
    drift: Annotated[
        bool | None,
        Query(description="Those that say otherwise of themselves (true), or do not (false)"),
    ] = None,
    page: Annotated[int, Query(ge=1, le=1_000_000)] = 1,
    page_size: Annotated[int, Query(ge=1, le=500)] = 100,
) -> DevicePage:
    """Devices by code, selected by their present groups, kind, probe, by text and by drift."""
    selection = Selection(station, room, project, contractor, kind, probe, q, reach, drift)
    with database.read() as session:
        total = count_devices(session, selection)
        found = list(read_devices(session, selection, (page - 1) * page_size, page_size))
        observed = read_observed(session, [stored.id for stored in found])
    items = [
        DeviceItem(**_item(stored, observed.get(stored.id), settings.zone)) for stored in found
    ]
    return DevicePage(total=total, page=page, page_size=page_size, items=items)


@router.get("/devices/{code:path}", responses=problem_responses(404, 422))
def show_device(
    database: DatabaseDep,
    reach: ReachDep,
    settings: SettingsDep,
    code: Annotated[str, Path(max_length=64, pattern=STORABLE)],
) -> DeviceDetail:
    """One device with all its assignments and what was observed of it."""
    with database.read() as session:
        stored = read_device(session, code, reach)
        assignments = [_assignment(each) for each in read_assignments(session, stored.id)]
        observed = read_observed(session, [stored.id]).get(stored.id)
    return DeviceDetail(
        **_item(stored, observed, settings.zone),
        assignments=assignments,
        observed=observed and ObservedItem.of(observed, settings.zone),
    )


def _item(stored: Stored, observed: Observed | None, zone: ZoneInfo) -> dict[str, Any]:
    return {
        **stored.record.as_dict(),
        "has_password": stored.password_encrypted is not None,
        "registered_on": stored.registered_on,
        "drift": [DriftItem.of(each, zone) for each in differences(stored.record, observed)],
    }


def _assignment(each: AssignmentRecord) -> AssignmentItem:
    return AssignmentItem(
        from_day=None if each.from_day == BEGINNING else each.from_day,
        to_day=each.to_day,
        power_district=each.power_district,
        **each.cohort._asdict(),
    )
