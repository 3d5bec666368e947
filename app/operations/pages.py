"""The overview: how the fleet is, on one page."""

import time
from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from app.accounts.guard import Allowed, ReachDep
from app.accounts.permissions import Permission
from app.accounts.reach import Reach
from app.availability.selection import Filters
from app.config import Settings
from app.database import Database
from app.operations.alerts.messages import summary, title
from app.operations.faults.words import SCOPE_WORDS
from app.operations.overview import overview
from app.web.language import language_of
from app.web.requests import DatabaseDep, SettingsDep
from app.web.shell import render

router = APIRouter(
    include_in_schema=False, dependencies=[Depends(Allowed(Permission.READ_FIGURES))]
)


@router.get("/", response_class=HTMLResponse)
def show_overview(
    request: Request, database: DatabaseDep, settings: SettingsDep, reach: ReachDep
) -> HTMLResponse:
    """The rates now and of the month, open alerts, the stations worst first."""
    context = _context(request, database, settings, reach)
    return render(request, "overview.html" if context else "empty.html", **context)


@router.get("/overview/live", response_class=HTMLResponse)
def refresh_overview(
    request: Request, database: DatabaseDep, settings: SettingsDep, reach: ReachDep
) -> HTMLResponse:
    """What an open page puts in place of what it shows."""
    context = _context(request, database, settings, reach)
    return render(request, "overview_live.html" if context else "empty.html", **context)


def _context(
    request: Request, database: Database, settings: Settings, reach: Reach
) -> dict[str, Any]:
    """What the templates are given; nothing where no device is registered."""
    figures = overview(database, settings, int(time.time()), Filters(reach=reach))
    if figures is None:
        return {}
    language = language_of(request)
    return {
        "page": figures,
        "alerts": [
            (alert, title(alert, language), summary(alert, settings.zone, language))
            for alert in figures.alerts
        ],
        "scopes": SCOPE_WORDS,
        "refresh_s": max(5, settings.poll_interval),
    }
