"""Watches the figures: opens and resolves alerts, and writes what is to be told about them.

Deciding, writing and queueing what is to be told are one transaction: a decision that was made is
told, whatever happens to the process in between (see `app.operations.delivery`). A glance without
a lock goes before it, for nearly always there is nothing to decide. Any number of processes may
watch: the database lets one of them open, resolve or tell.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import structlog
from sqlalchemy.orm import Session

from app.config import Settings
from app.database import Database
from app.operations.alerts import queries
from app.operations.alerts.deciding import Change, Reading, decide, silent_since
from app.operations.alerts.figures import figures_of
from app.operations.alerts.looking import Lookout, Sight
from app.operations.alerts.queries import Place
from app.operations.alerts.rules import Rule, RuleBook
from app.operations.alerts.tables import Alert, AlertEvent, Metric, Period, Scope
from app.operations.alerts.telling import Teller
from app.operations.alerts.window import FLEET

log = structlog.get_logger()
Key = tuple[str, str, str]
"""(rule, scope, code)"""


class Decision(NamedTuple):
    """A change of one rule's alert about one place."""

    rule: Rule
    place: Place
    change: Change

    @property
    def key(self) -> Key:
        return self.rule.key, self.place.scope.value, self.place.code


def watch(database: Database, settings: Settings, now: int, watching_since: int) -> None:
    """One look without any memory; see `Watcher`."""
    Watcher(database, settings, watching_since).look(now)


class Watcher:
    """Looks at what is new, after each sweep and while there is none.

    `watching_since` (UTC seconds) is the start of the collector, or of whoever watches it.
    """

    def __init__(self, database: Database, settings: Settings, watching_since: int) -> None:
        self._database, self._settings = database, settings
        self._since = watching_since
        self._book = RuleBook()
        self._lookout = Lookout(settings)

    def look(self, now: int) -> None:
        """Open, resolve and tell what is due at `now` (UTC seconds)."""
        with self._database.read() as session:
            self._book.refresh(session)
            sight = self._lookout.look(session, self._book, now)
            alerts = queries.open_alerts(session)
            teller = Teller(session, self._settings, self._book, now)
            if not self._decisions(sight, alerts) and not teller.is_due(alerts):
                return  # as nearly always: no sweep has to wait for a lock that changes nothing
        with self._database.write() as session:
            alerts = queries.open_alerts(session)
            open_alerts = {_key(alert): alert for alert in alerts}
            teller = Teller(session, self._settings, self._book, now)
            for decision in self._decisions(sight, alerts):
                alert = open_alerts.get(decision.key)
                self._apply(session, sight, decision, alert)
            teller.tell_due()

    def _decisions(self, sight: Sight, alerts: list[Alert]) -> list[Decision]:
        """What follows for every rule and place. While there is no evidence the rules that read
        sweeps rest: it neither helps nor hurts."""
        open_keys = {_key(alert): alert for alert in alerts}
        found: list[Decision] = []
        blind = False
        for rule in self._book.rules:
            if blind and _rests(rule):
                continue
            of_rule = list(self._of_rule(rule, sight, open_keys))
            found += of_rule
            if rule.is_about_evidence:
                key = (rule.key, FLEET.scope.value, FLEET.code)
                events = {each.change.event for each in of_rule}
                blind |= AlertEvent.OPENED in events
                blind |= key in open_keys and AlertEvent.RESOLVED not in events
        return found

    def _of_rule(self, rule: Rule, sight: Sight, open_keys: dict[Key, Alert]) -> Iterator[Decision]:
        if rule.metric is Metric.COLLECTOR_SILENT:
            silent = self._about_silence(rule, sight, (rule.key, *FLEET[:2]) in open_keys)
            if silent is not None:
                yield Decision(rule, FLEET, silent)
            return
        seen = set()
        for place, readings in sight.readings(rule):
            is_open = (rule.key, place.scope.value, place.code) in open_keys
            change = decide(readings, rule.limits, sight.now, sight.interval_s, is_open=is_open)
            seen.add((place.scope.value, place.code))
            if change is not None:
                yield Decision(rule, place, change)
        if rule.metric is Metric.INCIDENT:  # it is over where it is not among those that last
            for key, alert in open_keys.items():
                if key[0] == rule.key and key[1:] not in seen:
                    over = Reading(sight.now, 0, 1)
                    change = Change(AlertEvent.RESOLVED, sight.now, over)
                    yield Decision(rule, _place_of(alert), change)

    def _about_silence(self, rule: Rule, sight: Sight, is_open: bool) -> Change | None:
        newest = sight.window.newest
        if is_open:
            if sight.stale or newest is None:
                return None
            return Change(AlertEvent.RESOLVED, newest.tick, Reading(newest.tick, 0, 1))
        since = silent_since(
            now=sight.now,
            interval_s=sight.interval_s,
            watching_since=self._since,
            for_slots=rule.limits.for_slots,
            last_finished_at=None if newest is None else newest.finished_at,
            expected=sight.expected,
        )
        if since is None:
            return None
        return Change(AlertEvent.OPENED, since, Reading(sight.now, 1, 1))

    def _apply(
        self, session: Session, sight: Sight, decision: Decision, alert: Alert | None
    ) -> None:
        rule, place, change = decision
        figures = figures_of(rule, place, change, sight, self._settings.zone)
        if change.event is AlertEvent.OPENED:
            row = _row(decision, sight.now, figures)
            alert_id = queries.insert_alert(session, row)
        elif alert is not None:
            alert_id = _resolve(session, alert, sight.now, figures)
        else:
            return
        if alert_id is not None:
            told = {"kind": rule.key, "scope": place.scope.value, "code": place.code}
            log.warning("alert", event_=change.event.value, alert=alert_id, **told)


def _rests(rule: Rule) -> bool:
    """Whether a rule reads what the sweeps say of now, and is not about the evidence itself."""
    facts = (Metric.DISK_LOW, Metric.INCIDENT)
    if rule.metric in facts or rule.period is Period.MONTH:
        return False
    return not rule.is_about_evidence


def _key(alert: Alert) -> Key:
    return alert.kind, alert.scope, alert.scope_code


def _place_of(alert: Alert) -> Place:
    return Place(Scope(alert.scope), alert.scope_code, alert.scope_name)


def _row(decision: Decision, now: int, figures: dict[str, Any]) -> dict[str, Any]:
    rule, place, change = decision
    return {
        "kind": rule.key,
        "metric": rule.metric.value,
        "scope": place.scope.value,
        "scope_code": place.code,
        "scope_name": place.name,
        "severity": rule.severity.value,
        "opened_at": now,
        "since": change.since,
        "figures": figures,
        "pending": AlertEvent.OPENED.value,
    }


def _resolve(session: Session, alert: Alert, now: int, recovered: dict[str, Any]) -> int | None:
    """Close an alert; its figures stay, those of the recovery stand beside them.

    What was never told is not told to be over.
    """
    pending = None if alert.told_at is None else AlertEvent.RESOLVED.value
    figures = {**alert.figures, "recovered": recovered}
    if not queries.resolve_alert(session, alert.id, now, figures, pending):
        return None
    return alert.id
