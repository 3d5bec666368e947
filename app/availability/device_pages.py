"""Pages of the devices: their list, its export, and one page for each."""

import io
import time
from datetime import date
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.accounts.caller import Caller
from app.accounts.guard import Allowed, ReachDep
from app.accounts.permissions import Permission
from app.availability.device_list import DEVICE_COLUMNS, device_list
from app.availability.device_page import device_page
from app.availability.selection import Filters
from app.database import Database
from app.evidence.ledger import mark_touched
from app.fleet.drift import accept_drift
from app.fleet.exporting import export_devices
from app.fleet.form import FIELD_LABELS
from app.fleet.queries import Selection
from app.fleet.roster import Grouping, group_names
from app.fleet.tables import DeviceKind
from app.web.language import language_of, message, translations
from app.web.listing import listing
from app.web.navigation import Crumb
from app.web.requests import STORABLE, DatabaseDep, SettingsDep
from app.web.shell import render

router = APIRouter(include_in_schema=False)

KIND_WORDS = {
    DeviceKind.CAMERA: message("Cameras"),
    DeviceKind.ROOM_EQUIPMENT: message("Equipment of rooms"),
    DeviceKind.STORAGE: message("Storage"),
}
Code = Annotated[str | None, Query(max_length=64, pattern=STORABLE)]
Reading = Depends(Allowed(Permission.READ_SAMPLES))


def _filters(
    reach: ReachDep,
    kind: DeviceKind = DeviceKind.CAMERA,
    station: Code = None,
    project: Code = None,
    contractor: Code = None,
) -> Filters:
    """An empty choice of a form is none."""
    return Filters(kind, station or None, None, project or None, contractor or None, reach=reach)


FiltersDep = Annotated[Filters, Depends(_filters)]
Unplaced = Annotated[bool, Query(description="Only those without coordinates")]


def group_choices(database: Database, filters: Filters) -> list[tuple[Grouping, str, list[str]]]:
    """What a form may choose by: grouping, label, codes; nothing where the view is limited."""
    if filters.reach.limited:
        return []
    with database.read() as session:
        return [
            (by, label, sorted(name.code for name in group_names(session, by).values()))
            for by, label in (
                (Grouping.STATION, message("Station")),
                (Grouping.PROJECT, message("Project")),
                (Grouping.CONTRACTOR, message("Contractor")),
            )
        ]


@router.get("/devices", response_class=HTMLResponse, dependencies=[Reading])
def list_devices(
    request: Request,
    database: DatabaseDep,
    settings: SettingsDep,
    filters: FiltersDep,
    unplaced: Unplaced = False,
) -> HTMLResponse:
    """The devices in service, what fails first."""
    wanted = listing(request, DEVICE_COLUMNS, sort="state")
    now = int(time.time())
    page = device_list(database, settings, filters, wanted, now, unplaced=unplaced)
    return render(
        request,
        "devices.html",
        page=page,
        filters=filters,
        kinds=KIND_WORDS,
        choices=group_choices(database, filters),
        unplaced=unplaced,
        export_address=f"/devices.csv?{request.url.query}",
        crumbs=_crumbs(request),
    )


@router.get("/devices.csv", dependencies=[Depends(Allowed(Permission.READ_REGISTER))])
def export(
    database: DatabaseDep,
    filters: FiltersDep,
    q: Annotated[str | None, Query(max_length=128, pattern=STORABLE)] = None,
    unplaced: Unplaced = False,
) -> Response:
    """The selection as the register's importer reads it; passwords are never part of it."""
    target = io.BytesIO()
    selection = Selection(
        station=filters.station,
        project=filters.project,
        contractor=filters.contractor,
        kind=filters.kind,
        text=q,
        reach=filters.reach,
        unplaced=unplaced,
    )
    export_devices(database, target, selection)
    name = {"Content-Disposition": 'attachment; filename="devices.csv"'}
    return Response(target.getvalue(), media_type="text/csv; charset=utf-8", headers=name)


@router.get("/devices/{code:path}", response_class=HTMLResponse, dependencies=[Reading])
def show_device(
    request: Request,
    database: DatabaseDep,
    settings: SettingsDep,
    reach: ReachDep,
    code: Annotated[str, Path(max_length=64, pattern=STORABLE)],
    day: Annotated[date | None, Query()] = None,
    hour: Annotated[int | None, Query(ge=0, le=23)] = None,
) -> HTMLResponse:
    """One device: its record, its state, its 31 days, a day or an hour of it slot by slot."""
    page = device_page(database, settings, code, reach, day, hour, int(time.time()))
    crumbs = [*_crumbs(request), Crumb(page.stored.record.name)]
    return render(request, "device.html", page=page, field_labels=FIELD_LABELS, crumbs=crumbs)


@router.post("/devices/{code:path}/accept-drift")
def accept(
    database: DatabaseDep,
    settings: SettingsDep,
    caller: Annotated[Caller, Depends(Allowed(Permission.MANAGE_REGISTER))],
    code: Annotated[str, Path(max_length=64, pattern=STORABLE)],
) -> RedirectResponse:
    """Take over into the register what the device says of itself."""
    accept_drift(
        database,
        settings,
        actor=caller.actor,
        now=int(time.time()),
        on_touched=mark_touched,
        codes=[code],
    )
    return RedirectResponse(f"/devices/{quote(code, safe='')}", 303)


def _crumbs(request: Request) -> list[Crumb]:
    _ = translations(language_of(request)).gettext
    return [Crumb(_("Overview"), "/"), Crumb(_("Cameras"), "/devices")]
