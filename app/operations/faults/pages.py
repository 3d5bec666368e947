"""Pages of faults and incidents: what is broken, since when, and what it has in common."""

import csv
import io
import time
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, Response

from app.accounts.guard import Allowed, ReachDep
from app.accounts.permissions import Permission
from app.availability.device_list import list_choices
from app.availability.selection import Filters, select_devices
from app.errors import NotFound
from app.fleet.roster import Grouping
from app.operations.faults import list_queries as queries
from app.operations.faults.api import MOST_STEPS, Code, FaultItem, RowId, fault_item
from app.operations.faults.list_queries import FaultsAsked
from app.operations.faults.showing import fault_line, incident_line, step_lines
from app.operations.faults.words import REASON_WORDS, SCOPE_WORDS, STATE_WORDS
from app.tabular.values import harmless
from app.web.language import language_of, message, translations
from app.web.listing import Column, listing
from app.web.navigation import Crumb
from app.web.requests import DatabaseDep, SettingsDep
from app.web.shell import render

router = APIRouter(
    include_in_schema=False, dependencies=[Depends(Allowed(Permission.READ_SAMPLES))]
)

ROWS = 50
MOST_EXPORTED = 100_000
FAULT_COLUMNS = (
    Column("onset", message("From")),
    Column("ended", message("To")),
    Column("lasted", message("Lasted"), is_number=True),
    Column("device", message("Camera")),
    Column("status", message("Cause")),
    Column("incident", message("Incident"), can_sort=False),
)
State = Annotated[str, Query(pattern="^(open|closed|all)$")]


def _filters(
    reach: ReachDep,
    station: Code = None,
    room: Code = None,
    project: Code = None,
    contractor: Code = None,
) -> Filters:
    """An empty choice of a form is none."""
    codes = (station or None, room or None, project or None, contractor or None)
    return Filters(Filters().kind, *codes, reach=reach)


FiltersDep = Annotated[Filters, Depends(_filters)]


@router.get("/faults", response_class=HTMLResponse)
def show_faults(
    request: Request,
    database: DatabaseDep,
    settings: SettingsDep,
    filters: FiltersDep,
    state: State = "open",
    own: bool = False,
) -> HTMLResponse:
    """Cameras that are broken, or were: the newest first."""
    wanted = listing(request, FAULT_COLUMNS, sort="-onset")
    now = int(time.time())
    with database.read() as session:
        cohorts = select_devices(session, Grouping.FLEET, filters).cohorts.keys()
        asked = FaultsAsked(cohorts, state, wanted.text, own=own)
        wanted = wanted.of(queries.count_faults(session, asked))
        lines = [
            fault_line(each, settings.zone, now)
            for each in queries.read_faults(session, asked, wanted)
        ]
        choices = list_choices(session, filters)
    return render(
        request,
        "faults/faults.html",
        lines=lines,
        list=wanted,
        state=state,
        states=STATE_WORDS,
        own=own,
        filters=filters,
        choices=choices,
        reasons=REASON_WORDS,
        crumbs=_crumbs(request),
    )


@router.get("/faults.csv")
def export_faults(
    request: Request,
    database: DatabaseDep,
    settings: SettingsDep,
    filters: FiltersDep,
    state: State = "open",
    own: bool = False,
) -> Response:
    """What the list shows, of all its pages; columns as REST names them."""
    text = listing(request, FAULT_COLUMNS, sort="-onset").text
    with database.read() as session:
        cohorts = select_devices(session, Grouping.FLEET, filters).cohorts.keys()
        asked = FaultsAsked(cohorts, state, text, own=own)
        found = queries.read_faults(session, asked, limit=MOST_EXPORTED)
    target = io.StringIO(newline="")
    writer = csv.writer(target, lineterminator="\r\n")
    writer.writerow(FaultItem.model_fields)
    for row in found:
        told = fault_item(row, settings.zone).model_dump(mode="json").values()
        writer.writerow(["" if cell is None else harmless(str(cell)) for cell in told])
    headers = {"Content-Disposition": 'attachment; filename="faults.csv"'}
    content = target.getvalue().encode("utf-8-sig")
    return Response(content, media_type="text/csv; charset=utf-8", headers=headers)


@router.get("/faults/{fault_id}", response_class=HTMLResponse)
def show_fault(
    request: Request, database: DatabaseDep, settings: SettingsDep, reach: ReachDep, fault_id: RowId
) -> HTMLResponse:
    """One fault with every status on its way."""
    now = int(time.time())
    with database.read() as session:
        fault = queries.read_fault(session, fault_id, reach)
        if fault is None:
            raise NotFound("fault", str(fault_id))
        steps = queries.read_steps(session, fault_id, MOST_STEPS)
        of = fault.incident_id
        incident = None if of is None else queries.read_incident(session, of, reach)
    line = fault_line(fault, settings.zone, now)
    return render(
        request,
        "faults/fault.html",
        line=line,
        steps=step_lines(steps, fault, settings.zone, now),
        incident=None if incident is None else incident_line(incident, settings.zone, now),
        scopes=SCOPE_WORDS,
        reasons=REASON_WORDS,
        crumbs=[*_crumbs(request), Crumb(fault.name)],
    )


@router.get("/incidents", response_class=HTMLResponse)
def show_incidents(
    request: Request,
    database: DatabaseDep,
    settings: SettingsDep,
    reach: ReachDep,
    state: State = "all",
) -> HTMLResponse:
    """What many faults had in common: those that last first."""
    wanted = listing(request, (Column("onset", ""),), sort="-onset")
    now = int(time.time())
    with database.read() as session:
        wanted = wanted.of(queries.count_incidents(session, state, reach))
        found = queries.read_incidents(session, state, reach, wanted.skip, wanted.rows)
    return render(
        request,
        "faults/incidents.html",
        lines=[incident_line(each, settings.zone, now) for each in found],
        list=wanted,
        state=state,
        states=STATE_WORDS,
        scopes=SCOPE_WORDS,
        crumbs=_crumbs(request, incidents=True),
    )


@router.get("/incidents/{incident_id}", response_class=HTMLResponse)
def show_incident(
    request: Request,
    database: DatabaseDep,
    settings: SettingsDep,
    reach: ReachDep,
    incident_id: RowId,
) -> HTMLResponse:
    """One incident and the cameras under it, each with its own recovery."""
    wanted = listing(request, FAULT_COLUMNS[:-1], sort="-lasted")
    now = int(time.time())
    with database.read() as session:
        incident = queries.read_incident(session, incident_id, reach)
        if incident is None:
            raise NotFound("incident", str(incident_id))
        cohorts = select_devices(session, Grouping.FLEET, Filters(reach=reach)).cohorts.keys()
        asked = FaultsAsked(cohorts, text=wanted.text, incident_id=incident_id)
        wanted = wanted.of(queries.count_faults(session, asked))
        faults = queries.read_faults(session, asked, wanted)
    return render(
        request,
        "faults/incident.html",
        incident=incident_line(incident, settings.zone, now),
        lines=[fault_line(each, settings.zone, now) for each in faults],
        list=wanted,
        scopes=SCOPE_WORDS,
        reasons=REASON_WORDS,
        crumbs=[*_crumbs(request, incidents=True), Crumb(incident.name)],
    )


def _crumbs(request: Request, *, incidents: bool = False) -> list[Crumb]:
    _ = translations(language_of(request)).gettext
    last = Crumb(_("Incidents"), "/incidents") if incidents else Crumb(_("Faults"), "/faults")
    return [Crumb(_("Overview"), "/"), last]
