"""Adds, changes and deletes rules, under one set of checks for pages and REST."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from sqlalchemy.orm import Session

from app.accounts.audit import Actor, record
from app.errors import BadParameter, NotFound, Refused, Remedy
from app.fleet.roster import Grouping, group_names
from app.operations.alerts import queries, rule_queries
from app.operations.alerts.tables import (
    KEY_LENGTH,
    MINUTES_A_DAY,
    Alert,
    AlertRule,
    Metric,
    Period,
    Scope,
)
from app.operations.alerts.window import MOST_SWEEPS
from app.operations.delivery.recipient_queries import recipient_names
from app.operations.delivery.tables import Severity

RATES = (Metric.INTACT_RATE, Metric.ONLINE_RATE, Metric.SUSPENDED_RATE, Metric.COVERAGE)
WITH_THRESHOLD = (*RATES, Metric.CLOCK_WRONG, Metric.DISK_LOW, Metric.BUDGET_BURN)
RISING = (Metric.SUSPENDED_RATE, Metric.CLOCK_WRONG, Metric.BUDGET_BURN)
"""What is worse the higher it is."""
BUDGETS = (Metric.BUDGET_BURN, Metric.MONTH_WILL_MISS)
HIGHEST_BURN = 50
"""Where nothing works and 98 % ought to."""
SCOPES: Mapping[Metric, Sequence[Scope]] = {
    **dict.fromkeys(
        (*RATES, *BUDGETS), tuple(scope for scope in Scope if scope is not Scope.POWER_DISTRICT)
    ),
    Metric.ROOM_DOWN: (Scope.FLEET, Scope.ROOM),
    Metric.INCIDENT: (Scope.FLEET, Scope.ROOM, Scope.CONTRACTOR),
    Metric.COLLECTOR_SILENT: (Scope.FLEET,),
    Metric.CLOCK_WRONG: (Scope.FLEET,),
    Metric.DISK_LOW: (Scope.FLEET,),
}
"""Of whom a metric can be looked at."""
AT_ONCE = (Metric.INCIDENT, Metric.DISK_LOW, Metric.MONTH_WILL_MISS)
MOST_SLOTS = MOST_SWEEPS // 2
SHORTEST_REPEAT_S = 60
LONGEST_REPEAT_S = 30 * 86_400
_KEY = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True, slots=True)
class RuleWish:
    """A rule as somebody wants it; thresholds in decimal fractions of 1, seconds, minutes a day."""

    key: str
    metric: Metric
    period: Period = Period.NOW
    scope: Scope = Scope.FLEET
    scope_code: str | None = None
    threshold: str | None = None
    recovery: str | None = None
    for_slots: int = 5
    severity: Severity = Severity.WARNING
    quiet_from: int | None = None
    quiet_to: int | None = None
    repeat_s: int | None = None
    escalate_after_s: int | None = None
    recipients: Sequence[int] = field(default_factory=tuple)
    escalate_to: Sequence[int] = field(default_factory=tuple)
    enabled: bool = True


def add_rule(session: Session, wish: RuleWish, actor: Actor, now: int) -> AlertRule:
    """Raises `BadParameter`, `Refused` for a key that is taken."""
    _check(session, wish)
    if not _KEY.fullmatch(wish.key) or len(wish.key) > KEY_LENGTH:
        remedy = Remedy("use up to 32 small letters, digits and underscores, a letter first")
        raise BadParameter("key", remedy)
    if rule_queries.rule_of_key(session, wish.key) is not None:
        raise Refused(Remedy("There is a rule %(key)s already; choose another key.", key=wish.key))
    rule = AlertRule(
        key=wish.key, shipped=False, version=1, changed_by=actor.name[:96], changed_at=now,
        **_columns(wish),
    )  # fmt: skip
    session.add(rule)
    session.flush()
    rule_queries.set_recipients(session, rule.id, wish.recipients, wish.escalate_to)
    record(session, actor, "alert_rule.add", wish.key, now, _told(wish))
    return rule


def change_rule(
    session: Session, rule_id: int, wish: RuleWish, actor: Actor, now: int
) -> AlertRule:
    """Its key stays, and of a shipped rule what it looks at. Raises as `add_rule`."""
    rule = _found(session, rule_id)
    _check(session, wish)
    if rule.shipped and (wish.metric, wish.period) != (rule.metric, rule.period):
        raise BadParameter("metric", Remedy("is fixed for a shipped rule; add your own"))
    for name, value in _columns(wish).items():
        setattr(rule, name, value)
    rule.version, rule.changed_by, rule.changed_at = rule.version + 1, actor.name[:96], now
    rule_queries.set_recipients(session, rule.id, wish.recipients, wish.escalate_to)
    if not rule.enabled:
        _close_alerts(session, rule.key, now)
    record(session, actor, "alert_rule.change", rule.key, now, _told(wish))
    session.flush()
    return rule


def delete_rule(session: Session, rule_id: int, actor: Actor, now: int) -> None:
    """Raises `NotFound`, `Refused` for a shipped one."""
    rule = _found(session, rule_id)
    if rule.shipped:
        raise Refused(Remedy("%(key)s came with the program: disable it instead.", key=rule.key))
    _close_alerts(session, rule.key, now)
    rule_queries.delete_rule(session, rule_id)
    record(session, actor, "alert_rule.delete", rule.key, now)


def _found(session: Session, rule_id: int) -> AlertRule:
    rule = rule_queries.find_rule(session, rule_id)
    if rule is None:
        raise NotFound("alert rule", str(rule_id))
    return rule


def _close_alerts(session: Session, key: str, now: int) -> None:
    """Nobody looks any more whether they are over; nobody is told either."""
    found: list[Alert] = [each for each in queries.open_alerts(session) if each.kind == key]
    for alert in found:
        figures = {**alert.figures, "closed": "its rule was switched off"}
        queries.resolve_alert(session, alert.id, now, figures, None)


def _check(session: Session, wish: RuleWish) -> None:
    _check_what(wish)
    _check_thresholds(wish)
    _check_times(wish)
    if wish.scope_code is not None:
        if wish.scope is Scope.FLEET:
            raise BadParameter("scope_code", Remedy("the fleet has no code; leave it out"))
        codes = {name.code for name in group_names(session, Grouping(wish.scope.value)).values()}
        if wish.scope_code not in codes:
            raise BadParameter("scope_code", Remedy("the register holds no such code"))
    known = recipient_names(session)
    for name in ("recipients", "escalate_to"):
        unknown = [each for each in getattr(wish, name) if each not in known]
        if unknown:
            raise BadParameter(name, Remedy("there is no recipient %(id)d", id=unknown[0]))
    if wish.escalate_after_s is not None and not wish.escalate_to:
        raise BadParameter("escalate_to", Remedy("say who is told then"))


def _check_what(wish: RuleWish) -> None:
    if wish.scope not in SCOPES[wish.metric]:
        allowed = ", ".join(SCOPES[wish.metric])
        raise BadParameter("scope", Remedy("this is looked at for: %(scopes)s", scopes=allowed))
    if wish.period is Period.MONTH and wish.metric not in RATES:
        raise BadParameter("period", Remedy("this has no month; use now"))
    if not 1 <= wish.for_slots <= MOST_SLOTS:
        raise BadParameter("for_slots", Remedy("use 1 to %(most)d", most=MOST_SLOTS))
    if wish.for_slots > 1 and (wish.period is Period.MONTH or wish.metric in AT_ONCE):
        raise BadParameter("for_slots", Remedy("use 1: this is not looked at slot by slot"))


def _check_thresholds(wish: RuleWish) -> None:
    if wish.metric not in WITH_THRESHOLD:
        if wish.threshold is not None or wish.recovery is not None:
            raise BadParameter("threshold", Remedy("this has none; leave it out"))
        return
    read = _multiple if wish.metric is Metric.BUDGET_BURN else _fraction
    threshold = read("threshold", wish.threshold)
    if wish.recovery is None:
        return
    recovery = read("recovery", wish.recovery)
    if (recovery > threshold) if wish.metric in RISING else (recovery < threshold):
        above = Remedy("must not lie above the threshold")
        below = Remedy("must not lie below the threshold")
        raise BadParameter("recovery", above if wish.metric in RISING else below)


def _fraction(name: str, text: str | None) -> Decimal:
    value = _decimal(text)
    if value is None or not 0 <= value <= 1:
        raise BadParameter(name, Remedy("must be a decimal fraction from 0 to 1, such as 0.98"))
    return value


def _multiple(name: str, text: str | None) -> Decimal:
    value = _decimal(text)
    if value is None or not 0 < value <= HIGHEST_BURN:
        raise BadParameter(name, Remedy("must be a multiple above 0, up to 50, such as 3"))
    return value


def _decimal(text: str | None) -> Decimal | None:
    try:
        value = Decimal(text or "")
    except InvalidOperation:
        return None
    return value if value.is_finite() and len(text or "") <= 16 else None


def _check_times(wish: RuleWish) -> None:
    quiet = (wish.quiet_from, wish.quiet_to)
    if (quiet[0] is None) != (quiet[1] is None):
        raise BadParameter("quiet_to", Remedy("quiet hours need both a beginning and an end"))
    if any(each is not None and not 0 <= each < MINUTES_A_DAY for each in quiet):
        raise BadParameter("quiet_from", Remedy("must be a time of the day"))
    for name in ("repeat_s", "escalate_after_s"):
        value = getattr(wish, name)
        if value is not None and not SHORTEST_REPEAT_S <= value <= LONGEST_REPEAT_S:
            raise BadParameter(name, Remedy("use a minute to 30 days, in seconds"))


def _columns(wish: RuleWish) -> dict[str, object]:
    return {
        "metric": wish.metric.value,
        "period": wish.period.value,
        "scope": wish.scope.value,
        "scope_code": wish.scope_code,
        "threshold": wish.threshold,
        "recovery": wish.recovery,
        "for_slots": wish.for_slots,
        "severity": wish.severity.value,
        "quiet_from": wish.quiet_from,
        "quiet_to": wish.quiet_to,
        "repeat_s": wish.repeat_s,
        "escalate_after_s": wish.escalate_after_s,
        "enabled": wish.enabled,
    }


def _told(wish: RuleWish) -> dict[str, object]:
    """What the audit log says of it."""
    told = {**_columns(wish), "recipients": list(wish.recipients)}
    told["escalate_to"] = list(wish.escalate_to)
    return {name: value for name, value in told.items() if value not in (None, [])}
