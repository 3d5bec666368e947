"""REST: the rates of a month, of days, of this minute; the rooms; metrics for Prometheus."""

import time
from datetime import date
from typing import Annotated, Literal, TypeVar

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel

from app.accounts.guard import Allowed, AllowedFrom, ReachDep
from app.accounts.permissions import Permission
from app.availability.budgets import BudgetDocument, budgets
from app.availability.documents import DailyDocument, MonthlyDocument, NowDocument
from app.availability.instant import present
from app.availability.metrics import exposition
from app.availability.periods import daily, monthly
from app.availability.rooms import RoomState, rooms_now
from app.availability.selection import Filters
from app.availability.spreadsheet import as_csv
from app.errors import BadParameter
from app.fleet.roster import Grouping
from app.fleet.tables import DeviceKind
from app.web.problems import problem_responses
from app.web.requests import STORABLE, DatabaseDep, SettingsDep
from kpi.calendar import Month

router = APIRouter(tags=["availability"], dependencies=[Depends(Allowed(Permission.READ_FIGURES))])
metrics_router = APIRouter(
    tags=["metrics"],
    dependencies=[
        Depends(AllowedFrom(Permission.READ_METRICS, lambda settings: settings.metrics_allowed))
    ],
)

Code = Annotated[str | None, Query(max_length=64, pattern=STORABLE)]
GroupBy = Annotated[Grouping, Query(description="What a row stands for")]
FormatName = Annotated[Literal["json", "csv"], Query(alias="format")]
FOUND_OR_NOT = problem_responses(404, 422)
Document = TypeVar("Document", MonthlyDocument, DailyDocument, NowDocument)
CSV_TYPE = "text/csv; charset=utf-8"


class RoomList(BaseModel):
    """Every room, by code, as the last sweep saw it."""

    rooms: list[RoomState]


def _filters(
    reach: ReachDep,
    kind: DeviceKind = DeviceKind.CAMERA,
    station: Code = None,
    room: Code = None,
    project: Code = None,
    contractor: Code = None,
    device: Code = None,
) -> Filters:
    return Filters(kind, station, room, project, contractor, device, reach)


FiltersDep = Annotated[Filters, Depends(_filters)]


def _month(
    month: Annotated[str, Query(description="YYYY-MM", examples=["2026-10"])],
) -> Month:
    try:
        return Month.parse(month)
    except ValueError as error:
        raise BadParameter("month", str(error)) from error


MonthDep = Annotated[Month, Depends(_month)]


@router.get("/availability/monthly", response_model=MonthlyDocument, responses=FOUND_OR_NOT)
def read_monthly(
    database: DatabaseDep,
    settings: SettingsDep,
    month: MonthDep,
    filters: FiltersDep,
    group_by: GroupBy = Grouping.FLEET,
    form: FormatName = "json",
) -> MonthlyDocument | Response:
    """The rates of a month, as far as it has come."""
    document = monthly(database, settings, month, group_by, filters, int(time.time()))
    return _answer(document, form)


@router.get("/availability/daily", response_model=DailyDocument, responses=FOUND_OR_NOT)
def read_daily(
    database: DatabaseDep,
    settings: SettingsDep,
    first: Annotated[date, Query(alias="from")],
    last: Annotated[date, Query(alias="to")],
    filters: FiltersDep,
    group_by: GroupBy = Grouping.FLEET,
    form: FormatName = "json",
) -> DailyDocument | Response:
    """The rates of each day of a period, both ends included."""
    document = daily(database, settings, first, last, group_by, filters, int(time.time()))
    return _answer(document, form)


@router.get("/availability/now", response_model=NowDocument, responses=FOUND_OR_NOT)
def read_now(
    database: DatabaseDep,
    settings: SettingsDep,
    filters: FiltersDep,
    group_by: GroupBy = Grouping.FLEET,
    form: FormatName = "json",
) -> NowDocument | Response:
    """The rates of the last finished sweep, in devices."""
    document = present(database, settings, group_by, filters, int(time.time()))
    return _answer(document, form)


@router.get("/availability/budget", responses=FOUND_OR_NOT)
def read_budget(
    database: DatabaseDep,
    settings: SettingsDep,
    month: MonthDep,
    filters: FiltersDep,
    group_by: GroupBy = Grouping.FLEET,
) -> BudgetDocument:
    """What the target leaves to be missed in a month, what is spent of it and how fast."""
    return budgets(database, settings, month, group_by, filters, int(time.time()))


@router.get("/rooms")
def list_rooms(database: DatabaseDep, settings: SettingsDep, reach: ReachDep) -> RoomList:
    """Rooms within reach: down, degraded, up, or unknown without evidence."""
    return RoomList(rooms=rooms_now(database, settings, int(time.time()), reach))


@metrics_router.get("/metrics", response_class=Response)
def read_metrics(database: DatabaseDep, settings: SettingsDep) -> Response:
    """The present figures in Prometheus' text format."""
    body, media_type = exposition(database, settings, int(time.time()))
    return Response(body, media_type=media_type)


def _answer(document: Document, form: str) -> Document | Response:
    return Response(as_csv(document), media_type=CSV_TYPE) if form == "csv" else document
