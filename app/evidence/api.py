"""REST: the sweeps, and a device's samples."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from app.accounts.guard import Allowed, ReachDep
from app.accounts.permissions import Permission
from app.config import Settings
from app.errors import BadParameter, NotFound
from app.evidence import queries
from app.evidence.samples import device_samples
from app.evidence.tables import Sweep
from app.fleet.roster import Days, days_within, device_id_of
from app.web.problems import problem_responses
from app.web.requests import STORABLE, DatabaseDep, SettingsDep
from kpi.calendar import Slots, day_bounds, days_between, local_day
from kpi.policy import DEFAULT_POLICY
from kpi.status import SlotClass, Status

LONGEST_SPAN_S = 31 * 86_400 + 3_600

router = APIRouter(tags=["evidence"])


class SampleItem(BaseModel):
    """One slot: `tick` is its start; slots without a sample are not listed, they are unknown."""

    model_config = ConfigDict(serialize_by_alias=True, validate_by_name=True)

    tick: datetime
    status: int
    name: str
    slot_class: str = Field(alias="class")
    latency_ms: int | None


class SampleList(BaseModel):
    """A device's samples in `[from, to)`."""

    model_config = ConfigDict(serialize_by_alias=True, validate_by_name=True)

    device: str
    start: datetime = Field(alias="from")
    end: datetime = Field(alias="to")
    timezone: str
    samples: list[SampleItem]


class SweepItem(BaseModel):
    """A finished sweep; `unknown` could not be measured."""

    tick: datetime
    interval_s: int
    finished_at: datetime
    devices: int
    stored: int
    unknown: int
    by_status: dict[str, int]
    latency_ms: dict[str, float | None]
    wall_s: float
    cpu_s: float


class SweepList(BaseModel):
    """The newest sweeps first."""

    timezone: str
    sweeps: list[SweepItem]


@router.get("/sweeps", dependencies=[Depends(Allowed(Permission.READ_SWEEPS))])
def list_sweeps(
    database: DatabaseDep,
    settings: SettingsDep,
    limit: Annotated[int, Query(ge=1, le=1440)] = 60,
) -> SweepList:
    """The last finished sweeps."""
    with database.read() as session:
        found = queries.last_sweeps(session, limit)
    return SweepList(
        timezone=settings.timezone, sweeps=[_sweep_item(settings, sweep) for sweep in found]
    )


@router.get(
    "/devices/{code:path}/samples",
    responses=problem_responses(404, 422),
    dependencies=[Depends(Allowed(Permission.READ_SAMPLES))],
)
def list_samples(
    database: DatabaseDep,
    settings: SettingsDep,
    reach: ReachDep,
    code: Annotated[str, Path(max_length=64, pattern=STORABLE)],
    start: Annotated[datetime, Query(alias="from", description="Without offset: local time")],
    end: Annotated[datetime, Query(alias="to", description="Without offset: local time")],
) -> SampleList:
    """A device's samples of at most 31 days; of the days on which it was within reach."""
    first, last = period(settings, start, end, LONGEST_SPAN_S)
    with database.read() as session:
        device_id = device_id_of(session, code, reach)
        if device_id is None:
            raise NotFound("device", code)
        theirs = days_within(session, device_id, reach)
        samples = _samples(session, settings, device_id, first, last, theirs)
    return SampleList(
        device=code,
        start=datetime.fromtimestamp(first, settings.zone),
        end=datetime.fromtimestamp(last, settings.zone),
        timezone=settings.timezone,
        samples=samples,
    )


def period(settings: Settings, start: datetime, end: datetime, longest_s: int) -> tuple[int, int]:
    """`from` and `to` as UTC seconds. Raises `BadParameter` where they are no such period."""
    first, last = _instant(settings, start, "from"), _instant(settings, end, "to")
    if last < first:
        raise BadParameter("to", "lies before from")
    if last - first > longest_s:
        days = longest_s // 86_400
        raise BadParameter("to", f"asks for more than {days} days; ask in portions")
    return first, last


def _instant(settings: Settings, at: datetime, parameter: str) -> int:
    try:
        local = at if at.tzinfo else at.replace(tzinfo=settings.zone)
        return int(datetime.fromtimestamp(local.timestamp(), settings.zone).timestamp())
    except (OverflowError, ValueError, OSError) as error:
        raise BadParameter(parameter, "lies too far away") from error


def _samples(
    session: Session,
    settings: Settings,
    device_id: int,
    first: int,
    last: int,
    theirs: Days,
) -> list[SampleItem]:
    days = days_between(local_day(first, settings.zone), local_day(last, settings.zone))
    lengths = queries.slot_lengths(session, days[0], days[-1])
    found = []
    for day, interval_s in sorted(lengths.items()):
        if not theirs.hold(day):
            continue
        start, end = day_bounds(day, settings.zone)
        whole = Slots.between(start, end, interval_s)
        begin, until = whole.index_from(first), whole.index_from(last)
        part = Slots(start + begin * interval_s, interval_s, until - begin)
        found += device_samples(session, device_id, part)
    return [_sample_item(settings, *sample) for sample in found]


def _sample_item(settings: Settings, tick: int, status: int, latency: int | None) -> SampleItem:
    return SampleItem(
        tick=datetime.fromtimestamp(tick, settings.zone),
        status=status,
        name=Status(status).name,
        slot_class=DEFAULT_POLICY.classes.get(Status(status), SlotClass.UNKNOWN).name.lower(),
        latency_ms=latency,
    )


def _sweep_item(settings: Settings, sweep: Sweep) -> SweepItem:
    return SweepItem(
        tick=datetime.fromtimestamp(sweep.tick, settings.zone),
        interval_s=sweep.interval_s,
        finished_at=datetime.fromtimestamp(sweep.finished_at, settings.zone),
        devices=sweep.devices,
        stored=sweep.stored,
        unknown=sweep.by_status.get(Status.UNKNOWN.name, 0),
        by_status=sweep.by_status,
        latency_ms=sweep.latency_ms,
        wall_s=sweep.wall_s,
        cpu_s=sweep.cpu_s,
    )
