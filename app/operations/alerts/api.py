"""REST: the alerts, and what became of the messages about them."""

import time
from datetime import datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, Field

from app.accounts.caller import Caller
from app.accounts.guard import Allowed, ReachDep
from app.accounts.permissions import Permission
from app.operations.alerts import handling
from app.operations.alerts.messages import AlertFacts, summaries
from app.operations.alerts.queries import count_alerts, read_alerts
from app.operations.alerts.rules import RuleBook
from app.operations.alerts.tables import KEY_LENGTH, NOTE_LENGTH, Alert, AlertEvent, Metric, Scope
from app.operations.delivery.queries import notifications_of
from app.operations.delivery.tables import Notification, Severity
from app.web.problems import problem_responses
from app.web.requests import STORABLE, DatabaseDep, SettingsDep

router = APIRouter(tags=["alerts"])
reading = APIRouter(dependencies=[Depends(Allowed(Permission.READ_ALERTS))])

State = Literal["open", "resolved"]
RowId = Annotated[int, Path(ge=1, le=2**31 - 1)]
Handler = Annotated[Caller, Depends(Allowed(Permission.HANDLE_ALERTS))]


class NotificationItem(BaseModel):
    """A message about an alert; `given_up`: it could not be delivered within a day."""

    event: AlertEvent
    state: Literal["waiting", "delivered", "given_up"]
    attempts: int
    created_at: datetime
    next_attempt_at: datetime | None
    delivered_at: datetime | None
    last_error: str | None


class AlertItem(BaseModel):
    """One alert; `since` is when its cause began. Times are local, with their offset."""

    id: int
    kind: str = Field(description="The key of its rule")
    metric: Metric
    severity: Severity
    scope: Scope
    scope_code: str | None
    scope_name: str | None
    state: State
    since: datetime
    opened_at: datetime
    resolved_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    note: str | None
    escalated_at: datetime | None
    figures: dict[str, Any] = Field(description="At its opening; under `recovered`, at its end")
    summary: dict[str, str] = Field(description="Language (`zh`, `en`) → the alert in words")
    notifications: list[NotificationItem]


class Acknowledgement(BaseModel):
    note: Annotated[str, Field(max_length=NOTE_LENGTH, pattern=STORABLE)] = ""


class AlertPage(BaseModel):
    """One page of the selected alerts, newest first; `total` counts them all."""

    total: int
    page: int
    page_size: int
    items: list[AlertItem]


@reading.get("/alerts", responses=problem_responses(422))
def list_alerts(
    database: DatabaseDep,
    settings: SettingsDep,
    reach: ReachDep,
    state: Annotated[Literal["open", "resolved", "all"], Query()] = "all",
    kind: Annotated[str | None, Query(max_length=KEY_LENGTH, pattern=STORABLE)] = None,
    page: Annotated[int, Query(ge=1, le=1_000_000)] = 1,
    page_size: Annotated[int, Query(ge=1, le=500)] = 100,
) -> AlertPage:
    """Alerts, newest first, selected by state and kind."""
    with database.read() as session:
        total = count_alerts(session, state, kind, reach)
        alerts = read_alerts(session, state, kind, reach, (page - 1) * page_size, page_size)
        sent = notifications_of(session, [alert.id for alert in alerts])
    items = [_item(alert, sent[alert.id], settings.zone) for alert in alerts]
    return AlertPage(total=total, page=page, page_size=page_size, items=items)


@reading.get("/alerts/{alert_id}", responses=problem_responses(404))
def show_alert(
    database: DatabaseDep, settings: SettingsDep, reach: ReachDep, alert_id: RowId
) -> AlertItem:
    """One alert."""
    with database.read() as session:
        alert = handling.find_alert(session, alert_id, reach)
        sent = notifications_of(session, [alert_id])
    return _item(alert, sent[alert_id], settings.zone)


@router.post("/alerts/{alert_id}/acknowledge", responses=problem_responses(404, 409, 422))
def acknowledge_alert(
    database: DatabaseDep,
    settings: SettingsDep,
    reach: ReachDep,
    caller: Handler,
    alert_id: RowId,
    told: Acknowledgement,
) -> AlertItem:
    """Somebody has seen it: it is not told again, and not escalated."""
    with database.write() as session:
        alert = handling.find_alert(session, alert_id, reach)
        handling.acknowledge(session, alert, told.note.strip(), caller.actor, int(time.time()))
    return show_alert(database, settings, reach, alert_id)


@router.post("/alerts/{alert_id}/escalate", responses=problem_responses(404, 409))
def escalate_alert(
    database: DatabaseDep,
    settings: SettingsDep,
    reach: ReachDep,
    caller: Handler,
    alert_id: RowId,
) -> AlertItem:
    """Tell those at once who would be told later."""
    with database.write() as session:
        alert = handling.find_alert(session, alert_id, reach)
        book = RuleBook()
        book.refresh(session)
        handling.escalate(session, settings, book, alert, caller.actor, int(time.time()))
    return show_alert(database, settings, reach, alert_id)


def _item(alert: Alert, notifications: list[Notification], zone: ZoneInfo) -> AlertItem:
    facts = AlertFacts.of(alert)
    return AlertItem(
        id=facts.id,
        kind=facts.kind,
        metric=facts.metric,
        severity=Severity(facts.severity),
        scope=facts.scope,
        scope_code=facts.scope_code or None,
        scope_name=facts.scope_name or None,
        state="open" if facts.resolved_at is None else "resolved",
        since=_local(facts.since, zone),
        opened_at=_local(facts.opened_at, zone),
        resolved_at=_local_or_none(facts.resolved_at, zone),
        acknowledged_at=_local_or_none(alert.acknowledged_at, zone),
        acknowledged_by=alert.acknowledged_by,
        note=alert.note,
        escalated_at=_local_or_none(alert.escalated_at, zone),
        figures=facts.figures,
        summary=summaries(facts, zone),
        notifications=[_notification(each, zone) for each in notifications],
    )


def _notification(sent: Notification, zone: ZoneInfo) -> NotificationItem:
    waiting = sent.delivered_at is None and sent.given_up_at is None
    done: Literal["delivered", "given_up"] = "delivered" if sent.delivered_at else "given_up"
    return NotificationItem(
        event=AlertEvent(sent.event),
        state="waiting" if waiting else done,
        attempts=sent.attempts,
        created_at=_local(sent.created_at, zone),
        next_attempt_at=_local(sent.next_attempt_at, zone) if waiting else None,
        delivered_at=_local_or_none(sent.delivered_at, zone),
        last_error=sent.last_error,
    )


def _local(instant: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(instant, zone)


def _local_or_none(instant: int | None, zone: ZoneInfo) -> datetime | None:
    return None if instant is None else _local(instant, zone)


router.include_router(reading)
