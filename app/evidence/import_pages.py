"""Import by upload: choose a file, see all that it would do and every mistake, then confirm."""

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from io import BytesIO
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Request
from fastapi import Path as InPath
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.datastructures import UploadFile

from app.accounts.audit import Actor
from app.accounts.audit_queries import newest_of
from app.accounts.caller import Caller
from app.accounts.guard import Allowed
from app.accounts.permissions import Permission
from app.config import Settings
from app.database import Database
from app.errors import BadParameter, ImportRefused, RowProblem
from app.evidence import uploads
from app.evidence.ledger import mark_touched
from app.evidence.store import refuse_other_zone
from app.evidence.suspensions import import_suspensions
from app.evidence.uploads import ID_PATTERN, LARGEST_UPLOAD, Upload
from app.fleet.form import FIELD_LABELS
from app.fleet.history import Origin
from app.fleet.importing import import_devices
from app.fleet.tables import ChangeSource
from app.tabular import ImportResult, read_day
from app.web.language import Language, language_of, message, retold, translations
from app.web.navigation import Crumb
from app.web.requests import WORKBOOK, DatabaseDep, SettingsDep
from app.web.shell import render
from kpi.calendar import local_day

router = APIRouter(
    include_in_schema=False, dependencies=[Depends(Allowed(Permission.MANAGE_REGISTER))]
)
Manager = Annotated[Caller, Depends(Allowed(Permission.MANAGE_REGISTER))]
UploadId = Annotated[str, InPath(pattern=ID_PATTERN)]
DEVICES, SUSPENSIONS = "devices", "suspensions"
WHAT = {DEVICES: message("Device register"), SUSPENSIONS: message("Suspensions")}
ACTIONS = tuple(f"{what}.import" for what in WHAT)
LABELS: Mapping[str, str] = {
    **FIELD_LABELS,
    "device_code": message("Code"),
    "from": message("From"),
    "to": message("To"),
    "reason": message("Reason"),
    "approved_by": message("Approved by"),
    "document": message("Document"),
}
LAST_IMPORTS = 5


@dataclass(frozen=True, slots=True)
class _Form:
    """What the form of an upload says."""

    what: str
    effective: str
    file: UploadFile | None


async def _form(request: Request) -> AsyncIterator[_Form]:
    """Read after the rule of the endpoint has let the request in, not before."""
    form = await request.form()
    file = form.get("file")
    named = file if isinstance(file, UploadFile) and file.filename else None
    yield _Form(str(form.get("what", "")), str(form.get("effective", "")).strip(), named)
    await form.close()


async def _skip(request: Request) -> bool:
    return (await request.form()).get("skip") == "true"


@router.get("/register/import", response_class=HTMLResponse)
def show_import(request: Request, database: DatabaseDep, settings: SettingsDep) -> HTMLResponse:
    """Choose a file, or take a template."""
    return _choose(request, database, settings.zone)


@router.post("/register/import", response_class=HTMLResponse, max_body_size=LARGEST_UPLOAD)
def upload(
    request: Request,
    database: DatabaseDep,
    settings: SettingsDep,
    caller: Manager,
    form: Annotated[_Form, Depends(_form)],
) -> Response:
    """Keep the file for its preview."""
    if form.what not in WHAT or form.file is None:
        return _choose(request, database, settings.zone, message("Choose a file."))
    try:
        _day(form.effective)
    except BadParameter as wrong:
        return _choose(request, database, settings.zone, wrong.problem)
    now, name = int(time.time()), form.file.filename or ""
    kept = uploads.keep(settings, form.file.file, caller.name, form.what, name, form.effective, now)
    return RedirectResponse(f"/register/import/{kept.id}", 303)


@router.get("/register/import/{upload_id}", response_class=HTMLResponse)
def preview(
    request: Request,
    database: DatabaseDep,
    settings: SettingsDep,
    caller: Manager,
    upload_id: UploadId,
) -> HTMLResponse:
    """What the file would do now, and every mistake in it; nothing is written."""
    kept, file = uploads.find(settings, upload_id, caller.name, int(time.time()))
    try:
        result = _import(database, settings, kept, file, caller.actor, dry_run=True, skip_bad=True)
    except (ImportRefused, BadParameter) as wrong:
        uploads.drop(settings, upload_id)
        return _refused(request, kept, file, wrong)
    return _result(request, kept, result, is_done=False)


@router.post("/register/import/{upload_id}", response_class=HTMLResponse)
def confirm(
    request: Request,
    database: DatabaseDep,
    settings: SettingsDep,
    caller: Manager,
    upload_id: UploadId,
    skip: Annotated[bool, Depends(_skip)],
) -> HTMLResponse:
    """Import the file that was previewed, checked anew; `skip` leaves its bad rows out."""
    refuse_other_zone(database, settings)
    with uploads.taken(settings, upload_id, caller.name, int(time.time())) as (kept, file):
        try:
            result = _import(
                database, settings, kept, file, caller.actor, dry_run=False, skip_bad=skip
            )
        except (ImportRefused, BadParameter) as wrong:
            return _refused(request, kept, file, wrong)
    return _result(request, kept, result, is_done=True)


@router.get("/register/templates/{what}", response_class=Response)
def template(
    database: DatabaseDep, what: Annotated[str, InPath(pattern=f"^({'|'.join(WHAT)})$")]
) -> Response:
    """The workbook that an office fills in."""
    from app.evidence.suspension_template import write_suspension_template  # openpyxl is heavy
    from app.fleet.template import write_device_template

    target = BytesIO()
    if what == DEVICES:
        write_device_template(database, target)
    else:
        write_suspension_template(target)
    headers = {"Content-Disposition": f'attachment; filename="{what}.xlsx"'}
    return Response(target.getvalue(), media_type=WORKBOOK, headers=headers)


def _import(
    database: Database,
    settings: Settings,
    kept: Upload,
    file: Path,
    actor: Actor,
    *,
    dry_run: bool,
    skip_bad: bool,
) -> ImportResult:
    now = int(time.time())
    if kept.what == DEVICES:
        return import_devices(
            database,
            settings,
            file,
            today=local_day(now, settings.zone),
            on_touched=mark_touched,
            origin=Origin(actor, ChangeSource.IMPORT, now),
            dry_run=dry_run,
            skip_bad=skip_bad,
            effective=_day(kept.effective),
        )
    return import_suspensions(
        database,
        settings,
        file,
        now=now,
        on_touched=mark_touched,
        actor=actor,
        dry_run=dry_run,
        skip_bad=skip_bad,
    )


def _day(text: str) -> date | None:
    try:
        return read_day(text) if text else None
    except ValueError as error:
        raise BadParameter("effective", error.args[0]) from None


def _choose(
    request: Request, database: Database, zone: ZoneInfo, problem: str = ""
) -> HTMLResponse:
    language = language_of(request)
    with database.read() as session:
        last = newest_of(session, ACTIONS, LAST_IMPORTS)
    moments = {each.id: datetime.fromtimestamp(each.at, zone) for each in last}
    return render(
        request,
        "register/import.html",
        422 if problem else 200,
        problem=retold(problem, language),
        what=WHAT,
        last=last,
        moments=moments,
        largest_mib=LARGEST_UPLOAD >> 20,
        crumbs=_crumbs(language),
    )


def _result(request: Request, kept: Upload, result: ImportResult, *, is_done: bool) -> HTMLResponse:
    language = language_of(request)
    bad = result.set_aside
    return render(
        request,
        "register/preview.html",
        200,
        upload=kept,
        what=WHAT,
        result=result,
        problems=_retold(bad.problems, language) if bad else [],
        total=bad.total if bad else 0,
        bad_rows=bad.rows if bad else 0,
        labels=LABELS,
        is_done=is_done,
        crumbs=_crumbs(language, kept.name),
    )


def _refused(
    request: Request, kept: Upload, file: Path, wrong: ImportRefused | BadParameter
) -> HTMLResponse:
    """The file cannot be imported at all, and is gone."""
    language = language_of(request)
    problems = _retold(wrong.problems, language) if isinstance(wrong, ImportRefused) else []
    reason = wrong.problem if isinstance(wrong, BadParameter) else ""
    return render(
        request,
        "register/refused.html",
        422,
        upload=kept,
        problems=problems,
        total=wrong.total if isinstance(wrong, ImportRefused) else 0,
        reason=retold(reason, language).replace(str(file), kept.name),
        crumbs=_crumbs(language, kept.name),
    )


def _retold(problems: Sequence[RowProblem], language: Language) -> list[RowProblem]:
    return [
        RowProblem(each.row, each.column, each.value, retold(each.remedy, language))
        for each in problems
    ]


def _crumbs(language: Language, name: str | None = None) -> list[Crumb]:
    _ = translations(language).gettext
    way = [Crumb(_("Register"), "/register")]
    if name is None:
        return [*way, Crumb(_("Import"))]
    return [*way, Crumb(_("Import"), "/register/import"), Crumb(name)]
