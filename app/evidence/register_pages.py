"""Pages of the register for the system administrator: what there is, and forms that change it."""

import time
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from app.accounts.caller import Caller
from app.accounts.guard import Allowed
from app.accounts.permissions import Permission
from app.config import Settings
from app.database import Database
from app.errors import ImportRefused, IntactError
from app.evidence.ledger import mark_touched
from app.fleet.changes import EFFECTIVE
from app.fleet.editing import ChangedMeanwhile, cells_of, rename, save_device, stamp
from app.fleet.form import FIELD_LABELS, GROUP_FIELDS, KIND_NAMES, SECTIONS
from app.fleet.overview_queries import GroupRow, count_groups, devices_by_station, read_groups
from app.fleet.queries import GROUPS, Selection, count_devices, group_ids, read_device, read_devices
from app.fleet.record import COLUMNS
from app.fleet.roster import Grouping
from app.web.language import language_of, message, retold, translations
from app.web.listing import Column, listing
from app.web.navigation import Crumb
from app.web.requests import STORABLE, DatabaseDep, SettingsDep
from app.web.shell import render

router = APIRouter(
    include_in_schema=False, dependencies=[Depends(Allowed(Permission.MANAGE_REGISTER))]
)
Manager = Annotated[Caller, Depends(Allowed(Permission.MANAGE_REGISTER))]
Code = Annotated[str, Path(max_length=64, pattern=STORABLE)]
SHOWN = "shown"
"""Hidden field of a form: what it showed (see `app.fleet.editing`)."""

DEVICE_COLUMNS = (
    Column("code", message("Code")),
    Column("name", message("Name"), can_sort=False),
    Column("kind", message("Kind"), can_sort=False),
    Column("station", message("Station"), can_sort=False),
    Column("address", message("Address"), can_sort=False),
)
GROUP_COLUMNS = (
    Column("code", message("Code")),
    Column("name", message("Name"), can_sort=False),
    Column("devices", message("Devices"), is_number=True, can_sort=False),
)
GROUPINGS = {
    "stations": (Grouping.STATION, message("Stations")),
    "rooms": (Grouping.ROOM, message("Rooms")),
    "projects": (Grouping.PROJECT, message("Projects")),
    "contractors": (Grouping.CONTRACTOR, message("Contractors")),
}
ByKind = Annotated[str, Path(pattern=f"^({'|'.join(GROUPINGS)})$")]


async def _fields(request: Request) -> dict[str, str]:
    """The text fields of a form, stripped; a file among them is not one."""
    form = await request.form()
    return {name: value.strip() for name, value in form.items() if isinstance(value, str)}


FieldsDep = Annotated[dict[str, str], Depends(_fields)]


@router.get("/register", response_class=HTMLResponse)
def show_register(request: Request, database: DatabaseDep) -> HTMLResponse:
    """How many devices of which kind and station, and a list to choose one from."""
    wanted = listing(request, DEVICE_COLUMNS, sort="code")
    selection = Selection(text=wanted.text or None)
    with database.read() as session:
        wanted = wanted.of(count_devices(session, selection))
        found = list(read_devices(session, selection, wanted.skip, wanted.rows))
        by_station = devices_by_station(session)
    return render(
        request,
        "register/register.html",
        list=wanted,
        devices=[stored.record for stored in found],
        by_station=by_station,
        kinds=KIND_NAMES,
        occurring={kind for row in by_station for kind in row.by_kind},
        groups=GROUPINGS,
    )


@router.get("/register/devices/new", response_class=HTMLResponse)
def new_device(request: Request, database: DatabaseDep) -> HTMLResponse:
    """An empty form."""
    cells = dict.fromkeys(COLUMNS, "") | {"kind": "camera"}
    return _form(request, database, None, cells, None)


@router.post("/register/devices/new", response_class=HTMLResponse)
def add_device(
    request: Request,
    database: DatabaseDep,
    settings: SettingsDep,
    caller: Manager,
    fields: FieldsDep,
) -> Response:
    """Add one, or show the form with what is wrong."""
    return _save(request, database, settings, caller, None, fields)


@router.get("/register/devices/{code:path}/edit", response_class=HTMLResponse)
def edit_device(
    request: Request,
    database: DatabaseDep,
    code: Code,
    saved: Annotated[str, Query(pattern="^(|inserted|updated|unchanged)$")] = "",
) -> HTMLResponse:
    """The form of one device."""
    with database.read() as session:
        stored = read_device(session, code)
    return _form(request, database, code, cells_of(stored), stamp(stored), saved=saved)


@router.post("/register/devices/{code:path}/edit", response_class=HTMLResponse)
def change_device(
    request: Request,
    database: DatabaseDep,
    settings: SettingsDep,
    caller: Manager,
    code: Code,
    fields: FieldsDep,
) -> Response:
    """Save one, or show the form with what is wrong."""
    return _save(request, database, settings, caller, code, fields)


@router.get("/register/{kind}", response_class=HTMLResponse)
def show_groups(
    request: Request,
    database: DatabaseDep,
    kind: ByKind,
    saved: Annotated[str, Query(max_length=64, pattern=STORABLE)] = "",
) -> HTMLResponse:
    """Stations, rooms, projects or contractors with a form for the name of each."""
    return _groups(request, database, kind, saved=saved)


@router.post("/register/{kind}/{code:path}", response_class=HTMLResponse)
def rename_group(
    request: Request,
    database: DatabaseDep,
    kind: ByKind,
    code: Code,
    caller: Manager,
    fields: FieldsDep,
) -> Response:
    """Give one another name."""
    grouping, _many = GROUPINGS[kind]
    name, shown = fields.get("name", ""), fields.get(SHOWN, "")
    try:
        rename(database, grouping, code, name, shown, actor=caller.actor, now=int(time.time()))
    except IntactError as wrong:
        return _groups(request, database, kind, wrong=wrong, given=(code, name))
    return RedirectResponse(f"/register/{kind}?saved={quote(code, safe='')}", 303)


def _save(
    request: Request,
    database: Database,
    settings: Settings,
    caller: Caller,
    code: str | None,
    fields: dict[str, str],
) -> Response:
    cells = {name: fields.get(name, "") for name in (*COLUMNS, EFFECTIVE)}
    for box in ("tls", "critical"):
        cells[box] = "true" if fields.get(box) else "false"
    if code is not None:
        cells["code"] = code
    shown = None if code is None else fields.get(SHOWN, "")
    try:
        result = save_device(
            database,
            settings,
            cells,
            shown,
            actor=caller.actor,
            now=int(time.time()),
            on_touched=mark_touched,
        )
    except (ImportRefused, ChangedMeanwhile) as wrong:
        return _form(request, database, code, cells, shown, wrong=wrong)
    what = "inserted" if result.inserted else "updated" if result.updated else "unchanged"
    address = f"/register/devices/{quote(cells['code'], safe='')}/edit?saved={what}"
    return RedirectResponse(address, 303)


def _form(
    request: Request,
    database: Database,
    code: str | None,
    cells: dict[str, str],
    shown: str | None,
    *,
    wrong: IntactError | None = None,
    saved: str = "",
) -> HTMLResponse:
    language = language_of(request)
    _ = translations(language).gettext
    problems = wrong.problems if isinstance(wrong, ImportRefused) else []
    with database.read() as session:
        choices = {name: sorted(group_ids(session, GROUPS[name][0])) for name in GROUP_FIELDS}
    here = _("New device") if code is None else code
    return render(
        request,
        "register/device.html",
        wrong.status if wrong else 200,
        code=code,
        sections=SECTIONS,
        cells={EFFECTIVE: ""} | cells,
        choices=choices,
        shown=shown,
        faults={each.column: retold(each.remedy, language) for each in problems},
        labels=FIELD_LABELS,
        is_changed=isinstance(wrong, ChangedMeanwhile),
        saved=saved,
        crumbs=[Crumb(_("Register"), "/register"), Crumb(here)],
    )


def _groups(
    request: Request,
    database: Database,
    kind: str,
    *,
    saved: str = "",
    wrong: IntactError | None = None,
    given: tuple[str, str] = ("", ""),
) -> HTMLResponse:
    language = language_of(request)
    _ = translations(language).gettext
    grouping, many = GROUPINGS[kind]
    wanted = listing(request, GROUP_COLUMNS, sort="code")
    with database.read() as session:
        wanted = wanted.of(count_groups(session, grouping, wanted.text))
        rows: list[GroupRow] = read_groups(session, grouping, wanted)
    context: dict[str, Any] = {
        "rows": rows,
        "list": wanted,
        "kind": kind,
        "many": many,
        "saved": saved,
        "given": given,
        "problem": wrong and retold(getattr(wrong, "problem", wrong.args[0]), language),
        "crumbs": [Crumb(_("Register"), "/register"), Crumb(_(many))],
    }
    return render(request, "register/groups.html", wrong.status if wrong else 200, **context)
