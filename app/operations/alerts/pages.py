"""Pages of the alerts: what is open, one alert with what was told of it, the silences."""

import time
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from app.accounts.guard import Allowed, ReachDep
from app.accounts.permissions import Permission
from app.accounts.reach import Reach
from app.config import Settings
from app.database import Database
from app.errors import BadParameter, IntactError, Refused
from app.operations.alerts import handling, queries, rule_queries
from app.operations.alerts.api import Handler, RowId
from app.operations.alerts.messages import AlertFacts, summary, title
from app.operations.alerts.rules import RuleBook
from app.operations.alerts.tables import KEY_LENGTH, NOTE_LENGTH, Alert, Scope
from app.operations.alerts.words import (
    EVENT_WORDS,
    PLACE_WORDS,
    RULE_WORDS,
    SEVERITY_CLASSES,
    STATE_WORDS,
)
from app.operations.delivery import words as delivery_words
from app.operations.delivery.queries import notifications_of
from app.operations.delivery.recipient_queries import recipient_names
from app.operations.delivery.tables import Severity
from app.operations.delivery.wording import SEVERITY_WORDS
from app.web.language import Language, language_of, retold, translations
from app.web.navigation import Crumb
from app.web.requests import STORABLE, DatabaseDep, SettingsDep
from app.web.shell import render

router = APIRouter(include_in_schema=False)
reading = APIRouter(dependencies=[Depends(Allowed(Permission.READ_ALERTS))])
ROWS = 50
MOST_SILENCES = 50
HOURS = (1, 4, 24, 72, 168)
"""For how long an alert may be silenced by a button."""
State = Annotated[str, Query(pattern="^(open|resolved|all)$")]
PageNumber = Annotated[int, Query(ge=1, le=1_000_000)]
Note = Annotated[str, Form(max_length=NOTE_LENGTH, pattern=STORABLE)]


@reading.get("/alerts", response_class=HTMLResponse)
def show_alerts(
    request: Request,
    database: DatabaseDep,
    settings: SettingsDep,
    reach: ReachDep,
    state: State = "open",
    kind: Annotated[str, Query(max_length=KEY_LENGTH, pattern=STORABLE)] = "",
    page: PageNumber = 1,
) -> HTMLResponse:
    """The alerts, the newest first."""
    with database.read() as session:
        total = queries.count_alerts(session, state, kind or None, reach)
        pages = max(1, -(-total // ROWS))
        page = min(page, pages)
        found = queries.read_alerts(session, state, kind or None, reach, (page - 1) * ROWS, ROWS)
    language = language_of(request)
    return render(
        request,
        "alerts/alerts.html",
        alerts=[_shown(each, settings, language) for each in found],
        total=total,
        page=page,
        page_count=pages,
        state=state,
        states=STATE_WORDS,
        rule_words=RULE_WORDS,
        kind=kind,
        severities=SEVERITY_WORDS,
        classes=SEVERITY_CLASSES,
        crumbs=_crumbs(language),
    )


@reading.get("/alerts/{alert_id}", response_class=HTMLResponse)
def show_alert(
    request: Request, database: DatabaseDep, settings: SettingsDep, reach: ReachDep, alert_id: RowId
) -> HTMLResponse:
    """One alert: its figures, what was told, and what can be done."""
    return _alert(request, database, settings, reach, alert_id)


@router.post("/alerts/{alert_id}/acknowledge", response_class=HTMLResponse)
def acknowledge_alert(
    request: Request,
    database: DatabaseDep,
    settings: SettingsDep,
    reach: ReachDep,
    caller: Handler,
    alert_id: RowId,
    note: Note = "",
) -> Response:
    """Somebody has seen it."""
    try:
        with database.write() as session:
            alert = handling.find_alert(session, alert_id, reach)
            handling.acknowledge(session, alert, note.strip(), caller.actor, int(time.time()))
    except Refused as wrong:
        return _alert(request, database, settings, reach, alert_id, wrong)
    return RedirectResponse(f"/alerts/{alert_id}", 303)


@router.post("/alerts/{alert_id}/escalate", response_class=HTMLResponse)
def escalate_alert(
    request: Request,
    database: DatabaseDep,
    settings: SettingsDep,
    reach: ReachDep,
    caller: Handler,
    alert_id: RowId,
) -> Response:
    """Tell those at once who would be told later."""
    try:
        with database.write() as session:
            alert = handling.find_alert(session, alert_id, reach)
            book = RuleBook()
            book.refresh(session)
            handling.escalate(session, settings, book, alert, caller.actor, int(time.time()))
    except Refused as wrong:
        return _alert(request, database, settings, reach, alert_id, wrong)
    return RedirectResponse(f"/alerts/{alert_id}", 303)


@router.post("/alerts/{alert_id}/silence", response_class=HTMLResponse)
def silence_alert(
    request: Request,
    database: DatabaseDep,
    settings: SettingsDep,
    reach: ReachDep,
    caller: Handler,
    alert_id: RowId,
    hours: Annotated[int, Form(ge=1, le=90 * 24)],
    reason: Note = "",
) -> Response:
    """Keep what is told of this rule at this place back for some hours."""
    now = int(time.time())
    try:
        with database.write() as session:
            alert = handling.find_alert(session, alert_id, reach)
            handling.silence(
                session,
                kind=alert.kind,
                scope=Scope(alert.scope),
                scope_code=alert.scope_code,
                reason=reason,
                until=now + 3600 * hours,
                actor=caller.actor,
                now=now,
            )
    except (BadParameter, Refused) as wrong:
        return _alert(request, database, settings, reach, alert_id, wrong)
    return RedirectResponse(f"/alerts/{alert_id}", 303)


@router.get(
    "/silences",
    response_class=HTMLResponse,
    dependencies=[Depends(Allowed(Permission.READ_ALERT_RULES))],
)
def show_silences(request: Request, database: DatabaseDep, settings: SettingsDep) -> HTMLResponse:
    """What is kept untold, until when and why."""
    now = int(time.time())
    with database.read() as session:
        holding = rule_queries.read_silences(session, now, past=False, count=MOST_SILENCES)
        past = rule_queries.read_silences(session, now, past=True, count=MOST_SILENCES)
    language = language_of(request)
    return render(
        request,
        "alerts/silences.html",
        holding=holding,
        past=past,
        places=PLACE_WORDS,
        rule_words=RULE_WORDS,
        moment=lambda at: datetime.fromtimestamp(at, settings.zone),
        crumbs=[*_crumbs(language), Crumb(translations(language).gettext("Silences"))],
    )


@router.post("/silences/{silence_id}/end", response_class=HTMLResponse)
def end_silence(database: DatabaseDep, caller: Handler, silence_id: RowId) -> Response:
    """What is still open is told then."""
    with database.write() as session:
        handling.end_silence(session, silence_id, caller.actor, int(time.time()))
    return RedirectResponse("/silences", 303)


def _alert(
    request: Request,
    database: Database,
    settings: Settings,
    reach: Reach,
    alert_id: int,
    wrong: IntactError | None = None,
) -> HTMLResponse:
    language = language_of(request)
    now = int(time.time())
    with database.read() as session:
        alert = handling.find_alert(session, alert_id, reach)
        sent = notifications_of(session, [alert_id])[alert_id]
        names = recipient_names(session)
        silenced = [
            each
            for each in rule_queries.silences_at(session, now)
            if each.kind in (None, alert.kind)
            and each.scope in (None, alert.scope)
            and each.scope_code in (None, alert.scope_code)
        ]
    shown = _shown(alert, settings, language)
    problem = wrong.problem if isinstance(wrong, BadParameter) else wrong and str(wrong)
    return render(
        request,
        "alerts/alert.html",
        409 if wrong else 200,
        shown=shown,
        alert=alert,
        sent=sent,
        names=names,
        silenced=silenced,
        hours=HOURS,
        problem=retold(problem, language) if problem else "",
        moment=lambda at: datetime.fromtimestamp(at, settings.zone),
        severities=SEVERITY_WORDS,
        classes=SEVERITY_CLASSES,
        events=EVENT_WORDS,
        rule_words=RULE_WORDS,
        delivery=delivery_words,
        crumbs=[*_crumbs(language), Crumb(shown["title"])],
    )


def _shown(alert: Alert, settings: Settings, language: Language) -> dict[str, Any]:
    """An alert as the pages show it."""
    facts = AlertFacts.of(alert)
    over = alert.resolved_at
    return {
        "id": alert.id,
        "kind": alert.kind,
        "title": title(facts, language),
        "summary": summary(facts, settings.zone, language),
        "severity": Severity(alert.severity),
        "since": datetime.fromtimestamp(alert.since, settings.zone),
        "over": None if over is None else datetime.fromtimestamp(over, settings.zone),
        "acknowledged_by": alert.acknowledged_by,
        "seconds": max(0, (int(time.time()) if over is None else over) - alert.since),
    }


def _crumbs(language: Language) -> list[Crumb]:
    _ = translations(language).gettext
    return [Crumb(_("Overview"), "/"), Crumb(_("Alerts"), "/alerts")]


router.include_router(reading)
