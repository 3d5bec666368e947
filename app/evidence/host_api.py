"""REST: when collectors ran, what happened to their host, and the history of a camera's clock."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from app.accounts.guard import Allowed, ReachDep
from app.accounts.permissions import Permission
from app.config import Settings
from app.errors import NotFound
from app.evidence import host_queries
from app.evidence.api import period
from app.evidence.tables import CollectorRun, HostEvent
from app.fleet.roster import days_within, device_id_of
from app.web.problems import problem_responses
from app.web.requests import STORABLE, DatabaseDep, SettingsDep
from kpi.calendar import local_day

LONGEST_CLOCK_SPAN_S = 366 * 86_400 + 3_600
Limit = Annotated[int, Query(ge=1, le=1440)]

router = APIRouter(tags=["evidence"])


class CollectorItem(BaseModel):
    """One run of a collector; `stopped_at` is null while it runs, and where it was killed."""

    started_at: datetime
    heartbeat_at: datetime
    stopped_at: datetime | None
    host: str
    pid: int
    version: str


class CollectorList(BaseModel):
    """The newest runs first."""

    timezone: str
    collectors: list[CollectorItem]


class HostEventItem(BaseModel):
    """Something of ours that kept us from measuring, or put what was measured in doubt.

    `until` null: it lasts. `seconds`: how far the clock jumped or seems to be off (ahead is
    positive), else how long it had lasted when it was recorded.
    """

    kind: str
    at: datetime
    until: datetime | None
    seconds: float
    detail: str


class HostEventList(BaseModel):
    """The newest events first."""

    timezone: str
    events: list[HostEventItem]


class ClockItem(BaseModel):
    """From `at` on the device's clock was off by `offset_s` seconds; ahead is positive."""

    at: datetime
    offset_s: int


class ClockHistory(BaseModel):
    """A device's clock in `[from, to)`, a row where it moved.

    The first row may lie before `from`: it is the one that was in force then.
    """

    model_config = ConfigDict(serialize_by_alias=True, validate_by_name=True)

    device: str
    start: datetime = Field(alias="from")
    end: datetime = Field(alias="to")
    timezone: str
    tolerance_s: float
    offsets: list[ClockItem]


@router.get("/collectors", dependencies=[Depends(Allowed(Permission.READ_SWEEPS))])
def list_collectors(
    database: DatabaseDep, settings: SettingsDep, limit: Limit = 60
) -> CollectorList:
    """When collectors were alive: that is evidence too."""
    with database.read() as session:
        found = host_queries.collector_runs(session, limit)
    return CollectorList(
        timezone=settings.timezone, collectors=[_collector_item(settings, run) for run in found]
    )


@router.get("/host-events", dependencies=[Depends(Allowed(Permission.READ_SWEEPS))])
def list_host_events(
    database: DatabaseDep, settings: SettingsDep, limit: Limit = 60
) -> HostEventList:
    """Our own outages: pauses, cut-off networks, clocks that jumped or are in doubt."""
    with database.read() as session:
        found = host_queries.host_events(session, limit)
    return HostEventList(
        timezone=settings.timezone, events=[_event_item(settings, event) for event in found]
    )


@router.get(
    "/devices/{code:path}/clock",
    responses=problem_responses(404, 422),
    dependencies=[Depends(Allowed(Permission.READ_SAMPLES))],
)
def show_clock(
    database: DatabaseDep,
    settings: SettingsDep,
    reach: ReachDep,
    code: Annotated[str, Path(max_length=64, pattern=STORABLE)],
    start: Annotated[datetime, Query(alias="from", description="Without offset: local time")],
    end: Annotated[datetime, Query(alias="to", description="Without offset: local time")],
) -> ClockHistory:
    """How far a device's clock was off, over at most 366 days; as long as it was within reach."""
    first, last = period(settings, start, end, LONGEST_CLOCK_SPAN_S)
    with database.read() as session:
        device_id = device_id_of(session, code, reach)
        if device_id is None:
            raise NotFound("device", code)
        rows = host_queries.offsets_between(session, device_id, first, last)
        theirs = days_within(session, device_id, reach)
    offsets = [
        ClockItem(at=_local(settings, row.at), offset_s=row.offset_s)
        for row in rows
        if theirs.hold(local_day(row.at, settings.zone))
    ]
    return ClockHistory(
        device=code,
        start=_local(settings, first),
        end=_local(settings, last),
        timezone=settings.timezone,
        tolerance_s=settings.clock_tolerance,
        offsets=offsets,
    )


def _collector_item(settings: Settings, run: CollectorRun) -> CollectorItem:
    return CollectorItem(
        started_at=_local(settings, run.started_at),
        heartbeat_at=_local(settings, run.heartbeat_at),
        stopped_at=None if run.stopped_at is None else _local(settings, run.stopped_at),
        host=run.host,
        pid=run.pid,
        version=run.version,
    )


def _event_item(settings: Settings, event: HostEvent) -> HostEventItem:
    return HostEventItem(
        kind=event.kind,
        at=_local(settings, event.at),
        until=None if event.until is None else _local(settings, event.until),
        seconds=event.seconds,
        detail=event.detail,
    )


def _local(settings: Settings, at: int) -> datetime:
    return datetime.fromtimestamp(at, settings.zone)
