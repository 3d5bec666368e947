"""REST: faults with their statuses, and the incidents that several of them share."""

from datetime import datetime
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, Field

from app.accounts.guard import Allowed, ReachDep
from app.accounts.permissions import Permission
from app.availability.selection import Filters, select_devices
from app.errors import NotFound
from app.fleet.roster import Grouping
from app.fleet.tables import DeviceKind
from app.operations.faults import list_queries as queries
from app.operations.faults.list_queries import FaultRow, FaultsAsked, IncidentRow
from app.web.listing import Listing
from app.web.problems import problem_responses
from app.web.requests import STORABLE, DatabaseDep, SettingsDep
from kpi.faults import EndReason
from kpi.incidents import Scope
from kpi.status import Status

router = APIRouter(tags=["faults"], dependencies=[Depends(Allowed(Permission.READ_SAMPLES))])

MOST_STEPS = 1_000
State = Literal["open", "closed", "all"]
Code = Annotated[str | None, Query(max_length=64, pattern=STORABLE)]
RowId = Annotated[int, Path(ge=1, le=2**31 - 1)]
Page = Annotated[int, Query(ge=1, le=1_000_000)]
PageSize = Annotated[int, Query(ge=1, le=500)]


class FaultItem(BaseModel):
    """A device failed from `onset` until before `ended_at` (null: it lasts).

    It was known from `opened_at` on, and known to be over from `closed_at` on.
    """

    id: int
    device: str
    name: str
    onset: datetime
    opened_at: datetime
    ended_at: datetime | None
    closed_at: datetime | None
    reason: EndReason | None = Field(description="How it ended")
    status: str = Field(description="The last failing status")
    worst_status: str
    incident: int | None = Field(description="The incident that it came under")
    own_since: datetime | None = Field(description="It outlasted its incident from then on")


class StepItem(BaseModel):
    """From `at` on the device had this status, good ones too."""

    at: datetime
    status: str


class FaultDetails(FaultItem):
    steps: list[StepItem] = Field(description=f"The newest {MOST_STEPS:,} of them, in order")


class FaultPage(BaseModel):
    """One page of the selected faults, the newest first; `total` counts them all."""

    total: int
    page: int
    page_size: int
    items: list[FaultItem]


class IncidentItem(BaseModel):
    """Four fifths of a room, power district or contractor's cameras failed at once.

    Of the `devices` that could fail then, `failed` came under it and `failing` fail still.
    """

    id: int
    scope: Scope
    code: str
    name: str
    onset: datetime
    opened_at: datetime
    ended_at: datetime | None
    closed_at: datetime | None
    devices: int
    failed: int
    failing: int


class IncidentPage(BaseModel):
    """One page of incidents: those that last first, then the newest; `total` counts them all."""

    total: int
    page: int
    page_size: int
    items: list[IncidentItem]


class IncidentDetails(IncidentItem):
    faults: list[FaultItem] = Field(description="Those under it that are within reach")


@router.get("/faults", responses=problem_responses(404, 422))
def list_faults(
    database: DatabaseDep,
    settings: SettingsDep,
    reach: ReachDep,
    state: State = "all",
    kind: DeviceKind = DeviceKind.CAMERA,
    station: Code = None,
    room: Code = None,
    project: Code = None,
    contractor: Code = None,
    device: Code = None,
    page: Page = 1,
    page_size: PageSize = 100,
) -> FaultPage:
    """Faults, the newest first. A fault belongs to the groups of its device on its first day."""
    filters = Filters(kind, station, room, project, contractor, device, reach)
    newest = Listing((), "onset", descending=True, page=page, text="", rows=page_size)
    with database.read() as session:
        selection = select_devices(session, Grouping.FLEET, filters)
        asked = FaultsAsked(selection.cohorts.keys(), state, device_id=selection.device_id)
        total = queries.count_faults(session, asked)
        items = [
            fault_item(each, settings.zone) for each in queries.read_faults(session, asked, newest)
        ]
    return FaultPage(total=total, page=page, page_size=page_size, items=items)


@router.get("/faults/{fault_id}", responses=problem_responses(404))
def show_fault(
    database: DatabaseDep, settings: SettingsDep, reach: ReachDep, fault_id: RowId
) -> FaultDetails:
    """One fault with every status on its way."""
    with database.read() as session:
        fault = queries.read_fault(session, fault_id, reach)
        if fault is None:
            raise NotFound("fault", str(fault_id))
        steps = queries.read_steps(session, fault_id, MOST_STEPS)
    told = [StepItem(at=_local(at, settings.zone), status=Status(code).name) for at, code in steps]
    return FaultDetails(**fault_item(fault, settings.zone).model_dump(), steps=told)


@router.get("/incidents", responses=problem_responses(422))
def list_incidents(
    database: DatabaseDep,
    settings: SettingsDep,
    reach: ReachDep,
    state: State = "all",
    page: Page = 1,
    page_size: PageSize = 100,
) -> IncidentPage:
    """Incidents of which something is within reach."""
    with database.read() as session:
        total = queries.count_incidents(session, state, reach)
        skip = (page - 1) * page_size
        found = queries.read_incidents(session, state, reach, skip, page_size)
    items = [_incident(each, settings.zone) for each in found]
    return IncidentPage(total=total, page=page, page_size=page_size, items=items)


@router.get("/incidents/{incident_id}", responses=problem_responses(404))
def show_incident(
    database: DatabaseDep, settings: SettingsDep, reach: ReachDep, incident_id: RowId
) -> IncidentDetails:
    """One incident with the faults under it, each with its own recovery."""
    with database.read() as session:
        incident = queries.read_incident(session, incident_id, reach)
        if incident is None:
            raise NotFound("incident", str(incident_id))
        filters = Filters(reach=reach)
        cameras = select_devices(session, Grouping.FLEET, filters).cohorts.keys()
        asked = FaultsAsked(cameras, incident_id=incident_id)
        faults = [fault_item(each, settings.zone) for each in queries.read_faults(session, asked)]
    return IncidentDetails(**_incident(incident, settings.zone).model_dump(), faults=faults)


def fault_item(row: FaultRow, zone: ZoneInfo) -> FaultItem:
    return FaultItem(
        id=row.id,
        device=row.code,
        name=row.name,
        onset=_local(row.onset, zone),
        opened_at=_local(row.opened_at, zone),
        ended_at=_local_or_none(row.ended_at, zone),
        closed_at=_local_or_none(row.closed_at, zone),
        reason=None if row.reason is None else EndReason(row.reason),
        status=Status(row.status).name,
        worst_status=Status(row.worst_status).name,
        incident=row.incident_id,
        own_since=_local_or_none(row.own_since, zone),
    )


def _incident(row: IncidentRow, zone: ZoneInfo) -> IncidentItem:
    return IncidentItem(
        id=row.id,
        scope=row.scope,
        code=row.code,
        name=row.name,
        onset=_local(row.onset, zone),
        opened_at=_local(row.opened_at, zone),
        ended_at=_local_or_none(row.ended_at, zone),
        closed_at=_local_or_none(row.closed_at, zone),
        devices=row.devices,
        failed=row.failed,
        failing=row.failing,
    )


def _local(instant: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(instant, zone)


def _local_or_none(instant: int | None, zone: ZoneInfo) -> datetime | None:
    return None if instant is None else _local(instant, zone)
