"""Pages of stations, rooms, projects and contractors: an index of each, and one of every place."""

import time
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import HTMLResponse

from app.accounts.guard import Allowed, ReachDep
from app.accounts.permissions import Permission
from app.availability.places import (
    CAMERA_COLUMNS,
    KINDS,
    OUTAGE_COLUMNS,
    Kind,
    Wishes,
    place,
)
from app.availability.places_index import PLACE_COLUMNS, places
from app.availability.selection import Filters
from app.web.language import language_of, translations
from app.web.listing import listing
from app.web.navigation import Crumb
from app.web.requests import STORABLE, DatabaseDep, SettingsDep
from app.web.shell import render

router = APIRouter(
    include_in_schema=False, dependencies=[Depends(Allowed(Permission.READ_FIGURES))]
)


def _serve(kind: Kind) -> None:
    """Give a kind of places its two pages."""

    @router.get(f"/{kind.path}", response_class=HTMLResponse, name=f"list_{kind.path}")
    def index(
        request: Request, database: DatabaseDep, settings: SettingsDep, reach: ReachDep
    ) -> HTMLResponse:
        """All places of the kind, the worst first."""
        wanted = listing(request, PLACE_COLUMNS, sort="intact")
        lines, wanted = places(
            database, settings, kind.grouping, Filters(reach=reach), wanted, int(time.time())
        )
        crumbs = _crumbs(request, kind)
        return render(request, "places.html", kind=kind, lines=lines, list=wanted, crumbs=crumbs)

    @router.get(
        f"/{kind.path}/{{code:path}}", response_class=HTMLResponse, name=f"show_{kind.path}"
    )
    def show(
        request: Request,
        database: DatabaseDep,
        settings: SettingsDep,
        reach: ReachDep,
        code: Annotated[str, Path(max_length=64, pattern=STORABLE)],
        day: Annotated[date | None, Query()] = None,
    ) -> HTMLResponse:
        """One place: its rates, its past, its cameras, its outages of a day."""
        wishes = Wishes(
            day,
            listing(request, CAMERA_COLUMNS, sort="state"),
            listing(request, OUTAGE_COLUMNS, sort="-start", prefix="outage-"),
        )
        page = place(database, settings, kind, code, reach, wishes, int(time.time()))
        crumbs = [*_crumbs(request, kind), Crumb(page.name.name)]
        refresh_s = max(5, settings.poll_interval // 2)
        return render(request, "place.html", page=page, crumbs=crumbs, refresh_s=refresh_s)


def _crumbs(request: Request, kind: Kind) -> list[Crumb]:
    """The way from the fleet to a kind of places."""
    _ = translations(language_of(request)).gettext
    return [Crumb(_("Overview"), "/"), Crumb(_(kind.many), f"/{kind.path}")]


for each in KINDS.values():
    _serve(each)
