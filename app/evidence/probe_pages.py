"""What a device answers when it is asked from its page: a piece of that page, or one of its own."""

import time
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import HTMLResponse

from app.accounts.caller import Caller
from app.accounts.guard import Allowed
from app.accounts.permissions import Permission
from app.errors import Refused
from app.evidence.probing import probe_device
from app.web.language import language_of, retold, translations
from app.web.navigation import Crumb
from app.web.requests import STORABLE, DatabaseDep, SettingsDep
from app.web.shell import render
from app.web.words import STATUS_WORDS, class_name
from kpi.policy import DEFAULT_POLICY
from kpi.status import SlotClass

router = APIRouter(include_in_schema=False)


@router.post("/devices/{code:path}/probe", response_class=HTMLResponse)
def probe_now(
    request: Request,
    database: DatabaseDep,
    settings: SettingsDep,
    caller: Annotated[Caller, Depends(Allowed(Permission.PROBE_DEVICES))],
    code: Annotated[str, Path(max_length=64, pattern=STORABLE)],
) -> HTMLResponse:
    """Ask a device now, and show what came of it, or why it was not asked."""
    now = int(time.time())
    try:
        probed = probe_device(database, settings, code, caller.reach, caller.actor, now)
    except Refused as refusal:
        text = retold(refusal.args[0], language_of(request))
        page = _page(request, code, refusal.status, refusal=text)
        page.headers.update(refusal.headers)
        return page
    seen = probed.observation
    return _page(
        request,
        code,
        refusal="",
        seen=seen,
        at=datetime.fromtimestamp(probed.at, settings.zone),
        word=STATUS_WORDS[seen.status],
        slot_class=class_name(DEFAULT_POLICY.classes.get(seen.status, SlotClass.UNKNOWN)),
    )


def _page(request: Request, code: str, http_status: int = 200, **context: Any) -> HTMLResponse:
    """The piece that htmx puts into the device's page, or a whole page where there is no script."""
    _ = translations(language_of(request)).gettext
    crumbs = [Crumb(_("Cameras"), "/devices"), Crumb(code, f"/devices/{quote(code, safe='')}")]
    template = "parts/probed.html" if request.headers.get("hx-request") else "probed.html"
    return render(request, template, http_status, code=code, crumbs=crumbs, **context)
