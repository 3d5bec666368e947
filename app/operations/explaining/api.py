"""REST: the outages behind the percentages of a month."""

import csv
import io
import time
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import numpy as np
from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from app.accounts.guard import Allowed
from app.accounts.permissions import Permission
from app.availability.api import CSV_TYPE, FiltersDep, FormatName, MonthDep
from app.availability.explained import explained
from app.availability.periods import require_begun
from app.availability.selection import select_devices
from app.availability.spreadsheet import csv_cell
from app.config import Settings
from app.database import Database
from app.evidence.ledger import bring_up_to_date
from app.fleet.roster import Grouping, names_of
from app.operations.explaining.queries import incidents_of
from app.web.problems import problem_responses
from app.web.requests import DatabaseDep, SettingsDep
from kpi.explained import Excuse, Pieces
from kpi.policy import DEFAULT_POLICY
from kpi.status import SlotClass, Status

router = APIRouter(tags=["availability"], dependencies=[Depends(Allowed(Permission.READ_SAMPLES))])
COLUMNS = (
    "device", "name", "from", "to", "seconds", "status", "class", "incident", "suspended",
    "exempted",
)  # fmt: skip
ROWS_A_PORTION = 2_000
Page = Annotated[int, Query(ge=1, le=1_000_000)]
PageSize = Annotated[int, Query(ge=1, le=1_000)]


class OutageItem(BaseModel):
    """A device failed from `from` until before `to`; time that was excused is not missing."""

    model_config = ConfigDict(serialize_by_alias=True, validate_by_name=True)

    device: str
    name: str
    start: datetime = Field(alias="from")
    end: datetime = Field(alias="to")
    seconds: int
    status: str = Field(description="That it had longest")
    slot_class: Literal["impaired", "offline"] = Field(alias="class")
    incident: int | None = Field(description="The incident that it failed under")
    suspended: bool
    exempted: bool


class OutageDocument(BaseModel):
    """One page of a month's outages, the longest first; `total` counts them all.

    `missing_s` is what the figures lack: impaired and offline seconds. It is the sum of `seconds`
    of all outages that are neither suspended nor exempted.
    """

    month: str
    timezone: str
    policy: str
    missing_s: int
    total: int
    page: int
    page_size: int
    items: list[OutageItem]


@router.get(
    "/availability/outages",
    response_model=OutageDocument,
    responses=problem_responses(404, 422),
)
def read_outages(
    database: DatabaseDep,
    settings: SettingsDep,
    month: MonthDep,
    filters: FiltersDep,
    page: Page = 1,
    page_size: PageSize = 100,
    form: FormatName = "json",
) -> OutageDocument | Response:
    """The outages behind the percentages of a month; as CSV all of them."""
    now = int(time.time())
    require_begun(settings, month, now)
    bring_up_to_date(database, settings, month.first, month.last, now)
    with database.read() as session:
        selection = select_devices(session, Grouping.FLEET, filters)
        most = None if form == "csv" else page * page_size
        found = explained(session, settings, selection, month, most)
        if form == "csv":
            return StreamingResponse(_csv(database, settings, found.outages), media_type=CSV_TYPE)
        shown = _portion(found.outages, (page - 1) * page_size, page_size)
        items = _items(session, shown, settings.zone)
    return OutageDocument(
        month=str(month),
        timezone=settings.timezone,
        policy=DEFAULT_POLICY.label,
        missing_s=found.missing_s,
        total=found.total,
        page=page,
        page_size=page_size,
        items=items,
    )


def _items(session: Session, found: Pieces, zone: ZoneInfo) -> list[OutageItem]:
    names = names_of(session, set(found.device.tolist()))
    table = DEFAULT_POLICY.class_table()
    incidents = incidents_of(session, found)
    rows = zip(*(column.tolist() for column in found), incidents, strict=True)
    return [
        OutageItem(
            device=names[device].code,
            name=names[device].name,
            start=datetime.fromtimestamp(start, zone),
            end=datetime.fromtimestamp(end, zone),
            seconds=end - start,
            status=Status(status).name,
            slot_class="offline" if table[status] == SlotClass.OFFLINE else "impaired",
            incident=incident,
            suspended=excuse == Excuse.SUSPENDED,
            exempted=excuse == Excuse.EXEMPTED,
        )
        for device, start, end, status, excuse, incident in rows
    ]


def _portion(found: Pieces, first: int, count: int) -> Pieces:
    return found.take(np.arange(first, min(first + count, len(found.start))))


def _csv(database: Database, settings: Settings, found: Pieces) -> Iterator[str]:
    """All of them, written a portion at a time."""
    yield _lines([COLUMNS])
    for first in range(0, len(found.start), ROWS_A_PORTION):
        with database.read() as session:
            items = _items(session, _portion(found, first, ROWS_A_PORTION), settings.zone)
        rows = (item.model_dump(mode="json") for item in items)
        yield _lines([csv_cell(row[name]) for name in COLUMNS] for row in rows)


def _lines(rows: Iterable[Iterable[object]]) -> str:
    target = io.StringIO()
    csv.writer(target, lineterminator="\r\n").writerows(rows)
    return target.getvalue()
