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
from app.availability.device_history import CHANGE_COLUMNS
from app.availability.device_list import (
    DEVICE_COLUMNS,
    SERVICE_WORDS,
    STATES,
    ListFilters,
    device_list,
    export_list,
    list_choices,
)
from app.availability.device_page import device_page
from app.availability.devices_listed import Service
from app.availability.selection import Filters
from app.evidence.ledger import mark_touched
from app.fleet.drift import accept_drift
from app.fleet.form import FIELD_LABELS
from app.fleet.tables import ChangeSource, DeviceKind
from app.web.language import language_of, message, translations
from app.web.listing import listing
from app.web.navigation import Crumb
from app.web.requests import STORABLE, WORKBOOK, DatabaseDep, SettingsDep
from app.web.shell import render

router = APIRouter(include_in_schema=False)

KIND_WORDS = {
    DeviceKind.CAMERA: message("Cameras"),
    DeviceKind.ROOM_EQUIPMENT: message("Equipment of rooms"),
    DeviceKind.STORAGE: message("Storage"),
}
Code = Annotated[str | None, Query(max_length=64, pattern=STORABLE)]
Reading = Depends(Allowed(Permission.READ_SAMPLES))
Exporting = Depends(Allowed(Permission.READ_REGISTER))


def _filters(
    reach: ReachDep,
    kind: DeviceKind = DeviceKind.CAMERA,
    station: Code = None,
    room: Code = None,
    project: Code = None,
    contractor: Code = None,
) -> Filters:
    """An empty choice of a form is none."""
    return Filters(
        kind, station or None, room or None, project or None, contractor or None, reach=reach
    )


FiltersDep = Annotated[Filters, Depends(_filters)]


def _shown(
    filters: FiltersDep,
    service: Service = Service.IN,
    state: Annotated[str, Query(pattern=f"^({'|'.join(STATES)})?$")] = "",
    unplaced: Annotated[bool, Query(description="Only those without coordinates")] = False,
) -> ListFilters:
    return ListFilters(filters, service, state or None, unplaced)


ShownDep = Annotated[ListFilters, Depends(_shown)]


@router.get("/devices", response_class=HTMLResponse, dependencies=[Reading])
def list_devices(
    request: Request, database: DatabaseDep, settings: SettingsDep, shown: ShownDep
) -> HTMLResponse:
    """The devices in service (or the others), what fails first."""
    wanted = listing(request, DEVICE_COLUMNS, sort="state")
    page = device_list(database, settings, shown, wanted, int(time.time()))
    with database.read() as session:
        choices = list_choices(session, shown.filters)
    return render(
        request,
        "devices.html",
        page=page,
        shown=shown,
        kinds=KIND_WORDS,
        services=SERVICE_WORDS,
        states=STATES,
        choices=choices,
        crumbs=_crumbs(request),
    )


@router.get("/devices.csv", dependencies=[Exporting])
@router.get("/devices.xlsx", dependencies=[Exporting])
def export(
    request: Request,
    database: DatabaseDep,
    settings: SettingsDep,
    shown: ShownDep,
) -> Response:
    """What the list shows, of all its pages, as the register's importer reads it.

    Passwords are never part of it.
    """
    target, text = io.BytesIO(), listing(request, DEVICE_COLUMNS, sort="state").text
    now, as_workbook = int(time.time()), request.url.path.endswith(".xlsx")
    export_list(database, settings, target, shown, text, now, as_workbook=as_workbook)
    file = request.url.path.removeprefix("/")
    name = {"Content-Disposition": f'attachment; filename="{file}"'}
    kind = WORKBOOK if as_workbook else "text/csv; charset=utf-8"
    return Response(target.getvalue(), media_type=kind, headers=name)


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
    wanted = listing(request, CHANGE_COLUMNS, sort="at", prefix="changes-")
    page = device_page(database, settings, code, reach, day, hour, int(time.time()), wanted)
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
        source=ChangeSource.FORM,
        now=int(time.time()),
        on_touched=mark_touched,
        codes=[code],
    )
    return RedirectResponse(f"/devices/{quote(code, safe='')}", 303)


def _crumbs(request: Request) -> list[Crumb]:
    _ = translations(language_of(request)).gettext
    return [Crumb(_("Overview"), "/"), Crumb(_("Cameras"), "/devices")]
