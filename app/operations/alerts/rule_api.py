"""REST: the alert rules, and the silences."""

import time
from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from app.accounts.caller import Caller
from app.accounts.guard import Allowed
from app.accounts.permissions import Permission
from app.errors import NotFound
from app.operations.alerts import handling, rule_editing, rule_queries
from app.operations.alerts.api import RowId
from app.operations.alerts.rule_editing import RuleWish
from app.operations.alerts.tables import (
    KEY_LENGTH,
    NOTE_LENGTH,
    AlertRule,
    Metric,
    Period,
    Scope,
    Silence,
)
from app.operations.delivery.tables import Severity
from app.web.problems import problem_responses
from app.web.requests import STORABLE, DatabaseDep, SettingsDep

router = APIRouter(tags=["alert rules"])
Reader = Depends(Allowed(Permission.READ_ALERT_RULES))
Manager = Annotated[Caller, Depends(Allowed(Permission.MANAGE_ALERT_RULES))]
Handler = Annotated[Caller, Depends(Allowed(Permission.HANDLE_ALERTS))]
Code = Annotated[str, Field(max_length=64, pattern=STORABLE)]
Number = Annotated[str, Field(max_length=16, pattern=r"^[0-9.]*$", examples=["0.98"])]
MOST_SILENCES = 200


class _RuleFields(BaseModel):
    """When an alert is opened and resolved, and how it is told."""

    metric: Metric
    period: Period = Period.NOW
    scope: Scope = Scope.FLEET
    scope_code: Code | None = Field(default=None, description="null: each one of the scope")
    threshold: Number | None = Field(default=None, description="Decimal fraction of 1")
    recovery: Number | None = Field(default=None, description="null: the threshold")
    for_slots: int = 5
    severity: Severity = Severity.WARNING
    quiet_from: int | None = Field(default=None, description="Minute of the local day")
    quiet_to: int | None = None
    repeat_s: int | None = Field(default=None, description="Told again while unacknowledged")
    escalate_after_s: int | None = None
    recipients: list[int] = Field(default=[], max_length=500, description="Empty: all who want it")
    escalate_to: list[int] = Field(default=[], max_length=500)
    enabled: bool = True


class NewRule(_RuleFields):
    model_config = ConfigDict(extra="forbid")

    key: Annotated[str, Field(max_length=KEY_LENGTH, pattern=STORABLE)]


class RuleChange(_RuleFields):
    """All of the rule as it is to be."""

    model_config = ConfigDict(extra="forbid")


class RuleItem(_RuleFields):
    id: int
    key: str
    shipped: bool
    version: int
    changed_by: str | None
    changed_at: datetime | None


class RuleList(BaseModel):
    rules: list[RuleItem]


class NewSilence(BaseModel):
    """Of a rule, of a place, or of a rule at a place. Without offset `until` is local time."""

    model_config = ConfigDict(extra="forbid")

    kind: Annotated[str, Field(max_length=KEY_LENGTH, pattern=STORABLE)] | None = None
    scope: Scope | None = None
    scope_code: Code | None = None
    reason: Annotated[str, Field(max_length=NOTE_LENGTH, pattern=STORABLE)]
    until: datetime


class SilenceItem(BaseModel):
    id: int
    kind: str | None
    scope: Scope | None
    scope_code: str | None
    reason: str
    created_by: str
    created_at: datetime
    until: datetime
    ended_at: datetime | None
    ended_by: str | None


class SilenceList(BaseModel):
    silences: list[SilenceItem]


@router.get("/alert-rules", dependencies=[Reader])
def list_rules(database: DatabaseDep, settings: SettingsDep) -> RuleList:
    """All rules, those that came with the program first."""
    with database.read() as session:
        told = rule_queries.recipients_by_rule(session)
        rules = [
            rule_item(each, told.get(each.id, ([], [])), settings.zone)
            for each in rule_queries.read_rules(session)
        ]
    return RuleList(rules=rules)


@router.get("/alert-rules/{rule_id}", dependencies=[Reader], responses=problem_responses(404))
def show_rule(database: DatabaseDep, settings: SettingsDep, rule_id: RowId) -> RuleItem:
    """One rule."""
    with database.read() as session:
        rule = rule_queries.find_rule(session, rule_id)
        if rule is None:
            raise NotFound("alert rule", str(rule_id))
        return _item(session, rule, settings.zone)


@router.post("/alert-rules", status_code=201, responses=problem_responses(409, 422))
def add_rule(
    database: DatabaseDep, settings: SettingsDep, caller: Manager, wanted: NewRule
) -> RuleItem:
    """Add a rule."""
    with database.write() as session:
        wish = RuleWish(**wanted.model_dump())
        rule = rule_editing.add_rule(session, wish, caller.actor, int(time.time()))
        return _item(session, rule, settings.zone)


@router.put("/alert-rules/{rule_id}", responses=problem_responses(404, 409, 422))
def change_rule(
    database: DatabaseDep,
    settings: SettingsDep,
    caller: Manager,
    rule_id: RowId,
    wanted: RuleChange,
) -> RuleItem:
    """Change a rule; one that is disabled closes its alerts."""
    with database.write() as session:
        wish = RuleWish(key="", **wanted.model_dump())
        rule = rule_editing.change_rule(session, rule_id, wish, caller.actor, int(time.time()))
        return _item(session, rule, settings.zone)


@router.delete("/alert-rules/{rule_id}", status_code=204, responses=problem_responses(404, 409))
def delete_rule(database: DatabaseDep, caller: Manager, rule_id: RowId) -> Response:
    """Delete a rule that did not come with the program."""
    with database.write() as session:
        rule_editing.delete_rule(session, rule_id, caller.actor, int(time.time()))
    return Response(status_code=204)


@router.get("/silences", dependencies=[Reader], responses=problem_responses(422))
def list_silences(
    database: DatabaseDep, settings: SettingsDep, past: Annotated[bool, Query()] = False
) -> SilenceList:
    """The silences that hold, or (`past`) the last ones that are over."""
    now = int(time.time())
    with database.read() as session:
        found = rule_queries.read_silences(session, now, past=past, count=MOST_SILENCES)
    return SilenceList(silences=[_silence(each, settings.zone) for each in found])


@router.post("/silences", status_code=201, responses=problem_responses(422))
def add_silence(
    database: DatabaseDep, settings: SettingsDep, caller: Handler, wanted: NewSilence
) -> SilenceItem:
    """Keep alerts untold for some time."""
    until = wanted.until if wanted.until.tzinfo else wanted.until.replace(tzinfo=settings.zone)
    with database.write() as session:
        added = handling.silence(
            session,
            kind=wanted.kind,
            scope=wanted.scope,
            scope_code=wanted.scope_code,
            reason=wanted.reason,
            until=int(until.timestamp()),
            actor=caller.actor,
            now=int(time.time()),
        )
        return _silence(added, settings.zone)


@router.post("/silences/{silence_id}/end", responses=problem_responses(404, 409))
def end_silence(
    database: DatabaseDep, settings: SettingsDep, caller: Handler, silence_id: RowId
) -> SilenceItem:
    """End one before its time: what is still open is told."""
    with database.write() as session:
        ended = handling.end_silence(session, silence_id, caller.actor, int(time.time()))
        return _silence(ended, settings.zone)


def _item(session: Session, rule: AlertRule, zone: ZoneInfo) -> RuleItem:
    told = rule_queries.recipients_by_rule(session).get(rule.id, ([], []))
    return rule_item(rule, told, zone)


def rule_item(rule: AlertRule, told: tuple[list[int], list[int]], zone: ZoneInfo) -> RuleItem:
    changed_at = rule.changed_at
    return RuleItem(
        id=rule.id,
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
        shipped=rule.shipped,
        version=rule.version,
        changed_by=rule.changed_by,
        changed_at=None if changed_at is None else datetime.fromtimestamp(changed_at, zone),
    )


def _silence(row: Silence, zone: ZoneInfo) -> SilenceItem:
    return SilenceItem(
        id=row.id,
        kind=row.kind,
        scope=None if row.scope is None else Scope(row.scope),
        scope_code=row.scope_code,
        reason=row.reason,
        created_by=row.created_by,
        created_at=datetime.fromtimestamp(row.created_at, zone),
        until=datetime.fromtimestamp(row.until, zone),
        ended_at=None if row.ended_at is None else datetime.fromtimestamp(row.ended_at, zone),
        ended_by=row.ended_by,
    )
