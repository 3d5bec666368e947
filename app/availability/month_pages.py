"""Pages of a month: its figures by group, what is behind them, their exports."""

import io
import time
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import HTMLResponse

from app.accounts.guard import Allowed, ReachDep
from app.accounts.permissions import Permission
from app.availability.device_pages import KIND_WORDS
from app.availability.figures import SCALES
from app.availability.month_export import month_report
from app.availability.month_outages import month_outages
from app.availability.month_suspensions import SUSPENSION_COLUMNS, month_suspensions
from app.availability.months import (
    GROUPINGS,
    MONTH_COLUMNS,
    MonthAsked,
    MonthFigures,
    month_figures,
    months_offered,
    reached,
)
from app.availability.places import OUTAGE_COLUMNS
from app.availability.selection import Filters
from app.config import Settings
from app.errors import BadParameter
from app.fleet.roster import Grouping
from app.fleet.tables import DeviceKind
from app.tabular.report import write_report
from app.web.language import language_of, message, translations
from app.web.listing import listing
from app.web.navigation import Crumb
from app.web.requests import STORABLE, WORKBOOK, DatabaseDep, SettingsDep
from app.web.shell import render
from kpi.calendar import Month, local_day
from kpi.status import SlotClass

router = APIRouter(
    include_in_schema=False, dependencies=[Depends(Allowed(Permission.READ_FIGURES))]
)
By = Literal["station", "room", "project", "contractor", "fleet"]
CSV_TYPE = "text/csv; charset=utf-8"
ANY_KIND = message("Devices")


def _asked(
    settings: SettingsDep,
    reach: ReachDep,
    month: Annotated[str | None, Query()] = None,
    by: By = "station",
    kind: DeviceKind = DeviceKind.CAMERA,
) -> MonthAsked:
    """Without a month: the present one."""
    return MonthAsked(_month(settings, month), Grouping(by), Filters(kind, reach=reach))


def _month(settings: Settings, text: str | None) -> Month:
    if not text:
        return Month.of(local_day(int(time.time()), settings.zone))
    try:
        return Month.parse(text)
    except ValueError as error:
        raise BadParameter("month", str(error)) from error


AskedDep = Annotated[MonthAsked, Depends(_asked)]


def _asked_of_group(
    asked: AskedDep, group: Annotated[str | None, Query(max_length=64, pattern=STORABLE)] = None
) -> MonthAsked:
    """Without a group: all together; an empty one: those that belong to none."""
    return replace(asked, group=None if asked.grouping is Grouping.FLEET else group)


OfGroupDep = Annotated[MonthAsked, Depends(_asked_of_group)]


@router.get("/months", response_class=HTMLResponse)
def show_month(
    request: Request, database: DatabaseDep, settings: SettingsDep, asked: AskedDep
) -> HTMLResponse:
    """A month by group, the worst first."""
    now = int(time.time())
    wanted = listing(request, MONTH_COLUMNS, sort="intact")
    found = month_figures(database, settings, asked, wanted, now)
    offered = months_offered(database, settings, asked.month, now)
    place = offered.index(asked.month)
    return render(
        request,
        "months.html",
        found=found,
        offered=offered,
        later=_address(asked, offered[place - 1]) if place else None,
        earlier=_address(asked, offered[place + 1]) if place + 1 < len(offered) else None,
        groupings=GROUPINGS,
        kinds=KIND_WORDS,
        kind_word=kind_word(asked),
        scales=SCALES,
        query=urlencode([("month", str(asked.month)), *_choice(asked)]),
        written=datetime.fromtimestamp(now, settings.zone),
        crumbs=month_crumbs(request, asked),
    )


@router.get("/months/outages", response_class=HTMLResponse)
def show_outages(
    request: Request,
    database: DatabaseDep,
    settings: SettingsDep,
    asked: OfGroupDep,
    only: Literal["offline"] | None = None,
) -> HTMLResponse:
    """The outages behind a rate, the longest first; of the online rate: those offline alone."""
    now = int(time.time())
    wanted = listing(request, OUTAGE_COLUMNS, sort="-seconds")
    slot_class = SlotClass.OFFLINE if only else None
    page = month_outages(database, settings, asked, slot_class, wanted, now)
    return render(
        request,
        "month_outages.html",
        page=page,
        asked=asked,
        only=only,
        reached=reached(settings, asked.month, now),
        kind_word=kind_word(asked),
        crumbs=month_crumbs(request, asked, message("Outages")),
    )


@router.get("/months/suspensions", response_class=HTMLResponse)
def show_suspensions(
    request: Request, database: DatabaseDep, settings: SettingsDep, asked: OfGroupDep
) -> HTMLResponse:
    """The suspensions behind a suspended rate, the newest first."""
    now = int(time.time())
    wanted = listing(request, SUSPENSION_COLUMNS, sort="-start")
    return render(
        request,
        "month_suspensions.html",
        page=month_suspensions(database, settings, asked, wanted, now),
        asked=asked,
        reached=reached(settings, asked.month, now),
        kind_word=kind_word(asked),
        crumbs=month_crumbs(request, asked, message("Suspensions")),
    )


@router.get("/months.csv")
def export_csv(
    request: Request, database: DatabaseDep, settings: SettingsDep, asked: AskedDep
) -> Response:
    """All rows of the month and their total."""
    return _exported(request, settings, _all_rows(request, database, settings, asked), "csv")


@router.get("/months.xlsx")
def export_xlsx(
    request: Request, database: DatabaseDep, settings: SettingsDep, asked: AskedDep
) -> Response:
    """The same as a workbook that is set up for printing."""
    return _exported(request, settings, _all_rows(request, database, settings, asked), "xlsx")


def _all_rows(
    request: Request, database: DatabaseDep, settings: Settings, asked: MonthAsked
) -> MonthFigures:
    wanted = listing(request, MONTH_COLUMNS, sort="intact")
    return month_figures(database, settings, asked, wanted, int(time.time()))


def _exported(
    request: Request, settings: Settings, found: MonthFigures, form: Literal["csv", "xlsx"]
) -> Response:
    written = datetime.fromtimestamp(int(time.time()), settings.zone)
    report = month_report(found, language_of(request), kind_word(found.asked), written)
    target = io.BytesIO()
    write_report(target, report, as_workbook=form == "xlsx")
    asked = found.asked
    name = f"months-{asked.month}-{asked.grouping.value}-{asked.filters.kind.value}.{form}"
    return Response(
        target.getvalue(),
        media_type=WORKBOOK if form == "xlsx" else CSV_TYPE,
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "no-store",
        },
    )


def kind_word(asked: MonthAsked) -> str:
    """What is shown, a text of the catalogue."""
    return KIND_WORDS.get(asked.filters.kind, ANY_KIND)


def _choice(asked: MonthAsked) -> list[tuple[str, str]]:
    return [("by", asked.grouping.value), ("kind", asked.filters.kind.value)]


def _address(asked: MonthAsked, month: Month) -> str:
    """The same page of another month."""
    return f"/months?{urlencode([('month', str(month)), *_choice(asked)])}"


def month_crumbs(request: Request, asked: MonthAsked, page: str | None = None) -> list[Crumb]:
    """The way to a month, or to a page behind its figures (a text of the catalogue)."""
    _ = translations(language_of(request)).gettext
    way = [Crumb(_("Overview"), "/"), Crumb(_("Months"), "/months")]
    if page is None:
        return [*way, Crumb(str(asked.month))]
    return [*way, Crumb(str(asked.month), _address(asked, asked.month)), Crumb(_(page))]
