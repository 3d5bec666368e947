"""Tells about alerts: at once, after quiet hours or a silence, again, and to others.

Each is a conditional UPDATE and the messages in one transaction: of two processes one tells.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cached_property

from sqlalchemy.orm import Session

from app.config import Settings
from app.operations.alerts import queries, rule_queries
from app.operations.alerts.deciding import is_quiet
from app.operations.alerts.messages import AlertFacts, body
from app.operations.alerts.rules import Rule, RuleBook
from app.operations.alerts.tables import Alert, AlertEvent, Silence
from app.operations.delivery.queries import enqueue
from app.operations.delivery.tables import Severity


class Teller:
    """What is to be told at `now` (UTC seconds)."""

    def __init__(self, session: Session, settings: Settings, book: RuleBook, now: int) -> None:
        self._session, self._settings = session, settings
        self._book, self._now = book, now

    @cached_property
    def _silences(self) -> list[Silence]:
        return rule_queries.silences_at(self._session, self._now)

    def is_due(self, open_alerts: Iterable[Alert]) -> bool:
        """Whether there is anything to tell."""
        pending = queries.pending_alerts(self._session)
        return any(not self._is_held(alert) for alert in pending) or any(
            self._is_to_be_repeated(alert) or self._is_to_be_escalated(alert)
            for alert in open_alerts
        )

    def tell_due(self) -> None:
        """Tell what waits and may be told; tell again what nobody has acknowledged."""
        for alert in queries.pending_alerts(self._session):
            if not self._is_held(alert):
                self._tell_pending(alert)
        for alert in queries.open_alerts(self._session):
            if self._is_to_be_repeated(alert):
                self._tell(alert, AlertEvent.REPEATED)
            if self._is_to_be_escalated(alert):
                self.escalate(alert)

    def escalate(self, alert: Alert) -> bool:
        """Tell those who are told when nobody acknowledges; False where that has been done."""
        seen = {"escalated_at": alert.escalated_at}
        if not queries.change_alert(self._session, alert.id, seen, escalated_at=self._now):
            return False
        rule = self._book.by_key.get(alert.kind)
        told = rule.escalate_to if rule is not None and rule.escalate_to else None
        self._enqueue(alert, AlertEvent.ESCALATED, told)
        return True

    def _tell_pending(self, alert: Alert) -> None:
        event = AlertEvent(alert.pending or AlertEvent.OPENED)
        if event is AlertEvent.OPENED and alert.resolved_at is not None:
            seen = {"pending": alert.pending}  # it is over before it could be told
            queries.change_alert(self._session, alert.id, seen, pending=None)
            return
        self._tell(alert, event)

    def _tell(self, alert: Alert, event: AlertEvent) -> None:
        seen = {"pending": alert.pending, "told_at": alert.told_at}
        changes = {"pending": None, "told_at": self._now}
        if queries.change_alert(self._session, alert.id, seen, **changes):
            rule = self._book.by_key.get(alert.kind)
            self._enqueue(alert, event, rule.recipients if rule else None)

    def _enqueue(self, alert: Alert, event: AlertEvent, told: Sequence[int] | None) -> None:
        message = body(AlertFacts.of(alert), self._settings.zone, event)
        enqueue(
            self._session, alert.id, event.value, told, message, self._now, severity=alert.severity
        )

    def _is_held(self, alert: Alert) -> bool:
        """Whether quiet hours or a silence hold it back."""
        if any(_covers(silence, alert) for silence in self._silences):
            return True
        rule = self._book.by_key.get(alert.kind)
        if rule is None or alert.severity == Severity.CRITICAL:
            return False
        local = datetime.fromtimestamp(self._now, self._settings.zone)
        return is_quiet(60 * local.hour + local.minute, *rule.quiet)

    def _is_to_be_repeated(self, alert: Alert) -> bool:
        rule = self._unacknowledged(alert)
        if rule is None or rule.repeat_s is None or alert.told_at is None:
            return False
        return alert.told_at + rule.repeat_s <= self._now and not self._is_held(alert)

    def _is_to_be_escalated(self, alert: Alert) -> bool:
        rule = self._unacknowledged(alert)
        if rule is None or rule.escalate_after_s is None or alert.escalated_at is not None:
            return False
        return alert.opened_at + rule.escalate_after_s <= self._now and not self._is_held(alert)

    def _unacknowledged(self, alert: Alert) -> Rule | None:
        """The rule of an open alert that nobody has acknowledged."""
        if alert.resolved_at is not None or alert.acknowledged_at is not None:
            return None
        return self._book.by_key.get(alert.kind)


def _covers(silence: Silence, alert: Alert) -> bool:
    return (
        silence.kind in (None, alert.kind)
        and silence.scope in (None, alert.scope)
        and silence.scope_code in (None, alert.scope_code)
    )
