"""The overview: how the fleet is, on one page."""

import time

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from app.operations.messages import summary
from app.operations.overview import overview
from app.web.language import language_of
from app.web.requests import DatabaseDep, SettingsDep
from app.web.shell import render

router = APIRouter(include_in_schema=False)


@router.get("/", response_class=HTMLResponse)
def show_overview(request: Request, database: DatabaseDep, settings: SettingsDep) -> HTMLResponse:
    """The rates now and of the month, open alerts, the stations worst first."""
    figures = overview(database, settings, int(time.time()))
    if figures is None:
        return render(request, "empty.html")
    language = language_of(request)
    alerts = [(alert, summary(alert, settings.zone, language)) for alert in figures.alerts]
    return render(request, "overview.html", page=figures, alerts=alerts)
