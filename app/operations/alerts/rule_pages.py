"""Pages of the alert rules: the list, and a form for each."""

import time
from datetime import datetime
from enum import StrEnum
from typing import Annotated, TypeVar

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from app.accounts.guard import Allowed
from app.accounts.permissions import Permission
from app.database import Database
from app.errors import BadParameter, IntactError, NotFound, Remedy
from app.operations.alerts import rule_editing, rule_queries
from app.operations.alerts.api import RowId
from app.operations.alerts.rule_api import Manager
from app.operations.alerts.rule_editing import SCOPES, RuleWish
from app.operations.alerts.tables import AlertRule, Metric, Period, Scope
from app.operations.alerts.words import (
    METRIC_WORDS,
    PERIOD_WORDS,
    PLACE_WORDS,
    RULE_LABELS,
    RULE_WORDS,
    SEVERITY_CLASSES,
)
from app.operations.delivery.recipient_queries import recipient_names
from app.operations.delivery.tables import Severity
from app.operations.delivery.wording import SEVERITY_WORDS
from app.web.language import language_of, retold, translations
from app.web.navigation import Crumb
from app.web.requests import DatabaseDep, SettingsDep
from app.web.shell import render

router = APIRouter(include_in_schema=False)
managing = APIRouter(dependencies=[Depends(Allowed(Permission.MANAGE_ALERT_RULES))])
MINUTE_S = 60
Member = TypeVar("Member", bound=StrEnum)
OFFERED = [scope for scope in Scope if scope is not Scope.POWER_DISTRICT]


async def _fields(request: Request) -> dict[str, list[str]]:
    """The text fields of the form, stripped, each with all its values."""
    form = await request.form()
    told: dict[str, list[str]] = {}
    for name, value in form.multi_items():
        if isinstance(value, str):
            told.setdefault(name, []).append(value.strip())
    return told


FieldsDep = Annotated[dict[str, list[str]], Depends(_fields)]


@router.get(
    "/alert-rules",
    response_class=HTMLResponse,
    dependencies=[Depends(Allowed(Permission.READ_ALERT_RULES))],
)
def show_rules(
    request: Request,
    database: DatabaseDep,
    settings: SettingsDep,
    done: Annotated[str, Query(pattern="^(|saved|deleted)$")] = "",
) -> HTMLResponse:
    """When an alert is opened, and who is told."""
    with database.read() as session:
        rules = rule_queries.read_rules(session)
        told = rule_queries.recipients_by_rule(session)
        names = recipient_names(session)
    return render(
        request,
        "alerts/rules.html",
        rules=rules,
        told=told,
        names=names,
        done=done,
        metrics=METRIC_WORDS,
        periods=PERIOD_WORDS,
        places=PLACE_WORDS,
        rule_words=RULE_WORDS,
        severities=SEVERITY_WORDS,
        classes=SEVERITY_CLASSES,
        crumbs=_crumbs(request),
        moment=lambda at: datetime.fromtimestamp(at, settings.zone),
    )


@managing.get("/alert-rules/new", response_class=HTMLResponse)
def new_rule(request: Request, database: DatabaseDep) -> HTMLResponse:
    """An empty form."""
    return _form(request, database, None, RuleWish("", Metric.INTACT_RATE, threshold="0.98"))


@managing.post("/alert-rules/new", response_class=HTMLResponse)
def add_rule(
    request: Request, database: DatabaseDep, caller: Manager, fields: FieldsDep
) -> Response:
    """Add one, or show the form with what is wrong."""
    wish = RuleWish("", Metric.INTACT_RATE)
    try:
        wish = _wish(fields)
        with database.write() as session:
            rule_editing.add_rule(session, wish, caller.actor, int(time.time()))
    except IntactError as wrong:
        return _form(request, database, None, wish, wrong)
    return RedirectResponse("/alert-rules?done=saved", 303)


@managing.get("/alert-rules/{rule_id}/edit", response_class=HTMLResponse)
def edit_rule(request: Request, database: DatabaseDep, rule_id: RowId) -> HTMLResponse:
    """The form of one."""
    with database.read() as session:
        rule = rule_queries.find_rule(session, rule_id)
        if rule is None:
            raise NotFound("alert rule", str(rule_id))
        told = rule_queries.recipients_by_rule(session).get(rule_id, ([], []))
    return _form(request, database, rule, _wish_of(rule, told))


@managing.post("/alert-rules/{rule_id}/edit", response_class=HTMLResponse)
def change_rule(
    request: Request,
    database: DatabaseDep,
    caller: Manager,
    rule_id: RowId,
    fields: FieldsDep,
) -> Response:
    """Save one, or show the form with what is wrong."""
    with database.read() as session:
        rule = rule_queries.find_rule(session, rule_id)
    if rule is None:
        raise NotFound("alert rule", str(rule_id))
    wish = _wish_of(rule, ([], []))
    try:
        wish = _wish(fields)
        with database.write() as session:
            rule_editing.change_rule(session, rule_id, wish, caller.actor, int(time.time()))
    except IntactError as wrong:
        return _form(request, database, rule, wish, wrong)
    return RedirectResponse("/alert-rules?done=saved", 303)


@managing.post("/alert-rules/{rule_id}/delete")
def delete_rule(database: DatabaseDep, caller: Manager, rule_id: RowId) -> Response:
    """Delete one that did not come with the program."""
    with database.write() as session:
        rule_editing.delete_rule(session, rule_id, caller.actor, int(time.time()))
    return RedirectResponse("/alert-rules?done=deleted", 303)


router.include_router(managing)


def _form(
    request: Request,
    database: Database,
    rule: AlertRule | None,
    wish: RuleWish,
    wrong: IntactError | None = None,
) -> HTMLResponse:
    language = language_of(request)
    with database.read() as session:
        names = recipient_names(session)
    field = wrong.parameter if isinstance(wrong, BadParameter) else ""
    problem = wrong.problem if isinstance(wrong, BadParameter) else wrong and str(wrong)
    _ = translations(language).gettext
    return render(
        request,
        "alerts/rule.html",
        422 if wrong else 200,
        rule=rule,
        wish=wish,
        field=field,
        label=_(RULE_LABELS[field]) if field in RULE_LABELS else "",
        problem=retold(problem, language) if problem else "",
        labels=RULE_LABELS,
        metrics=METRIC_WORDS,
        periods=PERIOD_WORDS,
        rule_words=RULE_WORDS,
        places={scope: PLACE_WORDS[scope] for scope in OFFERED},
        severities=SEVERITY_WORDS,
        names=names,
        clock=_clock,
        scopes=SCOPES,
        crumbs=[*_crumbs(request), Crumb(rule.key if rule else _("New rule"))],
    )


def _wish(fields: dict[str, list[str]]) -> RuleWish:
    """What the form says. Raises `BadParameter`."""

    def one(name: str) -> str:
        return next(iter(fields.get(name, [])), "")

    return RuleWish(
        key=one("key"),
        metric=_member("metric", Metric, one("metric")),
        period=_member("period", Period, one("period") or Period.NOW),
        scope=_member("scope", Scope, one("scope") or Scope.FLEET),
        scope_code=one("scope_code") or None,
        threshold=one("threshold") or None,
        recovery=one("recovery") or None,
        for_slots=_number("for_slots", one("for_slots")) or 1,
        severity=_member("severity", Severity, one("severity") or Severity.WARNING),
        quiet_from=_minute("quiet_from", one("quiet_from")),
        quiet_to=_minute("quiet_to", one("quiet_to")),
        repeat_s=_minutes("repeat_s", one("repeat_minutes")),
        escalate_after_s=_minutes("escalate_after_s", one("escalate_minutes")),
        recipients=_ids("recipients", fields.get("recipients", [])),
        escalate_to=_ids("escalate_to", fields.get("escalate_to", [])),
        enabled=bool(one("enabled")),
    )


def _wish_of(rule: AlertRule, told: tuple[list[int], list[int]]) -> RuleWish:
    return RuleWish(
        key=rule.key,
        metric=Metric(rule.metric),
        period=Period(rule.period),
        scope=Scope(rule.scope),
        scope_code=rule.scope_code,
        threshold=rule.threshold,
        recovery=rule.recovery,
        for_slots=rule.for_slots,
        severity=Severity(rule.severity),
        quiet_from=rule.quiet_from,
        quiet_to=rule.quiet_to,
        repeat_s=rule.repeat_s,
        escalate_after_s=rule.escalate_after_s,
        recipients=told[0],
        escalate_to=told[1],
        enabled=rule.enabled,
    )


def _member(name: str, kind: type[Member], text: str) -> Member:
    try:
        return kind(text)
    except ValueError:
        raise BadParameter(name, Remedy("choose one of the list")) from None


def _number(name: str, text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= 6):
        raise BadParameter(name, Remedy("must be a whole number"))
    return int(text)


def _minutes(name: str, text: str) -> int | None:
    minutes = _number(name, text)
    return None if minutes is None else MINUTE_S * minutes


def _ids(name: str, texts: list[str]) -> list[int]:
    return [number for text in texts if (number := _number(name, text)) is not None]


def _minute(name: str, text: str) -> int | None:
    """A time of the day as minutes."""
    if not text:
        return None
    try:
        moment = datetime.strptime(text, "%H:%M")  # noqa: DTZ007 - a time of any day
    except ValueError:
        raise BadParameter(name, Remedy("must be a time of the day")) from None
    return 60 * moment.hour + moment.minute


def _clock(minute: int | None) -> str:
    return "" if minute is None else f"{minute // 60:02d}:{minute % 60:02d}"


def _crumbs(request: Request) -> list[Crumb]:
    _ = translations(language_of(request)).gettext
    return [Crumb(_("Alerts"), "/alerts"), Crumb(_("Alert rules"), "/alert-rules")]
